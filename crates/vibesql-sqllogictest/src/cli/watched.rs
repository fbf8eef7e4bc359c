//! One run of `run --watch`: what to run is read from a folder, and what has become of it is written there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::CliError;
use slt_core::location::path_text;
use slt_core::outcome::RunReport;
use slt_runner::parallel::{FileSource, WorkItem};
use slt_runner::results::ResultsFolder;

/// A run that `run --watch` has started.
pub(super) struct WatchedRun {
    folder: PathBuf,
    order: WatchOrder,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WatchOrder {
    /// All selected files, as an ordinary run.
    First,
    /// These of the selected files.
    Only(Vec<String>),
    /// All selected files, these first.
    All(Vec<String>),
}

/// A file of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WatchedFile {
    /// The absolute path, as [`path_text`] writes it.
    pub(super) path: String,
    /// The dialect that a setting requests for it.
    pub(super) dialect: Option<String>,
    /// Whether it has passed; `None` if it has no result.
    pub(super) is_good: Option<bool>,
}

impl WatchOrder {
    /// Writes the order to the folder of the watch.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CliError> {
        put(&folder.join("order.json"), self)
    }
}

/// Reads what the last run has written.
pub(super) fn read_files(folder: &Path) -> Result<Vec<WatchedFile>, CliError> {
    take(&folder.join("files.json"))
}

/// Removes what the last run has written.
pub(super) fn forget_files(folder: &Path) {
    // It is not there before the first run.
    std::fs::remove_file(folder.join("files.json")).ok();
}

impl WatchedRun {
    pub(super) fn open(folder: PathBuf) -> Result<Self, CliError> {
        let order = take(&folder.join("order.json"))?;
        Ok(Self { folder, order })
    }

    /// Whether the results are kept with those of other runs. Those of reruns would hide them.
    pub(super) fn is_kept(&self) -> bool {
        self.order == WatchOrder::First
    }

    /// Returns the folder for the results of a run that is not kept.
    pub(super) fn results(&self) -> ResultsFolder {
        ResultsFolder::new(self.folder.join("results"))
    }

    /// Selects from the files of a run, each with its number of slices, and brings them into order.
    pub(super) fn choose(&self, files: Vec<(WorkItem, u32)>) -> Result<Vec<(WorkItem, u32)>, CliError> {
        let (named, all) = match &self.order {
            WatchOrder::First => return Ok(files),
            WatchOrder::Only(paths) => (paths, false),
            WatchOrder::All(paths) => (paths, true),
        };
        let is_named = |(item, _): &(WorkItem, u32)| path_of(item).is_some_and(|path| named.contains(&path));
        let (mut chosen, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_named);
        if all {
            chosen.extend(others);
        }
        if chosen.is_empty() {
            let message = format!("not selected: {}", named.join(", "));
            return Err(CliError::nothing_selected(message, ""));
        }
        Ok(chosen)
    }

    /// Writes what has become of the files.
    pub(super) fn report(&self, items: &[WorkItem], run: &RunReport) -> Result<(), CliError> {
        let good: BTreeMap<_, _> =
            run.files.iter().map(|file| (&file.file, run.header.is_good(file))).collect();
        let files = items.iter().filter_map(|item| {
            let is_good = good.get(&item.file).copied();
            Some(WatchedFile { path: path_of(item)?, dialect: item.dialect.clone(), is_good })
        });
        put(&self.folder.join("files.json"), &files.collect::<Vec<_>>())
    }
}

/// Returns the absolute path of a file; `None` if it is not on disk.
fn path_of(item: &WorkItem) -> Option<String> {
    match &item.source {
        FileSource::Disk(path) => Some(path_text::of(&std::path::absolute(path).ok()?)),
        FileSource::Embedded(_) | FileSource::Stream(_) => None,
    }
}

fn put(path: &Path, what: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_vec(what).map_err(|error| CliError::internal(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| CliError::temporary_folder(&error))
}

fn take<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, CliError> {
    let text = std::fs::read(path).map_err(|error| CliError::temporary_folder(&error))?;
    serde_json::from_slice(&text).map_err(|error| CliError::internal(error.to_string()))
}

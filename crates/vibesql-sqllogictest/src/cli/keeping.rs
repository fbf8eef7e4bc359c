//! Where results are kept: what the user says, or a folder at home.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::clock::milliseconds_since_1970;
use crate::executor::Settings;
use crate::executor::parallel::{Origin, WorkItem};
use crate::results::{Circumstances, FolderError, Opened, ResultsFolder, RunFolder};

/// The folder of results, whether it is there or not.
pub(super) struct Keeping {
    pub(super) results: ResultsFolder,
    /// Whether the user has said where it is.
    named: bool,
}

/// A folder for a new run.
pub(super) struct NewRun {
    pub(super) folder: RunFolder,
    /// Where it is, if that is to be named for finding it again.
    pub(super) elsewhere: Option<PathBuf>,
    pub(super) warning: Option<String>,
}

impl Keeping {
    /// The folder that the user names, or one at home.
    pub(super) fn new(named: Option<&Path>, home: Option<&OsStr>) -> Self {
        let at_home = || home.map_or_else(elsewhere, |home| Path::new(home).join(".vibesql/test_results"));
        Self {
            results: ResultsFolder::new(named.map_or_else(at_home, Path::to_owned)),
            named: named.is_some(),
        }
    }

    /// Makes the folder of a new run. Where the user has not said where, and there is no place at home, it is another
    /// folder, with a warning: results are kept in any case.
    pub(super) fn new_run(&self) -> Result<NewRun, CliError> {
        let now = milliseconds_since_1970();
        match self.results.create_run(now) {
            Err(FolderError::Io { path, source, .. }) if !self.named => {
                let place = elsewhere();
                let folder = ResultsFolder::new(&place).create_run(now)?;
                let (path, shown) = (path.display(), place.display());
                let warning = format!("cannot use `{path}` ({source}); results are kept in `{shown}`");
                Ok(NewRun { folder, warning: Some(warning), elsewhere: Some(place) })
            }
            run => Ok(NewRun { folder: run?, warning: None, elsewhere: self.named_place() }),
        }
    }

    /// The folder, if the user has named it.
    pub(super) fn named_place(&self) -> Option<PathBuf> {
        self.named.then(|| self.results.path().to_owned())
    }
}

/// For those without a home.
fn elsewhere() -> PathBuf {
    std::env::temp_dir().join("vibesql-test_results")
}

/// What the journal of a new run says first.
pub(super) fn opened(
    run: &RunFolder,
    items: &[WorkItem],
    settings: &Settings,
    circumstances: Circumstances,
) -> Opened {
    let places: BTreeMap<_, _> = items.iter().map(|item| (item.file.clone(), place_of(item))).collect();
    let command = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let folder = std::env::current_dir().unwrap_or_default();
    Opened::new(
        &run.name,
        milliseconds_since_1970(),
        command,
        folder,
        settings.clone(),
        circumstances,
        places,
    )
}

/// Where a file is, whatever folder one is in.
pub(super) fn place_of(item: &WorkItem) -> PathBuf {
    match &item.origin {
        Origin::Disk(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        Origin::Embedded(_) => PathBuf::from(&item.shown),
        // What was read is nowhere to be found again.
        Origin::Stream(_) => PathBuf::from(&item.file),
    }
}

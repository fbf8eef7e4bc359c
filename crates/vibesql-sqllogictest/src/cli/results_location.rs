//! The location of the results, and what is written there when a run starts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::error::CliError;
use slt_core::executor::Settings;
use slt_runner::parallel::{CanonicalPaths, FileSource, WorkItem};
use slt_runner::results::{Circumstances, Opened, ResultsFolder, RunFolder};

/// The results folder, whether it exists or not.
pub(super) struct ResultsLocation {
    /// `None` if the user has neither named a folder nor a home directory.
    results: Option<ResultsFolder>,
    /// Whether the user has named it.
    named: bool,
}

impl ResultsLocation {
    /// Selects the folder that the user names, or the default one in the home directory.
    pub(super) fn new(named: Option<&Path>, home: Option<&OsStr>) -> Self {
        let at_home = || Some(Path::new(home?).join(".vibesql/test_results"));
        let path = named.map(Path::to_owned).or_else(at_home);
        Self { results: path.map(ResultsFolder::new), named: named.is_some() }
    }

    /// Returns the results folder.
    // There is no fallback such as a folder in `/tmp`: results would be lost there, and other users could write there.
    pub(super) fn results(&self) -> Result<&ResultsFolder, CliError> {
        let hint = || "use `--results DIR` or the variable VIBESQL_RESULTS_DIR to name a folder".to_owned();
        let message = "no folder for results: the variable HOME is not set";
        self.results.as_ref().ok_or_else(|| CliError::usage(message, hint()))
    }

    /// Returns the folder if the user has named it.
    pub(super) fn named_path(&self) -> Option<&Path> {
        self.results.as_ref().filter(|_| self.named).map(ResultsFolder::path)
    }
}

/// Returns a warning if the clock is behind an earlier run, so that the name of this run is ahead of the clock.
pub(super) fn clock_warning(run: &RunFolder, now: i64) -> Option<String> {
    run.is_ahead_of(now).then(|| {
        format!(
            "the clock is behind an earlier run; this run is named `{}`, so that it is the last",
            run.name
        )
    })
}

/// Returns the first entry of the journal of a new run.
pub(super) fn opened(
    run: &str,
    started: i64,
    items: &[WorkItem],
    settings: &Settings,
    circumstances: Circumstances,
) -> Opened {
    let places = items.iter().map(|item| item.file.clone()).zip(places_of(items));
    let places: BTreeMap<_, _> = places.collect();
    let typed = |word: std::ffi::OsString| {
        let word = word.to_string_lossy();
        // A run of `run --watch` is a process that the user has not started.
        if word.starts_with("--watched=") { "--watch".to_owned() } else { word.into_owned() }
    };
    let command = std::env::args_os().map(typed).collect();
    let folder = std::env::current_dir().unwrap_or_default();
    Opened::new(run, started, command, folder, settings.clone(), circumstances, places)
}

/// Returns the absolute location of a file.
pub(super) fn place_of(item: &WorkItem) -> PathBuf {
    place_among(item, &mut CanonicalPaths::default())
}

/// Returns the absolute locations of files.
pub(super) fn places_of(items: &[WorkItem]) -> impl Iterator<Item = PathBuf> {
    let mut paths = CanonicalPaths::default();
    items.iter().map(move |item| place_among(item, &mut paths))
}

fn place_among(item: &WorkItem, paths: &mut CanonicalPaths) -> PathBuf {
    match &item.source {
        FileSource::Disk(path) => paths.resolve(path).unwrap_or_else(|_| path.clone()),
        FileSource::Embedded(_) => PathBuf::from(&item.shown),
        // The text cannot be read again.
        FileSource::Stream(_) => PathBuf::from(item.file.path()),
    }
}

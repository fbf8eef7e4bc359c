//! The last result and the duration of a file in earlier runs.

use std::collections::HashMap;
use std::time::Duration;

use super::file_key::{combined, key_of_engine, key_of_file, key_of_path};
use super::folder::ResultsFolder;
use super::folder_error::FolderError;
use super::index::Index;
use super::summary::PastRun;
use slt_core::location::FileId;

/// The known facts about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PastResult {
    /// Whether the last result was good; `None` if it was not run.
    pub good: Option<bool>,
    /// How long it took then, or in a copy of the suite.
    pub duration: Option<Duration>,
}

/// The results of earlier runs for some files.
#[derive(Debug, Default)]
pub struct History {
    by_file: HashMap<FileId, PastResult>,
    /// Durations of other files by path in reports, mostly for copies of a suite without a name.
    by_name: HashMap<String, Duration>,
}

impl ResultsFolder {
    /// Reads the last runs that `wanted` accepts, at most `most`, the oldest first.
    ///
    /// If the run `last` exists, no later one is read. Unreadable runs are skipped.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] when the folder cannot be listed.
    pub fn past_runs(
        &self,
        last: Option<&str>,
        most: usize,
        wanted: impl Fn(&PastRun) -> bool,
    ) -> Result<Vec<PastRun>, FolderError> {
        let names = self.runs()?;
        let end = last.and_then(|last| names.iter().position(|name| name == last));
        let names = &names[..end.map_or(names.len(), |end| end + 1)];
        let read = |name: &String| PastRun::read(self, name).ok();
        // Runs of other engines may lie between, but not without end.
        let looked_at = names.iter().rev().take(most.saturating_mul(LOOK_FURTHER));
        let mut runs: Vec<_> = looked_at.filter_map(read).filter(wanted).take(most).collect();
        runs.reverse();
        Ok(runs)
    }
}

/// The number of runs to look at for each wanted run.
const LOOK_FURTHER: usize = 4;

impl History {
    /// Reads the last results of these files on `engine`.
    ///
    /// # Errors
    ///
    /// [`FolderError`] when the folder cannot be listed.
    pub fn read(results: &ResultsFolder, engine: &str, wanted: &[&FileId]) -> Result<Self, FolderError> {
        let engine = key_of_engine(engine);
        let files = wanted.iter().map(|file| combined(engine, key_of_file(file)));
        let names = wanted.iter().map(|file| combined(engine, key_of_path(file)));
        let found = Index::find(results, &files.chain(names).collect::<Vec<_>>())?;
        let (files, names) = found.split_at(wanted.len());
        let mut history = Self::default();
        for ((&file, by_file), by_name) in wanted.iter().zip(files).zip(names) {
            let elapsed = by_name.and_then(|record| record.elapsed());
            match by_file {
                Some(record) => {
                    let good = Some(record.status.is_good());
                    let past = PastResult { good, duration: record.elapsed().or(elapsed) };
                    history.by_file.insert(file.clone(), past);
                }
                None => history.by_name.extend(elapsed.map(|elapsed| (file.path().to_owned(), elapsed))),
            }
        }
        Ok(history)
    }

    /// Adds the runs that have ended since the last update.
    ///
    /// # Errors
    ///
    /// [`FolderError`] when the folder cannot be listed.
    pub fn update(results: &ResultsFolder) -> Result<(), FolderError> {
        Index::read(results).map(drop)
    }

    /// Returns the last result of a file.
    pub fn of(&self, file: &FileId) -> PastResult {
        let untested = || PastResult { good: None, duration: self.by_name.get(file.path()).copied() };
        self.by_file.get(file).copied().unwrap_or_else(untested)
    }
}

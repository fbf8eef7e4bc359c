//! The last result and the duration of a file in earlier runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::circumstances::Circumstances;
use super::folder::{FolderError, ResultsFolder};
use super::index::{Index, name_key, place_key};
use super::journal::{Brief, PastFile};
use super::journal_file::journal_path;
use slt_core::outcome::RunHeader;

/// The known facts about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PastResult {
    /// Whether the last result was good; `None` if it was not run.
    pub good: Option<bool>,
    /// How long it took then, or in another working copy.
    pub duration: Option<Duration>,
}

/// The results of earlier runs for some files.
#[derive(Debug, Default)]
pub struct History {
    by_place: HashMap<PathBuf, PastResult>,
    /// The same file in another folder: another working copy of a project, mostly.
    by_name: HashMap<String, Duration>,
}

/// A run of the past.
#[derive(Debug, Clone)]
pub struct PastRun {
    /// Its name.
    pub name: String,
    /// The header of the run.
    pub header: RunHeader,
    /// The circumstances of the run, if known.
    pub circumstances: Option<Circumstances>,
    /// The files that have their result.
    pub files: Vec<PastFile>,
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
        let read = |name: &String| {
            let run = Brief::read(&journal_path(&self.path_of(name).ok()?)).ok()??;
            let Brief { opened, header, files, .. } = run;
            Some(PastRun { name: name.clone(), header, circumstances: opened.circumstances, files })
        };
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
    /// Reads the last results of these files on `engine`, each given by its path and its name in reports.
    ///
    /// # Errors
    ///
    /// [`FolderError`] when the folder cannot be listed.
    pub fn read(
        results: &ResultsFolder,
        engine: &str,
        wanted: &[(PathBuf, &str)],
    ) -> Result<Self, FolderError> {
        let places = wanted.iter().map(|(place, _)| place_key(engine, place));
        let names = wanted.iter().map(|(_, file)| name_key(engine, file));
        let found = Index::find(results, &places.chain(names).collect::<Vec<_>>())?;
        let (places, names) = found.split_at(wanted.len());
        let mut history = Self::default();
        for (((place, file), by_place), by_name) in wanted.iter().zip(places).zip(names) {
            let elapsed = by_name.and_then(|record| record.elapsed);
            history.by_name.extend(elapsed.map(|elapsed| ((*file).to_owned(), elapsed)));
            history.by_place.extend(by_place.map(|record| {
                let past =
                    PastResult { good: Some(record.status.is_good()), duration: record.elapsed.or(elapsed) };
                (place.clone(), past)
            }));
        }
        Ok(history)
    }

    /// Enters the runs that have ended since the history was read last, so that the next run finds them.
    ///
    /// # Errors
    ///
    /// [`FolderError`] when the folder cannot be listed.
    pub fn update(results: &ResultsFolder) -> Result<(), FolderError> {
        Index::read(results).map(drop)
    }

    /// Returns the facts about the file at `place`, named `file` in reports.
    pub fn of(&self, place: &Path, file: &str) -> PastResult {
        let untested = || PastResult { good: None, duration: self.by_name.get(file).copied() };
        self.by_place.get(place).copied().unwrap_or_else(untested)
    }
}

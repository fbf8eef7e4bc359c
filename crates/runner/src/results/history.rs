//! What earlier runs say of a file: how it ended last, and how long it takes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder::{FolderError, ResultsFolder};
use super::index::{Index, name_key, place_key};
use super::summary::PastRun;

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    /// Whether it ended well when it was run last; nothing if it was not run.
    pub good: Option<bool>,
    /// How long it took then, or in another working copy.
    pub duration: Option<Duration>,
}

/// What earlier runs know of the files that are asked about.
#[derive(Debug, Default)]
pub struct History {
    by_place: HashMap<PathBuf, Past>,
    /// The same file in another folder: another working copy of a project, mostly.
    by_name: HashMap<String, Duration>,
}

impl ResultsFolder {
    /// Reads the last runs that `wanted` takes, no more than `most`, up to the one that is called `last` if it is there; the
    /// oldest first. Runs that cannot be read say nothing.
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

/// For each run that is wanted, so many are looked at.
const LOOK_FURTHER: usize = 4;

impl History {
    /// Reads how these files ended last on `engine`, each given by its place and by what reports call it.
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
                let past = Past { good: Some(record.status.is_good()), duration: record.elapsed.or(elapsed) };
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

    /// What is known of the file at `place`, which reports call `file`.
    pub fn of(&self, place: &Path, file: &str) -> Past {
        let untested = || Past { good: None, duration: self.by_name.get(file).copied() };
        self.by_place.get(place).copied().unwrap_or_else(untested)
    }
}

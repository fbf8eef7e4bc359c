//! The manifest: the list of the store's files. It is replaced atomically, so that readers see one state.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::StoreFile;
use super::error::{StoreError, io_error};
use super::schema;
use slt_runner::jsonl::{entry_of, line_of};

/// The state of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of the schema of its files.
    pub(super) schema: u32,
    /// The runs, by their numbers.
    pub(super) runs: Vec<SealedRun>,
    /// The files of outcomes, by the runs that had them first.
    pub(super) outcomes: Vec<OutcomeFile>,
    /// Runs and counters over all of them.
    pub(super) summary: Option<StoreFile>,
    /// The file with the identities of all stored outcomes.
    pub(super) known: Option<StoreFile>,
}

/// The part of a manifest that all versions share.
#[derive(Deserialize)]
struct ManifestVersion {
    schema: u32,
}

/// A run that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedRun {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) file: StoreFile,
    /// The length of its journal when it was sealed; it changes if the run is resumed.
    pub(super) journal: u64,
    /// The runs with the outcome files that contain its outcomes.
    pub(super) needs: Vec<i64>,
}

/// A file of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OutcomeFile {
    pub(super) run: i64,
    pub(super) file: StoreFile,
}

impl Manifest {
    pub(super) fn new() -> Self {
        Self { schema: schema::VERSION, runs: Vec::new(), outcomes: Vec::new(), summary: None, known: None }
    }

    /// Reads a manifest; it is empty if the file is missing.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(io_error("read", path)(error)),
        };
        let damaged = || StoreError::Damaged(path.to_owned());
        // The rest may differ in another version.
        let ManifestVersion { schema: found } = entry_of(&bytes).ok_or_else(damaged)?;
        if found != schema::VERSION {
            return Err(StoreError::OtherVersion { path: path.to_owned(), found, expected: schema::VERSION });
        }
        entry_of(&bytes).ok_or_else(damaged)
    }

    pub(super) fn line(&self) -> io::Result<Vec<u8>> {
        Ok(line_of(self)?)
    }

    /// Returns the names of the files that belong to the store.
    pub(super) fn names(&self) -> HashSet<&str> {
        self.files().map(|file| file.name.as_str()).collect()
    }

    /// Returns all files.
    pub(super) fn files(&self) -> impl Iterator<Item = &StoreFile> {
        let runs = self.runs.iter().map(|run| &run.file);
        let outcomes = self.outcomes.iter().map(|outcomes| &outcomes.file);
        runs.chain(outcomes).chain(&self.summary).chain(&self.known)
    }

    pub(super) fn run(&self, name: &str) -> Option<&SealedRun> {
        self.runs.iter().find(|run| run.name == name)
    }

    /// Adds or replaces a run.
    pub(super) fn add_run(&mut self, run: SealedRun) {
        self.runs.retain(|known| known.id != run.id);
        let place = self.runs.partition_point(|known| known.id < run.id);
        self.runs.insert(place, run);
    }

    /// Adds a file of outcomes, or replaces the one of the same run.
    pub(super) fn add_outcomes(&mut self, outcomes: OutcomeFile) {
        self.outcomes.retain(|known| known.run != outcomes.run);
        self.outcomes.push(outcomes);
    }

    pub(super) fn outcomes_of(&self, run: i64) -> Option<&StoreFile> {
        self.outcomes.iter().find(|outcomes| outcomes.run == run).map(|outcomes| &outcomes.file)
    }

    /// Adds `run` to the needs of these runs, because they share outcomes.
    pub(super) fn share_outcomes(&mut self, run: i64, with: &BTreeSet<i64>) {
        for sealed in &mut self.runs {
            if sealed.needs.iter().any(|needed| with.contains(needed)) && !sealed.needs.contains(&run) {
                sealed.needs.push(run);
                sealed.needs.sort_unstable();
            }
        }
    }

    /// Removes unneeded files of outcomes; returns their runs.
    pub(super) fn drop_unneeded(&mut self) -> Vec<i64> {
        let needed: HashSet<_> = self.runs.iter().flat_map(|run| run.needs.clone()).collect();
        let gone =
            self.outcomes.iter().map(|outcomes| outcomes.run).filter(|run| !needed.contains(run)).collect();
        self.outcomes.retain(|outcomes| needed.contains(&outcomes.run));
        gone
    }
}

//! Looking whether everything is as it should be.

use std::sync::Arc;

use super::RunId;
use super::error::StoreError;
use super::keeper::{Progress, Store};
use super::manifest::Manifest;
use super::parts::{FAILURES, place};
use super::rows::{Outcomes, RunRows, rows_of};
use crate::results::FolderError;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many runs are in the store.
    pub runs: usize,
    /// How many files it consists of.
    pub files: usize,
    /// Their length, in bytes.
    pub bytes: u64,
    /// Ended runs that are not in the store yet.
    pub unsealed: Vec<String>,
    /// What is wrong: sentences for the user.
    pub problems: Vec<String>,
    /// What is unusual, and no problem.
    pub notes: Vec<String>,
}

impl Store {
    /// Checks every file against its digest, every run against its journal, and the counters against the runs.
    ///
    /// # Errors
    ///
    /// [`StoreError`], when the store cannot be looked at. What is found wrong with it is no error.
    pub fn verify(&self, progress: Progress<'_>) -> Result<Verified, StoreError> {
        let mut found = Verified::default();
        let manifest = match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) => manifest,
            Err(error @ StoreError::Damaged(_)) => {
                found.problems.push(error.to_string());
                return Ok(found);
            }
            Err(error) => return Err(error),
        };
        found.runs = manifest.runs.len();
        for file in manifest.files() {
            found.files += 1;
            found.bytes += file.bytes;
            if let Err(error) = self.disk.check(file) {
                found.problems.push(with_cause(&error));
            }
        }
        found.unsealed = self.unsealed(&manifest)?;
        if !manifest.is_current() {
            found.notes.push(format!(
                "the store is of version {} and is made again when it is used",
                manifest.schema
            ));
            return Ok(found);
        }
        for (number, run) in manifest.runs.iter().enumerate() {
            match (self.read_run(&manifest, run), self.journal(&run.name, run.journal)) {
                (Err(error), _) => found.problems.push(format!("run {}: {}", run.name, with_cause(&error))),
                (Ok(_), Err(StoreError::Folder(FolderError::Io { source, .. })))
                    if source.kind() == std::io::ErrorKind::NotFound =>
                {
                    found
                        .notes
                        .push(format!("run {} has no journal any more; it is in the store alone", run.name));
                }
                (Ok(_), Err(error)) => {
                    found.problems.push(format!("run {}: {}", run.name, with_cause(&error)))
                }
                (Ok(kept), Ok(journal)) => {
                    if journal.damaged > 0 {
                        found.problems.push(format!(
                            "run {}: {} lines of its journal are damaged",
                            run.name, journal.damaged
                        ));
                    }
                    if !same(&kept, &rows_of(&journal, RunId(run.id), false)) {
                        found
                            .problems
                            .push(format!("run {} is not in the store as its journal has it", run.name));
                    }
                }
            }
            progress(number + 1, manifest.runs.len());
        }
        match (self.summary(&manifest), self.fold_all(&manifest)) {
            (Ok(kept), Ok(made)) if kept == made => {}
            (Ok(_), Ok(_)) => found.problems.push("the counters are not those of the runs".to_owned()),
            // The file that cannot be read has been told.
            (Err(_), _) | (_, Err(_)) => {}
        }
        Ok(found)
    }
}

fn with_cause(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Whether two are the same but for the run in which an outcome was seen first.
fn same(kept: &RunRows, made: &RunRows) -> bool {
    let normal = |outcomes: &Outcomes| {
        let first = place(&FAILURES, "first_run_id");
        let mut outcomes = outcomes.clone();
        let failures = outcomes.values_mut().flat_map(|outcome| &mut Arc::make_mut(outcome).failures);
        failures.for_each(|row| row[first] = super::cell::Cell::Null);
        outcomes
    };
    kept.own == made.own && normal(&kept.outcomes) == normal(&made.outcomes)
}

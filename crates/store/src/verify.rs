//! Checks the store for corruption.

use std::sync::Arc;

use super::RunId;
use super::error::StoreError;
use super::manifest::{Manifest, SealedRun};
use super::rows::{Outcomes, RunRows, rows_of};
use super::segment_tables::{FAILURES, place};
use super::store::{Progress, Store};
use slt_runner::results::{FolderError, Journal};
use slt_runner::text::count::plural;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// The number of runs in the store.
    pub runs: usize,
    /// The number of its files.
    pub files: usize,
    /// Their size, in bytes.
    pub bytes: u64,
    /// Ended runs that are not in the store yet.
    pub unsealed: Vec<String>,
    /// The problems that a rebuild solves, as sentences for the user.
    pub problems: Vec<String>,
    /// The problems of journals, which a rebuild does not solve.
    pub journal_problems: Vec<String>,
    /// Unusual but harmless findings.
    pub notes: Vec<String>,
}

impl Store {
    /// Checks every file against its digest, every run against its journal, and the counters against the runs.
    ///
    /// # Errors
    ///
    /// [`StoreError`], when the store cannot be read. Corruption is part of the result.
    pub fn verify(&self, progress: Progress<'_>) -> Result<VerifyReport, StoreError> {
        loop {
            let manifest = match Manifest::read(&self.disk.manifest()) {
                Ok(manifest) => manifest,
                Err(error @ StoreError::Damaged(_)) => {
                    return Ok(VerifyReport { problems: vec![error.to_string()], ..VerifyReport::default() });
                }
                Err(error) => return Err(error),
            };
            let found = self.verify_state(&manifest, &mut *progress)?;
            // A file replaced during the check is not a problem.
            let same = Manifest::read(&self.disk.manifest()).is_ok_and(|now| now == manifest);
            if same || (found.problems.is_empty() && found.journal_problems.is_empty()) {
                return Ok(found);
            }
        }
    }

    fn verify_state(&self, manifest: &Manifest, progress: Progress<'_>) -> Result<VerifyReport, StoreError> {
        let notes = self.results.strays()?;
        let mut found = VerifyReport { runs: manifest.runs.len(), notes, ..VerifyReport::default() };
        for file in manifest.files() {
            found.files += 1;
            found.bytes += file.bytes;
            if let Err(error) = self.disk.read(file) {
                found.problems.push(error.with_cause());
            }
        }
        for name in self.unsealed(manifest)? {
            match self.results.journal(Some(&name)) {
                // The process was killed before its first entry: the run is counted among the strays.
                Err(FolderError::NoJournal(_)) => {}
                Err(error @ FolderError::OtherVersion { .. }) => {
                    found.notes.push(format!("run {name}: {error}"));
                }
                Err(error @ (FolderError::Corrupt(_) | FolderError::NoHeader(_))) => {
                    found.journal_problems.push(format!("run {name}: {error}"));
                }
                _ => found.unsealed.push(name),
            }
        }
        for (number, run) in manifest.runs.iter().enumerate() {
            match (self.read_run(manifest, run), self.journal(&run.name, run.journal)) {
                (Err(error), _) => found.problems.push(format!("run {}: {}", run.name, error.with_cause())),
                (Ok(_), Err(StoreError::Folder(FolderError::Io { source, .. })))
                    if source.kind() == std::io::ErrorKind::NotFound =>
                {
                    found
                        .notes
                        .push(format!("run {} has no journal any more; it is in the store alone", run.name));
                }
                (Ok(_), Err(error)) => {
                    found.journal_problems.push(format!("run {}: {}", run.name, error.with_cause()));
                }
                (Ok(kept), Ok(journal)) => {
                    if let Some(problem) = self.journal_problem(run, &journal) {
                        found.journal_problems.push(problem);
                    } else if !same(&kept, &rows_of(&journal, RunId(run.id), false)) {
                        found
                            .problems
                            .push(format!("run {} is not in the store as its journal has it", run.name));
                    }
                }
            }
            progress(number + 1, manifest.runs.len());
        }
        match (self.summary(manifest), self.fold_all(manifest)) {
            (Ok(kept), Ok(made)) if kept == made => {}
            (Ok(_), Ok(_)) => found.problems.push("the counters are not those of the runs".to_owned()),
            // The unreadable file was reported already.
            (Err(_), _) | (_, Err(_)) => {}
        }
        Ok(found)
    }

    /// Returns the problem of a journal that has lost results. The store keeps them.
    fn journal_problem(&self, run: &SealedRun, journal: &Journal) -> Option<String> {
        let name = &run.name;
        let is_whole = journal.ended && journal.report.untested() == 0;
        if journal.damaged > 0 && !is_whole {
            Some(format!("run {name}: {} of its journal damaged", plural(journal.damaged as u64, "line")))
        } else if self.results.journal_bytes(name).is_some_and(|length| length < run.journal) {
            Some(format!("run {name}: its journal is shorter than it was"))
        } else {
            None
        }
    }
}

/// Compares two runs, except for the first runs of their outcomes.
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

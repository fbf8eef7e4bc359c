//! Earlier runs in commit order, and their results of a file.

use std::collections::HashSet;

use super::repository::GitRepository;
use super::texts::{FileTexts, place_below};
use slt_core::outcome::FileReport;
use slt_insight::regression::origin::{FailureTrace, FilePast, IgnoredReason, TextMatch, WantedRecord};
use slt_runner::results::{Commit, Journal, PastRun};

/// The runs that a run is compared with, itself included.
pub(super) struct RunsByCommit<'h> {
    /// In the order of their commits, and then of time.
    runs: Vec<&'h PastRun>,
    /// The number of runs of commits that are not ancestors of the commit of the run.
    elsewhere: u64,
}

impl<'h> RunsByCommit<'h> {
    /// Sorts runs, given oldest first, by the order of the ancestors of `tip`. Without a repository, they stay in order
    /// of time.
    pub(super) fn new(runs: &'h [PastRun], repository: Option<&GitRepository>, tip: Option<&str>) -> Self {
        let Some((repository, tip)) = repository.zip(tip) else {
            return Self { runs: runs.iter().collect(), elsewhere: 0 };
        };
        let hashes: HashSet<_> = runs.iter().filter_map(clean).map(|commit| commit.hash.as_str()).collect();
        let places = repository.places(tip, &hashes);
        // Runs without a clean commit state the reason themselves, wherever they are in the list.
        let place = |run: &PastRun| clean(run).map_or(Some(0), |commit| places.get(&commit.hash).copied());
        let mut ordered: Vec<_> = runs.iter().filter_map(|run| Some((place(run)?, run))).collect();
        ordered.sort_by_key(|(place, _)| *place);
        let elsewhere = (runs.len() - ordered.len()) as u64;
        Self { runs: ordered.into_iter().map(|(_, run)| run).collect(), elsewhere }
    }

    /// The number of runs examined.
    pub(super) fn count(&self) -> u64 {
        self.runs.len() as u64 + self.elsewhere
    }
}

/// The commit of a run that was made without uncommitted changes.
pub(super) fn clean(run: &PastRun) -> Option<&Commit> {
    run.run.commit().filter(|commit| !commit.dirty)
}

/// The history of one file in all runs.
pub(super) struct BisectedFile<'h> {
    past: FilePast<'h>,
    pub(super) texts: FileTexts,
    elsewhere: u64,
}

impl<'h> BisectedFile<'h> {
    /// Looks up the file of the run in `journal`, and keeps its text if `keep_text` is set.
    pub(super) fn new(
        past: &RunsByCommit<'h>,
        journal: &Journal,
        file: &FileReport,
        repository: Option<&GitRepository>,
        keep_text: bool,
    ) -> Self {
        let place =
            repository.and_then(|known| Some((known, place_below(&journal.opened, &file.file, known)?)));
        let texts = match (place, &journal.opened.settings) {
            (Some((repository, place)), Some(settings)) => {
                let commit = commit_of(journal).filter(|commit| !commit.dirty);
                let hash = commit.map(|commit| commit.hash.as_str());
                let settings = settings.as_read(file.dialect.as_deref());
                FileTexts::read(repository, &place, hash, &past.runs, &settings, keep_text)
            }
            _ => FileTexts::unknown(past.runs.len()),
        };
        Self { past: FilePast::new(&past.runs, &file.file), texts, elsewhere: past.elsewhere }
    }

    /// Returns the results of a record, or of the file as a whole.
    pub(super) fn trace(&self, record: Option<WantedRecord>) -> FailureTrace<'h> {
        let text = |run| record.map_or(TextMatch::Unknown, |record| self.texts.compare(run, record));
        let mut trace = self.past.trace(record, text);
        if self.elsewhere > 0 {
            trace.silent.insert(IgnoredReason::Elsewhere, self.elsewhere);
        }
        trace
    }
}

/// Returns the commit that a run was made at.
pub(super) fn commit_of(journal: &Journal) -> Option<&Commit> {
    journal.opened.circumstances.as_ref()?.commit.as_ref()
}

/// Returns the failing record at `place` of a file's list as it is looked up in other runs; `None` if it has no key.
pub(super) fn wanted(file: &FileReport, place: usize) -> Option<WantedRecord> {
    let record = file.failures.get(place).filter(|record| !record.id.is_whole_file())?;
    Some(WantedRecord { key: record.key?, line: record.id.line, total: file.counts.total })
}

/// Returns the kind of failure of the record at `place` of a file's list, or the status of the file.
pub(super) fn kind(file: &FileReport, place: Option<usize>) -> &str {
    let group = place.and_then(|place| file.group_of(file.failures.get(place)?));
    group.map_or(file.status().word(), |group| group.kind.as_str())
}

//! The runs of the past in the order of their commits, and what they tell of a file.

use std::collections::HashSet;

use super::repository::Repository;
use super::texts::{Texts, place_below};
use slt_core::outcome::FileReport;
use slt_insight::regression::origin::{FilePast, Silence, Text, Trace, WantedRecord};
use slt_runner::results::{Commit, Journal, PastRun};

/// The runs that one run is seen in the light of; it is one of them.
pub(in crate::cli) struct Past<'h> {
    /// In the order of their commits, and then of time.
    runs: Vec<&'h PastRun>,
    /// So many are of commits that do not lead to that of the run.
    elsewhere: u64,
}

impl<'h> Past<'h> {
    /// Puts runs, which come the oldest first, into the order of their commits, as far as these lead to `tip`. Where
    /// there is no repository, time has to do.
    pub(in crate::cli) fn of(
        runs: &'h [PastRun],
        repository: Option<&Repository>,
        tip: Option<&str>,
    ) -> Self {
        let Some((repository, tip)) = repository.zip(tip) else {
            return Self { runs: runs.iter().collect(), elsewhere: 0 };
        };
        let hashes: HashSet<_> = runs.iter().filter_map(clean).map(|commit| commit.hash.as_str()).collect();
        let places = repository.places(tip, &hashes);
        // Runs that tell of no commit say why themselves, wherever they stand.
        let place = |run: &PastRun| clean(run).map_or(Some(0), |commit| places.get(&commit.hash).copied());
        let mut ordered: Vec<_> = runs.iter().filter_map(|run| Some((place(run)?, run))).collect();
        ordered.sort_by_key(|(place, _)| *place);
        let elsewhere = (runs.len() - ordered.len()) as u64;
        Self { runs: ordered.into_iter().map(|(_, run)| run).collect(), elsewhere }
    }

    /// How many runs were looked at.
    pub(in crate::cli) fn count(&self) -> u64 {
        self.runs.len() as u64 + self.elsewhere
    }
}

/// The commit of a run that was made without changes.
pub(in crate::cli) fn clean(run: &PastRun) -> Option<&Commit> {
    run.run.commit().filter(|commit| !commit.dirty)
}

/// A file of a run, in all runs.
pub(in crate::cli) struct FileHistory<'h> {
    past: FilePast<'h>,
    pub(in crate::cli) texts: Texts,
    elsewhere: u64,
}

impl<'h> FileHistory<'h> {
    /// Looks the file of the run in `journal` up; its text is kept where it is wanted.
    pub(in crate::cli) fn of(
        past: &Past<'h>,
        journal: &Journal,
        file: &FileReport,
        repository: Option<&Repository>,
        keep_text: bool,
    ) -> Self {
        let place =
            repository.and_then(|known| Some((known, place_below(&journal.opened, &file.file, known)?)));
        let texts = match (place, &journal.opened.settings) {
            (Some((repository, place)), Some(settings)) => {
                let commit = commit_of(journal).filter(|commit| !commit.dirty);
                let hash = commit.map(|commit| commit.hash.as_str());
                Texts::read(repository, &place, hash, &past.runs, settings, keep_text)
            }
            _ => Texts::unknown(past.runs.len()),
        };
        Self { past: FilePast::of(&past.runs, &file.file), texts, elsewhere: past.elsewhere }
    }

    /// What the runs tell of a record, or of the file as a whole.
    pub(in crate::cli) fn trace(&self, record: Option<WantedRecord>) -> Trace<'h> {
        let text = |run| record.map_or(Text::Unknown, |record| self.texts.of(run, record));
        let mut trace = self.past.trace(record, text);
        if self.elsewhere > 0 {
            trace.silent.insert(Silence::Elsewhere, self.elsewhere);
        }
        trace
    }
}

/// The state of the project that a run was made in.
pub(in crate::cli) fn commit_of(journal: &Journal) -> Option<&Commit> {
    journal.opened.circumstances.as_ref()?.commit.as_ref()
}

/// The failing record at a place of a file's list, as other runs are asked for it; nothing if it has no name.
pub(in crate::cli) fn wanted(file: &FileReport, place: usize) -> Option<WantedRecord> {
    let record = file.failures.get(place).filter(|record| !record.id.is_whole_file())?;
    Some(WantedRecord { key: record.key?, line: record.id.line, total: file.counts.total })
}

/// What is wrong with the failing record at a place of a file's list, in one word.
pub(in crate::cli) fn kind(file: &FileReport, place: usize) -> Option<&str> {
    file.group_of(file.failures.get(place)?).map(|group| group.kind.as_str())
}

//! Finds the two commits between which a failure began.
//!
//! Each past run is good or bad for a record, or silent for a reason given as [`IgnoredReason`]. Only runs of a commit
//! without changes count, since the answer names commits. A record outside of a run's list of failures is good only if
//! the file had it then, unchanged, and it was reached.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::past::{FileInRun, state_of};
use slt_core::location::FileId;
use slt_core::outcome::{FileEnd, FileProblem, FileStatus, RecordKey, RunHeader};
use slt_runner::results::{Commit, PastRun};

/// A failing record to trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRecord {
    /// Its name.
    pub key: RecordKey,
    /// Its line.
    pub line: u32,
    /// How many records the file has.
    pub total: u64,
}

/// The record in the text of a file at another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMatch {
    /// The text is unknown.
    Unknown,
    /// The same record, on this line.
    Same(u32),
    /// The record has another expectation or other conditions.
    Other,
    /// The record is missing.
    Absent,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SightingResult {
    /// It passed.
    Good,
    /// It failed.
    Bad,
    /// It failed in one attempt and passed in another.
    Both,
}

/// A reason why a run is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IgnoredReason {
    /// Its commit is unknown.
    NoCommit,
    /// It was made with uncommitted changes.
    Changes,
    /// Its commit is not in the examined history.
    Elsewhere,
    /// The file was not run, or nothing of it was executed.
    NotRun,
    /// The execution had ended before the record.
    NotReached,
    /// The user had excluded the record.
    LeftOut,
    /// The file did not have the record.
    Absent,
    /// The record had another expectation or other conditions.
    OtherText,
    /// The file had another number of records, and the difference is unknown.
    FileChanged,
    /// Its journal has no record keys.
    Unnamed,
    /// The file was flaky; the result of the record is unknown.
    Flaky,
}

/// A run with a result.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'h> {
    /// The run.
    pub run: &'h PastRun,
    /// The commit that it was made at, without changes.
    pub commit: &'h Commit,
    /// The result.
    pub word: SightingResult,
}

/// The origin of a failure, as far as known.
#[derive(Debug, Clone, Copy)]
pub enum FailureOrigin<'h> {
    /// It began between two commits.
    Between {
        /// The last run of the last commit at which it was good.
        good: Sighting<'h>,
        /// The first run of the first commit at which it was bad, and has been since.
        bad: Sighting<'h>,
        /// The number of earlier commits with mixed results.
        mixed_before: u64,
    },
    /// It was both good and bad at one commit, and has been bad since.
    Mixed {
        /// A run in which it was good.
        good: Sighting<'h>,
        /// A run in which it was bad.
        bad: Sighting<'h>,
    },
    /// It was bad from the first run with a result.
    NeverPassed {
        /// That run.
        first: Sighting<'h>,
    },
    /// It is good at the last commit.
    Passes {
        /// The last run of it.
        last: Sighting<'h>,
    },
    /// No run has a result.
    Unknown,
}

/// The combined result of all runs.
#[derive(Debug, Clone)]
pub struct FailureTrace<'h> {
    /// The origin.
    pub origin: FailureOrigin<'h>,
    /// The number of ignored runs by reason.
    pub silent: BTreeMap<IgnoredReason, u64>,
}

/// Finds the origin from results in the order of their commits. The runs of a commit, which need not be adjacent, are
/// in the order of time.
///
/// | the last commit with a result | the last earlier one with a good result | origin |
/// |---|---|---|
/// | none | | unknown |
/// | all good | | passes |
/// | some good, some bad | | mixed |
/// | all bad | none | never passed |
/// | all bad | all good | between the two |
/// | all bad | some good, some bad | mixed |
pub fn origin<'h>(sightings: &[Sighting<'h>]) -> FailureOrigin<'h> {
    let mut commits = IndexMap::<&str, Vec<Sighting<'h>>>::new();
    for one in sightings {
        commits.entry(&one.commit.hash).or_default().push(*one);
    }
    let commits: Vec<_> = commits.into_iter().collect();
    let all = |of: &[Sighting<'h>], word: SightingResult| of.iter().all(|one| one.word == word);
    let stretch = commits.iter().rev().take_while(|(_, of)| all(of, SightingResult::Bad)).count();
    let (before, bad) = commits.split_at(commits.len() - stretch);
    let first_bad = bad.first().and_then(|(_, of)| of.first());
    let Some((_, turn)) = before.last() else {
        return first_bad.map_or(FailureOrigin::Unknown, |&first| FailureOrigin::NeverPassed { first });
    };
    let last_with = |not: SightingResult| turn.iter().rfind(|one| one.word != not).copied();
    match (last_with(SightingResult::Bad), last_with(SightingResult::Good), first_bad) {
        (Some(good), Some(bad), _) => FailureOrigin::Mixed { good, bad },
        (Some(good), None, Some(&bad)) => {
            let mixed = |of: &[Sighting<'h>]| !all(of, SightingResult::Good) && !all(of, SightingResult::Bad);
            let mixed_before = before.iter().filter(|(_, of)| mixed(of)).count() as u64;
            FailureOrigin::Between { good, bad, mixed_before }
        }
        (Some(last), None, None) => FailureOrigin::Passes { last },
        // Each commit has a run.
        (None, ..) => FailureOrigin::Unknown,
    }
}

/// Returns whether two runs have the same state; then different results are flaky.
pub fn same_state(one: &PastRun, other: &PastRun) -> bool {
    state_of(one) == state_of(other)
}

/// Returns whether the same program made both runs, perhaps at two commits; then the engine has not changed.
pub fn same_program(one: &PastRun, other: &PastRun) -> bool {
    let program = |run: &PastRun| run.run.circumstances.as_ref().and_then(|known| known.engine_hash.clone());
    program(one).is_some() && program(one) == program(other)
}

/// Returns whether runs used the same rules on the same engine, in any version.
pub fn same_rules(one: &RunHeader, other: &RunHeader) -> bool {
    let rules = |header: &RunHeader| (header.engine.qualified_name(), header.labels.clone(), header.exact);
    rules(one) == rules(other)
}

/// One file in many runs.
#[derive(Debug)]
pub struct FilePast<'h> {
    runs: Vec<(&'h PastRun, Option<FileInRun<'h>>)>,
}

impl<'h> FilePast<'h> {
    /// Finds the file in runs, which are in the order for [`origin`].
    pub fn new(runs: &[&'h PastRun], file: &FileId) -> Self {
        let find = |run: &'h PastRun| run.files.iter().find(|known| known.file == *file).map(FileInRun::new);
        Self { runs: runs.iter().map(|&run| (run, find(run))).collect() }
    }

    /// Collects the results of the runs for a record, or for the whole file. `text` returns the text of the record in
    /// the run with this index.
    pub fn trace(&self, wanted: Option<WantedRecord>, text: impl Fn(usize) -> TextMatch) -> FailureTrace<'h> {
        let (mut sightings, mut silent) = (Vec::new(), BTreeMap::new());
        for (place, (run, known)) in self.runs.iter().enumerate() {
            let told = commit_of(run).and_then(|commit| {
                let known = known.as_ref().ok_or(IgnoredReason::NotRun)?;
                let word = match wanted {
                    Some(record) => known.record(record, text(place)),
                    None => known.whole(),
                }?;
                Ok(Sighting { run, commit, word })
            });
            match told {
                Ok(sighting) => sightings.push(sighting),
                Err(silence) => *silent.entry(silence).or_default() += 1,
            }
        }
        FailureTrace { origin: origin(&sightings), silent }
    }
}

/// Returns the commit of a run.
fn commit_of(run: &PastRun) -> Result<&Commit, IgnoredReason> {
    let commit = run.run.commit().ok_or(IgnoredReason::NoCommit)?;
    if commit.dirty { Err(IgnoredReason::Changes) } else { Ok(commit) }
}

impl FileInRun<'_> {
    fn was_run(&self) -> bool {
        match &self.file.end {
            // A record that killed the process was executed.
            FileEnd::NotStarted(
                FileProblem::Died(_) | FileProblem::TimedOut | FileProblem::OutOfMemory { .. },
            ) => true,
            FileEnd::NotStarted(_) => false,
            _ => self.file.last_status() != FileStatus::Empty || !self.file.attempts.is_empty(),
        }
    }

    fn whole(&self) -> Result<SightingResult, IgnoredReason> {
        match self.file.status() {
            _ if !self.was_run() => Err(IgnoredReason::NotRun),
            FileStatus::Flaky => Ok(SightingResult::Both),
            FileStatus::Passed => Ok(SightingResult::Good),
            FileStatus::Empty | FileStatus::Error => Err(IgnoredReason::NotRun),
            FileStatus::Failed | FileStatus::TimedOut | FileStatus::Crashed | FileStatus::OutOfMemory => {
                Ok(SightingResult::Bad)
            }
        }
    }

    /// Returns the result for a record.
    ///
    /// | the record in this run | and | result |
    /// |---|---|---|
    /// | fails, with another text | | none |
    /// | fails | the file passed in another attempt | both |
    /// | fails | | bad |
    /// | does not fail | the file is flaky | none |
    /// | does not fail | it was missing, different, excluded, or not reached | none |
    /// | does not fail | the text is unknown, and has another number of records | none |
    /// | does not fail | | good |
    fn record(&self, wanted: WantedRecord, text: TextMatch) -> Result<SightingResult, IgnoredReason> {
        let is_flaky = self.file.status() == FileStatus::Flaky;
        if !self.was_run() {
            return Err(IgnoredReason::NotRun);
        }
        if !self.file.has_keys() {
            return Err(IgnoredReason::Unnamed);
        }
        let line = match text {
            TextMatch::Other => return Err(IgnoredReason::OtherText),
            TextMatch::Absent => return Err(IgnoredReason::Absent),
            TextMatch::Same(line) => line,
            TextMatch::Unknown => wanted.line,
        };
        if self.failing.contains(&wanted.key) {
            return Ok(if is_flaky { SightingResult::Both } else { SightingResult::Bad });
        }
        if self.left_out.contains(&wanted.key) {
            return Err(IgnoredReason::LeftOut);
        }
        if is_flaky {
            return Err(IgnoredReason::Flaky);
        }
        if text == TextMatch::Unknown && self.file.counts.total != wanted.total {
            return Err(IgnoredReason::FileChanged);
        }
        if line > self.reach { Err(IgnoredReason::NotReached) } else { Ok(SightingResult::Good) }
    }
}

#[cfg(test)]
mod tests;

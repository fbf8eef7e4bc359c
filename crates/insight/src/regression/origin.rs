//! Between which two commits something began to fail.
//!
//! Each run of the past tells of a record that it is good, that it is bad, or nothing: why it tells nothing is a
//! [`Silence`]. Only a run of a commit without changes counts, since a commit is what the answer names; and a record that
//! is on no list of failing ones is good only if the file had it then, in the same words, and it was reached.

use std::collections::{BTreeMap, HashSet};

use super::past::state_of;
use super::records::reach;
use slt_core::location::FileId;
use slt_core::outcome::{FileEnd, FileProblem, FileStatus, FileSummary, RecordKey, RunHeader};
use slt_runner::results::{Commit, PastRun};

/// A record of a file, as a run has it in which it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRecord {
    /// Its name.
    pub key: RecordKey,
    /// Its line.
    pub line: u32,
    /// How many records the file has.
    pub total: u64,
}

/// What the text of a file, as it was in another run, says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// The text is not known.
    Unknown,
    /// It has the record in the same words, on this line.
    Same(u32),
    /// It has the record with another expectation or other conditions.
    Other,
    /// It does not have the record.
    Absent,
}

/// What a run tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SightingResult {
    /// It passed.
    Good,
    /// It failed.
    Bad,
    /// It failed, and passed when it was run once more.
    Both,
}

/// Why a run tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// It is not known which commit it was made at.
    NoCommit,
    /// It was made with changes that are in no commit.
    Changes,
    /// Its commit is not part of the history that is looked at.
    Elsewhere,
    /// The file was not run, or nothing of it was executed.
    NotRun,
    /// The execution had ended before the record.
    NotReached,
    /// The user had left the record out.
    LeftOut,
    /// The file did not have the record.
    Absent,
    /// The record had another expectation or other conditions.
    OtherText,
    /// The file had another number of records, and nobody knows which.
    FileChanged,
    /// It is a journal without names of records.
    Unnamed,
    /// The file passed one time and failed another; of the record it is not known.
    Flaky,
}

/// A run that tells something.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'h> {
    /// The run.
    pub run: &'h PastRun,
    /// The commit that it was made at, without changes.
    pub commit: &'h Commit,
    /// What it tells.
    pub word: SightingResult,
}

/// Where a failure comes from, as far as the runs tell.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'h> {
    /// It began between two commits.
    Between {
        /// The last run of the last commit at which it was good.
        good: Sighting<'h>,
        /// The first run of the first commit at which it was bad, and has been since.
        bad: Sighting<'h>,
        /// At so many commits before it was good one time and bad another.
        mixed_before: u64,
    },
    /// It was good one time and bad another at one commit, after which it has been bad.
    Mixed {
        /// A run in which it was good.
        good: Sighting<'h>,
        /// A run in which it was bad.
        bad: Sighting<'h>,
    },
    /// It was bad from the first run that tells of it.
    NeverPassed {
        /// That run.
        first: Sighting<'h>,
    },
    /// It is good at the last commit.
    Passes {
        /// The last run of it.
        last: Sighting<'h>,
    },
    /// No run tells anything.
    Unknown,
}

/// What all runs tell together.
#[derive(Debug, Clone)]
pub struct Trace<'h> {
    /// Where it comes from.
    pub origin: Origin<'h>,
    /// How many runs tell nothing, and why.
    pub silent: BTreeMap<Silence, u64>,
}

/// Finds the origin from what the runs tell, which come in the order of their commits; the runs of a commit, which need
/// not be neighbours, in the order of time.
///
/// | the last commit that tells | the last before it at which not all was bad | origin |
/// |---|---|---|
/// | there is none | | unknown |
/// | all good | | passes |
/// | some good, some bad | | mixed |
/// | all bad | there is none | never passed |
/// | all bad | all good | between the two |
/// | all bad | some good, some bad | mixed |
pub fn origin<'h>(sightings: &[Sighting<'h>]) -> Origin<'h> {
    let mut commits = Vec::<(&str, Vec<Sighting<'h>>)>::new();
    for one in sightings {
        match commits.iter_mut().find(|(hash, _)| *hash == one.commit.hash) {
            Some((_, of)) => of.push(*one),
            None => commits.push((&one.commit.hash, vec![*one])),
        }
    }
    let all = |of: &[Sighting<'h>], word: SightingResult| of.iter().all(|one| one.word == word);
    let stretch = commits.iter().rev().take_while(|(_, of)| all(of, SightingResult::Bad)).count();
    let (before, bad) = commits.split_at(commits.len() - stretch);
    let first_bad = bad.first().and_then(|(_, of)| of.first());
    let Some((_, turn)) = before.last() else {
        return first_bad.map_or(Origin::Unknown, |&first| Origin::NeverPassed { first });
    };
    let last_with = |not: SightingResult| turn.iter().rfind(|one| one.word != not).copied();
    match (last_with(SightingResult::Bad), last_with(SightingResult::Good), first_bad) {
        (Some(good), Some(bad), _) => Origin::Mixed { good, bad },
        (Some(good), None, Some(&bad)) => {
            let mixed = |of: &[Sighting<'h>]| !all(of, SightingResult::Good) && !all(of, SightingResult::Bad);
            let mixed_before = before.iter().filter(|(_, of)| mixed(of)).count() as u64;
            Origin::Between { good, bad, mixed_before }
        }
        (Some(last), None, None) => Origin::Passes { last },
        // A commit without any run is none.
        (None, ..) => Origin::Unknown,
    }
}

/// Whether two runs were made in one state: then something that is good in one and bad in the other is flaky.
pub fn same_state(one: &PastRun, other: &PastRun) -> bool {
    state_of(one) == state_of(other)
}

/// Whether two runs were made by one program, though perhaps at two commits: then the engine in it has not changed.
pub fn same_program(one: &PastRun, other: &PastRun) -> bool {
    let program = |run: &PastRun| run.run.circumstances.as_ref().and_then(|known| known.engine_hash.clone());
    program(one).is_some() && program(one) == program(other)
}

/// Whether runs executed and judged by the same rules on the same engine, whatever its version.
pub fn same_rules(one: &RunHeader, other: &RunHeader) -> bool {
    let rules = |header: &RunHeader| (header.engine.qualified_name(), header.labels.clone(), header.exact);
    rules(one) == rules(other)
}

/// One file in many runs.
#[derive(Debug)]
pub struct FilePast<'h> {
    runs: Vec<(&'h PastRun, Option<InRun<'h>>)>,
}

#[derive(Debug)]
struct InRun<'h> {
    file: &'h FileSummary,
    failing: HashSet<RecordKey>,
    left_out: HashSet<RecordKey>,
    reach: u32,
}

impl<'h> FilePast<'h> {
    /// Looks the file up in runs, which come in the order that [`origin`] wants.
    pub fn of(runs: &[&'h PastRun], file: &FileId) -> Self {
        let find = |run: &'h PastRun| run.files.iter().find(|known| known.file == *file).map(InRun::of);
        Self { runs: runs.iter().map(|&run| (run, find(run))).collect() }
    }

    /// What the runs tell of a record, or of the file as a whole. `text` says what is known of the text in the run with
    /// this place.
    pub fn trace(&self, wanted: Option<WantedRecord>, text: impl Fn(usize) -> Text) -> Trace<'h> {
        let (mut sightings, mut silent) = (Vec::new(), BTreeMap::new());
        for (place, (run, known)) in self.runs.iter().enumerate() {
            let told = commit_of(run).and_then(|commit| {
                let known = known.as_ref().ok_or(Silence::NotRun)?;
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
        Trace { origin: origin(&sightings), silent }
    }
}

/// The commit that a run tells of.
fn commit_of(run: &PastRun) -> Result<&Commit, Silence> {
    let commit = run.run.commit().ok_or(Silence::NoCommit)?;
    if commit.dirty { Err(Silence::Changes) } else { Ok(commit) }
}

impl<'h> InRun<'h> {
    fn of(file: &'h FileSummary) -> Self {
        let failing = file.failures.iter().filter_map(|record| record.key).collect();
        let left_out = file.left_out.iter().filter_map(|left_out| left_out.key).collect();
        let ids = file.failures.iter().map(|record| &record.id);
        Self { file, failing, left_out, reach: reach(&file.end, &file.counts, ids) }
    }

    fn was_run(&self) -> bool {
        match &self.file.end {
            // What took the process with it has been executed, in a way.
            FileEnd::NotStarted(
                FileProblem::Died(_) | FileProblem::TimedOut | FileProblem::OutOfMemory { .. },
            ) => true,
            FileEnd::NotStarted(_) => false,
            _ => self.file.last_status() != FileStatus::Empty || !self.file.attempts.is_empty(),
        }
    }

    fn whole(&self) -> Result<SightingResult, Silence> {
        match self.file.status() {
            _ if !self.was_run() => Err(Silence::NotRun),
            FileStatus::Flaky => Ok(SightingResult::Both),
            FileStatus::Passed => Ok(SightingResult::Good),
            FileStatus::Empty | FileStatus::Error => Err(Silence::NotRun),
            FileStatus::Failed | FileStatus::TimedOut | FileStatus::Crashed | FileStatus::OutOfMemory => {
                Ok(SightingResult::Bad)
            }
        }
    }

    /// | the record in this run | and | it tells |
    /// |---|---|---|
    /// | fails, in other words | | nothing |
    /// | fails | the file passed another time | both |
    /// | fails | | bad |
    /// | does not fail | the file is flaky | nothing |
    /// | does not fail | it was not there, in other words, left out, or not reached | nothing |
    /// | does not fail | the text is not known, and has another number of records | nothing |
    /// | does not fail | | good |
    fn record(&self, wanted: WantedRecord, text: Text) -> Result<SightingResult, Silence> {
        let is_flaky = self.file.status() == FileStatus::Flaky;
        if !self.was_run() {
            return Err(Silence::NotRun);
        }
        if !self.file.has_keys() {
            return Err(Silence::Unnamed);
        }
        let line = match text {
            Text::Other => return Err(Silence::OtherText),
            Text::Absent => return Err(Silence::Absent),
            Text::Same(line) => line,
            Text::Unknown => wanted.line,
        };
        if self.failing.contains(&wanted.key) {
            return Ok(if is_flaky { SightingResult::Both } else { SightingResult::Bad });
        }
        if self.left_out.contains(&wanted.key) {
            return Err(Silence::LeftOut);
        }
        if is_flaky {
            return Err(Silence::Flaky);
        }
        if text == Text::Unknown && self.file.counts.total != wanted.total {
            return Err(Silence::FileChanged);
        }
        if line > self.reach { Err(Silence::NotReached) } else { Ok(SightingResult::Good) }
    }
}

#[cfg(test)]
mod tests;

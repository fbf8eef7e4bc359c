//! Converts stored runs to the input of [`timing`](super::timing) and [`flaky`](super::flaky).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::flaky::{Stability, StateResult, stability};
use super::records::reach;
use super::timing::TimedPass;
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, FileSummary, RecordId, RecordKey};
use slt_runner::results::{Circumstances, PastRun};

/// Returns whether two runs have the same machine, engine, rules and number of workers, so their times are comparable.
fn same_conditions(one: &PastRun, other: &PastRun) -> bool {
    let machine = |run: &PastRun| {
        let Circumstances { host, cpus, workers, .. } = run.run.circumstances.clone()?;
        (!host.is_empty()).then_some((host, cpus, workers))
    };
    let rules = |run: &PastRun| (run.run.header.engine.qualified_name(), run.run.header.exact);
    machine(one).is_some() && machine(one) == machine(other) && rules(one) == rules(other)
}

/// Returns the passes of the runs that are comparable with the last one, the oldest first.
pub fn timed(runs: &[PastRun]) -> Vec<Vec<TimedPass<'_>>> {
    let Some(last) = runs.last() else { return Vec::new() };
    let comparable = runs.iter().filter(|run| same_conditions(run, last));
    comparable.map(|run| run.files.iter().filter_map(pass).collect()).collect()
}

fn pass(file: &FileSummary) -> Option<TimedPass<'_>> {
    let passed = file.last_status() == FileStatus::Passed && !file.elapsed.is_zero();
    passed.then(|| TimedPass {
        file: &file.file,
        executed: file.counts.executed,
        elapsed: file.elapsed,
        slowest: file.engine_time.map(|_| file.slowest.as_slice()),
    })
}

/// Returns the name of a run's state. An unknown state is unique: the run had uncommitted changes, or was outside of a
/// repository.
pub fn state_of(past: &PastRun) -> String {
    let run = &past.run;
    let circumstances = run.circumstances.as_ref();
    let commit = circumstances.and_then(|known| known.commit.as_ref()).filter(|commit| !commit.dirty);
    let Some((known, commit)) = circumstances.zip(commit) else { return format!("run {}", run.name) };
    let word = |word: &Option<String>| word.as_deref().unwrap_or("-").to_owned();
    let (corpus, build) = (word(&known.corpus_commit), word(&known.engine_hash));
    format!("commit {}, suite {corpus}, {}, build {build}", commit.hash, run.header.engine)
}

/// The judgement of a file over many runs.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHealth<'h> {
    /// Its identity.
    pub file: &'h FileId,
    /// Its last status.
    pub last: FileStatus,
    /// The number of results.
    pub results: u64,
    /// The judgement.
    pub stability: Stability<'h>,
    /// The records with both results in one state, in the order of their lines.
    pub records: Vec<RecordHealth<'h>>,
}

/// The judgement of a record over many runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordHealth<'h> {
    /// The line of its last failure.
    pub id: &'h RecordId,
    /// The judgement of the runs that reached it.
    pub stability: Stability<'h>,
}

/// Judges every file of these runs, the oldest first, with the names of their states. A file without executed records
/// has no result.
pub fn health<'h>(runs: &'h [PastRun], states: &'h [String]) -> Vec<FileHealth<'h>> {
    let mut files = BTreeMap::<&FileId, Vec<(&str, &FileSummary)>>::new();
    for (run, state) in runs.iter().zip(states) {
        for file in run.files.iter().filter(|file| file.last_status() != FileStatus::Empty) {
            files.entry(&file.file).or_default().push((state, file));
        }
    }
    files.into_iter().filter_map(|(file, results)| file_health(file, &results)).collect()
}

fn file_health<'h>(file: &'h FileId, results: &[(&'h str, &'h FileSummary)]) -> Option<FileHealth<'h>> {
    let seen: Vec<_> = results
        .iter()
        .flat_map(|&(state, file)| {
            let all = file.attempts.iter().copied().chain([file.last_status()]);
            all.map(move |status| StateResult { state, good: status.is_good() })
        })
        .collect();
    let stability = stability(&seen)?;
    // In other files, each record has one result per state.
    let records = if stability.mixed > 0 { records(results) } else { Vec::new() };
    let last = results.last()?.1.status();
    Some(FileHealth { file, last, results: seen.len() as u64, stability, records })
}

/// The records of a file in one run.
#[derive(Debug)]
pub(super) struct FileInRun<'h> {
    pub(super) file: &'h FileSummary,
    pub(super) failing: HashSet<RecordKey>,
    pub(super) left_out: HashSet<RecordKey>,
    /// Records after this line were not reached.
    pub(super) reach: u32,
}

impl<'h> FileInRun<'h> {
    pub(super) fn new(file: &'h FileSummary) -> Self {
        let failing = file.failures.iter().filter_map(|record| record.key).collect();
        let left_out = file.left_out.iter().filter_map(|left_out| left_out.key).collect();
        let ids = file.failures.iter().map(|record| &record.id);
        Self { file, failing, left_out, reach: reach(&file.end, &file.counts, ids) }
    }

    /// Returns whether a record passed; `None` if it was not reached or excluded.
    fn passed(&self, key: RecordKey, line: u32) -> Option<bool> {
        let passed = !self.failing.contains(&key);
        let executed = !passed || (line <= self.reach && !self.left_out.contains(&key));
        executed.then_some(passed)
    }
}

fn records<'h>(results: &[(&'h str, &'h FileSummary)]) -> Vec<RecordHealth<'h>> {
    let failing = results.iter().flat_map(|(_, file)| &file.failures);
    let places: HashMap<_, _> = failing.filter_map(|record| Some((record.key?, &record.id))).collect();
    let with_keys = results.iter().filter(|(_, file)| file.has_keys());
    let known: Vec<_> = with_keys.map(|&(state, file)| (state, FileInRun::new(file))).collect();
    let health = |(key, id): (RecordKey, &'h RecordId)| {
        let result = |&(state, ref file): &(&'h str, FileInRun<'_>)| {
            Some(StateResult { state, good: file.passed(key, id.line)? })
        };
        let seen: Vec<_> = known.iter().filter_map(result).collect();
        let stability = stability(&seen).filter(|stability| stability.mixed > 0)?;
        Some(RecordHealth { id, stability })
    };
    let mut records: Vec<_> = places.into_iter().filter_map(health).collect();
    records.sort_by_key(|record| record.id);
    records
}

//! From runs that are kept to what [`timing`](super::timing) and [`flaky`](super::flaky) judge.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::flaky::{Seen, Steadiness, steadiness};
use super::records::reach;
use super::timing::Pass;
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, FileSummary, RecordId, RecordKey};
use slt_runner::results::{Circumstances, PastRun};

/// Whether times of the two runs can be compared: the same machine, engine, rules and number of workers.
pub fn same_conditions(one: &PastRun, other: &PastRun) -> bool {
    let machine = |run: &PastRun| {
        let Circumstances { host, cpus, workers, .. } = run.run.circumstances.clone()?;
        (!host.is_empty()).then_some((host, cpus, workers))
    };
    let rules = |run: &PastRun| (run.run.header.engine.qualified_name(), run.run.header.exact);
    machine(one).is_some() && machine(one) == machine(other) && rules(one) == rules(other)
}

/// The passes of the runs that can be compared with the last one, which come the oldest first.
pub fn timed(runs: &[PastRun]) -> Vec<Vec<Pass<'_>>> {
    let Some(last) = runs.last() else { return Vec::new() };
    let comparable = runs.iter().filter(|run| same_conditions(run, last));
    comparable.map(|run| run.files.iter().filter_map(pass).collect()).collect()
}

fn pass(file: &FileSummary) -> Option<Pass<'_>> {
    let passed = file.last_status() == FileStatus::Passed && !file.elapsed.is_zero();
    passed.then(|| Pass {
        file: &file.file,
        executed: file.counts.executed,
        elapsed: file.elapsed,
        slowest: file.engine_time.map(|_| file.slowest.as_slice()),
    })
}

/// The name of the state that a run was made in. A run of which it is not known is in a state of its own: it was made with
/// changes, or outside of a repository.
pub fn state_of(past: &PastRun) -> String {
    let run = &past.run;
    let circumstances = run.circumstances.as_ref();
    let commit = circumstances.and_then(|known| known.commit.as_ref()).filter(|commit| !commit.dirty);
    let Some((known, commit)) = circumstances.zip(commit) else { return format!("run {}", run.name) };
    let word = |word: &Option<String>| word.as_deref().unwrap_or("-").to_owned();
    let (corpus, build) = (word(&known.corpus_commit), word(&known.engine_hash));
    format!("commit {}, suite {corpus}, {}, build {build}", commit.hash, run.header.engine)
}

/// What many runs tell of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHealth<'h> {
    /// Its identity.
    pub file: &'h FileId,
    /// How it ended last.
    pub last: FileStatus,
    /// In so many results.
    pub results: u64,
    /// What they tell.
    pub steadiness: Steadiness<'h>,
    /// The records that end in one state so and otherwise, in the order of their lines.
    pub records: Vec<RecordHealth<'h>>,
}

/// What many runs tell of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordHealth<'h> {
    /// Where it failed last.
    pub id: &'h RecordId,
    /// What the runs tell that have reached it.
    pub steadiness: Steadiness<'h>,
}

/// Judges every file of these runs, which come the oldest first, by the names of their states. A file of which nothing was
/// executed has no result.
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
            all.map(move |status| Seen { state, good: status.is_good() })
        })
        .collect();
    let steadiness = steadiness(&seen)?;
    // Of all others, each record has one result in each state.
    let records = if steadiness.mixed > 0 { records(results) } else { Vec::new() };
    let last = results.last()?.1.status();
    Some(FileHealth { file, last, results: seen.len() as u64, steadiness, records })
}

/// What a result tells of the records of its file.
struct ResultRecords<'h> {
    state: &'h str,
    reach: u32,
    failing: HashSet<RecordKey>,
    left_out: HashSet<RecordKey>,
}

impl<'h> ResultRecords<'h> {
    /// Nothing, if the record was not reached or left out.
    fn seen(&self, key: RecordKey, line: u32) -> Option<Seen<'h>> {
        let good = !self.failing.contains(&key);
        let executed = !good || (line <= self.reach && !self.left_out.contains(&key));
        executed.then_some(Seen { state: self.state, good })
    }
}

fn records<'h>(results: &[(&'h str, &'h FileSummary)]) -> Vec<RecordHealth<'h>> {
    let failing =
        |file: &'h FileSummary| file.failures.iter().filter_map(|record| Some((record.key?, &record.id)));
    let places: HashMap<RecordKey, &RecordId> = results.iter().flat_map(|(_, file)| failing(file)).collect();
    let known: Vec<_> = results
        .iter()
        .filter(|(_, file)| file.has_keys())
        .map(|&(state, file)| {
            let reach = reach(&file.end, &file.counts, file.failures.iter().map(|record| &record.id));
            let left_out: HashSet<_> = file.left_out.iter().filter_map(|left_out| left_out.key).collect();
            ResultRecords { state, reach, failing: failing(file).map(|(key, _)| key).collect(), left_out }
        })
        .collect();
    let health = |(key, id): (RecordKey, &'h RecordId)| {
        let seen: Vec<_> = known.iter().filter_map(|known| known.seen(key, id.line)).collect();
        let steadiness = steadiness(&seen).filter(|steadiness| steadiness.mixed > 0)?;
        Some(RecordHealth { id, steadiness })
    };
    let mut records: Vec<_> = places.into_iter().filter_map(health).collect();
    records.sort_by_key(|record| record.id);
    records
}

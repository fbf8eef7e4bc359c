//! Generates histories of runs with planted regressions, flaky files, slowdowns, and noise.

use std::collections::BTreeSet;
use std::time::Duration;

use slt_core::engine::EngineId;
use slt_core::outcome::{
    Counts, FailingRecord, Fault, FileEnd, FileReport, FlakyResult, RecordId, RecordKey, RunEnd, RunHeader,
    RunReport,
};

/// Numbers that are the same each time.
pub struct Random(u64);

impl Random {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that does with this chance.
    pub fn chance(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn normal(&mut self) -> f64 {
        let (one, other) = (self.share().max(1e-300), self.share());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }
}

/// The causes of different times without a change.
#[derive(Debug, Clone, Copy)]
pub struct TimingNoise {
    /// Its name.
    pub name: &'static str,
    /// How much the times of a file scatter: the standard deviation of their logarithm, at most.
    pub scatter: f64,
    /// The same of whole runs, by the load of the machine.
    pub load: f64,
    /// The chance of a busy machine, which makes all files of a run twice as slow.
    pub busy: f64,
    /// The chance of a time that is up to four times as long for no reason.
    pub outliers: f64,
}

/// From a dedicated machine to a shared one.
pub const NOISES: [TimingNoise; 3] = [
    TimingNoise { name: "quiet", scatter: 0.03, load: 0.05, busy: 0.0, outliers: 0.0 },
    TimingNoise { name: "usual", scatter: 0.10, load: 0.30, busy: 0.10, outliers: 0.01 },
    TimingNoise { name: "loud", scatter: 0.20, load: 0.50, busy: 0.20, outliers: 0.02 },
];

/// A slowdown that was put into a history.
#[derive(Debug, Clone, Copy)]
pub struct PlantedSlowdown {
    /// The place of the file.
    pub file: usize,
    /// The first slow run.
    pub from: usize,
    /// How many times as long the file takes.
    pub factor: f64,
}

/// The times of each file in each run.
pub fn times(
    random: &mut Random,
    noise: TimingNoise,
    files: usize,
    runs: usize,
    slowdown: Option<PlantedSlowdown>,
) -> Vec<Vec<Duration>> {
    // From 60 ms to a minute, each magnitude alike.
    let usual: Vec<_> = (0..files).map(|_| 0.06 * 1000_f64.powf(random.share())).collect();
    let scatter: Vec<_> = (0..files).map(|_| noise.scatter * (0.3 + 0.7 * random.share())).collect();
    let mut history = Vec::with_capacity(runs);
    for run in 0..runs {
        let busy = if random.chance(noise.busy) { 2.0 } else { 1.0 };
        let load = (noise.load * random.normal()).exp() * busy;
        let mut time = |file: usize| {
            let scattered = usual[file] * (scatter[file] * random.normal()).exp();
            let outlier = if random.chance(noise.outliers) { 1.5 + 2.5 * random.share() } else { 1.0 };
            let slow = slowdown.filter(|slow| slow.file == file && run >= slow.from);
            Duration::from_secs_f64(scattered * load * outlier * slow.map_or(1.0, |slow| slow.factor))
        };
        history.push((0..files).map(&mut time).collect());
    }
    history
}

/// The behaviour of a file over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FileNature {
    /// It passes.
    Healthy,
    /// It does not.
    Broken,
    /// It passes until this commit.
    RegressedAt(usize),
    /// It passes from this commit on.
    FixedAt(usize),
    /// It fails with this chance.
    Flaky(f64),
}

/// The results of a file of this nature: the place of the commit, and whether it passed.
pub fn results(
    random: &mut Random,
    nature: FileNature,
    commits: usize,
    runs_of_each: usize,
) -> Vec<(usize, bool)> {
    let commits = (0..commits).flat_map(|commit| vec![commit; runs_of_each]);
    let mut result = |commit: usize| match nature {
        FileNature::Healthy => true,
        FileNature::Broken => false,
        FileNature::RegressedAt(at) => commit < at,
        FileNature::FixedAt(at) => commit >= at,
        FileNature::Flaky(chance) => !random.chance(chance),
    };
    commits.map(|commit| (commit, result(commit))).collect()
}

/// The changes between two runs, apart from regressions and fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunDifference {
    /// Nothing.
    Nothing,
    /// Lines move.
    LinesMove,
    /// In one run or the other, a file in five ends by a crash.
    Crashes,
    /// A file in five has new records, of which one in three fails.
    NewRecords,
}

/// Two runs, and the records of which it is known that they passed and do not any more.
pub struct RunPair {
    /// The run before.
    pub baseline: RunReport,
    /// The run after.
    pub current: RunReport,
    /// File, and line in the run after.
    pub regressed: BTreeSet<(String, u32)>,
}

const RECORDS: u64 = 40;

/// Makes two runs of `files` files.
pub fn pair(random: &mut Random, between: RunDifference, files: usize) -> RunPair {
    let mut regressed = BTreeSet::new();
    let mut reports = [Vec::new(), Vec::new()];
    for file in 0..files {
        let name = format!("{file:03}.test");
        // A bug affects one file in eight and breaks one in four of its records; one file in eight is fixed at the same
        // rate.
        let (hit, mended) = (random.chance(0.125), random.chance(0.125));
        let mut records = Vec::new();
        for key in 1..=RECORDS {
            let before = random.chance(0.9);
            let now = if before { !(hit && random.chance(0.25)) } else { mended && random.chance(0.25) };
            records.push((key, [Some(before), Some(now)]));
        }
        if between == RunDifference::NewRecords && random.chance(0.2) {
            let place = random.below(RECORDS) as usize;
            for key in 1..=1 + random.below(3) {
                records.insert(place, (1000 + key, [None, Some(!random.chance(0.33))]));
            }
        }
        let shift = if between == RunDifference::LinesMove { random.below(30) as u32 } else { 0 };
        let crash = (between == RunDifference::Crashes && random.chance(0.2))
            .then(|| (random.below(2) as usize, 1 + random.below(RECORDS) as usize));
        let mut lines = [Vec::new(), Vec::new()];
        for (run, lines) in lines.iter_mut().enumerate() {
            let own = records.iter().filter_map(|(key, fates)| Some((*key, fates[run]?)));
            let first = if run == 1 { 1 + shift } else { 1 };
            lines.extend((0..).zip(own).map(|(place, (key, good))| (first + 4 * place, key, good)));
            let died = crash.filter(|(of, _)| *of == run).map(|(_, place)| place);
            reports[run].push(report(&name, lines, died));
        }
        // A record that was reached and passed, and is reached and does not pass.
        let reached = |run: usize, key: u64| {
            let records = &lines[run];
            let died = crash.filter(|(of, _)| *of == run).map_or(usize::MAX, |(_, place)| place);
            let place = records.iter().position(|(_, of, _)| *of == key)?;
            let (line, _, good) = records[place];
            // The last that is reached is the one that the engine dies of.
            (place < died).then_some((line, good && place + 1 != died))
        };
        for key in records.iter().map(|(key, _)| *key) {
            if let (Some((_, true)), Some((line, false))) = (reached(0, key), reached(1, key)) {
                regressed.insert((name.clone(), line));
            }
        }
    }
    let [before, now] = reports;
    RunPair { baseline: run(before), current: run(now), regressed }
}

/// The report of a file. With `died`, the process died during that record.
fn report(name: &str, records: &[(u32, u64, bool)], died: Option<usize>) -> FileReport {
    let mut report = FileReport::new(name, FileEnd::Completed);
    let mut counts = Counts { total: records.len() as u64, ..Counts::default() };
    for (place, &(line, key, good)) in (1..).zip(records) {
        if died.is_some_and(|died| place > died) {
            counts.not_reached += 1;
            continue;
        }
        counts.executed += 1;
        if died == Some(place) {
            counts.faulted += 1;
            let fault = Fault::Lost("gone".to_owned());
            report.end = FileEnd::Faulted { id: Some(RecordId::at(line)), fault };
        } else if good {
            counts.passed += 1;
            continue;
        } else {
            counts.failed += 1;
        }
        let (id, key) = (RecordId::at(line), Some(RecordKey(key)));
        report.failures.push(FailingRecord { id, key, group: None, detail: None });
    }
    report.counts = counts;
    report
}

fn run(files: Vec<FileReport>) -> RunReport {
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("e", "1") };
    let header =
        RunHeader { engine, labels: Vec::new(), exact: false, files: files.len(), flaky: FlakyResult::Pass };
    RunReport { header, files, elapsed: Duration::ZERO, end: RunEnd::Completed }
}

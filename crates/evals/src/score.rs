//! How often each detector is right, on planted histories.

use std::collections::BTreeSet;

use slt_core::location::FileId;
use slt_insight::regression::flaky::{Health, StateResult, stability};
use slt_insight::regression::timing::{RECENT, TimedPass, slower};
use slt_insight::regression::{RecordChange, compare};

use super::clusters;
use super::mixture;
use super::planted::{
    FileNature, NOISES, PlantedSlowdown, Random, RunDifference, TimingNoise, pair, results, times,
};

/// The score of a detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorScore {
    /// The detector.
    pub detector: &'static str,
    /// The data that it was measured on.
    pub on: String,
    /// How many histories.
    pub histories: u64,
    /// How much there was to find.
    pub planted: u64,
    /// How much of it was found.
    pub found: u64,
    /// The number of false findings.
    pub wrong: u64,
}

/// All of them, in the order of the table.
pub fn scores() -> Vec<DetectorScore> {
    let mut scores = Vec::new();
    for (between, on) in [
        (RunDifference::Nothing, "unchanged files"),
        (RunDifference::LinesMove, "moved lines"),
        (RunDifference::Crashes, "a crash in one file of five"),
        (RunDifference::NewRecords, "new records in one file of five"),
    ] {
        scores.push(regressions(between, on));
    }
    for runs in [2, 5] {
        for chance in [0.1, 0.3, 0.5] {
            scores.push(flaky(chance, runs));
        }
        scores.push(turns(runs));
    }
    for noise in NOISES {
        scores.push(no_slowdown(noise));
        for factor in [1.5, 2.0, 3.0] {
            scores.push(slowdown(noise, factor));
        }
    }
    scores.extend(clusters::scores());
    scores.extend(mixture::scores());
    scores
}

/// Records that have regressed, by `compare`.
fn regressions(between: RunDifference, on: &str) -> DetectorScore {
    let (mut random, histories) = (Random::new(1), 100);
    let mut score = DetectorScore::new("record regressed", on.to_owned(), histories);
    for _ in 0..histories {
        let pair = pair(&mut random, between, 60);
        let diff = compare(&pair.baseline, &pair.current);
        let named = diff.records_with(|change| change == RecordChange::Regressed);
        let named: BTreeSet<_> = named
            .filter_map(|(file, record)| Some((file.file.path().to_owned(), record.id()?.line)))
            .collect();
        score.planted += pair.regressed.len() as u64;
        score.found += named.intersection(&pair.regressed).count() as u64;
        score.wrong += named.difference(&pair.regressed).count() as u64;
    }
    score
}

const COMMITS: usize = 10;

fn judged(random: &mut Random, nature: FileNature, runs: usize) -> Option<(Health, Vec<(usize, bool)>)> {
    let names: Vec<_> = (0..COMMITS).map(|commit| commit.to_string()).collect();
    let results = results(random, nature, COMMITS, runs);
    let seen: Vec<_> =
        results.iter().map(|&(commit, good)| StateResult { state: &names[commit], good }).collect();
    let stability = stability(&seen)?;
    let turns = stability.turns.iter().filter_map(|turn| Some((turn.to.parse().ok()?, turn.good)));
    Some((stability.health, turns.collect()))
}

/// Flaky files among all others.
fn flaky(chance: f64, runs: usize) -> DetectorScore {
    let (mut random, histories) = (Random::new(2), 1000);
    let on = format!("{:.0} % failing, {runs} runs of each of {COMMITS} commits", chance * 100.0);
    let mut score = DetectorScore::new("file flaky", on, histories);
    for _ in 0..histories {
        let commit = 1 + random.below(COMMITS as u64 - 1) as usize;
        for nature in [
            FileNature::Healthy,
            FileNature::Broken,
            FileNature::RegressedAt(commit),
            FileNature::FixedAt(commit),
            FileNature::Flaky(chance),
        ] {
            let is_flaky =
                judged(&mut random, nature, runs).is_some_and(|(health, _)| health == Health::Flaky);
            let planted = matches!(nature, FileNature::Flaky(_));
            score.planted += u64::from(planted);
            score.found += u64::from(planted && is_flaky);
            score.wrong += u64::from(!planted && is_flaky);
        }
    }
    score
}

/// Commits at which a file has regressed or was fixed, among flaky files.
fn turns(runs: usize) -> DetectorScore {
    let (mut random, histories) = (Random::new(3), 1000);
    let on = format!("beside a file that fails 30 %, {runs} runs of each of {COMMITS} commits");
    let mut score = DetectorScore::new("commit that regressed or fixed a file", on, histories);
    for _ in 0..histories {
        let commit = 1 + random.below(COMMITS as u64 - 1) as usize;
        for nature in [
            FileNature::Healthy,
            FileNature::RegressedAt(commit),
            FileNature::FixedAt(commit),
            FileNature::Flaky(0.3),
        ] {
            let Some((health, turns)) = judged(&mut random, nature, runs) else { continue };
            let expected = match nature {
                FileNature::RegressedAt(commit) => vec![(commit, false)],
                FileNature::FixedAt(commit) => vec![(commit, true)],
                _ => Vec::new(),
            };
            // Changes of flaky files are not reported.
            let turns = if health == Health::Flaky { Vec::new() } else { turns };
            let right = turns.iter().filter(|turn| expected.contains(turn)).count();
            score.planted += expected.len() as u64;
            score.found += right as u64;
            score.wrong += (turns.len() - right) as u64;
        }
    }
    score
}

const FILES: usize = 20;
const RUNS: usize = 24;
/// From here on there are enough runs before.
const FIRST: usize = 11;

/// The places of the files that are called slower in the last of these runs.
pub fn slower_files(names: &[String], times: &[Vec<std::time::Duration>]) -> BTreeSet<usize> {
    let files: Vec<_> = names.iter().map(FileId::from).collect();
    let run = |times: &Vec<std::time::Duration>| {
        let pass = |(file, &elapsed)| TimedPass { file, executed: 9, elapsed, slowest: None };
        files.iter().zip(times).map(pass).collect::<Vec<_>>()
    };
    let runs: Vec<_> = times.iter().map(run).collect();
    let found = slower(&runs).slower;
    found.iter().filter_map(|slow| files.iter().position(|file| file == slow.file)).collect()
}

fn names() -> Vec<String> {
    (0..FILES).map(|file| format!("{file}.test")).collect()
}

/// Histories without a change, looked at after each run.
fn no_slowdown(noise: TimingNoise) -> DetectorScore {
    let (mut random, histories, names) = (Random::new(4), 1000, names());
    let on = format!("{} noise, no change, looked at after each run", noise.name);
    let mut score = DetectorScore::new("file slower", on, histories);
    for _ in 0..histories {
        let times = times(&mut random, noise, FILES, RUNS, None);
        for end in FIRST..=RUNS {
            score.wrong += slower_files(&names, &times[..end]).len() as u64;
        }
    }
    score
}

/// Histories in which a file has become slower three runs ago.
fn slowdown(noise: TimingNoise, factor: f64) -> DetectorScore {
    let (mut random, histories, names) = (Random::new(5), 1000, names());
    let on = format!("{} noise, one file {factor} times as slow for {RECENT} runs", noise.name);
    let mut score = DetectorScore::new("file slower", on, histories);
    for _ in 0..histories {
        let file = random.below(FILES as u64) as usize;
        let plant = PlantedSlowdown { file, from: RUNS - RECENT, factor };
        let times = times(&mut random, noise, FILES, RUNS, Some(plant));
        let found = slower_files(&names, &times);
        score.planted += 1;
        score.found += u64::from(found.contains(&file));
        score.wrong += found.iter().filter(|&&one| one != file).count() as u64;
    }
    score
}

impl DetectorScore {
    /// Begins a score with nothing found.
    pub fn new(detector: &'static str, on: String, histories: u64) -> Self {
        Self { detector, on, histories, planted: 0, found: 0, wrong: 0 }
    }

    /// Returns the share of findings that are correct.
    pub fn precision(&self) -> Option<f64> {
        let all = self.found + self.wrong;
        (all > 0).then(|| self.found as f64 / all as f64)
    }

    /// Returns the share of planted changes that were found.
    pub fn recall(&self) -> Option<f64> {
        (self.planted > 0).then(|| self.found as f64 / self.planted as f64)
    }
}

/// The table, in Markdown.
pub fn table(scores: &[DetectorScore]) -> String {
    let head = "| detector | on | histories | planted | found | wrong | precision | recall |\n\
                |---|---|---:|---:|---:|---:|---:|---:|\n";
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.4}"));
    let row = |score: &DetectorScore| {
        let DetectorScore { detector, on, histories, planted, found, wrong } = score;
        let (precision, recall) = (share(score.precision()), share(score.recall()));
        format!(
            "| {detector} | {on} | {histories} | {planted} | {found} | {wrong} | {precision} | {recall} |\n"
        )
    };
    head.to_owned() + &scores.iter().map(row).collect::<String>()
}

const BEGIN: &str = "<!-- begin of the table -->\n";
const END: &str = "<!-- end of the table -->";

/// The document with another table; nothing, if it has no place for one.
pub fn with_table(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, BEGIN, table, END, after].concat())
}

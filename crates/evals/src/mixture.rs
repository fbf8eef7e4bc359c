//! Measures all detectors on histories that mix permanent bugs, a new bug, flaky files and a slow file.

use std::collections::BTreeSet;

use slt_core::location::FileId;
use slt_core::outcome::RecordId;
use slt_insight::analysis::analyze;
use slt_insight::regression::flaky::{Health, StateResult, stability};
use slt_insight::regression::timing::RECENT;
use slt_insight::regression::{RecordChange, compare};

use super::bugs::{
    Bug, BugEffect, GeneratedSuite, NOISE, ResultForm, TextsInMemory, between, not_made, within,
};
use super::clusters::clustered;
use super::planted::{NOISES, PlantedSlowdown, Random, times};
use super::score::{DetectorScore, slower_files};

const FILES: usize = 21;
const QUERIES: u64 = 60;
const COMMITS: usize = 8;
const RUNS_OF_EACH: usize = 2;
const RUNS: usize = COMMITS * RUNS_OF_EACH;
const HISTORIES: u64 = 20;
/// How often a flaky file fails.
const FLAKY: f64 = 0.3;

/// A generated history.
struct History {
    suite: GeneratedSuite,
    /// The bugs of each run.
    bugs: Vec<Vec<Bug>>,
    flaky: BTreeSet<usize>,
}

impl History {
    /// A third of the files is healthy, a third is broken in all runs, and a third breaks with the last commit. Two
    /// healthy files are flaky.
    fn new(random: &mut Random) -> Self {
        let mut suite = GeneratedSuite::new(random, FILES as u64, QUERIES, ResultForm::Value);
        for (number, (_, sql)) in suite.files.iter_mut().enumerate() {
            let is_old = |sql: &str| sql.contains(" IN (") || sql.contains("tab3");
            let is_new = |sql: &str| sql.contains("NOT BETWEEN");
            sql.retain(|sql| match number % 3 {
                0 => !is_old(sql) && !is_new(sql),
                1 => !is_new(sql),
                _ => !is_old(sql),
            });
        }
        let third = FILES as u64 / 3;
        let first = random.below(third);
        let second = (first + 1 + random.below(third - 1)) % third;
        let flaky: BTreeSet<_> = [first, second].map(|place| 3 * place as usize).into();
        let runs = (0..RUNS).map(|run| {
            let mut bugs = vec![not_made(), within()];
            if run / RUNS_OF_EACH == COMMITS - 1 {
                bugs.extend(between());
            }
            for &file in flaky.iter().filter(|_| random.chance(FLAKY)) {
                // The longest query of a file is in no other.
                let sql = suite.files[file].1.iter().max_by_key(|sql| sql.len()).cloned().unwrap_or_default();
                bugs.push(Bug::new(NOISE, BugEffect::Wrong, move |other| other == sql));
            }
            bugs
        });
        let bugs = runs.collect();
        Self { suite, bugs, flaky }
    }

    /// The files that are called flaky.
    fn called_flaky(&self) -> BTreeSet<usize> {
        let red: Vec<BTreeSet<_>> = self
            .bugs
            .iter()
            .map(|bugs| self.suite.truth(bugs).keys().map(|&(file, _)| file).collect())
            .collect();
        let names: Vec<_> = (0..COMMITS).map(|commit| commit.to_string()).collect();
        let is_flaky = |file: &usize| {
            let good = |red: &BTreeSet<u32>| !red.contains(&(*file as u32));
            let seen = red.iter().enumerate();
            let seen: Vec<_> = seen
                .map(|(run, red)| StateResult { state: &names[run / RUNS_OF_EACH], good: good(red) })
                .collect();
            stability(&seen).is_some_and(|stability| stability.health == Health::Flaky)
        };
        (0..FILES).filter(is_flaky).collect()
    }
}

/// The rows of the table.
pub fn scores() -> Vec<DetectorScore> {
    let score = |detector, on: &str| DetectorScore::new(detector, format!("all at once: {on}"), HISTORIES);
    let mut regressed = score("record regressed", "an operator that broke with the last commit");
    let mut flaky = score("file flaky", "30 % failing, 2 runs of each of 8 commits");
    let mut slow = score("file slower", "usual noise, one file 3 times as slow for 3 runs");
    let mut cluster =
        score("record in the cluster of its bug", "the operator, another, and a table not made");
    let mut random = Random::new(7);
    let names: Vec<_> = (0..FILES).map(|file| format!("{file}.test")).collect();
    for _ in 0..HISTORIES {
        let history = History::new(&mut random);
        regressions(&mut regressed, &history);
        count(&mut flaky, &history.called_flaky(), &history.flaky);
        let file = random.below(FILES as u64) as usize;
        let plant = PlantedSlowdown { file, from: RUNS - RECENT, factor: 3.0 };
        let times = times(&mut random, NOISES[1], FILES, RUNS, Some(plant));
        count(&mut slow, &slower_files(&names, &times), &[file].into());
        let now = &history.bugs[RUNS - 1];
        let (report, texts) = (history.suite.run(now), history.suite.texts());
        let analysis = analyze(&report, None, &mut TextsInMemory::new(&texts));
        clustered(&mut cluster, &analysis, &history.suite.truth(now));
    }
    vec![regressed, flaky, slow, cluster]
}

/// The last run against the last of the commit before.
fn regressions(score: &mut DetectorScore, history: &History) {
    let [before, now] = [RUNS - RUNS_OF_EACH - 1, RUNS - 1].map(|run| &history.bugs[run]);
    let truth = history.suite.truth(now);
    let planted = truth.iter().filter(|(_, bug)| **bug == "between").map(|(&place, _)| place).collect();
    let (baseline, current) = (history.suite.run(before), history.suite.run(now));
    let diff = compare(&baseline, &current);
    let place = |name: &FileId, id: &RecordId| {
        let (file, report) = (0..).zip(&current.files).find(|(_, file)| file.file == *name)?;
        let (failing, _) = (0..).zip(&report.failures).find(|(_, record)| record.id == *id)?;
        Some((file, failing))
    };
    let named = diff.records_with(|change| change == RecordChange::Regressed);
    let named = named.filter_map(|(file, record)| place(file.file, record.id()?)).collect();
    count(score, &named, &planted);
}

fn count<T: Ord>(score: &mut DetectorScore, named: &BTreeSet<T>, planted: &BTreeSet<T>) {
    score.planted += planted.len() as u64;
    score.found += named.intersection(planted).count() as u64;
    score.wrong += named.difference(planted).count() as u64;
}

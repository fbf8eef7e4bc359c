//! Measures how often failing records are in the cluster of their bug, and files turn green as promised.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use slt_core::outcome::RunReport;
use slt_insight::analysis::{Analysis, analyze};

use super::bugs::{
    Bug, GeneratedSuite, NOISE, ResultForm, TextsInMemory, ambiguous, average, between, both, five_bugs,
    form, hidden, no_function, noise, not_inserted, not_made, overflow, rare, seldom, two_ways, within,
    without,
};
use super::planted::Random;
use super::score::DetectorScore;

/// The planted bugs of one measurement.
struct ClusterCase {
    on: &'static str,
    bugs: Vec<Bug>,
    written: ResultForm,
    /// Whether the promised green files are measured, too.
    fixes: bool,
}

const FILES: u64 = 20;
const QUERIES: u64 = 120;
const HISTORIES: u64 = 5;

fn cases() -> Vec<ClusterCase> {
    let case = |on, bugs: &[&[Bug]], written, fixes| ClusterCase { on, bugs: bugs.concat(), written, fixes };
    let (value, hash) = (ResultForm::Value, ResultForm::Hash);
    let (few, many) = ([noise(700)], [noise(100)]);
    vec![
        case("an operator with wrong results", &[&between(), &few], value, false),
        case(
            "an operator with wrong results, among four times as much noise",
            &[&between(), &[noise(175)]],
            value,
            false,
        ),
        case("an error that names columns", &[&[ambiguous()], &few], value, false),
        case("an error with numbers of its own", &[&[overflow()], &few], value, false),
        case("a function that is not there", &[&[no_function()], &few], value, false),
        case("a table that is not made, and what follows", &[&[not_made()], &few], value, false),
        case("a function that is wrong one time in three", &[&[average()], &few], value, false),
        case(
            "a function that is wrong one time in three, among seven times as much noise",
            &[&[average()], &many],
            value,
            false,
        ),
        case("a function that is wrong one time in ten", &[&[seldom()], &few], value, false),
        case(
            "a function that is wrong one time in ten, among seven times as much noise",
            &[&[seldom()], &many],
            value,
            false,
        ),
        case("a function that is wrong in two ways: form, value", &[&two_ways(), &few], value, false),
        case(
            "a row that is not inserted, and results of its table",
            &[&[not_inserted()], &few],
            value,
            false,
        ),
        case("a function that is wrong within an operator", &[&[both()], &few], value, false),
        case("an operator in few queries", &[&[rare()], &few], value, false),
        case("nothing in the SQL says which query is wrong", &[&[hidden()], &few], value, false),
        case("two operators with wrong results", &[&between(), &[within()], &few], value, true),
        case("hashes: an operator with wrong results", &[&between(), &few], hash, false),
        case("hashes: two operators with wrong results", &[&between(), &[within()], &few], hash, true),
        case("hashes: a number in another form", &[&[form()], &few], hash, false),
        case("five bugs at once, no noise", &[&without(&five_bugs(), &[NOISE])], value, true),
        case("five bugs at once", &[&five_bugs()], value, true),
        case("hashes: five bugs at once", &[&five_bugs()], hash, true),
    ]
}

/// The rows of the table.
pub fn scores() -> Vec<DetectorScore> {
    let mut scores = Vec::new();
    for case in cases() {
        let (mut random, mut found) = (Random::new(6), Vec::new());
        for _ in 0..HISTORIES {
            let suite = GeneratedSuite::new(&mut random, FILES, QUERIES, case.written);
            let report = suite.run(&case.bugs);
            let analysis = analyze(&report, None, &mut TextsInMemory::new(&suite.texts()));
            found.push((suite, report, analysis));
        }
        let mut score = DetectorScore::new("record in the cluster of its bug", case.on.to_owned(), HISTORIES);
        for (suite, _, analysis) in &found {
            clustered(&mut score, analysis, &suite.truth(&case.bugs));
        }
        scores.push(score);
        if case.fixes {
            let mut score =
                DetectorScore::new("file green after the first fixes", case.on.to_owned(), HISTORIES);
            for (suite, report, analysis) in &found {
                unlocked(&mut score, suite, &case.bugs, report, analysis);
            }
            scores.push(score);
        }
    }
    scores
}

/// The cluster that most records of a bug are in, and how many of them.
pub fn best_cluster(
    analysis: &Analysis,
    truth: &HashMap<(u32, u32), &'static str>,
    bug: &str,
) -> Option<(usize, u64)> {
    let mut clusters = BTreeMap::<u32, u64>::new();
    let own = analysis.records.iter().filter(|record| truth[&(record.file, record.place)] == bug);
    own.for_each(|record| *clusters.entry(record.cluster).or_default() += 1);
    // Of equals the first.
    let best =
        clusters.into_iter().max_by_key(|&(cluster, records)| (records, std::cmp::Reverse(cluster)))?;
    Some((best.0 as usize, best.1))
}

/// Adds the records of each bug: *found* are those in the cluster that most of them are in, *wrong* the others in it.
pub fn clustered(score: &mut DetectorScore, analysis: &Analysis, truth: &HashMap<(u32, u32), &'static str>) {
    let bugs: BTreeSet<_> = truth.values().copied().filter(|bug| *bug != NOISE).collect();
    for bug in bugs {
        score.planted += truth.values().filter(|of| **of == bug).count() as u64;
        if let Some((cluster, own)) = best_cluster(analysis, truth, bug) {
            score.found += own;
            score.wrong += analysis.clusters[cluster].records - own;
        }
    }
}

/// The bug that most records of a cluster have.
pub fn bug_of(
    analysis: &Analysis,
    truth: &HashMap<(u32, u32), &'static str>,
    cluster: usize,
) -> &'static str {
    let mut bugs = BTreeMap::<&'static str, u64>::new();
    for record in analysis.records.iter().filter(|record| record.cluster as usize == cluster) {
        *bugs.entry(truth[&(record.file, record.place)]).or_default() += 1;
    }
    bugs.into_iter().max_by_key(|&(_, records)| records).map_or(NOISE, |(bug, _)| bug)
}

/// Fixes the bug of one cluster after the other, and adds the red files that turn green by it: *planted* are those that
/// do, *found* those of them that are promised, and *wrong* those that are promised and do not.
fn unlocked(
    score: &mut DetectorScore,
    suite: &GeneratedSuite,
    bugs: &[Bug],
    report: &RunReport,
    analysis: &Analysis,
) {
    let truth = suite.truth(bugs);
    let mut fixed = Vec::new();
    for place in 0..analysis.clusters.len() {
        fixed.push(bug_of(analysis, &truth, place));
        let still: BTreeSet<_> =
            suite.truth(&without(bugs, &fixed)).keys().map(|&(file, _)| file as usize).collect();
        let red = (0..report.files.len()).filter(|&file| !report.files[file].failures.is_empty());
        let green: BTreeSet<_> = red.filter(|file| !still.contains(file)).collect();
        let promised = analysis.files.iter().filter(|red| red.fixes() <= place + 1);
        let promised: BTreeSet<_> = promised.map(|red| red.file).collect();
        score.planted += green.len() as u64;
        score.found += promised.intersection(&green).count() as u64;
        score.wrong += promised.difference(&green).count() as u64;
    }
}

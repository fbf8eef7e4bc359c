//! The files of the page, with their failures.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::choice::{LONGEST_SQL, LONGEST_VALUE};
use super::clusters::MOST_CLUSTERS;
use super::since::KindNumbers;
use crate::analysis::RecordCluster;
use crate::regression::FileDiff;
use crate::report::subject::{Subject, account, clipped, detail_at};
use slt_core::executor::diff::DiffSide;
use slt_core::location::FileId;
use slt_core::outcome::{DetailedFailure, FileReport, FileStatus};
use slt_runner::text::document::milliseconds;
use slt_runner::text::evidence::{Evidence, evidence};
use slt_runner::text::failure::message;
use slt_runner::text::object::{Object, object};

const MOST_LINTS: usize = 20;
const MOST_TRIES: usize = 10;

/// Returns a file, and the number of its listed records without details, at most `lines`. `before` has the files of
/// each run of the history.
pub(super) fn document<'s>(
    subject: &'s Subject<'_>,
    number: usize,
    chosen: &BTreeSet<usize>,
    lines: usize,
    kinds: &KindNumbers,
    change: Option<&FileDiff<'_>>,
    before: &[BTreeMap<&FileId, FileStatus>],
) -> (Object<'s>, usize) {
    let file = &subject.report.files[number];
    let clusters = subject.clusters_of(number);
    let changed = kinds.records(change);
    let failures = chosen.iter().filter_map(|&place| {
        let detail = detail_at(file, place)?;
        let change = changed.iter().find(|(id, _)| *id == detail.id).map(|(_, kind)| *kind);
        let is_expected = subject.is_expected(number, Some(place));
        Some(failure(subject, file, detail, clusters.get(place).and_then(shown), change, is_expected))
    });
    // Lines of failing records without details, by cluster.
    let mut rest = BTreeMap::<Option<usize>, Vec<u32>>::new();
    for place in (0..file.failures.len()).filter(|place| !chosen.contains(place)).take(lines) {
        rest.entry(clusters.get(place).and_then(shown)).or_default().push(file.failures[place].id.line);
    }
    let named: usize = rest.values().map(Vec::len).sum();
    let more = file.failures.len() - chosen.len() - named;
    let past: String = before.iter().map(|run| letter(run.get(&file.file))).collect();
    let tries =
        file.attempts.iter().filter_map(|attempt| attempt.first.as_ref()?.detailed()).take(MOST_TRIES);
    let tries = tries.map(|detail| failure(subject, file, detail, None, None, false));
    let lints = file.lints.iter().take(MOST_LINTS);
    let lints = lints.map(|lint| (lint.line, clipped(&lint.kind.to_string(), LONGEST_VALUE)));
    let document = object! {
        "n": file.file.path(),
        "c": file.category(),
        "s": file.status().label(),
        "ms": milliseconds(file.elapsed),
        "a": clipped(&account(file), LONGEST_VALUE),
        // The numbers of all, passed and failed records.
        "r": [file.counts.total, file.counts.passed, file.counts.not_passed()],
    };
    let document = document
        .with_some("mem", file.peak_memory)
        // A letter for each run of the history.
        .with_some("past", Some(past).filter(|past| !past.is_empty()))
        // Clusters, with the number of the file's records in each; zero for a file that fails as a whole.
        .with_list("g", of_clusters(subject, number))
        // Kinds of changes, with their numbers.
        .with_list("ch", kinds.counts(change))
        // The expected part: all, or a number of its failing records.
        .with_some("x", share(subject, number))
        .with_list("f", failures.collect())
        .with_list("rest", rest.into_iter().collect())
        .with_some("more", (more > 0).then_some(more))
        .with_list("tries", tries.collect())
        .with_list("lints", lints.collect())
        .with_some("err", file.stderr.as_deref().map(|text| clipped(text, LONGEST_SQL)));
    (document, named)
}

/// Returns the cluster of a record, if the page shows it.
fn shown(record: &RecordCluster) -> Option<usize> {
    Some(record.cluster as usize).filter(|&cluster| cluster < MOST_CLUSTERS)
}

/// Returns the shown clusters of a file, with the number of its records in each.
fn of_clusters(subject: &Subject<'_>, number: usize) -> Vec<(usize, u64)> {
    let records = subject.clusters_of(number);
    let mut counts = BTreeMap::<usize, u64>::new();
    records.iter().filter_map(shown).for_each(|cluster| *counts.entry(cluster).or_default() += 1);
    if records.is_empty() && !subject.report.header.is_good(&subject.report.files[number]) {
        let clusters = subject.clusters().iter().take(MOST_CLUSTERS).enumerate();
        let whole = clusters.filter(|(_, cluster)| cluster.files.binary_search(&number).is_ok());
        counts.extend(whole.map(|(place, _)| (place, 0)));
    }
    counts.into_iter().collect()
}

/// The expected part of a file's failures.
#[derive(Serialize)]
#[serde(untagged)]
enum ExpectedShare {
    All(&'static str),
    Records(usize),
}

fn share(subject: &Subject<'_>, number: usize) -> Option<ExpectedShare> {
    let expected = subject.expected.filter(|_| !subject.report.files[number].status().is_good())?;
    if expected.covers_all(number) {
        return Some(ExpectedShare::All("all"));
    }
    let places = 0..subject.report.files[number].failures.len();
    let count = places.filter(|&place| expected.covers(number, Some(place))).count();
    (count > 0).then_some(ExpectedShare::Records(count))
}

/// Returns the letter of a status in the history of a file.
fn letter(status: Option<&FileStatus>) -> char {
    match status {
        None => '.',
        Some(FileStatus::Passed) => 'p',
        Some(FileStatus::Empty) => 'e',
        Some(_) => 'f',
    }
}

/// Makes a failure with its cluster, the kind of its change, and whether it is expected.
fn failure(
    subject: &Subject<'_>,
    file: &FileReport,
    detail: DetailedFailure<'_>,
    cluster: Option<usize>,
    change: Option<usize>,
    is_expected: bool,
) -> Object<'static> {
    object! { "l": detail.id.line, "k": detail.problem.word() }
        .with_some("c", cluster)
        .with_some("ch", change)
        .with_some("x", is_expected.then_some(true))
        .with("h", clipped(detail.header, LONGEST_VALUE))
        .with("sql", clipped(detail.sql, LONGEST_SQL))
        .with("m", clipped(&message(detail.problem), LONGEST_SQL))
        // Lines: a mark, and the values of a row or a text.
        .with_list("d", evidence(detail).iter().map(line).collect())
        .with_some("again", (subject.again)(file, detail.id))
        .with_some("ms", detail.problem.in_flight().map(milliseconds))
}

/// Formats a line: `-` is expected, `+` is actual, `=` is on both sides, `~` is other text.
fn line(evidence: &Evidence<'_>) -> Vec<String> {
    let mark = |side: &DiffSide| match side {
        DiffSide::Both => "=",
        DiffSide::Expected => "-",
        DiffSide::Actual => "+",
    };
    let (mark, texts) = match evidence {
        Evidence::Row(side, values) => (mark(side), *values),
        Evidence::Text(side, text) => (mark(side), std::slice::from_ref(text)),
        Evidence::Gap(text) | Evidence::Note(text) => ("~", std::slice::from_ref(text)),
    };
    let texts = texts.iter().map(|text| clipped(text, LONGEST_VALUE));
    std::iter::once(mark.to_owned()).chain(texts).collect()
}

//! The files of the page, with what has failed in them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::choice::{LONGEST_SQL, LONGEST_VALUE};
use super::clusters::MOST_CLUSTERS;
use super::since::Numbered;
use crate::analysis::Assigned;
use crate::regression::FileDiff;
use crate::report::subject::{Subject, account, clipped, detail_at};
use slt_core::executor::diff::Side;
use slt_core::outcome::{DetailedFailure, FileReport, FileStatus};
use slt_runner::text::document::milliseconds;
use slt_runner::text::evidence::{Evidence, evidence};
use slt_runner::text::failure::message;

const MOST_LINTS: usize = 20;
const MOST_TRIES: usize = 10;

#[derive(Serialize)]
pub(super) struct File<'s> {
    n: &'s str,
    c: &'s str,
    s: &'static str,
    ms: u64,
    a: String,
    /// All records, those that passed, those that failed.
    r: [u64; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    mem: Option<u64>,
    /// A letter for each run of the history.
    #[serde(skip_serializing_if = "String::is_empty")]
    past: String,
    /// Clusters, and how many records of the file are in them; none of a file that fails as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    g: Vec<(usize, u64)>,
    /// Kinds of changes, and how many the file has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ch: Vec<(usize, usize)>,
    /// How much of it is expected: all, or so many of its failing records.
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Share>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    f: Vec<Failure>,
    /// Lines of failing records without details here, by their clusters, and how many more there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rest: Vec<(Option<usize>, Vec<u32>)>,
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tries: Vec<Failure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lints: Vec<(u32, String)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Serialize)]
struct Failure {
    l: u32,
    k: &'static str,
    /// The cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<usize>,
    /// The kind of its change.
    #[serde(skip_serializing_if = "Option::is_none")]
    ch: Option<usize>,
    /// Whether it is expected to fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    x: bool,
    h: String,
    sql: String,
    m: String,
    /// Lines: a mark, and the values of a row or a text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    d: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
}

/// How much of a file is expected to fail.
#[derive(Serialize)]
#[serde(untagged)]
enum Share {
    All(&'static str),
    Records(usize),
}

impl<'s> File<'s> {
    /// Names up to `lines` of its records without details. `before` has the files of each run of the history.
    pub(super) fn of(
        subject: &'s Subject<'_>,
        number: usize,
        chosen: &BTreeSet<usize>,
        lines: usize,
        kinds: &Numbered,
        change: Option<&FileDiff<'_>>,
        before: &[BTreeMap<&str, FileStatus>],
    ) -> Self {
        let file = &subject.report.files[number];
        let clusters = subject.clusters_of(number);
        let changed = kinds.records(change);
        let failures = chosen.iter().filter_map(|&place| {
            let detail = detail_at(file, place)?;
            let change = changed.iter().find(|(id, _)| *id == detail.id);
            Some(Failure {
                c: clusters.get(place).and_then(shown),
                ch: change.map(|(_, kind)| *kind),
                x: subject.is_expected(number, Some(place)),
                ..Failure::of(subject, file, detail)
            })
        });
        let others = (0..file.failures.len()).filter(|place| !chosen.contains(place)).take(lines);
        let mut rest = BTreeMap::<Option<usize>, Vec<u32>>::new();
        for place in others {
            rest.entry(clusters.get(place).and_then(shown)).or_default().push(file.failures[place].id.line);
        }
        let named: usize = rest.values().map(Vec::len).sum();
        let tries = file.attempts.iter().filter_map(|attempt| attempt.first.as_ref()?.detailed());
        let lints = file.lints.iter().take(MOST_LINTS);
        Self {
            n: &file.file,
            c: file.category(),
            s: file.status().label(),
            ms: milliseconds(file.elapsed),
            a: clipped(&account(file), LONGEST_VALUE),
            r: [file.counts.total, file.counts.passed, file.counts.not_passed()],
            mem: file.peak_memory,
            past: before.iter().map(|run| letter(run.get(file.file.as_str()))).collect(),
            g: of_clusters(subject, number),
            ch: kinds.counts(change),
            x: share(subject, number),
            f: failures.collect(),
            more: file.failures.len() - chosen.len() - named,
            rest: rest.into_iter().collect(),
            tries: tries.take(MOST_TRIES).map(|detail| Failure::of(subject, file, detail)).collect(),
            lints: lints.map(|lint| (lint.line, clipped(&lint.kind.to_string(), LONGEST_VALUE))).collect(),
        }
    }

    /// How many records without details are named.
    pub(super) fn named(&self) -> usize {
        self.rest.iter().map(|(_, lines)| lines.len()).sum()
    }
}

/// The cluster of a record, if it is in the page.
fn shown(record: &Assigned) -> Option<usize> {
    Some(record.cluster as usize).filter(|&cluster| cluster < MOST_CLUSTERS)
}

/// The clusters of a file that are in the page, and how many of its records are in them.
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

fn share(subject: &Subject<'_>, number: usize) -> Option<Share> {
    let expected = subject.expected.filter(|_| !subject.report.files[number].status().is_good())?;
    if expected.covers_all(number) {
        return Some(Share::All("all"));
    }
    let places = 0..subject.report.files[number].failures.len();
    let count = places.filter(|&place| expected.covers(number, Some(place))).count();
    (count > 0).then_some(Share::Records(count))
}

/// A status in the strip of a file's history.
fn letter(status: Option<&FileStatus>) -> char {
    match status {
        None => '.',
        Some(FileStatus::Passed) => 'p',
        Some(FileStatus::Empty) => 'e',
        Some(_) => 'f',
    }
}

impl Failure {
    fn of(subject: &Subject<'_>, file: &FileReport, detail: DetailedFailure<'_>) -> Self {
        Self {
            l: detail.id.line,
            k: detail.problem.word(),
            c: None,
            ch: None,
            x: false,
            h: clipped(detail.header, LONGEST_VALUE),
            sql: clipped(detail.sql, LONGEST_SQL),
            m: clipped(&message(detail.problem), LONGEST_SQL),
            d: evidence(detail).iter().map(line).collect(),
            again: (subject.again)(file, detail.id),
            ms: detail.problem.in_flight().map(milliseconds),
        }
    }
}

/// `-` is expected, `+` is found, `=` is on both sides, `~` is no row.
fn line(evidence: &Evidence<'_>) -> Vec<String> {
    let mark = |side: &Side| match side {
        Side::Both => "=",
        Side::Expected => "-",
        Side::Actual => "+",
    };
    let (mark, texts) = match evidence {
        Evidence::Row(side, values) => (mark(side), *values),
        Evidence::Text(side, text) => (mark(side), std::slice::from_ref(text)),
        Evidence::Gap(text) | Evidence::Note(text) => ("~", std::slice::from_ref(text)),
    };
    let texts = texts.iter().map(|text| clipped(text, LONGEST_VALUE));
    std::iter::once(mark.to_owned()).chain(texts).collect()
}

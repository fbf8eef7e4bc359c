//! The data of the page. Its scripts are the only reader; the names are short, since some come thousands of times.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::choice::{LONGEST_SQL, LONGEST_VALUE, choose};
use crate::executor::diff::Side;
use crate::outcome::{Counts, FailureDetail, FileReport, FileStatus, Totals};
use crate::report::subject::{
    Cluster, Comparison, Place, Subject, account, clipped, detail_at, moment, state, status_word,
};
use crate::text::document::milliseconds;
use crate::text::evidence::{Evidence, evidence};
use crate::text::failure::message;

/// So many lines of records without details are named in all files together.
const MOST_LINES: usize = 60_000;
const MOST_CLUSTERS: usize = 200;
const MOST_PLACES: usize = 300;
const MOST_LINTS: usize = 20;
const MOST_TRIES: usize = 10;
const SLOW_FILES: usize = 8;
const SLOW_RECORDS: usize = 8;
const LONGEST_SLOW_SQL: usize = 200;

/// All that the page shows.
#[derive(Serialize)]
pub(super) struct Page<'s> {
    run: Run<'s>,
    files_total: Sums,
    records: Records,
    statuses: BTreeMap<&'static str, u64>,
    categories: Vec<Category<'s>>,
    history: Vec<Past>,
    comparison: Option<Change<'s>>,
    clusters: Vec<Group>,
    clusters_left_out: usize,
    slow_records: Vec<Slow>,
    slow_files: Vec<usize>,
    files: Vec<File<'s>>,
    details: u64,
    details_left_out: u64,
}

#[derive(Serialize)]
struct Run<'s> {
    name: &'s str,
    started: String,
    state: &'static str,
    good: bool,
    untested: u64,
    engine: &'s str,
    version: &'s str,
    exact: bool,
    ms: u64,
    sentence: String,
    commit: Option<&'s str>,
    branch: Option<&'s str>,
    dirty: bool,
    machine: Option<String>,
    workers: Option<usize>,
    ci: Option<&'s str>,
    suite: &'s [String],
    program: &'static str,
}

#[derive(Serialize)]
struct Sums {
    all: u64,
    passed: u64,
    wanted: u64,
    rate: Option<f64>,
}

impl Sums {
    fn of(totals: &Totals) -> Self {
        let wanted = totals.files - totals.empty;
        Self { all: totals.files, passed: totals.passed, wanted, rate: totals.pass_rate() }
    }
}

#[derive(Serialize)]
struct Records {
    all: u64,
    passed: u64,
    wanted: u64,
    failing: u64,
    skipped: u64,
    not_reached: u64,
    rate: Option<f64>,
}

impl Records {
    fn of(counts: &Counts) -> Self {
        Self {
            all: counts.total,
            passed: counts.passed,
            wanted: counts.passed + counts.not_passed() + counts.not_reached,
            failing: counts.not_passed(),
            skipped: counts.skipped,
            not_reached: counts.not_reached,
            rate: counts.pass_rate(),
        }
    }
}

#[derive(Serialize)]
struct Category<'s> {
    name: &'s str,
    files: Sums,
    records: Records,
    /// The rate of the records in each run of the history, and in this one.
    rates: Vec<Option<f64>>,
}

/// A run of the history; the last one is this run.
#[derive(Serialize)]
struct Past {
    name: String,
    started: String,
    rate: Option<f64>,
    files: u64,
    passed: u64,
    commit: Option<String>,
}

#[derive(Serialize)]
struct Change<'s> {
    baseline: &'s str,
    unit: &'static str,
    common: u64,
    broken: usize,
    mended: usize,
    broken_places: Vec<(&'s str, Option<u32>)>,
    mended_places: Vec<(&'s str, Option<u32>)>,
}

impl<'s> Change<'s> {
    fn of(comparison: &'s Comparison) -> Self {
        let places = |places: &'s [Place]| {
            places.iter().take(MOST_PLACES).map(|place| (place.file.as_str(), place.line)).collect()
        };
        let Comparison { baseline, unit, common, broken, mended } = comparison;
        Self {
            baseline,
            unit,
            common: *common,
            broken: broken.len(),
            mended: mended.len(),
            broken_places: places(broken),
            mended_places: places(mended),
        }
    }
}

#[derive(Serialize)]
struct Group {
    kind: String,
    what: String,
    records: u64,
    files: u64,
    unlocks: u64,
    example: (String, Option<u32>),
}

impl Group {
    fn of(cluster: &Cluster) -> Self {
        let Cluster { kind, what, records, files, unlocks, example, .. } = cluster;
        Self {
            kind: kind.clone(),
            what: clipped(what, LONGEST_VALUE),
            records: *records,
            files: *files,
            unlocks: *unlocks,
            example: (example.file.clone(), example.line),
        }
    }
}

#[derive(Serialize)]
struct Slow {
    file: usize,
    line: u32,
    ms: u64,
    sql: String,
}

#[derive(Serialize)]
struct File<'s> {
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
    /// Clusters, and how many records of the file are in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    g: Vec<(usize, u64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    f: Vec<Failure>,
    /// Lines of failing records without details here, and how many more there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rest: Vec<u32>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<usize>,
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

impl<'s> Page<'s> {
    pub(super) fn of(subject: &'s Subject<'_>, totals: &Totals) -> Self {
        let report = subject.report;
        let chosen = choose(subject);
        let details = chosen.iter().map(|places| places.len() as u64).sum();
        let failing: u64 = report.files.iter().map(|file| file.failing.len() as u64).sum();
        let mut lines = MOST_LINES;
        let files = report.files.iter().zip(&chosen).map(|(file, chosen)| {
            let of_file = File::of(subject, file, chosen, lines);
            lines -= of_file.rest.len();
            of_file
        });
        let mut statuses = BTreeMap::new();
        report.files.iter().for_each(|file| *statuses.entry(status_word(file.status())).or_default() += 1);
        Self {
            run: Run::of(subject, totals),
            files_total: Sums::of(totals),
            records: Records::of(&totals.records),
            statuses,
            categories: categories(subject),
            history: history(subject, totals),
            comparison: subject.comparison.as_ref().map(Change::of),
            clusters: subject.clusters.iter().take(MOST_CLUSTERS).map(Group::of).collect(),
            clusters_left_out: subject.clusters.len().saturating_sub(MOST_CLUSTERS),
            slow_records: slow_records(subject),
            slow_files: slow_files(subject),
            files: files.collect(),
            details,
            details_left_out: failing - details,
        }
    }
}

impl<'s> Run<'s> {
    fn of(subject: &'s Subject<'_>, totals: &Totals) -> Self {
        let header = &subject.report.header;
        let circumstances = subject.circumstances;
        let commit = circumstances.and_then(|of| of.commit.as_ref());
        let machine = circumstances.filter(|of| !of.host.is_empty());
        Self {
            name: subject.name,
            started: moment(subject.started),
            state: state(subject.state),
            good: subject.is_good(),
            untested: subject.untested(),
            engine: &header.engine.name,
            version: &header.engine.version,
            exact: header.exact,
            ms: milliseconds(subject.report.elapsed),
            sentence: subject.sentence(totals),
            commit: commit.map(|commit| commit.hash.as_str()),
            branch: commit.and_then(|commit| commit.branch.as_deref()),
            dirty: commit.is_some_and(|commit| commit.dirty),
            machine: machine.map(|of| format!("{}, {}, {} CPUs", of.host, of.system, of.cpus)),
            workers: machine.map(|of| of.workers),
            ci: circumstances.and_then(|of| of.ci.as_ref()?.url.as_deref()),
            suite: circumstances.map_or(&[], |of| of.suite.as_slice()),
            program: env!("CARGO_PKG_VERSION"),
        }
    }
}

fn categories<'s>(subject: &'s Subject<'_>) -> Vec<Category<'s>> {
    let category = |(name, totals): (&'s str, Totals)| {
        let past = subject.history.iter().map(|run| run.categories.get(name)?.records.pass_rate());
        let now = totals.records.pass_rate();
        Category {
            name,
            files: Sums::of(&totals),
            records: Records::of(&totals.records),
            rates: past.chain([now]).collect(),
        }
    };
    subject.report.by_category().into_iter().map(category).collect()
}

fn history(subject: &Subject<'_>, totals: &Totals) -> Vec<Past> {
    let hash = |hash: &str| hash.chars().take(10).collect::<String>();
    let mut history: Vec<_> = subject
        .history
        .iter()
        .map(|run| Past {
            name: run.run.name.clone(),
            started: moment(run.run.started),
            rate: run.run.totals.records.pass_rate(),
            files: run.run.totals.files,
            passed: run.run.totals.passed,
            commit: run.run.commit.as_ref().map(|commit| hash(&commit.hash)),
        })
        .collect();
    let commit = subject.circumstances.and_then(|of| of.commit.as_ref());
    history.push(Past {
        name: subject.name.to_owned(),
        started: moment(subject.started),
        rate: totals.records.pass_rate(),
        files: totals.files,
        passed: totals.passed,
        commit: commit.map(|commit| hash(&commit.hash)),
    });
    history
}

fn slow_files(subject: &Subject<'_>) -> Vec<usize> {
    let files = &subject.report.files;
    let mut numbers: Vec<_> = (0..files.len()).filter(|&number| !files[number].elapsed.is_zero()).collect();
    numbers.sort_by_key(|&number| std::cmp::Reverse(files[number].elapsed));
    numbers.truncate(SLOW_FILES);
    numbers
}

fn slow_records(subject: &Subject<'_>) -> Vec<Slow> {
    let files = subject.report.files.iter().enumerate();
    let mut all: Vec<_> =
        files.flat_map(|(number, file)| file.slowest.iter().map(move |record| (number, record))).collect();
    all.sort_by_key(|(_, record)| std::cmp::Reverse(record.elapsed));
    let shown = all.into_iter().take(SLOW_RECORDS).map(|(file, record)| Slow {
        file,
        line: record.line,
        ms: milliseconds(record.elapsed),
        sql: clipped(&record.sql, LONGEST_SLOW_SQL),
    });
    shown.collect()
}

impl<'s> File<'s> {
    /// Names up to `lines` of its records without details.
    fn of(subject: &Subject<'_>, file: &'s FileReport, chosen: &BTreeSet<usize>, lines: usize) -> Self {
        let cluster = subject.clusters_of(file);
        let failures = chosen.iter().filter_map(|&place| {
            let detail = detail_at(file, place)?;
            let failure = Failure::of(subject, file, detail);
            Some(Failure { c: cluster(place).filter(|&cluster| cluster < MOST_CLUSTERS), ..failure })
        });
        let others = || (0..file.failing.len()).filter(|place| !chosen.contains(place));
        let rest: Vec<_> = others().take(lines).map(|place| file.failing[place]).collect();
        let groups = file.groups.iter().filter_map(|group| {
            let cluster = subject.cluster_of(group.fingerprint()).filter(|&cluster| cluster < MOST_CLUSTERS);
            Some((cluster?, group.records))
        });
        let tries = file.attempts.iter().filter_map(|attempt| attempt.first.as_ref());
        let lints = file.lints.iter().take(MOST_LINTS);
        Self {
            n: &file.file,
            c: file.category(),
            s: status_word(file.status()),
            ms: milliseconds(file.elapsed),
            a: clipped(&account(file), LONGEST_VALUE),
            r: [file.counts.total, file.counts.passed, file.counts.not_passed()],
            mem: file.peak_memory,
            past: subject.history.iter().map(|run| letter(run.files.get(&file.file))).collect(),
            g: groups.collect(),
            f: failures.collect(),
            more: file.failing.len() - chosen.len() - rest.len(),
            rest,
            tries: tries.take(MOST_TRIES).map(|detail| Failure::of(subject, file, detail)).collect(),
            lints: lints.map(|lint| (lint.line, clipped(&lint.kind.to_string(), LONGEST_VALUE))).collect(),
        }
    }
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
    fn of(subject: &Subject<'_>, file: &FileReport, detail: &FailureDetail) -> Self {
        Self {
            l: detail.line,
            k: detail.what.word(),
            c: None,
            h: clipped(&detail.header, LONGEST_VALUE),
            sql: clipped(&detail.sql, LONGEST_SQL),
            m: clipped(&message(&detail.what), LONGEST_SQL),
            d: evidence(detail).iter().map(line).collect(),
            again: (subject.again)(file, detail.line),
            ms: detail.what.in_flight().map(milliseconds),
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

//! The data of the page. Its scripts are the only reader; the names are short, since some come thousands of times.

use std::collections::BTreeMap;

use serde::Serialize;

use super::choice::choose;
use super::clusters::Causes;
use super::file::File;
use super::known::Known;
use super::since::{Numbered, Since};
use crate::report::changes::sections;
use crate::report::subject::{Subject, clipped, moment, state};
use slt_core::outcome::{Counts, FlakyResult, Totals};
use slt_runner::results::PastRun;
use slt_runner::text::document::milliseconds;

/// So many lines of records without details are named in all files together.
const MOST_LINES: usize = 60_000;
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
    since: Option<Since<'s>>,
    known: Option<Known>,
    causes: Option<Causes>,
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
    verdict: &'static str,
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
    fn of(totals: &Totals, flaky: FlakyResult) -> Self {
        let (wanted, passed) = (totals.files - totals.empty, totals.passed_with(flaky));
        Self { all: totals.files, passed, wanted, rate: totals.pass_rate_with(flaky) }
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
struct Slow {
    file: usize,
    line: u32,
    ms: u64,
    sql: String,
}

impl<'s> Page<'s> {
    pub(super) fn of(subject: &'s Subject<'_>, totals: &Totals) -> Self {
        let report = subject.report;
        let chosen = choose(subject);
        let details = chosen.iter().map(|places| places.len() as u64).sum();
        let failing: u64 = report.files.iter().map(|file| file.failures.len() as u64).sum();
        let sections = subject.baseline.map_or_else(Vec::new, |baseline| sections(baseline.diff));
        let (kinds, changes) = (Numbered::of(&sections), subject.changes());
        let before: Vec<_> = subject.history.iter().map(PastRun::statuses).collect();
        let mut lines = MOST_LINES;
        let files = chosen.iter().zip(changes).enumerate().map(|(number, (chosen, change))| {
            let of_file = File::of(subject, number, chosen, lines, &kinds, change, &before);
            lines -= of_file.named();
            of_file
        });
        let mut statuses = BTreeMap::new();
        report.files.iter().for_each(|file| *statuses.entry(file.status().label()).or_default() += 1);
        Self {
            run: Run::of(subject, totals),
            files_total: Sums::of(totals, subject.report.header.flaky),
            records: Records::of(&totals.records),
            statuses,
            categories: categories(subject),
            history: history(subject, totals),
            since: subject.baseline.as_ref().map(|baseline| Since::of(subject, baseline, &sections)),
            known: subject.expected.as_ref().map(Known::of),
            causes: subject.analysis.map(|analysis| Causes::of(subject, analysis)),
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
            verdict: subject.verdict(),
            untested: subject.report.untested(),
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
    let before: Vec<_> = subject.history.iter().map(PastRun::by_category).collect();
    let category = |(name, totals): (&'s str, Totals)| {
        let past = before.iter().map(|categories| categories.get(name)?.records.pass_rate());
        let now = totals.records.pass_rate();
        Category {
            name,
            files: Sums::of(&totals, subject.report.header.flaky),
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
        .map(|PastRun { run, .. }| Past {
            name: run.name.clone(),
            started: moment(run.started),
            rate: run.totals.records.pass_rate(),
            files: run.totals.files,
            passed: run.totals.passed,
            commit: run.commit().map(|commit| hash(&commit.hash)),
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
        line: record.id.line,
        ms: milliseconds(record.elapsed),
        sql: clipped(&record.sql, LONGEST_SLOW_SQL),
    });
    shown.collect()
}

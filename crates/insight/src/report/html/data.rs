//! The data of the page. Its scripts are the only reader; the names are short, since some come thousands of times.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::choose;
use super::clusters::causes;
use super::file;
use super::known::known;
use super::since::{Numbered, since};
use crate::report::changes::sections;
use crate::report::subject::{Subject, clipped, moment, state};
use slt_core::outcome::{Counts, FlakyResult, Totals};
use slt_runner::results::{Commit, PastRun};
use slt_runner::text::document::milliseconds;
use slt_runner::text::object::{Object, object};

/// So many lines of records without details are named in all files together.
const MOST_LINES: usize = 60_000;
const SLOW_FILES: usize = 8;
const SLOW_RECORDS: usize = 8;
const LONGEST_SLOW_SQL: usize = 200;

/// All that the page shows.
pub(super) fn data<'s>(subject: &'s Subject<'_>, totals: &Totals) -> Object<'s> {
    let report = subject.report;
    let chosen = choose(subject);
    let details: usize = chosen.iter().map(BTreeSet::len).sum();
    let failing: usize = report.files.iter().map(|file| file.failures.len()).sum();
    let sections = subject.baseline.map_or_else(Vec::new, |baseline| sections(baseline.diff));
    let (kinds, changes) = (Numbered::of(&sections), subject.changes());
    let before: Vec<_> = subject.history.iter().map(PastRun::statuses).collect();
    let mut lines = MOST_LINES;
    let files = chosen.iter().zip(changes).enumerate().map(|(number, (chosen, change))| {
        let (document, named) = file::document(subject, number, chosen, lines, &kinds, change, &before);
        lines -= named;
        document
    });
    let files: Vec<_> = files.collect();
    let mut statuses = BTreeMap::<_, u64>::new();
    report.files.iter().for_each(|file| *statuses.entry(file.status().label()).or_default() += 1);
    object! {
        "run": run(subject, totals),
        "files_total": sums(totals, report.header.flaky),
        "records": records(&totals.records),
        "statuses": statuses,
        "categories": categories(subject),
        "history": history(subject, totals),
        "since": subject.baseline.as_ref().map(|baseline| since(subject, baseline, &sections)),
        "known": subject.expected.as_ref().map(known),
        "causes": subject.analysis.map(|analysis| causes(subject, analysis)),
        "slow_records": slow_records(subject),
        "slow_files": slow_files(subject),
        "files": files,
        "details": details,
        "details_left_out": failing - details,
    }
}

fn run<'s>(subject: &'s Subject<'_>, totals: &Totals) -> Object<'s> {
    let header = &subject.report.header;
    let circumstances = subject.circumstances;
    let commit = circumstances.and_then(|of| of.commit.as_ref());
    let machine = circumstances.filter(|of| !of.host.is_empty());
    object! {
        "name": subject.name,
        "started": moment(subject.started),
        "state": state(subject.state),
        "good": subject.is_good(),
        "verdict": subject.verdict(),
        "untested": subject.report.untested(),
        "engine": header.engine.qualified_name(),
        "version": &header.engine.version,
        "exact": header.exact,
        "ms": milliseconds(subject.report.elapsed),
        "sentence": subject.sentence(totals),
        "commit": commit.map(|commit| &commit.hash),
        "branch": commit.map(|commit| &commit.branch),
        "dirty": commit.is_some_and(|commit| commit.dirty),
        "machine": machine.map(|of| format!("{}, {}, {} CPUs", of.host, of.system, of.cpus)),
        "workers": machine.map(|of| of.workers),
        "ci": circumstances.and_then(|of| of.ci.as_ref()?.url.as_deref()),
        "suite": circumstances.map_or(&[][..], |of| &of.suite),
        "program": env!("CARGO_PKG_VERSION"),
    }
}

fn sums(totals: &Totals, flaky: FlakyResult) -> Object<'static> {
    object! {
        "all": totals.files,
        "passed": totals.passed_with(flaky),
        "wanted": totals.files - totals.empty,
        "rate": totals.pass_rate_with(flaky),
    }
}

fn records(counts: &Counts) -> Object<'static> {
    object! {
        "all": counts.total,
        "passed": counts.passed,
        "wanted": counts.passed + counts.not_passed() + counts.not_reached,
        "failing": counts.not_passed(),
        "skipped": counts.skipped,
        "not_reached": counts.not_reached,
        "rate": counts.pass_rate(),
    }
}

/// The categories, with the rates of their records in each run of the history, and in this one.
fn categories<'s>(subject: &'s Subject<'_>) -> Vec<Object<'s>> {
    let before: Vec<_> = subject.history.iter().map(PastRun::by_category).collect();
    let category = |(name, totals): (&'s str, Totals)| {
        let past = before.iter().map(|categories| categories.get(name)?.records.pass_rate());
        let rates = past.chain([totals.records.pass_rate()]);
        object! {
            "name": name,
            "files": sums(&totals, subject.report.header.flaky),
            "records": records(&totals.records),
            "rates": rates.collect::<Vec<_>>(),
        }
    };
    subject.report.by_category().into_iter().map(category).collect()
}

/// The runs of the history; the last one is this run.
fn history<'s>(subject: &'s Subject<'_>, totals: &Totals) -> Vec<Object<'s>> {
    let past = |name: &'s str, started: i64, totals: &Totals, commit: Option<&Commit>| {
        object! {
            "name": name,
            "started": moment(started),
            "rate": totals.records.pass_rate(),
            "files": totals.files,
            "passed": totals.passed,
            "commit": commit.map(|commit| commit.hash.chars().take(10).collect::<String>()),
        }
    };
    let before = subject.history.iter().map(|run| &run.run);
    let before = before.map(|run| past(&run.name, run.started, &run.totals, run.commit()));
    let commit = subject.circumstances.and_then(|of| of.commit.as_ref());
    before.chain([past(subject.name, subject.started, totals, commit)]).collect()
}

fn slow_files(subject: &Subject<'_>) -> Vec<usize> {
    let files = &subject.report.files;
    let mut numbers: Vec<_> = (0..files.len()).filter(|&number| !files[number].elapsed.is_zero()).collect();
    numbers.sort_by_key(|&number| std::cmp::Reverse(files[number].elapsed));
    numbers.truncate(SLOW_FILES);
    numbers
}

fn slow_records(subject: &Subject<'_>) -> Vec<Object<'static>> {
    let files = subject.report.files.iter().enumerate();
    let mut all: Vec<_> =
        files.flat_map(|(number, file)| file.slowest.iter().map(move |record| (number, record))).collect();
    all.sort_by_key(|(_, record)| std::cmp::Reverse(record.elapsed));
    let shown = all.into_iter().take(SLOW_RECORDS).map(|(file, record)| {
        object! {
            "file": file,
            "line": record.id.line,
            "ms": milliseconds(record.elapsed),
            "sql": clipped(&record.sql, LONGEST_SLOW_SQL),
        }
    });
    shown.collect()
}

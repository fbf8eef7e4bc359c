//! Makes the data of the page. Only its scripts read it; names are short, because some occur thousands of times.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::{LONGEST_VALUE, choose};
use super::clusters::causes;
use super::file;
use super::since::{KindNumbers, since};
use super::timings::timings;
use crate::report::changes::sections;
use crate::report::subject::{ExpectedFailures, Subject, clipped, moment};
use crate::report::times::{self, StatementTimesRow};
use slt_core::outcome::{Counts, FlakyResult, Totals};
use slt_runner::results::{Commit, PastRun};
use slt_runner::text::document::milliseconds;
use slt_runner::text::object::{Object, object};

/// The maximum number of listed records without details, over all files.
const MOST_LINES: usize = 60_000;
const SLOW_FILES: usize = 8;
const SLOW_RECORDS: usize = 8;
const LONGEST_SLOW_SQL: usize = 200;
/// The maximum number of listed entries of a kind.
const MOST_ENTRIES: usize = 100;

/// Returns all data of the page.
pub(super) fn data<'s>(subject: &'s Subject<'_>, totals: &Totals) -> Object<'s> {
    let report = subject.report;
    let chosen = choose(subject);
    let details: usize = chosen.iter().map(BTreeSet::len).sum();
    let failing: usize = report.files.iter().map(|file| file.failures.len()).sum();
    let sections = subject.baseline.map_or_else(Vec::new, |baseline| sections(baseline.diff));
    let (kinds, changes) = (KindNumbers::new(&sections), subject.changes());
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
        "statement_times": statement_times(subject),
        "timings": subject.timings.map(timings),
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
        "state": subject.state_text(),
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

/// Returns the categories, with their pass rates in each run of the history and in this one.
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

/// Returns the runs of the history, with this run as the last one.
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

/// Returns expected and unexpected failures, and the entries that need attention.
fn known(expected: &ExpectedFailures<'_>) -> Object<'static> {
    let notes = expected.notes().into_iter().map(|notes| {
        let entries = notes.entries.iter().take(MOST_ENTRIES).map(|entry| clipped(entry, LONGEST_VALUE));
        object! {
            "title": notes.title,
            "matters": notes.matters,
            "count": notes.entries.len(),
            "entries": entries.collect::<Vec<_>>(),
        }
    });
    object! {
        "sentence": expected.sentence(),
        "good": expected.judgement.is_good(),
        // The number of files with unexpected failures.
        "unexpected": expected.judgement.unexpected.len(),
        "notes": notes.collect::<Vec<_>>(),
    }
}

fn slow_files(subject: &Subject<'_>) -> Vec<usize> {
    let files = &subject.report.files;
    let mut numbers: Vec<_> = (0..files.len()).filter(|&number| !files[number].elapsed.is_zero()).collect();
    numbers.sort_by_key(|&number| std::cmp::Reverse(files[number].elapsed));
    numbers.truncate(SLOW_FILES);
    numbers
}

/// Returns the columns of each kind of statement.
fn statement_times(subject: &Subject<'_>) -> Vec<[String; 7]> {
    times::rows(subject.report).iter().map(StatementTimesRow::columns).collect()
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

//! What is said to machines of a file and of sums, as pieces of JSON documents.
//!
//! The report of a run and the stream of its events have these in common. docs/json-report.md has their fields.

use std::time::Duration;

use serde::Serialize;

use super::failure::message;
use slt_core::engine::EngineIdentity;
use slt_core::outcome::{
    Attempt, Counts, Excerpt, Failure, FailureDetail, FileEnd, FileReport, FlakyResult, NotPassed, RunEnd,
    RunHeader, Totals,
};
use slt_core::parser::Lint;

/// The engine under test.
#[derive(Serialize)]
pub struct EngineDocument<'r> {
    name: &'r str,
    version: &'r str,
    labels: &'r [String],
}

/// The number of files that ended how, in the words of the old scripts.
#[derive(Serialize)]
pub struct Files {
    total: u64,
    passed: u64,
    failed: u64,
    timed_out: u64,
    errors: u64,
    skipped: u64,
    flaky: u64,
    out_of_memory: u64,
    pass_rate: f64,
}

/// The account of records.
#[derive(Serialize)]
pub struct Records {
    total: u64,
    executed: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    skipped_besides: u64,
    unsupported: u64,
    timed_out: u64,
    not_reached: u64,
    malformed: u64,
    faulted: u64,
    pass_rate: Option<f64>,
}

/// A file, with every record that has not passed.
#[derive(Serialize)]
pub struct FileDocument<'r> {
    file: &'r str,
    category: &'r str,
    subcategory: &'r str,
    status: &'static str,
    duration_ms: Option<u64>,
    peak_memory: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptDocument<'r>>,
    records: Records,
    end: EndDocument,
    failures: Vec<FailureDocument<'r>>,
    details_omitted: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<u32>,
    lints: Vec<LintDocument>,
}

/// A time that a file was run besides.
#[derive(Serialize)]
pub struct AttemptDocument<'r> {
    status: &'static str,
    duration_ms: Option<u64>,
    failure: Option<FailureDocument<'r>>,
}

/// How a file ended.
#[derive(Serialize)]
struct EndDocument {
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// A record that has not passed; of one without details the line alone is known.
#[derive(Serialize)]
struct FailureDocument<'r> {
    line: u32,
    kind: Option<&'static str>,
    sql: Option<&'r str>,
    expected: Option<String>,
    actual: Option<String>,
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    details_omitted: bool,
}

/// What is legal but odd.
#[derive(Serialize)]
struct LintDocument {
    line: u32,
    message: String,
}

impl<'r> EngineDocument<'r> {
    /// Describes the engine of a run.
    pub fn of(header: &'r RunHeader) -> Self {
        Self::new(&header.engine, &header.labels)
    }

    /// Describes an engine.
    pub fn new(engine: &'r EngineIdentity, labels: &'r [String]) -> Self {
        Self { name: &engine.name, version: &engine.version, labels }
    }
}

impl Files {
    /// Counts the files of a run.
    pub fn of(totals: &Totals, flaky: FlakyResult) -> Self {
        Self {
            total: totals.files,
            passed: totals.passed,
            failed: totals.failed,
            timed_out: totals.timed_out,
            errors: totals.errors + totals.crashed,
            skipped: totals.empty,
            flaky: totals.flaky,
            out_of_memory: totals.out_of_memory,
            pass_rate: percent(totals.pass_rate_with(flaky)),
        }
    }
}

impl Records {
    /// Counts records.
    pub fn of(counts: &Counts) -> Self {
        Self {
            total: counts.total,
            executed: counts.executed,
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped,
            skipped_besides: counts.skipped_besides,
            unsupported: counts.unsupported,
            timed_out: counts.timed_out,
            not_reached: counts.not_reached,
            malformed: counts.malformed,
            faulted: counts.faulted,
            pass_rate: counts.pass_rate().map(|rate| percent(Some(rate))),
        }
    }
}

impl<'r> FileDocument<'r> {
    /// Describes a file.
    pub fn of(file: &'r FileReport) -> Self {
        let mut details = file.details.iter().peekable();
        let failures = file.failing.iter().map(|&line| {
            let detail = details.next_if(|detail| detail.line == line);
            FailureDocument::of(line, detail)
        });
        Self {
            file: &file.file,
            category: file.category(),
            subcategory: file.subcategory(),
            status: file.status().word(),
            duration_ms: known_milliseconds(file.elapsed),
            peak_memory: file.peak_memory,
            attempts: file.attempts.iter().map(AttemptDocument::of).collect(),
            records: Records::of(&file.counts),
            failures: failures.collect(),
            end: EndDocument::of(&file.end),
            details_omitted: file.details_omitted(),
            left_out: file.left_out.iter().map(|left_out| left_out.line).collect(),
            lints: file.lints.iter().map(LintDocument::of).collect(),
        }
    }
}

impl<'r> AttemptDocument<'r> {
    /// Describes an attempt.
    pub fn of(attempt: &'r Attempt) -> Self {
        Self {
            status: attempt.status.word(),
            duration_ms: known_milliseconds(attempt.elapsed),
            failure: attempt.first.as_ref().map(|detail| FailureDocument::of(detail.line, Some(detail))),
        }
    }
}

impl EndDocument {
    fn of(end: &FileEnd) -> Self {
        let (how, line, message) = match end {
            FileEnd::Completed => ("completed", None, None),
            FileEnd::Halted { line } => ("halted", Some(*line), None),
            FileEnd::Malformed { line } => ("malformed", Some(*line), None),
            FileEnd::TimedOut { line } => ("timed_out", *line, None),
            FileEnd::Faulted { line, fault } => ("faulted", *line, Some(fault.to_string())),
            FileEnd::NotStarted(problem) => ("not_started", None, Some(problem.to_string())),
        };
        Self { how, line, message }
    }
}

impl<'r> FailureDocument<'r> {
    fn of(line: u32, detail: Option<&'r FailureDetail>) -> Self {
        let Some(detail) = detail else {
            return Self {
                line,
                kind: None,
                sql: None,
                expected: None,
                actual: None,
                message: None,
                duration_ms: None,
                details_omitted: true,
            };
        };
        let (expected, actual) = sides(&detail.what);
        Self {
            line,
            kind: Some(detail.what.word()),
            sql: Some(&detail.sql),
            expected,
            actual,
            message: Some(message(&detail.what)),
            duration_ms: detail.what.in_flight().map(milliseconds),
            details_omitted: false,
        }
    }
}

impl LintDocument {
    fn of(lint: &Lint) -> Self {
        Self { line: lint.line, message: lint.kind.to_string() }
    }
}

/// What was expected and what was found, as the file would have it.
pub fn sides(what: &NotPassed) -> (Option<String>, Option<String>) {
    match what {
        NotPassed::Failed(failure) => match failure {
            Failure::RowsDiffer { expected, actual, .. } => (Some(values(expected)), Some(values(actual))),
            Failure::HashDiffers { expected, actual, .. } => {
                (Some(expected.to_string()), Some(actual.to_string()))
            }
            Failure::PresentationDiffers { wanted } => (Some(wanted.clone()), None),
            Failure::ColumnCountDiffers { expected, actual } => {
                (Some(format!("{expected} columns")), Some(format!("{actual} columns")))
            }
            Failure::LabelDiffers { first_digest, digest, .. } => {
                (Some(first_digest.to_string()), Some(digest.to_string()))
            }
            Failure::UnexpectedError(error) | Failure::ErrorAmidRows(error) => {
                (Some("success".to_owned()), Some(error.message.clone()))
            }
            Failure::UnexpectedSuccess => (Some("an error".to_owned()), Some("success".to_owned())),
        },
        NotPassed::Unsupported(_)
        | NotPassed::TimedOut { .. }
        | NotPassed::Malformed(_)
        | NotPassed::Faulted(_)
        | NotPassed::Reported(_) => (None, None),
    }
}

fn values(excerpt: &Excerpt) -> String {
    let mut lines = Vec::with_capacity(excerpt.values.len() + 2);
    if excerpt.omitted_before > 0 {
        lines.push(format!("… {} values before …", excerpt.omitted_before));
    }
    lines.extend(excerpt.values.iter().cloned());
    if excerpt.omitted_after > 0 {
        lines.push(format!("… {} values more …", excerpt.omitted_after));
    }
    lines.join("\n")
}

/// How a run ended, or why it is to end.
pub fn end_word(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "completed",
        RunEnd::Interrupted => "interrupted",
        RunEnd::EnoughFailed => "enough_failed",
        RunEnd::BudgetSpent => "budget_spent",
    }
}

/// Returns the end that [`end_word`] calls so.
pub fn end_from_word(word: &str) -> Option<RunEnd> {
    let ends = [RunEnd::Completed, RunEnd::Interrupted, RunEnd::EnoughFailed, RunEnd::BudgetSpent];
    ends.into_iter().find(|end| end_word(*end) == word)
}

/// Returns the time of a file; one of zero is a time that another program does not say, or of a file that could not be
/// started.
fn known_milliseconds(time: Duration) -> Option<u64> {
    (!time.is_zero()).then(|| milliseconds(time))
}

/// Returns a time in whole milliseconds.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns a share in percent; 0 where there is nothing to have a share of.
fn percent(rate: Option<f64>) -> f64 {
    rate.unwrap_or(0.0) * 100.0
}

//! Parts of JSON documents: files, records and totals.
//!
//! The report of a run and the stream of its events have these in common. docs/json-report.md has their fields.

use std::time::Duration;

use super::failure::message;
use super::object::{Each, Object, object};
use slt_core::engine::EngineId;
use slt_core::outcome::{
    Attempt, Counts, Excerpt, FailingRecord, FileEnd, FileReport, FlakyResult, Mismatch, Problem, RecordId,
    RunEnd, Totals,
};
use slt_core::parser::Lint;

/// Returns the version of the JSON report: it grows when a field appears, and stays when none goes away.
pub const FORMAT: u32 = 1;

/// The engine under test.
pub fn engine<'r>(engine: &'r EngineId, labels: &'r [String]) -> Object<'r> {
    object! { "name": &engine.name }
        .with_some("variant", engine.variant.as_ref())
        .with("version", &engine.version)
        .with_some("build", engine.build.as_ref())
        .with("labels", labels)
}

/// Returns the numbers of files by status, with the names of the old scripts.
pub fn files(totals: &Totals, flaky: FlakyResult) -> Object<'static> {
    object! {
        "total": totals.files,
        "passed": totals.passed,
        "failed": totals.failed,
        "timed_out": totals.timed_out,
        "errors": totals.errors + totals.crashed,
        "skipped": totals.empty,
        "flaky": totals.flaky,
        "out_of_memory": totals.out_of_memory,
        "pass_rate": percent(totals.pass_rate_with(flaky)),
    }
}

/// Returns the counts of records.
pub fn records(counts: &Counts) -> Object<'static> {
    object! {
        "total": counts.total,
        "executed": counts.executed,
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "skipped_besides": counts.skipped_besides,
        "unsupported": counts.unsupported,
        "timed_out": counts.timed_out,
        "not_reached": counts.not_reached,
        "malformed": counts.malformed,
        "faulted": counts.faulted,
        "pass_rate": counts.pass_rate().map(|rate| percent(Some(rate))),
    }
}

/// Returns a file with all its failing records.
pub fn file(file: &FileReport) -> Object<'_> {
    object! { "file": file.file.path() }
        .with_some("id", file.file.is_known().then(|| file.file.to_text()))
        .with_all(object! {
            "category": file.category(),
            "subcategory": file.subcategory(),
            "status": file.status().word(),
            "dialect": file.dialect.as_deref(),
            "duration_ms": known_milliseconds(file.elapsed),
            "peak_memory": file.peak_memory,
        })
        .with_list("attempts", file.attempts.iter().map(attempt).collect())
        .with("records", records(&file.counts))
        .with("end", end(&file.end))
        .with("failures", Each(|| file.failures.iter().map(failure)))
        .with("details_omitted", file.details_omitted())
        .with_list("left_out", file.left_out.iter().map(|left_out| left_out.id.line).collect())
        .with_some("stderr", file.stderr.as_deref())
        .with("lints", Each(|| file.lints.iter().map(lint)))
}

/// Returns another attempt of a file.
pub fn attempt(attempt: &Attempt) -> Object<'_> {
    object! {
        "status": attempt.status.word(),
        "duration_ms": known_milliseconds(attempt.elapsed),
        "failure": attempt.first.as_ref().map(failure),
    }
}

/// Returns the end of a file.
fn end(end: &FileEnd) -> Object<'static> {
    let line_of = |id: &Option<RecordId>| id.as_ref().map(|id| id.line);
    let (how, line, message) = match end {
        FileEnd::Completed => ("completed", None, None),
        FileEnd::Halted { id } => ("halted", Some(id.line), None),
        FileEnd::AtFailure { id } => ("failed", Some(id.line), None),
        FileEnd::Malformed { id } => ("malformed", Some(id.line), None),
        FileEnd::TimedOut { id } => ("timed_out", line_of(id), None),
        FileEnd::Faulted { id, fault } => ("faulted", line_of(id), Some(fault.to_string())),
        FileEnd::NotStarted(problem) => ("not_started", None, Some(problem.to_string())),
    };
    object! { "how": how }.with_some("line", line).with_some("message", message)
}

/// Returns a failing record; without details it has only a line.
fn failure(record: &FailingRecord) -> Object<'_> {
    let detail = record.detailed();
    let (expected, actual) = detail.map(|detail| sides(detail.problem)).unwrap_or_default();
    let object = object! {
        "line": record.id.line,
        "kind": detail.map(|detail| detail.problem.word()),
        "sql": detail.map(|detail| detail.sql),
        "expected": expected,
        "actual": actual,
        "message": detail.map(|detail| message(detail.problem)),
    };
    let object = object
        .with_some("source", record.id.source.as_deref())
        .with_some("iteration", record.id.iteration.as_deref());
    match detail {
        Some(detail) => object.with_some("duration_ms", detail.problem.in_flight().map(milliseconds)),
        None => object.with("details_omitted", true),
    }
}

/// Returns a warning of the parser.
fn lint(lint: &Lint) -> Object<'_> {
    object! { "line": lint.line, "message": lint.kind.to_string() }
}

/// Returns the expected and the actual result in the form of the file.
pub fn sides(problem: &Problem) -> (Option<String>, Option<String>) {
    match problem {
        Problem::Mismatch(mismatch) => match mismatch {
            Mismatch::Rows { expected, actual, .. } => (Some(values(expected)), Some(values(actual))),
            Mismatch::Hash { expected, actual, .. } => (Some(expected.to_string()), Some(actual.to_string())),
            Mismatch::Presentation { wanted } => (Some(wanted.clone()), None),
            Mismatch::ColumnCount { expected, actual } => {
                (Some(format!("{expected} columns")), Some(format!("{actual} columns")))
            }
            Mismatch::RowCount { expected, actual, .. } => {
                (Some(format!("{expected} rows")), Some(format!("{actual} rows")))
            }
            Mismatch::AffectedRows { expected, actual } => {
                (Some(format!("{expected} rows")), Some(format!("{actual} rows")))
            }
            Mismatch::ColumnType { expected, actual, .. } => {
                (Some(expected.to_string()), Some(actual.clone()))
            }
            Mismatch::UncertainOrder => (None, None),
            Mismatch::Error { expected, actual } => (Some(expected.clone()), Some(actual.message.clone())),
            Mismatch::Label(label) => (Some(label.first_digest.to_string()), Some(label.digest.to_string())),
        },
        Problem::UnexpectedError { error, .. } => (Some("success".to_owned()), Some(error.message.clone())),
        Problem::UnexpectedSuccess => (Some("an error".to_owned()), Some("success".to_owned())),
        Problem::Unsupported(_)
        | Problem::NotAllowed(_)
        | Problem::TimedOut { .. }
        | Problem::Malformed { .. }
        | Problem::Fault(_)
        | Problem::Reported(_) => (None, None),
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

/// Returns the name of the end of a run.
pub fn end_word(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Completed => "completed",
        RunEnd::Interrupted => "interrupted",
        RunEnd::EnoughFailed => "enough_failed",
        RunEnd::BudgetSpent => "budget_spent",
    }
}

/// Returns the end with this name.
pub fn end_from_word(word: &str) -> Option<RunEnd> {
    let ends = [RunEnd::Completed, RunEnd::Interrupted, RunEnd::EnoughFailed, RunEnd::BudgetSpent];
    ends.into_iter().find(|end| end_word(*end) == word)
}

/// Returns the duration of a file; zero means unknown or not started.
fn known_milliseconds(time: Duration) -> Option<u64> {
    (!time.is_zero()).then(|| milliseconds(time))
}

/// Returns a time in whole milliseconds.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns a share in percent; 0 if it is undefined.
fn percent(rate: Option<f64>) -> f64 {
    rate.unwrap_or(0.0) * 100.0
}

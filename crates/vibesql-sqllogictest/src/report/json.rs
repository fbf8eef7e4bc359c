//! A run as JSON: the fields that VibeSQL's old scripts wrote and read, all of them true, and more.
//!
//! The old fields count files. `summary.records` and `files[].records` count records, and `files[]` has every
//! file with every failing record. docs/json-report.md has the fields one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::outcome::{
    Attempt, Counts, Excerpt, Failure, FailureDetail, FileEnd, FileReport, FileStatus, NotPassed, RunEnd,
    RunReport, Totals,
};
use crate::parser::Lint;

/// The version of the document: it grows when a field appears, and stays when none goes away.
const FORMAT: u32 = 1;

/// The categories that the old scripts knew; they are there even without files.
const OLD_CATEGORIES: &[&str] = &["select", "evidence", "index", "random", "ddl", "other"];

/// Makes the document of `run`. `available` is the number of files that could have been run.
///
/// # Errors
///
/// Those of the writer.
pub fn write(run: &RunReport, available: u64, out: impl std::io::Write) -> serde_json::Result<()> {
    serde_json::to_writer_pretty(out, &Document::of(run, available))
}

#[derive(Serialize)]
struct Document<'r> {
    format: u32,
    engine: EngineDocument<'r>,
    exact: bool,
    duration_ms: u64,
    end: &'static str,
    summary: Summary,
    tested_files: TestedFiles<'r>,
    categories: BTreeMap<&'r str, Option<Category>>,
    detailed_failures: Vec<FileFailures<'r>>,
    files: Vec<FileDocument<'r>>,
}

#[derive(Serialize)]
struct EngineDocument<'r> {
    name: &'r str,
    version: &'r str,
    labels: &'r [String],
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    files: Files,
    total_available_files: u64,
    tested_files: u64,
    records: Records,
}

/// How many files ended how, in the words of the old scripts.
#[derive(Serialize)]
struct Files {
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

#[derive(Serialize)]
struct TestedFiles<'r> {
    passed: Vec<&'r str>,
    failed: Vec<&'r str>,
    timed_out: Vec<&'r str>,
    errors: Vec<&'r str>,
    skipped: Vec<&'r str>,
    flaky: Vec<&'r str>,
    out_of_memory: Vec<&'r str>,
}

#[derive(Serialize)]
struct Category {
    #[serde(flatten)]
    files: Files,
    records: Records,
}

#[derive(Serialize)]
struct Records {
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

#[derive(Serialize)]
struct FileFailures<'r> {
    file_path: &'r str,
    failures: Vec<OldFailure<'r>>,
}

/// A failure in the words of the old scripts.
#[derive(Serialize)]
struct OldFailure<'r> {
    sql_statement: Option<&'r str>,
    expected_result: Option<String>,
    actual_result: Option<String>,
    error_message: String,
    line_number: Option<u32>,
}

#[derive(Serialize)]
struct FileDocument<'r> {
    file: &'r str,
    category: &'r str,
    subcategory: &'r str,
    status: &'static str,
    duration_ms: u64,
    peak_memory: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptDocument<'r>>,
    records: Records,
    end: EndDocument,
    failures: Vec<FailureDocument<'r>>,
    details_omitted: u64,
    lints: Vec<LintDocument>,
}

#[derive(Serialize)]
struct AttemptDocument<'r> {
    status: &'static str,
    duration_ms: u64,
    failure: Option<FailureDocument<'r>>,
}

#[derive(Serialize)]
struct EndDocument {
    how: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize)]
struct FailureDocument<'r> {
    line: u32,
    kind: Option<&'static str>,
    sql: Option<&'r str>,
    expected: Option<String>,
    actual: Option<String>,
    message: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    details_omitted: bool,
}

#[derive(Serialize)]
struct LintDocument {
    line: u32,
    message: String,
}

impl<'r> Document<'r> {
    fn of(run: &'r RunReport, available: u64) -> Self {
        let totals = run.totals();
        let by_category = run.by_category();
        let mut categories: BTreeMap<&str, Option<Category>> =
            OLD_CATEGORIES.iter().map(|name| (*name, None)).collect();
        categories.extend(by_category.iter().map(|(name, totals)| (*name, Some(Category::of(totals)))));
        let with_status = |wanted: &[FileStatus]| {
            run.files
                .iter()
                .filter(|file| wanted.contains(&file.status()))
                .map(|file| file.file.as_str())
                .collect()
        };
        Self {
            format: FORMAT,
            engine: EngineDocument {
                name: &run.header.engine.name,
                version: &run.header.engine.version,
                labels: &run.header.labels,
            },
            exact: run.header.exact,
            duration_ms: milliseconds(run.elapsed),
            end: match run.end {
                RunEnd::Completed => "completed",
                RunEnd::Interrupted => "interrupted",
                RunEnd::EnoughFailed => "enough_failed",
                RunEnd::BudgetSpent => "budget_spent",
            },
            summary: Summary {
                files: Files::of(&totals),
                total_available_files: available,
                tested_files: totals.files - totals.errors,
                records: Records::of(&totals.records),
            },
            tested_files: TestedFiles {
                passed: with_status(&[FileStatus::Passed]),
                failed: with_status(&[FileStatus::Failed]),
                timed_out: with_status(&[FileStatus::TimedOut]),
                errors: with_status(&[FileStatus::Error, FileStatus::Crashed]),
                skipped: with_status(&[FileStatus::Empty]),
                flaky: with_status(&[FileStatus::Flaky]),
                out_of_memory: with_status(&[FileStatus::OutOfMemory]),
            },
            categories,
            detailed_failures: run.files.iter().filter_map(FileFailures::of).collect(),
            files: run.files.iter().map(FileDocument::of).collect(),
        }
    }
}

impl Files {
    fn of(totals: &Totals) -> Self {
        Self {
            total: totals.files,
            passed: totals.passed,
            failed: totals.failed,
            timed_out: totals.timed_out,
            errors: totals.errors + totals.crashed,
            skipped: totals.empty,
            flaky: totals.flaky,
            out_of_memory: totals.out_of_memory,
            pass_rate: percent(totals.pass_rate()),
        }
    }
}

impl Category {
    fn of(totals: &Totals) -> Self {
        Self { files: Files::of(totals), records: Records::of(&totals.records) }
    }
}

impl Records {
    fn of(counts: &Counts) -> Self {
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

impl<'r> FileFailures<'r> {
    fn of(file: &'r FileReport) -> Option<Self> {
        let mut failures: Vec<_> = file.details.iter().map(OldFailure::of).collect();
        if let FileEnd::NotStarted(problem) = &file.end {
            failures.push(OldFailure {
                sql_statement: None,
                expected_result: None,
                actual_result: None,
                error_message: problem.to_string(),
                line_number: None,
            });
        }
        (!failures.is_empty()).then_some(Self { file_path: &file.file, failures })
    }
}

impl<'r> OldFailure<'r> {
    fn of(detail: &'r FailureDetail) -> Self {
        let (expected, actual) = sides(&detail.what);
        Self {
            sql_statement: Some(&detail.sql),
            expected_result: expected,
            actual_result: actual,
            error_message: message(&detail.what),
            line_number: Some(detail.line),
        }
    }
}

impl<'r> FileDocument<'r> {
    fn of(file: &'r FileReport) -> Self {
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
            duration_ms: milliseconds(file.elapsed),
            peak_memory: file.peak_memory,
            attempts: file.attempts.iter().map(AttemptDocument::of).collect(),
            records: Records::of(&file.counts),
            failures: failures.collect(),
            end: EndDocument::of(&file.end),
            details_omitted: file.details_omitted(),
            lints: file.lints.iter().map(LintDocument::of).collect(),
        }
    }
}

impl<'r> AttemptDocument<'r> {
    fn of(attempt: &'r Attempt) -> Self {
        Self {
            status: attempt.status.word(),
            duration_ms: milliseconds(attempt.elapsed),
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
fn sides(what: &NotPassed) -> (Option<String>, Option<String>) {
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
            Failure::UnexpectedError(error) => (Some("success".to_owned()), Some(error.message.clone())),
            Failure::UnexpectedSuccess => (Some("an error".to_owned()), Some("success".to_owned())),
        },
        NotPassed::Unsupported(_)
        | NotPassed::TimedOut { .. }
        | NotPassed::Malformed(_)
        | NotPassed::Faulted(_) => (None, None),
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

/// What happened, in one line.
fn message(what: &NotPassed) -> String {
    crate::text::failure::headline(what)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A share in percent; 0 where there is nothing to have a share of.
fn percent(rate: Option<f64>) -> f64 {
    rate.unwrap_or(0.0) * 100.0
}

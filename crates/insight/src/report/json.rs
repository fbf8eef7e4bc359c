//! A run as JSON: the fields that VibeSQL's old scripts wrote and read, all of them true, and more.
//!
//! The old fields count files. `summary.records` and `files[].records` count records, and `files[]` has every
//! file with every failing record. docs/json-report.md has the fields one by one.

use std::collections::BTreeMap;

use serde::Serialize;

use slt_core::outcome::{DetailedFailure, FileEnd, FileReport, FileStatus, RunReport};
use slt_runner::text::document::{
    EngineDocument, FileDocument, Files, Records, TotalsDocument, end_word, milliseconds, sides,
};
use slt_runner::text::failure::message;

/// The version of the document: it grows when a field appears, and stays when none goes away.
const FORMAT: u32 = 1;

/// The categories that the old scripts knew; they are there even without files.
const OLD_CATEGORIES: &[&str] = &["select", "evidence", "index", "random", "ddl", "other"];

/// Makes the document of `run`. `untested` are the files without a result, as far as their names are known.
///
/// # Errors
///
/// Those of the writer.
pub fn write(run: &RunReport, untested: &[&str], out: impl std::io::Write) -> serde_json::Result<()> {
    serde_json::to_writer_pretty(out, &Document::of(run, untested))
}

#[derive(Serialize)]
struct Document<'r> {
    format: u32,
    engine: EngineDocument<'r>,
    exact: bool,
    duration_ms: u64,
    end: &'static str,
    verdict: &'static str,
    flaky: &'static str,
    summary: Summary,
    tested_files: TestedFiles<'r>,
    categories: BTreeMap<&'r str, Option<TotalsDocument>>,
    detailed_failures: Vec<FileFailures<'r>>,
    files: Vec<FileDocument<'r>>,
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    files: Files,
    total_available_files: u64,
    untested: u64,
    tested_files: u64,
    records: Records,
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
    untested: &'r [&'r str],
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

impl<'r> Document<'r> {
    fn of(run: &'r RunReport, untested: &'r [&'r str]) -> Self {
        let totals = run.totals();
        let by_category = run.by_category();
        let mut categories: BTreeMap<&str, Option<TotalsDocument>> =
            OLD_CATEGORIES.iter().map(|name| (*name, None)).collect();
        categories.extend(
            by_category
                .iter()
                .map(|(name, totals)| (*name, Some(TotalsDocument::of(totals, run.header.flaky)))),
        );
        let with_status = |wanted: &[FileStatus]| {
            run.files
                .iter()
                .filter(|file| wanted.contains(&file.status()))
                .map(|file| file.file.as_str())
                .collect()
        };
        Self {
            format: FORMAT,
            engine: EngineDocument::of(&run.header),
            exact: run.header.exact,
            duration_ms: milliseconds(run.elapsed),
            end: end_word(run.end),
            verdict: run.verdict().as_str(),
            flaky: run.header.flaky.as_str(),
            summary: Summary {
                files: Files::of(&totals, run.header.flaky),
                total_available_files: run.header.files as u64,
                untested: run.untested(),
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
                untested,
            },
            categories,
            detailed_failures: run.files.iter().filter_map(FileFailures::of).collect(),
            files: run.files.iter().map(FileDocument::of).collect(),
        }
    }
}

impl<'r> FileFailures<'r> {
    fn of(file: &'r FileReport) -> Option<Self> {
        let mut failures: Vec<_> = file.details().map(OldFailure::of).collect();
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
    fn of(detail: DetailedFailure<'r>) -> Self {
        let (expected, actual) = sides(detail.problem);
        Self {
            sql_statement: Some(detail.sql),
            expected_result: expected,
            actual_result: actual,
            error_message: message(detail.problem),
            line_number: Some(detail.id.line),
        }
    }
}

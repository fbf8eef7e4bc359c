//! A run as JSON: the fields that VibeSQL's old scripts wrote and read, all of them true, and more.
//!
//! The old fields count files. `summary.records` and `files[].records` count records, and `files[]` has every
//! file with every failing record. docs/json-report.md has the fields one by one.

use std::collections::BTreeMap;

use super::times::{StatementTimesRow, rows};
use super::timings;
use slt_core::outcome::{DetailedFailure, FileEnd, FileReport, FileStatus, RunReport, Totals};
use slt_runner::event::timings::RunTimings;
use slt_runner::text::document;
use slt_runner::text::document::{end_word, milliseconds, sides};
use slt_runner::text::failure::message;
use slt_runner::text::object::{Each, Object, object};

/// The categories of the old scripts, which are listed even without files.
const OLD_CATEGORIES: &[&str] = &["select", "evidence", "index", "random", "ddl", "other"];

/// Makes the document of `run`. `untested` are the files without a result, as far as their names are known, and `timings`
/// where its time went, if that was measured.
///
/// # Errors
///
/// Those of the writer.
pub fn write(
    run: &RunReport,
    untested: &[&str],
    timings: Option<&RunTimings>,
    out: impl std::io::Write,
) -> serde_json::Result<()> {
    let totals = run.totals();
    let by_category = run.by_category();
    let sums = |totals: &Totals| document::files(totals, run.header.flaky);
    let category = |totals: &Totals| sums(totals).with("records", document::records(&totals.records));
    let mut categories: BTreeMap<&str, _> = OLD_CATEGORIES.iter().map(|name| (*name, None)).collect();
    categories.extend(by_category.iter().map(|(name, totals)| (*name, Some(category(totals)))));
    let with_status = |wanted: &'static [FileStatus]| {
        let files = run.files.iter().filter(|file| wanted.contains(&file.status()));
        files.map(|file| file.file.path()).collect::<Vec<_>>()
    };
    let document = object! {
        "format": document::FORMAT,
        "engine": document::engine(&run.header.engine, &run.header.labels),
        "exact": run.header.exact,
        "dialects": run.dialects(),
        "duration_ms": milliseconds(run.elapsed),
        "end": end_word(run.end),
        "verdict": run.verdict().as_str(),
        "flaky": run.header.flaky.as_str(),
        "summary": sums(&totals)
            .with("total_available_files", run.header.files)
            .with("untested", run.untested())
            .with("within_tolerance", run.within_tolerance().count())
            .with("tested_files", totals.files - totals.errors)
            .with("records", document::records(&totals.records)),
        "tested_files": object! {
            "passed": with_status(&[FileStatus::Passed]),
            "failed": with_status(&[FileStatus::Failed]),
            "timed_out": with_status(&[FileStatus::TimedOut]),
            "errors": with_status(&[FileStatus::Error, FileStatus::Crashed]),
            "skipped": with_status(&[FileStatus::Empty]),
            "flaky": with_status(&[FileStatus::Flaky]),
            "out_of_memory": with_status(&[FileStatus::OutOfMemory]),
            "untested": untested,
        },
        "categories": categories,
        "statement_times": rows(run).iter().map(StatementTimesRow::json).collect::<Vec<_>>(),
        "detailed_failures": Each(|| run.files.iter().filter_map(old_failures)),
        "files": Each(|| run.files.iter().map(document::file)),
    };
    let document = document.with_some("timings", timings.map(timings::object));
    serde_json::to_writer_pretty(out, &document)
}

/// Returns the failures of a file in the format of the old scripts.
fn old_failures(file: &FileReport) -> Option<Object<'_>> {
    let mut failures: Vec<_> = file.details().map(old_failure).collect();
    if let FileEnd::NotStarted(problem) = &file.end {
        failures.push(object! {
            "sql_statement": (),
            "expected_result": (),
            "actual_result": (),
            "error_message": problem.to_string(),
            "line_number": (),
        });
    }
    (!failures.is_empty()).then(|| object! { "file_path": file.file.path(), "failures": failures })
}

fn old_failure(detail: DetailedFailure<'_>) -> Object<'_> {
    let (expected, actual) = sides(detail.problem);
    object! {
        "sql_statement": detail.sql,
        "expected_result": expected,
        "actual_result": actual,
        "error_message": message(detail.problem),
        "line_number": detail.id.line,
    }
}

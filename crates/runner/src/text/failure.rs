//! Formats the problem of a record in one line; the only place that does so.

use super::count::{duration, plural};
use super::visible::one_line;
use slt_core::outcome::Fault;
use slt_core::outcome::{
    Difference, Excerpt, FailingRecord, FileReport, LabelMismatch, Mismatch, Problem, RecordId,
};

/// The message for a failure of another tool without further facts.
pub const NOT_WHY: &str = "another tool reports a failure, and not why";

/// Formats a fault, with the elapsed time of the record if known.
pub fn fault_with_time(fault: &Fault) -> String {
    match fault {
        Fault::Died { after: Some(after), .. } | Fault::OutOfMemory { after: Some(after), .. } => {
            format!("{fault}, {} into the record", duration(*after))
        }
        _ => fault.to_string(),
    }
}

/// Formats the problem in one line.
pub fn headline(what: &Problem) -> String {
    match what {
        Problem::Mismatch(mismatch) => mismatched(mismatch),
        Problem::UnexpectedError { error, .. } => match &error.code {
            Some(code) => format!("unexpected error: {} (code {code})", error.message),
            None => format!("unexpected error: {}", error.message),
        },
        Problem::UnexpectedSuccess => "an error was expected, but the statement succeeded".to_owned(),
        Problem::Unsupported(why) => format!("not supported: {why}"),
        Problem::NotAllowed(why) => format!("not allowed: {why}"),
        Problem::TimedOut { after } => {
            format!("still running after {} when it was stopped", duration(*after))
        }
        Problem::Malformed { error, .. } => format!("malformed record: {}", error.kind),
        Problem::Fault(fault) => fault.to_string(),
        Problem::Reported(text) => {
            let first = text.lines().find(|line| !line.trim().is_empty());
            first.unwrap_or(NOT_WHY).to_owned()
        }
    }
}

/// Returns a hint for the author of the file.
pub fn hint(what: &Problem) -> Option<&'static str> {
    match what {
        Problem::Malformed { error, .. } => error.kind.hint(),
        Problem::UnexpectedError { after_rows: true, .. } => {
            Some("the SQLite runner takes such an error for the end of the rows; --exact does the same")
        }
        Problem::Mismatch(Mismatch::Rows { expected, actual, columns })
            if has_rows_on_lines(expected, actual, *columns) =>
        {
            Some("write one value per line; one row per line is the form of sqllogictest-rs and DuckDB")
        }
        _ => None,
    }
}

fn has_rows_on_lines(expected: &Excerpt, actual: &Excerpt, columns: usize) -> bool {
    Difference::of(expected, actual, columns) == Difference::RowsOnLines
}

/// Formats the problem in full.
pub fn message(what: &Problem) -> String {
    match what {
        Problem::Reported(text) if !text.is_empty() => text.clone(),
        what => headline(what),
    }
}

/// Formats the place of a file or a record.
pub fn place(shown: &str, record: Option<&RecordId>) -> String {
    let shown = one_line(shown);
    match record.filter(|record| !record.is_whole_file()) {
        None => shown.into_owned(),
        Some(record) if record.source.is_none() => format!("{shown}:{record}"),
        Some(record) => format!("{}, included by {shown}", one_line(&record.to_string())),
    }
}

/// Formats the place of a record of a file.
pub fn place_of(file: &FileReport, record: &RecordId) -> String {
    place(&file.shown, Some(record))
}

/// Formats the problem of another attempt of a file that finally passed: `a.test:1: … (CRASH in another attempt)`.
pub fn other_attempt(report: &FileReport) -> Option<String> {
    if report.details().next().is_some() {
        return None;
    }
    let attempt = report.attempts.iter().find(|attempt| !attempt.status.is_good())?;
    let word = attempt.status.label();
    let Some(first) = attempt.first.as_ref().and_then(FailingRecord::detailed) else {
        return Some(format!("{word} in another attempt"));
    };
    let place = place_of(report, first.id);
    Some(format!("{place}: {} ({word} in another attempt)", headline(first.problem)))
}

fn mismatched(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Rows { expected, actual, columns } if has_rows_on_lines(expected, actual, *columns) => {
            let lines = plural(expected.total(), "line");
            format!("the file has one row per line ({lines}), {} found", plural(actual.total(), "value"))
        }
        Mismatch::Rows { expected, actual, .. } => {
            let (expected, actual) = (expected.total(), actual.total());
            if expected == actual {
                format!("values differ ({expected} expected, {actual} found)")
            } else {
                format!("{} expected, {actual} found", plural(expected, "value"))
            }
        }
        Mismatch::Hash { expected, actual, .. } => {
            if expected.values == actual.values {
                format!("{} expected and found, but the hash differs", plural(expected.values, "value"))
            } else {
                format!(
                    "{} expected, {} found; compared by hash",
                    plural(expected.values, "value"),
                    actual.values
                )
            }
        }
        Mismatch::Presentation { wanted } => {
            format!("the values are right, but under this hash threshold the file must have `{wanted}`")
        }
        Mismatch::ColumnCount { expected, actual: 0 } => {
            format!("{} expected, but the SQL has no result", plural(*expected as u64, "column"))
        }
        Mismatch::ColumnCount { expected, actual } => {
            format!("{} expected by the type letters, {actual} found", plural(*expected as u64, "column"))
        }
        Mismatch::RowCount { expected, actual, .. } => {
            format!("{} expected, {actual} found", plural(*expected, "row"))
        }
        Mismatch::AffectedRows { expected, actual } => {
            format!("{} expected to be affected or returned, {actual} found", plural(*expected, "row"))
        }
        Mismatch::ColumnType { column, expected, actual } => {
            format!("column {column} has the type letter `{expected}`, found {actual}")
        }
        Mismatch::UncertainOrder => {
            "the values are right, but several rows may come in any order: `ORDER BY`, a sort mode or `nosort` is \
             missing"
                .to_owned()
        }
        Mismatch::Error { actual, .. } => match &actual.code {
            Some(code) => format!("another error than expected: {} (code {code})", actual.message),
            None => format!("another error than expected: {}", actual.message),
        },
        Mismatch::Label(mismatch) => {
            let LabelMismatch { label, first, .. } = &**mismatch;
            format!("another result than line {first}, which has the same label `{label}`")
        }
    }
}

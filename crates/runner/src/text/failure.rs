//! Formats the problem of a record in one line; the only place that does so.

use super::count::{duration, plural};
use super::visible::one_line;
use slt_core::outcome::Fault;
use slt_core::outcome::{Difference, Excerpt, Failure, FileReport, NotPassed};

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
pub fn headline(what: &NotPassed) -> String {
    match what {
        NotPassed::Failed(failure) => failed(failure),
        NotPassed::Unsupported(why) => format!("not supported: {why}"),
        NotPassed::TimedOut { after } => {
            format!("still running after {} when it was stopped", duration(*after))
        }
        NotPassed::Malformed(error) => format!("malformed record: {}", error.kind),
        NotPassed::Faulted(fault) => fault.to_string(),
        NotPassed::Reported(text) => {
            let first = text.lines().find(|line| !line.trim().is_empty());
            first.unwrap_or(NOT_WHY).to_owned()
        }
    }
}

/// Returns a hint for the author of the file.
pub fn hint(what: &NotPassed) -> Option<&'static str> {
    match what {
        NotPassed::Malformed(error) => error.kind.hint(),
        NotPassed::Failed(Failure::ErrorAmidRows(_)) => {
            Some("the SQLite runner takes such an error for the end of the rows; --exact does the same")
        }
        NotPassed::Failed(Failure::RowsDiffer { expected, actual, columns })
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
pub fn message(what: &NotPassed) -> String {
    match what {
        NotPassed::Reported(text) if !text.is_empty() => text.clone(),
        what => headline(what),
    }
}

/// Returns a file, or a line in it, as it stands in a line of text.
pub fn place(shown: &str, line: Option<u32>) -> String {
    let shown = one_line(shown);
    line.map_or_else(|| shown.to_string(), |line| format!("{shown}:{line}"))
}

/// Formats the problem of another attempt of a file that finally passed: `a.test:1: … (CRASH in another attempt)`.
pub fn other_attempt(report: &FileReport) -> Option<String> {
    if !report.details.is_empty() {
        return None;
    }
    let attempt = report.attempts.iter().find(|attempt| !attempt.status.is_good())?;
    let word = attempt.status.label();
    let Some(first) = &attempt.first else { return Some(format!("{word} in another attempt")) };
    let place = place(&report.shown, Some(first.line).filter(|&line| line > 0));
    Some(format!("{place}: {} ({word} in another attempt)", headline(&first.what)))
}

fn failed(failure: &Failure) -> String {
    match failure {
        Failure::RowsDiffer { expected, actual, columns }
            if has_rows_on_lines(expected, actual, *columns) =>
        {
            let lines = plural(expected.total(), "line");
            format!("the file has one row per line ({lines}), {} found", plural(actual.total(), "value"))
        }
        Failure::RowsDiffer { expected, actual, .. } => {
            let (expected, actual) = (expected.total(), actual.total());
            if expected == actual {
                format!("values differ ({expected} expected, {actual} found)")
            } else {
                format!("{} expected, {actual} found", plural(expected, "value"))
            }
        }
        Failure::HashDiffers { expected, actual, .. } => {
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
        Failure::PresentationDiffers { wanted } => {
            format!("the values are right, but under this hash threshold the file must have `{wanted}`")
        }
        Failure::ColumnCountDiffers { expected, actual: 0 } => {
            format!("{} expected, but the SQL has no result", plural(*expected as u64, "column"))
        }
        Failure::ColumnCountDiffers { expected, actual } => {
            format!("{} expected by the type letters, {actual} found", plural(*expected as u64, "column"))
        }
        Failure::LabelDiffers { label, first_line, .. } => {
            format!("another result than line {first_line}, which has the same label `{label}`")
        }
        Failure::UnexpectedError(error) | Failure::ErrorAmidRows(error) => match &error.code {
            Some(code) => format!("unexpected error: {} (code {code})", error.message),
            None => format!("unexpected error: {}", error.message),
        },
        Failure::UnexpectedSuccess => "an error was expected, but the statement succeeded".to_owned(),
    }
}

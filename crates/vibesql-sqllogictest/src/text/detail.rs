//! A failure on the screen: where, the SQL, what was expected and found, and the command that repeats it.

use std::fmt::{self, Write};

use super::count::plural;
use super::failure::message;
use super::style::Role;
use crate::executor::diff::{DiffRow, Side, diff_rows};
use crate::outcome::{Excerpt, Failure, FailureDetail, FileReport, NotPassed};

/// The word in front of a record that has not passed.
fn word(what: &NotPassed) -> &'static str {
    match what {
        NotPassed::Failed(_) | NotPassed::Reported(_) => "FAIL",
        NotPassed::Unsupported(_) => "UNSUPPORTED",
        NotPassed::TimedOut { .. } => "TIMEOUT",
        NotPassed::Malformed(_) => "MALFORMED",
        NotPassed::Faulted(_) => "CRASH",
    }
}

/// Rows of a diff on the screen, and rows around a difference.
const MOST_ROWS: usize = 40;
const CONTEXT: usize = 3;
/// Lines of SQL on the screen.
const MOST_SQL_LINES: usize = 40;

/// Writes one failure: where, the SQL, what was expected and found, and the command that repeats it.
pub(crate) fn write_failure(
    out: &mut String,
    report: &FileReport,
    detail: &FailureDetail,
    again: &str,
) -> fmt::Result {
    let place = match detail.line {
        0 => report.shown.clone(),
        line => format!("{}:{line}", report.shown),
    };
    write!(out, "{}  {}", Role::Fail.paint(word(&detail.what)), Role::Strong.paint(place))?;
    match detail.header.as_str() {
        "" => writeln!(out),
        header => writeln!(out, "   {}", Role::Faint.paint(header)),
    }?;
    let sql: Vec<&str> = detail.sql.lines().collect();
    for line in sql.iter().take(MOST_SQL_LINES) {
        writeln!(out, "      {line}")?;
    }
    if sql.len() > MOST_SQL_LINES {
        let more = plural((sql.len() - MOST_SQL_LINES) as u64, "more line");
        writeln!(out, "      {}", Role::Faint.paint(format_args!("… {more} of SQL")))?;
    }
    for line in message(&detail.what).lines() {
        writeln!(out, "      {}", Role::Warn.paint(line))?;
    }
    write_evidence(out, detail)?;
    if let NotPassed::Malformed(error) = &detail.what {
        if error.location.line != detail.line {
            writeln!(out, "      at: {}", error.location)?;
        }
        if let Some(hint) = error.kind.hint() {
            writeln!(out, "      {} {hint}", Role::Hint.paint("hint:"))?;
        }
    }
    // What another tool has run cannot be named.
    if again.is_empty() { Ok(()) } else { writeln!(out, "      {} {again}", Role::Hint.paint("again:")) }
}

fn write_evidence(out: &mut String, detail: &FailureDetail) -> fmt::Result {
    let NotPassed::Failed(failure) = &detail.what else { return Ok(()) };
    match failure {
        Failure::RowsDiffer { expected, actual, columns } => write_diff(out, expected, actual, *columns),
        Failure::HashDiffers { expected, actual, rows, columns } => {
            writeln!(out, "      {}", Role::Expected.paint(format_args!("- {expected}")))?;
            writeln!(out, "      {}", Role::Actual.paint(format_args!("+ {actual}")))?;
            match &detail.unhashed {
                Some(unhashed) => {
                    let note = format_args!(
                        "the expected rows are {}'s; they have the expected hash:",
                        unhashed.engine
                    )
                    .to_string();
                    writeln!(out, "      {}", Role::Faint.paint(note))?;
                    write_diff(out, &unhashed.expected, &unhashed.actual, *columns)
                }
                None => {
                    writeln!(out, "      {}", Role::Faint.paint("the rows found:"))?;
                    write_rows(out, rows, *columns)
                }
            }
        }
        Failure::LabelDiffers { rows, columns, first_digest, digest, .. } => {
            writeln!(out, "      {}", Role::Expected.paint(format_args!("- hash {first_digest}")))?;
            writeln!(out, "      {}", Role::Actual.paint(format_args!("+ hash {digest}")))?;
            write_rows(out, rows, *columns)
        }
        Failure::PresentationDiffers { .. }
        | Failure::ColumnCountDiffers { .. }
        | Failure::UnexpectedError(_)
        | Failure::UnexpectedSuccess => Ok(()),
    }
}

/// Writes the rows that differ, with some around them; `-` is expected, `+` is found.
fn write_diff(out: &mut String, expected: &Excerpt, actual: &Excerpt, columns: usize) -> fmt::Result {
    let rows = diff_rows(&expected.values, &actual.values, columns);
    write_omitted(out, expected.omitted_before, columns, "equal before")?;
    let shown = rows_to_show(&rows);
    let mut gap = 0;
    let mut written = 0;
    for (row, show) in rows.iter().zip(shown) {
        if !show || written == MOST_ROWS {
            gap += 1;
            continue;
        }
        write_gap(out, gap)?;
        gap = 0;
        written += 1;
        write_row(out, row)?;
    }
    write_gap(out, gap)?;
    let (more_expected, more_found) = (expected.omitted_after, actual.omitted_after);
    if more_expected + more_found > 0 {
        let note = format!("… behind these {more_expected} more values expected, {more_found} more found");
        writeln!(out, "      {}", Role::Faint.paint(note))?;
    }
    Ok(())
}

/// Rows that differ and the ones close to them.
fn rows_to_show(rows: &[DiffRow<'_>]) -> Vec<bool> {
    let mut shown = vec![false; rows.len()];
    for (index, row) in rows.iter().enumerate() {
        if row.side != Side::Both {
            let last = (index + CONTEXT + 1).min(rows.len());
            shown[index.saturating_sub(CONTEXT)..last].fill(true);
        }
    }
    shown
}

fn write_gap(out: &mut String, rows: usize) -> fmt::Result {
    if rows == 0 {
        return Ok(());
    }
    writeln!(out, "      {}", Role::Faint.paint(format_args!("  … {}", plural(rows as u64, "row"))))
}

fn write_omitted(out: &mut String, values: u64, columns: usize, what: &str) -> fmt::Result {
    if values == 0 {
        return Ok(());
    }
    let rows = plural(values / columns.max(1) as u64, "row");
    writeln!(out, "      {}", Role::Faint.paint(format_args!("  … {rows} {what}")))
}

fn write_row(out: &mut String, row: &DiffRow<'_>) -> fmt::Result {
    let text = row.values.join(" | ");
    match row.side {
        Side::Both => writeln!(out, "        {text}"),
        Side::Expected => writeln!(out, "      {}", Role::Expected.paint(format_args!("- {text}"))),
        Side::Actual => writeln!(out, "      {}", Role::Actual.paint(format_args!("+ {text}"))),
    }
}

fn write_rows(out: &mut String, rows: &Excerpt, columns: usize) -> fmt::Result {
    let all = rows.values.chunks(columns.max(1));
    let omitted = all.len().saturating_sub(MOST_ROWS) as u64 + rows.omitted_after / columns.max(1) as u64;
    for row in all.take(MOST_ROWS) {
        writeln!(out, "        {}", row.join(" | "))?;
    }
    write_omitted(out, omitted * columns.max(1) as u64, columns, "more")
}

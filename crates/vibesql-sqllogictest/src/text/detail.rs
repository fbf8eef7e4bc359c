//! A failure on the screen: where, the SQL, what was expected and found, and the command that repeats it.

use std::fmt::{self, Write};

use super::count::plural;
use super::evidence::{Evidence, evidence, visible_row};
use super::failure::message;
use super::style::Role;
use super::visible;
use crate::executor::diff::Side;
use crate::outcome::{FailureDetail, FileReport, NotPassed};

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
        writeln!(out, "      {}", visible::sql(line))?;
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
            writeln!(out, "      at: {}", visible::line(&error.location.to_string()))?;
        }
        if let Some(hint) = error.kind.hint() {
            writeln!(out, "      {} {hint}", Role::Hint.paint("hint:"))?;
        }
    }
    // What another tool has run cannot be named.
    if again.is_empty() { Ok(()) } else { writeln!(out, "      {} {again}", Role::Hint.paint("again:")) }
}

fn write_evidence(out: &mut String, detail: &FailureDetail) -> fmt::Result {
    for line in evidence(detail) {
        match line {
            Evidence::Row(side, values) => write_line(out, side, &visible_row(values)),
            Evidence::Text(side, text) => write_line(out, side, &visible::line(&text)),
            Evidence::Gap(text) => writeln!(out, "      {}", Role::Faint.paint(format_args!("  {text}"))),
            Evidence::Note(text) => writeln!(out, "      {}", Role::Faint.paint(text)),
        }?;
    }
    Ok(())
}

fn write_line(out: &mut String, side: Side, text: &str) -> fmt::Result {
    match side {
        Side::Both => writeln!(out, "        {text}"),
        Side::Expected => writeln!(out, "      {}", Role::Expected.paint(format_args!("- {text}"))),
        Side::Actual => writeln!(out, "      {}", Role::Actual.paint(format_args!("+ {text}"))),
    }
}

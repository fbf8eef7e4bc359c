//! A failure on the screen: location, SQL, expected and actual result, and the command that repeats it.

use std::fmt::{self, Write};

use super::count::plural;
use super::evidence::{Evidence, evidence};
use super::failure::{hint, message, place_of};
use super::style::Role;
use super::visible::{distinct, one_line};
use slt_core::executor::diff::DiffSide;
use slt_core::outcome::{DetailedFailure, FileReport, Problem};

/// Returns the label of a failing record.
fn word(what: &Problem) -> &'static str {
    match what {
        Problem::Mismatch(_)
        | Problem::UnexpectedError { .. }
        | Problem::UnexpectedSuccess
        | Problem::Reported(_) => "FAIL",
        Problem::Unsupported(_) => "UNSUPPORTED",
        Problem::NotAllowed(_) => "NOT ALLOWED",
        Problem::TimedOut { .. } => "TIMEOUT",
        Problem::Malformed { .. } => "MALFORMED",
        Problem::Fault(_) => "CRASH",
    }
}

/// Lines of SQL on the screen.
const MOST_SQL_LINES: usize = 40;

/// Writes one failure: location, SQL, expected and actual result, and the command that repeats it.
pub fn write_failure(
    out: &mut String,
    report: &FileReport,
    detail: DetailedFailure<'_>,
    again: &str,
) -> fmt::Result {
    let place = place_of(report, detail.id);
    write!(out, "{}  {}", Role::Fail.paint(word(detail.problem)), Role::Strong.paint(place))?;
    match detail.header {
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
    for line in message(detail.problem).lines() {
        writeln!(out, "      {}", Role::Warn.paint(line))?;
    }
    write_evidence(out, detail)?;
    if let Problem::Malformed { error, .. } = detail.problem
        && error.location.line != detail.id.line
    {
        writeln!(out, "      at: {}", error.location)?;
    }
    if let Some(hint) = hint(detail.problem) {
        writeln!(out, "      {} {hint}", Role::Hint.paint("hint:"))?;
    }
    // A record that another tool has run cannot be repeated.
    if again.is_empty() { Ok(()) } else { writeln!(out, "      {} {again}", Role::Hint.paint("again:")) }
}

/// The maximum width of a line in a list of failures, in characters.
const MOST_CHARACTERS: usize = 100;

/// Writes the first place where a result differs: an expected line, a found one, or both.
pub fn write_first_difference(out: &mut String, detail: DetailedFailure<'_>, indent: &str) -> fmt::Result {
    let lines = evidence(detail);
    let shown = look(&lines);
    let sides = lines.iter().map(|line| match line {
        Evidence::Row(side, values) => {
            let values: Vec<_> = values.iter().map(|value| shown(value)).collect();
            (*side, values.join(" | "))
        }
        Evidence::Text(side, text) => (*side, shown(text)),
        Evidence::Gap(_) | Evidence::Note(_) => (DiffSide::Both, String::new()),
    });
    let differs = |(side, _): &(DiffSide, String)| *side != DiffSide::Both;
    let place: Vec<_> = sides.skip_while(|line| !differs(line)).take_while(differs).collect();
    for (wanted, role, mark) in
        [(DiffSide::Expected, Role::Expected, '-'), (DiffSide::Actual, Role::Actual, '+')]
    {
        if let Some((_, text)) = place.iter().find(|(side, _)| *side == wanted) {
            writeln!(out, "{indent}{}", role.paint(format_args!("{mark} {}", cut(text))))?;
        }
    }
    Ok(())
}

/// Writes the last `most` lines of the engine's standard error, without those that `already` contains.
pub fn write_stderr(
    out: &mut impl Write,
    report: &FileReport,
    most: usize,
    already: &str,
    indent: &str,
) -> fmt::Result {
    let text = report.stderr.as_deref().unwrap_or_default();
    let lines: Vec<_> = text.lines().filter(|line| !already.contains(line.trim())).collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{indent}{}", Role::Faint.paint("standard error of the engine:"))?;
    for line in &lines[lines.len().saturating_sub(most)..] {
        writeln!(out, "{indent}  {}", Role::Faint.paint(cut(&one_line(line))))?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn write_evidence(out: &mut String, detail: DetailedFailure<'_>) -> fmt::Result {
    let lines = evidence(detail);
    let shown = look(&lines);
    for line in &lines {
        match line {
            Evidence::Row(side, values) => {
                let values: Vec<_> = values.iter().map(|value| shown(value)).collect();
                write_line(out, *side, &values.join(" | "))
            }
            Evidence::Text(side, text) => write_line(out, *side, &shown(text)),
            Evidence::Gap(text) => writeln!(out, "      {}", Role::Faint.paint(format_args!("  {text}"))),
            Evidence::Note(text) => writeln!(out, "      {}", Role::Faint.paint(text)),
        }?;
    }
    Ok(())
}

/// Chooses the display of values so that differences are visible, even if one side has an escape and the other the
/// character.
fn look(lines: &[Evidence<'_>]) -> fn(&str) -> String {
    let of = |wanted: DiffSide| {
        let values = lines.iter().filter_map(move |line| match line {
            Evidence::Row(side, values) if *side == wanted => Some(*values),
            _ => None,
        });
        values.map(|values| values.iter().map(|value| one_line(value)).collect::<Vec<_>>())
    };
    let expected: Vec<_> = of(DiffSide::Expected).collect();
    if of(DiffSide::Actual).any(|row| expected.contains(&row)) {
        distinct
    } else {
        |text| one_line(text).into_owned()
    }
}

fn write_line(out: &mut String, side: DiffSide, text: &str) -> fmt::Result {
    match side {
        DiffSide::Both => writeln!(out, "        {text}"),
        DiffSide::Expected => writeln!(out, "      {}", Role::Expected.paint(format_args!("- {text}"))),
        DiffSide::Actual => writeln!(out, "      {}", Role::Actual.paint(format_args!("+ {text}"))),
    }
}

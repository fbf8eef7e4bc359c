//! A failure as plain text, in so many characters that a document can have many of them.

use std::fmt::{self, Write as _};

use super::subject::{Subject, clipped};
use slt_core::executor::diff::Side;
use slt_core::outcome::{DetailedFailure, FileReport};
use slt_runner::text::evidence::{Evidence, evidence};
use slt_runner::text::failure::{message, place_of};
use slt_runner::text::visible::one_line;

/// How much of a failure is told.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the SQL, and of the message.
    pub characters: usize,
    /// Of a row.
    pub values: usize,
}

/// Writes where it is, its SQL, what happened, the rows that differ, and the command that repeats it.
pub fn write_failure(
    out: &mut String,
    subject: &Subject<'_>,
    file: &FileReport,
    detail: DetailedFailure<'_>,
    limits: Limits,
) -> fmt::Result {
    match detail.id.is_whole_file() {
        true => writeln!(out, "{}", one_line(&file.shown))?,
        false => writeln!(out, "{}   {}", place_of(file, detail.id), clipped(detail.header, limits.values))?,
    }
    for line in clipped(detail.sql, limits.characters).lines() {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "{}", clipped(&message(detail.problem), limits.characters))?;
    write_evidence(out, detail, limits)?;
    (subject.again)(file, detail.id).map_or(Ok(()), |again| writeln!(out, "again: {again}"))
}

/// Writes the rows that differ as a diff: `-` is expected, `+` is found.
pub fn write_evidence(out: &mut String, detail: DetailedFailure<'_>, limits: Limits) -> fmt::Result {
    for line in evidence(detail) {
        match line {
            Evidence::Row(side, values) => write_line(out, side, &values.join(" | "), limits),
            Evidence::Text(side, text) => write_line(out, side, &text, limits),
            Evidence::Gap(text) | Evidence::Note(text) => writeln!(out, "  {text}"),
        }?;
    }
    Ok(())
}

fn write_line(out: &mut String, side: Side, text: &str, limits: Limits) -> fmt::Result {
    let mark = match side {
        Side::Both => ' ',
        Side::Expected => '-',
        Side::Actual => '+',
    };
    // Each line of a value that has several is of the same side.
    clipped(text, limits.values).split('\n').try_for_each(|line| writeln!(out, "{mark} {line}"))
}

//! Formats a failure as plain text, shortened so that a document can have many.

use std::fmt::{self, Write as _};

use super::subject::{Subject, clipped};
use slt_core::executor::diff::DiffSide;
use slt_core::outcome::{DetailedFailure, FileReport};
use slt_runner::text::evidence::{Evidence, evidence};
use slt_runner::text::failure::{message, place_of};
use slt_runner::text::visible::one_line;

/// Length limits for a failure.
#[derive(Debug, Clone, Copy)]
pub struct TextLimits {
    /// The maximum length of the SQL and of the message.
    pub characters: usize,
    /// The maximum length of a row.
    pub values: usize,
}

/// Writes the location, the SQL, the problem, the differing rows, and the command that repeats the record.
pub fn write_failure(
    out: &mut String,
    subject: &Subject<'_>,
    file: &FileReport,
    detail: DetailedFailure<'_>,
    limits: TextLimits,
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
pub fn write_evidence(out: &mut String, detail: DetailedFailure<'_>, limits: TextLimits) -> fmt::Result {
    for line in evidence(detail) {
        match line {
            Evidence::Row(side, values) => write_line(out, side, &values.join(" | "), limits),
            Evidence::Text(side, text) => write_line(out, side, &text, limits),
            Evidence::Gap(text) | Evidence::Note(text) => writeln!(out, "  {text}"),
        }?;
    }
    Ok(())
}

fn write_line(out: &mut String, side: DiffSide, text: &str, limits: TextLimits) -> fmt::Result {
    let mark = match side {
        DiffSide::Both => ' ',
        DiffSide::Expected => '-',
        DiffSide::Actual => '+',
    };
    // All lines of a value are on the same side.
    clipped(text, limits.values).split('\n').try_for_each(|line| writeln!(out, "{mark} {line}"))
}

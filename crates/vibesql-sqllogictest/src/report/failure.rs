//! A failure as plain text, in so many characters that a document can have many of them.

use std::fmt::{self, Write as _};

use super::subject::{Subject, clipped};
use crate::executor::diff::Side;
use crate::outcome::{FailureDetail, FileReport};
use crate::text::evidence::{Evidence, evidence, visible_row};
use crate::text::failure::message;
use crate::text::visible;

/// How much of a failure is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of the SQL, and of the message.
    pub(crate) characters: usize,
    /// Of a row.
    pub(crate) values: usize,
}

/// Writes where it is, its SQL, what happened, the rows that differ, and the command that repeats it.
pub(crate) fn write_failure(
    out: &mut String,
    subject: &Subject<'_>,
    file: &FileReport,
    detail: &FailureDetail,
    limits: Limits,
) -> fmt::Result {
    match detail.line {
        0 => writeln!(out, "{}", visible::line(&file.shown))?,
        line => {
            let header = clipped(&detail.header, limits.values);
            writeln!(out, "{}:{line}   {}", visible::line(&file.shown), visible::line(&header))?;
        }
    }
    for line in clipped(&detail.sql, limits.characters).lines() {
        writeln!(out, "  {}", visible::sql(line))?;
    }
    writeln!(out, "{}", visible::lines(&clipped(&message(&detail.what), limits.characters)))?;
    write_evidence(out, detail, limits)?;
    (subject.again)(file, detail.line).map_or(Ok(()), |again| writeln!(out, "again: {again}"))
}

/// Writes the rows that differ as a diff: `-` is expected, `+` is found.
pub(crate) fn write_evidence(out: &mut String, detail: &FailureDetail, limits: Limits) -> fmt::Result {
    for line in evidence(detail) {
        match line {
            Evidence::Row(side, values) => write_line(out, side, &visible_row(values), limits),
            Evidence::Text(side, text) => write_line(out, side, &visible::line(&text), limits),
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
    writeln!(out, "{mark} {}", clipped(text, limits.values))
}

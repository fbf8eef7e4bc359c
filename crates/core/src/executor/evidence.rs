//! The owned details of a failing record in a report, within limits.

use super::canonical::Output;
use super::verdict::Mismatch;
use crate::location::text_of;
use crate::outcome::{Excerpt, Failure};
use crate::parser::{QueryExpectation, Record};

/// Rows shown in front of the first difference.
const CONTEXT_ROWS: u64 = 3;

/// Makes a failure of a mismatch, with at most `limit` values of each side.
pub fn failure(
    mismatch: Mismatch,
    expected: &QueryExpectation<'_>,
    output: &Output<'_>,
    columns: usize,
    limit: usize,
) -> Failure {
    match mismatch {
        Mismatch::Values { at } => {
            let from = window_start(at, columns);
            Failure::RowsDiffer {
                expected: expected_excerpt(expected, from, limit),
                actual: excerpt(output.lines(), from, limit),
                columns,
            }
        }
        Mismatch::Hash { expected, actual } => {
            Failure::HashDiffers { expected, actual, rows: excerpt(output.lines(), 0, limit), columns }
        }
        Mismatch::Presentation { wanted } => Failure::PresentationDiffers { wanted },
    }
}

/// Returns the first value of the row some rows before the value at `at`.
pub fn window_start(at: u64, columns: usize) -> u64 {
    let columns = columns.max(1) as u64;
    (at / columns).saturating_sub(CONTEXT_ROWS) * columns
}

/// Takes `limit` lines of an expectation from the line at `from` on.
pub(crate) fn expected_excerpt(expected: &QueryExpectation<'_>, from: u64, limit: usize) -> Excerpt {
    match expected {
        QueryExpectation::Rows(listed) => excerpt(listed.lines(), from, limit),
        QueryExpectation::Hash(hash) => excerpt(std::iter::once(hash.to_string().as_bytes()), from, limit),
    }
}

/// Takes `limit` values from the value at `from` on.
pub fn excerpt<'l>(lines: impl Iterator<Item = &'l [u8]>, from: u64, limit: usize) -> Excerpt {
    let mut excerpt = Excerpt::default();
    for line in lines {
        if excerpt.omitted_before < from {
            excerpt.omitted_before += 1;
        } else if excerpt.values.len() < limit {
            excerpt.values.push(text_of(line));
        } else {
            excerpt.omitted_after += 1;
        }
    }
    excerpt
}

/// Returns the header line of a record as it stands in the file.
pub fn header_text(bytes: &[u8], record: &Record<'_>) -> String {
    let index = (record.line - record.lines.start) as usize;
    let line = bytes[record.span.clone()].split(|&byte| byte == b'\n').nth(index).unwrap_or_default();
    text_of(line.trim_ascii())
}

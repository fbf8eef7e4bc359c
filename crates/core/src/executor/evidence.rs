//! The owned details of a failing record in a report, within limits.

use crate::location::text_of;
use crate::outcome::Excerpt;
use crate::parser::{QueryExpectation, Record};

/// Rows shown in front of the first difference.
const CONTEXT_ROWS: u64 = 3;

/// Returns the first value of the row some rows before the value at `at`.
pub fn window_start(at: u64, columns: usize) -> u64 {
    let columns = columns.max(1) as u64;
    (at / columns).saturating_sub(CONTEXT_ROWS) * columns
}

/// Takes `limit` lines of an expectation from the line at `from` on.
pub(crate) fn expected_excerpt(expected: &QueryExpectation<'_>, from: u64, limit: usize) -> Excerpt {
    match expected {
        QueryExpectation::Rows(listed) => excerpt(listed.lines(), from, limit),
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => {
            Excerpt::default()
        }
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

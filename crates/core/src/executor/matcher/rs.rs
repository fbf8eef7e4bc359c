//! Compares results as the runner of sqllogictest-rs does.
//!
//! Strict closes its gaps: the columns must be as many as the type letters, letters for numbers need numbers, a hash is
//! right for a result of any size, and text around `<slt:ignore>` is anchored at both ends of the result.

use std::borrow::Cow;

use super::super::cells::CellTable;
use super::super::evidence::{excerpt, window_start};
use super::{CellContext, Suspicions};
use crate::location::text_of;
use crate::outcome::Mismatch;
use crate::parser::{HashLine, Layout, LintKind, Matcher, Query, QueryExpectation, SortMode};
use crate::value::TypeTag;

/// Stands for any text in an expected result.
pub(in crate::executor) const IGNORE: &[u8] = b"<slt:ignore>";

pub(super) fn judge(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    if context.profile.exact {
        let hash = is_hashed(cells, context).then(|| cells.hash_line().to_string().into_bytes());
        let actual = match &hash {
            Some(hash) => ActualLines::of_text(hash),
            None => ActualLines::of_result(cells, context, query),
        };
        return compare(&expected_lines(query), &actual, context).map(|_| Suspicions::new());
    }
    check_columns(query, cells, context)?;
    let hashes = context.threshold > 0 && cells.values() > context.threshold;
    match &query.expected {
        QueryExpectation::Hash(hash) => judge_hash(*hash, cells, context, hashes),
        _ => {
            let actual = ActualLines::of_result(cells, context, query);
            let mut suspicions = compare(&expected_lines(query), &actual, context)?;
            suspicions.extend(hashes.then_some(LintKind::ValuesAboveThreshold));
            Ok(suspicions)
        }
    }
}

/// Returns whether the reference shows a hash in place of the result. It counts the columns by their types, which some
/// engines do not tell.
pub(in crate::executor) fn is_hashed(cells: &CellTable, context: &CellContext<'_>) -> bool {
    let knows_types = cells.types().iter().any(|tag| *tag != TypeTag::Unknown);
    context.threshold > 0
        && cells.values() > context.threshold
        && (context.sort == SortMode::ValueSort || knows_types)
}

/// Compares the columns with the type letters. A query must have a result.
fn check_columns(query: &Query<'_>, cells: &CellTable, context: &CellContext<'_>) -> Result<(), Mismatch> {
    let letters = query.types;
    match context.columns {
        Some(0) => return Err(Mismatch::ColumnCount { expected: letters.len().max(1), actual: 0 }),
        Some(actual) if !letters.is_empty() && actual != letters.len() => {
            return Err(Mismatch::ColumnCount { expected: letters.len(), actual });
        }
        _ => {}
    }
    for (index, (letter, tag)) in letters.iter().zip(cells.types()).enumerate() {
        let found = match (letter, tag) {
            (b'I' | b'R', TypeTag::Text) => Some("text".to_owned()),
            (b'I' | b'R', TypeTag::Blob) => Some("bytes".to_owned()),
            // The engine decides value by value.
            (b'I' | b'R', TypeTag::Unknown | TypeTag::Other) => {
                cells.text_in(index).map(|value| format!("`{}`", text_of(value)))
            }
            _ => None,
        };
        if let Some(actual) = found {
            return Err(Mismatch::ColumnType { column: index + 1, expected: char::from(*letter), actual });
        }
    }
    Ok(())
}

/// A hash is right for a result of any size, and as the only value of a result also as text.
fn judge_hash(
    expected: HashLine,
    cells: &CellTable,
    context: &CellContext<'_>,
    hashes: bool,
) -> Result<Suspicions, Mismatch> {
    let actual = cells.hash_line();
    if expected == actual {
        return Ok((!hashes).then_some(LintKind::HashBelowThreshold).into_iter().collect());
    }
    if cells.values() == 1 && cells.value(0) == expected.to_string().as_bytes() {
        return Ok(Vec::new());
    }
    let rows = excerpt(cells.lines(), 0, context.limit);
    Err(Mismatch::Hash { expected, actual, rows, columns: cells.columns() })
}

fn expected_lines<'s>(query: &Query<'s>) -> Vec<Cow<'s, [u8]>> {
    match &query.expected {
        QueryExpectation::Rows(rows) => rows.lines().map(Cow::Borrowed).collect(),
        QueryExpectation::Hash(hash) => vec![Cow::Owned(hash.to_string().into_bytes())],
        // The dialect has no others.
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => Vec::new(),
    }
}

/// The lines of a result, each of some values.
struct ActualLines<'c> {
    lines: Vec<Vec<&'c [u8]>>,
    /// The other possible lines of the same result, in the fork of VibeSQL.
    other: Option<Vec<Vec<&'c [u8]>>>,
}

impl<'c> ActualLines<'c> {
    fn of_text(text: &'c [u8]) -> Self {
        Self { lines: vec![vec![text]], other: None }
    }

    fn of_result(cells: &'c CellTable, context: &CellContext<'_>, query: &Query<'_>) -> Self {
        let by_value = context.sort == SortMode::ValueSort || context.layout == Layout::Values;
        let names =
            context.names.then(|| cells.names().iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
        let lines = |by_value: bool| -> Vec<Vec<&[u8]>> {
            let rows = (0..cells.rows()).map(|row| cells.row(row).collect::<Vec<_>>());
            let rows = names.iter().cloned().chain(rows);
            if by_value { rows.flatten().map(|value| vec![value]).collect() } else { rows.collect() }
        };
        let is_either = context.profile.matcher == Matcher::Vibesql && !by_value && cells.columns() > 1;
        if !is_either {
            return Self { lines: lines(by_value), other: None };
        }
        // The number of lines decides, so that a mismatch shows the layout of the file.
        let has_values = expected_lines(query).len() as u64 == cells.values();
        let other = (!context.profile.exact).then(|| lines(!has_values));
        Self { lines: lines(has_values), other }
    }
}

fn compare(
    expected: &[Cow<'_, [u8]>],
    actual: &ActualLines<'_>,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    let suspicions = compare_lines(expected, &actual.lines, context.profile.exact);
    let suspicions = suspicions.or_else(|at| {
        let other = actual.other.as_ref().and_then(|other| compare_lines(expected, other, false).ok());
        other.ok_or(at)
    });
    suspicions.map_err(|at| {
        let from = window_start(at as u64, 1);
        let shown: Vec<Vec<u8>> = actual.lines.iter().map(|values| values.join(&b' ')).collect();
        Mismatch::Rows {
            expected: excerpt(expected.iter().map(|line| &line[..]), from, context.limit),
            actual: excerpt(shown.iter().map(Vec::as_slice), from, context.limit),
            columns: 1,
        }
    })
}

/// Compares lines whose white space is folded.
///
/// # Errors
///
/// The index of the first line that differs.
fn compare_lines(
    expected: &[Cow<'_, [u8]>],
    actual: &[Vec<&[u8]>],
    exact: bool,
) -> Result<Suspicions, usize> {
    if expected.iter().any(|line| memchr::memmem::find(line, IGNORE).is_some()) {
        let actual: Vec<Vec<u8>> = actual.iter().map(|values| values.join(&b' ')).collect();
        let (expected, actual) = (expected.join(&b'\n'), actual.join(&b'\n'));
        return if holds_fragments(&expected, &actual, exact) { Ok(Vec::new()) } else { Err(0) };
    }
    let mut is_folded = false;
    for (index, (line, values)) in expected.iter().zip(actual).enumerate() {
        let folded: Vec<Cow<'_, [u8]>> = values.iter().map(|value| fold(value)).collect();
        if folded.join(&b' ') != fold(line).as_ref() {
            return Err(index);
        }
        let was_changed = folded.iter().zip(values).any(|(folded, value)| folded != value);
        is_folded |= was_changed && values.join(&b' ') != line.as_ref();
    }
    if expected.len() != actual.len() {
        return Err(expected.len().min(actual.len()));
    }
    Ok(is_folded.then_some(LintKind::WhiteSpaceFolded).into_iter().collect())
}

/// Returns whether the text around `<slt:ignore>` occurs in this order. Only the reference accepts other text in front of
/// the first fragment and behind the last one.
fn holds_fragments(expected: &[u8], actual: &[u8], exact: bool) -> bool {
    let mut fragments = Vec::new();
    let mut rest = expected;
    while let Some(at) = memchr::memmem::find(rest, IGNORE) {
        fragments.push(&rest[..at]);
        rest = &rest[at + IGNORE.len()..];
    }
    let mut actual = actual;
    if !exact {
        let Some((first, middle)) = fragments.split_first() else { return expected == actual };
        let inside = actual.strip_prefix(*first).and_then(|actual| actual.strip_suffix(rest));
        let Some(inside) = inside else { return false };
        actual = inside;
        fragments = middle.to_vec();
    } else {
        fragments.push(rest);
    }
    fragments.into_iter().all(|fragment| match memchr::memmem::find(actual, fragment) {
        Some(at) => {
            actual = &actual[at + fragment.len()..];
            true
        }
        None => false,
    })
}

/// Removes white space around a text, and makes one blank of all other white space.
pub(in crate::executor) fn fold(text: &[u8]) -> Cow<'_, [u8]> {
    let trimmed = std::str::from_utf8(text).map_or(text, |text| text.trim().as_bytes());
    let words = || trimmed.split(u8::is_ascii_whitespace);
    if words().all(|word| !word.is_empty()) && !trimmed.iter().any(|byte| b"\t\n\x0c\r".contains(byte)) {
        return Cow::Borrowed(trimmed);
    }
    Cow::Owned(words().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(&b' '))
}

#[cfg(test)]
mod tests;

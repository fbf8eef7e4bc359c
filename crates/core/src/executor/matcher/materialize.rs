//! Compares results as the runner of Materialize does: a value on each line, or a row on each line.

use std::borrow::Cow;

use super::super::cells::CellTable;
use super::super::evidence::{excerpt, window_start};
use super::{CellContext, Suspicions};
use crate::outcome::{Excerpt, Mismatch};
use crate::parser::{Block, HashLine, Layout, Query, QueryExpectation, SortMode};

/// Stands for a blank within a value of a row.
const BLANK: &str = "\u{2420}";

pub(super) fn judge(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    let (expected, actual) = (query.types.len(), context.columns.unwrap_or(0));
    if expected != actual {
        return Err(Mismatch::ColumnCount { expected, actual });
    }
    if let Some(wrong) = cells.wrong_type() {
        return Err(Mismatch::ColumnType {
            column: wrong.column + 1,
            expected: char::from(wrong.letter),
            actual: wrong.found.to_owned(),
        });
    }
    match &query.expected {
        QueryExpectation::Rows(listed) => judge_listed(query, *listed, cells, context)?,
        QueryExpectation::Hash(hash) if is_listed(*hash, cells) => {}
        QueryExpectation::Hash(hash) => judge_hash(*hash, cells, context)?,
        // The dialect has no others here.
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => {}
    }
    Ok(Vec::new())
}

fn judge_listed(
    query: &Query<'_>,
    listed: Block<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<(), Mismatch> {
    if query.layout == Layout::Text {
        return judge_text(listed, cells, context);
    }
    let mut lines = listed.lines();
    if context.names {
        let names = lines.next().unwrap_or_default();
        let expected = values_of_names(names);
        if !expected.iter().map(Vec::as_slice).eq(cells.names().iter().map(String::as_bytes)) {
            let actual = cells.names().iter().map(String::as_bytes);
            return Err(rows_differ(
                excerpt(expected.iter().map(Vec::as_slice), 0, context.limit),
                excerpt(actual, 0, context.limit),
                cells.columns(),
            ));
        }
    }
    if context.layout == Layout::Rows {
        judge_rows(lines, cells, context)
    } else {
        let lines: Vec<&[u8]> = lines.collect();
        judge_values(&lines, cells, context)
    }
}

/// Compares the lines as one value.
fn judge_text(listed: Block<'_>, cells: &CellTable, context: &CellContext<'_>) -> Result<(), Mismatch> {
    let expected: Vec<&[u8]> = listed.lines().collect();
    let actual: Vec<&[u8]> = cells.lines().flat_map(|value| value.split(|&byte| byte == b'\n')).collect();
    if cells.values() == 1 && expected == actual {
        return Ok(());
    }
    Err(rows_differ(
        excerpt(expected.into_iter(), 0, context.limit),
        excerpt(actual.into_iter(), 0, context.limit),
        1,
    ))
}

/// Compares a value with each line.
fn judge_values(lines: &[&[u8]], cells: &CellTable, context: &CellContext<'_>) -> Result<(), Mismatch> {
    if lines.iter().copied().eq(cells.lines()) {
        return Ok(());
    }
    let at = lines.iter().zip(cells.lines()).take_while(|(line, value)| **line == *value).count();
    let from = window_start(at as u64, cells.columns());
    Err(rows_differ(
        excerpt(lines.iter().copied(), from, context.limit),
        excerpt(cells.lines(), from, context.limit),
        cells.columns(),
    ))
}

/// Compares a row with each line. On request both sides are sorted.
fn judge_rows<'l>(
    lines: impl Iterator<Item = &'l [u8]>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<(), Mismatch> {
    let columns = cells.columns();
    let mut expected: Vec<Vec<Vec<u8>>> = lines.map(|line| row_of_line(line, columns)).collect();
    let has_gaps = expected.iter().any(|row| row.len() != columns);
    let mut equal = !has_gaps && {
        sort_rows(&mut expected, context.sort, columns);
        expected.iter().flatten().map(Vec::as_slice).eq(cells.lines())
    };
    // Its own runner does not look at the ends of unsorted rows.
    if has_gaps && context.profile.exact && context.sort == SortMode::NoSort {
        equal = expected.iter().flatten().map(Vec::as_slice).eq(cells.lines());
    }
    if equal {
        return Ok(());
    }
    let values: Vec<&[u8]> = expected.iter().flatten().map(Vec::as_slice).collect();
    let at = values.iter().zip(cells.lines()).take_while(|(one, other)| **one == *other).count();
    let from = window_start(at as u64, columns);
    Err(rows_differ(
        excerpt(values.into_iter(), from, context.limit),
        excerpt(cells.lines(), from, context.limit),
        columns,
    ))
}

/// Returns the names of columns on the first line.
pub(in crate::executor) fn values_of_names(line: &[u8]) -> Vec<Vec<u8>> {
    words(line).map(with_blanks).collect()
}

/// Writes a value as it stands on a line: beside others, and at both ends, its blanks are signs.
pub(in crate::executor) fn written(value: &[u8], is_beside_others: bool) -> Cow<'_, [u8]> {
    let is_padded = value.trim_ascii().len() != value.len();
    if !value.contains(&b' ') || !is_beside_others && !is_padded {
        return Cow::Borrowed(value);
    }
    let parts: Vec<&[u8]> = value.split(|&byte| byte == b' ').collect();
    Cow::Owned(parts.join(BLANK.as_bytes()))
}

/// Returns the values of a line. The only value of a row may contain blanks.
pub(in crate::executor) fn row_of_line(line: &[u8], columns: usize) -> Vec<Vec<u8>> {
    if columns == 1 { vec![with_blanks(line.trim_ascii())] } else { words(line).map(with_blanks).collect() }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Replaces the signs for blanks.
fn with_blanks(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, BLANK.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.push(b' ');
        rest = &rest[at + BLANK.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Sorts expected rows as the result has been sorted. After a sort by values, rows have one value each.
fn sort_rows(rows: &mut Vec<Vec<Vec<u8>>>, sort: SortMode, columns: usize) {
    match sort {
        SortMode::NoSort => {}
        SortMode::RowSort => rows.sort(),
        SortMode::ValueSort => {
            *rows = std::mem::take(rows).into_iter().flatten().map(|value| vec![value]).collect();
            rows.sort();
        }
        SortMode::PartialSort(mask) => {
            let is_key = |column: usize| column < 64 && mask >> column & 1 == 1;
            let same_key = |one: &Vec<Vec<u8>>, other: &Vec<Vec<u8>>| {
                (0..columns).filter(|column| is_key(*column)).all(|column| one[column] == other[column])
            };
            rows.chunk_by_mut(same_key).for_each(<[_]>::sort);
        }
    }
}

/// Returns whether the only value of the result is the text of the hash line.
fn is_listed(hash: HashLine, cells: &CellTable) -> bool {
    cells.values() == 1 && cells.value(0) == hash.to_string().as_bytes()
}

fn judge_hash(expected: HashLine, cells: &CellTable, context: &CellContext<'_>) -> Result<(), Mismatch> {
    let actual = cells.hash_line();
    if actual == expected {
        return Ok(());
    }
    let rows = excerpt(cells.lines(), 0, context.limit);
    Err(Mismatch::Hash { expected, actual, rows, columns: cells.columns() })
}

fn rows_differ(expected: Excerpt, actual: Excerpt, columns: usize) -> Mismatch {
    Mismatch::Rows { expected, actual, columns }
}

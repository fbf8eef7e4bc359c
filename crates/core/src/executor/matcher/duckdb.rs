//! Compares results as the runner of DuckDB does.
//!
//! | the runner compares no values | strict |
//! |---|---|
//! | of a query with a label | compares them |
//! | above the hash threshold | compares them |
//! | if a NULL of a BOOLEAN column stands where no truth value is expected | compares them |

mod csv;
pub(in crate::executor) mod number;

use std::borrow::Cow;

use self::number::Equality;
use super::super::cells::{CellKind, CellTable};
use super::super::evidence::{excerpt, window_start};
use super::super::verdict::matches_whole;
use super::{CellContext, Suspicions};
use crate::outcome::{Excerpt, Mismatch};
use crate::parser::{HashLine, LintKind, Query, QueryExpectation};
use crate::value::TypeTag;

pub(super) fn judge(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    let exact = context.profile.exact;
    let is_hashed = context.threshold > 0 && cells.values() > context.threshold;
    let columns = query.types.len();
    let hides_values = exact && (is_hashed || query.label.is_some());
    let actual = context.columns.unwrap_or(cells.columns());
    match &query.expected {
        QueryExpectation::Hash(hash) if exact => judge_hash(*hash, cells, context),
        _ if hides_values => Ok(Vec::new()),
        // It is judged without regard to the values, which are not even there.
        _ if actual != columns => Err(Mismatch::ColumnCount { expected: columns, actual }),
        QueryExpectation::Hash(hash) => judge_hash(*hash, cells, context),
        QueryExpectation::Rows(block) => {
            let lines: Vec<_> = block.lines().map(Cow::Borrowed).collect();
            judge_lines(lines, cells, context)
        }
        QueryExpectation::File(_) => match csv::values(context.file.unwrap_or_default(), columns) {
            Some(values) => judge_lines(values, cells, context),
            None => Err(rows_differ(&[], cells, context, 0)),
        },
        // The label says the rest. The executor handles expected errors.
        QueryExpectation::Label | QueryExpectation::Error(_) => Ok(Vec::new()),
    }
}

fn judge_hash(
    expected: HashLine,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    let actual = cells.hash_line();
    if expected == actual {
        return Ok(Vec::new());
    }
    let rows = excerpt(cells.lines(), 0, context.limit);
    Err(Mismatch::Hash { expected, actual, rows, columns: cells.columns() })
}

fn judge_lines(
    lines: Vec<Cow<'_, [u8]>>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    let columns = cells.columns().max(1);
    let is_row = |line: &Cow<'_, [u8]>| memchr::memchr(b'\t', line).is_some();
    let has_rows = lines.iter().all(is_row);
    let expected: Vec<&[u8]> = if has_rows {
        lines.iter().flat_map(|line| row(line)).collect()
    } else {
        lines.iter().map(|line| &**line).collect()
    };
    // Rows may have the right number of values altogether.
    let is_even = !has_rows || lines.iter().all(|line| row(line).count() == columns);
    let found = cells.values() as usize;
    let mut suspicions = Vec::new();
    for (index, wanted) in expected.iter().enumerate().take(found) {
        match equality(wanted, index, cells, context) {
            Equality::Equal => {}
            Equality::WithinTolerance => {
                if suspicions.is_empty() {
                    suspicions.push(LintKind::WithinTolerance);
                }
            }
            Equality::Different => return Err(rows_differ(&expected, cells, context, index)),
        }
    }
    if !is_even || expected.len() != found {
        return Err(rows_differ(&expected, cells, context, expected.len().min(found)));
    }
    Ok(suspicions)
}

/// Returns the cells of a row; empty ones do not count.
pub(in crate::executor) fn row(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b'\t').filter(|cell| !cell.is_empty())
}

fn rows_differ(expected: &[&[u8]], cells: &CellTable, context: &CellContext<'_>, at: usize) -> Mismatch {
    let columns = cells.columns().max(1);
    let from = window_start(at as u64, columns);
    let part = |lines: &mut dyn Iterator<Item = &[u8]>| -> Excerpt {
        excerpt(lines.collect::<Vec<_>>().into_iter(), from, context.limit)
    };
    Mismatch::Rows {
        expected: part(&mut expected.iter().copied()),
        actual: part(&mut cells.lines()),
        columns,
    }
}

/// Compares a value with an expected one.
pub(in crate::executor) fn equality(
    expected: &[u8],
    index: usize,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Equality {
    let actual = cells.value(index);
    if actual == expected || (context.replaced)(expected).is_some_and(|replaced| replaced == actual) {
        return Equality::Equal;
    }
    if let Some(pattern) = expected.strip_prefix(b"<REGEX>:") {
        return if matches(pattern, actual) == Some(true) { Equality::Equal } else { Equality::Different };
    }
    if let Some(pattern) = expected.strip_prefix(b"<!REGEX>:") {
        return if matches(pattern, actual) == Some(false) { Equality::Equal } else { Equality::Different };
    }
    let column = index % cells.columns().max(1);
    match cells.kind(index) {
        CellKind::Integer | CellKind::Decimal => number::compare_exact(actual, expected),
        CellKind::Real => number::compare_real(actual, expected),
        CellKind::Boolean => match truth(expected) {
            Some(truth) if [truth] == actual => Equality::Equal,
            _ => Equality::Different,
        },
        // A gap of DuckDB's runner: no truth value on both sides.
        CellKind::Null
            if context.profile.exact
                && cells.types().get(column) == Some(&TypeTag::Boolean)
                && truth(expected).is_none() =>
        {
            Equality::Equal
        }
        CellKind::Null | CellKind::Text => Equality::Different,
    }
}

fn truth(text: &[u8]) -> Option<u8> {
    match text.to_ascii_lowercase().as_slice() {
        b"true" | b"1" => Some(b'1'),
        b"false" | b"0" => Some(b'0'),
        _ => None,
    }
}

fn matches(pattern: &[u8], text: &[u8]) -> Option<bool> {
    matches_whole(std::str::from_utf8(pattern).ok()?, &String::from_utf8_lossy(text))
}

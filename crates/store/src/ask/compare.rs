//! Compares two answers to one statement (pure functions).

use std::collections::HashMap;

use super::answer::Answer;
use crate::Cell;
use slt_runner::text::count::plural;

/// The rows that a statement allows as its answer, with further rows of SQLite if needed.
#[derive(Debug, Clone, Copy)]
pub enum RowRule<'a> {
    /// These rows in this order.
    Exactly,
    /// These rows in any order.
    AnyOrder,
    /// As many rows, in any order, out of these.
    SomeOf(&'a [Vec<Cell>]),
    /// A part of these rows, sorted by keys. Rows with equal keys may have any order.
    Sorted {
        /// All rows, as SQLite sorts them, with their keys.
        all: &'a [Vec<Cell>],
        /// The columns of the keys.
        keys: &'a [SortKey],
        /// The first row of the answer among these.
        offset: usize,
    },
}

/// A sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// Its column.
    pub place: usize,
    /// Whether the case of ASCII letters makes no difference.
    pub nocase: bool,
}

/// The difference between two answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerDifference {
    /// The numbers of columns differ.
    #[error("{} in place of {sqlite}", plural(*.vibesql as u64, "column"))]
    Columns {
        /// SQLite's number.
        sqlite: usize,
        /// VibeSQL's number.
        vibesql: usize,
    },
    /// The numbers of rows differ.
    #[error("{} in place of {sqlite}", plural(*.vibesql as u64, "row"))]
    Count {
        /// SQLite's number.
        sqlite: usize,
        /// VibeSQL's number.
        vibesql: usize,
    },
    /// Values differ.
    #[error("{} that SQLite has not", plural(*.0 as u64, "row"))]
    Rows(usize),
    /// Only the order of the rows differs.
    #[error("another order of the rows")]
    Order,
}

/// Checks whether VibeSQL's answer is possible, if SQLite's is right.
///
/// | rule | VibeSQL's rows |
/// |---|---|
/// | exactly | equal SQLite's one by one |
/// | any order | are SQLite's, each as often |
/// | some of | are as many as SQLite's, each at most as often as among all rows |
/// | sorted | are as many as SQLite's, and in each group of equal keys at most as often as in that group |
///
/// # Errors
///
/// The first [`AnswerDifference`].
pub fn compare(sqlite: &Answer, vibesql: &Answer, rule: RowRule<'_>) -> Result<(), AnswerDifference> {
    let width = sqlite.columns.len();
    if let Some(wrong) = vibesql.rows.iter().find(|row| row.len() != width) {
        return Err(AnswerDifference::Columns { sqlite: width, vibesql: wrong.len() });
    }
    let (expected, found) = (&sqlite.rows, &vibesql.rows);
    if expected.len() != found.len() {
        return Err(AnswerDifference::Count { sqlite: expected.len(), vibesql: found.len() });
    }
    if expected.iter().zip(found).all(|(one, other)| same_row(one, other)) {
        return Ok(());
    }
    match rule {
        RowRule::Exactly => match missing(found.iter(), expected.iter(), width) {
            0 => Err(AnswerDifference::Order),
            count => Err(AnswerDifference::Rows(count)),
        },
        RowRule::AnyOrder => none(missing(found.iter(), expected.iter(), width)),
        RowRule::SomeOf(_) | RowRule::Sorted { .. } => fits(found, width, rule),
    }
}

/// Checks rows against a rule that limits the set of rows; the other rules allow all rows.
pub(super) fn fits(found: &[Vec<Cell>], width: usize, rule: RowRule<'_>) -> Result<(), AnswerDifference> {
    match rule {
        RowRule::Exactly | RowRule::AnyOrder => Ok(()),
        RowRule::SomeOf(all) => none(missing(found.iter(), all.iter(), width)),
        RowRule::Sorted { all, keys, offset } => sorted(found, all, keys, offset, width),
    }
}

fn none(missing: usize) -> Result<(), AnswerDifference> {
    if missing == 0 { Ok(()) } else { Err(AnswerDifference::Rows(missing)) }
}

/// Checks each group of equal keys: the rows in its place must be from the group.
fn sorted(
    found: &[Vec<Cell>],
    all: &[Vec<Cell>],
    keys: &[SortKey],
    offset: usize,
    width: usize,
) -> Result<(), AnswerDifference> {
    let last = offset + found.len();
    let equal = |one: &[Cell], other: &[Cell]| keys.iter().all(|key| same_key(one, other, *key));
    let (mut start, mut wrong) = (0, 0);
    while start < all.len() && start < last {
        let end = (start + 1..all.len()).find(|&at| !equal(&all[start], &all[at])).unwrap_or(all.len());
        let shown = start.max(offset)..end.min(last);
        if shown.start < shown.end {
            let rows = &found[shown.start - offset..shown.end - offset];
            wrong += missing(rows.iter(), all[start..end].iter(), width);
        }
        start = end;
    }
    if wrong == 0 && all.len() >= last {
        return Ok(());
    }
    match missing(found.iter(), all.iter(), width) {
        0 => Err(AnswerDifference::Order),
        count => Err(AnswerDifference::Rows(count)),
    }
}

/// Returns the number of rows that are not among the allowed ones, each of which matches only one row.
fn missing<'v>(
    rows: impl Iterator<Item = &'v Vec<Cell>>,
    there: impl Iterator<Item = &'v Vec<Cell>>,
    width: usize,
) -> usize {
    let mut known: HashMap<Vec<ExactValue<'_>>, Vec<&Vec<Cell>>> = HashMap::new();
    for row in there {
        known.entry(exact(&row[..width])).or_default().push(row);
    }
    let others: Vec<_> =
        rows.filter(|row| known.get_mut(&exact(row)).is_none_or(|same| same.pop().is_none())).collect();
    if others.is_empty() {
        return 0;
    }
    // The rest may differ by rounding.
    let mut left: Vec<_> = known.into_values().flatten().collect();
    let mut missing = 0;
    for row in others {
        match left.iter().position(|there| same_row(&there[..width], row)) {
            Some(place) => drop(left.swap_remove(place)),
            None => missing += 1,
        }
    }
    missing
}

/// A value for hashing: equal numbers are equal, for any types.
#[derive(PartialEq, Eq, Hash)]
enum ExactValue<'v> {
    Null,
    Integer(i64),
    Real(u64),
    Text(&'v str),
    Blob(&'v [u8]),
}

fn exact(row: &[Cell]) -> Vec<ExactValue<'_>> {
    row.iter()
        .map(|value| match value {
            Cell::Null => ExactValue::Null,
            Cell::Integer(number) => ExactValue::Integer(*number),
            Cell::Real(number) => {
                whole(*number).map_or(ExactValue::Real(number.to_bits()), ExactValue::Integer)
            }
            Cell::Text(text) => ExactValue::Text(text),
            Cell::Blob(bytes) => ExactValue::Blob(bytes),
        })
        .collect()
}

/// Converts a number to an equal integer, if there is one.
fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    (whole as f64 == number && whole != i64::MAX).then_some(whole)
}

fn same_row(one: &[Cell], other: &[Cell]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}

/// Compares values, and allows rounding differences, because sums depend on the order of their parts.
fn same(one: &Cell, other: &Cell) -> bool {
    match (one, other) {
        (Cell::Integer(one), Cell::Integer(other)) => one == other,
        (Cell::Integer(_) | Cell::Real(_), Cell::Integer(_) | Cell::Real(_)) => {
            close(number(one), number(other))
        }
        _ => one == other,
    }
}

fn number(value: &Cell) -> f64 {
    match value {
        Cell::Integer(number) => *number as f64,
        Cell::Real(number) => *number,
        Cell::Null | Cell::Text(_) | Cell::Blob(_) => f64::NAN,
    }
}

fn close(one: f64, other: f64) -> bool {
    let largest = one.abs().max(other.abs());
    // Only infinity is close to infinity.
    one == other || largest.is_finite() && (one - other).abs() <= 1e-9 * largest
}

/// Compares keys as SQLite does, without tolerance.
fn same_key(one: &[Cell], other: &[Cell], key: SortKey) -> bool {
    match (&one[key.place], &other[key.place]) {
        (Cell::Text(one), Cell::Text(other)) if key.nocase => one.eq_ignore_ascii_case(other),
        (Cell::Integer(_) | Cell::Real(_), Cell::Integer(_) | Cell::Real(_)) => {
            exact(&one[key.place..=key.place]) == exact(&other[key.place..=key.place])
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        use Cell::{Integer, Null, Real};
        for (one, other, expected) in [
            (Integer(1), Real(1.0), true),
            (Real(0.1 + 0.2), Real(0.3), true),
            (Real(1.0), Real(1.000_001), false),
            (Integer(i64::MAX), Integer(i64::MAX - 1), false),
            (Integer(0), Real(-0.0), true),
            (Integer(0), Null, false),
            (Cell::text("1"), Integer(1), false),
            (Cell::text("a"), Cell::text("A"), false),
            (Real(f64::INFINITY), Real(f64::INFINITY), true),
            (Real(f64::INFINITY), Real(1.0), false),
        ] {
            let answer =
                |value: &Cell| Answer { columns: vec!["a".to_owned()], rows: vec![vec![value.clone()]] };
            let found = compare(&answer(&one), &answer(&other), RowRule::AnyOrder).is_ok();
            assert_eq!(found, expected, "{one:?} {other:?}");
        }
    }
}

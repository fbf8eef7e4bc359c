//! The order of rows.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::super::super::cells::CellTable;
use super::words::WordRow;
use crate::outcome::Mismatch;
use crate::parser::{Query, SortMode};

/// Sorts the rows after the first `fixed` ones. With several columns each value is a word.
pub(super) fn arrange(rows: &mut Vec<WordRow<'_>>, fixed: usize, sort: SortMode, columns: usize) {
    match sort {
        SortMode::NoSort => {}
        SortMode::RowSort => rows[fixed..].sort_by(|one, other| texts(one).cmp(texts(other))),
        SortMode::ValueSort => {
            if columns > 1 {
                let values = rows.split_off(fixed).into_iter().flatten().map(|word| vec![word]);
                rows.extend(values);
            }
            rows[fixed..].sort_by(|one, other| texts(one).cmp(texts(other)));
        }
        SortMode::PartialSort(mask) => {
            let is_key = |column: usize| column < 64 && mask >> column & 1 == 1;
            let same_key = |one: &WordRow<'_>, other: &WordRow<'_>| {
                (0..columns).filter(|column| is_key(*column)).all(|column| {
                    let text = |row: &WordRow<'_>| row.get(column).map(|word| word.text.to_vec());
                    if columns == 1 { texts(one).eq(texts(other)) } else { text(one) == text(other) }
                })
            };
            for group in rows[fixed..].chunk_by_mut(same_key) {
                group.sort_by(|one, other| texts(one).cmp(texts(other)));
            }
        }
    }
}

fn texts<'r>(row: &'r WordRow<'_>) -> impl Iterator<Item = &'r [u8]> {
    row.iter().map(|word| word.text)
}

/// Checks that the order of several rows is certain.
///
/// # Errors
///
/// The [`Mismatch`] of a query that may return its rows in another order.
pub(super) fn check(query: &Query<'_>, cells: &CellTable) -> Result<(), Mismatch> {
    static ORDERED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i-u)\b(?:ORDER\s+BY|EXPLAIN|SHOW\s+(?:KV\s+)?TRACE)\b").ok());
    if query.sort.is_some() || cells.rows() < 2 {
        return Ok(());
    }
    let first: Vec<&[u8]> = cells.row(0).collect();
    if (1..cells.rows()).all(|row| cells.row(row).eq(first.iter().copied())) {
        return Ok(());
    }
    let sql = query.sql.joined();
    if ORDERED.as_ref().is_none_or(|ordered| ordered.is_match(&sql)) {
        return Ok(());
    }
    Err(Mismatch::UncertainOrder)
}

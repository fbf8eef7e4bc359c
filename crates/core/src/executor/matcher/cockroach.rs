//! Compares results as the runner of CockroachDB does: words, with both sides sorted on request.
//!
//! The strict dialect compares rows with lines, so that words cannot move from one row to another.

mod order;
pub(in crate::executor) mod words;

use super::super::canonical::digest_of_lines;
use super::super::cells::CellTable;
use super::super::evidence::{excerpt, window_start};
use super::{CellContext, Suspicions};
use crate::location::text_of;
use crate::outcome::Mismatch;
use crate::parser::{HashLine, Query, QueryExpectation, SortMode};
use words::{ResultRow, Word, WordRow};

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
    let sorts = context.sort != SortMode::NoSort;
    let rows = words::rows(query.types, cells, context.names);
    match &query.expected {
        QueryExpectation::Rows(listed) => {
            let lines: Vec<_> = listed.lines().map(words::line).collect();
            let equal = if sorts {
                equal_sorted(query, lines, &rows, context)
            } else if context.profile.exact {
                words::equal_streams(&lines, &rows)
            } else {
                words::equal_rows(&lines, &rows)
            };
            if !equal {
                return Err(difference(query, &rows, context));
            }
        }
        QueryExpectation::Hash(hash) => judge_hash(*hash, query, &rows, context)?,
        // The caller compares the results of a label.
        QueryExpectation::File(_) | QueryExpectation::Error(_) | QueryExpectation::Label => {}
    }
    order::check(query, cells)?;
    Ok(Vec::new())
}

/// Compares both sides in the same order. The names of columns come first on both.
fn equal_sorted<'w>(
    query: &Query<'_>,
    mut lines: Vec<WordRow<'w>>,
    rows: &[ResultRow<'w>],
    context: &CellContext<'_>,
) -> bool {
    let mut actual: Vec<WordRow<'w>> = rows.iter().map(|row| row.words.clone()).collect();
    let names = usize::from(context.names);
    // Its own runner sorts the names with the values.
    let fixed = if context.profile.exact { 0 } else { names };
    if lines.len() < fixed || actual.len() < fixed {
        return false;
    }
    for side in [&mut lines, &mut actual] {
        order::arrange(side, fixed, context.sort, query.types.len());
    }
    words::equal_lines(&lines, &actual)
}

/// Compares the hash of all words.
fn judge_hash(
    expected: HashLine,
    query: &Query<'_>,
    rows: &[ResultRow<'_>],
    context: &CellContext<'_>,
) -> Result<(), Mismatch> {
    let values = hashed_values(query, rows, context);
    let actual = hash_of(&values);
    if actual == expected {
        return Ok(());
    }
    let rows = excerpt(values.iter().map(Vec::as_slice), 0, context.limit);
    Err(Mismatch::Hash { expected, actual, rows, columns: query.types.len() })
}

/// Returns the hash line that stands for a result.
pub(in crate::executor) fn hash_line(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> HashLine {
    hash_of(&hashed_values(query, &words::rows(query.types, cells, context.names), context))
}

fn hash_of(values: &[Vec<u8>]) -> HashLine {
    let digest = digest_of_lines(values.iter().map(Vec::as_slice)).0;
    HashLine { values: values.len() as u64, digest }
}

/// Returns what is hashed: all words; of a sorted column each value as a whole.
fn hashed_values(query: &Query<'_>, rows: &[ResultRow<'_>], context: &CellContext<'_>) -> Vec<Vec<u8>> {
    let columns = query.types.len();
    let sorts = context.sort != SortMode::NoSort;
    let mut lines: Vec<WordRow<'_>> = rows.iter().map(|row| row.words.clone()).collect();
    if sorts {
        let fixed = if context.profile.exact { 0 } else { usize::from(context.names) };
        order::arrange(&mut lines, fixed, context.sort, columns);
    }
    if sorts && columns == 1 {
        lines.iter().map(|line| words::joined(line)).collect()
    } else {
        lines.iter().flatten().map(|word| word.text.to_vec()).collect()
    }
}

/// Returns the mismatch with the lines of both sides as they stand in the file and in the result.
fn difference(query: &Query<'_>, rows: &[ResultRow<'_>], context: &CellContext<'_>) -> Mismatch {
    let QueryExpectation::Rows(listed) = &query.expected else {
        return Mismatch::Presentation { wanted: "listed values".to_owned() };
    };
    let shown: Vec<Vec<u8>> = rows.iter().map(|row| words::joined(&row.words)).collect();
    let lines: Vec<Vec<u8>> = listed.lines().map(|line| words::joined(&words::line(line))).collect();
    let sorts = context.sort != SortMode::NoSort;
    let at = lines.iter().zip(&shown).take_while(|(line, row)| line == row).count();
    let from = if sorts { 0 } else { window_start(at as u64, 1) };
    Mismatch::Rows {
        expected: excerpt(lines.iter().map(Vec::as_slice), from, context.limit),
        actual: excerpt(shown.iter().map(Vec::as_slice), from, context.limit),
        columns: 1,
    }
}

/// Returns a word as text, for numbers.
fn number(word: &Word<'_>) -> Option<f64> {
    text_of(word.text).parse().ok()
}

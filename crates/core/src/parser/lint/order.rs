//! The order of expected rows, and words that should be sort modes.

use super::rows::FileState;
use super::{LintFinding, LintRule};
use crate::location::text_of;
use crate::parser::lines::is_space;
use crate::parser::record::SortMode;

/// Words that are meant to be sort modes resemble one of these.
const SORT_MODES: [&str; 3] = ["nosort", "rowsort", "valuesort"];

/// The number of letters that may differ from a sort mode.
const MOST_EDITS: usize = 2;

pub(super) fn find(queries: &[FileState<'_, '_>], found: &mut Vec<LintFinding>) {
    for query in queries {
        let line = query.line();
        if let Some(text) = unsorted(query) {
            found.push(LintFinding::new(line, LintRule::UnsortedExpectation, text));
        }
        if let Some(rows) = without_order(query) {
            let text = format!("{rows} rows without a sort mode, from a query without ORDER BY");
            found.push(LintFinding::new(line, LintRule::NoOrder, text));
        }
        let connection = query.record.connection().map(|connection| connection.name);
        for (kind, word) in [("label", query.query.label), ("connection", connection)] {
            if let Some((word, mode)) = word.and_then(|word| Some((word, meant(word)?))) {
                let text = format!("the {kind} `{}` looks like the sort mode `{mode}`", text_of(word));
                found.push(LintFinding::new(line, LintRule::MisspeltSortMode, text));
            }
        }
    }
}

fn unsorted(query: &FileState<'_, '_>) -> Option<String> {
    let sort = query.sort();
    if !matches!(sort, SortMode::RowSort | SortMode::ValueSort) {
        return None;
    }
    let rows = query.rows()?;
    let wrong = match sort {
        SortMode::ValueSort => {
            let values: Vec<_> = rows.iter().flatten().collect();
            let at = values.windows(2).position(|pair| pair[0] > pair[1])?;
            (shown(values[at]), shown(values[at + 1]))
        }
        _ => {
            let at = rows.windows(2).position(|pair| pair[0] > pair[1])?;
            let row = |at: usize| shown(&rows[at].join(&b' '));
            (row(at), row(at + 1))
        }
    };
    let (first, second) = wrong;
    Some(format!(
        "the expected rows are not sorted: {second} must stand before {first} under `{}`",
        sort.word()
    ))
}

/// The number of characters of a row that a message shows.
const SHOWN: usize = 40;

fn shown(text: &[u8]) -> String {
    let text = text_of(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Returns the number of rows whose order nothing defines.
fn without_order(query: &FileState<'_, '_>) -> Option<u64> {
    let columns = query.query.types.len() as u64;
    if query.query.sort.is_some() || query.usual_sort.is_some() || columns == 0 {
        return None;
    }
    let rows = match query.hash() {
        Some(hash) => hash.values / columns,
        None => query.rows()?.len() as u64,
    };
    if rows < 2 {
        return None;
    }
    let sql = query.query.sql.joined();
    let sql = sql.trim_ascii_start();
    let starts = |word: &[u8]| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let reads_rows = [&b"select"[..], b"with", b"from", b"table"].iter().any(|word| starts(word));
    (reads_rows && !has_order(sql)).then_some(rows)
}

/// Returns whether SQL has the words ORDER BY anywhere.
fn has_order(sql: &[u8]) -> bool {
    let mut words = sql.split(|&byte| is_space(byte) || byte == b'(').filter(|word| !word.is_empty());
    let mut before: &[u8] = b"";
    words.any(|word| {
        let is_order = before.eq_ignore_ascii_case(b"order") && word.eq_ignore_ascii_case(b"by");
        before = word;
        is_order
    })
}

/// Returns the sort mode that a word resembles.
fn meant(word: &[u8]) -> Option<&'static str> {
    if SORT_MODES.iter().any(|mode| mode.as_bytes() == word) {
        return None;
    }
    SORT_MODES.into_iter().find(|mode| edits(word, mode.as_bytes()) <= MOST_EDITS)
}

/// Returns the number of letters to insert, remove, replace or swap with the next one, to make one word of the other.
fn edits(one: &[u8], other: &[u8]) -> usize {
    if one.len().abs_diff(other.len()) > MOST_EDITS {
        return usize::MAX;
    }
    let mut two_before = Vec::new();
    let mut before: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let replaced = before[column] + usize::from(letter != wanted);
            let mut least = replaced.min(before[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted {
                least = least.min(two_before_at(&two_before, column - 1) + 1);
            }
            line.push(least);
        }
        two_before = std::mem::replace(&mut before, line);
    }
    before[other.len()]
}

fn two_before_at(line: &[usize], column: usize) -> usize {
    line.get(column).copied().unwrap_or(usize::MAX - 1)
}

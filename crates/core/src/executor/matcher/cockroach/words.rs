//! Lines and rows as words.

use super::super::super::cells::CellTable;
use super::number;

/// A word of a line, or of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::executor) struct Word<'w> {
    pub(in crate::executor) text: &'w [u8],
    /// The column of the value that it is part of; 0 in a line.
    column: usize,
    /// Whether it is part of a number that is compared to 15 digits.
    is_float: bool,
}

/// The words of a row or a line.
pub(in crate::executor) type WordRow<'w> = Vec<Word<'w>>;

/// A row of the result.
pub(in crate::executor) struct ResultRow<'w> {
    pub(in crate::executor) words: WordRow<'w>,
    /// Its words line by line, if a value has several lines: each line has the lines with the same number of all values.
    by_lines: Option<WordRow<'w>>,
}

/// Returns the words of a line.
pub(in crate::executor) fn line(text: &[u8]) -> WordRow<'_> {
    words(text, 0, false).collect()
}

fn words(text: &[u8], column: usize, is_float: bool) -> impl Iterator<Item = Word<'_>> {
    let words = text.split(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
    words.filter(|word| !word.is_empty()).map(move |text| Word { text, column, is_float })
}

/// Returns the rows of a result, after the names of its columns if they are shown.
pub(in crate::executor) fn rows<'w>(types: &[u8], cells: &'w CellTable, names: bool) -> Vec<ResultRow<'w>> {
    let mut rows = Vec::new();
    if names {
        let names = cells.names().iter().enumerate();
        let words = names.flat_map(|(column, name)| words(name.as_bytes(), column, false)).collect();
        rows.push(ResultRow { words, by_lines: None });
    }
    let columns = types.len().max(1);
    let is_float = |column: usize| types.get(column) == Some(&b'F');
    let values: Vec<&[u8]> = cells.lines().collect();
    rows.extend(values.chunks(columns).map(|row| {
        let all = row.iter().enumerate();
        let words_of_row =
            all.flat_map(|(column, value)| words(value, column, is_float(column))).collect::<Vec<_>>();
        let by_lines = row.iter().any(|value| value.contains(&b'\n')).then(|| {
            let parts: Vec<Vec<&[u8]>> =
                row.iter().map(|value| value.split(|&byte| byte == b'\n').collect()).collect();
            let most = parts.iter().map(Vec::len).max().unwrap_or(0);
            let places = (0..most).flat_map(|at| (0..parts.len()).map(move |column| (at, column)));
            let lines = places.filter_map(|(at, column)| parts[column].get(at).map(|part| (column, *part)));
            lines.flat_map(|(column, part)| words(part, column, is_float(column))).collect()
        });
        ResultRow { words: words_of_row, by_lines }
    }));
    rows
}

/// Returns words with single blanks between them.
pub(super) fn joined(row: &[Word<'_>]) -> Vec<u8> {
    row.iter().map(|word| word.text).collect::<Vec<_>>().join(&b' ')
}

/// Compares all words of the lines with all words of the rows, wherever the rows end.
pub(super) fn equal_streams(lines: &[WordRow<'_>], rows: &[ResultRow<'_>]) -> bool {
    let expected: Vec<_> = lines.iter().flatten().collect();
    let actual: Vec<_> = rows.iter().flat_map(|row| &row.words).collect();
    expected.len() == actual.len() && expected.iter().zip(actual).all(|(one, other)| same(one, other))
}

/// Compares each row with one line; a row with a value of several lines may have several.
pub(super) fn equal_rows(lines: &[WordRow<'_>], rows: &[ResultRow<'_>]) -> bool {
    let mut lines = lines.iter();
    let all_equal = rows.iter().all(|row| {
        let Some(first) = lines.next() else { return false };
        let mut expected = first.clone();
        if let Some(by_lines) = &row.by_lines {
            while expected.len() < row.words.len() {
                let Some(line) = lines.next() else { break };
                expected.extend_from_slice(line);
            }
            return equal_words(&expected, &row.words) || equal_words(&expected, by_lines);
        }
        equal_words(&expected, &row.words)
    });
    all_equal && lines.next().is_none()
}

/// Compares rows of words in their order.
pub(super) fn equal_lines(lines: &[WordRow<'_>], rows: &[WordRow<'_>]) -> bool {
    lines.len() == rows.len() && lines.iter().zip(rows).all(|(line, row)| equal_words(line, row))
}

/// Compares the words of one line.
pub(in crate::executor) fn equal_words(expected: &[Word<'_>], actual: &[Word<'_>]) -> bool {
    expected.len() == actual.len() && expected.iter().zip(actual).all(|(one, other)| same(one, other))
}

/// Compares two words; floating-point numbers to 15 significant digits.
pub(in crate::executor) fn same(expected: &Word<'_>, actual: &Word<'_>) -> bool {
    if expected.text == actual.text {
        return true;
    }
    if !actual.is_float {
        return false;
    }
    let (Some(one), Some(other)) = (number(expected), number(actual)) else { return false };
    one == other || format!("{one:.14e}") == format!("{other:.14e}")
}

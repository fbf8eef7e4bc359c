//! Corrections of results in dialects that do not convert values by type letters.

use std::borrow::Cow;

use super::align::{AlignedLine, align, match_unordered};
use super::layout::RowLayout;
use super::{FormRule, OldResult, ResultForm, correct_lines, finished, hashed, letters};
use crate::executor::cells::CellTable;
use crate::executor::matcher::cockroach::words as word_rows;
use crate::executor::matcher::{CellContext, cockroach, duckdb, materialize, rs};
use crate::outcome::Correction;
use crate::parser::{Layout, Matcher, Query, QueryExpectation, SortMode};

/// Returns the lines for the cells of a result.
pub(in crate::executor) fn correct_cells(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Correction {
    let columns = cells.columns().max(1);
    let old = match &query.expected {
        expected if has_value_lines(query, cells, context) => OldResult::new(expected, 1),
        expected => OldResult::new(expected, columns),
    };
    let Some(old) = old else { return Correction::OtherFile };
    let is_rs = matches!(context.profile.matcher, Matcher::SqllogictestRs | Matcher::Vibesql);
    let form = if context.profile.exact && is_rs {
        if rs::is_hashed(cells, context) { ResultForm::Hashed } else { ResultForm::Listed }
    } else {
        let rule = FormRule { threshold: context.threshold, by_threshold: false };
        rule.form(old.form, old.values, cells.values())
    };
    let letters = letters::of_cells(cells, context.profile.matcher);
    let correction = if form == ResultForm::Hashed {
        hashed(match context.profile.matcher {
            Matcher::Cockroach => cockroach::hash_line(query, cells, context),
            _ => cells.hash_line(),
        })
    } else {
        correct_listed(query, &old, cells, context)
    };
    correction.with_letters(letters)
}

fn correct_listed(
    query: &Query<'_>,
    old: &OldResult<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Correction {
    match context.profile.matcher {
        Matcher::SqllogictestRs | Matcher::Vibesql => correct_folded(query, old, cells, context),
        Matcher::Duckdb => correct_duckdb(old, cells, context),
        Matcher::Cockroach => correct_words(query, old, cells, context),
        Matcher::Materialize => correct_materialize(query, old, cells, context),
        // It has its own buffers.
        Matcher::ValuePerLine(_) => correct_lines(&old.lines, &cells.lines().collect::<Vec<_>>()),
    }
}

/// Returns whether each line of the expected result is a value.
fn has_value_lines(query: &Query<'_>, cells: &CellTable, context: &CellContext<'_>) -> bool {
    let lines: Vec<&[u8]> = match &query.expected {
        QueryExpectation::Rows(block) => block.lines().collect(),
        _ => Vec::new(),
    };
    let one_word =
        |line: &&[u8]| line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() < 2;
    match context.profile.matcher {
        Matcher::ValuePerLine(_) => true,
        Matcher::SqllogictestRs => by_value(context),
        Matcher::Vibesql if by_value(context) => true,
        Matcher::Vibesql => {
            cells.columns() > 1
                && !lines.is_empty()
                && (lines.len() as u64 == cells.values() || lines.iter().all(one_word))
        }
        Matcher::Duckdb => {
            let has_tab = |line: &&[u8]| line.contains(&b'\t');
            cells.columns() < 2 || !lines.is_empty() && !lines.iter().any(has_tab)
        }
        Matcher::Cockroach => false,
        Matcher::Materialize => context.layout != Layout::Rows,
    }
}

fn by_value(context: &CellContext<'_>) -> bool {
    context.sort == SortMode::ValueSort || context.layout == Layout::Values
}

/// Returns the rows of a result, or its values, after the names of the columns if they are shown.
fn rows(cells: &CellTable, names: bool, by_value: bool) -> Vec<Vec<&[u8]>> {
    let names = names.then(|| cells.names().iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
    let rows = names.into_iter().chain((0..cells.rows()).map(|row| cells.row(row).collect()));
    if by_value { rows.flatten().map(|value| vec![value]).collect() } else { rows.collect() }
}

/// The dialects that fold white space.
fn correct_folded(
    query: &Query<'_>,
    old: &OldResult<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Correction {
    if old.lines.iter().any(|line| memchr::memmem::find(line, rs::IGNORE).is_some()) {
        return Correction::Pattern;
    }
    let by_value = has_value_lines(query, cells, context);
    let rows = rows(cells, context.names, by_value);
    let folded: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| row.iter().map(|value| rs::fold(value)).collect::<Vec<_>>().join(&b' '))
        .collect();
    if folded.iter().any(|row| memchr::memmem::find(row, rs::IGNORE).is_some()) {
        return Correction::ReadsAsPattern;
    }
    let lines = align(old.lines.len(), rows.len(), &|one, other| *rs::fold(old.lines[one]) == *folded[other]);
    let layout = layout_of(&lines, old);
    finished(&lines, |new, replaces| {
        if by_value {
            return one_line(rows[new][0]);
        }
        let words: Vec<_> = folded[new].split(|&byte| byte == b' ').collect();
        let line = layout.line(&words, replaces.map(|at| old.lines[at]));
        line.unwrap_or_else(|| rows[new].iter().map(|value| one_line(value)).collect::<Vec<_>>().join(&b' '))
    })
}

/// Returns a value with its own white space, unless that cannot stand on one line.
fn one_line(value: &[u8]) -> Vec<u8> {
    let breaks = value.iter().any(|byte| b"\n\r".contains(byte)) || value.trim_ascii().len() != value.len();
    if breaks { rs::fold(value).into_owned() } else { value.to_vec() }
}

fn layout_of(lines: &[AlignedLine], old: &OldResult<'_>) -> RowLayout {
    RowLayout::of_lines(lines.iter().filter_map(|line| match *line {
        AlignedLine::Kept { old: at } => Some(old.lines[at]),
        AlignedLine::New { .. } => None,
    }))
}

/// The dialect of DuckDB: values with tabs between them, or a value on each line. A cell that is equal keeps its text.
fn correct_duckdb(old: &OldResult<'_>, cells: &CellTable, context: &CellContext<'_>) -> Correction {
    let columns = cells.columns().max(1);
    let by_value =
        columns == 1 || !old.lines.is_empty() && !old.lines.iter().any(|line| line.contains(&b'\t'));
    let width = if by_value { 1 } else { columns };
    let same = |text: &[u8], index: usize| {
        duckdb::equality(text, index, cells, context) != duckdb::number::Equality::Different
    };
    let old_cells: Vec<Vec<&[u8]>> = old
        .lines
        .iter()
        .map(|line| if by_value { vec![*line] } else { duckdb::row(line).collect() })
        .collect();
    let count = cells.values() as usize / width;
    let lines = align(old.lines.len(), count, &|one, other| {
        let row = &old_cells[one];
        row.len() == width && row.iter().enumerate().all(|(at, text)| same(text, other * width + at))
    });
    let mut loses_pattern = vec![true; old.lines.len()];
    // The text of a cell that is kept, or else the value.
    let cell = |index: usize, replaces: Option<usize>| {
        let row = replaces.map(|at| &old_cells[at]).filter(|row| row.len() == width);
        let kept = row.map(|row| row[index % width]).filter(|text| same(text, index));
        kept.ok_or_else(|| cells.value(index))
    };
    let text = |new: usize, replaces: Option<usize>| {
        let texts = (new * width..(new + 1) * width).map(|index| cell(index, replaces));
        texts.map(|text| text.unwrap_or_else(|value| value)).collect::<Vec<_>>().join(&b'\t')
    };
    let has_variable = |value: &[u8]| (context.replaced)(value).is_some_and(|replaced| replaced != value);
    let reads_as_pattern = lines.iter().any(|line| match *line {
        AlignedLine::Kept { .. } => false,
        AlignedLine::New { new, replaces } => (new * width..(new + 1) * width)
            .any(|index| cell(index, replaces).is_err_and(|value| is_pattern(value) || has_variable(value))),
    });
    if reads_as_pattern {
        return Correction::ReadsAsPattern;
    }
    for line in &lines {
        match *line {
            AlignedLine::Kept { old } => loses_pattern[old] = false,
            AlignedLine::New { new, replaces: Some(old) } => {
                loses_pattern[old] =
                    patterns(&text(new, Some(old))) != patterns(&old_cells[old].join(&b'\t'));
            }
            AlignedLine::New { .. } => {}
        }
    }
    let mut lost = old.lines.iter().zip(&loses_pattern);
    if lost.any(|(line, lost)| *lost && patterns(line) > 0) {
        return Correction::Pattern;
    }
    finished(&lines, text)
}

/// Returns the number of patterns in a line.
fn patterns(line: &[u8]) -> usize {
    line.split(|&byte| byte == b'\t').filter(|cell| is_pattern(cell)).count()
}

fn is_pattern(cell: &[u8]) -> bool {
    cell.starts_with(b"<REGEX>:") || cell.starts_with(b"<!REGEX>:")
}

/// The dialect of CockroachDB: words. With a sort mode both sides are sorted, so that lines stay where they are.
fn correct_words(
    query: &Query<'_>,
    old: &OldResult<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Correction {
    let rows = word_rows::rows(query.types, cells, context.names);
    let old_words: Vec<_> = old.lines.iter().map(|line| word_rows::line(line)).collect();
    let same = |one: usize, other: usize| word_rows::equal_words(&old_words[one], &rows[other].words);
    let lines = aligned(context, old.lines.len(), rows.len(), &same);
    let layout = layout_of(&lines, old);
    finished(&lines, |new, replaces| {
        let words = &rows[new].words;
        let old_line = replaces.map(|at| &old_words[at]).filter(|line| line.len() == words.len());
        let texts: Vec<&[u8]> = words
            .iter()
            .enumerate()
            .map(|(at, word)| {
                let kept = old_line.map(|line| &line[at]).filter(|kept| word_rows::same(kept, word));
                kept.map_or(word.text, |kept| kept.text)
            })
            .collect();
        let line = layout.line(&texts, replaces.map(|at| old.lines[at]));
        line.unwrap_or_else(|| texts.join(&b' '))
    })
}

/// Aligns lines, of which those after the names may be in any order if both sides are sorted by rows.
fn aligned(
    context: &CellContext<'_>,
    old: usize,
    new: usize,
    same: &dyn Fn(usize, usize) -> bool,
) -> Vec<AlignedLine> {
    if context.sort != SortMode::RowSort {
        return align(old, new, same);
    }
    let names = usize::from(context.names).min(old).min(new);
    let mut lines = align(names, names, same);
    let same_row = |one: usize, other: usize| same(one + names, other + names);
    let kept =
        |lines: &[AlignedLine]| lines.iter().filter(|line| matches!(line, AlignedLine::Kept { .. })).count();
    // A file whose rows are in order stays so.
    let in_order = align(old - names, new - names, &same_row);
    let in_any_order = match_unordered(old - names, new - names, &same_row);
    let rest = if kept(&in_any_order) > kept(&in_order) { in_any_order } else { in_order };
    lines.extend(rest.into_iter().map(|line| match line {
        AlignedLine::Kept { old } => AlignedLine::Kept { old: old + names },
        AlignedLine::New { new, replaces } => {
            AlignedLine::New { new: new + names, replaces: replaces.map(|at| at + names) }
        }
    }));
    lines
}

/// The dialect of Materialize: a value on each line, a row on each line, or one text.
fn correct_materialize(
    query: &Query<'_>,
    old: &OldResult<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Correction {
    if query.layout == Layout::Text {
        let lines: Vec<_> = cells.lines().flat_map(|value| value.split(|&byte| byte == b'\n')).collect();
        return correct_lines(&old.lines, &lines);
    }
    let by_rows = context.layout == Layout::Rows;
    let names = usize::from(context.names);
    let mut rows = rows(cells, false, !by_rows);
    if context.names {
        rows.insert(0, cells.names().iter().map(|name| name.as_bytes()).collect());
    }
    let texts: Vec<Vec<Cow<'_, [u8]>>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let is_split = at < names || by_rows && row.len() > 1;
            row.iter().map(|value| materialize::written(value, is_split)).collect()
        })
        .collect();
    let same = |one: usize, other: usize| match (other < names, by_rows) {
        (true, _) => materialize::values_of_names(old.lines[one]) == rows[other],
        (false, true) => materialize::row_of_line(old.lines[one], cells.columns()) == rows[other],
        (false, false) => old.lines[one] == rows[other][0],
    };
    // Only rows are sorted on both sides.
    let lines = if by_rows {
        aligned(context, old.lines.len(), rows.len(), &same)
    } else {
        align(old.lines.len(), rows.len(), &same)
    };
    let layout = layout_of(&lines, old);
    finished(&lines, |new, replaces| {
        let row: Vec<&[u8]> = texts[new].iter().map(|text| &text[..]).collect();
        let line = (row.len() > 1).then(|| layout.line(&row, replaces.map(|at| old.lines[at]))).flatten();
        line.unwrap_or_else(|| row.join(&b' '))
    })
}

//! Expected and actual results line by line, for all outputs that show rows.

use super::count::plural;
use slt_core::executor::diff::{DiffRow, DiffSide, diff_rows};
use slt_core::outcome::{DetailedFailure, Difference, Excerpt, LabelMismatch, Mismatch, Problem};

/// The maximum number of shown rows, and of rows around a difference.
const MOST_ROWS: usize = 40;
const CONTEXT: usize = 3;

/// A line about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence<'d> {
    /// A row, and its side.
    Row(DiffSide, &'d [String]),
    /// Text other than a row, and its side.
    Text(DiffSide, String),
    /// Omitted rows.
    Gap(String),
    /// A heading for the lines after it.
    Note(String),
}

/// Returns the lines about a failure besides its message. Only mismatches of results have any.
pub fn evidence(detail: DetailedFailure<'_>) -> Vec<Evidence<'_>> {
    let mut lines = Vec::new();
    let Problem::Mismatch(mismatch) = detail.problem else { return lines };
    match mismatch {
        Mismatch::Rows { expected, actual, columns }
            if Difference::of(expected, actual, *columns) == Difference::RowsOnLines =>
        {
            let text = |line: &String| Evidence::Text(DiffSide::Expected, line.clone());
            lines.extend(expected.values.iter().take(MOST_ROWS).map(text));
            lines.push(Evidence::Note("the rows found:".to_owned()));
            found(&mut lines, actual, *columns);
        }
        Mismatch::Rows { expected, actual, columns } => diff(&mut lines, expected, actual, *columns),
        Mismatch::Hash { expected, actual, rows, columns } => {
            lines.push(Evidence::Text(DiffSide::Expected, expected.to_string()));
            lines.push(Evidence::Text(DiffSide::Actual, actual.to_string()));
            match detail.unhashed {
                Some(unhashed) => {
                    let engine = &unhashed.engine;
                    let note = format!("the expected rows are {engine}'s; they have the expected hash:");
                    lines.push(Evidence::Note(note));
                    diff(&mut lines, &unhashed.expected, &unhashed.actual, *columns);
                }
                None => {
                    lines.push(Evidence::Note("the rows found:".to_owned()));
                    found(&mut lines, rows, *columns);
                }
            }
        }
        Mismatch::Label(mismatch) => {
            let LabelMismatch { rows, columns, first_digest, digest, .. } = &**mismatch;
            lines.push(Evidence::Text(DiffSide::Expected, format!("hash {first_digest}")));
            lines.push(Evidence::Text(DiffSide::Actual, format!("hash {digest}")));
            found(&mut lines, rows, *columns);
        }
        Mismatch::RowCount { rows, columns, .. } => found(&mut lines, rows, *columns),
        Mismatch::Error { expected, actual } => {
            lines.extend(expected.lines().map(|line| Evidence::Text(DiffSide::Expected, line.to_owned())));
            lines
                .extend(actual.message.lines().map(|line| Evidence::Text(DiffSide::Actual, line.to_owned())));
        }
        Mismatch::Presentation { .. }
        | Mismatch::ColumnCount { .. }
        | Mismatch::AffectedRows { .. }
        | Mismatch::ColumnType { .. }
        | Mismatch::UncertainOrder => {}
    }
    lines
}

/// Adds the different rows with their context.
fn diff<'d>(lines: &mut Vec<Evidence<'d>>, expected: &'d Excerpt, actual: &'d Excerpt, columns: usize) {
    let rows = diff_rows(&expected.values, &actual.values, columns);
    omitted(lines, expected.omitted_before, columns, "equal before");
    let shown = rows_to_show(&rows);
    let (mut left_out, mut written) = (0, 0);
    for (row, show) in rows.iter().zip(shown) {
        if !show || written == MOST_ROWS {
            left_out += 1;
            continue;
        }
        gap(lines, left_out);
        left_out = 0;
        written += 1;
        lines.push(Evidence::Row(row.side, row.values));
    }
    gap(lines, left_out);
    let (more_expected, more_found) = (expected.omitted_after, actual.omitted_after);
    if more_expected + more_found > 0 {
        let note = format!("… behind these {more_expected} more values expected, {more_found} more found");
        lines.push(Evidence::Note(note));
    }
}

/// Returns which rows differ or are close to a difference.
fn rows_to_show(rows: &[DiffRow<'_>]) -> Vec<bool> {
    let mut shown = vec![false; rows.len()];
    for (index, row) in rows.iter().enumerate() {
        if row.side != DiffSide::Both {
            let last = (index + CONTEXT + 1).min(rows.len());
            shown[index.saturating_sub(CONTEXT)..last].fill(true);
        }
    }
    shown
}

fn gap(lines: &mut Vec<Evidence<'_>>, rows: usize) {
    if rows > 0 {
        lines.push(Evidence::Gap(format!("… {}", plural(rows as u64, "row"))));
    }
}

fn omitted(lines: &mut Vec<Evidence<'_>>, values: u64, columns: usize, what: &str) {
    if values > 0 {
        let rows = plural(values / columns.max(1) as u64, "row");
        lines.push(Evidence::Gap(format!("… {rows} {what}")));
    }
}

fn found<'d>(lines: &mut Vec<Evidence<'d>>, rows: &'d Excerpt, columns: usize) {
    let columns = columns.max(1);
    let all = rows.values.chunks(columns);
    let left_out = all.len().saturating_sub(MOST_ROWS) as u64 + rows.omitted_after / columns as u64;
    lines.extend(all.take(MOST_ROWS).map(|row| Evidence::Row(DiffSide::Both, row)));
    omitted(lines, left_out * columns as u64, columns, "more");
}

//! The difference between two results, row by row.

use similar::{Algorithm, ChangeTag, DiffOp};

/// A row of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow<'v> {
    /// On which side the row is.
    pub side: DiffSide,
    /// The values of the row; the last row of a result may be short.
    pub values: &'v [String],
}

/// On which side a row of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSide {
    /// On both.
    Both,
    /// Only in the expected result.
    Expected,
    /// Only in the actual result.
    Actual,
}

/// Cuts both results into rows of `columns` values and finds the rows that they do not share. In the order of
/// reading: of rows in one place, the expected ones come first.
pub fn diff_rows<'v>(expected: &'v [String], actual: &'v [String], columns: usize) -> Vec<DiffRow<'v>> {
    let columns = columns.max(1);
    let old: Vec<&[String]> = expected.chunks(columns).collect();
    let new: Vec<&[String]> = actual.chunks(columns).collect();
    similar::capture_diff_slices(Algorithm::Myers, &old, &new)
        .iter()
        .flat_map(|op: &DiffOp| op.iter_changes(&old, &new))
        .map(|change| {
            let side = match change.tag() {
                ChangeTag::Equal => DiffSide::Both,
                ChangeTag::Delete => DiffSide::Expected,
                ChangeTag::Insert => DiffSide::Actual,
            };
            DiffRow { side, values: change.value() }
        })
        .collect()
}

//! The answer of a database: names of columns, and rows of values.

use crate::Cell;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The names of the columns, possibly with duplicates.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

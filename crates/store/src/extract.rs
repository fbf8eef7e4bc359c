//! What is taken out of the store for one question: some columns of some tables, over some of the history.

use super::cell::Cell;
use super::schema::{Column, Table};

/// How much of the history is loaded. Runs, files and counters are always complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last runs, so many.
    Last(usize),
    /// The runs that began at this time or later, in milliseconds since 1970 in UTC.
    Since(i64),
    /// All runs.
    All,
}

/// The columns that are wanted of a table. What nobody reads is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The table.
    pub table: &'static Table,
    /// Its columns, in the order of the table.
    pub columns: Vec<&'static Column>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The table, and the columns that the rows have.
    pub wanted: Wanted,
    /// The rows, in the order of their runs.
    pub rows: Vec<Vec<Cell>>,
}

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extract {
    /// The tables that were wanted.
    pub tables: Vec<Loaded>,
    /// How many runs there are.
    pub runs: usize,
    /// How many of them are loaded.
    pub loaded: usize,
    /// What was damaged or could not be read, and what was done about it: sentences for the user.
    pub notes: Vec<String>,
    /// Whether files of the store are damaged, so that it should be mended.
    pub damaged: bool,
}

impl Wanted {
    /// All columns of a table.
    pub fn all(table: &'static Table) -> Self {
        Self { table, columns: table.columns.iter().collect() }
    }

    /// Adds the columns that are wanted besides.
    pub fn widen(&mut self, columns: &[&'static Column]) {
        let all = self.table.columns.iter();
        self.columns =
            all.filter(|column| self.columns.contains(column) || columns.contains(column)).collect();
    }
}

//! The rows loaded for one query: some columns of some tables, over a part of the history.

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::schema::{self, TableColumn, TableSchema};

/// A part of the history. Runs, files and counters are always complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryWindow {
    /// The given number of last runs.
    Last(usize),
    /// Runs since this time, in milliseconds since 1970 in UTC.
    Since(i64),
    /// All runs.
    All,
}

/// The needed columns of a table. Other columns are not loaded. Messages contain their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(String, Vec<String>)", try_from = "(String, Vec<String>)")]
pub struct WantedColumns {
    /// The table.
    pub table: &'static TableSchema,
    /// Its columns, in the order of the table.
    pub columns: Vec<&'static TableColumn>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadedTable {
    /// The table, and the columns that the rows have.
    pub wanted: WantedColumns,
    /// The rows, in the order of their runs.
    pub rows: Vec<Vec<Cell>>,
}

/// Receives rows of a table that have the wanted columns: many times for one table, in the order of the rows.
pub type RowReceiver<'r> = &'r mut dyn FnMut(&WantedColumns, Vec<Vec<Cell>>);

/// The loaded tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extract {
    /// The tables.
    pub tables: Vec<LoadedTable>,
    /// The number of runs in the history.
    pub runs: usize,
    /// The number of loaded runs.
    pub loaded: usize,
    /// Damaged or unreadable files and the reaction to them, as sentences for the user.
    pub notes: Vec<String>,
    /// Whether files of the store are damaged, so that it should be repaired.
    pub damaged: bool,
}

impl Extract {
    /// Collects the rows that `load` gives.
    pub(super) fn collect<E>(
        wanted: &[WantedColumns],
        load: impl FnOnce(RowReceiver<'_>) -> Result<Self, E>,
    ) -> Result<Self, E> {
        let table = |wanted: &WantedColumns| LoadedTable { wanted: wanted.clone(), rows: Vec::new() };
        let mut tables: Vec<_> = wanted.iter().map(table).collect();
        let extract = load(&mut |wanted, rows| {
            if let Some(table) = tables.iter_mut().find(|table| table.wanted.table == wanted.table) {
                table.rows.extend(rows);
            }
        })?;
        Ok(Self { tables, ..extract })
    }
}

impl WantedColumns {
    /// Selects all columns of a table.
    pub fn all(table: &'static TableSchema) -> Self {
        Self { table, columns: table.columns.iter().collect() }
    }

    /// Adds further columns.
    pub fn widen(&mut self, columns: &[&'static TableColumn]) {
        let all = self.table.columns.iter();
        self.columns =
            all.filter(|column| self.columns.contains(column) || columns.contains(column)).collect();
    }
}

impl From<WantedColumns> for (String, Vec<String>) {
    fn from(wanted: WantedColumns) -> Self {
        let columns = wanted.columns.iter().map(|column| column.name.to_owned()).collect();
        (wanted.table.name.to_owned(), columns)
    }
}

impl TryFrom<(String, Vec<String>)> for WantedColumns {
    type Error = String;

    fn try_from((name, columns): (String, Vec<String>)) -> Result<Self, String> {
        let table = schema::table(&name).ok_or_else(|| format!("no table `{name}`"))?;
        let is_named = |column: &&TableColumn| columns.iter().any(|name| name == column.name);
        Ok(Self { table, columns: table.columns.iter().filter(is_named).collect() })
    }
}

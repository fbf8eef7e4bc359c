//! The results in SQLite.

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ToSql, params_from_iter};

use super::database::{AnswerWriter, QueryDatabase};
use super::plan::words;
use super::views::SqlView;
use crate::{Cell, WantedColumns};
use slt_core::engine::Flow;

/// A database in memory.
pub(super) struct InSqlite(Connection);

impl InSqlite {
    pub(super) fn new() -> Result<Self, String> {
        let open = || {
            let connection = Connection::open_in_memory()?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY",
            )?;
            Ok(connection)
        };
        open().map(Self).map_err(|error: Error| words(&error))
    }
}

impl QueryDatabase for InSqlite {
    fn create(&mut self, table: &WantedColumns) -> Result<(), String> {
        self.0.execute_batch(&table.table.create(&table.columns)).map_err(|error| words(&error))
    }

    fn add(&mut self, table: &WantedColumns, rows: Vec<Vec<Cell>>) -> Result<(), String> {
        let marks = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({marks})", table.table.name);
        let add = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            let mut insert = transaction.prepare(&sql)?;
            for row in &rows {
                insert.execute(params_from_iter(row))?;
            }
            drop(insert);
            transaction.commit()
        };
        add(&mut self.0).map_err(|error| words(&error))
    }

    fn view(&mut self, view: &SqlView) -> Result<(), String> {
        self.0.execute_batch(&view.create()).map_err(|error| words(&error))
    }

    fn ask(&mut self, sql: &str, _width: Option<usize>, answer: &mut AnswerWriter<'_>) -> Result<(), String> {
        let mut ask = || {
            let mut statement = self.0.prepare(sql)?;
            let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
            let width = columns.len();
            answer.columns(columns);
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let values: Result<_, Error> =
                    (0..width).map(|place| row.get_ref(place).map(value)).collect();
                if answer.row(values?) == Flow::Stop {
                    break;
                }
            }
            Ok(())
        };
        ask().map_err(|error: Error| words(&error))
    }
}

fn value(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_or_else(|_| Cell::Blob(bytes.into()), Cell::from)
        }
        ValueRef::Blob(bytes) => Cell::Blob(bytes.into()),
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

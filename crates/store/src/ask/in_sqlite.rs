//! The results in SQLite.

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ToSql, params_from_iter};

use super::database::{AnswerWriter, QueryDatabase};
use super::plan::words;
use super::views::SqlView;
use crate::{Cell, LoadedTable};
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
    fn put(&mut self, tables: Vec<LoadedTable>) -> Result<(), String> {
        let put = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for loaded in &tables {
                let wanted = &loaded.wanted;
                transaction.execute_batch(&wanted.table.create(&wanted.columns))?;
                let marks = vec!["?"; wanted.columns.len()].join(", ");
                let mut insert =
                    transaction.prepare(&format!("INSERT INTO {} VALUES ({marks})", wanted.table.name))?;
                for row in &loaded.rows {
                    insert.execute(params_from_iter(row))?;
                }
            }
            transaction.commit()
        };
        put(&mut self.0).map_err(|error| words(&error))
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

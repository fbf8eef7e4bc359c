//! The results in SQLite.

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ToSql, params_from_iter};

use super::answer::AnswerValue;
use super::child::{AnswerFlow, AnswerSink, Database};
use super::plan::words;
use super::views::View;
use crate::{Cell, LoadedTable};

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

impl Database for InSqlite {
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
                    insert.execute(params_from_iter(row.iter().map(BoundCell)))?;
                }
            }
            transaction.commit()
        };
        put(&mut self.0).map_err(|error| words(&error))
    }

    fn view(&mut self, view: &View) -> Result<(), String> {
        self.0.execute_batch(&view.create()).map_err(|error| words(&error))
    }

    fn ask(&mut self, sql: &str, _width: Option<usize>, sink: &mut dyn AnswerSink) -> Result<(), String> {
        let mut ask = || {
            let mut statement = self.0.prepare(sql)?;
            let columns: Vec<_> = statement.column_names().map(str::to_owned).collect();
            let width = columns.len();
            sink.columns(columns);
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let values: Result<_, Error> =
                    (0..width).map(|place| row.get_ref(place).map(value)).collect();
                if sink.row(values?) == AnswerFlow::Stop {
                    break;
                }
            }
            Ok(())
        };
        ask().map_err(|error: Error| words(&error))
    }
}

fn value(value: ValueRef<'_>) -> AnswerValue {
    match value {
        ValueRef::Null => AnswerValue::Null,
        ValueRef::Integer(number) => AnswerValue::Integer(number),
        ValueRef::Real(number) => AnswerValue::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => AnswerValue::Text(text.to_owned()),
            Err(_) => AnswerValue::Blob(bytes.to_owned()),
        },
        ValueRef::Blob(bytes) => AnswerValue::Blob(bytes.to_owned()),
    }
}

/// A bound cell, without copying its text.
struct BoundCell<'c>(&'c Cell);

impl ToSql for BoundCell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(*number),
            Cell::Real(number) => ValueRef::Real(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

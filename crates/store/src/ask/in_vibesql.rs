//! The results in VibeSQL: in its SQLite mode, without indexes, transactions and keys, all of which it gets wrong at
//! times.

use std::collections::HashMap;
use std::sync::Arc;

use vibesql::ast::Statement;
use vibesql::executor::{CreateTableExecutor, SelectExecutor, advanced_objects, clear_in_subquery_cache};
use vibesql::parser::Parser;
use vibesql::storage::{Database as Storage, Row};
use vibesql::types::{SqlMode, SqlValue, StringValue};

use super::answer::AnswerValue;
use super::child::{AnswerFlow, AnswerSink, Database};
use super::views::View;
use crate::schema::ColumnType;
use crate::{Cell, LoadedTable};

/// The version that `Cargo.toml` pins.
pub const VERSION: &str = "0.2.0";

/// A database in memory.
pub(super) struct InVibeSql(Storage);

impl InVibeSql {
    pub(super) fn new() -> Self {
        let mut storage = Storage::new();
        storage.set_sql_mode(SqlMode::SQLite);
        Self(storage)
    }
}

impl Database for InVibeSql {
    fn put(&mut self, tables: Vec<LoadedTable>) -> Result<(), String> {
        for LoadedTable { wanted, rows } in tables {
            let create = wanted.table.create(&wanted.columns);
            let Statement::CreateTable(statement) = parse(&create)? else { return Err(create) };
            CreateTableExecutor::execute_with_source(&statement, &mut self.0, Some(&create))
                .map_err(|e| e.to_string())?;
            let kinds: Vec<_> = wanted.columns.iter().map(|column| column.kind).collect();
            let mut known = SharedTexts::default();
            let rows = rows.into_iter().map(|row| {
                let cells = row.into_iter().zip(&kinds);
                Row::from_vec(cells.map(|(cell, kind)| known.value(cell, *kind)).collect())
            });
            let rows: Vec<_> = rows.collect();
            self.0.insert_rows_batch(wanted.table.name, rows).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn view(&mut self, view: &View) -> Result<(), String> {
        let create = view.create();
        let Statement::CreateView(mut statement) = parse(&create)? else { return Err(create) };
        statement.sql_definition = Some(create);
        advanced_objects::execute_create_view(&statement, &mut self.0).map_err(|error| error.to_string())
    }

    fn ask(&mut self, sql: &str, width: Option<usize>, sink: &mut dyn AnswerSink) -> Result<(), String> {
        // A cached answer of an IN subquery would be returned again after the rows have changed.
        clear_in_subquery_cache();
        let Statement::Select(select) = parse(sql)? else { return Err("only SELECT is asked".to_owned()) };
        if select.into_table.is_some() || select.into_variables.is_some() {
            return Err("only SELECT is asked".to_owned());
        }
        let executor = SelectExecutor::new(&self.0);
        let rows = if width.is_some() {
            executor.execute(&select).map_err(|error| error.to_string())?
        } else {
            // This evaluates FROM once more, for names that otherwise SQLite gives.
            let found = executor.execute_with_columns(&select).map_err(|error| error.to_string())?;
            sink.columns(found.columns);
            found.rows
        };
        for row in rows {
            if sink.row(row.values.iter().map(value).collect()) == AnswerFlow::Stop {
                break;
            }
        }
        Ok(())
    }
}

fn parse(sql: &str) -> Result<Statement, String> {
    Parser::parse_sql(sql).map_err(|error| error.to_string())
}

/// The texts that were handed over: many rows share one.
#[derive(Default)]
struct SharedTexts(HashMap<*const u8, (Arc<str>, StringValue)>);

impl SharedTexts {
    fn value(&mut self, cell: Cell, kind: ColumnType) -> SqlValue {
        match cell {
            Cell::Null => SqlValue::Null,
            Cell::Integer(number) if kind == ColumnType::Real => SqlValue::Real(number as f64),
            Cell::Integer(number) => SqlValue::Integer(number),
            Cell::Real(number) => SqlValue::Real(number),
            Cell::Text(text) => {
                // As long as the text is kept here no other one can have its place.
                let (_, value) = self.0.entry(text.as_ptr()).or_insert_with(|| {
                    let value = StringValue::from(text.as_ref());
                    (text, value)
                });
                SqlValue::Varchar(value.clone())
            }
        }
    }
}

/// A value without a type in SQLite becomes the text that VibeSQL shows.
fn value(value: &SqlValue) -> AnswerValue {
    match value {
        SqlValue::Null => AnswerValue::Null,
        SqlValue::Integer(number) | SqlValue::Bigint(number) => AnswerValue::Integer(*number),
        SqlValue::Smallint(number) => AnswerValue::Integer(i64::from(*number)),
        SqlValue::Unsigned(number) => match i64::try_from(*number) {
            Ok(number) => AnswerValue::Integer(number),
            Err(_) => AnswerValue::Real(*number as f64),
        },
        SqlValue::Float(number) => AnswerValue::Real(f64::from(*number)),
        // SQLite has NULL in place of non-finite numbers.
        SqlValue::Numeric(number) | SqlValue::Real(number) | SqlValue::Double(number) if number.is_nan() => {
            AnswerValue::Null
        }
        SqlValue::Numeric(number) | SqlValue::Real(number) | SqlValue::Double(number) => {
            AnswerValue::Real(*number)
        }
        SqlValue::Character(text) | SqlValue::Varchar(text) => AnswerValue::Text(text.to_string()),
        SqlValue::Boolean(truth) => AnswerValue::Integer(i64::from(*truth)),
        SqlValue::Blob(bytes) => AnswerValue::Blob(bytes.to_vec()),
        other => AnswerValue::Text(other.to_string()),
    }
}

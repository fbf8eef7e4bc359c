//! Tables in a VibeSQL database in memory: their creation, their rows, and the values of both.

use std::collections::HashMap;
use std::sync::Arc;

use vibesql::ast::Statement;
use vibesql::executor::CreateTableExecutor;
use vibesql::parser::Parser;
use vibesql::storage::{Database, Row};
use vibesql::types::{SqlMode, SqlValue, StringValue};

use super::cell::Cell;
use super::schema::{ColumnType, TableColumn, TableSchema};

/// Creates an empty database that follows SQLite where dialects differ.
pub(crate) fn new_database() -> Database {
    let mut database = Database::new();
    database.set_sql_mode(SqlMode::SQLite);
    database
}

/// Parses a statement.
pub(crate) fn parse(sql: &str) -> Result<Statement, String> {
    Parser::parse_sql(sql).map_err(|error| error.to_string())
}

/// Creates a table with some of its columns.
pub(crate) fn create_table(
    database: &mut Database,
    table: &TableSchema,
    columns: &[&TableColumn],
) -> Result<(), String> {
    let sql = table.create(columns);
    let Statement::CreateTable(statement) = parse(&sql)? else { return Err(sql) };
    CreateTableExecutor::execute_with_source(&statement, database, Some(&sql))
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Adds rows with some columns of a table. They go to the table itself, because VibeSQL's database would copy each row
/// twice for its log.
pub(crate) fn add_rows(
    database: &mut Database,
    table: &TableSchema,
    columns: &[&TableColumn],
    rows: impl IntoIterator<Item = Vec<Cell>>,
    texts: &mut SharedTexts,
) -> Result<(), String> {
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().zip(columns);
        Row::from_vec(cells.map(|(cell, column)| texts.value(cell, column.kind)).collect())
    });
    let rows = rows.collect();
    let found = database.get_table_mut(table.name).ok_or_else(|| format!("no table {}", table.name))?;
    found.insert_batch(rows).map(drop).map_err(|error| error.to_string())
}

/// The maximum number of remembered texts.
const MOST_TEXTS: usize = 100_000;

/// The texts that were inserted last: many rows share one.
#[derive(Default)]
pub(crate) struct SharedTexts(HashMap<*const u8, (Arc<str>, StringValue)>);

impl SharedTexts {
    fn value(&mut self, cell: Cell, kind: ColumnType) -> SqlValue {
        match cell {
            Cell::Null => SqlValue::Null,
            Cell::Integer(number) if kind == ColumnType::Real => SqlValue::Real(number as f64),
            Cell::Integer(number) => SqlValue::Integer(number),
            Cell::Real(number) => SqlValue::Real(number),
            Cell::Text(text) => {
                if self.0.len() >= MOST_TEXTS {
                    self.0.clear();
                }
                // The map keeps the text alive, so no other text can have its address.
                let (_, value) = self.0.entry(text.as_ptr()).or_insert_with(|| {
                    let value = StringValue::from(text.as_ref());
                    (text, value)
                });
                SqlValue::Varchar(value.clone())
            }
            Cell::Blob(bytes) => SqlValue::Blob(bytes),
        }
    }
}

/// Converts a value. Types that SQLite lacks become the text that VibeSQL shows.
pub(crate) fn to_cell(value: &SqlValue, text: &mut impl FnMut(&str) -> Arc<str>) -> Cell {
    match value {
        SqlValue::Null => Cell::Null,
        SqlValue::Integer(number) | SqlValue::Bigint(number) => Cell::Integer(*number),
        SqlValue::Smallint(number) => Cell::Integer(i64::from(*number)),
        SqlValue::Unsigned(number) => {
            i64::try_from(*number).map_or_else(|_| Cell::Real(*number as f64), Cell::Integer)
        }
        SqlValue::Float(number) => Cell::Real(f64::from(*number)),
        // SQLite has NULL in place of NaN.
        SqlValue::Numeric(number) | SqlValue::Real(number) | SqlValue::Double(number) if number.is_nan() => {
            Cell::Null
        }
        SqlValue::Numeric(number) | SqlValue::Real(number) | SqlValue::Double(number) => Cell::Real(*number),
        SqlValue::Character(found) | SqlValue::Varchar(found) => Cell::Text(text(found)),
        SqlValue::Boolean(truth) => Cell::from(*truth),
        SqlValue::Blob(bytes) => Cell::Blob(bytes.to_vec()),
        other => Cell::Text(text(&other.to_string())),
    }
}

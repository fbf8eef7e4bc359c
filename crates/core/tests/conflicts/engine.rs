//! An engine that obeys the first line of each statement and writes down what it was sent.

use std::sync::{Arc, Mutex};

use slt_core::engine::{
    Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SqlError,
    utf8,
};
use slt_core::value::{Column, TypeTag, ValueRef};

/// The engine. A statement ends at `;`, and its first line is one of
///
/// * `rows 1,NULL / 2,x y`: a result with `,` between columns and ` / ` between rows; `EMPTY` is empty text,
/// * `columns N`: a result without rows,
/// * `ok`, `SET …`: no result; `changed N`: no result, and N changed rows,
/// * `error TEXT`: an error.
#[derive(Default)]
pub(crate) struct ConflictEngine {
    sent: Arc<Mutex<Vec<String>>>,
}

impl ConflictEngine {
    /// Returns each text that was sent, behind the name of its connection.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

impl Engine for ConflictEngine {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("engine", "1.0"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(ConflictDatabase { sent: Arc::clone(&self.sent) }))
    }
}

struct ConflictDatabase {
    sent: Arc<Mutex<Vec<String>>>,
}

impl Database for ConflictDatabase {
    fn connect(&mut self, name: Option<&str>, user: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        let name = name.or(user).map(|name| format!("{name}: ")).unwrap_or_default();
        Ok(Box::new(ConflictSession { name, sent: Arc::clone(&self.sent) }))
    }
}

struct ConflictSession {
    name: String,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Session for ConflictSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?;
        self.sent.lock().unwrap().push(format!("{}{sql}", self.name));
        for statement in sql.split(';') {
            if obey(statement.lines().next().unwrap_or_default().trim_start(), rows)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }
}

fn obey(order: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
    let table: Vec<Vec<ValueRef<'_>>> = match word {
        "rows" => rest.split(" / ").map(|row| row.split(',').map(value).collect()).collect(),
        "columns" => Vec::new(),
        "ok" | "SET" | "changed" => {
            return Ok(match rows.columns(&[]) {
                Flow::Stop => Flow::Stop,
                Flow::Continue => rows.done(rest.parse().ok()),
            });
        }
        "error" => return Err(ExecuteError::Sql(SqlError::new(rest))),
        _ => return Err(ExecuteError::Sql(SqlError::new(format_args!("syntax error at `{order}`")))),
    };
    let width = table.first().map_or_else(|| rest.parse().unwrap_or(0), Vec::len);
    let columns: Vec<_> = (0..width)
        .map(|column| Column::new("c", table.first().map_or(TypeTag::Unknown, |row| type_of(row[column]))))
        .collect();
    if rows.columns(&columns) == Flow::Stop || table.iter().any(|row| rows.row(row) == Flow::Stop) {
        return Ok(Flow::Stop);
    }
    Ok(rows.done(None))
}

fn type_of(value: ValueRef<'_>) -> TypeTag {
    match value {
        ValueRef::Integer(_) => TypeTag::Integer,
        ValueRef::Real(_) => TypeTag::Real,
        ValueRef::Text(_) => TypeTag::Text,
        ValueRef::Boolean(_) => TypeTag::Boolean,
        _ => TypeTag::Unknown,
    }
}

fn value(word: &str) -> ValueRef<'_> {
    match word {
        "NULL" => ValueRef::Null,
        "EMPTY" => ValueRef::Text(b""),
        "true" | "false" => ValueRef::Boolean(word == "true"),
        _ => match (word.parse(), word.parse()) {
            (Ok(integer), _) => ValueRef::Integer(integer),
            (_, Ok(real)) => ValueRef::Real(real),
            _ => ValueRef::Text(word.as_bytes()),
        },
    }
}

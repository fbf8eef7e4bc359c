//! An engine that costs next to nothing: it answers from a table in memory.

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
};
use slt_core::value::{Column, ValueRef};

/// The number of rows in the table.
pub const MOST_ROWS: usize = 1000;

/// Answers `SELECT COLUMNS FROM t1 … LIMIT N` with the first rows of a table; with `DESC` among the words, in reverse order.
/// Anything else is a statement without a result.
///
/// The columns are `a` (an integer), `b` (a text) and `c` (a real number); both ascend as numbers and as text.
pub struct TableEngine;

/// Returns the integer of a row.
pub fn integer(row: usize) -> i64 {
    1000 + row as i64
}

/// Returns the text of a row.
pub fn text(row: usize) -> String {
    format!("name-{row:04}")
}

/// Returns the real number of a row.
pub fn real(row: usize) -> f64 {
    row as f64 + 0.25
}

struct TableSession {
    texts: Vec<String>,
}

impl Engine for TableEngine {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("table", ""))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(TableSession { texts: (0..MOST_ROWS).map(text).collect() })))
    }
}

impl Session for TableSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let Some(columns) = sql.strip_prefix(b"SELECT ") else {
            if rows.columns(&[]) == Flow::Continue {
                rows.done(Some(1));
            }
            return Ok(());
        };
        let limit =
            sql.rsplit(|byte| *byte == b' ').next().and_then(|word| str::from_utf8(word).ok()?.parse().ok());
        let limit: usize = limit.ok_or_else(|| ExecuteError::Sql(SqlError::new("expected LIMIT")))?;
        let columns: Vec<u8> = columns.iter().copied().take_while(|&byte| byte != b'F').collect();
        let columns: Vec<u8> = columns.into_iter().filter(|byte| byte.is_ascii_lowercase()).collect();
        if rows.columns(&vec![Column::UNKNOWN; columns.len()]) == Flow::Stop {
            return Ok(());
        }
        let is_reversed = sql.windows(4).any(|word| word == b"DESC");
        let mut values = vec![ValueRef::Null; columns.len()];
        for row in 0..limit.min(MOST_ROWS) {
            let row = if is_reversed { limit - 1 - row } else { row };
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = match column {
                    b'a' => ValueRef::Integer(integer(row)),
                    b'b' => ValueRef::Text(self.texts[row].as_bytes()),
                    _ => ValueRef::Real(real(row)),
                };
            }
            if rows.row(&values) == Flow::Stop {
                return Ok(());
            }
        }
        rows.done(None);
        Ok(())
    }
}

//! An engine that answers from the bytes of the SQL alone, so that a fuzzer can steer it.
//!
//! It never hangs, panics or leaves, which is why it stands in for the scripted engine of the crate. Statements
//! are separated by `;`, and the first byte of each decides:
//!
//! | first byte | what the statement does |
//! |---|---|
//! | `!` | loses the session |
//! | `?` | is refused |
//! | `-` | is a SQL error |
//! | `=`, `C`, `D`, `I`, `U` | has no result |
//! | `~` | gives its rows against the contract: before the columns, and on after a stop |
//! | any other | gives its words as values; `/` ends a row, `^` is an error amid the rows |

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession,
    SqlError, utf8,
};
use slt_core::value::{Column, ValueRef};

/// The name by which conditions can mean the engine.
pub const LABEL: &str = "fuzz";

/// The engine; two of them answer differently where `turn` differs.
#[derive(Debug, Clone, Copy)]
pub struct Echo {
    /// Added to every whole number.
    pub turn: i64,
}

impl Engine for Echo {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new(LABEL, String::new()))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(*self)))
    }
}

impl Session for Echo {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        for statement in utf8(sql)?.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let flow = match statement.as_bytes()[0] {
                b'!' => return Err(ExecuteError::Lost(EngineError::new(statement))),
                b'?' => return Err(ExecuteError::Unsupported(statement.to_owned())),
                b'-' => return Err(ExecuteError::Sql(SqlError::new(statement))),
                b'=' | b'C' | b'D' | b'I' | b'U' => end(rows.columns(&[]), rows),
                b'~' => self.give_rows_wrongly(&statement[1..], rows),
                _ => self.give_rows(statement, rows)?,
            };
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(())
    }
}

impl Echo {
    fn give_rows(self, text: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        let mut table = text.split('/').map(|row| self.values(row)).peekable();
        let columns = vec![Column::UNKNOWN; table.peek().map_or(0, Vec::len)];
        if rows.columns(&columns) == Flow::Stop {
            return Ok(Flow::Stop);
        }
        for row in table {
            if row.contains(&ValueRef::Text(b"^")) {
                return Err(ExecuteError::Sql(SqlError::new("amid the rows")));
            }
            if rows.row(&row) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(rows.done(None))
    }

    fn give_rows_wrongly(self, text: &str, rows: &mut dyn RowSink) -> Flow {
        for row in text.split('/').map(|row| self.values(row)) {
            rows.row(&row);
            rows.columns(&vec![Column::UNKNOWN; row.len()]);
            rows.row(&row);
        }
        Flow::Continue
    }

    fn values(self, row: &str) -> Vec<ValueRef<'_>> {
        row.split_whitespace().map(|word| self.value(word)).collect()
    }

    fn value(self, word: &str) -> ValueRef<'_> {
        if let Ok(integer) = word.parse::<i64>() {
            return ValueRef::Integer(integer.wrapping_add(self.turn));
        }
        if let Ok(real) = word.parse() {
            return ValueRef::Real(real);
        }
        match (word, word.split_at_checked(1)) {
            ("NULL", _) => ValueRef::Null,
            ("true" | "false", _) => ValueRef::Boolean(word == "true"),
            (_, Some(("$", rest))) => ValueRef::Decimal(rest),
            (_, Some(("%", rest))) => ValueRef::Blob(rest.as_bytes()),
            (_, Some(("@", rest))) => ValueRef::Other(rest),
            _ => ValueRef::Text(word.as_bytes()),
        }
    }
}

fn end(flow: Flow, rows: &mut dyn RowSink) -> Flow {
    if flow == Flow::Stop { flow } else { rows.done(None) }
}

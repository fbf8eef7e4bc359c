//! A session: executes SQL through a connection of the driver, and hands its output to the sink.

use std::sync::Arc;

use slt_core::engine::{EngineError, ExecuteError, Flow, RowSink, Session, SqlError, utf8};
use slt_core::value::{Column, TypeTag, ValueRef, recycle};

use crate::connection::{Connection, DriverError, DriverOutput};
use crate::engine::LostTest;
use crate::executor::Executor;

/// A session on a connection of the driver.
pub struct DriverSession<X: Executor> {
    /// `None` only while the session is dropped.
    connection: Option<Box<dyn Connection>>,
    executor: Arc<X>,
    is_lost: LostTest,
    /// Whether the connection may be shut down in an orderly way: a call that has not returned leaves it in an unknown state.
    is_orderly: bool,
}

impl<X: Executor> DriverSession<X> {
    pub fn new(connection: Box<dyn Connection>, executor: Arc<X>, is_lost: LostTest) -> Self {
        Self { connection: Some(connection), executor, is_lost, is_orderly: true }
    }

    /// Returns the name that the driver tells for its engine.
    pub fn engine_name(&self) -> &str {
        self.connection.as_ref().map_or("", |connection| connection.engine_name())
    }

    fn run(&mut self, sql: &str) -> Result<DriverOutput, ExecuteError> {
        let lost = |what: &str| ExecuteError::Lost(EngineError::new(what));
        let connection = self.connection.as_mut().ok_or_else(|| lost("the connection is closed"))?;
        self.is_orderly = false;
        let result = self.executor.wait(connection.run(sql));
        let result = result.map_err(|error| execute_error(error, &self.is_lost));
        self.is_orderly = !matches!(result, Err(ExecuteError::Lost(_)));
        result
    }
}

impl<X: Executor> Session for DriverSession<X> {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        match self.run(utf8(sql)?)? {
            DriverOutput::Rows { types, rows: values } => push(&types, &values, rows),
            DriverOutput::Complete(count) => {
                if rows.columns(&[]) == Flow::Continue {
                    rows.done(Some(count));
                }
            }
            DriverOutput::Unknown => {
                let reason = "the driver returned a kind of output that this program does not know";
                return Err(ExecuteError::Unsupported(reason.to_owned()));
            }
        }
        Ok(())
    }
}

impl<X: Executor> Drop for DriverSession<X> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let is_orderly = self.is_orderly;
        // A driver may need its runtime while it is dropped.
        self.executor.wait(async move {
            if is_orderly {
                connection.shutdown().await;
            }
        });
    }
}

fn execute_error(error: DriverError, is_lost: &LostTest) -> ExecuteError {
    let DriverError { error, code } = error;
    if is_lost(error.as_ref()) {
        ExecuteError::Lost(EngineError::new(error))
    } else {
        ExecuteError::Sql(SqlError { message: error.to_string(), code })
    }
}

/// Hands the rows of a result to the sink. The SQL has been executed already.
fn push(types: &[char], values: &[Vec<String>], rows: &mut dyn RowSink) {
    let flow = match (types, values.first()) {
        ([], None) => rows.unknown_columns(),
        ([], Some(row)) => rows.columns(&vec![Column::UNKNOWN; row.len()]),
        (types, _) => {
            let column = |letter: &char| Column { name: None, type_tag: type_tag(*letter) };
            rows.columns(&types.iter().map(column).collect::<Vec<_>>())
        }
    };
    if flow == Flow::Stop {
        return;
    }
    let mut buffer = Vec::new();
    for row in values {
        let mut own = recycle(buffer);
        own.extend(row.iter().map(|text| value_of(text)));
        let flow = rows.row(&own);
        buffer = recycle(own);
        if flow == Flow::Stop {
            return;
        }
    }
    // How many rows a statement has changed is unknown if it has a result.
    rows.done(None);
}

/// Returns the type for the letter of a column. Letters besides the three of the format mean something else in each driver.
fn type_tag(letter: char) -> TypeTag {
    match letter {
        'I' => TypeTag::Integer,
        'R' => TypeTag::Real,
        'T' => TypeTag::Text,
        _ => TypeTag::Unknown,
    }
}

/// Returns the value of a text. Drivers write NULL and the empty text as test files do.
fn value_of(text: &str) -> ValueRef<'_> {
    match text {
        "NULL" => ValueRef::Null,
        "(empty)" => ValueRef::Text(b""),
        text => ValueRef::Text(text.as_bytes()),
    }
}

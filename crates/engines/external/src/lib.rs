//! Any program as an engine: a *driver* that reads SQL as JSON from standard input and writes results to standard output.
//!
//! docs/engine-protocol.md describes both versions of the protocol. Each database is a process of its own.

mod driver;
mod message;

use std::sync::OnceLock;
use std::time::Duration;

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, Interrupter, RowSink, Session,
    SingleSession, SqlError, utf8,
};
use slt_core::value::{Column, ValueRef, recycle};

use driver::Driver;
use message::{DriverAnswer, Hello, JsonCell, ResultSet};

/// An engine behind a driver program.
pub struct External {
    /// The command of the shell. It may contain a password, so messages show another text.
    command: String,
    shown: String,
    /// The greeting of the driver, once it is known whether it has one.
    hello: OnceLock<Option<Hello>>,
}

/// The time for a driver to start.
const START_LIMIT: Duration = Duration::from_secs(30);

impl External {
    /// Returns the engine whose driver is started by this command of the shell. Messages and results show the command as
    /// `shown`.
    pub fn new(command: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { command: command.into(), shown: shown.into(), hello: OnceLock::new() }
    }

    /// Returns the greeting of the driver; `None` if it speaks version 1.
    fn hello(&self) -> Result<Option<&Hello>, EngineError> {
        if let Some(hello) = self.hello.get() {
            return Ok(hello.as_ref());
        }
        let hello = Driver::start(&self.command, &self.shown)?.probe(START_LIMIT)?;
        Ok(self.hello.get_or_init(|| hello).as_ref())
    }
}

impl Engine for External {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(match self.hello()? {
            Some(hello) => EngineId {
                name: hello.name.clone(),
                variant: hello.variant.clone(),
                version: hello.version.clone(),
                build: hello.build.clone(),
                labels: hello.labels.clone().unwrap_or_else(|| vec![hello.name.clone()]),
            },
            // Another command may be another engine.
            None => EngineId {
                variant: Some(self.shown.clone()),
                labels: vec!["external".to_owned()],
                ..EngineId::new("exec", "")
            },
        })
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        let greets = self.hello()?.is_some();
        let mut driver = Driver::start(&self.command, &self.shown)?;
        if greets {
            driver.greet(START_LIMIT)?;
        }
        Ok(Box::new(SingleSession::new(ExternalSession { driver, is_lost: false })))
    }
}

struct ExternalSession {
    driver: Driver,
    /// Whether an answer can no longer be attributed to a request.
    is_lost: bool,
}

impl Session for ExternalSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?;
        if self.is_lost {
            return Err(ExecuteError::Lost(EngineError::new("the driver failed before")));
        }
        let answer =
            self.driver.execute(sql).inspect_err(|_| self.is_lost = true).map_err(ExecuteError::Lost)?;
        match answer {
            DriverAnswer::Error { message, code } => Err(ExecuteError::Sql(SqlError { message, code })),
            DriverAnswer::Unsupported(reason) => Err(ExecuteError::Unsupported(reason)),
            DriverAnswer::Result(result) => {
                push(&result, self.driver.is_typed(), rows);
                Ok(())
            }
        }
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.driver.canceller()
    }
}

/// Hands a result to the sink. Its statement has been executed already.
fn push(result: &ResultSet, is_typed: bool, rows: &mut dyn RowSink) {
    let flow = match &result.columns {
        Some(columns) => {
            let columns: Vec<_> = columns
                .iter()
                .map(|column| Column { name: column.name.as_deref(), type_tag: column.kind.into() })
                .collect();
            rows.columns(&columns)
        }
        None => match result.rows.first() {
            Some(row) => rows.columns(&vec![Column::UNKNOWN; row.len()]),
            None => rows.unknown_columns(),
        },
    };
    if flow == Flow::Stop {
        return;
    }
    let mut values = Vec::new();
    for row in &result.rows {
        let mut own = recycle(values);
        own.extend(row.iter().map(|cell| value_of(cell, is_typed)));
        let flow = rows.row(&own);
        values = recycle(own);
        if flow == Flow::Stop {
            return;
        }
    }
    rows.done(result.affected);
}

/// Returns the value of a cell. Version 1 has texts only; its drivers write NULL and the empty text like test files do.
fn value_of(cell: &JsonCell, is_typed: bool) -> ValueRef<'_> {
    match cell {
        JsonCell::Text(text) if !is_typed && text == "NULL" => ValueRef::Null,
        JsonCell::Text(text) if !is_typed && text == "(empty)" => ValueRef::Text(b""),
        cell => cell.value(),
    }
}

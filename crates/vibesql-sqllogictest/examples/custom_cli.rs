//! Your engine, our command line: `cargo run --example custom_cli -- test --engine counter FILE`.
//!
//! The registry has the engines of this build and one more, a database of a single number: `ADD n` adds to it,
//! `SHOW` returns it. Everything else of the program is as it was.

use std::process::ExitCode;

use vibesql_sqllogictest::cli;
use vibesql_sqllogictest::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
    utf8,
};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::value::{Column, TypeTag, ValueRef};

struct Counter;

impl Engine for Counter {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("counter", env!("CARGO_PKG_VERSION")))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        // New and empty: one file cannot see what another has left behind.
        Ok(Box::new(SingleSession::new(CounterSession { number: 0 })))
    }
}

struct CounterSession {
    number: i64,
}

impl Session for CounterSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        for statement in utf8(sql)?.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            if self.statement(statement, rows)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }
}

impl CounterSession {
    fn statement(&mut self, statement: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        let (word, rest) = statement.split_once(' ').unwrap_or((statement, ""));
        let affected = match word {
            "ADD" => {
                let number: i64 = rest
                    .trim()
                    .parse()
                    .map_err(|_| sql_error(format!("expected a number after ADD, found `{rest}`")))?;
                // No result set: no columns. The sink is asked before anything changes.
                if rows.columns(&[]) == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                self.number += number;
                Some(1)
            }
            "SHOW" => {
                if rows.columns(&[Column::new("number", TypeTag::Integer)]) == Flow::Stop
                    || rows.row(&[ValueRef::Integer(self.number)]) == Flow::Stop
                {
                    return Ok(Flow::Stop);
                }
                None
            }
            _ => return Err(sql_error(format!("expected ADD or SHOW, found `{word}`"))),
        };
        Ok(rows.done(affected))
    }
}

fn sql_error(message: String) -> ExecuteError {
    ExecuteError::Sql(SqlError { message, code: None })
}

fn main() -> ExitCode {
    let mut registry = engines::builtin();
    registry.add("counter", "a database of a single number", || Box::new(Counter));
    cli::main(registry)
}

// A database that does what its SQL says, and keeps a log. Included once for each crate, as `slt`.

use std::fmt::{self, Display};
use std::sync::{Arc, Mutex};

use slt::{DB, DBOutput, DefaultColumnType, MakeConnection, Runner};

/// An error of the database.
#[derive(Debug)]
pub struct ScriptedError(String);

impl Display for ScriptedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScriptedError {}

/// What the connections of a runner have done.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// Returns the lines since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

pub struct Scripted {
    log: Log,
    name: String,
    calls: usize,
}

impl Scripted {
    pub fn new(name: String, log: Log) -> Self {
        log.push(format!("{name}: connect"));
        Self { log, name, calls: 0 }
    }
}

/// Reads `a,b/c,d` as two rows of two values.
fn rows(text: &str) -> Vec<Vec<String>> {
    let row = |row: &str| row.split(',').map(|value| value.replace("\\n", "\n")).collect();
    if text.is_empty() { Vec::new() } else { text.split('/').map(row).collect() }
}

/// Returns the number at the beginning of a text; 1 if there is none.
fn number(text: &str) -> usize {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(1)
}

impl DB for Scripted {
    type Error = ScriptedError;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, ScriptedError> {
        self.log.push(format!("{}: {sql:?}", self.name));
        self.calls += 1;
        let (word, rest) = sql.split_once(' ').unwrap_or((sql, ""));
        let letter = match word {
            "error" => return Err(ScriptedError(rest.replace("\\n", "\n"))),
            "count" => return Ok(DBOutput::StatementComplete(number(rest) as u64)),
            "nth" if self.calls.is_multiple_of(number(rest)) => {
                return Ok(DBOutput::StatementComplete(1));
            }
            "nth" => return Err(ScriptedError(format!("call {}", self.calls))),
            "texts" => Some(DefaultColumnType::Text),
            "integers" => Some(DefaultColumnType::Integer),
            "untyped" => None,
            _ => return Ok(DBOutput::StatementComplete(0)),
        };
        let rows = rows(rest);
        let columns = rows.first().map_or(0, Vec::len);
        Ok(DBOutput::Rows { types: letter.map_or_else(Vec::new, |letter| vec![letter; columns]), rows })
    }

    fn engine_name(&self) -> &str {
        "scripted"
    }

    fn error_sql_state(error: &ScriptedError) -> Option<String> {
        error.0.strip_prefix("state=").map(|state| state[..5].to_owned())
    }

    fn shutdown(&mut self) {
        self.log.push(format!("{}: shutdown", self.name));
    }
}

/// Returns a runner whose connections are numbered, and their log.
pub fn runner() -> (Runner<Scripted, impl MakeConnection<Conn = Scripted>>, Log) {
    let log = Log::default();
    let shared = log.clone();
    let mut connections = 0;
    let runner = Runner::new(move || {
        connections += 1;
        let connection = Scripted::new(connections.to_string(), shared.clone());
        async { Ok(connection) }
    });
    (runner, log)
}

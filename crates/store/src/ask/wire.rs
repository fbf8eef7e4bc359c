//! The messages between an asking process and its child: a JSON object a line, framed as between the processes of a
//! run.

use std::io::{self, BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer::Value;
use crate::{Loaded, Wanted, Window, schema};

/// An engine that questions are put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    /// The engine whose database the results are.
    VibeSql,
    /// The second opinion.
    Sqlite,
}

impl EngineName {
    /// Both, in the order of their places.
    pub(super) const BOTH: [Self; 2] = [Self::VibeSql, Self::Sqlite];

    /// Returns its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::VibeSql => "vibesql",
            Self::Sqlite => "sqlite",
        }
    }

    /// Finds an engine by its name.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|engine| engine.word() == word)
    }
}

/// A question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    /// The statement.
    pub(super) sql: String,
    /// The names of the views that it reads.
    pub(super) views: Vec<String>,
    /// The rows that it is about.
    pub(super) rows: Rows,
    /// The number of columns that the answer has, if that is known.
    pub(super) width: Option<usize>,
    /// With how many rows to stop.
    pub(super) at_most: Option<usize>,
}

/// The source of the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Rows {
    /// The results folder. Loaded rows stay loaded for the next query.
    Kept {
        /// In this state.
        state: String,
        wanted: Vec<Named>,
        #[serde(with = "WindowDef")]
        window: Window,
        engine: Option<String>,
    },
    /// From here, for this question only.
    Given(Vec<GivenTable>),
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// Rows of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GivenTable {
    of: Named,
    rows: Vec<Vec<Value>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Window")]
enum WindowDef {
    Last(usize),
    Since(i64),
    All,
}

impl From<&Wanted> for Named {
    fn from(wanted: &Wanted) -> Self {
        let columns = wanted.columns.iter().map(|column| column.name.to_owned()).collect();
        Self { table: wanted.table.name.to_owned(), columns }
    }
}

impl Named {
    /// Returns the columns of the public schema; `None` for unknown ones.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        let table = schema::table(&self.table)?;
        let is_named = |name: &str| self.columns.iter().any(|column| column == name);
        let columns = table.columns.iter().filter(|column| is_named(column.name)).collect();
        Some(Wanted { table, columns })
    }
}

impl From<&Loaded> for GivenTable {
    fn from(loaded: &Loaded) -> Self {
        let rows = loaded.rows.iter().map(|row| row.iter().map(Value::from).collect()).collect();
        Self { of: Named::from(&loaded.wanted), rows }
    }
}

impl GivenTable {
    /// Returns the rows, if their table is one of our own.
    pub(super) fn loaded(self) -> Option<Loaded> {
        let rows = self.rows.into_iter().map(|row| row.into_iter().map(Into::into).collect());
        Some(Loaded { wanted: self.of.wanted()?, rows: rows.collect() })
    }
}

/// A message of the child. A query is answered by any of the first three, then by one of the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The rows are loaded, for this part of the history; `damaged` reports that the store needs repair.
    Loaded { runs: usize, loaded: usize, notes: Vec<String>, damaged: bool },
    /// The names of the columns.
    Columns(Vec<String>),
    /// Some rows.
    Rows(Vec<Vec<Value>>),
    /// That was all, or as much as was wanted.
    Done { stopped: bool },
    /// The engine does not accept the statement, or fails at it.
    Refused(String),
    /// The results cannot be read.
    NotLoaded(String),
    /// The engine panicked. The child ends.
    Panicked(String),
}

const RECORD_SEPARATOR: u8 = 0x1e;

/// Writes a message in its frame, in one piece.
pub(super) fn send(message: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut frame = vec![RECORD_SEPARATOR];
    serde_json::to_writer(&mut frame, message)?;
    frame.push(b'\n');
    out.write_all(&frame)?;
    out.flush()
}

/// Reads the next message; `None` at the end of the stream. Output of the engine is skipped.
pub(super) fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if let Some(start) = memchr::memrchr(RECORD_SEPARATOR, &line) {
            return Ok(Some(serde_json::from_slice(&line[start + 1..])?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_what_an_engine_prints() {
        let mut stream = b"printed\nwithout end".to_vec();
        send(&Reply::Rows(vec![vec![Value::Text("\u{1e}\n".to_owned())]]), &mut stream).unwrap();
        stream.extend_from_slice(b"a line\n");
        send(&Reply::Done { stopped: false }, &mut stream).unwrap();
        let mut from = stream.as_slice();
        let Some(Reply::Rows(rows)) = receive(&mut from).unwrap() else { panic!("no rows") };
        assert_eq!(rows, [[Value::Text("\u{1e}\n".to_owned())]]);
        assert!(matches!(receive(&mut from).unwrap(), Some(Reply::Done { stopped: false })));
        assert!(receive::<Reply>(&mut from).unwrap().is_none());
    }
}

//! The messages between an asking process and its child: a JSON object a line, framed as between the processes of a
//! run.

use std::io::{self, BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::source::HistorySelection;
use crate::{Cell, LoadedTable, WantedColumns};

/// An engine that answers queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    /// The engine that the store is written with.
    VibeSql,
    /// The second opinion.
    Sqlite,
}

impl EngineName {
    /// Both engines, in the order of their child processes.
    pub(super) const BOTH: [Self; 2] = [Self::VibeSql, Self::Sqlite];

    /// Returns its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VibeSql => "vibesql",
            Self::Sqlite => "sqlite",
        }
    }

    /// Finds an engine by name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|engine| engine.as_str() == name)
    }
}

/// A query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AskRequest {
    /// The statement.
    pub(super) sql: String,
    /// The names of the views that it reads.
    pub(super) views: Vec<String>,
    /// The rows that it is about.
    pub(super) rows: RequestRows,
    /// The number of columns of the answer, if known.
    pub(super) width: Option<usize>,
    /// The maximum number of rows of the answer.
    pub(super) at_most: Option<usize>,
}

/// The source of the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum RequestRows {
    /// The results folder in this state. Loaded rows stay loaded for the next query.
    Kept { state: String, selection: HistorySelection, wanted: Vec<WantedColumns> },
    /// These rows, for this query only.
    Given(Vec<LoadedTable>),
}

/// The loaded part of the history.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LoadInfo {
    pub(super) runs: usize,
    pub(super) loaded: usize,
    pub(super) notes: Vec<String>,
    /// Whether the store needs repair.
    pub(super) damaged: bool,
}

/// A message of the child. A query is answered by some of the first three, then by one of the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum AskReply {
    /// The rows are loaded.
    Loaded(LoadInfo),
    /// The names of the columns.
    Columns(Vec<String>),
    /// Some rows.
    Rows(Vec<Vec<Cell>>),
    /// The answer is complete, or stopped at the maximum number of rows.
    Done { stopped: bool },
    /// The engine rejects the statement, or fails at it.
    Refused(String),
    /// The results are unreadable.
    NotLoaded(String),
    /// The engine panicked. The child exits.
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
        send(&AskReply::Rows(vec![vec![Cell::text("\u{1e}\n")]]), &mut stream).unwrap();
        stream.extend_from_slice(b"a line\n");
        send(&AskReply::Done { stopped: false }, &mut stream).unwrap();
        let mut from = stream.as_slice();
        let Some(AskReply::Rows(rows)) = receive(&mut from).unwrap() else { panic!("no rows") };
        assert_eq!(rows, [[Cell::text("\u{1e}\n")]]);
        assert!(matches!(receive(&mut from).unwrap(), Some(AskReply::Done { stopped: false })));
        assert!(receive::<AskReply>(&mut from).unwrap().is_none());
    }
}

//! The messages between an asking process and its child: a JSON object a line, framed as between the processes of a
//! run.

use std::io::{self, BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer::AnswerValue;
use crate::{HistoryWindow, LoadedTable, WantedColumns, schema};

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
pub(super) struct AskRequest {
    /// The statement.
    pub(super) sql: String,
    /// The names of the views that it reads.
    pub(super) views: Vec<String>,
    /// The rows that it is about.
    pub(super) rows: RequestRows,
    /// The number of columns that the answer has, if that is known.
    pub(super) width: Option<usize>,
    /// With how many rows to stop.
    pub(super) at_most: Option<usize>,
}

/// The source of the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum RequestRows {
    /// The results folder. Loaded rows stay loaded for the next query.
    Kept {
        /// In this state.
        state: String,
        wanted: Vec<NamedColumns>,
        #[serde(with = "WindowDef")]
        window: HistoryWindow,
        engine: Option<String>,
    },
    /// From here, for this question only.
    Given(Vec<GivenTable>),
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NamedColumns {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// Rows of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GivenTable {
    of: NamedColumns,
    rows: Vec<Vec<AnswerValue>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "HistoryWindow")]
enum WindowDef {
    Last(usize),
    Since(i64),
    All,
}

impl From<&WantedColumns> for NamedColumns {
    fn from(wanted: &WantedColumns) -> Self {
        let columns = wanted.columns.iter().map(|column| column.name.to_owned()).collect();
        Self { table: wanted.table.name.to_owned(), columns }
    }
}

impl NamedColumns {
    /// Returns the columns of the public schema; `None` for unknown ones.
    pub(super) fn wanted(&self) -> Option<WantedColumns> {
        let table = schema::table(&self.table)?;
        let is_named = |name: &str| self.columns.iter().any(|column| column == name);
        let columns = table.columns.iter().filter(|column| is_named(column.name)).collect();
        Some(WantedColumns { table, columns })
    }
}

impl From<&LoadedTable> for GivenTable {
    fn from(loaded: &LoadedTable) -> Self {
        let rows = loaded.rows.iter().map(|row| row.iter().map(AnswerValue::from).collect()).collect();
        Self { of: NamedColumns::from(&loaded.wanted), rows }
    }
}

impl GivenTable {
    /// Returns the rows, if their table is one of our own.
    pub(super) fn loaded(self) -> Option<LoadedTable> {
        let rows = self.rows.into_iter().map(|row| row.into_iter().map(Into::into).collect());
        Some(LoadedTable { wanted: self.of.wanted()?, rows: rows.collect() })
    }
}

/// A message of the child. A query is answered by any of the first three, then by one of the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum AskReply {
    /// The rows are loaded, for this part of the history; `damaged` reports that the store needs repair.
    Loaded { runs: usize, loaded: usize, notes: Vec<String>, damaged: bool },
    /// The names of the columns.
    Columns(Vec<String>),
    /// Some rows.
    Rows(Vec<Vec<AnswerValue>>),
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
        send(&AskReply::Rows(vec![vec![AnswerValue::Text("\u{1e}\n".to_owned())]]), &mut stream).unwrap();
        stream.extend_from_slice(b"a line\n");
        send(&AskReply::Done { stopped: false }, &mut stream).unwrap();
        let mut from = stream.as_slice();
        let Some(AskReply::Rows(rows)) = receive(&mut from).unwrap() else { panic!("no rows") };
        assert_eq!(rows, [[AnswerValue::Text("\u{1e}\n".to_owned())]]);
        assert!(matches!(receive(&mut from).unwrap(), Some(AskReply::Done { stopped: false })));
        assert!(receive::<AskReply>(&mut from).unwrap().is_none());
    }
}

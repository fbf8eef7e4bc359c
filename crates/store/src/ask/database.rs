//! A database that answers queries, and the output of its answers.

use std::io::{self, Write};

use super::views::SqlView;
use super::wire::{AskReply, send};
use crate::{Cell, LoadedTable, WantedColumns};
use slt_core::engine::Flow;

/// The maximum number of rows in one message.
const BATCH: usize = 500;

/// A database that can be filled and queried.
pub(super) trait QueryDatabase {
    /// Creates a table.
    fn create(&mut self, table: &WantedColumns) -> Result<(), String>;
    /// Adds rows to a table.
    fn add(&mut self, table: &WantedColumns, rows: Vec<Vec<Cell>>) -> Result<(), String>;
    /// Creates tables with these rows.
    fn put(&mut self, tables: Vec<LoadedTable>) -> Result<(), String> {
        tables.into_iter().try_for_each(|LoadedTable { wanted, rows }| {
            self.create(&wanted)?;
            self.add(&wanted, rows)
        })
    }
    /// Creates a view.
    fn view(&mut self, view: &SqlView) -> Result<(), String>;
    /// Executes a query. Without `width` the names of the columns are needed, otherwise they are optional.
    fn ask(&mut self, sql: &str, width: Option<usize>, answer: &mut AnswerWriter<'_>) -> Result<(), String>;
}

/// Sends an answer in batches of rows.
pub(super) struct AnswerWriter<'o> {
    out: &'o mut dyn Write,
    batch: Vec<Vec<Cell>>,
    left: Option<usize>,
    stopped: bool,
    failed: Option<io::Error>,
}

impl<'o> AnswerWriter<'o> {
    /// Creates a writer that stops after `at_most` rows.
    pub(super) fn new(out: &'o mut dyn Write, at_most: Option<usize>) -> Self {
        Self { out, batch: Vec::new(), left: at_most, stopped: false, failed: None }
    }

    /// Sends a message.
    pub(super) fn say(&mut self, reply: &AskReply) {
        if let Err(error) = send(reply, self.out) {
            self.failed.get_or_insert(error);
        }
    }

    /// Sends the names of the columns.
    pub(super) fn columns(&mut self, names: Vec<String>) {
        self.say(&AskReply::Columns(names));
    }

    /// Adds a row; returns whether more are needed.
    pub(super) fn row(&mut self, row: Vec<Cell>) -> Flow {
        if self.left == Some(0) {
            self.stopped = true;
            return Flow::Stop;
        }
        self.left = self.left.map(|left| left - 1);
        self.batch.push(row);
        if self.batch.len() >= BATCH {
            self.flush();
        }
        if self.failed.is_some() { Flow::Stop } else { Flow::Continue }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let rows = std::mem::take(&mut self.batch);
            self.say(&AskReply::Rows(rows));
        }
    }

    /// Sends the remaining rows; returns whether rows were left out.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        self.flush();
        self.failed.map_or(Ok(self.stopped), Err)
    }
}

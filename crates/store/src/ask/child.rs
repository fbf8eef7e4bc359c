//! The child process: it owns one engine, loads the needed rows, and answers queries one after the other.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use super::answer::AnswerValue;
use super::in_sqlite::InSqlite;
use super::in_vibesql::InVibeSql;
use super::source::RowSource;
use super::views::{VIEWS, View};
use super::wire::{AskReply, AskRequest, EngineName, RequestRows, receive, send};
use crate::{Extract, HistoryWindow, LoadedTable, WantedColumns};
use slt_runner::parallel::family::end_all;

/// Rows of one message, at most.
const BATCH: usize = 500;

/// A database that can be filled and asked.
pub(super) trait Database {
    /// Makes tables with these rows.
    fn put(&mut self, tables: Vec<LoadedTable>) -> Result<(), String>;
    /// Makes a view.
    fn view(&mut self, view: &View) -> Result<(), String>;
    /// Asks; without `width` the names of the columns are wanted, otherwise only if they cost nothing.
    fn ask(&mut self, sql: &str, width: Option<usize>, sink: &mut dyn AnswerSink) -> Result<(), String>;
}

/// Takes an answer.
pub(super) trait AnswerSink {
    fn columns(&mut self, names: Vec<String>);
    fn row(&mut self, row: Vec<AnswerValue>) -> AnswerFlow;
}

/// Whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerFlow {
    Continue,
    Stop,
}

/// Answers queries until the input ends.
///
/// If the reader or the asking process is gone, this process exits immediately, with all processes that it has started.
///
/// # Errors
///
/// An output error, or a thread that cannot be started.
pub fn serve(
    engine: EngineName,
    source: &dyn RowSource,
    from: impl BufRead + Send + 'static,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (sender, requests) = mpsc::channel::<AskRequest>();
    let listen = move || {
        let mut from = from;
        while let Ok(Some(request)) = receive(&mut from) {
            if sender.send(request).is_err() {
                return;
            }
        }
        drop(sender);
        // Nobody reads an answer any more, and nobody would stop a hanging engine.
        end_all();
    };
    std::thread::Builder::new().name("questions".to_owned()).spawn(listen)?;
    let mut state = ChildState { engine, source, kept: None };
    for request in requests {
        let mut answer =
            AnswerWriter { out, batch: Vec::new(), left: request.at_most, stopped: false, failed: None };
        let end = catch_unwind(AssertUnwindSafe(|| state.answer(request, &mut answer)));
        answer.flush();
        let stopped = answer.stopped;
        if let Some(error) = answer.failed {
            return Err(error);
        }
        match end {
            Ok(Ok(())) => send(&AskReply::Done { stopped }, out)?,
            Ok(Err(reply)) => send(&reply, out)?,
            Err(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
                // After a panic the state of the engine cannot be trusted.
                return send(&AskReply::Panicked(text.to_owned()), out);
            }
        }
    }
    Ok(())
}

struct ChildState<'s> {
    engine: EngineName,
    source: &'s dyn RowSource,
    kept: Option<LoadedHistory>,
}

/// The loaded rows and their source.
struct LoadedHistory {
    database: Box<dyn Database>,
    columns: BTreeMap<&'static str, WantedColumns>,
    views: Vec<String>,
    of: HistoryPart,
    told: (usize, usize),
}

/// A part of the history, in one state of the results.
#[derive(PartialEq, Eq)]
struct HistoryPart {
    state: String,
    window: HistoryWindow,
    engine: Option<String>,
}

impl ChildState<'_> {
    fn answer(&mut self, request: AskRequest, answer: &mut AnswerWriter<'_>) -> Result<(), AskReply> {
        let AskRequest { sql, views, rows, width, .. } = request;
        match rows {
            RequestRows::Given(tables) => {
                let mut database = self.fresh()?;
                let tables = tables.into_iter().filter_map(super::wire::GivenTable::loaded).collect();
                database.put(tables).map_err(AskReply::Refused)?;
                make_views(database.as_mut(), &views, &mut Vec::new())?;
                database.ask(&sql, width, answer).map_err(AskReply::Refused)
            }
            RequestRows::Kept { state, wanted, window, engine } => {
                let wanted: Vec<_> = wanted.iter().filter_map(super::wire::NamedColumns::wanted).collect();
                self.load(HistoryPart { state, window, engine }, &wanted, answer)?;
                let Some(kept) = &mut self.kept else { return Err(AskReply::NotLoaded(String::new())) };
                make_views(kept.database.as_mut(), &views, &mut kept.views)?;
                let (runs, loaded) = kept.told;
                answer.say(&AskReply::Loaded { runs, loaded, notes: Vec::new(), damaged: false });
                kept.database.ask(&sql, width, answer).map_err(AskReply::Refused)
            }
        }
    }

    /// Reloads all tables with the missing columns: tables cannot be widened.
    fn load(
        &mut self,
        part: HistoryPart,
        wanted: &[WantedColumns],
        answer: &mut AnswerWriter<'_>,
    ) -> Result<(), AskReply> {
        let mut columns = match self.kept.take() {
            Some(kept) if kept.of == part => {
                let has = |wanted: &WantedColumns| {
                    let there = kept.columns.get(wanted.table.name);
                    there.is_some_and(|there| {
                        wanted.columns.iter().all(|column| there.columns.contains(column))
                    })
                };
                if wanted.iter().all(has) {
                    self.kept = Some(kept);
                    return Ok(());
                }
                kept.columns
            }
            _ => BTreeMap::new(),
        };
        for more in wanted {
            columns.entry(more.table.name).or_insert_with(|| more.clone()).widen(&more.columns);
        }
        let all: Vec<_> = columns.values().cloned().collect();
        let engine = part.engine.as_deref();
        let extract =
            self.source.load(&part.state, &all, part.window, engine).map_err(AskReply::NotLoaded)?;
        let told = (extract.runs, extract.loaded);
        let Extract { tables, notes, damaged, .. } = extract;
        answer.say(&AskReply::Loaded { runs: told.0, loaded: told.1, notes, damaged });
        let mut database = self.fresh()?;
        database.put(tables).map_err(AskReply::Refused)?;
        self.kept = Some(LoadedHistory { database, columns, views: Vec::new(), of: part, told });
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Database>, AskReply> {
        Ok(match self.engine {
            EngineName::VibeSql => Box::new(InVibeSql::new()),
            EngineName::Sqlite => Box::new(InSqlite::new().map_err(AskReply::Refused)?),
        })
    }
}

/// Makes the views that are not there.
fn make_views(
    database: &mut dyn Database,
    names: &[String],
    there: &mut Vec<String>,
) -> Result<(), AskReply> {
    for view in VIEWS.iter().filter(|view| names.iter().any(|name| name == view.name)) {
        if !there.iter().any(|name| name == view.name) {
            database.view(view).map_err(AskReply::Refused)?;
            there.push(view.name.to_owned());
        }
    }
    Ok(())
}

/// Sends rows as they come.
struct AnswerWriter<'o> {
    out: &'o mut dyn Write,
    batch: Vec<Vec<AnswerValue>>,
    left: Option<usize>,
    stopped: bool,
    failed: Option<io::Error>,
}

impl AnswerWriter<'_> {
    fn say(&mut self, reply: &AskReply) {
        if let Err(error) = send(reply, self.out) {
            self.failed.get_or_insert(error);
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let rows = std::mem::take(&mut self.batch);
            self.say(&AskReply::Rows(rows));
        }
    }
}

impl AnswerSink for AnswerWriter<'_> {
    fn columns(&mut self, names: Vec<String>) {
        self.say(&AskReply::Columns(names));
    }

    fn row(&mut self, row: Vec<AnswerValue>) -> AnswerFlow {
        if self.left == Some(0) {
            self.stopped = true;
            return AnswerFlow::Stop;
        }
        self.left = self.left.map(|left| left - 1);
        self.batch.push(row);
        if self.batch.len() >= BATCH {
            self.flush();
        }
        if self.failed.is_some() { AnswerFlow::Stop } else { AnswerFlow::Continue }
    }
}

//! The child process: it owns one engine, loads the needed rows, and answers queries one after the other.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use super::answer::Value;
use super::in_sqlite::InSqlite;
use super::in_vibesql::InVibeSql;
use super::source::Source;
use super::views::{VIEWS, View};
use super::wire::{EngineName, Reply, Request, Rows, receive, send};
use crate::{Extract, Loaded, Wanted, Window};
use slt_runner::parallel::family::end_all;

/// Rows of one message, at most.
const BATCH: usize = 500;

/// A database that can be filled and asked.
pub(super) trait Database {
    /// Makes tables with these rows.
    fn put(&mut self, tables: Vec<Loaded>) -> Result<(), String>;
    /// Makes a view.
    fn view(&mut self, view: &View) -> Result<(), String>;
    /// Asks; without `width` the names of the columns are wanted, otherwise only if they cost nothing.
    fn ask(&mut self, sql: &str, width: Option<usize>, sink: &mut dyn Sink) -> Result<(), String>;
}

/// Takes an answer.
pub(super) trait Sink {
    fn columns(&mut self, names: Vec<String>);
    fn row(&mut self, row: Vec<Value>) -> Flow;
}

/// Whether there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
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
    source: &dyn Source,
    from: impl BufRead + Send + 'static,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (sender, requests) = mpsc::channel::<Request>();
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
    let mut state = State { engine, source, kept: None };
    for request in requests {
        let mut answer =
            Answering { out, batch: Vec::new(), left: request.at_most, stopped: false, failed: None };
        let end = catch_unwind(AssertUnwindSafe(|| state.answer(request, &mut answer)));
        answer.flush();
        let stopped = answer.stopped;
        if let Some(error) = answer.failed {
            return Err(error);
        }
        match end {
            Ok(Ok(())) => send(&Reply::Done { stopped }, out)?,
            Ok(Err(reply)) => send(&reply, out)?,
            Err(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
                // After a panic the state of the engine cannot be trusted.
                return send(&Reply::Panicked(text.to_owned()), out);
            }
        }
    }
    Ok(())
}

struct State<'s> {
    engine: EngineName,
    source: &'s dyn Source,
    kept: Option<Kept>,
}

/// The loaded rows and their source.
struct Kept {
    database: Box<dyn Database>,
    columns: BTreeMap<&'static str, Wanted>,
    views: Vec<String>,
    of: Part,
    told: (usize, usize),
}

/// A part of the history, in one state of the results.
#[derive(PartialEq, Eq)]
struct Part {
    state: String,
    window: Window,
    engine: Option<String>,
}

impl State<'_> {
    fn answer(&mut self, request: Request, answer: &mut Answering<'_>) -> Result<(), Reply> {
        let Request { sql, views, rows, width, .. } = request;
        match rows {
            Rows::Given(tables) => {
                let mut database = self.fresh()?;
                let tables = tables.into_iter().filter_map(super::wire::GivenTable::loaded).collect();
                database.put(tables).map_err(Reply::Refused)?;
                make_views(database.as_mut(), &views, &mut Vec::new())?;
                database.ask(&sql, width, answer).map_err(Reply::Refused)
            }
            Rows::Kept { state, wanted, window, engine } => {
                let wanted: Vec<_> = wanted.iter().filter_map(super::wire::Named::wanted).collect();
                self.load(Part { state, window, engine }, &wanted, answer)?;
                let Some(kept) = &mut self.kept else { return Err(Reply::NotLoaded(String::new())) };
                make_views(kept.database.as_mut(), &views, &mut kept.views)?;
                let (runs, loaded) = kept.told;
                answer.say(&Reply::Loaded { runs, loaded, notes: Vec::new(), damaged: false });
                kept.database.ask(&sql, width, answer).map_err(Reply::Refused)
            }
        }
    }

    /// Reloads all tables with the missing columns: tables cannot be widened.
    fn load(&mut self, part: Part, wanted: &[Wanted], answer: &mut Answering<'_>) -> Result<(), Reply> {
        let mut columns = match self.kept.take() {
            Some(kept) if kept.of == part => {
                let has = |wanted: &Wanted| {
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
        let extract = self.source.load(&part.state, &all, part.window, engine).map_err(Reply::NotLoaded)?;
        let told = (extract.runs, extract.loaded);
        let Extract { tables, notes, damaged, .. } = extract;
        answer.say(&Reply::Loaded { runs: told.0, loaded: told.1, notes, damaged });
        let mut database = self.fresh()?;
        database.put(tables).map_err(Reply::Refused)?;
        self.kept = Some(Kept { database, columns, views: Vec::new(), of: part, told });
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Database>, Reply> {
        Ok(match self.engine {
            EngineName::VibeSql => Box::new(InVibeSql::new()),
            EngineName::Sqlite => Box::new(InSqlite::new().map_err(Reply::Refused)?),
        })
    }
}

/// Makes the views that are not there.
fn make_views(database: &mut dyn Database, names: &[String], there: &mut Vec<String>) -> Result<(), Reply> {
    for view in VIEWS.iter().filter(|view| names.iter().any(|name| name == view.name)) {
        if !there.iter().any(|name| name == view.name) {
            database.view(view).map_err(Reply::Refused)?;
            there.push(view.name.to_owned());
        }
    }
    Ok(())
}

/// Sends rows as they come.
struct Answering<'o> {
    out: &'o mut dyn Write,
    batch: Vec<Vec<Value>>,
    left: Option<usize>,
    stopped: bool,
    failed: Option<io::Error>,
}

impl Answering<'_> {
    fn say(&mut self, reply: &Reply) {
        if let Err(error) = send(reply, self.out) {
            self.failed.get_or_insert(error);
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let rows = std::mem::take(&mut self.batch);
            self.say(&Reply::Rows(rows));
        }
    }
}

impl Sink for Answering<'_> {
    fn columns(&mut self, names: Vec<String>) {
        self.say(&Reply::Columns(names));
    }

    fn row(&mut self, row: Vec<Value>) -> Flow {
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
}

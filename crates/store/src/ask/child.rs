//! The child process: it owns one engine, loads the needed rows, and answers queries one after the other.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use super::database::{AnswerWriter, QueryDatabase};
use super::in_sqlite::InSqlite;
use super::in_vibesql::InVibeSql;
use super::source::{HistorySelection, RowSource};
use super::views::VIEWS;
use super::wire::{AskReply, AskRequest, EngineName, LoadInfo, RequestRows, receive, send};
use crate::{Extract, WantedColumns};
use slt_runner::parallel::family::end_all;

/// Answers queries until the input ends.
///
/// The end of the input means that the asking process is gone. Then this process ends at once, even in the midst of an
/// answer, with all processes that it has started.
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
        // The asking process is gone, and cannot stop a hanging engine any more.
        end_all();
    };
    std::thread::Builder::new().name("questions".to_owned()).spawn(listen)?;
    let mut state = ChildState { engine, source, kept: None };
    for request in requests {
        let mut answer = AnswerWriter::new(out, request.at_most);
        let end = catch_unwind(AssertUnwindSafe(|| state.answer(request, &mut answer)));
        let stopped = answer.finish()?;
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
    database: Box<dyn QueryDatabase>,
    columns: BTreeMap<&'static str, WantedColumns>,
    views: Vec<String>,
    /// The state of the results, and the loaded part of the history.
    part: (String, HistorySelection),
    runs: usize,
    loaded: usize,
}

impl LoadedHistory {
    fn has(&self, wanted: &WantedColumns) -> bool {
        let loaded = self.columns.get(wanted.table.name);
        loaded.is_some_and(|loaded| wanted.columns.iter().all(|column| loaded.columns.contains(column)))
    }
}

impl ChildState<'_> {
    fn answer(&mut self, request: AskRequest, answer: &mut AnswerWriter<'_>) -> Result<(), AskReply> {
        let AskRequest { sql, views, rows, width, .. } = request;
        match rows {
            RequestRows::Given(tables) => {
                let mut database = self.new_database()?;
                database.put(tables).map_err(AskReply::Refused)?;
                create_views(database.as_mut(), &views, &mut Vec::new())?;
                database.ask(&sql, width, answer).map_err(AskReply::Refused)
            }
            RequestRows::Kept { state, selection, wanted } => {
                let (kept, notes, damaged) = self.load((state, selection), &wanted)?;
                let kept = self.kept.insert(kept);
                create_views(kept.database.as_mut(), &views, &mut kept.views)?;
                let (runs, loaded) = (kept.runs, kept.loaded);
                answer.say(&AskReply::Loaded(LoadInfo { runs, loaded, notes, damaged }));
                kept.database.ask(&sql, width, answer).map_err(AskReply::Refused)
            }
        }
    }

    /// Returns the kept rows with notes, after reloading all tables if columns are missing: tables cannot be widened.
    fn load(
        &mut self,
        part: (String, HistorySelection),
        wanted: &[WantedColumns],
    ) -> Result<(LoadedHistory, Vec<String>, bool), AskReply> {
        let mut columns = match self.kept.take() {
            Some(kept) if kept.part == part => {
                if wanted.iter().all(|wanted| kept.has(wanted)) {
                    return Ok((kept, Vec::new(), false));
                }
                kept.columns
            }
            _ => BTreeMap::new(),
        };
        for more in wanted {
            columns.entry(more.table.name).or_insert_with(|| more.clone()).widen(&more.columns);
        }
        let all: Vec<_> = columns.values().cloned().collect();
        let mut database = self.new_database()?;
        all.iter().try_for_each(|table| database.create(table)).map_err(AskReply::Refused)?;
        let mut added = Ok(());
        let extract = self.source.load_by_run(&part.0, &all, &part.1, &mut |table, rows| {
            if added.is_ok() {
                added = database.add(table, rows);
            }
        });
        let Extract { runs, loaded, notes, damaged, .. } = extract.map_err(AskReply::NotLoaded)?;
        added.map_err(AskReply::Refused)?;
        Ok((LoadedHistory { database, columns, views: Vec::new(), part, runs, loaded }, notes, damaged))
    }

    fn new_database(&self) -> Result<Box<dyn QueryDatabase>, AskReply> {
        Ok(match self.engine {
            EngineName::VibeSql => Box::new(InVibeSql::new()),
            EngineName::Sqlite => Box::new(InSqlite::new().map_err(AskReply::Refused)?),
        })
    }
}

/// Creates the missing views.
fn create_views(
    database: &mut dyn QueryDatabase,
    names: &[String],
    created: &mut Vec<String>,
) -> Result<(), AskReply> {
    for view in VIEWS.iter().filter(|view| names.iter().any(|name| name == view.name)) {
        if !created.iter().any(|name| name == view.name) {
            database.view(view).map_err(AskReply::Refused)?;
            created.push(view.name.to_owned());
        }
    }
    Ok(())
}

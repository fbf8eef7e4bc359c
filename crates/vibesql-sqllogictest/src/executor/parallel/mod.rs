//! Many files: finding them, and running them one after the other.
//!
//! One process for now; the files are independent of each other, so that worker processes can take them.

mod plan;

use std::time::Duration;

use super::core::{Options, Selection, run_script};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::event::{EventSink, RunEvent, SinkError, fold};
use crate::location::Source;
use crate::outcome::{Counts, FileEnd, FileProblem, FileReport, RunHeader, RunReport};
use crate::parser;

pub use plan::{Origin, PlanError, WorkItem, discover, file_of_path};

/// What a run needs to know besides its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How scripts are executed.
    pub options: Options,
    /// The dialect to read every file in, instead of what it says of itself.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
}

/// Runs `items` in order, each on a fresh database, and tells `sink` what happens.
///
/// # Errors
///
/// [`SinkError`] of the sink, with which the run ends.
pub fn run(
    items: &[WorkItem],
    engine: &dyn Engine,
    settings: &Settings,
    clock: &dyn Clock,
    sink: &mut dyn EventSink,
) -> Result<RunReport, SinkError> {
    let header = RunHeader {
        engine: engine.identity(),
        labels: settings.options.labels.clone(),
        exact: settings.exact,
        files: items.len(),
    };
    let start = clock.now();
    let mut events = Vec::with_capacity(items.len() + 2);
    let mut tell = |event: RunEvent| {
        let told = sink.on_event(&event);
        if !matches!(event, RunEvent::FileStarted { .. }) {
            events.push(event);
        }
        told
    };
    tell(RunEvent::RunStarted(header.clone()))?;
    for item in items {
        tell(RunEvent::FileStarted { shown: item.shown.clone() })?;
        let before = clock.now();
        let mut report = run_item(item, engine, settings);
        report.elapsed = clock.now().saturating_sub(before);
        tell(RunEvent::FileFinished(Box::new(report)))?;
    }
    tell(RunEvent::RunFinished { elapsed: clock.now().saturating_sub(start) })?;
    let empty = RunReport { header, files: Vec::new(), elapsed: Duration::ZERO };
    Ok(fold(events).unwrap_or(empty))
}

fn run_item(item: &WorkItem, engine: &dyn Engine, settings: &Settings) -> FileReport {
    let report = match item.read() {
        Ok(bytes) => run_source(&Source::new(item.shown.as_str(), bytes), engine, settings),
        Err(error) => not_started(FileProblem::Unreadable(error.to_string())),
    };
    FileReport { file: item.file.clone(), shown: item.shown.clone(), ..report }
}

fn run_source(source: &Source, engine: &dyn Engine, settings: &Settings) -> FileReport {
    match parser::choose(source, settings.dialect.as_deref(), settings.exact) {
        Ok((profile, _)) => {
            run_script(&parser::parse(source, profile), engine, &settings.options, Selection::All)
        }
        Err(unknown) => not_started(FileProblem::Dialect(unknown.to_string())),
    }
}

/// The report of a file whose records are not even known.
fn not_started(problem: FileProblem) -> FileReport {
    FileReport {
        file: String::new(),
        shown: String::new(),
        counts: Counts::default(),
        failing: Vec::new(),
        details: Vec::new(),
        setup_failures: Vec::new(),
        lints: Vec::new(),
        end: FileEnd::NotStarted(problem),
        elapsed: Duration::ZERO,
    }
}

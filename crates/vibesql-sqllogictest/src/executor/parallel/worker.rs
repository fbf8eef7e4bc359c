//! The worker process: claims a file, runs it, says what became of it, claims the next.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::plan::{Origin, WorkItem};
use super::queue::WorkQueue;
use super::slot::Slot;
use super::wire::{AssignedItem, Assignment, PROTOCOL, Settings, WorkerMessage};
use crate::clock::{Clock, SystemClock};
use crate::engine::{Engine, EngineRegistry, RegistryError};
use crate::executor::core::{Selection, run_observed};
use crate::executor::observer::Observer;
use crate::location::Source;
use crate::outcome::{Counts, FailureDetail, FileEnd, FileProblem, FileReport};
use crate::parser;

/// Why a worker cannot work.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A file of the run's folder, or standard output, cannot be read or written.
    #[error("the worker cannot use `{what}`")]
    Io {
        /// Which.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The assignment is that of another program.
    #[error("the run speaks `{found}`, this program `{PROTOCOL}`")]
    Protocol {
        /// What the assignment says.
        found: String,
    },
    /// There is no such engine here.
    #[error(transparent)]
    Engine(#[from] RegistryError),
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> WorkerError {
    move |source| WorkerError::Io { what, source }
}

/// Works on the run in `folder` until there is nothing left to claim. `embedded` gives the text of a file inside
/// the program by the name that messages call it.
///
/// # Errors
///
/// [`WorkerError`], when the run cannot be worked on at all. What goes wrong with a file is part of its report.
pub fn work(
    folder: &Path,
    worker: usize,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
    out: &mut dyn Write,
) -> Result<(), WorkerError> {
    // When the orchestrator dies, however it dies, nobody would stop an engine that hangs.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| io_error("parent death signal")(error.into()))?;
    let assignment = std::fs::read(assignment_path(folder)).map_err(io_error("run.json"))?;
    let assignment: Assignment =
        serde_json::from_slice(&assignment).map_err(|error| io_error("run.json")(error.into()))?;
    if assignment.protocol != PROTOCOL {
        return Err(WorkerError::Protocol { found: assignment.protocol });
    }
    let slot = Slot::open(&slot_path(folder, worker)).map_err(io_error("slot"))?;
    let queue = WorkQueue::open(folder, assignment.items.len());
    let engine = registry.make(&assignment.settings.engine)?;
    let mut out = out;
    let mut say = |message: &WorkerMessage| message.write(&mut out).map_err(io_error("standard output"));
    say(&WorkerMessage::Hello { protocol: PROTOCOL.to_owned() })?;
    while let Some(item) = queue.claim(worker).map_err(io_error("claims"))? {
        slot.start_item(item, SystemClock.now());
        say(&WorkerMessage::Claimed { item })?;
        let mut recorder = Recorder { item, slot: &slot, say: &mut say, failed: None };
        let start = SystemClock.now();
        let found = work_item(&assignment.items[item], embedded);
        let report = run_item(&found, engine.as_ref(), &assignment.settings, &mut recorder);
        if let Some(error) = recorder.failed {
            return Err(error);
        }
        let elapsed = SystemClock.now().saturating_sub(start);
        let report = FileReport { elapsed, failing: Vec::new(), details: Vec::new(), ..report };
        say(&WorkerMessage::Finished { item, report: Box::new(report) })?;
        slot.end_item();
    }
    say(&WorkerMessage::Done)
}

pub(super) fn assignment_path(folder: &Path) -> std::path::PathBuf {
    folder.join("run.json")
}

pub(super) fn slot_path(folder: &Path, worker: usize) -> std::path::PathBuf {
    folder.join(format!("slot-{worker}"))
}

fn work_item(item: &AssignedItem, embedded: &dyn Fn(&str) -> Option<&'static [u8]>) -> WorkItem {
    let origin = match &item.path {
        Some(path) => Origin::Disk(path.clone()),
        // A name that this program does not have is read like a path, and reported as unreadable.
        None => embedded(&item.shown).map_or_else(|| Origin::Disk((&item.shown).into()), Origin::Embedded),
    };
    WorkItem { file: item.file.clone(), shown: item.shown.clone(), origin }
}

/// Runs one file from its bytes to its report, which has no time yet.
fn run_item(
    item: &WorkItem,
    engine: &dyn Engine,
    settings: &Settings,
    recorder: &mut Recorder<'_>,
) -> FileReport {
    let report = match item.read() {
        Ok(bytes) => run_source(&Source::new(item.shown.as_str(), bytes), engine, settings, recorder),
        Err(error) => not_started(FileProblem::Unreadable(error.to_string())),
    };
    FileReport { file: item.file.clone(), shown: item.shown.clone(), ..report }
}

fn run_source(
    source: &Source,
    engine: &dyn Engine,
    settings: &Settings,
    recorder: &mut Recorder<'_>,
) -> FileReport {
    let profile = match parser::choose(source, settings.dialect.as_deref(), settings.exact) {
        Ok((profile, _)) => profile,
        Err(unknown) => return not_started(FileProblem::Dialect(unknown.to_string())),
    };
    let script = parser::parse(source, profile);
    recorder.send(&WorkerMessage::Counted { item: recorder.item, total: script.total() });
    run_observed(&script, engine, &settings.options, Selection::All, recorder)
}

/// The report of a file of which nothing was executed.
pub(super) fn not_started(problem: FileProblem) -> FileReport {
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

/// Keeps the slot true, and passes on what has not passed.
struct Recorder<'r> {
    item: usize,
    slot: &'r Slot,
    say: &'r mut dyn FnMut(&WorkerMessage) -> Result<(), WorkerError>,
    /// The first message that could not be sent: nobody listens any more.
    failed: Option<WorkerError>,
}

impl Recorder<'_> {
    fn send(&mut self, message: &WorkerMessage) {
        if self.failed.is_none() {
            self.failed = (self.say)(message).err();
        }
    }
}

impl Observer for Recorder<'_> {
    fn record_started(&mut self, line: u32) {
        self.slot.start_record(line, SystemClock.now());
    }

    fn record_not_passed(&mut self, line: u32, detail: Option<&FailureDetail>) {
        let detail = detail.cloned().map(Box::new);
        self.send(&WorkerMessage::NotPassed { item: self.item, line, detail });
    }

    fn record_settled(&mut self, counts: &Counts) {
        self.slot.end_record(counts);
    }
}

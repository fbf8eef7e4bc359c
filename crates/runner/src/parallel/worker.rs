//! The worker process: claims a file, runs it, reports the result, claims the next.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::berth::Berth;
use super::family::end_with_parent;
use super::plan::{Origin, WorkItem};
use super::procfs;
use super::queue::WorkQueue;
use super::slot::Slot;
use super::stdio::{take_stdin, take_stdout};
use super::wire::{AssignedItem, Assignment, AssignmentError, PROTOCOL, Part, Task, WorkKind, WorkerMessage};
use crate::clock::{Clock, SystemClock};
use slt_core::engine::{Engine, EngineError, EngineRegistry, RegistryError};
use slt_core::executor::slice::Slice;
use slt_core::executor::{Observer, Selection, run_observed, run_slice, unhash};
use slt_core::location::{Source, path_text};
use slt_core::outcome::{Counts, FailingRecord, FileEnd, FileProblem, FileReport, RecordId};
use slt_core::parser;

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
    /// The document of the run cannot be used.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// There is no such engine here.
    #[error(transparent)]
    Engine(#[from] RegistryError),
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> WorkerError {
    move |source| WorkerError::Io { what, source }
}

/// Works on the run in `folder` until there is nothing left to claim, as the `worker`th worker of the process that has
/// this berth there. `embedded` gives the text of a file inside the program by the name that messages call it.
///
/// Standard input and output are the pipes from and to that process. They are put away before an engine is made: an engine
/// reads from an empty file, and what it prints is dropped or goes to standard error.
///
/// # Errors
///
/// [`WorkerError`], when the run cannot be worked on at all. What goes wrong with a file is part of its report.
pub fn work(
    folder: &Path,
    berth: u64,
    worker: usize,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
) -> Result<(), WorkerError> {
    let assignment = Assignment::read(folder)?;
    // From here on no engine can print a message, or keep the pipe for them open.
    let mut out = take_streams(&assignment.kind)?;
    let berth = Berth::of(folder, berth);
    let slot = Slot::open(&berth.slot(worker)).map_err(io_error("slot"))?;
    let queue = WorkQueue::open(folder, assignment.given);
    let engine = registry.make(&assignment.settings.engine)?;
    let mut say =
        |message: &WorkerMessage<'_>| message.write(&mut out).map_err(io_error("pipe for messages"));
    say(&WorkerMessage::Hello { protocol: PROTOCOL.to_owned() })?;
    while let Some(task) = claim(&queue, &berth, worker).map_err(io_error("claims"))? {
        let at = SystemClock.now();
        slot.start_item(task, at);
        say(&WorkerMessage::Claimed { task, at })?;
        let Task { item, slice } = assignment.tasks[task];
        let found = work_item(&assignment.items[item], embedded);
        let trace = assignment.kind.is_traced().then_some(found.shown.as_str());
        let mut recorder = Recorder { task, slot: &slot, say: &mut say, trace, failed: None };
        let start = SystemClock.now();
        procfs::reset_peak_memory();
        let part = run_item(&found, slice, engine.as_ref(), &assignment, &mut recorder);
        if let Some(error) = recorder.failed {
            return Err(error);
        }
        let elapsed = SystemClock.now().saturating_sub(start);
        let mut report = FileReport { elapsed, peak_memory: procfs::peak_memory(), ..part.report };
        let keys = report.failures.drain(..).map(|record| record.key).collect();
        say(&WorkerMessage::Finished { task, part: Box::new(Part { report, ..part }), keys })?;
        slot.end_item();
        if keeps_too_much(assignment.limits.memory) {
            // What a file has left behind must not be held against the next: a fresh worker goes on.
            return Ok(());
        }
    }
    say(&WorkerMessage::Done)
}

/// Puts standard input and output away, and returns the latter. This process ends when the former does.
fn take_streams(kind: &WorkKind) -> Result<File, WorkerError> {
    let lifeline = take_stdin().map_err(io_error("standard input"))?;
    end_with_parent(lifeline).map_err(io_error("a thread that waits for the end of the main process"))?;
    let stderr = io::stderr();
    take_stdout(kind.shows_output().then_some(&stderr)).map_err(io_error("standard output"))
}

/// Whether the next file would begin with half of the memory that it may have.
fn keeps_too_much(limit: Option<u64>) -> bool {
    limit.zip(procfs::memory(rustix::process::getpid())).is_some_and(|(limit, used)| used > limit / 2)
}

fn claim(queue: &WorkQueue, berth: &Berth, worker: usize) -> io::Result<Option<usize>> {
    if berth.is_closed() { Ok(None) } else { queue.claim(berth.worker(worker)) }
}

/// The file behind an entry of the assignment.
pub(super) fn work_item(item: &AssignedItem, embedded: &dyn Fn(&str) -> Option<&'static [u8]>) -> WorkItem {
    let origin = match &item.path {
        Some(path) => Origin::Disk(path_text::path(path)),
        // A name that this program does not have is read like a path, and reported as unreadable.
        None => embedded(&item.shown).map_or_else(|| Origin::Disk((&item.shown).into()), Origin::Embedded),
    };
    let (file, shown, left_out) = (item.file.clone(), item.shown.clone(), item.left_out.clone());
    WorkItem { file, shown, origin, left_out }
}

/// Runs one file from its bytes to its report, which has no time yet.
fn run_item(
    item: &WorkItem,
    slice: Option<Slice>,
    engine: &dyn Engine,
    assignment: &Assignment,
    recorder: &mut Recorder<'_>,
) -> Part {
    let part = match item.read() {
        Ok(bytes) => {
            let selection = match (assignment.kind.only(), slice) {
                (Some(line), _) => Selection::Only(line),
                (None, Some(slice)) => Selection::Slice(slice),
                (None, None) => Selection::AllBut(&item.left_out),
            };
            run_source(&Source::new(item.shown.as_str(), bytes), selection, engine, assignment, recorder)
        }
        Err(error) => Part::of(not_started(FileProblem::Unreadable(error.to_string()))),
    };
    let (file, shown) = (item.file.clone(), item.shown.clone());
    Part { report: FileReport { file, shown, ..part.report }, ..part }
}

fn run_source(
    source: &Source,
    selection: Selection<'_>,
    engine: &dyn Engine,
    assignment: &Assignment,
    recorder: &mut Recorder<'_>,
) -> Part {
    let settings = &assignment.settings;
    let profile = match parser::choose(source, settings.dialect.as_deref(), settings.exact) {
        Ok((profile, _)) => profile,
        Err(unknown) => return Part::of(not_started(FileProblem::Dialect(unknown.to_string()))),
    };
    let script = parser::parse(source, profile);
    if let WorkKind::Unhash(failures) = &assignment.kind {
        let mut report = FileReport::new("", FileEnd::Completed);
        report.failures.clone_from(failures);
        unhash(&mut report, &script, engine, &settings.options);
        report.failures.iter().for_each(|record| recorder.record_not_passed(record));
        return Part::of(report);
    }
    let total = if let Selection::Only(_) = selection { 1 } else { script.total() };
    recorder.send(&WorkerMessage::Counted { task: recorder.task, total });
    let Selection::Slice(slice) = selection else {
        return Part::of(run_observed(&script, engine, &settings.options, selection, recorder));
    };
    let sliced = run_slice(&script, engine, &settings.options, slice, recorder);
    Part { report: sliced.report, set_up: Some(sliced.set_up) }
}

/// The report of a file of which nothing was executed.
pub(super) fn not_started(problem: FileProblem) -> FileReport {
    FileReport::new("", FileEnd::NotStarted(problem))
}

/// Keeps the slot true, and passes on what has not passed.
struct Recorder<'r> {
    task: usize,
    slot: &'r Slot,
    say: &'r mut dyn FnMut(&WorkerMessage<'_>) -> Result<(), WorkerError>,
    /// What messages call the file, if each record is named on standard error before it runs.
    trace: Option<&'r str>,
    /// The first message that could not be sent: nobody listens any more.
    failed: Option<WorkerError>,
}

impl Recorder<'_> {
    fn send(&mut self, message: &WorkerMessage<'_>) {
        if self.failed.is_none() {
            self.failed = (self.say)(message).err();
        }
    }
}

impl Observer for Recorder<'_> {
    fn record_started(&mut self, id: &RecordId) {
        if let Some(shown) = self.trace {
            // Where standard error is closed there is nobody to tell.
            writeln!(io::stderr(), "{shown}:{id}").ok();
        }
        self.slot.start_record(id, SystemClock.now());
    }

    fn record_not_passed(&mut self, record: &FailingRecord) {
        self.send(&WorkerMessage::NotPassed { task: self.task, record: Cow::Borrowed(record) });
    }

    fn record_settled(&mut self, counts: &Counts) {
        self.slot.end_record(counts);
    }

    fn database_not_closed(&mut self, error: &EngineError) {
        // Where standard error is closed there is nobody to tell.
        writeln!(io::stderr(), "cannot close the database: {error}").ok();
    }
}

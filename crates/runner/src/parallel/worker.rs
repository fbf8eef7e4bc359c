//! The worker process: claims a file, runs it, reports the result, claims the next.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::family::end_with_parent;
use super::host::SuiteHost;
use super::plan::{FileSource, WorkItem};
use super::process_dir::ProcessDir;
use super::procfs::{MemoryUse, OwnMemory};
use super::queue::WorkQueue;
use super::slot::{HelpRequest, Slot, SlotClaims, WorkerUse};
use super::stderr;
use super::stdio::{take_stdin, take_stdout};
use super::step::OrderedStepper;
use super::timed_host::TimedHost;
use super::timeline::TaskTimes;
use super::update_folder::{CorrectionWriter, read_updated_text};
use super::wire::{
    AssignedItem, Assignment, AssignmentError, PROTOCOL, Task, TaskResult, WorkKind, WorkerMessage,
};
use crate::clock;
use slt_core::engine::{Engine, EngineError, EngineRegistry, RegistryError};
use slt_core::executor::slice::{ShareRole, Slice, may_split};
use slt_core::executor::{
    Host, Observer, Selection, Surroundings, outcomes, run_observed, run_shared, run_slice, run_stepwise,
    unhash,
};
use slt_core::location::{Source, path_text};
use slt_core::outcome::{
    Correction, Counts, FailingRecord, FileEnd, FilePart, FileProblem, FileReport, FileTimes, RecordId,
};
use slt_core::parser::{self, SourceTree};

/// An error that stops a worker.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A file in the run folder, or standard output, cannot be read or written.
    #[error("the worker cannot use `{what}`")]
    Io {
        /// The file.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The assignment of the run is unusable.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The engine is unknown here.
    #[error(transparent)]
    Engine(#[from] RegistryError),
}

const CORRECTIONS: &str = "corrections";

fn io_error(what: &'static str) -> impl Fn(io::Error) -> WorkerError {
    move |source| WorkerError::Io { what, source }
}

/// Works on the run in `folder` until the queue is empty, as the `worker`th worker of the process with this directory.
///
/// `embedded` returns the text of an embedded file by its displayed path.
///
/// Standard input and output are the pipes from and to the parent process. Before an engine starts they are replaced:
/// an engine reads from an empty file, and its output is discarded or goes to standard error. With `timings`, the parts
/// of the time of each file are measured.
///
/// # Errors
///
/// [`WorkerError`], when the run is unusable. Failures of a file are part of its report.
pub fn work(
    folder: &Path,
    process_dir: u64,
    worker: usize,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
    timings: bool,
) -> Result<(), WorkerError> {
    let assignment = Assignment::read(folder)?;
    // From here on no engine can print a message, or keep the message pipe open.
    let (mut out, orders) = take_streams(&assignment.kind)?;
    let process_dir = ProcessDir::new(folder, process_dir);
    let slot = Slot::open(&process_dir.slot(worker)).map_err(io_error("slot"))?;
    let queue = WorkQueue::open(folder, assignment.given);
    let engine = registry.make(&assignment.settings.engine)?;
    let mut say =
        |message: &WorkerMessage<'_>| message.write(&mut out).map_err(io_error("pipe for messages"));
    say(&WorkerMessage::Hello { protocol: PROTOCOL.to_owned() })?;
    let stderr_file = process_dir.stderr(worker);
    let memory = OwnMemory::open();
    let part = WorkerShare::new(&slot, &process_dir).map_err(io_error("slot"))?;
    for claims in 0.. {
        slot.wait_for_turn(claims);
        let task = match part.request {
            Some(request) => (claims == 0).then_some(request.task),
            None => claim(&queue, &process_dir, worker).map_err(io_error("claims"))?,
        };
        let Some(task) = task else { break };
        let at = clock::now();
        slot.start_item(task, at);
        slot.begin_claims(claims + 1);
        let said_before = stderr::length(&stderr_file);
        say(&WorkerMessage::Claimed { task, at, stderr: said_before })?;
        let Task { item, slice } = assignment.tasks[task];
        let found = work_item(&assignment.items[item], embedded);
        let trace = assignment.kind.is_traced().then_some(found.shown.as_str());
        let is_update = matches!(assignment.kind, WorkKind::Update { .. });
        let corrections = is_update.then(|| CorrectionWriter::create(folder)).transpose();
        let corrections = corrections.map_err(io_error(CORRECTIONS))?;
        let start = clock::now();
        let times = timings.then(|| (start, FileTimes::default()));
        let mut recorder =
            Recorder { task, slot: &slot, say: &mut say, trace, corrections, times, failed: None };
        memory.reset_peak();
        let text = if is_update { read_updated_text(folder).map(Cow::Owned) } else { found.read() };
        let share = part.share(&slot, claims + 1);
        let context =
            WorkerContext { engine: engine.as_ref(), assignment: &assignment, orders: &orders, share };
        let result = run_item(&found, text, slice, context, &mut recorder);
        if let Some(error) = recorder.failed {
            return Err(error);
        }
        let end = clock::now();
        let elapsed = end.saturating_sub(start);
        let times = recorder.times.map(|(from, times)| Box::new(TaskTimes { from, to: end, times }));
        let used = memory.read();
        let mut report = FileReport { elapsed, peak_memory: used.peak, ..result.report };
        if !report.last_status().is_good() {
            report.stderr = stderr::tail(&stderr_file, said_before);
        }
        let keys = report.failures.drain(..).map(|record| record.key).collect();
        let result = Box::new(TaskResult { report, ..result });
        say(&WorkerMessage::Finished { task, result, keys, times })?;
        slot.end_item();
        if keeps_too_much(assignment.limits.memory, used) {
            // A fresh worker continues, so that leftovers of this file cannot affect the next.
            return Ok(());
        }
    }
    say(&WorkerMessage::Done)
}

/// Replaces standard input and output, and returns the latter, with the lines of the former. This process exits when
/// standard input closes.
fn take_streams(kind: &WorkKind) -> Result<(File, Receiver<Vec<u8>>), WorkerError> {
    let lifeline = take_stdin().map_err(io_error("standard input"))?;
    let (sender, orders) = channel();
    // Nobody reads the lines if this process is about to exit.
    let hear = move |line| drop(sender.send(line));
    end_with_parent(lifeline, hear)
        .map_err(io_error("a thread that waits for the end of the main process"))?;
    let stderr = io::stderr();
    let out = take_stdout(kind.shows_output().then_some(&stderr)).map_err(io_error("standard output"))?;
    Ok((out, orders))
}

/// How a worker takes part in files that several workers execute.
struct WorkerShare {
    used: WorkerUse,
    request: Option<HelpRequest>,
    /// The slot of the worker that it helps.
    owner: Option<Slot>,
}

impl WorkerShare {
    fn new(slot: &Slot, process_dir: &ProcessDir) -> io::Result<Self> {
        let used = slot.worker_use();
        let request = if let WorkerUse::Helper(request) = used { Some(request) } else { None };
        let owner = request.map(|request| Slot::open(&process_dir.slot(request.owner))).transpose()?;
        Ok(Self { used, request, owner })
    }

    /// Returns the claims of the worker's `claim`th file, counted from 1, unless it is alone with it.
    fn share<'s>(&'s self, own: &'s Slot, claim: u64) -> Option<SlotClaims<'s>> {
        match (self.used, &self.owner) {
            (WorkerUse::Helper(HelpRequest { claim, .. }), Some(owner)) => {
                Some(SlotClaims { own, owner, role: ShareRole::Helper, claim })
            }
            (WorkerUse::Owner, _) => Some(SlotClaims { own, owner: own, role: ShareRole::Owner, claim }),
            _ => None,
        }
    }
}

/// What the files of a worker have in common, and how it shares the present one.
#[derive(Clone, Copy)]
struct WorkerContext<'w> {
    engine: &'w dyn Engine,
    assignment: &'w Assignment,
    /// The lines of the main process.
    orders: &'w Receiver<Vec<u8>>,
    share: Option<SlotClaims<'w>>,
}

/// Returns whether the next file would begin with half of the memory limit in use.
fn keeps_too_much(limit: Option<u64>, used: MemoryUse) -> bool {
    limit.zip(used.current).is_some_and(|(limit, used)| used > limit / 2)
}

fn claim(queue: &WorkQueue, process_dir: &ProcessDir, worker: usize) -> io::Result<Option<usize>> {
    if process_dir.is_closed() { Ok(None) } else { queue.claim(process_dir.worker(worker)) }
}

/// Returns the file of an entry of the assignment.
pub(super) fn work_item(item: &AssignedItem, embedded: &dyn Fn(&str) -> Option<&'static [u8]>) -> WorkItem {
    let source = match &item.path {
        Some(path) => FileSource::Disk(path_text::path(path)),
        // A name unknown to this program is treated as a path, and reported as unreadable.
        None => {
            embedded(&item.shown).map_or_else(|| FileSource::Disk((&item.shown).into()), FileSource::Embedded)
        }
    };
    let (file, shown, left_out) = (item.file.clone(), item.shown.clone(), item.left_out.clone());
    WorkItem { below: file.path().to_owned(), file, shown, source, left_out, dialect: item.dialect.clone() }
}

/// Runs one file and returns its report, still without a duration.
fn run_item(
    item: &WorkItem,
    text: io::Result<Cow<'static, [u8]>>,
    slice: Option<Slice>,
    context: WorkerContext<'_>,
    recorder: &mut Recorder<'_>,
) -> TaskResult {
    let result = match text {
        Ok(bytes) => {
            let source = Source::new(item.shown.as_str(), bytes);
            let selection = match (&context.assignment.kind, slice) {
                (WorkKind::Test { only: Some(line), .. } | WorkKind::Update { only: Some(line) }, _) => {
                    Selection::Only(*line)
                }
                // All steps up to a record of an included file are needed: it may be included in a loop.
                (WorkKind::Step { target: Some(RecordId { source: Some(_), .. }) }, _) => Selection::All,
                (WorkKind::Step { target: Some(target) }, _) => Selection::From(target.line),
                (WorkKind::Step { target: None }, _) => Selection::From(u32::MAX),
                (_, Some(slice)) => Selection::Slice(slice),
                (_, None) => Selection::AllBut(&item.left_out),
            };
            run_source(item, source, selection, context, recorder)
        }
        Err(error) => TaskResult::new(not_started(FileProblem::Unreadable(error.to_string()))),
    };
    let (file, shown) = (item.file.clone(), item.shown.clone());
    TaskResult { report: FileReport { file, shown, ..result.report }, ..result }
}

fn run_source(
    item: &WorkItem,
    source: Source,
    selection: Selection<'_>,
    WorkerContext { engine, assignment, orders, share }: WorkerContext<'_>,
    recorder: &mut Recorder<'_>,
) -> TaskResult {
    let settings = &assignment.settings;
    let request = settings.dialect_of(item.dialect.as_deref());
    let profile = match parser::choose(&source, request, settings.exact) {
        Ok(chosen) => chosen.profile,
        Err(error) => return TaskResult::new(not_started(FileProblem::Dialect(error.to_string()))),
    };
    let host = SuiteHost::new(item, settings.permissions, profile.includes);
    let tree = SourceTree::load(source, profile, &host);
    let script = tree.parse(profile);
    recorder.parsed();
    let timed_host = recorder.times.is_some().then(|| TimedHost::new(&host));
    let measured_or_not = timed_host.as_ref().map_or(&host as &dyn Host, |host| host);
    let surroundings = Surroundings { engine, host: measured_or_not };
    if let WorkKind::Unhash(failures) = &assignment.kind {
        let mut report = FileReport::new("", FileEnd::Completed);
        report.failures.clone_from(failures);
        unhash(&mut report, &script, engine, &settings.options);
        report.failures.iter().for_each(|record| recorder.record_not_passed(record));
        return TaskResult::new(report);
    }
    if let WorkKind::Step { target } = &assignment.kind {
        let report = recorder.step(target.clone(), orders, |recorder, stepper| {
            run_stepwise(&script, surroundings, &settings.options, selection, recorder, stepper)
        });
        return TaskResult::new(report);
    }
    let total = if let Selection::Only(_) = selection { 1 } else { outcomes(&script) };
    recorder.send(&WorkerMessage::Counted { task: recorder.task, total });
    let (report, set_up) = match (selection, share) {
        (Selection::Slice(slice), _) => {
            let sliced = run_slice(&script, surroundings, &settings.options, slice, recorder);
            (sliced.report, Some(sliced.set_up))
        }
        (_, Some(SlotClaims { role: ShareRole::Helper, .. }))
            if may_split(&script, &settings.options).is_err() =>
        {
            (FileReport::new("", FileEnd::Completed), None)
        }
        (Selection::AllBut([]), Some(share)) => {
            let shared = run_shared(&script, surroundings, &settings.options, (share.role, &share), recorder);
            (shared.report, shared.set_up)
        }
        _ => (run_observed(&script, surroundings, &settings.options, selection, recorder), None),
    };
    if let Some(((_, times), host)) = recorder.times.as_mut().zip(timed_host.as_ref()) {
        times.add(FilePart::Host, host.elapsed());
    }
    let dialect = Some(profile.name.to_owned());
    TaskResult { report: FileReport { dialect, ..report }, set_up, is_part: false }
}

/// Returns the report of a file without any executed record.
pub(super) fn not_started(problem: FileProblem) -> FileReport {
    FileReport::new("", FileEnd::NotStarted(problem))
}

/// Keeps the slot up to date, and forwards failing records.
struct Recorder<'r> {
    task: usize,
    slot: &'r Slot,
    say: &'r mut (dyn FnMut(&WorkerMessage<'_>) -> Result<(), WorkerError> + Send),
    /// The displayed path, if each record is named on standard error before it runs.
    trace: Option<&'r str>,
    /// Where corrections go, if they are asked for.
    corrections: Option<CorrectionWriter>,
    /// The start of the file and the parts of its time so far, if they are measured.
    times: Option<(Duration, FileTimes)>,
    /// The error of the first message that could not be sent, because the pipe has no reader.
    failed: Option<WorkerError>,
}

impl Recorder<'_> {
    /// Runs a file step by step. Its observer and its stepper share the pipe.
    fn step(
        &mut self,
        target: Option<RecordId>,
        orders: &Receiver<Vec<u8>>,
        run: impl FnOnce(&mut Recorder<'_>, &mut OrderedStepper<'_>) -> FileReport,
    ) -> FileReport {
        // An observer can be on any thread. Nothing panics while it has the lock.
        let pipe = Mutex::new(&mut *self.say);
        let say = |message: &WorkerMessage<'_>| pipe.lock().unwrap_or_else(PoisonError::into_inner)(message);
        let mut say_too = &say;
        let mut recorder = Recorder {
            task: self.task,
            slot: self.slot,
            say: &mut say_too,
            trace: None,
            corrections: None,
            times: None,
            failed: None,
        };
        let mut stepper = OrderedStepper::new(self.task, target, orders, &say);
        let report = run(&mut recorder, &mut stepper);
        self.failed = recorder.failed.or(stepper.failed);
        report
    }

    /// Measures the time up to here, in which the file was read and parsed.
    fn parsed(&mut self) {
        if let Some((start, times)) = &mut self.times {
            times.add(FilePart::Parse, clock::now().saturating_sub(*start));
        }
    }

    fn send(&mut self, message: &WorkerMessage<'_>) {
        if self.failed.is_none() {
            self.failed = (self.say)(message).err();
        }
    }

    /// Names a record on standard error, if that is asked for.
    fn name(&self, id: &RecordId) {
        if let Some(shown) = self.trace {
            // A closed standard error is not an error.
            writeln!(io::stderr(), "{shown}:{id}").ok();
        }
    }
}

impl Observer for Recorder<'_> {
    fn record_started(&mut self, id: &RecordId) {
        self.name(id);
        self.slot.start_record(id, clock::now(), 1);
    }

    fn record_joined(&mut self, id: &RecordId, running: usize) {
        self.name(id);
        self.slot.set_running(running);
    }

    fn record_continues(&mut self, id: &RecordId, elapsed: Duration, running: usize) {
        self.scope_entered(id.source.as_ref(), id.iteration.as_ref());
        self.slot.start_record(id, clock::now().saturating_sub(elapsed), running);
    }

    fn scope_entered(&mut self, source: Option<&Arc<str>>, iteration: Option<&Arc<str>>) {
        let scope = RecordId { source: source.cloned(), line: 0, iteration: iteration.cloned() };
        self.send(&WorkerMessage::Entered { task: self.task, scope });
    }

    fn record_not_passed(&mut self, record: &FailingRecord) {
        self.send(&WorkerMessage::NotPassed { task: self.task, record: Cow::Borrowed(record) });
    }

    fn wants_corrections(&self) -> bool {
        self.corrections.is_some()
    }

    fn correction_found(&mut self, id: &RecordId, correction: &Correction) {
        let written = self.corrections.as_mut().map_or(Ok(()), |file| file.write(id, correction));
        if let Err(error) = written {
            self.failed.get_or_insert(io_error(CORRECTIONS)(error));
        }
    }

    fn wants_times(&self) -> bool {
        self.times.is_some()
    }

    fn file_timed(&mut self, measured: &FileTimes) {
        self.times.iter_mut().for_each(|(_, times)| times.merge(measured));
    }

    fn record_settled(&mut self, counts: &Counts) {
        self.slot.end_record(counts);
    }

    fn database_not_closed(&mut self, error: &EngineError) {
        // A closed standard error is not an error.
        writeln!(io::stderr(), "cannot close the database: {error}").ok();
    }
}

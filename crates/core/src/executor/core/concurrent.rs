//! Concurrent loops: each iteration on a session and a thread of its own.
//!
//! The thread of the file opens the sessions, because only it has the database. It adds the outcomes of the iterations to
//! the report in their order, whichever ends first.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, Scope};
use std::time::Duration;

use super::flow::ListedIterations;
use super::flow::LoopFrame;
use super::in_flight::{IterationObserver, RecordsInFlight};
use super::meter::Meter;
use super::pause::Stepping;
use super::{FileRunner, Surroundings, slow};
use crate::engine::{DatabaseError, EngineError, ExecuteError, RowSink, Session};
use crate::executor::environment::{ExecutionRules, ExecutionState};
use crate::executor::label::LabelBook;
use crate::executor::record_processor::RecordProcessor;
use crate::executor::settings::Options;
use crate::executor::slice::ScriptPart;
use crate::executor::step::Step;
use crate::outcome::{FileEnd, FileReport, GroupBook, SkipReason, in_groups};
use crate::parser::{Lint, LintKind, Script};

/// The most iterations that run at the same time. More of them wait for the end of an earlier one.
const MOST_AT_ONCE: usize = 128;

/// The stack of an iteration, as large as that of a main thread: an engine may need it.
const STACK: usize = 8 << 20;

/// Tells the iterations of a concurrent loop that one of them has ended the file.
#[derive(Debug, Default)]
pub(super) struct LoopSignal {
    has_ended: AtomicBool,
    skips_rest: AtomicBool,
}

impl LoopSignal {
    /// Returns whether later records are not reached.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Returns whether later records are skipped, because something is missing.
    pub(super) fn skips_rest(&self) -> bool {
        self.skips_rest.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }

    pub(super) fn skip_rest(&self) {
        self.skips_rest.store(true, Ordering::Release);
    }
}

/// What all iterations of a loop begin with.
struct LoopStart<'l, 'r> {
    script: &'r Script<'r>,
    surroundings: Surroundings<'r>,
    options: &'r Options,
    steps: &'l [Step<'r>],
    frame: LoopFrame<'r>,
    rules: ExecutionRules,
    labels: LabelBook,
    source: Option<Arc<str>>,
    signal: LoopSignal,
}

/// The results of an iteration.
struct EndedIteration {
    report: FileReport,
    rules: ExecutionRules,
    skips: Option<SkipReason>,
    /// The step behind the loop.
    behind: usize,
    /// The time that the engine has taken.
    time: Duration,
}

type IterationResult = (u64, thread::Result<EndedIteration>);

/// Stands for a session that could not be opened, or that nothing needs any more.
struct MissingSession(DatabaseError);

impl Session for MissingSession {
    fn execute(&mut self, _: &[u8], _: &mut dyn RowSink) -> Result<(), ExecuteError> {
        Err(match &self.0 {
            DatabaseError::Unsupported(why) => ExecuteError::Unsupported(why.clone()),
            DatabaseError::Engine(error) => ExecuteError::Lost(error.clone()),
        })
    }
}

impl<'r> FileRunner<'r> {
    /// Executes all iterations of the innermost loop at the same time, if it is concurrent and the engine can do so. Its
    /// first iteration has been entered. Returns the step behind the loop.
    pub(super) fn run_at_once(
        &mut self,
        steps: &[Step<'r>],
        line: u32,
        frames: &mut Vec<LoopFrame<'r>>,
    ) -> Option<usize> {
        let is_concurrent = frames.last().is_some_and(|frame| frame.concurrent);
        // Records that are not executed need no sessions. A file that pauses or is corrected is executed in order.
        if !matches!(self.stepping, Stepping::Off) || self.observer.wants_corrections() {
            return None;
        }
        if !is_concurrent || self.has_ended() || self.skips.is_some() || self.skips_by_mode() {
            return None;
        }
        let first = self.state.processor.connect_concurrent(&session_name(0));
        if let Err(DatabaseError::Unsupported(_)) = first {
            let lint = Lint { line, kind: LintKind::LoopInOrder };
            if !self.report.lints.contains(&lint) {
                self.report.lints.push(lint);
            }
            return None;
        }
        let frame = frames.pop()?;
        self.state.rules.variables.leave_loop(frame.entered);
        self.state.rules.own_connection = None;
        let start = LoopStart {
            script: self.script,
            surroundings: self.surroundings,
            options: self.options,
            steps,
            frame,
            rules: self.state.rules.clone(),
            labels: self.state.labels.clone(),
            source: self.source.clone(),
            signal: LoopSignal::default(),
        };
        let behind = self.run_iterations(&start, first);
        self.enter_scope();
        behind
    }

    fn run_iterations(&mut self, start: &LoopStart<'_, 'r>, first: ConnectResult) -> Option<usize> {
        let in_flight = RecordsInFlight::new(&mut *self.observer, self.report.counts);
        let processor = &mut self.state.processor;
        let mut book = IterationBook {
            report: &mut self.report,
            groups: &mut self.groups,
            listed: &mut self.listed_iterations,
            details: self.options.details.records,
        };
        let mut last = None;
        let (watch, before) = (self.meter.watch(), processor.time().total);
        thread::scope(|scope| {
            let mut pool = IterationPool::new(scope, start, &in_flight);
            let mut session = Some(first);
            for iteration in 0..start.frame.count.max(1) {
                let ended = pool.wait_for(iteration, |name| {
                    session.take().unwrap_or_else(|| processor.connect_concurrent(name))
                });
                processor.add_time(ended.time);
                book.enter(ended.report, &in_flight);
                if ended.skips == Some(SkipReason::Requirement) {
                    self.skips = ended.skips;
                }
                last = Some((ended.rules, ended.behind));
            }
        });
        self.meter.loop_ended(watch, self.state.processor.time().total - before);
        // As after the last iteration of any other loop.
        let (rules, behind) = last?;
        self.state.rules = rules;
        Some(behind)
    }
}

type ConnectResult = Result<Box<dyn Session + Send>, DatabaseError>;

/// The iterations of a loop that are running or have ended.
struct IterationPool<'p, 'scope, 'env, 'r> {
    scope: &'scope Scope<'scope, 'env>,
    start: &'env LoopStart<'p, 'r>,
    in_flight: &'env RecordsInFlight<'env>,
    sender: mpsc::Sender<IterationResult>,
    receiver: mpsc::Receiver<IterationResult>,
    /// The next iteration to start.
    next: u64,
    running: usize,
    ended: BTreeMap<u64, EndedIteration>,
}

impl<'p, 'scope, 'env, 'r> IterationPool<'p, 'scope, 'env, 'r> {
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        start: &'env LoopStart<'p, 'r>,
        in_flight: &'env RecordsInFlight<'env>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel();
        Self { scope, start, in_flight, sender, receiver, next: 0, running: 0, ended: BTreeMap::new() }
    }

    /// Waits for the end of an iteration; starts as many others as possible in the meantime.
    fn wait_for(&mut self, iteration: u64, mut connect: impl FnMut(&str) -> ConnectResult) -> EndedIteration {
        loop {
            self.fill(&mut connect);
            if let Some(ended) = self.ended.remove(&iteration) {
                return ended;
            }
            // The pool has a sender, so the channel never closes.
            if let Ok((iteration, ended)) = self.receiver.recv() {
                self.running -= 1;
                // A defect of the runner: an engine's panic is the outcome of a record.
                self.ended.insert(iteration, ended.unwrap_or_else(|panic| resume_unwind(panic)));
            }
        }
    }

    fn fill(&mut self, connect: &mut impl FnMut(&str) -> ConnectResult) {
        while self.next < self.start.frame.count.max(1) && self.running < MOST_AT_ONCE {
            let session = if self.start.signal.has_ended() || self.start.signal.skips_rest() {
                Err(EngineError::new("the loop has ended").into())
            } else {
                connect(&session_name(self.next))
            };
            let failed = match session {
                Ok(session) => self.spawn(session).err(),
                Err(error) => Some(error),
            };
            match failed {
                None => self.running += 1,
                // Full, as a server or a machine can be: the end of an iteration makes room.
                Some(_) if self.running > 0 => return,
                Some(error) => {
                    let missing = Box::new(MissingSession(error));
                    let ended = self.start.run(self.next, missing, self.in_flight);
                    self.ended.insert(self.next, ended);
                }
            }
            self.next += 1;
        }
    }

    /// Starts the next iteration on a thread of its own.
    fn spawn(&self, session: Box<dyn Session + Send>) -> Result<(), DatabaseError> {
        let (start, in_flight, sender, iteration) =
            (self.start, self.in_flight, self.sender.clone(), self.next);
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| start.run(iteration, session, in_flight)));
            // The receiver is there as long as an iteration is running, unless another one has panicked.
            sender.send((iteration, ended)).ok();
        };
        let thread = thread::Builder::new().name(session_name(iteration)).stack_size(STACK);
        let spawned = thread.spawn_scoped(self.scope, run);
        let cannot = |error| EngineError::new(format_args!("cannot start a thread: {error}"));
        spawned.map(drop).map_err(|error| cannot(error).into())
    }
}

impl<'r> LoopStart<'_, 'r> {
    /// Executes an iteration.
    fn run(
        &self,
        iteration: u64,
        session: Box<dyn Session>,
        in_flight: &RecordsInFlight<'_>,
    ) -> EndedIteration {
        let mut observer = IterationObserver::new(in_flight, iteration);
        let (renderer, limit) = (self.script.profile.renderer, self.options.record_timeout);
        let processor = RecordProcessor::of_iteration(session, renderer, limit);
        let mut runner = FileRunner {
            script: self.script,
            surroundings: self.surroundings,
            options: self.options,
            state: ExecutionState { processor, labels: self.labels.clone(), rules: self.rules.clone() },
            report: FileReport::new("", FileEnd::Completed),
            groups: GroupBook::default(),
            observer: &mut observer,
            part: ScriptPart::default(),
            source: self.source.clone(),
            iteration: None,
            listed_iterations: ListedIterations::default(),
            skips: None,
            signal: Some(&self.signal),
            stepping: Stepping::Off,
            correction: None,
            // Iterations overlap, so only the whole loop is measured.
            meter: Meter::new(false),
        };
        let behind = runner.run_iteration(self.steps, self.frame.only(iteration));
        let FileRunner { state, report, skips, .. } = runner;
        in_flight.ended(iteration);
        let time = state.processor.time().total;
        // It has no database of its own that something could be left of.
        state.processor.close().ok();
        EndedIteration { report, rules: state.rules, skips, behind, time }
    }
}

/// The part of the report of a file to which iterations are added.
struct IterationBook<'b> {
    report: &'b mut FileReport,
    groups: &'b mut GroupBook,
    listed: &'b mut ListedIterations,
    /// The failing records with details.
    details: usize,
}

impl IterationBook<'_> {
    /// Adds the outcomes of an iteration behind those of earlier ones.
    fn enter(&mut self, ended: FileReport, in_flight: &RecordsInFlight<'_>) {
        let report = &mut *self.report;
        report.counts += ended.counts;
        let places = self.groups.append(&mut report.groups, ended.groups);
        let known = report.failures.len();
        for failure in ended.failures {
            let mut failure = in_groups(failure, &places);
            if !self.listed.lists(&failure.id.source, failure.id.line) {
                continue;
            }
            failure.detail = failure.detail.filter(|_| report.failures.len() < self.details);
            report.failures.push(failure);
        }
        report.setup_failures.extend(ended.setup_failures);
        report.left_out.extend(ended.left_out);
        report.lints.extend(ended.lints);
        slow::merge(&mut report.slowest, ended.slowest);
        report.times.merge(&ended.times);
        report.missing = report.missing.take().or(ended.missing);
        if report.end == FileEnd::Completed {
            report.end = ended.end;
        }
        in_flight.settled(&report.failures[known..], &report.counts);
    }
}

/// Returns the name of the session of an iteration.
pub(super) fn session_name(iteration: u64) -> String {
    format!("iteration {iteration}")
}

//! The worker pool of one process: starts workers, reads their messages, enforces their limits, and reaps them.
//!
//! Each change of a worker is reported as a [`TaskEvent`]. The orchestrator decides on the consequences for the run.

mod ending;
mod sharing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::error::{RunError, io_error};
use super::family::signal_group;
use super::limits::{ExceededLimit, LimitAction, WorkerStatus};
use super::lost::{LostFile, lost_report};
use super::pauses::Pauses;
use super::plan::WorkItem;
use super::process::{WorkerCommand, WorkerEvent, follow, stop_here};
use super::process_dir::ProcessDir;
use super::procfs;
use super::queue::WorkQueue;
use super::sharing::{EndedPart, SharedFiles};
use super::slot::{Slot, WorkerUse};
use super::stderr;
use super::wire::{Assignment, TaskEnd, TaskResult, WorkerMessage};
use super::worker::not_started;
use crate::clock;
use crate::wire::{Maybe, RecordIdForm, RemoteForm as _};
use slt_core::outcome::{ExitHow, FailingRecord, FileProblem, RecordId};

/// An event of a task; a helper also sends it to the master of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum TaskEvent {
    /// A worker has started it.
    Started { task: usize },
    /// It is slow.
    Slow {
        task: usize,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordIdForm>")]
        record: Option<RecordId>,
        elapsed: Duration,
    },
    /// No worker runs it any more.
    Ended { task: usize, end: TaskEnd, result: Box<TaskResult> },
}

impl TaskEvent {
    /// Returns the task of the event.
    pub(super) fn task(&self) -> usize {
        match self {
            Self::Started { task } | Self::Slow { task, .. } | Self::Ended { task, .. } => *task,
        }
    }
}

/// The workers of one process.
pub(super) struct WorkerPool<'r> {
    assignment: &'r Assignment,
    items: &'r [WorkItem],
    command: &'r WorkerCommand,
    run: PathBuf,
    process_dir: &'r ProcessDir,
    queue: &'r WorkQueue,
    /// The maximum number of workers at once.
    size: usize,
    /// Whether a worker waits with each claim until the result of its last task has been handled.
    takes_turns: bool,
    workers: BTreeMap<usize, WorkerHandle>,
    next: usize,
    /// Consecutive workers that ended without claiming a task.
    failed_starts: u32,
    /// Whether no further worker may start.
    closed: bool,
    pauses: Pauses,
    shared: SharedFiles,
    sender: UnboundedSender<(usize, WorkerEvent)>,
    receiver: UnboundedReceiver<(usize, WorkerEvent)>,
}

struct WorkerHandle {
    pid: Pid,
    slot: Slot,
    /// The task of another worker that it was started for.
    helps: Option<usize>,
    at: Option<CurrentTask>,
    /// The number of claims that it has announced.
    claims: usize,
    /// Whether it found the queue empty.
    done: bool,
    over: Option<ExceededLimit>,
    /// The time when it was asked to exit.
    asked: Option<Duration>,
    /// It was asked to exit for a task that it then finished in time.
    doomed: bool,
    /// It was killed, and its running file gets no result.
    abandoned: bool,
    /// The task for which it was killed, whose result is useless.
    dropped: Option<usize>,
}

/// The progress of the task that a worker is running.
struct CurrentTask {
    task: usize,
    since: Duration,
    /// The bytes in the file of standard error before the task; `None` if the worker did not announce it.
    said_before: Option<u64>,
    total: Option<u64>,
    failures: Vec<FailingRecord>,
    said_slow: Option<Duration>,
    memory: Option<u64>,
    most_memory: Option<u64>,
    /// The records that were running when the worker was stopped, with the length of the stop.
    stopped: Vec<(RecordId, Duration)>,
    /// The included file and the iteration of the running record.
    scope: RecordId,
}

impl CurrentTask {
    fn new(task: usize, since: Duration) -> Self {
        Self {
            task,
            since,
            said_before: None,
            total: None,
            failures: Vec::new(),
            said_slow: None,
            memory: None,
            most_memory: None,
            stopped: Vec::new(),
            scope: RecordId::WHOLE_FILE,
        }
    }
}

/// After this many consecutive workers without a claim, the run gives up.
const MAX_FAILED_STARTS: u32 = 3;

impl<'r> WorkerPool<'r> {
    pub(super) fn new(
        assignment: &'r Assignment,
        items: &'r [WorkItem],
        command: &'r WorkerCommand,
        run: &Path,
        process_dir: &'r ProcessDir,
        queue: &'r WorkQueue,
        size: usize,
    ) -> Self {
        let (sender, receiver) = unbounded_channel();
        Self {
            assignment,
            items,
            command,
            run: run.to_owned(),
            process_dir,
            queue,
            size,
            takes_turns: false,
            workers: BTreeMap::new(),
            next: 0,
            failed_starts: 0,
            closed: false,
            pauses: Pauses::default(),
            shared: SharedFiles::new(assignment.settings.options.details),
            sender,
            receiver,
        }
    }

    /// Makes each worker wait with each claim until the result of its last task has been handled.
    pub(super) fn takes_turns(mut self, takes_turns: bool) -> Self {
        self.takes_turns = takes_turns;
        self
    }

    /// Lets a worker claim its next task, after its last event was handled.
    pub(super) fn handled(&self, number: usize) {
        if let Some(worker) =
            self.workers.get(&number).filter(|worker| self.takes_turns && worker.at.is_none())
        {
            worker.slot.allow_claims(worker.claims as u64 + 1);
        }
    }

    /// Returns whether no worker is left.
    pub(super) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Starts as many workers as there are tasks for.
    pub(super) fn fill(&mut self) -> Result<(), RunError> {
        if self.closed || self.workers.len() >= self.size {
            return Ok(());
        }
        let left = self.queue.left().map_err(io_error("read the work queue"))?;
        let idle = self.workers.values().filter(|worker| worker.at.is_none() && !worker.done).count();
        let shares = self.assignment.shares && self.size > 1;
        let used = if shares { WorkerUse::Owner } else { WorkerUse::Alone };
        for _ in 0..left.saturating_sub(idle).min(self.size - self.workers.len()) {
            if self.start(used)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Starts a worker and returns its number, unless the machine is full.
    fn start(&mut self, used: WorkerUse) -> Result<Option<usize>, RunError> {
        let number = self.next;
        self.next += 1;
        let slot =
            Slot::create(&self.process_dir.slot(number)).map_err(io_error("make a flight recorder"))?;
        let helps = if let WorkerUse::Helper(request) = used { Some(request.task) } else { None };
        slot.set_use(used);
        slot.allow_claims(if self.takes_turns && helps.is_none() { 1 } else { u64::MAX });
        let (child, pid) = match self.command.start(&self.run, self.process_dir, number) {
            Ok(started) => started,
            // The running workers continue, and the next exit makes room.
            Err(_) if !self.workers.is_empty() => return Ok(None),
            Err(error) => return Err(io_error("start a worker process")(error)),
        };
        let mark = self.process_dir.slot(number);
        tokio::spawn(follow(number, child, pid, mark, self.sender.clone()));
        let worker = WorkerHandle {
            pid,
            slot,
            helps,
            at: None,
            claims: 0,
            done: false,
            over: None,
            asked: None,
            doomed: false,
            abandoned: false,
            dropped: None,
        };
        self.workers.insert(number, worker);
        Ok(Some(number))
    }

    /// Waits for the next message or exit of a worker. Without workers, it waits forever.
    pub(super) async fn news(&mut self) -> (usize, WorkerEvent) {
        match self.receiver.recv().await {
            Some(news) => news,
            // `self` holds a sender, so the channel never closes.
            None => std::future::pending().await,
        }
    }

    /// Handles an event of a worker.
    pub(super) fn hear(&mut self, number: usize, news: WorkerEvent) -> Result<Option<TaskEvent>, RunError> {
        match news {
            WorkerEvent::Message(message) => Ok(self.message(number, message)),
            WorkerEvent::InvalidMessage => {
                self.kill_misbehaving(number);
                Ok(None)
            }
            WorkerEvent::Ended(how) => self.ended(number, how),
        }
    }

    /// Kills a worker after an invalid message, because its further results cannot be trusted.
    fn kill_misbehaving(&self, number: usize) {
        if let Some(worker) = self.workers.get(&number) {
            signal_group(worker.pid, Signal::KILL);
        }
    }

    fn message(&mut self, number: usize, message: WorkerMessage<'_>) -> Option<TaskEvent> {
        let worker = self.workers.get_mut(&number)?;
        let current = worker.at.as_ref().map(|current| current.task);
        if !message.makes_sense(current, self.assignment.tasks.len()) {
            self.kill_misbehaving(number);
            return None;
        }
        match message {
            WorkerMessage::Hello { .. } => None,
            WorkerMessage::Claimed { task, at, stderr } => {
                worker.at = Some(CurrentTask { said_before: Some(stderr), ..CurrentTask::new(task, at) });
                worker.claims += 1;
                self.failed_starts = 0;
                worker.helps.is_none().then_some(TaskEvent::Started { task })
            }
            WorkerMessage::Counted { total, .. } => {
                worker.at.as_mut()?.total = Some(total);
                None
            }
            WorkerMessage::Entered { scope, .. } => {
                worker.at.as_mut()?.scope = scope;
                None
            }
            WorkerMessage::NotPassed { record, .. } => {
                worker.at.as_mut()?.failures.push(record.into_owned());
                None
            }
            WorkerMessage::Finished { task, result, keys, .. } => {
                let current = worker.at.take()?;
                // It finished in time, so the pending stop must not count against its next task.
                worker.doomed |= worker.asked.is_some();
                (worker.over, worker.asked) = (None, None);
                let (is_dropped, claimed) = (worker.dropped == Some(task), worker.slot.has_claimed());
                if worker.abandoned || is_dropped {
                    return None;
                }
                let mut report = result.report;
                self.pauses.take_from(&mut report, current.since, &current.stopped);
                report.failures = current.failures;
                if let Some(only) = self.assignment.kind.only() {
                    // Failures of its set-up statements are in the report already.
                    report.failures.retain(|record| record.id.is_on(only));
                }
                report.failures.iter_mut().zip(keys).for_each(|(record, key)| record.key = key);
                let result = Box::new(TaskResult { report, ..*result });
                let (total, end) = (current.total, TaskEnd::Finished);
                self.part_ended(EndedPart { worker: number, claimed, task, total, end, result })
            }
            WorkerMessage::Done => {
                worker.done = true;
                None
            }
            // These make no sense here.
            WorkerMessage::Paused { .. } | WorkerMessage::Settled { .. } | WorkerMessage::Answered { .. } => {
                None
            }
        }
    }

    fn ended(&mut self, number: usize, how: ExitHow) -> Result<Option<TaskEvent>, RunError> {
        let Some(mut worker) = self.workers.remove(&number) else { return Ok(None) };
        let stderr_file = self.process_dir.stderr(number);
        let current = match worker.at.take() {
            Some(current) => Some(current),
            None => self.unannounced_claim(number, &worker)?,
        };
        let Some(current) = current else {
            if let Some(task) = worker.helps.filter(|_| worker.claims == 0) {
                self.shared.never_came(number, task);
                return Ok(None);
            }
            if worker.done || worker.claims > 0 || worker.abandoned || self.closed {
                return Ok(None);
            }
            self.failed_starts += 1;
            let hopeless = self.failed_starts >= MAX_FAILED_STARTS;
            let words = stderr::complaint(&stderr_file);
            return if hopeless { Err(RunError::NoWorker { how, words }) } else { Ok(None) };
        };
        let task = current.task;
        if worker.abandoned || worker.dropped == Some(task) {
            return Ok(None);
        }
        if worker.doomed && worker.over.is_none() {
            let result = Box::new(TaskResult::new(not_started(FileProblem::TimedOut)));
            return Ok(Some(TaskEvent::Ended { task, end: TaskEnd::Bystander, result }));
        }
        let now = clock::now();
        let in_flight = worker.slot.read().of(task).in_scope(&current.scope);
        let (record, over) = (in_flight.record.clone(), worker.over);
        let after = record.as_ref().map(|_| self.pauses.elapsed(in_flight.since, now));
        let lost = LostFile {
            in_flight,
            how,
            stderr: current.said_before.and_then(|before| stderr::tail(&stderr_file, before)),
            over,
            memory_limit: self.assignment.limits.memory.unwrap_or(0),
            peak_memory: current.most_memory,
            elapsed: self.pauses.elapsed(current.since, now),
            after,
            only: self.assignment.kind.only(),
            total: current.total,
            failures: current.failures,
        };
        let (claimed, total) = (worker.slot.has_claimed(), current.total);
        let item = &self.items[self.assignment.tasks[task].item];
        let result = Box::new(TaskResult::new(lost_report(item, &self.assignment.settings, lost)));
        let end = if over.is_some() { TaskEnd::Stopped } else { TaskEnd::Died { record, how } };
        Ok(self.part_ended(EndedPart { worker: number, claimed, task, total, end, result }))
    }

    /// Finds the task that a worker had claimed, but not announced, when it ended.
    fn unannounced_claim(
        &self,
        number: usize,
        worker: &WorkerHandle,
    ) -> Result<Option<CurrentTask>, RunError> {
        if worker.done {
            return Ok(None);
        }
        let claims = self.queue.claims().map_err(io_error("read the work queue"))?;
        let own = claims.iter().filter(|claim| claim.worker == Some(self.process_dir.worker(number)));
        let unannounced_claim = own.skip(worker.claims).last();
        Ok(unannounced_claim.map(|claim| CurrentTask::new(claim.task, clock::now())))
    }

    /// Checks all workers against their limits and acts on violations.
    pub(super) fn hold_to_limits(&mut self) -> Vec<TaskEvent> {
        let now = clock::now();
        let mut news = Vec::new();
        if self.pauses.tick(now) {
            // Workers may have said much that has not been heard yet.
            return news;
        }
        for worker in self.workers.values_mut() {
            let Some(current) = worker.at.as_mut() else { continue };
            current.memory = procfs::memory(worker.pid);
            current.most_memory = current.most_memory.max(current.memory);
            let in_flight = worker.slot.read().of(current.task).in_scope(&current.scope);
            let elapsed = self.pauses.elapsed(current.since, now);
            let look = WorkerStatus {
                elapsed,
                record: in_flight.record.as_ref().map(|_| self.pauses.elapsed(in_flight.since, now)),
                memory: current.memory,
                asked: worker.asked.map(|asked| self.pauses.elapsed(asked, now)),
                said_slow: current.said_slow,
                timeout: self.assignment.items[self.assignment.tasks[current.task].item].timeout,
                record_timeout: self.assignment.settings.options.record_timeout,
            };
            match self.assignment.limits.decide(&look) {
                LimitAction::Nothing => {}
                LimitAction::Say => {
                    current.said_slow = Some(elapsed);
                    if worker.helps.is_none() {
                        news.push(TaskEvent::Slow { task: current.task, record: in_flight.record, elapsed });
                    }
                }
                LimitAction::Ask => {
                    (worker.asked, worker.over) = (Some(now), Some(ExceededLimit::Time));
                    signal_group(worker.pid, Signal::TERM);
                }
                LimitAction::Kill(over) => {
                    worker.over = over.or(worker.over);
                    signal_group(worker.pid, Signal::KILL);
                }
            }
        }
        news
    }

    /// Returns the time for which this process was running between two times of the clock.
    pub(super) fn elapsed_between(&self, start: Duration, end: Duration) -> Duration {
        self.pauses.elapsed(start, end)
    }

    /// Returns the number of workers that were started.
    pub(super) fn started(&self) -> usize {
        self.next
    }

    /// Stops the workers and this process, as Ctrl-Z does, until it is continued.
    pub(super) async fn stop(&mut self) -> Result<(), RunError> {
        let from = clock::now();
        self.workers.values().for_each(|worker| signal_group(worker.pid, Signal::STOP));
        let stopped = stop_here().await;
        let to = clock::now();
        self.pauses.stopped(from, to);
        for worker in self.workers.values_mut() {
            if let Some(current) = &mut worker.at
                && let Some(record) = worker.slot.read().in_scope(&current.scope).record
            {
                current.stopped.push((record, to.saturating_sub(from)));
            }
            signal_group(worker.pid, Signal::CONT);
        }
        stopped.map_err(io_error("stop this process"))
    }
}

//! The worker pool of one process: starts workers, reads their messages, enforces their limits, and reaps them.
//!
//! Everything that happens to a worker is reported as [`TaskNews`]. The consequences for the run are decided elsewhere.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::berth::Berth;
use super::error::{RunError, io_error};
use super::family::{end_family, signal_group};
use super::limits::{Action, Look, Over};
use super::lost::{Lost, lost_report};
use super::pauses::Pauses;
use super::plan::WorkItem;
use super::process::{News, WorkerCommand, complaint, follow, last_words, stop_here};
use super::procfs;
use super::queue::WorkQueue;
use super::slot::Slot;
use super::wire::{Assignment, Part, WorkerMessage};
use crate::clock::{Clock, SystemClock};
use crate::event::Running;
use crate::wire::{ExitHowForm, Maybe, RecordIdForm};
use slt_core::outcome::{ExitHow, FailingRecord, RecordId};

/// Events of tasks; a helper also sends them to the master of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum TaskNews {
    /// A worker has started it.
    Started { task: usize },
    /// It is slow.
    Slow {
        task: usize,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordIdForm>")]
        record: Option<RecordId>,
        elapsed: Duration,
    },
    /// Its worker has completed it.
    Finished { task: usize, part: Box<Part> },
    /// Its worker was stopped because of a limit.
    Stopped { task: usize, part: Box<Part> },
    /// Its worker died.
    Died {
        task: usize,
        part: Box<Part>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordIdForm>")]
        record: Option<RecordId>,
        #[serde(with = "ExitHowForm")]
        how: ExitHow,
    },
    /// Its worker was stopped because of an earlier task.
    Innocent { task: usize },
}

impl TaskNews {
    /// The task that it is about.
    pub(super) fn task(&self) -> usize {
        match self {
            Self::Started { task }
            | Self::Slow { task, .. }
            | Self::Finished { task, .. }
            | Self::Stopped { task, .. }
            | Self::Died { task, .. }
            | Self::Innocent { task } => *task,
        }
    }
}

/// The workers of one process.
pub(super) struct Crew<'r> {
    assignment: &'r Assignment,
    items: &'r [WorkItem],
    command: &'r WorkerCommand,
    run: PathBuf,
    berth: &'r Berth,
    queue: &'r WorkQueue,
    /// How many workers there may be at once.
    size: usize,
    workers: BTreeMap<usize, Worker>,
    next: usize,
    /// Consecutive workers that ended without claiming a task.
    barren: u32,
    /// No worker is started any more.
    closed: bool,
    pauses: Pauses,
    sender: UnboundedSender<(usize, News)>,
    receiver: UnboundedReceiver<(usize, News)>,
}

struct Worker {
    pid: Pid,
    slot: Slot,
    at: Option<Current>,
    /// The number of claims that it has announced.
    claims: usize,
    /// Whether it found the queue empty.
    done: bool,
    over: Option<Over>,
    /// When it was asked to end.
    asked: Option<Duration>,
    /// It was asked to end for a task that it has finished just in time.
    doomed: bool,
    /// It was killed, and its file with it has no result.
    abandoned: bool,
}

/// What is known of the task that a worker is at.
struct Current {
    task: usize,
    since: Duration,
    total: Option<u64>,
    failures: Vec<FailingRecord>,
    said_slow: Option<Duration>,
    memory: Option<u64>,
    most_memory: Option<u64>,
    /// The records that were running when the worker was stopped, and for how long it was.
    stopped: Vec<(RecordId, Duration)>,
}

impl Current {
    fn new(task: usize, since: Duration) -> Self {
        Self {
            task,
            since,
            total: None,
            failures: Vec::new(),
            said_slow: None,
            memory: None,
            most_memory: None,
            stopped: Vec::new(),
        }
    }
}

/// After this many consecutive workers without a claim, the run gives up.
const MOST_BARREN: u32 = 3;

impl<'r> Crew<'r> {
    pub(super) fn new(
        assignment: &'r Assignment,
        items: &'r [WorkItem],
        command: &'r WorkerCommand,
        run: &Path,
        berth: &'r Berth,
        queue: &'r WorkQueue,
        size: usize,
    ) -> Self {
        let (sender, receiver) = unbounded_channel();
        Self {
            assignment,
            items,
            command,
            run: run.to_owned(),
            berth,
            queue,
            size,
            workers: BTreeMap::new(),
            next: 0,
            barren: 0,
            closed: false,
            pauses: Pauses::default(),
            sender,
            receiver,
        }
    }

    /// Whether no worker is left.
    pub(super) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Starts as many workers as there is work for.
    pub(super) fn fill(&mut self) -> Result<(), RunError> {
        if self.closed || self.workers.len() >= self.size {
            return Ok(());
        }
        let left = self.queue.left().map_err(io_error("read the work queue"))?;
        let idle = self.workers.values().filter(|worker| worker.at.is_none() && !worker.done).count();
        for _ in 0..left.saturating_sub(idle).min(self.size - self.workers.len()) {
            let number = self.next;
            self.next += 1;
            let slot = Slot::create(&self.berth.slot(number)).map_err(io_error("make a flight recorder"))?;
            let (child, pid) = match self.command.start(&self.run, self.berth, number) {
                Ok(started) => started,
                // The machine is full: those that run go on, and the next that ends makes room.
                Err(_) if !self.workers.is_empty() => return Ok(()),
                Err(error) => return Err(io_error("start a worker process")(error)),
            };
            let mark = self.berth.slot(number);
            tokio::spawn(follow(number, child, pid, mark, self.sender.clone()));
            let worker = Worker {
                pid,
                slot,
                at: None,
                claims: 0,
                done: false,
                over: None,
                asked: None,
                doomed: false,
                abandoned: false,
            };
            self.workers.insert(number, worker);
        }
        Ok(())
    }

    /// Waits for the next message or the end of a worker; forever if there is no worker.
    pub(super) async fn news(&mut self) -> (usize, News) {
        match self.receiver.recv().await {
            Some(news) => news,
            // There is a sender as long as this is there.
            None => std::future::pending().await,
        }
    }

    /// Takes in what was heard.
    pub(super) fn hear(&mut self, number: usize, news: News) -> Result<Option<TaskNews>, RunError> {
        match news {
            News::Message(message) => Ok(self.message(number, message)),
            News::Nonsense => {
                self.distrust(number);
                Ok(None)
            }
            News::Ended(how) => self.ended(number, how),
        }
    }

    /// After an invalid message, the worker's further results for this file cannot be trusted.
    fn distrust(&self, number: usize) {
        if let Some(worker) = self.workers.get(&number) {
            signal_group(worker.pid, Signal::KILL);
        }
    }

    fn message(&mut self, number: usize, message: WorkerMessage<'_>) -> Option<TaskNews> {
        let worker = self.workers.get_mut(&number)?;
        let current = worker.at.as_ref().map(|current| current.task);
        if !message.makes_sense(current, self.assignment.tasks.len()) {
            self.distrust(number);
            return None;
        }
        match message {
            WorkerMessage::Hello { .. } => None,
            WorkerMessage::Claimed { task, at } => {
                worker.at = Some(Current::new(task, at));
                worker.claims += 1;
                self.barren = 0;
                Some(TaskNews::Started { task })
            }
            WorkerMessage::Counted { total, .. } => {
                worker.at.as_mut()?.total = Some(total);
                None
            }
            WorkerMessage::NotPassed { record, .. } => {
                worker.at.as_mut()?.failures.push(record.into_owned());
                None
            }
            WorkerMessage::Finished { task, part, keys } => {
                let current = worker.at.take()?;
                // Just in time: what was to end this file must not be held against the next.
                worker.doomed |= worker.asked.is_some();
                (worker.over, worker.asked) = (None, None);
                let mut report = part.report;
                self.pauses.take_from(&mut report, current.since, &current.stopped);
                report.failures = current.failures;
                if let Some(only) = self.assignment.kind.only() {
                    // What its set-up did wrong is in the report already.
                    report.failures.retain(|record| record.id.is_on(only));
                }
                report.failures.iter_mut().zip(keys).for_each(|(record, key)| record.key = key);
                Some(TaskNews::Finished { task, part: Box::new(Part { report, set_up: part.set_up }) })
            }
            WorkerMessage::Done => {
                worker.done = true;
                None
            }
        }
    }

    fn ended(&mut self, number: usize, how: ExitHow) -> Result<Option<TaskNews>, RunError> {
        let Some(mut worker) = self.workers.remove(&number) else { return Ok(None) };
        let words = last_words(self.berth, number);
        let current = match worker.at.take() {
            Some(current) => Some(current),
            None => self.unsaid(number, &worker)?,
        };
        let Some(current) = current else {
            if worker.done || worker.claims > 0 || worker.abandoned || self.closed {
                return Ok(None);
            }
            self.barren += 1;
            let hopeless = self.barren >= MOST_BARREN;
            let words = complaint(self.berth, number);
            return if hopeless { Err(RunError::NoWorker { how, words }) } else { Ok(None) };
        };
        if worker.abandoned {
            return Ok(None);
        }
        let task = current.task;
        if worker.doomed && worker.over.is_none() {
            return Ok(Some(TaskNews::Innocent { task }));
        }
        let now = SystemClock.now();
        let in_flight = worker.slot.read().of(task);
        let (record, over) = (in_flight.record.clone(), worker.over);
        let after = record.as_ref().map(|_| self.pauses.elapsed(in_flight.since, now));
        let lost = Lost {
            in_flight,
            how,
            words,
            over,
            memory_limit: self.assignment.limits.memory.unwrap_or(0),
            peak_memory: current.most_memory,
            elapsed: self.pauses.elapsed(current.since, now),
            after,
            only: self.assignment.kind.only(),
            total: current.total,
            failures: current.failures,
        };
        let item = &self.items[self.assignment.tasks[task].item];
        let part = Box::new(Part::of(lost_report(item, &self.assignment.settings, lost)));
        Ok(Some(match over {
            Some(_) => TaskNews::Stopped { task, part },
            None => TaskNews::Died { task, part, record, how },
        }))
    }

    /// Finds the task that a worker had claimed, but not announced, when it ended.
    fn unsaid(&self, number: usize, worker: &Worker) -> Result<Option<Current>, RunError> {
        if worker.done {
            return Ok(None);
        }
        let claims = self.queue.claims().map_err(io_error("read the work queue"))?;
        let own = claims.iter().filter(|claim| claim.worker == Some(self.berth.worker(number)));
        let unsaid = own.skip(worker.claims).last();
        Ok(unsaid.map(|claim| Current::new(claim.task, SystemClock.now())))
    }

    /// Checks all workers against their limits and acts on violations.
    pub(super) fn hold_to_limits(&mut self) -> Vec<TaskNews> {
        let now = SystemClock.now();
        let mut news = Vec::new();
        if self.pauses.tick(now) {
            // Workers may have said much that has not been heard yet.
            return news;
        }
        for worker in self.workers.values_mut() {
            let Some(current) = worker.at.as_mut() else { continue };
            current.memory = procfs::memory(worker.pid);
            current.most_memory = current.most_memory.max(current.memory);
            let in_flight = worker.slot.read().of(current.task);
            let elapsed = self.pauses.elapsed(current.since, now);
            let look = Look {
                elapsed,
                record: in_flight.record.as_ref().map(|_| self.pauses.elapsed(in_flight.since, now)),
                memory: current.memory,
                asked: worker.asked.map(|asked| self.pauses.elapsed(asked, now)),
                said_slow: current.said_slow,
                timeout: self.assignment.items[self.assignment.tasks[current.task].item].timeout,
                record_timeout: self.assignment.settings.options.record_timeout,
            };
            match self.assignment.limits.decide(&look) {
                Action::Nothing => {}
                Action::Say => {
                    current.said_slow = Some(elapsed);
                    news.push(TaskNews::Slow { task: current.task, record: in_flight.record, elapsed });
                }
                Action::Ask => {
                    (worker.asked, worker.over) = (Some(now), Some(Over::Time));
                    signal_group(worker.pid, Signal::TERM);
                }
                Action::Kill(over) => {
                    worker.over = over.or(worker.over);
                    signal_group(worker.pid, Signal::KILL);
                }
            }
        }
        news
    }

    /// Returns what the workers are running.
    pub(super) fn running(&self) -> Vec<Running> {
        let now = SystemClock.now();
        let at = self.workers.values().filter_map(|worker| {
            let current = worker.at.as_ref()?;
            let in_flight = worker.slot.read().of(current.task);
            let elapsed = |since| self.pauses.elapsed(since, now);
            let record = in_flight.record.map(|record| (record, elapsed(in_flight.since)));
            Some(Running {
                shown: self.items[self.assignment.tasks[current.task].item].shown.clone(),
                record,
                elapsed: elapsed(current.since),
                settled: in_flight.counts.total,
                total: current.total,
                memory: current.memory.or_else(|| procfs::memory(worker.pid)),
            })
        });
        at.collect()
    }

    /// How long this process has been running since then.
    pub(super) fn elapsed_since(&self, start: Duration) -> Duration {
        self.pauses.elapsed(start, SystemClock.now())
    }

    /// Stops the workers and this process, as Ctrl-Z does, until somebody makes it go on.
    pub(super) async fn stop(&mut self) -> Result<(), RunError> {
        let from = SystemClock.now();
        self.workers.values().for_each(|worker| signal_group(worker.pid, Signal::STOP));
        let stopped = stop_here().await;
        let to = SystemClock.now();
        self.pauses.stopped(from, to);
        for worker in self.workers.values_mut() {
            let record = worker.slot.read().record;
            if let (Some(current), Some(record)) = (&mut worker.at, record) {
                current.stopped.push((record, to.saturating_sub(from)));
            }
            signal_group(worker.pid, Signal::CONT);
        }
        stopped.map_err(io_error("stop this process"))
    }

    /// Counts the workers that are running a file. The slot shows this before the worker's message arrives.
    pub(super) fn busy(&self) -> usize {
        self.workers.values().filter(|worker| worker.slot.read().item.is_some()).count()
    }

    /// Stops workers from claiming further tasks.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.closed = true;
        self.berth.close()
    }

    /// Ends all workers immediately. Their running files get no result.
    pub(super) fn abandon(&mut self) {
        self.end(|_| true);
    }

    /// Ends the workers that are running a task; idle workers find the queue empty and exit.
    pub(super) fn dismiss(&mut self) {
        self.end(|worker| worker.at.is_some());
    }

    fn end(&mut self, which: impl Fn(&Worker) -> bool) {
        self.closed = true;
        for worker in self.workers.values_mut().filter(|worker| which(worker)) {
            worker.abandoned = true;
            signal_group(worker.pid, Signal::KILL);
        }
    }
}

impl Drop for Crew<'_> {
    /// Whatever ends a run, no process outlives it.
    fn drop(&mut self) {
        self.workers.values().for_each(|worker| signal_group(worker.pid, Signal::KILL));
        for (number, worker) in &self.workers {
            end_family(worker.pid, self.berth.slot(*number).as_os_str());
        }
    }
}

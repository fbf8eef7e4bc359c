//! The orchestrator: the only component that sees workers, the clock and signals.
//!
//! One loop over what workers say, how they end, ticks and Ctrl-C. Whatever happens becomes a [`RunEvent`]; every
//! file that a worker took gets exactly one report.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::signal::{self, unix::SignalKind};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::filter::Pattern;
use super::lost::{Lost, lost_report};
use super::plan::WorkItem;
use super::process::{News, WorkerCommand, follow, last_words, signal_group};
use super::queue::WorkQueue;
use super::slot::Slot;
use super::wire::{AssignedItem, Assignment, PROTOCOL, Settings, WorkerMessage};
use super::worker::{assignment_path, slot_path};
use crate::clock::{Clock, SystemClock};
use crate::engine::EngineIdentity;
use crate::event::{EventSink, RunEvent, SinkError, fold};
use crate::outcome::{ExitHow, FailureDetail, FileReport, FileStatus, RunEnd, RunHeader, RunReport};

/// What the processes of a run may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many workers run at once.
    pub workers: usize,
    /// How long a file may take; nothing for as long as it likes.
    pub file_timeout: Option<Duration>,
    /// The same for the files that a pattern chooses; the last one that does holds.
    pub timeouts: Vec<(Pattern, Option<Duration>)>,
    /// How long a worker that is asked to end may take until it is killed.
    pub grace: Duration,
    /// After how many files that have not passed no further file is taken up.
    pub most_failing: Option<usize>,
}

impl Limits {
    /// How long this file may take; nothing for as long as it likes.
    pub fn file_timeout_of(&self, file: &str) -> Option<Duration> {
        let own = self.timeouts.iter().rev().find(|(pattern, _)| pattern.matches(file));
        own.map_or(self.file_timeout, |(_, timeout)| *timeout)
    }
}

/// Why a run could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder of the run, or a process, cannot be had.
    #[error("cannot {what}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Workers end before they take a file.
    #[error("no worker can be started: the last one {how}{}", words.as_ref().map(|words| format!(" ({words})")).unwrap_or_default())]
    NoWorker {
        /// How the last one ended.
        how: ExitHow,
        /// The last that it wrote to its standard error.
        words: Option<String>,
    },
    /// A sink cannot go on.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Runs `items` on the engine that `settings` name, over worker processes, and tells `sink` what happens.
///
/// # Errors
///
/// [`RunError`], when there is no run. Whatever goes wrong with a file is part of its report.
pub fn run(
    items: &[WorkItem],
    engine: EngineIdentity,
    settings: &Settings,
    command: &WorkerCommand,
    limits: Limits,
    sink: &mut dyn EventSink,
) -> Result<RunReport, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(io_error("start the runtime"))?;
    let header = RunHeader {
        engine,
        labels: settings.options.labels.clone(),
        exact: settings.exact,
        files: items.len(),
    };
    runtime.block_on(async {
        let orchestrator = Orchestrator::new(items, settings, command, limits, sink)?;
        orchestrator.run(header).await
    })
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { what, source }
}

struct Orchestrator<'r> {
    items: &'r [WorkItem],
    settings: &'r Settings,
    command: &'r WorkerCommand,
    limits: Limits,
    sink: &'r mut dyn EventSink,
    events: Vec<RunEvent>,
    folder: TempDir,
    queue: WorkQueue,
    workers: BTreeMap<usize, Worker>,
    next_worker: usize,
    /// Claims that are still to be had from the queue.
    unclaimed: usize,
    finished: BTreeSet<usize>,
    /// Items that have taken a worker with them.
    deadly: BTreeSet<usize>,
    /// Workers in a row that ended without having taken anything.
    barren: u32,
    /// Files that have not passed.
    failing: usize,
    /// Why no further file is taken up.
    stopping: Option<RunEnd>,
    news: UnboundedSender<(usize, News)>,
}

struct Worker {
    pid: Pid,
    slot: Slot,
    at: Option<Current>,
    /// Nothing more was left for it to claim.
    done: bool,
    /// Since when it has been asked to end because its file takes too long.
    over_time: Option<Duration>,
    /// It was killed, and its file with it has no result.
    abandoned: bool,
}

/// What is known of the file that a worker is at.
struct Current {
    item: usize,
    since: Duration,
    total: Option<u64>,
    failing: Vec<u32>,
    details: Vec<FailureDetail>,
}

fn stop_signal(kind: SignalKind) -> Result<signal::unix::Signal, RunError> {
    signal::unix::signal(kind).map_err(io_error("listen for signals"))
}

/// How often limits are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long the interrupt of a record may take until its worker is ended instead.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);
/// After so many workers in a row that took nothing there is no hope.
const MOST_BARREN: u32 = 3;

impl<'r> Orchestrator<'r> {
    fn new(
        items: &'r [WorkItem],
        settings: &'r Settings,
        command: &'r WorkerCommand,
        limits: Limits,
        sink: &'r mut dyn EventSink,
    ) -> Result<Self, RunError> {
        let folder = tempfile::Builder::new().prefix("vibesql-sqllogictest-").tempdir();
        let folder = folder.map_err(io_error("make a folder for the run"))?;
        let assignment = Assignment {
            protocol: PROTOCOL.to_owned(),
            settings: settings.clone(),
            items: items.iter().map(AssignedItem::of).collect(),
        };
        let document = serde_json::to_vec(&assignment).map_err(io::Error::from);
        let written = document.and_then(|text| std::fs::write(assignment_path(folder.path()), text));
        written.map_err(io_error("write the list of files"))?;
        let queue = WorkQueue::create(folder.path(), items.len()).map_err(io_error("make the work queue"))?;
        Ok(Self {
            items,
            settings,
            command,
            limits,
            sink,
            events: Vec::with_capacity(items.len() + 2),
            folder,
            queue,
            workers: BTreeMap::new(),
            next_worker: 0,
            unclaimed: items.len(),
            finished: BTreeSet::new(),
            deadly: BTreeSet::new(),
            barren: 0,
            failing: 0,
            stopping: None,
            // Replaced by the sender of the channel that the run reads from.
            news: unbounded_channel().0,
        })
    }

    async fn run(mut self, header: RunHeader) -> Result<RunReport, RunError> {
        let start = SystemClock.now();
        let (sender, receiver) = unbounded_channel();
        self.news = sender;
        self.tell(RunEvent::RunStarted(header.clone()))?;
        let outcome = self.drive(receiver).await;
        // Whatever ended the run, no process outlives it.
        self.workers.values().for_each(|worker| signal_group(worker.pid, Signal::KILL));
        outcome?;
        let elapsed = SystemClock.now().saturating_sub(start);
        let complete = self.finished.len() == self.items.len();
        let end = if complete { RunEnd::Completed } else { self.stopping.unwrap_or(RunEnd::Interrupted) };
        self.tell(RunEvent::RunFinished { elapsed, end })?;
        let nothing = RunReport { header, files: Vec::new(), elapsed, end };
        Ok(fold(self.events).unwrap_or(nothing))
    }

    async fn drive(&mut self, mut receiver: UnboundedReceiver<(usize, News)>) -> Result<(), RunError> {
        let mut tick = tokio::time::interval(TICK);
        let mut interrupt = stop_signal(SignalKind::interrupt())?;
        let mut terminate = stop_signal(SignalKind::terminate())?;
        let mut hangup = stop_signal(SignalKind::hangup())?;
        loop {
            self.start_workers()?;
            if self.workers.is_empty() {
                return Ok(());
            }
            tokio::select! {
                Some((worker, news)) = receiver.recv() => self.hear(worker, news)?,
                _ = tick.tick() => self.look_at_limits(),
                _ = interrupt.recv() => self.interrupt()?,
                _ = terminate.recv() => self.abandon(),
                _ = hangup.recv() => self.abandon(),
            }
        }
    }

    fn tell(&mut self, event: RunEvent) -> Result<(), RunError> {
        self.sink.on_event(&event)?;
        self.events.push(event);
        Ok(())
    }

    fn start_workers(&mut self) -> Result<(), RunError> {
        let idle = self.workers.values().filter(|worker| worker.at.is_none() && !worker.done).count();
        let mut wanted = self.unclaimed.saturating_sub(idle);
        while wanted > 0 && self.workers.len() < self.limits.workers && self.stopping.is_none() {
            let number = self.next_worker;
            self.next_worker += 1;
            let slot = Slot::create(&slot_path(self.folder.path(), number));
            let slot = slot.map_err(io_error("make a flight recorder"))?;
            let (child, pid) = match self.command.start(self.folder.path(), number) {
                Ok(started) => started,
                // The machine is full: those that run go on, and the next that ends makes room.
                Err(_) if !self.workers.is_empty() => return Ok(()),
                Err(error) => return Err(io_error("start a worker process")(error)),
            };
            tokio::spawn(follow(number, child, pid, self.news.clone()));
            let worker = Worker { pid, slot, at: None, done: false, over_time: None, abandoned: false };
            self.workers.insert(number, worker);
            wanted -= 1;
        }
        Ok(())
    }

    fn hear(&mut self, number: usize, news: News) -> Result<(), RunError> {
        match news {
            News::Message(message) => self.message(number, message),
            News::Nonsense => {
                self.distrust(number);
                Ok(())
            }
            News::Ended(how) => self.ended(number, how),
        }
    }

    /// A worker that says what makes no sense cannot be trusted with the rest of its file.
    fn distrust(&self, number: usize) {
        if let Some(worker) = self.workers.get(&number) {
            signal_group(worker.pid, Signal::KILL);
        }
    }

    fn message(&mut self, number: usize, message: WorkerMessage) -> Result<(), RunError> {
        let Some(worker) = self.workers.get_mut(&number) else { return Ok(()) };
        if !message.makes_sense(worker.at.as_ref().map(|current| current.item), self.items.len()) {
            self.distrust(number);
            return Ok(());
        }
        match message {
            WorkerMessage::Hello { .. } => {}
            WorkerMessage::Claimed { item } => {
                let since = SystemClock.now();
                let (failing, details) = (Vec::new(), Vec::new());
                worker.at = Some(Current { item, since, total: None, failing, details });
                self.unclaimed = self.unclaimed.saturating_sub(1);
                self.barren = 0;
                let shown = self.items[item].shown.clone();
                self.tell(RunEvent::FileStarted { shown })?;
            }
            WorkerMessage::Counted { total, .. } => {
                if let Some(current) = worker.at.as_mut() {
                    current.total = Some(total);
                }
            }
            WorkerMessage::NotPassed { line, detail, .. } => {
                if let Some(current) = worker.at.as_mut() {
                    current.failing.push(line);
                    current.details.extend(detail.map(|detail| *detail));
                }
            }
            WorkerMessage::Finished { item, report } => {
                let Some(current) = worker.at.take() else { return Ok(()) };
                // Just in time: what was to end this file must not be held against the next.
                worker.over_time = None;
                let report = FileReport { failing: current.failing, details: current.details, ..*report };
                self.finish(item, report)?;
            }
            WorkerMessage::Done => worker.done = true,
        }
        Ok(())
    }

    fn finish(&mut self, item: usize, report: FileReport) -> Result<(), RunError> {
        self.finished.insert(item);
        self.failing += usize::from(!matches!(report.status(), FileStatus::Passed | FileStatus::Empty));
        if self.limits.most_failing.is_some_and(|most| self.failing >= most) {
            self.stop(RunEnd::EnoughFailed)?;
        }
        self.tell(RunEvent::FileFinished(Box::new(report)))
    }

    fn ended(&mut self, number: usize, how: ExitHow) -> Result<(), RunError> {
        let Some(worker) = self.workers.remove(&number) else { return Ok(()) };
        let words = last_words(self.folder.path(), number);
        let Some(item) = self.item_of(number, &worker)? else {
            if worker.done || self.stopping.is_some() {
                return Ok(());
            }
            self.barren += 1;
            let hopeless = self.barren >= MOST_BARREN;
            return if hopeless { Err(RunError::NoWorker { how, words }) } else { Ok(()) };
        };
        if worker.abandoned {
            return Ok(());
        }
        let in_flight = worker.slot.read();
        let shown = self.items[item].shown.clone();
        let again = worker.over_time.is_none() && self.stopping.is_none();
        if again && self.deadly.insert(item) {
            // It may have been the machine and not the file: once more, on a fresh worker.
            self.queue.give_again(item).map_err(io_error("give a file out again"))?;
            self.unclaimed += 1;
            return self.tell(RunEvent::WorkerLost { shown, line: in_flight.line, how, again: true });
        }
        let now = SystemClock.now();
        let (since, total, failing, details) = match worker.at {
            Some(at) => (at.since, at.total, at.failing, at.details),
            None => (now, None, Vec::new(), Vec::new()),
        };
        let lost = Lost {
            in_flight,
            how,
            words,
            over_time: worker.over_time.is_some(),
            now,
            since,
            total,
            failing,
            details,
        };
        if !lost.over_time {
            self.tell(RunEvent::WorkerLost { shown, line: in_flight.line, how, again: false })?;
        }
        let report = lost_report(&self.items[item], self.settings, lost);
        self.finish(item, report)
    }

    /// The item that a worker had claimed and not finished when it ended.
    fn item_of(&mut self, number: usize, worker: &Worker) -> Result<Option<usize>, RunError> {
        if let Some(current) = &worker.at {
            return Ok(Some(current.item));
        }
        if worker.done {
            return Ok(None);
        }
        // It may have died between its claim and its word of it.
        let claimed = self.queue.last_claim_of(number).map_err(io_error("read the work queue"))?;
        let unsaid = claimed.filter(|item| !self.finished.contains(item));
        if unsaid.is_some() {
            self.unclaimed = self.unclaimed.saturating_sub(1);
        }
        Ok(unsaid)
    }

    fn look_at_limits(&mut self) {
        let now = SystemClock.now();
        let record_timeout = self.settings.options.record_timeout;
        for worker in self.workers.values_mut() {
            if let (None, Some(_), Some(limit)) = (worker.over_time, &worker.at, record_timeout) {
                let in_flight = worker.slot.read();
                // An engine that can be interrupted is, by its worker; this one cannot.
                if in_flight.line.is_some() && now >= in_flight.since + limit + INTERRUPT_GRACE {
                    worker.over_time = Some(now);
                    signal_group(worker.pid, Signal::TERM);
                }
            }
            let item = worker.at.as_ref().map(|current| &self.items[current.item]);
            let file_timeout = item.and_then(|item| self.limits.file_timeout_of(&item.file));
            match (worker.over_time, &worker.at, file_timeout) {
                (Some(asked), _, _) if now >= asked + self.limits.grace => {
                    signal_group(worker.pid, Signal::KILL);
                }
                (None, Some(current), Some(timeout)) if now >= current.since + timeout => {
                    worker.over_time = Some(now);
                    signal_group(worker.pid, Signal::TERM);
                }
                _ => {}
            }
        }
    }

    /// The first Ctrl-C lets the files that are running end, the second does not.
    fn interrupt(&mut self) -> Result<(), RunError> {
        if self.stopping == Some(RunEnd::Interrupted) {
            self.abandon();
            return Ok(());
        }
        self.stop(RunEnd::Interrupted)?;
        // The slot knows of a file before its worker's word of it is heard.
        let running = self.workers.values().filter(|worker| worker.slot.read().item.is_some()).count();
        self.tell(RunEvent::Stopping { running })
    }

    /// No further file is taken up.
    fn stop(&mut self, why: RunEnd) -> Result<(), RunError> {
        self.stopping = Some(why);
        self.queue.close().map_err(io_error("close the work queue"))
    }

    /// Files that are running get no result; those that are done keep theirs.
    fn abandon(&mut self) {
        self.stopping = Some(RunEnd::Interrupted);
        for worker in self.workers.values_mut() {
            worker.abandoned = true;
            signal_group(worker.pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_says_how_long_a_file_may_take() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let timeouts = [("select", seconds(9)), ("select5.test", None), ("index/**", seconds(1))];
        let limits = Limits {
            workers: 1,
            file_timeout: seconds(500),
            timeouts: timeouts.map(|(word, timeout)| (word.parse().unwrap(), timeout)).to_vec(),
            grace: Duration::ZERO,
            most_failing: None,
        };
        let cases = [
            ("x.test", seconds(500)),
            ("select1.test", seconds(9)),
            ("select5.test", None),
            ("index/select.test", seconds(1)),
        ];
        for (file, expected) in cases {
            assert_eq!(limits.file_timeout_of(file), expected, "{file}");
        }
    }
}

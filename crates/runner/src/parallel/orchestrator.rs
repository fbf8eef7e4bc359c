//! The orchestrator: the only component that deals with workers, the clock and signals.
//!
//! One loop handles worker messages, worker exits, helper events, ticks and signals. Each becomes a [`RunEvent`]; every
//! file gets exactly one report.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::signal::unix::SignalKind;

use super::error::{RunError, io_error};
use super::helpers::{HelperEvent, Helpers, orphans};
use super::outbox::Outbox;
use super::plan::WorkItem;
use super::prepare::PreparedRun;
use super::process::{STOP, WorkerCommand, is_job, listen, runtime, ticks};
use super::process_dir::{OwnedProcessDir, ProcessDir};
use super::task_tracker::{NextStep, TaskTracker};
use super::timeline::{ClockSpan, ClockWork, Timeline};
use super::wire::{TaskEnd, TaskResult};
use super::worker_pool::{TaskEvent, WorkerPool};
use crate::clock::{self, milliseconds_since_1970};
use crate::event::timings::{SpanWork, WorkerSpan};
use crate::event::{EventSink, RunEvent, sort};
use slt_core::outcome::{Attempt, FileTimes, RunEnd, RunHeader, RunReport, Totals};

/// The settings of this process for a run. A resumed run may have other settings.
#[derive(Debug, Clone, Copy)]
pub struct RunPolicy {
    /// The maximum number of workers at once.
    pub workers: usize,
    /// The time budget. After it no further file starts, and running files get the grace period.
    pub budget: Option<Duration>,
    /// The number of failed files after which no further file starts.
    pub most_failing: Option<usize>,
    /// Whether the first Ctrl-C ends the run at once. Otherwise it lets running files finish, and the second ends the
    /// run.
    pub ends_at_once: bool,
    /// Whether the events tell where the time of the workers goes. The command of the workers must say so as well.
    pub timings: bool,
}

/// Runs the prepared files on worker processes and sends events to `sink`.
///
/// # Errors
///
/// [`RunError`], when the run cannot start or continue. Failures of a file are part of its report.
pub fn run(
    prepared: &PreparedRun,
    command: &WorkerCommand,
    policy: RunPolicy,
    sink: &mut dyn EventSink,
) -> Result<RunReport, RunError> {
    let runtime = runtime()?;
    let held = ProcessDir::take(&prepared.folder).map_err(io_error("make a folder for workers"))?;
    runtime.block_on(Orchestrator::new(prepared, command, policy, sink, &held).run())
}

struct Orchestrator<'r> {
    prepared: &'r PreparedRun,
    header: RunHeader,
    policy: RunPolicy,
    outbox: Outbox<'r>,
    pool: WorkerPool<'r>,
    helpers: Helpers,
    tracker: TaskTracker,
    /// What the workers do, if that is asked for.
    timeline: Option<Timeline>,
    start: Duration,
    ticks: u32,
    /// The number of files that have not passed.
    failing: usize,
    /// Attempts that have ended and were not reported yet: time, file and result.
    ///
    /// Killing all processes of a run reaches some workers first. Those crashes are not a fault of the engine, and stay
    /// unreported if this process dies too.
    untold: Vec<(Duration, usize, Attempt)>,
    /// The reason why no further file starts.
    stopping: Option<RunEnd>,
    /// Whether the run ends without waiting for workers.
    abandoned: bool,
    /// Every file has its report, and the workers were asked to exit.
    dismissed: bool,
}

/// The delay before an ended attempt is reported.
const TELL_ATTEMPTS_AFTER: Duration = Duration::from_millis(250);

/// The number of ticks between two looks for helpers.
const TICKS_PER_LOOK: u32 = 4;

impl<'r> Orchestrator<'r> {
    fn new(
        prepared: &'r PreparedRun,
        command: &'r WorkerCommand,
        policy: RunPolicy,
        sink: &'r mut dyn EventSink,
        held: &'r OwnedProcessDir,
    ) -> Self {
        let PreparedRun { folder, assignment, items, queue, done, attempts, .. } = prepared;
        let (tasks, details) = (&assignment.tasks, assignment.settings.options.details);
        let mut tracker =
            TaskTracker::new(tasks, assignment.given, items.len(), assignment.attempts, details);
        done.iter().for_each(|(item, _)| tracker.is_done_already(*item));
        attempts.iter().for_each(|(item, attempts)| tracker.had_attempts(*item, attempts.clone()));
        // All at once, because a vector that grows needs its memory twice.
        let mut reports = Vec::with_capacity(items.len());
        reports.extend(done.iter().map(|(_, report)| report.clone()));
        Self {
            prepared,
            header: prepared.header(),
            policy,
            outbox: Outbox::new(sink, reports),
            pool: WorkerPool::new(
                assignment,
                items,
                command,
                folder,
                &held.process_dir,
                queue,
                policy.workers,
            )
            .takes_turns(policy.most_failing.is_some()),
            helpers: Helpers::new(folder.clone(), held.process_dir.number),
            tracker,
            timeline: policy.timings.then(Timeline::default),
            start: clock::now(),
            ticks: 0,
            failing: 0,
            untold: Vec::new(),
            stopping: None,
            abandoned: false,
            dismissed: false,
        }
    }

    async fn run(mut self) -> Result<RunReport, RunError> {
        self.tell(RunEvent::RunStarted(self.header.clone()));
        if self.timeline.is_some() {
            self.tell(RunEvent::TimingsStarted { workers: self.policy.workers });
        }
        self.go_on()?;
        let driven = self.drive().await;
        // Results of files that have ended are kept, also if the run fails.
        self.outbox.commit()?;
        driven?;
        let elapsed = self.elapsed();
        let end = match self.stopping {
            _ if self.tracker.is_complete() => RunEnd::Completed,
            why => why.unwrap_or(RunEnd::Interrupted),
        };
        self.tell_attempts(|_, _| true);
        self.tell(RunEvent::RunFinished { elapsed, end });
        self.outbox.commit()?;
        let mut files = self.outbox.into_reports();
        sort(&mut files);
        Ok(RunReport { header: self.header, files, elapsed: self.prepared.elapsed + elapsed, end })
    }

    /// Counts the results of earlier sessions, if the run is resumed.
    fn go_on(&mut self) -> Result<(), RunError> {
        let reports = self.prepared.done.iter().map(|(_, report)| report);
        self.failing = reports.clone().filter(|report| !self.header.is_good(report)).count();
        let mut done = Totals::default();
        reports.for_each(|report| done.add(report));
        if done.files > 0 {
            self.tell(RunEvent::Resumed { done });
        }
        if !self.tracker.is_complete() {
            self.look_for_helpers()?;
            self.adopt_orphans()?;
        }
        Ok(())
    }

    async fn drive(&mut self) -> Result<(), RunError> {
        let mut tick = ticks();
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hangup = listen(SignalKind::hangup())?;
        let mut asked = listen(SignalKind::user_defined1())?;
        let mut stop = listen(STOP)?;
        while !self.is_over()? {
            let due = self.outbox.due_in(clock::now());
            if due.is_some_and(|due| due.is_zero()) {
                self.outbox.commit()?;
            }
            self.fill()?;
            tokio::select! {
                (worker, news) = self.pool.news() => {
                    let span = self.timeline.as_mut().and_then(|timeline| timeline.hear(worker, &news, clock::now()));
                    span.into_iter().for_each(|span| self.tell_span(span));
                    if let Some(news) = self.pool.hear(worker, news)? {
                        self.hear(news)?;
                    }
                    self.pool.handled(worker);
                }
                () = tokio::time::sleep(due.unwrap_or_default()), if !self.outbox.is_empty() => {}
                _ = tick.tick() => self.tick()?,
                _ = interrupt.recv() => self.interrupt()?,
                _ = terminate.recv() => self.abandon()?,
                _ = hangup.recv() => self.abandon()?,
                _ = asked.recv() => self.asked()?,
                _ = stop.recv() => self.stop_here().await?,
            }
        }
        Ok(())
    }

    /// Starts as many workers as there are tasks for.
    fn fill(&mut self) -> Result<(), RunError> {
        let at = clock::now();
        self.pool.fill()?;
        self.note_started(at, false);
        Ok(())
    }

    /// Starts helpers for running files.
    fn share(&mut self) -> Result<(), RunError> {
        let at = clock::now();
        self.pool.share()?;
        self.note_started(at, true);
        Ok(())
    }

    fn note_started(&mut self, at: Duration, helps: bool) {
        if let Some(timeline) = &mut self.timeline {
            timeline.started(self.pool.started(), at, helps);
        }
    }

    /// Tells what a worker has done, in times since the start of the session.
    fn tell_span(&mut self, ClockSpan { place, from, to, work, helps }: ClockSpan) {
        let [from, to] = [from, to].map(|at| self.pool.elapsed_between(self.start, at));
        let work = match work {
            ClockWork::Start => SpanWork::Start,
            ClockWork::Task(task, times) => {
                // The worker has not been checked yet.
                let Some(task) = self.prepared.assignment.tasks.get(task) else { return };
                let length = to.saturating_sub(from);
                let times = times.map_or_else(|| FileTimes::lost(length), |times| times.filled_up(length));
                let file = self.prepared.items[task.item].file.clone();
                SpanWork::File { file, slice: task.slice, helps, times }
            }
        };
        self.tell(RunEvent::WorkerTimed(WorkerSpan { place, from, to, work }));
    }

    /// Returns the time for which this process has been running.
    fn elapsed(&self) -> Duration {
        self.pool.elapsed_between(self.start, clock::now())
    }

    fn asked(&mut self) -> Result<(), RunError> {
        let (running, done) = (self.pool.running(), self.tracker.done());
        self.tell_now(RunEvent::Asked { running, done })
    }

    /// Stops all processes of the run, as Ctrl-Z does.
    async fn stop_here(&mut self) -> Result<(), RunError> {
        if is_job() {
            self.tell_now(RunEvent::Suspended)?;
            self.pool.stop().await?;
            self.tell_now(RunEvent::Continued)?;
        }
        Ok(())
    }

    /// Returns whether no further event can arrive.
    fn is_over(&mut self) -> Result<bool, RunError> {
        if self.tracker.is_complete() && !self.dismissed {
            // Running tasks are useless now, like a slice of a file that has been run as a whole meanwhile.
            self.dismissed = true;
            self.prepared.queue.close().map_err(io_error("close the work queue"))?;
            self.pool.dismiss();
        }
        if !self.pool.is_empty() {
            return Ok(false);
        }
        if self.tracker.is_complete() || self.abandoned {
            return Ok(true);
        }
        if self.stopping.is_some() {
            return Ok(!self.helpers.any_at_work());
        }
        // A helper may have acted since the last look at it.
        self.look_for_helpers()?;
        if self.tracker.is_complete() {
            return Ok(true);
        }
        let left = self.prepared.queue.left().map_err(io_error("read the work queue"))?;
        if left > 0 || self.helpers.any_here() {
            return Ok(false);
        }
        Ok(!self.adopt_orphans()?)
    }

    fn tell(&mut self, event: RunEvent) {
        self.outbox.push(event);
    }

    /// Sends an event that must be seen at once.
    fn tell_now(&mut self, event: RunEvent) -> Result<(), RunError> {
        self.outbox.push(event);
        Ok(self.outbox.commit()?)
    }

    fn shown(&self, task: usize) -> String {
        self.prepared.items[self.prepared.assignment.tasks[task].item].shown.clone()
    }

    fn tick(&mut self) -> Result<(), RunError> {
        let until = clock::now().saturating_sub(TELL_ATTEMPTS_AFTER);
        self.tell_attempts(|ended, _| ended <= until);
        for news in self.pool.hold_to_limits() {
            self.hear(news)?;
        }
        if self.stopping.is_none() {
            self.share()?;
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_LOOK) {
            self.look_for_helpers()?;
        }
        let elapsed = self.elapsed();
        match self.policy.budget {
            Some(budget) if elapsed >= budget && self.stopping.is_none() => {
                self.stop_soon(RunEnd::BudgetSpent)
            }
            Some(budget) if elapsed >= budget + self.prepared.assignment.limits.grace && !self.abandoned => {
                self.abandon()
            }
            _ => Ok(()),
        }
    }

    fn hear(&mut self, news: TaskEvent) -> Result<(), RunError> {
        // A helper of an earlier master may report a task that has ended since.
        if !self.tracker.is_open(news.task()) {
            return Ok(());
        }
        match news {
            TaskEvent::Started { task } => {
                let shown = self.shown(task);
                let slice = self.prepared.assignment.tasks[task].slice;
                self.tell(RunEvent::TaskStarted { task, shown, slice });
            }
            TaskEvent::Slow { task, record, elapsed } => {
                let limit = self.prepared.assignment.items[self.prepared.assignment.tasks[task].item].timeout;
                let shown = self.shown(task);
                self.tell(RunEvent::Slow { shown, record, elapsed, limit });
            }
            TaskEvent::Ended { task, end, result } => self.ended(task, *result, end)?,
        }
        Ok(())
    }

    /// Reports the attempts that are due, by their end and file.
    fn tell_attempts(&mut self, is_due: impl Fn(Duration, usize) -> bool) {
        let (due, untold) =
            std::mem::take(&mut self.untold).into_iter().partition(|(ended, item, _)| is_due(*ended, *item));
        self.untold = untold;
        let due: Vec<_> = due;
        for (_, item, attempt) in due {
            let WorkItem { file, shown, .. } = &self.prepared.items[item];
            let (file, shown) = (file.clone(), shown.clone());
            self.tell(RunEvent::AttemptEnded { file, shown, attempt: Box::new(attempt) });
        }
    }

    fn ended(&mut self, task: usize, result: TaskResult, end: TaskEnd) -> Result<(), RunError> {
        self.tell(RunEvent::TaskEnded { task });
        let next = self.tracker.ended(task, result, &end, self.stopping.is_some());
        let now = clock::now();
        self.untold
            .extend(self.tracker.take_attempts().into_iter().map(|(item, attempt)| (now, item, attempt)));
        if let TaskEnd::Died { record, how } = end {
            let (shown, again) = (self.shown(task), next == NextStep::RunAgain);
            self.tell(RunEvent::WorkerLost { shown, record, how, again });
        }
        match next {
            NextStep::Wait => {}
            NextStep::RunAgain => self.give_again(task)?,
            NextStep::Whole(whole) => {
                let shown = self.shown(whole);
                self.give_again(whole)?;
                self.tell(RunEvent::NotSplit { shown });
            }
            NextStep::Retry(again, status) => {
                let (shown, left) = (self.shown(again), self.tracker.retries_left(again));
                self.give_again(again)?;
                self.tell(RunEvent::Retried { shown, status, left });
            }
            NextStep::Done(mut report) => {
                let done = self.prepared.assignment.tasks[task].item;
                self.tell_attempts(|_, item| item == done);
                report.finished = Some(milliseconds_since_1970());
                // Equal, and in memory only once.
                report.file = self.prepared.items[done].file.clone();
                self.failing += usize::from(!self.header.is_good(&report));
                if self.policy.most_failing.is_some_and(|most| self.failing >= most) {
                    self.stop(RunEnd::EnoughFailed)?;
                }
                self.tell(RunEvent::FileFinished(report));
            }
        }
        Ok(())
    }

    fn give_again(&self, task: usize) -> Result<(), RunError> {
        self.prepared.queue.give_again(task).map_err(io_error("give a file out again"))
    }

    fn look_for_helpers(&mut self) -> Result<(), RunError> {
        let mut gone = false;
        for news in self.helpers.look().map_err(io_error("look for helpers"))? {
            match news {
                HelperEvent::Came(number) => {
                    self.tell(RunEvent::Helper { number: number as usize, came: true });
                }
                HelperEvent::Task(news) => self.hear(news)?,
                HelperEvent::Gone(number, at) => {
                    gone = true;
                    for task in at.into_iter().filter(|&task| self.tracker.is_open(task)).collect::<Vec<_>>()
                    {
                        self.tell(RunEvent::TaskEnded { task });
                    }
                    self.tell(RunEvent::Helper { number: number as usize, came: false });
                }
            }
        }
        if gone {
            self.adopt_orphans()?;
        }
        Ok(())
    }

    /// Releases the claims of exited processes. Returns whether there were any.
    fn adopt_orphans(&mut self) -> Result<bool, RunError> {
        let queue = &self.prepared.queue;
        let claims = queue.claims().map_err(io_error("read the work queue"))?;
        let waiting = queue.waiting_again().map_err(io_error("read the work queue"))?;
        let waiting: BTreeSet<_> = waiting.into_iter().collect();
        let own_here = !self.pool.is_empty();
        let is_held = |process_dir| {
            self.helpers.is_held(process_dir) && (own_here || !self.helpers.is_own(process_dir))
        };
        let orphans = orphans(&claims, &waiting, |task| self.tracker.is_open(task), is_held);
        orphans.iter().try_for_each(|&task| self.give_again(task))?;
        Ok(!orphans.is_empty())
    }

    /// Handles Ctrl-C: the first waits for running files, the second does not.
    fn interrupt(&mut self) -> Result<(), RunError> {
        if self.policy.ends_at_once {
            self.asked()?;
            self.abandon()
        } else if self.stopping == Some(RunEnd::Interrupted) {
            self.abandon()
        } else {
            self.stop_soon(RunEnd::Interrupted)
        }
    }

    fn stop_soon(&mut self, why: RunEnd) -> Result<(), RunError> {
        self.stop(why)?;
        let running = self.pool.busy();
        self.tell(RunEvent::Stopping { running, why });
        Ok(())
    }

    /// Starts no further file.
    fn stop(&mut self, why: RunEnd) -> Result<(), RunError> {
        self.stopping = Some(why);
        self.prepared.queue.close().map_err(io_error("close the work queue"))
    }

    /// Abandons the running files; finished files keep their results.
    fn abandon(&mut self) -> Result<(), RunError> {
        self.stop(self.stopping.unwrap_or(RunEnd::Interrupted))?;
        self.abandoned = true;
        self.pool.abandon();
        Ok(())
    }
}

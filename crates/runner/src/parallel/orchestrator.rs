//! The orchestrator: the only component that sees workers, the clock and signals.
//!
//! One loop over what workers say, how they end, what helping processes tell, ticks and signals. Whatever happens
//! becomes a [`RunEvent`]; every file gets exactly one report.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::signal::unix::SignalKind;

use super::berth::{Berth, HeldBerth};
use super::crew::{Crew, TaskNews};
use super::error::{RunError, io_error};
use super::helpers::{HelperNews, Helpers, orphans};
use super::ledger::{Ending, Ledger, Next};
use super::plan::WorkItem;
use super::prepare::Prepared;
use super::process::{STOP, WorkerCommand, is_job, listen, runtime, ticks};
use super::wire::Part;
use super::worker::not_started;
use crate::clock::{Clock, SystemClock, milliseconds_since_1970};
use crate::event::{EventSink, RunEvent, fold};
use slt_core::outcome::{
    Attempt, ExitHow, FileProblem, FileReport, RecordId, RunEnd, RunHeader, RunReport, Totals,
};

/// How a run is driven by this process. A run that is taken up again may be driven in another way.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How many workers run at once.
    pub workers: usize,
    /// How long the run may take. Then no further file is taken up, and those that run have the grace of the limits.
    pub budget: Option<Duration>,
    /// After how many files that have not passed no further file is taken up.
    pub most_failing: Option<usize>,
    /// Whether the first Ctrl-C ends the run at once. Otherwise it lets running files end, and the second does not.
    pub ends_at_once: bool,
}

/// Runs what is prepared over worker processes, and tells `sink` what happens.
///
/// # Errors
///
/// [`RunError`], when there is no run. Whatever goes wrong with a file is part of its report.
pub fn run(
    prepared: &Prepared,
    command: &WorkerCommand,
    policy: Policy,
    sink: &mut dyn EventSink,
) -> Result<RunReport, RunError> {
    let runtime = runtime()?;
    let held = Berth::take(&prepared.folder).map_err(io_error("make a folder for workers"))?;
    runtime.block_on(Orchestrator::new(prepared, command, policy, sink, &held).run())
}

struct Orchestrator<'r> {
    prepared: &'r Prepared,
    header: RunHeader,
    policy: Policy,
    sink: &'r mut dyn EventSink,
    events: Vec<RunEvent>,
    crew: Crew<'r>,
    helpers: Helpers,
    ledger: Ledger,
    start: Duration,
    ticks: u32,
    /// Files that have not passed.
    failing: usize,
    /// Attempts that have ended and were not told yet: when, of which file, and how. A kill of all processes of a run reaches
    /// some workers first. These crashes are not a fault of the engine, and are not told if this process dies, too.
    untold: Vec<(Duration, usize, Attempt)>,
    /// Why no further file is taken up.
    stopping: Option<RunEnd>,
    /// Nobody is waited for.
    abandoned: bool,
    /// Every file has its report, and workers have been told to go.
    dismissed: bool,
}

/// How long an attempt that has ended is kept back.
const TELL_ATTEMPTS_AFTER: Duration = Duration::from_millis(250);

/// Every so many ticks helpers are looked for.
const TICKS_PER_LOOK: u32 = 4;

impl<'r> Orchestrator<'r> {
    fn new(
        prepared: &'r Prepared,
        command: &'r WorkerCommand,
        policy: Policy,
        sink: &'r mut dyn EventSink,
        held: &'r HeldBerth,
    ) -> Self {
        let Prepared { folder, assignment, items, queue, done, attempts, .. } = prepared;
        let (tasks, details) = (&assignment.tasks, assignment.settings.options.details);
        let mut ledger = Ledger::new(tasks, assignment.given, items.len(), assignment.attempts, details);
        done.iter().for_each(|(item, _)| ledger.is_done_already(*item));
        attempts.iter().for_each(|(item, attempts)| ledger.had_attempts(*item, attempts.clone()));
        Self {
            prepared,
            header: prepared.header(),
            policy,
            sink,
            events: Vec::with_capacity(items.len() + 2),
            crew: Crew::new(assignment, items, command, folder, &held.berth, queue, policy.workers),
            helpers: Helpers::new(folder.clone(), held.berth.number),
            ledger,
            start: SystemClock.now(),
            ticks: 0,
            failing: 0,
            untold: Vec::new(),
            stopping: None,
            abandoned: false,
            dismissed: false,
        }
    }

    async fn run(mut self) -> Result<RunReport, RunError> {
        self.tell(RunEvent::RunStarted(self.header.clone()))?;
        self.go_on()?;
        self.drive().await?;
        let elapsed = self.crew.elapsed_since(self.start);
        let end = match self.stopping {
            _ if self.ledger.is_complete() => RunEnd::Completed,
            why => why.unwrap_or(RunEnd::Interrupted),
        };
        self.tell_attempts(|_, _| true)?;
        self.tell(RunEvent::RunFinished { elapsed, end })?;
        let elapsed = self.prepared.elapsed + elapsed;
        let nothing = RunReport { header: self.header, files: Vec::new(), elapsed, end };
        Ok(RunReport { elapsed, ..fold(self.events).unwrap_or(nothing) })
    }

    /// Adds the results of earlier sessions, if the run is resumed.
    fn go_on(&mut self) -> Result<(), RunError> {
        let reports: Vec<FileReport> = self.prepared.done.iter().map(|(_, report)| report.clone()).collect();
        self.failing = reports.iter().filter(|report| !self.header.is_good(report)).count();
        let done = Totals::of(&reports);
        self.events.extend(reports.into_iter().map(|report| RunEvent::FileFinished(Box::new(report))));
        if done.files > 0 {
            self.tell(RunEvent::Resumed { done })?;
        }
        if !self.ledger.is_complete() {
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
            self.crew.fill()?;
            tokio::select! {
                (worker, news) = self.crew.news() => {
                    if let Some(news) = self.crew.hear(worker, news)? {
                        self.hear(news)?;
                    }
                }
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

    fn asked(&mut self) -> Result<(), RunError> {
        let (running, done) = (self.crew.running(), self.ledger.done());
        self.tell(RunEvent::Asked { running, done })
    }

    /// Ctrl-Z stops all processes of the run.
    async fn stop_here(&mut self) -> Result<(), RunError> {
        if is_job() {
            self.tell(RunEvent::Suspended)?;
            self.crew.stop().await?;
            self.tell(RunEvent::Continued)?;
        }
        Ok(())
    }

    /// Whether nothing more can come.
    fn is_over(&mut self) -> Result<bool, RunError> {
        if self.ledger.is_complete() && !self.dismissed {
            // What still runs, like a slice of a file that has been run whole meanwhile, is of no use.
            self.dismissed = true;
            self.prepared.queue.close().map_err(io_error("close the work queue"))?;
            self.crew.dismiss();
        }
        if !self.crew.is_empty() {
            return Ok(false);
        }
        if self.ledger.is_complete() || self.abandoned {
            return Ok(true);
        }
        if self.stopping.is_some() {
            return Ok(!self.helpers.any_at_work());
        }
        // A helper may have been quicker than the last look at it.
        self.look_for_helpers()?;
        if self.ledger.is_complete() {
            return Ok(true);
        }
        let left = self.prepared.queue.left().map_err(io_error("read the work queue"))?;
        if left > 0 || self.helpers.any_here() {
            return Ok(false);
        }
        Ok(!self.adopt_orphans()?)
    }

    fn tell(&mut self, event: RunEvent) -> Result<(), RunError> {
        self.sink.on_event(&event)?;
        self.events.push(event);
        Ok(())
    }

    fn shown(&self, task: usize) -> String {
        self.prepared.items[self.prepared.assignment.tasks[task].item].shown.clone()
    }

    fn tick(&mut self) -> Result<(), RunError> {
        let until = SystemClock.now().saturating_sub(TELL_ATTEMPTS_AFTER);
        self.tell_attempts(|ended, _| ended <= until)?;
        for news in self.crew.hold_to_limits() {
            self.hear(news)?;
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_LOOK) {
            self.look_for_helpers()?;
        }
        let elapsed = self.crew.elapsed_since(self.start);
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

    fn hear(&mut self, news: TaskNews) -> Result<(), RunError> {
        // One that helped an earlier master may tell of what has ended since.
        if !self.ledger.is_open(news.task()) {
            return Ok(());
        }
        match news {
            TaskNews::Started { task } => {
                let shown = self.shown(task);
                let slice = self.prepared.assignment.tasks[task].slice;
                self.tell(RunEvent::TaskStarted { task, shown, slice })
            }
            TaskNews::Slow { task, record, elapsed } => {
                let limit = self.prepared.assignment.items[self.prepared.assignment.tasks[task].item].timeout;
                let shown = self.shown(task);
                self.tell(RunEvent::Slow { shown, record, elapsed, limit })
            }
            TaskNews::Finished { task, part } => self.ended(task, *part, Ending::Finished, None),
            TaskNews::Stopped { task, part } => self.ended(task, *part, Ending::Stopped, None),
            TaskNews::Innocent { task } => {
                self.ended(task, Part::of(not_started(FileProblem::TimedOut)), Ending::Innocent, None)
            }
            TaskNews::Died { task, part, record, how } => {
                self.ended(task, *part, Ending::Died, Some((record, how)))
            }
        }
    }

    /// Tells of the attempts that are due, by when they ended and the file.
    fn tell_attempts(&mut self, is_due: impl Fn(Duration, usize) -> bool) -> Result<(), RunError> {
        let (due, untold) =
            std::mem::take(&mut self.untold).into_iter().partition(|(ended, item, _)| is_due(*ended, *item));
        self.untold = untold;
        let due: Vec<_> = due;
        due.into_iter().try_for_each(|(_, item, attempt)| {
            let WorkItem { file, shown, .. } = &self.prepared.items[item];
            let (file, shown) = (file.clone(), shown.clone());
            self.tell(RunEvent::AttemptEnded { file, shown, attempt: Box::new(attempt) })
        })
    }

    fn ended(
        &mut self,
        task: usize,
        part: Part,
        ending: Ending,
        death: Option<(Option<RecordId>, ExitHow)>,
    ) -> Result<(), RunError> {
        self.tell(RunEvent::TaskEnded { task })?;
        let next = self.ledger.ended(task, part, ending, self.stopping.is_some());
        let now = SystemClock.now();
        self.untold
            .extend(self.ledger.take_attempts().into_iter().map(|(item, attempt)| (now, item, attempt)));
        if let Some((record, how)) = death {
            let (shown, again) = (self.shown(task), next == Next::SecondChance);
            self.tell(RunEvent::WorkerLost { shown, record, how, again })?;
        }
        match next {
            Next::Wait => Ok(()),
            Next::SecondChance => self.give_again(task),
            Next::Whole(whole) => {
                let shown = self.shown(whole);
                self.give_again(whole)?;
                self.tell(RunEvent::NotSplit { shown })
            }
            Next::Retry(again, status) => {
                let (shown, left) = (self.shown(again), self.ledger.retries_left(again));
                self.give_again(again)?;
                self.tell(RunEvent::Retried { shown, status, left })
            }
            Next::Done(mut report) => {
                let done = self.prepared.assignment.tasks[task].item;
                self.tell_attempts(|_, item| item == done)?;
                report.finished = Some(milliseconds_since_1970());
                self.failing += usize::from(!self.header.is_good(&report));
                if self.policy.most_failing.is_some_and(|most| self.failing >= most) {
                    self.stop(RunEnd::EnoughFailed)?;
                }
                self.tell(RunEvent::FileFinished(report))
            }
        }
    }

    fn give_again(&self, task: usize) -> Result<(), RunError> {
        self.prepared.queue.give_again(task).map_err(io_error("give a file out again"))
    }

    fn look_for_helpers(&mut self) -> Result<(), RunError> {
        let mut gone = false;
        for news in self.helpers.look().map_err(io_error("look for helpers"))? {
            match news {
                HelperNews::Came(number) => {
                    self.tell(RunEvent::Helper { number: number as usize, came: true })?;
                }
                HelperNews::Task(news) => self.hear(news)?,
                HelperNews::Gone(number, at) => {
                    gone = true;
                    for task in at.into_iter().filter(|&task| self.ledger.is_open(task)).collect::<Vec<_>>() {
                        self.tell(RunEvent::TaskEnded { task })?;
                    }
                    self.tell(RunEvent::Helper { number: number as usize, came: false })?;
                }
            }
        }
        if gone {
            self.adopt_orphans()?;
        }
        Ok(())
    }

    /// Releases the claims of a process that has exited. Returns whether there were any.
    fn adopt_orphans(&mut self) -> Result<bool, RunError> {
        let queue = &self.prepared.queue;
        let claims = queue.claims().map_err(io_error("read the work queue"))?;
        let waiting = queue.waiting_again().map_err(io_error("read the work queue"))?;
        let waiting: BTreeSet<_> = waiting.into_iter().collect();
        let own_here = !self.crew.is_empty();
        let is_held = |berth| self.helpers.is_held(berth) && (own_here || !self.helpers.is_own(berth));
        let orphans = orphans(&claims, &waiting, |task| self.ledger.is_open(task), is_held);
        orphans.iter().try_for_each(|&task| self.give_again(task))?;
        Ok(!orphans.is_empty())
    }

    /// The first Ctrl-C waits for running files, the second does not.
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
        let running = self.crew.busy();
        self.tell(RunEvent::Stopping { running, why })
    }

    /// No further file is taken up.
    fn stop(&mut self, why: RunEnd) -> Result<(), RunError> {
        self.stopping = Some(why);
        self.prepared.queue.close().map_err(io_error("close the work queue"))
    }

    /// Files that are running get no result; those that are done keep theirs.
    fn abandon(&mut self) -> Result<(), RunError> {
        self.stop(self.stopping.unwrap_or(RunEnd::Interrupted))?;
        self.abandoned = true;
        self.crew.abandon();
        Ok(())
    }
}

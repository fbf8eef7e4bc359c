//! Joining a run of another process with additional workers, on its queue and under its limits.

use std::path::Path;

use tokio::signal::unix::SignalKind;

use super::berth::{Berth, HeldBerth};
use super::crew::{Crew, TaskNews};
use super::error::{RunError, io_error};
use super::plan::WorkItem;
use super::prepare::read;
use super::process::{STOP, WorkerCommand, is_job, listen, runtime, ticks};
use super::queue::WorkQueue;
use super::wire::{Assignment, Part};
use crate::event::{EventSink, RunEvent};
use crate::jsonl::Appender;
use slt_core::engine::EngineRegistry;
use slt_core::outcome::FileReport;

/// Works on the run in `folder` with so many workers until there is nothing left to take up, and returns what became
/// of the files that they had. The master of the run has it from a file; `sink` is told besides.
///
/// # Errors
///
/// [`RunError`], for instance when the run is over, or of another version of this program or of the engine.
pub fn join(
    folder: &Path,
    registry: &EngineRegistry,
    embedded: &dyn Fn(&str) -> Option<&'static [u8]>,
    command: &WorkerCommand,
    workers: usize,
    sink: &mut dyn EventSink,
) -> Result<Vec<FileReport>, RunError> {
    let (assignment, items) = read(folder, registry, embedded)?;
    let queue = WorkQueue::open(folder, assignment.given);
    if !queue.exists() {
        return Err(RunError::Over);
    }
    let runtime = runtime()?;
    let held = Berth::take(folder).map_err(io_error("make a folder for workers"))?;
    let HeldBerth { berth, .. } = &held;
    let reports = Appender::open(&berth.reports()).map_err(io_error("make the file of reports"))?;
    let crew = Crew::new(&assignment, &items, command, folder, berth, &queue, workers);
    let assignment = &assignment;
    let mut helper =
        Helper { assignment, items: &items, crew, reports, sink, done: Vec::new(), leaving: false };
    let helped = runtime.block_on(helper.help(&queue));
    // The end of the run takes its folder away, in whose midst a worker may have been.
    if queue.exists() {
        helped?;
    }
    Ok(helper.done)
}

struct Helper<'r> {
    assignment: &'r Assignment,
    items: &'r [WorkItem],
    crew: Crew<'r>,
    reports: Appender,
    sink: &'r mut dyn EventSink,
    done: Vec<FileReport>,
    leaving: bool,
}

impl Helper<'_> {
    async fn help(&mut self, queue: &WorkQueue) -> Result<(), RunError> {
        let mut tick = ticks();
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut stop = listen(STOP)?;
        loop {
            self.crew.fill()?;
            if self.crew.is_empty()
                && (self.leaving || queue.left().map_err(io_error("read the work queue"))? == 0)
            {
                return Ok(());
            }
            tokio::select! {
                (worker, news) = self.crew.news() => {
                    if let Some(news) = self.crew.hear(worker, news)? {
                        self.pass_on(news)?;
                    }
                }
                _ = tick.tick() => {
                    for news in self.crew.hold_to_limits() {
                        self.pass_on(news)?;
                    }
                }
                _ = interrupt.recv() => self.leave()?,
                _ = stop.recv() => if is_job() { self.crew.stop().await? },
                _ = terminate.recv() => {
                    self.leaving = true;
                    self.crew.abandon();
                }
            }
        }
    }

    /// The first time what is running is brought to its end, the second time not.
    fn leave(&mut self) -> Result<(), RunError> {
        if self.leaving {
            self.crew.abandon();
            return Ok(());
        }
        self.leaving = true;
        self.crew.close().map_err(io_error("close the berth"))
    }

    fn pass_on(&mut self, news: TaskNews) -> Result<(), RunError> {
        self.reports.append(&news).map_err(io_error("write to the file of reports"))?;
        let shown = |task: usize| self.items[self.assignment.tasks[task].item].shown.clone();
        match news {
            TaskNews::Started { task } => {
                let slice = self.assignment.tasks[task].slice;
                self.sink.on_event(&RunEvent::TaskStarted { task, shown: shown(task), slice })?;
            }
            TaskNews::Slow { task, record, elapsed } => {
                let limit = self.assignment.items[self.assignment.tasks[task].item].timeout;
                self.sink.on_event(&RunEvent::Slow { shown: shown(task), record, elapsed, limit })?;
            }
            TaskNews::Finished { task, part }
            | TaskNews::Stopped { task, part }
            | TaskNews::Died { task, part, .. } => self.ended(task, *part)?,
            TaskNews::Innocent { task } => self.sink.on_event(&RunEvent::TaskEnded { task })?,
        }
        Ok(())
    }

    fn ended(&mut self, task: usize, part: Part) -> Result<(), RunError> {
        self.reports.sync().map_err(io_error("write to the file of reports"))?;
        self.sink.on_event(&RunEvent::TaskEnded { task })?;
        // What became of the file of a slice only the master can say.
        if self.assignment.tasks[task].slice.is_none() {
            let finished = RunEvent::FileFinished(Box::new(part.report));
            self.sink.on_event(&finished)?;
            self.done.extend(finished.into_report());
        } else {
            self.done.push(part.report);
        }
        Ok(())
    }
}

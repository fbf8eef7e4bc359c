//! Joins a run of another process with additional workers, on its queue and under its limits.

use std::path::Path;

use tokio::signal::unix::SignalKind;

use super::error::{RunError, io_error};
use super::plan::WorkItem;
use super::prepare::read;
use super::process::{STOP, WorkerCommand, is_job, listen, runtime, ticks};
use super::process_dir::{OwnedProcessDir, ProcessDir};
use super::queue::WorkQueue;
use super::wire::{Assignment, TaskEnd};
use super::worker_pool::{TaskEvent, WorkerPool};
use crate::event::{EventSink, RunEvent};
use crate::jsonl::Appender;
use slt_core::engine::EngineRegistry;
use slt_core::outcome::FileReport;

/// Works on the run in `folder` with `workers` workers until the queue is empty.
///
/// Returns the reports of the files that they finished. The master of the run reads them from a file; `sink` receives
/// them as well.
///
/// # Errors
///
/// [`RunError`], for instance when the run has ended, or belongs to another version of this program or of the engine.
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
        return Err(RunError::Ended);
    }
    let runtime = runtime()?;
    let held = ProcessDir::take(folder).map_err(io_error("make a folder for workers"))?;
    let OwnedProcessDir { process_dir, .. } = &held;
    let reports = Appender::open(&process_dir.reports()).map_err(io_error("make the file of reports"))?;
    let pool = WorkerPool::new(&assignment, &items, command, folder, process_dir, &queue, workers);
    let assignment = &assignment;
    let mut helper =
        HelperProcess { assignment, items: &items, pool, reports, sink, done: Vec::new(), leaving: false };
    let helped = runtime.block_on(helper.help(&queue));
    // The master removes the folder at the end of the run, possibly while a worker uses it.
    if queue.exists() {
        helped?;
    }
    Ok(helper.done)
}

struct HelperProcess<'r> {
    assignment: &'r Assignment,
    items: &'r [WorkItem],
    pool: WorkerPool<'r>,
    reports: Appender,
    sink: &'r mut dyn EventSink,
    done: Vec<FileReport>,
    leaving: bool,
}

impl HelperProcess<'_> {
    async fn help(&mut self, queue: &WorkQueue) -> Result<(), RunError> {
        let mut tick = ticks();
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut stop = listen(STOP)?;
        loop {
            self.pool.fill()?;
            if self.pool.is_empty()
                && (self.leaving || queue.left().map_err(io_error("read the work queue"))? == 0)
            {
                return Ok(());
            }
            tokio::select! {
                (worker, news) = self.pool.news() => {
                    if let Some(news) = self.pool.hear(worker, news)? {
                        self.pass_on(news)?;
                    }
                }
                _ = tick.tick() => {
                    for news in self.pool.hold_to_limits() {
                        self.pass_on(news)?;
                    }
                    if !self.leaving {
                        self.pool.share()?;
                    }
                }
                _ = interrupt.recv() => self.leave()?,
                _ = stop.recv() => if is_job() { self.pool.stop().await? },
                _ = terminate.recv() => {
                    self.leaving = true;
                    self.pool.abandon();
                }
            }
        }
    }

    /// Finishes the running files the first time, and abandons them the second time.
    fn leave(&mut self) -> Result<(), RunError> {
        if self.leaving {
            self.pool.abandon();
            return Ok(());
        }
        self.leaving = true;
        self.pool.close().map_err(io_error("close the process directory"))
    }

    fn pass_on(&mut self, news: TaskEvent) -> Result<(), RunError> {
        self.reports.append(&news).map_err(io_error("write to the file of reports"))?;
        let shown = |task: usize| self.items[self.assignment.tasks[task].item].shown.clone();
        match news {
            TaskEvent::Started { task } => {
                let slice = self.assignment.tasks[task].slice;
                self.sink.on_event(&RunEvent::TaskStarted { task, shown: shown(task), slice })?;
            }
            TaskEvent::Slow { task, record, elapsed } => {
                let limit = self.assignment.items[self.assignment.tasks[task].item].timeout;
                self.sink.on_event(&RunEvent::Slow { shown: shown(task), record, elapsed, limit })?;
            }
            TaskEvent::Ended { task, end, result } => {
                self.reports.sync().map_err(io_error("write to the file of reports"))?;
                self.sink.on_event(&RunEvent::TaskEnded { task })?;
                if end != TaskEnd::Bystander {
                    self.ended(task, result.report)?;
                }
            }
        }
        Ok(())
    }

    fn ended(&mut self, task: usize, report: FileReport) -> Result<(), RunError> {
        let event = RunEvent::FileFinished(Box::new(report));
        // Only the master knows the result of a file that was run in slices.
        if self.assignment.tasks[task].slice.is_none() {
            self.sink.on_event(&event)?;
        }
        if let RunEvent::FileFinished(report) = event {
            self.done.push(*report);
        }
        Ok(())
    }
}

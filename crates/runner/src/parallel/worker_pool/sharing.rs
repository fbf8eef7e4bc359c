//! Lets idle workers help with running files.

use std::time::Duration;

use rustix::process::Signal;

use super::super::error::{RunError, io_error};
use super::super::family::signal_group;
use super::super::procfs;
use super::super::schedule::{RunningWork, work_to_share};
use super::super::sharing::EndedPart;
use super::super::slot::{HelpRequest, WorkerUse};
use super::{TaskEvent, WorkerHandle, WorkerPool};
use crate::clock;
use crate::event::RunningFile;

impl WorkerPool<'_> {
    /// Starts helpers for running files, if there is room for workers and nothing to claim.
    pub(in crate::parallel) fn share(&mut self) -> Result<(), RunError> {
        while self.assignment.shares && !self.closed && self.workers.len() < self.size {
            let now = clock::now();
            let work = self.workers.iter().filter_map(|(number, worker)| self.work_of(*number, worker, now));
            let (requests, work): (Vec<_>, Vec<_>) = work.unzip();
            let Some(request) = work_to_share(&work).map(|chosen| requests[chosen]) else { break };
            if self.queue.left().map_err(io_error("read the work queue"))? > 0 {
                break;
            }
            let Some(helper) = self.start(WorkerUse::Helper(request))? else { break };
            self.shared.joined(request.task, request.owner, helper);
        }
        Ok(())
    }

    /// Returns the work that is left of the file that a worker runs, if others may help.
    fn work_of(
        &self,
        number: usize,
        worker: &WorkerHandle,
        now: Duration,
    ) -> Option<(HelpRequest, RunningWork)> {
        let current = worker.at.as_ref()?;
        let task = current.task;
        let planned = self.assignment.tasks[task];
        if worker.helps.is_some()
            || worker.asked.is_some()
            || planned.slice.is_some()
            || !self.items[planned.item].left_out.is_empty()
            || self.shared.is_refused(task)
        {
            return None;
        }
        let progress = worker.slot.query_progress()?;
        let helpers = self.helpers_of(task).filter_map(|helper| helper.slot.query_progress());
        let since = std::iter::once(progress).chain(helpers);
        let settled = worker.slot.read().of(task).counts.total + self.settled_by_helpers(task);
        let work = RunningWork {
            set_up: self.pauses.elapsed(current.since, progress.since),
            spent: since.map(|progress| self.pauses.elapsed(progress.since, now)).sum(),
            settled: settled.saturating_sub(progress.before),
            left: current.total?.saturating_sub(settled),
            workers: 1 + self.helpers_of(task).count() as u32,
        };
        Some((HelpRequest { owner: number, task, claim: worker.claims as u64 }, work))
    }

    fn helpers_of(&self, task: usize) -> impl Iterator<Item = &WorkerHandle> {
        self.workers.values().filter(move |worker| worker.helps == Some(task) && !worker.abandoned)
    }

    /// Returns whether the worker that has claimed the task still runs it. Otherwise its helpers end their last queries.
    fn is_owned(&self, task: usize) -> bool {
        let mut owners = self.workers.values().filter(|worker| worker.helps.is_none());
        owners.any(|owner| owner.at.as_ref().is_some_and(|current| current.task == task))
    }

    fn settled_by_helpers(&self, task: usize) -> u64 {
        self.helpers_of(task).map(|helper| helper.slot.read().of(task).counts.total).sum()
    }

    /// Handles the end of a file on one worker, which may be one of several.
    pub(super) fn part_ended(&mut self, part: EndedPart) -> Option<TaskEvent> {
        let task = part.task;
        let has_claimed =
            |helper: usize| self.workers.get(&helper).is_some_and(|helper| helper.slot.has_claimed());
        let step = self.shared.ended(part, &has_claimed);
        for number in step.stop {
            let Some(worker) = self.workers.get_mut(&number) else { continue };
            if worker.helps.is_some() {
                worker.abandoned = true;
            } else {
                // It may have claimed another task by now, which is then queued again.
                (worker.doomed, worker.dropped) = (true, Some(task));
            }
            signal_group(worker.pid, Signal::KILL);
        }
        step.ended.map(|(end, result)| TaskEvent::Ended { task, end, result })
    }

    /// Returns the files that the workers are running. Those of a shared file are one.
    pub(in crate::parallel) fn running(&self) -> Vec<RunningFile> {
        let now = clock::now();
        let at = self.workers.values().filter_map(|worker| {
            let current = worker.at.as_ref()?;
            if worker.helps.is_some() && self.is_owned(current.task) {
                return None;
            }
            let in_flight = worker.slot.read().of(current.task).in_scope(&current.scope);
            let elapsed = |since| self.pauses.elapsed(since, now);
            let record = in_flight.record.map(|record| (record, elapsed(in_flight.since)));
            let own_settled = if worker.helps.is_none() { in_flight.counts.total } else { 0 };
            Some(RunningFile {
                shown: self.items[self.assignment.tasks[current.task].item].shown.clone(),
                record,
                elapsed: elapsed(current.since),
                settled: own_settled + self.settled_by_helpers(current.task),
                total: current.total,
                memory: current.memory.or_else(|| procfs::memory(worker.pid)),
            })
        });
        at.collect()
    }

    /// Counts the files that workers are running. The slot shows this before the worker's message arrives.
    pub(in crate::parallel) fn busy(&self) -> usize {
        let owners = self.workers.values().filter(|worker| worker.helps.is_none());
        owners.filter(|worker| worker.slot.read().item.is_some()).count()
    }
}

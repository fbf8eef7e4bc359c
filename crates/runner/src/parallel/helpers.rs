//! Helper processes of a run, as seen by its master.
//!
//! Each helper writes its task events to a file in its process directory, and holds a lock as long as it lives. Nothing
//! else is shared, so a helper may be on another machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::process_dir::ProcessDir;
use super::queue::Claim;
use super::worker_pool::TaskEvent;
use crate::jsonl::Follower;

/// An event of a helper.
pub(super) enum HelperEvent {
    /// A helper has joined.
    Came(u64),
    /// A helper reports a task event.
    Task(TaskEvent),
    /// A helper has left without ending these tasks.
    Gone(u64, BTreeSet<usize>),
}

/// All process directories of the run except the master's own.
pub(super) struct Helpers {
    run: PathBuf,
    own: u64,
    known: BTreeMap<u64, HelperState>,
    looked: bool,
}

struct HelperState {
    process_dir: ProcessDir,
    reports: Option<Follower>,
    held: bool,
    /// Its arrival was reported, or it had left before the first look.
    announced: bool,
    /// Tasks that it has begun and not ended.
    at: BTreeSet<usize>,
}

impl Helpers {
    pub(super) fn new(run: PathBuf, own: u64) -> Self {
        Self { run, own, known: BTreeMap::new(), looked: false }
    }

    /// Returns whether any helper is alive.
    pub(super) fn any_here(&self) -> bool {
        self.known.values().any(|helper| helper.held)
    }

    /// Returns whether any living helper is running a task.
    pub(super) fn any_at_work(&self) -> bool {
        self.known.values().any(|helper| helper.held && !helper.at.is_empty())
    }

    /// Returns whether the owner of the process directory is alive; for the master's own, always.
    pub(super) fn is_held(&self, process_dir: u64) -> bool {
        process_dir == self.own || self.known.get(&process_dir).is_some_and(|helper| helper.held)
    }

    /// Returns whether the process directory belongs to this process.
    pub(super) fn is_own(&self, process_dir: u64) -> bool {
        process_dir == self.own
    }

    /// Returns the events since the last call.
    ///
    /// For helpers that left before the first call, only their task events are reported.
    pub(super) fn look(&mut self) -> io::Result<Vec<HelperEvent>> {
        let mut news = Vec::new();
        let first = !std::mem::replace(&mut self.looked, true);
        for process_dir in ProcessDir::all(&self.run)? {
            if process_dir.number == self.own {
                continue;
            }
            // The order matters: a helper may write and exit between the two calls, so its file is read after the
            // liveness check.
            let held = process_dir.is_held();
            let announced = first && !held;
            let new = |process_dir| HelperState {
                process_dir,
                reports: None,
                held: false,
                announced,
                at: BTreeSet::new(),
            };
            let helper = self.known.entry(process_dir.number).or_insert_with(|| new(process_dir));
            let before = news.len();
            helper.read(&mut news)?;
            // A quick helper may have come and gone between two looks.
            let told = news.len() > before;
            let came = !helper.announced && (held || told);
            if came {
                helper.announced = true;
                news.insert(before, HelperEvent::Came(helper.process_dir.number));
            }
            if (helper.held || came) && !held {
                news.push(HelperEvent::Gone(helper.process_dir.number, std::mem::take(&mut helper.at)));
            }
            helper.held = held;
        }
        Ok(news)
    }
}

impl HelperState {
    fn read(&mut self, news: &mut Vec<HelperEvent>) -> io::Result<()> {
        if self.reports.is_none() {
            // The helper creates the file with its first event.
            self.reports = Follower::open(&self.process_dir.reports()).ok();
        }
        let Some(reports) = &mut self.reports else { return Ok(()) };
        // A damaged line is skipped: its task stays without an end.
        for event in reports.more::<TaskEvent>()?.into_iter().flatten() {
            match event {
                TaskEvent::Started { task } => drop(self.at.insert(task)),
                TaskEvent::Slow { .. } => {}
                TaskEvent::Ended { task, .. } => drop(self.at.remove(&task)),
            }
            news.push(HelperEvent::Task(event));
        }
        Ok(())
    }
}

/// Returns the claimed tasks of exited processes that have not ended and are not queued again.
pub(super) fn orphans(
    claims: &[Claim],
    waiting: &BTreeSet<usize>,
    is_open: impl Fn(usize) -> bool,
    is_held: impl Fn(u64) -> bool,
) -> Vec<usize> {
    let last: BTreeMap<usize, Option<u64>> = claims.iter().map(|claim| (claim.task, claim.worker)).collect();
    let orphaned = |task: usize, worker: Option<u64>| {
        is_open(task)
            && !waiting.contains(&task)
            && worker.is_none_or(|worker| !is_held(ProcessDir::number_of(worker)))
    };
    last.into_iter().filter(|&(task, worker)| orphaned(task, worker)).map(|(task, _)| task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tasks_of_the_gone_are_orphans() {
        let claim = |task, worker| Claim { task, worker };
        let worker = |process_dir| Some(ProcessDir::new("run".as_ref(), process_dir).worker(3));
        let (first, second) = (worker(0), worker(1));
        let claims = [
            claim(0, first),
            claim(1, second),
            claim(2, first),
            claim(3, None),
            claim(4, first),
            claim(5, first),
            claim(4, second),
        ];
        let found = |held: fn(u64) -> bool| orphans(&claims, &BTreeSet::from([2]), |task| task != 5, held);
        assert_eq!(found(|_| true), [3], "a claim that the power took");
        assert_eq!(
            found(|process_dir| process_dir == 1),
            [0, 3],
            "2 is waiting already, 5 has ended, 4 is at another"
        );
        assert_eq!(found(|_| false), [0, 1, 3, 4]);
    }
}

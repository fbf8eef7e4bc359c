//! Tracks the workers of files that several of them execute, independently of processes and time.
//!
//! The pool reports one result for each task, however many workers executed it. If the parts of a file do not fit
//! together, or one is missing, the result says so, and the file is run again by one worker.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{TaskEnd, TaskResult};
use slt_core::executor::DetailLimits;
use slt_core::executor::slice::{Slice, SliceReport, merge};

/// The end of a file on one of its workers.
pub(super) struct EndedPart {
    pub(super) worker: usize,
    /// Whether the worker has claimed anything, if it is a helper.
    pub(super) claimed: bool,
    pub(super) task: usize,
    /// The number of records of the whole file.
    pub(super) total: Option<u64>,
    pub(super) end: TaskEnd,
    pub(super) result: Box<TaskResult>,
}

/// What follows from the end of a part.
#[derive(Debug, Default)]
pub(super) struct PartStep {
    /// The workers whose parts are useless now.
    pub(super) stop: Vec<usize>,
    /// The end of the task, if no part is missing any more.
    pub(super) ended: Option<(TaskEnd, Box<TaskResult>)>,
}

/// The files of a pool with more than one worker.
pub(super) struct SharedFiles {
    details: DetailLimits,
    files: BTreeMap<usize, SharedFile>,
    /// Tasks that are not shared again.
    refused: BTreeSet<usize>,
}

struct SharedFile {
    owner: usize,
    /// The workers that have not ended.
    running: BTreeSet<usize>,
    /// The result of the owner.
    owned: Option<TaskResult>,
    /// The number of records of the file.
    total: Option<u64>,
    /// The results of helpers.
    helped: Vec<TaskResult>,
}

impl SharedFiles {
    pub(super) fn new(details: DetailLimits) -> Self {
        Self { details, files: BTreeMap::new(), refused: BTreeSet::new() }
    }

    /// Returns whether no further helper may join the task.
    pub(super) fn is_refused(&self, task: usize) -> bool {
        self.refused.contains(&task)
    }

    /// Records that a helper was started for the task that `owner` runs.
    pub(super) fn joined(&mut self, task: usize, owner: usize, helper: usize) {
        let new = SharedFile {
            owner,
            running: BTreeSet::from([owner]),
            owned: None,
            total: None,
            helped: Vec::new(),
        };
        self.files.entry(task).or_insert(new).running.insert(helper);
    }

    /// Records that a helper has ended before it began.
    pub(super) fn never_came(&mut self, helper: usize, task: usize) {
        self.refused.insert(task);
        if let Some(file) = self.files.get_mut(&task) {
            file.running.remove(&helper);
        }
    }

    /// Handles the end of a part; `has_claimed` answers for running helpers.
    ///
    /// | the worker                                   | follows |
    /// |----------------------------------------------|---------|
    /// | runs the file alone                          | the result is that of the file |
    /// | is a helper that has claimed nothing         | nothing, and no further helper |
    /// | is the owner, and had no help                | the result is that of the file |
    /// | has completed its part                       | merge, as soon as all who have claimed something have |
    /// | has not                                      | run the file again |
    pub(super) fn ended(&mut self, part: EndedPart, has_claimed: &dyn Fn(usize) -> bool) -> PartStep {
        let EndedPart { worker, claimed, task, total, end, mut result } = part;
        let Some(file) = self.files.get_mut(&task) else {
            return PartStep { stop: Vec::new(), ended: Some((end, result)) };
        };
        file.running.remove(&worker);
        let is_owner = worker == file.owner;
        let is_complete = end == TaskEnd::Finished && result.set_up.is_some();
        let was_alone = if end == TaskEnd::Finished {
            result.set_up.is_none()
        } else {
            file.helped.is_empty() && !file.running.iter().any(|helper| has_claimed(*helper))
        };
        if !is_owner && !claimed {
            self.refused.insert(task);
        } else if is_complete && is_owner {
            (file.owned, file.total) = (Some(*result), total);
        } else if is_complete {
            file.helped.push(*result);
        } else {
            result.is_part = !(is_owner && was_alone);
            if result.is_part {
                self.refused.insert(task);
            }
            let stop = std::mem::take(&mut file.running).into_iter().collect();
            self.files.remove(&task);
            return PartStep { stop, ended: Some((end, result)) };
        }
        self.complete(task, has_claimed)
    }

    /// Merges the parts of a task, if all are there.
    fn complete(&mut self, task: usize, has_claimed: &dyn Fn(usize) -> bool) -> PartStep {
        let Some(file) = self.files.get_mut(&task).filter(|file| file.owned.is_some()) else {
            return PartStep::default();
        };
        // The owner ends when everything is claimed.
        let (claimed, stop): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut file.running).into_iter().partition(|helper| has_claimed(*helper));
        let stop = stop.into_iter().collect();
        file.running = claimed;
        if !file.running.is_empty() {
            return PartStep { stop, ended: None };
        }
        let ended = self.files.remove(&task).map(|file| {
            let merged = file.merge(self.details);
            if merged.is_part {
                self.refused.insert(task);
            }
            (TaskEnd::Finished, Box::new(merged))
        });
        PartStep { stop, ended }
    }
}

impl SharedFile {
    /// Returns the result of the file, or that of a part if they do not fit together.
    fn merge(self, details: DetailLimits) -> TaskResult {
        let parts: Vec<_> = self.owned.into_iter().chain(self.helped).collect();
        let count = parts.len() as u32;
        let told = parts.iter().find(|part| !part.report.last_status().is_good()).or(parts.first());
        let told = told.map(|part| TaskResult { is_part: true, ..part.clone() });
        let slices = parts.into_iter().zip(0..).filter_map(|(part, index)| {
            Some(SliceReport { slice: Slice::new(index, count)?, report: part.report, set_up: part.set_up? })
        });
        let merged = merge(slices.collect(), details);
        let merged = merged.filter(|report| self.total.is_none_or(|total| total == report.counts.total));
        merged.map(TaskResult::new).or(told).unwrap_or_else(|| {
            let problem = slt_core::outcome::FileProblem::Engine("the file has no part".to_owned());
            TaskResult::new(super::worker::not_started(problem))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::worker::not_started;
    use super::*;
    use slt_core::outcome::{Digest, ExitHow, FileEnd, FileProblem};

    const DETAILS: DetailLimits = DetailLimits { records: 10, values: 10 };
    const TASK: usize = 7;
    const OWNER: usize = 3;

    /// A part with this many passed records, by which it is known later.
    fn part(worker: usize, passed: u64, set_up: Option<u8>) -> EndedPart {
        let mut report = not_started(FileProblem::TimedOut);
        report.end = FileEnd::Completed;
        (report.counts.total, report.counts.executed, report.counts.passed) = (passed, passed, passed);
        let result =
            Box::new(TaskResult { set_up: set_up.map(|kind| Digest([kind; 16])), ..TaskResult::new(report) });
        EndedPart { worker, claimed: true, task: TASK, total: Some(7), end: TaskEnd::Finished, result }
    }

    fn died(worker: usize) -> EndedPart {
        let end = TaskEnd::Died { record: None, how: ExitHow::Code(1) };
        EndedPart {
            end,
            result: Box::new(TaskResult::new(not_started(FileProblem::TimedOut))),
            ..part(worker, 0, None)
        }
    }

    fn shared(helpers: usize) -> SharedFiles {
        let mut files = SharedFiles::new(DETAILS);
        (0..helpers).for_each(|helper| files.joined(TASK, OWNER, OWNER + 1 + helper));
        files
    }

    fn total(step: &PartStep) -> Option<(u64, bool)> {
        step.ended.as_ref().map(|(_, result)| (result.report.counts.total, result.is_part))
    }

    #[test]
    fn the_parts_of_all_who_have_claimed_make_the_result() {
        let mut files = shared(2);
        assert_eq!(total(&files.ended(part(4, 2, Some(1)), &|_| true)), None);
        let step = files.ended(part(OWNER, 5, Some(1)), &|_| false);
        assert_eq!((&step.stop[..], total(&step)), (&[5][..], Some((7, false))), "5 has claimed nothing");
        assert!(!files.is_refused(TASK));

        let mut waiting = shared(1);
        assert_eq!(total(&waiting.ended(part(OWNER, 5, Some(1)), &|_| true)), None);
        assert_eq!(total(&waiting.ended(part(4, 2, Some(1)), &|_| true)), Some((7, false)));
        for (helped, set_up) in [(2, 2), (1, 1)] {
            let mut differing = shared(1);
            differing.ended(part(OWNER, 5, Some(1)), &|_| true);
            assert_eq!(total(&differing.ended(part(4, helped, Some(set_up)), &|_| true)), Some((5, true)));
            assert!(differing.is_refused(TASK));
        }
    }

    #[test]
    fn a_helper_that_has_claimed_nothing_is_no_loss() {
        let mut files = shared(1);
        let step = files.ended(EndedPart { claimed: false, ..died(4) }, &|_| false);
        assert!(step.stop.is_empty() && step.ended.is_none() && files.is_refused(TASK));
        assert_eq!(total(&files.ended(part(OWNER, 7, None), &|_| false)), Some((7, false)));
        let mut lone = shared(1);
        let step = lone.ended(died(OWNER), &|_| false);
        assert_eq!((&step.stop[..], total(&step)), (&[4][..], Some((0, false))), "as without a helper");
        let mut late = shared(1);
        late.never_came(4, TASK);
        assert_eq!(total(&late.ended(part(OWNER, 7, None), &|_| false)), Some((7, false)));
    }

    #[test]
    fn a_missing_part_ends_all() {
        for (victim, other) in [(OWNER, 4), (4, OWNER)] {
            let mut files = shared(1);
            let step = files.ended(died(victim), &|_| true);
            assert_eq!((&step.stop[..], total(&step)), (&[other][..], Some((0, true))));
            assert!(files.is_refused(TASK));
            assert_eq!(
                total(&files.ended(part(9, 7, None), &|_| false)),
                Some((7, false)),
                "it is run again"
            );
        }
    }

    proptest! {
        /// In any order, with any ends, a task ends once, and with nobody at work on it.
        #[test]
        fn a_task_ends_once(
            order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
            ends in prop::collection::vec((any::<bool>(), any::<bool>(), 1..3_u8), 4),
        ) {
            let mut files = shared(3);
            let mut running: BTreeSet<_> = (OWNER..OWNER + 4).collect();
            let claimed = |worker: usize| ends[worker - OWNER].1;
            let mut ended = 0;
            for worker in order.into_iter().map(|index| index + OWNER) {
                if !running.remove(&worker) {
                    continue;
                }
                let (dies, claimed_own, set_up) = ends[worker - OWNER];
                let end = if dies { died(worker) } else { part(worker, 1, Some(set_up)) };
                let step = files.ended(EndedPart { claimed: claimed_own, ..end }, &claimed);
                prop_assert!(step.stop.iter().all(|stopped| running.remove(stopped)), "only those that run are stopped");
                ended += u32::from(step.ended.is_some());
                if ended == 1 {
                    break;
                }
            }
            prop_assert_eq!(ended, 1);
            prop_assert!(running.is_empty() && files.files.is_empty(), "{:?}", running);
        }
    }
}

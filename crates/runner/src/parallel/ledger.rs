//! Tracks how the tasks of a run ended and decides what follows, independently of processes and time.
//!
//! Every file gets exactly one report, however many processes have run it, and however they ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wire::{Part, Task};
use crate::wire::FlakyResultForm;
use slt_core::executor::DetailLimits;
use slt_core::executor::slice::{Slice, SliceReport, merge};
use slt_core::outcome::{Attempt, FailingRecord, FileEnd, FileReport, FileStatus, FlakyResult};

/// How many times a file is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The number of retries if it has not passed.
    pub retries: u32,
    /// How many times in any case; at least once.
    pub repeat: u32,
    /// Whether a flaky file counts as passed or failed.
    #[serde(with = "FlakyResultForm")]
    pub flaky: FlakyResult,
    /// Whether it is retried on another worker after its first crash.
    pub after_crash: bool,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its worker said so.
    Finished,
    /// Its worker was ended for a limit.
    Stopped,
    /// Its worker came to an end by itself.
    Died,
    /// Its worker was ended for what an earlier task did.
    Innocent,
}

/// What is to be done after a task has ended.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing yet.
    Wait,
    /// Once more, on a fresh worker.
    SecondChance,
    /// The file has ended so: it is run once more, by this task.
    Retry(usize, FileStatus),
    /// The slices of the file could not be merged: this task runs the whole file.
    Whole(usize),
    /// The file has its report.
    Done(Box<FileReport>),
}

/// The state of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    attempts: Attempts,
    details: DetailLimits,
    tasks: Vec<TaskState>,
    items: Vec<ItemState>,
    done: usize,
    /// Attempts that have ended and were not taken yet, with the files.
    ended: Vec<(usize, Attempt)>,
}

#[derive(Debug, Clone)]
struct TaskState {
    item: usize,
    slice: Option<Slice>,
    ended: bool,
    /// Whether it has crashed a worker.
    deadly: bool,
    retries_left: u32,
}

#[derive(Debug, Clone, Default)]
struct ItemState {
    /// Tasks that have not ended, of those that make the report.
    open: u32,
    /// What its tasks came to so far, with the retries before each.
    reports: Vec<FileReport>,
    /// What its slices came to so far.
    slices: Vec<SliceReport>,
    /// The first slice that has not passed.
    bad_slice: Option<FileReport>,
    /// The attempts of earlier sessions of the run.
    earlier: Vec<Attempt>,
    /// The task for the whole file, as long as the file is run in slices.
    whole: Option<usize>,
    done: bool,
}

impl Ledger {
    /// The state of a run that begins. The first `given` tasks are given out.
    pub(super) fn new(
        tasks: &[Task],
        given: usize,
        items: usize,
        attempts: Attempts,
        details: DetailLimits,
    ) -> Self {
        let mut states = vec![ItemState::default(); items];
        let (given, reserve) = tasks.split_at(given);
        given.iter().for_each(|task| states[task.item].open += 1);
        for (task, index) in reserve.iter().zip(given.len()..) {
            states[task.item].whole = Some(index);
        }
        let state = |task: &Task| TaskState {
            item: task.item,
            slice: task.slice,
            ended: false,
            deadly: false,
            retries_left: attempts.retries,
        };
        Self {
            attempts,
            details,
            tasks: tasks.iter().map(state).collect(),
            items: states,
            done: 0,
            ended: Vec::new(),
        }
    }

    /// The file has its report from before.
    pub(super) fn is_done_already(&mut self, item: usize) {
        let state = &mut self.items[item];
        if !state.done {
            state.done = true;
            self.done += 1;
        }
    }

    /// The file had these attempts before, and no report. They count as retries and as the crash that may happen once.
    /// Repetitions begin anew, and those that failed stay attempts.
    pub(super) fn had_attempts(&mut self, item: usize, mut attempts: Vec<Attempt>) {
        if self.attempts.repeat > 1 {
            attempts.retain(|attempt| !attempt.status.is_good());
        } else {
            let has_crashed = attempts.iter().any(|attempt| attempt.status == FileStatus::Crashed);
            let failed = attempts.iter().filter(|attempt| !attempt.status.is_good()).count();
            let retried = u32::try_from(failed - usize::from(has_crashed)).unwrap_or(u32::MAX);
            for task in self.tasks.iter_mut().filter(|task| task.item == item) {
                task.deadly = has_crashed;
                task.retries_left = task.retries_left.saturating_sub(retried);
            }
        }
        self.items[item].earlier = attempts;
    }

    /// The attempts that have ended since this was asked last, with their files. The report of the file is still to come.
    pub(super) fn take_attempts(&mut self) -> Vec<(usize, Attempt)> {
        std::mem::take(&mut self.ended)
    }

    fn attempt_ended(&mut self, item: usize, report: FileReport) {
        self.ended.push((item, attempt_of(&report)));
        self.items[item].reports.push(report);
    }

    /// Returns whether a result of the task can still have an effect.
    pub(super) fn is_open(&self, task: usize) -> bool {
        self.tasks.get(task).is_some_and(|state| {
            let item = &self.items[state.item];
            // Once a file is run whole, what its slices come to is of no use.
            !state.ended && !item.done && (state.slice.is_none() || item.whole.is_some())
        })
    }

    /// How many files have their report.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Whether all have.
    pub(super) fn is_complete(&self) -> bool {
        self.done == self.items.len()
    }

    /// Takes in how a task ended. While the run is `stopping` nothing is tried again.
    ///
    /// A crash that does not repeat has happened all the same: it is an attempt of the file, which is flaky then. Nobody can
    /// tell an engine that broke from a process that was killed from outside, for instance because the machine had no memory
    /// left, so both count.
    pub(super) fn ended(&mut self, task: usize, part: Part, ending: Ending, stopping: bool) -> Next {
        if !self.is_open(task) {
            return Next::Wait;
        }
        let state = &mut self.tasks[task];
        if ending == Ending::Innocent {
            return if stopping { Next::Wait } else { Next::SecondChance };
        }
        if ending == Ending::Died && self.attempts.after_crash && !state.deadly && !stopping {
            state.deadly = true;
            let item = state.item;
            self.attempt_ended(item, part.report);
            return Next::SecondChance;
        }
        match state.slice {
            Some(slice) => self.slice_ended(task, slice, part, stopping),
            None => self.file_ended(task, part.report, stopping),
        }
    }

    fn slice_ended(&mut self, task: usize, slice: Slice, part: Part, stopping: bool) -> Next {
        let state = &mut self.tasks[task];
        state.ended = true;
        let item = &mut self.items[state.item];
        item.open -= 1;
        if !part.report.last_status().is_good() {
            item.bad_slice.get_or_insert_with(|| part.report.clone());
        }
        let Some(set_up) = part.set_up else { return self.run_whole(task) };
        item.slices.push(SliceReport { slice, report: part.report, set_up });
        if item.open > 0 {
            return Next::Wait;
        }
        match (merge(std::mem::take(&mut item.slices), self.details), item.whole) {
            // Retries are of the whole file.
            (Ok(report), Some(whole)) => {
                item.whole = None;
                item.open = 1;
                item.bad_slice = None;
                self.file_ended(whole, report, stopping)
            }
            _ => self.run_whole(task),
        }
    }

    /// From now on the file is run whole. Its attempts are the same as if it had been from the beginning: a record that crashes
    /// in several slices is one crash, and what has crashed twice in a slice has had its second chance.
    fn run_whole(&mut self, slice: usize) -> Next {
        let TaskState { item: number, deadly, .. } = self.tasks[slice];
        let item = &mut self.items[number];
        item.open = 1;
        item.slices.clear();
        item.reports.truncate(1);
        let Some(whole) = item.whole.take() else { return Next::Wait };
        self.ended.extend(item.bad_slice.as_ref().map(|report| (number, attempt_of(report))));
        self.tasks[whole].deadly |= deadly;
        Next::Whole(whole)
    }

    fn file_ended(&mut self, task: usize, report: FileReport, stopping: bool) -> Next {
        let state = &mut self.tasks[task];
        let item = &mut self.items[state.item];
        if !report.last_status().is_good() && state.retries_left > 0 && !stopping {
            state.retries_left -= 1;
            let (item, status) = (state.item, report.last_status());
            self.attempt_ended(item, report);
            return Next::Retry(task, status);
        }
        state.ended = true;
        item.open -= 1;
        if item.open > 0 {
            let item = state.item;
            self.attempt_ended(item, report);
            return Next::Wait;
        }
        item.done = true;
        self.done += 1;
        // A file that passes as a whole, and failed in a slice, is flaky. If it fails as a whole, the slice adds nothing.
        let bad = item.bad_slice.take().filter(|_| report.last_status().is_good());
        item.reports.splice(0..0, bad);
        item.reports.push(report);
        let (reports, mut attempts) = (std::mem::take(&mut item.reports), std::mem::take(&mut item.earlier));
        combine(reports, self.attempts).map_or(Next::Wait, |mut report| {
            attempts.append(&mut report.attempts);
            Next::Done(Box::new(FileReport { attempts, ..report }))
        })
    }

    /// How many times a task may still be retried.
    pub(super) fn retries_left(&self, task: usize) -> u32 {
        self.tasks[task].retries_left
    }
}

/// One report of a file that was run more than once: with retries the last, in which it may have passed; else the first
/// that is not good, since that is what repeating looks for. The others are its attempts, in their order.
fn combine(mut reports: Vec<FileReport>, attempts: Attempts) -> Option<FileReport> {
    let wanted = if attempts.repeat > 1 {
        // Repetitions end in any order; the same report should come of it.
        reports.sort_by_key(|report| {
            let failing: Vec<_> = report.failures.iter().map(|record| record.id.clone()).collect();
            (report.last_status().is_good(), failing, report.status().word())
        });
        0
    } else {
        reports.len().checked_sub(1)?
    };
    if reports.is_empty() {
        return None;
    }
    let mut chosen = reports.remove(wanted);
    chosen.attempts = reports.iter().map(attempt_of).collect();
    Some(chosen)
}

fn attempt_of(report: &FileReport) -> Attempt {
    let status = report.last_status();
    let elapsed: Duration = report.elapsed;
    let fatal = match &report.end {
        FileEnd::Faulted { id, .. } | FileEnd::TimedOut { id } => id,
        _ => &None,
    };
    let mut detailed = report.failures.iter().filter(|record| record.detail.is_some());
    let told = detailed.clone().find(|record| Some(&record.id) == fatal.as_ref()).or_else(|| detailed.next());
    // Its group is one of that report.
    let first = told.map(|record| FailingRecord { group: None, ..record.clone() });
    Attempt { status, elapsed, first }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::worker::not_started;
    use super::*;
    use slt_core::outcome::{Digest, FileProblem};

    const DETAILS: DetailLimits = DetailLimits { records: 10, values: 10 };

    fn part(passes: bool) -> Part {
        let mut report = not_started(FileProblem::TimedOut);
        if passes {
            report.end = FileEnd::Completed;
            (report.counts.total, report.counts.executed, report.counts.passed) = (1, 1, 1);
        }
        Part::of(report)
    }

    fn attempts(retries: u32, repeat: u32) -> Attempts {
        Attempts { retries, repeat, flaky: FlakyResult::Pass, after_crash: true }
    }

    fn ledger(retries: u32, repeat: u32) -> Ledger {
        let tasks = vec![Task::whole(0); repeat as usize];
        Ledger::new(&tasks, tasks.len(), 1, attempts(retries, repeat), DETAILS)
    }

    /// A file in two slices, the tasks 0 and 1; task 2 is the whole file.
    fn sliced(retries: u32) -> Ledger {
        let slice = |index| Task { item: 0, slice: Slice::new(index, 2) };
        let tasks = [slice(0), slice(1), Task::whole(0)];
        Ledger::new(&tasks, 2, 1, attempts(retries, 1), DETAILS)
    }

    /// A slice that came to its end after statements with results of this kind.
    fn slice_part(passes: bool, kind: u8) -> Part {
        let mut part = Part { set_up: Some(Digest([kind; 16])), ..part(true) };
        if !passes {
            (part.report.counts.passed, part.report.counts.failed) = (0, 1);
        }
        part
    }

    fn report_of(next: Next) -> FileReport {
        match next {
            Next::Done(report) => *report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_worker_that_dies_is_given_one_second_chance() {
        let mut once = ledger(0, 1);
        assert_eq!(once.ended(0, part(false), Ending::Died, false), Next::SecondChance);
        assert!(once.is_open(0) && !once.is_complete());
        let report = report_of(once.ended(0, part(false), Ending::Died, false));
        assert_eq!((report.status(), once.is_complete()), (FileStatus::TimedOut, true));
        assert_eq!(report.attempts.len(), 1, "the first death");
        assert_eq!(once.ended(0, part(true), Ending::Finished, false), Next::Wait, "one result, and no more");
        let mut stopping = ledger(3, 1);
        assert!(matches!(stopping.ended(0, part(false), Ending::Died, true), Next::Done(_)));
        let mut stopped = ledger(0, 1);
        assert!(matches!(stopped.ended(0, part(false), Ending::Stopped, false), Next::Done(_)));
    }

    #[test]
    fn a_crash_that_does_not_repeat_is_an_attempt() {
        let finished = Ending::Finished;
        let mut whole = ledger(0, 1);
        whole.ended(0, part(false), Ending::Died, false);
        let report = report_of(whole.ended(0, part(true), finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));

        let mut slices = sliced(0);
        assert_eq!(slices.ended(0, part(false), Ending::Died, false), Next::SecondChance);
        slices.ended(0, slice_part(true, 1), finished, false);
        let report = report_of(slices.ended(1, slice_part(true, 1), finished, false));
        assert_eq!((report.status(), report.attempts.len(), report.counts.total), (FileStatus::Flaky, 1, 2));

        let mut once =
            Ledger::new(&[Task::whole(0)], 1, 1, Attempts { after_crash: false, ..attempts(0, 1) }, DETAILS);
        assert!(matches!(once.ended(0, part(false), Ending::Died, false), Next::Done(_)));
    }

    #[test]
    fn attempts_of_an_earlier_session_are_part_of_the_report() {
        let mut first = ledger(0, 1);
        first.ended(0, part(false), Ending::Died, false);
        let attempts = first.take_attempts();
        assert_eq!((attempts.len(), attempts[0].0), (1, 0));
        assert!(first.take_attempts().is_empty());
        let mut second = ledger(0, 1);
        attempts.into_iter().for_each(|(item, attempt)| second.had_attempts(item, vec![attempt]));
        let report = report_of(second.ended(0, part(true), Ending::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));
    }

    #[test]
    fn attempts_of_an_earlier_session_count_as_retries() {
        let mut first = ledger(1, 1);
        first.ended(0, part(false), Ending::Finished, false);
        let mut second = ledger(1, 1);
        first
            .take_attempts()
            .into_iter()
            .for_each(|(item, attempt)| second.had_attempts(item, vec![attempt]));
        let report = report_of(second.ended(0, part(false), Ending::Finished, false));
        assert_eq!(report.attempts.len(), 1, "one retry in all");
    }

    #[test]
    fn what_an_earlier_file_did_to_a_worker_is_not_held_against_the_next() {
        let mut ledger = ledger(0, 1);
        for _ in 0..3 {
            assert_eq!(ledger.ended(0, part(false), Ending::Innocent, false), Next::SecondChance);
        }
        let report = report_of(ledger.ended(0, part(true), Ending::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Passed, 0));
    }

    #[test]
    fn a_pass_after_a_failure_is_flaky() {
        let mut ledger = ledger(2, 1);
        assert!(matches!(ledger.ended(0, part(false), Ending::Finished, false), Next::Retry(0, _)));
        let report = report_of(ledger.ended(0, part(true), Ending::Finished, false));
        assert_eq!((report.status(), report.last_status()), (FileStatus::Flaky, FileStatus::Passed));
        assert_eq!(report.attempts.len(), 1);
    }

    #[test]
    fn what_always_fails_is_not_flaky() {
        let mut ledger = ledger(1, 1);
        ledger.ended(0, part(false), Ending::Finished, false);
        let report = report_of(ledger.ended(0, part(false), Ending::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::TimedOut, 1));
    }

    #[test]
    fn one_failing_repetition_is_what_is_told() {
        for failing in 0..3 {
            let mut ledger = ledger(0, 3);
            let ended = (0..3).map(|task| ledger.ended(task, part(task != failing), Ending::Finished, false));
            let report = report_of(ended.last().unwrap());
            assert_eq!((report.status(), report.last_status()), (FileStatus::Flaky, FileStatus::TimedOut));
            assert_eq!(report.attempts.len(), 2);
        }
    }

    #[test]
    fn slices_make_one_report_or_the_file_is_run_whole() {
        let finished = Ending::Finished;
        let mut agreeing = sliced(0);
        assert_eq!(agreeing.ended(1, slice_part(true, 1), finished, false), Next::Wait);
        let report = report_of(agreeing.ended(0, slice_part(false, 1), finished, false));
        assert_eq!((report.counts.total, report.status()), (2, FileStatus::Failed));
        assert!(agreeing.is_complete() && !agreeing.is_open(2));

        let mut differing = sliced(0);
        differing.ended(0, slice_part(true, 1), finished, false);
        assert_eq!(differing.ended(1, slice_part(true, 2), finished, false), Next::Whole(2));
        assert_eq!(report_of(differing.ended(2, part(true), finished, false)).counts.total, 1);

        let mut stopped = sliced(0);
        assert_eq!(stopped.ended(0, part(false), Ending::Stopped, false), Next::Whole(2));
        assert!(!stopped.is_open(1) && stopped.is_open(2), "the other slice is of no use any more");
        assert_eq!(stopped.ended(1, slice_part(true, 1), finished, false), Next::Wait);
        assert_eq!(stopped.take_attempts().len(), 1);
        let report = report_of(stopped.ended(2, part(true), finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1), "the slice was stopped");
        let mut always = sliced(0);
        always.ended(0, part(false), Ending::Stopped, false);
        let report = report_of(always.ended(2, part(false), Ending::Stopped, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::TimedOut, 0), "as without slices");
    }

    #[test]
    fn retries_are_of_the_whole_file() {
        let mut ledger = sliced(1);
        ledger.ended(0, slice_part(true, 1), Ending::Finished, false);
        let next = ledger.ended(1, slice_part(false, 1), Ending::Finished, false);
        assert!(matches!(next, Next::Retry(2, _)), "{next:?}");
        let report = report_of(ledger.ended(2, part(true), Ending::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));
    }

    proptest! {
        /// Whatever ends how, in whatever order and however often: each file is done once.
        #[test]
        fn each_file_gets_one_report(
            endings in prop::collection::vec((0_usize..6, any::<bool>(), 0_u8..4), 0..60),
            retries in 0_u32..3,
        ) {
            let tasks: Vec<_> = (0..6).map(|task| Task::whole(task / 2)).collect();
            let mut ledger = Ledger::new(&tasks, 6, 3, attempts(retries, 2), DETAILS);
            let mut done = [0; 3];
            let last = (0..6).flat_map(|task| (0..5).map(move |_| (task, true, 0)));
            for (task, passes, ending) in endings.into_iter().chain(last) {
                let ending = [Ending::Finished, Ending::Stopped, Ending::Died, Ending::Innocent][usize::from(ending)];
                let report = part(passes);
                if let Next::Done(_) = ledger.ended(task, report, ending, false) {
                    done[task / 2] += 1;
                }
            }
            prop_assert_eq!(done, [1; 3]);
            prop_assert!(ledger.is_complete());
        }
    }
}

//! Tracks the ends of tasks and decides on the next steps, independently of processes and time.
//!
//! Every file gets exactly one report, for any number and any ends of its processes.

use std::time::Duration;

use super::wire::{Attempts, Task, TaskEnd, TaskResult};
use slt_core::executor::DetailLimits;
use slt_core::executor::slice::{Slice, SliceReport, merge};
use slt_core::outcome::{Attempt, FailingRecord, FileEnd, FileReport, FileStatus};

/// The next step after the end of a task.
#[derive(Debug, PartialEq)]
pub(super) enum NextStep {
    /// Wait for other tasks.
    Wait,
    /// Run the task again, on a fresh worker.
    RunAgain,
    /// The file has ended so: retry it by this task.
    Retry(usize, FileStatus),
    /// The slices of the file could not be merged: run the whole file by this task.
    Whole(usize),
    /// The file has its report.
    Done(Box<FileReport>),
}

/// The state of a run.
#[derive(Debug)]
pub(super) struct TaskTracker {
    attempts: Attempts,
    details: DetailLimits,
    tasks: Vec<TaskState>,
    items: Vec<ItemState>,
    done: usize,
    /// Ended attempts that were not taken yet, with their files.
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
    /// The number of running or queued tasks that contribute to the report.
    open: u32,
    /// The reports of its tasks so far, with the retries before each.
    reports: Vec<FileReport>,
    /// The reports of its slices so far.
    slices: Vec<SliceReport>,
    /// The report of the first slice, or part of a shared file, that has not passed.
    bad_slice: Option<Box<FileReport>>,
    /// The attempts of earlier sessions of the run.
    earlier: Vec<Attempt>,
    /// The task for the whole file, while the file is run in slices.
    whole: Option<usize>,
    done: bool,
}

impl TaskTracker {
    /// Creates the state of a new run, in which the first `given` tasks are queued.
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

    /// Records that the file has its report from an earlier session.
    pub(super) fn is_done_already(&mut self, item: usize) {
        let state = &mut self.items[item];
        if !state.done {
            state.done = true;
            self.done += 1;
        }
    }

    /// Records earlier attempts of a file without a report.
    ///
    /// They count as retries, and a crash as the one allowed crash. Repetitions start again, and failed ones stay
    /// attempts.
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

    /// Returns the attempts that have ended since the last call, with their files. Each precedes the report of its
    /// file.
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
            // Once a file is run as a whole, the results of its slices are useless.
            !state.ended && !item.done && (state.slice.is_none() || item.whole.is_some())
        })
    }

    /// Returns the number of files with a report.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Returns whether all files have a report.
    pub(super) fn is_complete(&self) -> bool {
        self.done == self.items.len()
    }

    /// Handles the end of a task. While the run is `stopping` nothing is retried.
    ///
    /// A crash that does not repeat still counts: it is an attempt of the file, which is then flaky. A crash of the
    /// engine cannot be distinguished from a kill from outside, for instance by the OOM killer, so both count.
    pub(super) fn ended(
        &mut self,
        task: usize,
        result: TaskResult,
        end: &TaskEnd,
        stopping: bool,
    ) -> NextStep {
        if !self.is_open(task) {
            return NextStep::Wait;
        }
        let state = &mut self.tasks[task];
        if *end == TaskEnd::Bystander {
            return if stopping { NextStep::Wait } else { NextStep::RunAgain };
        }
        if matches!(end, TaskEnd::Died { .. }) && self.attempts.after_crash && !state.deadly && !stopping {
            state.deadly = true;
            let item = state.item;
            self.attempt_ended(item, result.report);
            return NextStep::RunAgain;
        }
        match state.slice {
            Some(slice) => self.slice_ended(task, slice, result, stopping),
            None if result.is_part => self.part_ended(task, result.report),
            None => self.file_ended(task, result.report, stopping),
        }
    }

    fn slice_ended(&mut self, task: usize, slice: Slice, result: TaskResult, stopping: bool) -> NextStep {
        let state = &mut self.tasks[task];
        state.ended = true;
        let item = &mut self.items[state.item];
        item.open -= 1;
        if !result.report.last_status().is_good() {
            item.bad_slice.get_or_insert_with(|| Box::new(result.report.clone()));
        }
        let Some(set_up) = result.set_up else { return self.run_whole(task) };
        item.slices.push(SliceReport { slice, report: result.report, set_up });
        if item.open > 0 {
            return NextStep::Wait;
        }
        match (merge(std::mem::take(&mut item.slices), self.details), item.whole) {
            // Retries run the whole file.
            (Some(report), Some(whole)) => {
                item.whole = None;
                item.open = 1;
                item.bad_slice = None;
                self.file_ended(whole, report, stopping)
            }
            _ => self.run_whole(task),
        }
    }

    /// Switches from slices to the whole file.
    ///
    /// The attempts are the same as for a file that was never split: a record that crashes in several slices is one
    /// crash, and a slice that has crashed twice has used the allowed crash.
    fn run_whole(&mut self, slice: usize) -> NextStep {
        let TaskState { item: number, deadly, .. } = self.tasks[slice];
        let item = &mut self.items[number];
        item.open = 1;
        item.slices.clear();
        item.reports.truncate(1);
        let Some(whole) = item.whole.take() else { return NextStep::Wait };
        self.ended.extend(item.bad_slice.as_deref().map(|report| (number, attempt_of(report))));
        self.tasks[whole].deadly |= deadly;
        NextStep::Whole(whole)
    }

    /// Runs a file again that workers have shared, and that one of them has not completed.
    fn part_ended(&mut self, task: usize, report: FileReport) -> NextStep {
        let number = self.tasks[task].item;
        if !report.last_status().is_good() {
            self.ended.push((number, attempt_of(&report)));
            self.items[number].bad_slice.get_or_insert_with(|| Box::new(report));
        }
        NextStep::Whole(task)
    }

    fn file_ended(&mut self, task: usize, report: FileReport, stopping: bool) -> NextStep {
        let state = &mut self.tasks[task];
        let item = &mut self.items[state.item];
        if !report.last_status().is_good() && state.retries_left > 0 && !stopping {
            state.retries_left -= 1;
            let (item, status) = (state.item, report.last_status());
            self.attempt_ended(item, report);
            return NextStep::Retry(task, status);
        }
        state.ended = true;
        item.open -= 1;
        if item.open > 0 {
            let item = state.item;
            self.attempt_ended(item, report);
            return NextStep::Wait;
        }
        item.done = true;
        self.done += 1;
        // A file that passes as a whole and failed in a slice is flaky. If it fails as a whole, the slice adds nothing.
        let bad = item.bad_slice.take().filter(|_| report.last_status().is_good());
        item.reports.splice(0..0, bad.map(|report| *report));
        item.reports.push(report);
        let (reports, mut attempts) = (std::mem::take(&mut item.reports), std::mem::take(&mut item.earlier));
        combine(reports, self.attempts).map_or(NextStep::Wait, |mut report| {
            attempts.append(&mut report.attempts);
            NextStep::Done(Box::new(FileReport { attempts, ..report }))
        })
    }

    /// Returns the number of retries left for a task.
    pub(super) fn retries_left(&self, task: usize) -> u32 {
        self.tasks[task].retries_left
    }
}

/// Combines the reports of a file that was run more than once.
///
/// With retries, the last report counts, because it may have passed. With repetitions, the first failing report counts,
/// because repeating searches for failures. The others become attempts, in their order.
fn combine(mut reports: Vec<FileReport>, attempts: Attempts) -> Option<FileReport> {
    let wanted = if attempts.repeat > 1 {
        // Repetitions end in any order, and the report must not depend on that.
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
    use slt_core::outcome::{Digest, ExitHow, FileProblem, FlakyResult};

    const DETAILS: DetailLimits = DetailLimits { records: 10, values: 10 };

    fn result(passes: bool) -> TaskResult {
        let mut report = not_started(FileProblem::TimedOut);
        if passes {
            report.end = FileEnd::Completed;
            (report.counts.total, report.counts.executed, report.counts.passed) = (1, 1, 1);
        }
        TaskResult::new(report)
    }

    fn died() -> TaskEnd {
        TaskEnd::Died { record: None, how: ExitHow::Code(1) }
    }

    fn attempts(retries: u32, repeat: u32) -> Attempts {
        Attempts { retries, repeat, flaky: FlakyResult::Pass, after_crash: true }
    }

    fn tracker(retries: u32, repeat: u32) -> TaskTracker {
        let tasks = vec![Task::whole(0); repeat as usize];
        TaskTracker::new(&tasks, tasks.len(), 1, attempts(retries, repeat), DETAILS)
    }

    /// Creates a file in two slices, the tasks 0 and 1; task 2 is the whole file.
    fn sliced(retries: u32) -> TaskTracker {
        let slice = |index| Task { item: 0, slice: Slice::new(index, 2) };
        let tasks = [slice(0), slice(1), Task::whole(0)];
        TaskTracker::new(&tasks, 2, 1, attempts(retries, 1), DETAILS)
    }

    /// Creates the result of a completed slice after statements with results of this kind.
    fn slice_result(passes: bool, kind: u8) -> TaskResult {
        let mut result = TaskResult { set_up: Some(Digest([kind; 16])), ..result(true) };
        if !passes {
            (result.report.counts.passed, result.report.counts.failed) = (0, 1);
        }
        result
    }

    fn report_of(next: NextStep) -> FileReport {
        match next {
            NextStep::Done(report) => *report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_worker_that_dies_is_given_one_second_chance() {
        let mut once = tracker(0, 1);
        assert_eq!(once.ended(0, result(false), &died(), false), NextStep::RunAgain);
        assert!(once.is_open(0) && !once.is_complete());
        let report = report_of(once.ended(0, result(false), &died(), false));
        assert_eq!((report.status(), once.is_complete()), (FileStatus::TimedOut, true));
        assert_eq!(report.attempts.len(), 1, "the first death");
        assert_eq!(
            once.ended(0, result(true), &TaskEnd::Finished, false),
            NextStep::Wait,
            "one result, and no more"
        );
        let mut stopping = tracker(3, 1);
        assert!(matches!(stopping.ended(0, result(false), &died(), true), NextStep::Done(_)));
        let mut stopped = tracker(0, 1);
        assert!(matches!(stopped.ended(0, result(false), &TaskEnd::Stopped, false), NextStep::Done(_)));
    }

    #[test]
    fn a_crash_that_does_not_repeat_is_an_attempt() {
        let finished = &TaskEnd::Finished;
        let mut whole = tracker(0, 1);
        whole.ended(0, result(false), &died(), false);
        let report = report_of(whole.ended(0, result(true), finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));

        let mut slices = sliced(0);
        assert_eq!(slices.ended(0, result(false), &died(), false), NextStep::RunAgain);
        slices.ended(0, slice_result(true, 1), finished, false);
        let report = report_of(slices.ended(1, slice_result(true, 1), finished, false));
        assert_eq!((report.status(), report.attempts.len(), report.counts.total), (FileStatus::Flaky, 1, 2));

        let mut once = TaskTracker::new(
            &[Task::whole(0)],
            1,
            1,
            Attempts { after_crash: false, ..attempts(0, 1) },
            DETAILS,
        );
        assert!(matches!(once.ended(0, result(false), &died(), false), NextStep::Done(_)));
    }

    #[test]
    fn attempts_of_an_earlier_session_are_part_of_the_report() {
        let mut first = tracker(0, 1);
        first.ended(0, result(false), &died(), false);
        let attempts = first.take_attempts();
        assert_eq!((attempts.len(), attempts[0].0), (1, 0));
        assert!(first.take_attempts().is_empty());
        let mut second = tracker(0, 1);
        attempts.into_iter().for_each(|(item, attempt)| second.had_attempts(item, vec![attempt]));
        let report = report_of(second.ended(0, result(true), &TaskEnd::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));
    }

    #[test]
    fn attempts_of_an_earlier_session_count_as_retries() {
        let mut first = tracker(1, 1);
        first.ended(0, result(false), &TaskEnd::Finished, false);
        let mut second = tracker(1, 1);
        first
            .take_attempts()
            .into_iter()
            .for_each(|(item, attempt)| second.had_attempts(item, vec![attempt]));
        let report = report_of(second.ended(0, result(false), &TaskEnd::Finished, false));
        assert_eq!(report.attempts.len(), 1, "one retry in all");
    }

    #[test]
    fn what_an_earlier_file_did_to_a_worker_is_not_held_against_the_next() {
        let mut tracker = tracker(0, 1);
        for _ in 0..3 {
            assert_eq!(tracker.ended(0, result(false), &TaskEnd::Bystander, false), NextStep::RunAgain);
        }
        let report = report_of(tracker.ended(0, result(true), &TaskEnd::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Passed, 0));
    }

    #[test]
    fn a_pass_after_a_failure_is_flaky() {
        let mut tracker = tracker(2, 1);
        assert!(matches!(tracker.ended(0, result(false), &TaskEnd::Finished, false), NextStep::Retry(0, _)));
        let report = report_of(tracker.ended(0, result(true), &TaskEnd::Finished, false));
        assert_eq!((report.status(), report.last_status()), (FileStatus::Flaky, FileStatus::Passed));
        assert_eq!(report.attempts.len(), 1);
    }

    #[test]
    fn what_always_fails_is_not_flaky() {
        let mut tracker = tracker(1, 1);
        tracker.ended(0, result(false), &TaskEnd::Finished, false);
        let report = report_of(tracker.ended(0, result(false), &TaskEnd::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::TimedOut, 1));
    }

    #[test]
    fn one_failing_repetition_is_what_is_told() {
        for failing in 0..3 {
            let mut tracker = tracker(0, 3);
            let ended =
                (0..3).map(|task| tracker.ended(task, result(task != failing), &TaskEnd::Finished, false));
            let report = report_of(ended.last().unwrap());
            assert_eq!((report.status(), report.last_status()), (FileStatus::Flaky, FileStatus::TimedOut));
            assert_eq!(report.attempts.len(), 2);
        }
    }

    #[test]
    fn slices_make_one_report_or_the_file_is_run_whole() {
        let finished = &TaskEnd::Finished;
        let mut agreeing = sliced(0);
        assert_eq!(agreeing.ended(1, slice_result(true, 1), finished, false), NextStep::Wait);
        let report = report_of(agreeing.ended(0, slice_result(false, 1), finished, false));
        assert_eq!((report.counts.total, report.status()), (2, FileStatus::Failed));
        assert!(agreeing.is_complete() && !agreeing.is_open(2));

        let mut differing = sliced(0);
        differing.ended(0, slice_result(true, 1), finished, false);
        assert_eq!(differing.ended(1, slice_result(true, 2), finished, false), NextStep::Whole(2));
        assert_eq!(report_of(differing.ended(2, result(true), finished, false)).counts.total, 1);

        let mut stopped = sliced(0);
        assert_eq!(stopped.ended(0, result(false), &TaskEnd::Stopped, false), NextStep::Whole(2));
        assert!(!stopped.is_open(1) && stopped.is_open(2), "the other slice is of no use any more");
        assert_eq!(stopped.ended(1, slice_result(true, 1), finished, false), NextStep::Wait);
        assert_eq!(stopped.take_attempts().len(), 1);
        let report = report_of(stopped.ended(2, result(true), finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1), "the slice was stopped");
        let mut always = sliced(0);
        always.ended(0, result(false), &TaskEnd::Stopped, false);
        let report = report_of(always.ended(2, result(false), &TaskEnd::Stopped, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::TimedOut, 0), "as without slices");
    }

    #[test]
    fn retries_are_of_the_whole_file() {
        let mut tracker = sliced(1);
        tracker.ended(0, slice_result(true, 1), &TaskEnd::Finished, false);
        let next = tracker.ended(1, slice_result(false, 1), &TaskEnd::Finished, false);
        assert!(matches!(next, NextStep::Retry(2, _)), "{next:?}");
        let report = report_of(tracker.ended(2, result(true), &TaskEnd::Finished, false));
        assert_eq!((report.status(), report.attempts.len()), (FileStatus::Flaky, 1));
    }

    proptest! {
        /// Each file is done once, for any ends in any order and number.
        #[test]
        fn each_file_gets_one_report(
            endings in prop::collection::vec((0_usize..6, any::<bool>(), 0_u8..4), 0..60),
            retries in 0_u32..3,
        ) {
            let tasks: Vec<_> = (0..6).map(|task| Task::whole(task / 2)).collect();
            let mut tracker = TaskTracker::new(&tasks, 6, 3, attempts(retries, 2), DETAILS);
            let mut done = [0; 3];
            let last = (0..6).flat_map(|task| (0..5).map(move |_| (task, true, 0)));
            for (task, passes, ending) in endings.into_iter().chain(last) {
                let ends = [TaskEnd::Finished, TaskEnd::Stopped, died(), TaskEnd::Bystander];
                let ending = &ends[usize::from(ending)];
                let report = result(passes);
                if let NextStep::Done(_) = tracker.ended(task, report, ending, false) {
                    done[task / 2] += 1;
                }
            }
            prop_assert_eq!(done, [1; 3]);
            prop_assert!(tracker.is_complete());
        }
    }
}

//! One file in two runs.

use super::records::{
    ChangeCounts, ComparedConditions, MatchedBy, MissingReason, RecordChange, RecordDiff, matched,
};
use slt_core::location::FileId;
use slt_core::outcome::{Counts, FileReport, FileStatus};

/// A file that is in one of the runs, or in both.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDiff<'r> {
    /// The identity of the file.
    pub file: &'r FileId,
    /// The displayed path, which the user can type again.
    pub shown: &'r str,
    /// Its state in the baseline.
    pub before: Option<FileState>,
    /// Its state in the current run.
    pub now: Option<FileState>,
    /// The change.
    pub change: FileChange,
    /// The way its records were matched.
    pub identity: MatchedBy,
    /// The reason why records that fail in one run only cannot be judged.
    pub doubt: Option<MissingReason>,
    /// Every record that fails in one of the runs, in the order of the lines.
    pub records: Vec<RecordDiff<'r>>,
    /// The counts of its records.
    pub account: ChangeCounts,
    /// The number of records that the user excluded from the current run only.
    pub left_out: u64,
}

/// The result of a file in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// The status.
    pub status: FileStatus,
    /// Its records.
    pub counts: Counts,
}

/// The change of a file.
///
/// | before \ now | passed | bad | flaky | untested |
/// |---|---|---|---|---|
/// | passed | still passing | regressed | newly flaky | newly untested |
/// | bad | fixed | still failing | newly flaky | disappeared |
/// | flaky | no longer flaky | no longer flaky | still flaky | newly untested |
/// | untested | newly tested | new failure | newly tested | still untested |
///
/// A file that passes only because its failing records were removed, skipped, excluded or not reached is not fixed: its
/// failures have disappeared. In the reverse, it has a new failure and has not regressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileChange {
    /// It passed before, and does not now.
    Regressed,
    /// It passes now, and did not before.
    Fixed,
    /// It fails, and it or its failing records were not tested before.
    NewFailure,
    /// It failed, and it or its failing records are not tested now.
    Disappeared,
    /// It passed or was flaky, and is not tested any more.
    NewlyUntested,
    /// It passes or is flaky, and was not tested before.
    NewlyTested,
    /// It is flaky, and was not.
    NewlyFlaky,
    /// It was flaky, and is not any more.
    NoLongerFlaky,
    /// It passes.
    StillPassing,
    /// It fails in both runs, perhaps for different reasons.
    StillFailing,
    /// It is flaky in both runs.
    StillFlaky,
    /// Nothing of it was executed.
    StillUntested,
}

/// The state of a file in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum FileStanding {
    Passed,
    Bad,
    Flaky,
    /// It is not in the run, or nothing of it was executed.
    Untested,
}

fn standing(state: Option<FileState>) -> FileStanding {
    match state.map(|state| state.status) {
        None | Some(FileStatus::Empty) => FileStanding::Untested,
        Some(FileStatus::Passed) => FileStanding::Passed,
        Some(FileStatus::Flaky) => FileStanding::Flaky,
        Some(
            FileStatus::Failed
            | FileStatus::TimedOut
            | FileStatus::Crashed
            | FileStatus::OutOfMemory
            | FileStatus::Error,
        ) => FileStanding::Bad,
    }
}

impl FileChange {
    /// Derives the change from the two states.
    fn new(before: FileStanding, now: FileStanding) -> Self {
        use FileStanding::{Bad, Flaky, Passed, Untested};
        match (before, now) {
            (Passed, Passed) => Self::StillPassing,
            (Passed, Bad) => Self::Regressed,
            (Passed | Bad, Flaky) => Self::NewlyFlaky,
            (Passed | Flaky, Untested) => Self::NewlyUntested,
            (Bad, Passed) => Self::Fixed,
            (Bad, Bad) => Self::StillFailing,
            (Bad, Untested) => Self::Disappeared,
            (Flaky, Passed | Bad) => Self::NoLongerFlaky,
            (Flaky, Flaky) => Self::StillFlaky,
            (Untested, Passed | Flaky) => Self::NewlyTested,
            (Untested, Bad) => Self::NewFailure,
            (Untested, Untested) => Self::StillUntested,
        }
    }

    /// Corrects the change if no failing record is known to have passed in the other run.
    fn but_for(self, records: &[RecordDiff<'_>]) -> Self {
        let any = |wanted: &dyn Fn(RecordChange) -> bool| records.iter().any(|record| wanted(record.change));
        match self {
            Self::Fixed
                if !any(&|change| change == RecordChange::Fixed)
                    && any(
                        &|change| matches!(change, RecordChange::Disappeared(why) if why.is_absence()),
                    ) =>
            {
                Self::Disappeared
            }
            Self::Regressed
                if !any(&|change| change == RecordChange::Regressed)
                    && any(&|change| matches!(change, RecordChange::NewFailure(why) if why.is_absence())) =>
            {
                Self::NewFailure
            }
            same => same,
        }
    }

    /// Returns its name in machine-readable documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Fixed => "fixed",
            Self::NewFailure => "new_failure",
            Self::Disappeared => "disappeared",
            Self::NewlyUntested => "newly_untested",
            Self::NewlyTested => "newly_tested",
            Self::NewlyFlaky => "newly_flaky",
            Self::NoLongerFlaky => "no_longer_flaky",
            Self::StillPassing => "still_passing",
            Self::StillFailing => "still_failing",
            Self::StillFlaky => "still_flaky",
            Self::StillUntested => "still_untested",
        }
    }
}

impl<'r> FileDiff<'r> {
    /// Compares a file in two runs; it must be in at least one.
    pub(super) fn new(
        before: Option<&'r FileReport>,
        now: Option<&'r FileReport>,
        conditions: ComparedConditions,
    ) -> Option<Self> {
        let known = now.or(before)?;
        let matched = matched(before, now, conditions);
        let state = |file: &FileReport| FileState { status: file.status(), counts: file.counts };
        let (before, now) = (before.map(state), now.map(state));
        Some(Self {
            file: &known.file,
            shown: &known.shown,
            before,
            now,
            change: FileChange::new(standing(before), standing(now)).but_for(&matched.records),
            identity: matched.identity,
            doubt: matched.doubt,
            records: matched.records,
            account: matched.account,
            left_out: matched.left_out,
        })
    }

    /// Returns whether the file is in both runs.
    pub fn is_common(&self) -> bool {
        self.before.is_some() && self.now.is_some()
    }

    /// Returns whether it passed before and does not now. A changed file may have new failures, but nothing shows that
    /// its old records still pass. Records excluded before by the user do not count.
    pub fn has_fallen(&self) -> bool {
        let left_out =
            |record: &RecordDiff<'_>| record.change == RecordChange::NewFailure(MissingReason::LeftOut);
        (standing(self.before), standing(self.now)) == (FileStanding::Passed, FileStanding::Bad)
            && (self.change == FileChange::Regressed || !self.records.iter().all(left_out))
    }

    /// Returns whether it failed in both runs with different statuses, for instance failed and crashed.
    pub fn ends_otherwise(&self) -> bool {
        let status = |state: Option<FileState>| state.map(|state| state.status);
        self.change == FileChange::StillFailing && status(self.before) != status(self.now)
    }

    /// Returns the records with this change.
    pub fn with(&self, wanted: impl Fn(RecordChange) -> bool) -> impl Iterator<Item = &RecordDiff<'r>> {
        self.records.iter().filter(move |record| wanted(record.change))
    }

    /// Returns a lower bound for the number of lost records.
    ///
    /// They passed before, and now neither pass nor fail, although the file was run: they were not reached, or the
    /// changed file has fewer passing records without having fewer records. Records excluded by the user are not lost.
    pub fn lost(&self) -> u64 {
        let (Some(before), Some(now)) = (self.before, self.now) else { return 0 };
        if self.doubt != Some(MissingReason::FileChanged) {
            return self.account.newly_untested.saturating_sub(self.left_out);
        }
        let fewer = self.account.unmatched_before.saturating_sub(self.account.unmatched_now);
        fewer.saturating_sub(before.counts.total.saturating_sub(now.counts.total))
    }
}

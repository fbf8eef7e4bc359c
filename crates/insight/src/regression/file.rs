//! One file in two runs.

use super::records::{Account, Conditions, Identity, RecordChange, RecordDiff, Why, matched};
use slt_core::location::FileId;
use slt_core::outcome::{Counts, FileReport, FileStatus};

/// A file that is in one of the runs, or in both.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDiff<'r> {
    /// The identity of the file.
    pub file: &'r FileId,
    /// What messages call it: a path that can be typed again.
    pub shown: &'r str,
    /// How it ended in the baseline, if it is there.
    pub before: Option<FileState>,
    /// How it ended in the current run, if it is there.
    pub now: Option<FileState>,
    /// What became of it.
    pub change: FileChange,
    /// How its records are known.
    pub identity: Identity,
    /// Why it cannot be told what became of records that fail in one run only, if it cannot.
    pub doubt: Option<Why>,
    /// Every record that fails in one of the runs, in the order of the lines.
    pub records: Vec<RecordDiff<'r>>,
    /// All records, summed up.
    pub account: Account,
    /// How many records the current run has left out that the baseline has not, because the user wants it so.
    pub left_out: u64,
}

/// How a file ended in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// In a word.
    pub status: FileStatus,
    /// Its records.
    pub counts: Counts,
}

/// What became of a file.
///
/// | before \ now | passed | bad | flaky | untested |
/// |---|---|---|---|---|
/// | passed | still passing | regressed | newly flaky | newly untested |
/// | bad | fixed | still failing | newly flaky | disappeared |
/// | flaky | no longer flaky | no longer flaky | still flaky | newly untested |
/// | untested | newly tested | new failure | newly tested | still untested |
///
/// A file that passes only because whatever failed is gone, skipped, left out or not reached is not fixed: its failures have
/// disappeared. In the reverse, it has a new failure and has not regressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileChange {
    /// It passed, and does not any more.
    Regressed,
    /// It passes, and did not.
    Fixed,
    /// It has not passed, and was not tested before, or not what fails of it.
    NewFailure,
    /// It had not passed, and is not tested any more, or passes without what failed.
    Disappeared,
    /// It passed or was flaky, and is not tested any more.
    NewlyUntested,
    /// It passes or is flaky, and was not tested before.
    NewlyTested,
    /// It passes at one time and not at another, and did not do so.
    NewlyFlaky,
    /// It passed at one time and not at another, and does not do so.
    NoLongerFlaky,
    /// It passes.
    StillPassing,
    /// It does not pass, though perhaps for another reason.
    StillFailing,
    /// It passes at one time and not at another.
    StillFlaky,
    /// Nothing of it was executed.
    StillUntested,
}

/// How a file stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It passed.
    Passed,
    /// Something is wrong.
    Bad,
    /// It passed at one time and not at another.
    Flaky,
    /// It is not in the run, or nothing of it was executed.
    Untested,
}

impl Standing {
    /// The standing of a file with this status.
    pub fn of(status: Option<FileStatus>) -> Self {
        match status {
            None | Some(FileStatus::Empty) => Self::Untested,
            Some(FileStatus::Passed) => Self::Passed,
            Some(FileStatus::Flaky) => Self::Flaky,
            Some(
                FileStatus::Failed
                | FileStatus::TimedOut
                | FileStatus::Crashed
                | FileStatus::OutOfMemory
                | FileStatus::Error,
            ) => Self::Bad,
        }
    }
}

impl FileChange {
    /// What became of a file that stood so, and stands so.
    pub fn of(before: Standing, now: Standing) -> Self {
        use Standing::{Bad, Flaky, Passed, Untested};
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

    /// The same, where none of the records that fail is known to have passed in the other run.
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

    /// The word for it in documents for machines.
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
    /// Holds a file against itself; it is in one of the runs at least.
    pub(super) fn of(
        before: Option<&'r FileReport>,
        now: Option<&'r FileReport>,
        conditions: Conditions,
    ) -> Option<Self> {
        let known = now.or(before)?;
        let matched = matched(before, now, conditions);
        let state = |file: &FileReport| FileState { status: file.status(), counts: file.counts };
        let (before, now) = (before.map(state), now.map(state));
        let standing = |state: Option<FileState>| Standing::of(state.map(|state| state.status));
        Some(Self {
            file: &known.file,
            shown: &known.shown,
            before,
            now,
            change: FileChange::of(standing(before), standing(now)).but_for(&matched.records),
            identity: matched.identity,
            doubt: matched.doubt,
            records: matched.records,
            account: matched.account,
            left_out: matched.left_out,
        })
    }

    /// Whether the file is in both runs.
    pub fn is_common(&self) -> bool {
        self.before.is_some() && self.now.is_some()
    }

    /// Whether it passed and does not any more. A changed file may have failures that are new, but nothing shows that its old
    /// records still pass; only what the user had left out before says nothing of them.
    pub fn has_fallen(&self) -> bool {
        let standing = |state: Option<FileState>| Standing::of(state.map(|state| state.status));
        let left_out = |record: &RecordDiff<'_>| record.change == RecordChange::NewFailure(Why::LeftOut);
        (standing(self.before), standing(self.now)) == (Standing::Passed, Standing::Bad)
            && (self.change == FileChange::Regressed || !self.records.iter().all(left_out))
    }

    /// Whether it has not passed in either run, and ended in two ways: failed and now crashed, for instance.
    pub fn ends_otherwise(&self) -> bool {
        let status = |state: Option<FileState>| state.map(|state| state.status);
        self.change == FileChange::StillFailing && status(self.before) != status(self.now)
    }

    /// The records with this change.
    pub fn with(&self, wanted: impl Fn(RecordChange) -> bool) -> impl Iterator<Item = &RecordDiff<'r>> {
        self.records.iter().filter(move |record| wanted(record.change))
    }

    /// So many records, at least, passed and do not any more without being on the list of failing ones, though the file
    /// was run: they were not reached, or the file has changed and has fewer that pass without having fewer records. What the
    /// user has left out is not lost.
    pub fn lost(&self) -> u64 {
        let (Some(before), Some(now)) = (self.before, self.now) else { return 0 };
        if self.doubt != Some(Why::FileChanged) {
            return self.account.newly_untested.saturating_sub(self.left_out);
        }
        let fewer = self.account.unmatched_before.saturating_sub(self.account.unmatched_now);
        fewer.saturating_sub(before.counts.total.saturating_sub(now.counts.total))
    }
}

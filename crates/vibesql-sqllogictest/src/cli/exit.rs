//! Exit codes, and the code of a run.

use std::collections::BTreeSet;

use slt_core::outcome::{Fault, FileEnd, FileProblem, FileReport, FileStatus, FlakyResult};

/// The reason for which the process ends, the least severe first; docs/exit-codes.md describes the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ExitReason {
    /// All good.
    Success,
    /// There was nothing to do.
    NothingSelected,
    /// A record has not passed.
    TestsFailed,
    /// A file or a record that had passed does not pass any more.
    Regressed,
    /// Wrong arguments, or unreadable input.
    Usage,
    /// The run did not finish.
    Incomplete,
    /// The engine could not be opened.
    EngineUnavailable,
    /// The system refused a thread, a process, memory or an open file.
    System,
    /// A bug of this program.
    Internal,
}

impl ExitReason {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::TestsFailed => 1,
            Self::Usage => 2,
            Self::NothingSelected => 3,
            Self::Regressed => 4,
            Self::Incomplete => 5,
            Self::EngineUnavailable => 6,
            Self::Internal => 70,
            Self::System => 71,
        }
    }

    /// Returns the reason of another process of this program, which has ended with this code.
    pub(super) fn from_code(code: i32) -> Self {
        let all = [
            Self::Success,
            Self::NothingSelected,
            Self::TestsFailed,
            Self::Regressed,
            Self::Usage,
            Self::Incomplete,
            Self::EngineUnavailable,
            Self::System,
        ];
        all.into_iter().find(|reason| i32::from(reason.code()) == code).unwrap_or(Self::Internal)
    }

    /// Returns the reason of a comparison of two runs with `common` files in common.
    pub(super) fn from_comparison(regressed: bool, common: u64) -> Self {
        match (regressed, common) {
            (true, _) => Self::Regressed,
            (false, 0) => Self::NothingSelected,
            (false, _) => Self::Success,
        }
    }
}

/// Rules for files without a failing record.
#[derive(Debug, Clone, Copy)]
pub(super) struct VerdictRules {
    /// Files in which nothing is executed fail.
    pub(super) fail_on_empty: bool,
    /// The result of flaky files.
    pub(super) flaky: FlakyResult,
}

/// Returns the reason after these files; [`ExitReason::NothingSelected`] if nothing was executed. The failures of the files
/// with indices in `expected` do not count.
pub(super) fn exit_reason(
    files: &[FileReport],
    expected: &BTreeSet<usize>,
    rules: VerdictRules,
) -> ExitReason {
    let executed: u64 = files.iter().map(|file| file.counts.executed).sum();
    let start = if executed == 0 { ExitReason::NothingSelected } else { ExitReason::Success };
    let counted = files.iter().enumerate().filter(|(place, _)| !expected.contains(place));
    counted.map(|(_, file)| file_reason(file, rules)).fold(start, ExitReason::max)
}

/// | file | reason |
/// |---|---|
/// | cannot be read, or names an unknown dialect | usage |
/// | engine does not open | engine unavailable |
/// | engine or worker lost during the file | incomplete |
/// | over the limit of time or memory | tests failed |
/// | malformed records | usage |
/// | any other record that has not passed | tests failed |
/// | nothing executed | success, or tests failed with `--fail-on-empty` |
/// | flaky, but passed in the end | success, or tests failed with `--flaky fail` |
fn file_reason(file: &FileReport, rules: VerdictRules) -> ExitReason {
    let end = match &file.end {
        FileEnd::NotStarted(FileProblem::Unreadable(_) | FileProblem::Dialect(_)) => ExitReason::Usage,
        FileEnd::NotStarted(FileProblem::Engine(_)) => ExitReason::EngineUnavailable,
        FileEnd::Faulted { fault: Fault::Lost(_) | Fault::Died { .. }, .. }
        | FileEnd::NotStarted(FileProblem::Died(_) | FileProblem::Reported) => ExitReason::Incomplete,
        FileEnd::NotStarted(FileProblem::TimedOut | FileProblem::OutOfMemory { .. })
        | FileEnd::TimedOut { .. }
        | FileEnd::Faulted { .. } => ExitReason::TestsFailed,
        FileEnd::Completed
        | FileEnd::Halted { .. }
        | FileEnd::AtFailure { .. }
        | FileEnd::Malformed { .. } => ExitReason::Success,
    };
    let records = if file.counts.malformed > 0 {
        ExitReason::Usage
    } else if file.counts.not_passed() > 0
        || (rules.fail_on_empty && file.status() == FileStatus::Empty)
        || (rules.flaky == FlakyResult::Fail && file.status() == FileStatus::Flaky)
    {
        ExitReason::TestsFailed
    } else {
        ExitReason::Success
    };
    end.max(records)
}

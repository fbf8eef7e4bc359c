//! What became of one file.

use std::time::Duration;

use super::counts::Counts;
use super::fault::{ExitHow, Fault, bytes};
use super::group::FailureGroup;
use super::name::{LeftOut, RecordId};
use super::record::{DetailedFailure, FailingRecord};
use crate::location::FileId;
use crate::parser::Lint;

/// The outcomes of a file, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// The identity of the file.
    pub file: FileId,
    /// What messages call the file: a path that can be typed again.
    pub shown: String,
    /// The account.
    pub counts: Counts,
    /// All records that have not passed, in the order of their execution.
    pub failures: Vec<FailingRecord>,
    /// The groups of those that look alike, in the order of their first records.
    pub groups: Vec<FailureGroup>,
    /// Where only one record is judged: the records before it that did not do what they should.
    pub setup_failures: Vec<FailingRecord>,
    /// The records that the user has left out, in the order of their lines. They are among the skipped ones.
    pub left_out: Vec<LeftOut>,
    /// A digest of the SQL and the conditions of all its records: two runs with the same had the same records. Unknown where
    /// an older version of this program, or another program, has written the report.
    pub records: Option<u64>,
    /// What is legal but odd.
    pub lints: Vec<Lint>,
    /// How the file ended.
    pub end: FileEnd,
    /// How long it took; 0 where another program has made the report and does not say it.
    pub elapsed: Duration,
    /// The most memory that its process had in use while it ran, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// The part of the time that the engine took.
    pub engine_time: Option<Duration>,
    /// The slowest records, the slowest first; those that took no time worth telling are left out.
    pub slowest: Vec<SlowRecord>,
    /// When the result was known, in milliseconds since 1970 in UTC.
    pub finished: Option<i64>,
    /// What else became of the file, where it was run more than once: by `--retries`, or by `--repeat`.
    pub attempts: Vec<Attempt>,
}

/// A record that took long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowRecord {
    /// Where it is.
    pub id: RecordId,
    /// How long the engine took.
    pub elapsed: Duration,
    /// The SQL, or its beginning.
    pub sql: String,
}

/// A run of a file besides the one that its report tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// How it ended, in one word.
    pub status: FileStatus,
    /// How long it took.
    pub elapsed: Duration,
    /// The first record that had not passed, if its details are known.
    pub first: Option<FailingRecord>,
}

/// Attempts by file.
pub type FileAttempts = std::collections::BTreeMap<FileId, Vec<Attempt>>;

/// How the execution of a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEnd {
    /// All records were reached.
    Completed,
    /// A `halt`.
    Halted {
        /// Where it is.
        id: RecordId,
    },
    /// A malformed record behind which the dialect does not read on.
    Malformed {
        /// Where it is.
        id: RecordId,
    },
    /// Over the time limit of a file.
    TimedOut {
        /// The record in flight, if there was one.
        id: Option<RecordId>,
    },
    /// A fault after which the session was of no further use.
    Faulted {
        /// The record in flight, if there was one.
        id: Option<RecordId>,
        /// What broke.
        fault: Fault,
    },
    /// Nothing was executed.
    NotStarted(FileProblem),
}

impl FileEnd {
    /// The status of a file that ended so, with this account.
    ///
    /// | end         | not passed       | executed | status   |
    /// |-------------|------------------|----------|----------|
    /// | not started |                  |          | Error, or Crashed, TimedOut or OutOfMemory if it was the worker |
    /// | timed out   |                  |          | TimedOut |
    /// | faulted     |                  |          | Crashed, or OutOfMemory |
    /// | any other   | some timed out   |          | TimedOut |
    /// | any other   | some             |          | Failed   |
    /// | any other   | none             | none     | Empty    |
    /// | any other   | none             | some     | Passed   |
    pub fn status(&self, counts: &Counts) -> FileStatus {
        match self {
            Self::NotStarted(FileProblem::TimedOut) | Self::TimedOut { .. } => FileStatus::TimedOut,
            Self::NotStarted(FileProblem::Died(_)) => FileStatus::Crashed,
            Self::NotStarted(FileProblem::OutOfMemory { .. })
            | Self::Faulted { fault: Fault::OutOfMemory { .. }, .. } => FileStatus::OutOfMemory,
            Self::NotStarted(_) => FileStatus::Error,
            Self::Faulted { .. } => FileStatus::Crashed,
            Self::Completed | Self::Halted { .. } | Self::Malformed { .. } => {
                if counts.timed_out > 0 {
                    FileStatus::TimedOut
                } else if counts.not_passed() > 0 {
                    FileStatus::Failed
                } else if counts.executed == 0 {
                    FileStatus::Empty
                } else {
                    FileStatus::Passed
                }
            }
        }
    }
}

/// Why a file could not even be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// The file could not be read.
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    /// The file names a dialect that there is not.
    #[error("{0}")]
    Dialect(String),
    /// The process that was to run the file came to an end before its first record.
    #[error("the worker process {0} before the first record")]
    Died(ExitHow),
    /// The time limit was over before the first record.
    #[error("over the time limit before the first record")]
    TimedOut,
    /// The memory limit was exceeded before the first record.
    #[error("{} of memory in use before the first record, and {} allowed", bytes(*.used), bytes(*.limit))]
    OutOfMemory {
        /// The bytes that the process had in memory.
        used: u64,
        /// The bytes that it may have.
        limit: u64,
    },
    /// The engine could not be opened.
    #[error("the engine cannot be opened: {0}")]
    Engine(String),
    /// Another tool says so.
    #[error("an error, as another tool reports")]
    Reported,
}

/// What a flaky file counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlakyResult {
    /// It passed, if it passed in the end.
    #[default]
    Pass,
    /// It failed.
    Fail,
}

impl FlakyResult {
    /// The word for it, on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// A file's result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileStatus {
    /// Something was executed and all of it passed; no record is malformed, unsupported or lost.
    Passed,
    /// At least one record failed, or is malformed or unsupported.
    Failed,
    /// A record or the file took longer than it may.
    TimedOut,
    /// Nothing was executed.
    Empty,
    /// It has passed, and has not passed, without anything having changed.
    Flaky,
    /// The engine panicked or was lost in mid-file.
    Crashed,
    /// Its process took more memory than it may.
    OutOfMemory,
    /// The file could not be started.
    Error,
}

impl FileStatus {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::Failed,
        Self::TimedOut,
        Self::Empty,
        Self::Flaky,
        Self::Crashed,
        Self::OutOfMemory,
        Self::Error,
    ];

    /// The word for it in reports for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Empty => "empty",
            Self::Flaky => "flaky",
            Self::Crashed => "crashed",
            Self::OutOfMemory => "out_of_memory",
            Self::Error => "error",
        }
    }

    /// The word for it in text for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Passed => "PASS",
            Self::Failed => "FAIL",
            Self::TimedOut => "TIMEOUT",
            Self::Empty => "EMPTY",
            Self::Flaky => "FLAKY",
            Self::Crashed => "CRASH",
            Self::OutOfMemory => "OOM",
            Self::Error => "ERROR",
        }
    }

    /// Returns the status that reports for machines call so.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// The status of a file that ended so, and at other times so.
    pub fn among(self, mut others: impl Iterator<Item = Self>) -> Self {
        if others.any(|other| other.is_good() != self.is_good()) { Self::Flaky } else { self }
    }

    /// Whether nothing is wrong with a file that ended so.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Empty)
    }
}

impl FileReport {
    /// The report of a file of which nothing is known yet but what it is called.
    pub fn new(file: impl Into<FileId>, end: FileEnd) -> Self {
        let file = file.into();
        Self {
            shown: file.path().to_owned(),
            file,
            counts: Counts::default(),
            failures: Vec::new(),
            groups: Vec::new(),
            setup_failures: Vec::new(),
            left_out: Vec::new(),
            records: None,
            lints: Vec::new(),
            end,
            elapsed: Duration::ZERO,
            peak_memory: None,
            engine_time: None,
            slowest: Vec::new(),
            finished: None,
            attempts: Vec::new(),
        }
    }

    /// Sums the file up in one word: [`FileReport::last_status`], unless the file was run more than once and ended
    /// well at one time and not at another.
    pub fn status(&self) -> FileStatus {
        self.last_status().among(self.attempts.iter().map(|attempt| attempt.status))
    }

    /// Sums up in one word the run of the file that this report tells of.
    pub fn last_status(&self) -> FileStatus {
        self.end.status(&self.counts)
    }

    /// Whether the file counts as passed or empty in the end.
    ///
    /// | last attempt | other attempts | `flaky` | good |
    /// |---|---|---|---|
    /// | not good | any | any | no |
    /// | good | all good, or none | any | yes |
    /// | good | some not good | pass | yes |
    /// | good | some not good | fail | no |
    pub fn is_good(&self, flaky: FlakyResult) -> bool {
        self.last_status().is_good() && (flaky == FlakyResult::Pass || self.status().is_good())
    }

    /// The failing records of which the details are known.
    pub fn details(&self) -> impl Iterator<Item = DetailedFailure<'_>> {
        self.failures.iter().filter_map(FailingRecord::detailed)
    }

    /// How many of the failing records have no details.
    pub fn details_omitted(&self) -> u64 {
        self.failures.iter().filter(|record| record.detail.is_none()).count() as u64
    }

    /// The group of a failing record, if it is known.
    pub fn group_of(&self, record: &FailingRecord) -> Option<&FailureGroup> {
        self.groups.get(record.group? as usize)
    }

    /// How a record failed, see [`Problem::word`](super::Problem::word), if it is known.
    pub fn kind_of<'r>(&'r self, record: &'r FailingRecord) -> Option<&'r str> {
        let kind = self.group_of(record).map(|group| group.kind.as_str());
        kind.or_else(|| record.detailed().map(|detailed| detailed.problem.word()))
    }

    /// Whether the key of each failing record is known.
    pub fn has_keys(&self) -> bool {
        self.failures.iter().all(|record| record.key.is_some())
    }

    /// The category of the file, see [`category_of`].
    pub fn category(&self) -> &str {
        category_of(self.file.path())
    }

    /// The second folder of the path, or `root`.
    pub fn subcategory(&self) -> &str {
        subcategory_of(self.file.path())
    }
}

/// The category of a file: the first folder of its path, or `select` for SQLite's `select1.test` and its like, or
/// `other` for any further file outside of a folder.
pub fn category_of(file: &str) -> &str {
    match file.split_once('/') {
        Some((folder, _)) => folder,
        None if file.starts_with("select") => "select",
        None => "other",
    }
}

/// The second folder of the path of a file, or `root`.
pub fn subcategory_of(file: &str) -> &str {
    let mut parts = file.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some(folder), Some(_)) => folder,
        _ => "root",
    }
}

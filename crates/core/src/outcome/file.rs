//! The results of one file.

use std::time::Duration;

use super::counts::Counts;
use super::fault::{ExitHow, Fault, bytes};
use super::group::FailureGroup;
use super::name::{RecordId, RecordRef};
use super::record::{DetailedFailure, FailingRecord};
use super::times::StatementTimes;
use crate::location::FileId;
use crate::parser::Lint;

/// The result of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// The identity of the file.
    pub file: FileId,
    /// The path of the file in messages, which can be typed again.
    pub shown: String,
    /// The dialect that it was read in; `None` if it was not read, or if another program wrote the report.
    pub dialect: Option<String>,
    /// The counts of records.
    pub counts: Counts,
    /// All records that have not passed, in the order of their execution.
    pub failures: Vec<FailingRecord>,
    /// The groups of those that look alike, in the order of their first records.
    pub groups: Vec<FailureGroup>,
    /// If only one record is judged: the failing records before it.
    pub setup_failures: Vec<FailingRecord>,
    /// The records excluded by the user, in the order of their lines. They count as skipped.
    pub left_out: Vec<RecordRef>,
    /// A digest of the SQL and the conditions of all its records; equal digests mean equal records. `None` if another
    /// program wrote the report.
    pub records: Option<u64>,
    /// Warnings about valid but suspicious text.
    pub lints: Vec<Lint>,
    /// What was missing for the rest of the file, which was skipped.
    pub missing: Option<MissingRequirement>,
    /// The end of the execution.
    pub end: FileEnd,
    /// The duration; 0 if another program wrote the report without it.
    pub elapsed: Duration,
    /// The peak memory use of its process in bytes, if the system reports it.
    pub peak_memory: Option<u64>,
    /// The time spent in the engine.
    pub engine_time: Option<Duration>,
    /// The slowest records, the slowest first, without fast ones.
    pub slowest: Vec<SlowRecord>,
    /// The time of each executed record in the engine, by kind of statement.
    pub times: StatementTimes,
    /// The time of the result, in milliseconds since 1970 in UTC.
    pub finished: Option<i64>,
    /// The end of what was written to standard error while the file was running, if it has not passed.
    pub stderr: Option<String>,
    /// The other runs of the file, by `--retries` or `--repeat`.
    pub attempts: Vec<Attempt>,
}

/// Something that a file requires and the engine or the machine does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRequirement {
    /// The record after which records were skipped.
    pub id: RecordId,
    /// What is missing.
    pub what: String,
}

/// A slow record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowRecord {
    /// The place of the record.
    pub id: RecordId,
    /// The time spent in the engine.
    pub elapsed: Duration,
    /// The SQL, or its beginning.
    pub sql: String,
}

/// A run of a file in addition to the one in its report.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The status.
    pub status: FileStatus,
    /// The duration.
    pub elapsed: Duration,
    /// The first failing record with known details.
    pub first: Option<FailingRecord>,
}

/// Attempts by file.
pub type FileAttempts = std::collections::BTreeMap<FileId, Vec<Attempt>>;

/// The end of the execution of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEnd {
    /// All records were reached.
    Completed,
    /// A `halt`.
    Halted {
        /// The place of the record.
        id: RecordId,
    },
    /// The first failing record, at which the dialect stops reading.
    AtFailure {
        /// The place of the record.
        id: RecordId,
    },
    /// A malformed record at which the dialect stops reading.
    Malformed {
        /// The place of the record.
        id: RecordId,
    },
    /// Over the time limit of a file.
    TimedOut {
        /// The record in flight, if there was one.
        id: Option<RecordId>,
    },
    /// A fault after which the session could not be used.
    Faulted {
        /// The record in flight, if there was one.
        id: Option<RecordId>,
        /// The fault.
        fault: Fault,
    },
    /// Nothing was executed.
    NotStarted(FileProblem),
}

impl FileEnd {
    /// Returns the status of a file with this end and these counts.
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
            Self::Completed | Self::Halted { .. } | Self::AtFailure { .. } | Self::Malformed { .. } => {
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

impl FileEnd {
    /// Returns the status of a file. A file that lacks a requirement is skipped, even if records before it have passed.
    pub(super) fn status_with(&self, counts: &Counts, missing: Option<&MissingRequirement>) -> FileStatus {
        match self.status(counts) {
            FileStatus::Passed if missing.is_some() => FileStatus::Empty,
            status => status,
        }
    }
}

/// The reason why a file could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// The file could not be read.
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    /// The file is in an unknown dialect, or mixes dialects.
    #[error("{0}")]
    Dialect(String),
    /// The worker process exited before the first record.
    #[error("the worker process {0} before the first record")]
    Died(ExitHow),
    /// The time limit was exceeded before the first record.
    #[error("over the time limit before the first record")]
    TimedOut,
    /// The memory limit was exceeded before the first record.
    #[error("{} of memory in use before the first record, and {} allowed", bytes(*.used), bytes(*.limit))]
    OutOfMemory {
        /// The bytes in use.
        used: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The engine could not be opened.
    #[error("the engine cannot be opened: {0}")]
    Engine(String),
    /// Another tool reports an error.
    #[error("an error, as another tool reports")]
    Reported,
}

/// The result that a flaky file counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlakyResult {
    /// Passed, if its last attempt passed.
    #[default]
    Pass,
    /// Failed.
    Fail,
}

impl FlakyResult {
    /// Returns its name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// The status of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileStatus {
    /// Something was executed and all of it passed; no record is malformed, unsupported or lost.
    Passed,
    /// At least one record failed, or is malformed or unsupported.
    Failed,
    /// A record or the file exceeded its time limit.
    TimedOut,
    /// Nothing was executed.
    Empty,
    /// It passed in some attempts and failed in others.
    Flaky,
    /// The engine panicked or was lost during the file.
    Crashed,
    /// Its process exceeded the memory limit.
    OutOfMemory,
    /// The file could not be started.
    Error,
}

impl FileStatus {
    /// All statuses.
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

    /// Returns its name in reports for machines.
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

    /// Returns its name in text for people.
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

    /// Returns the status with this name in reports for machines.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Returns the status of a file with this last status and these other ones.
    pub fn among(self, mut others: impl Iterator<Item = Self>) -> Self {
        if others.any(|other| other.is_good() != self.is_good()) { Self::Flaky } else { self }
    }

    /// Returns whether it is not a failure.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Empty)
    }
}

impl FileReport {
    /// Creates the report of a file without any results yet.
    pub fn new(file: impl Into<FileId>, end: FileEnd) -> Self {
        let file = file.into();
        Self {
            shown: file.path().to_owned(),
            file,
            dialect: None,
            counts: Counts::default(),
            failures: Vec::new(),
            groups: Vec::new(),
            setup_failures: Vec::new(),
            left_out: Vec::new(),
            records: None,
            lints: Vec::new(),
            missing: None,
            end,
            elapsed: Duration::ZERO,
            peak_memory: None,
            engine_time: None,
            slowest: Vec::new(),
            times: StatementTimes::default(),
            finished: None,
            stderr: None,
            attempts: Vec::new(),
        }
    }

    /// Returns the status over all attempts: [`FileReport::last_status`], or flaky if some attempts passed and others
    /// failed.
    pub fn status(&self) -> FileStatus {
        self.last_status().among(self.attempts.iter().map(|attempt| attempt.status))
    }

    /// Returns the status of the attempt in this report.
    pub fn last_status(&self) -> FileStatus {
        self.end.status_with(&self.counts, self.missing.as_ref())
    }

    /// Returns whether the file counts as passed or empty.
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

    /// Returns the failing records with known details.
    pub fn details(&self) -> impl Iterator<Item = DetailedFailure<'_>> {
        self.failures.iter().filter_map(FailingRecord::detailed)
    }

    /// Returns the number of failing records without details.
    pub fn details_omitted(&self) -> u64 {
        self.failures.iter().filter(|record| record.detail.is_none()).count() as u64
    }

    /// Returns the group of a failing record, if it is known.
    pub fn group_of(&self, record: &FailingRecord) -> Option<&FailureGroup> {
        self.groups.get(record.group? as usize)
    }

    /// Returns the kind of a failure, see [`Problem::word`](super::Problem::word), if it is known.
    pub fn kind_of<'r>(&'r self, record: &'r FailingRecord) -> Option<&'r str> {
        let kind = self.group_of(record).map(|group| group.kind.as_str());
        kind.or_else(|| record.detailed().map(|detailed| detailed.problem.word()))
    }

    /// Returns whether the key of each failing record is known.
    pub fn has_keys(&self) -> bool {
        self.failures.iter().all(|record| record.key.is_some())
    }

    /// Returns the category of the file, see [`category_of`].
    pub fn category(&self) -> &str {
        category_of(self.file.own_path())
    }

    /// Returns the second folder of the path, or `root`.
    pub fn subcategory(&self) -> &str {
        subcategory_of(self.file.own_path())
    }
}

/// Returns the category of a file: the first folder of its path, or `select` for files like SQLite's `select1.test`, or
/// `other` for any other file outside of a folder.
pub fn category_of(file: &str) -> &str {
    match file.split_once('/') {
        Some((folder, _)) => folder,
        None if file.starts_with("select") => "select",
        None => "other",
    }
}

/// Returns the second folder of the path of a file, or `root`.
pub fn subcategory_of(file: &str) -> &str {
    let mut parts = file.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some(folder), Some(_)) => folder,
        _ => "root",
    }
}

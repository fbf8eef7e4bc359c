//! A file in brief.

use std::time::Duration;

use super::counts::Counts;
use super::file::{FileEnd, FileReport, FileStatus, SlowRecord};
use super::name::{LeftOut, RecordId, RecordKey};
use crate::location::FileId;

/// What became of a file, without what was wrong in detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// The identity of the file.
    pub file: FileId,
    /// How long it took.
    pub elapsed: Duration,
    /// The account.
    pub counts: Counts,
    /// How the file ended.
    pub end: FileEnd,
    /// The records that have not passed.
    pub failures: Vec<FailureSummary>,
    /// The records that the user has left out.
    pub left_out: Vec<LeftOut>,
    /// The part of the time that the engine took.
    pub engine_time: Option<Duration>,
    /// The slowest records, the slowest first.
    pub slowest: Vec<SlowRecord>,
    /// When the result was known, in milliseconds since 1970 in UTC.
    pub finished: Option<i64>,
    /// How it ended at other times of the same run.
    pub attempts: Vec<FileStatus>,
}

/// A record that has not passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureSummary {
    /// Where it is.
    pub id: RecordId,
    /// Its key; unknown where another program has made the report.
    pub key: Option<RecordKey>,
}

impl FileSummary {
    /// How the file ended at the time that is told of.
    pub fn last_status(&self) -> FileStatus {
        self.end.status(&self.counts)
    }

    /// How the file ended, all times together.
    pub fn status(&self) -> FileStatus {
        self.last_status().among(self.attempts.iter().copied())
    }

    /// Whether the key of each failing record is known.
    pub fn has_keys(&self) -> bool {
        self.failures.iter().all(|record| record.key.is_some())
    }
}

impl From<&FileReport> for FileSummary {
    fn from(report: &FileReport) -> Self {
        let failures = report.failures.iter();
        Self {
            file: report.file.clone(),
            elapsed: report.elapsed,
            counts: report.counts,
            end: report.end.clone(),
            failures: failures
                .map(|record| FailureSummary { id: record.id.clone(), key: record.key })
                .collect(),
            left_out: report.left_out.clone(),
            engine_time: report.engine_time,
            slowest: report.slowest.clone(),
            finished: report.finished,
            attempts: report.attempts.iter().map(|attempt| attempt.status).collect(),
        }
    }
}

//! The summary of a file.

use std::time::Duration;

use super::counts::Counts;
use super::file::{FileEnd, FileReport, FileStatus, MissingRequirement, SlowRecord};
use super::name::RecordRef;
use crate::location::FileId;

/// The result of a file without details of failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// The identity of the file.
    pub file: FileId,
    /// The duration.
    pub elapsed: Duration,
    /// The counts of records.
    pub counts: Counts,
    /// What was missing for the rest of the file, which was skipped.
    pub missing: Option<MissingRequirement>,
    /// The end of the execution.
    pub end: FileEnd,
    /// The failing records.
    pub failures: Vec<RecordRef>,
    /// The records excluded by the user.
    pub left_out: Vec<RecordRef>,
    /// The time spent in the engine.
    pub engine_time: Option<Duration>,
    /// The slowest records, the slowest first.
    pub slowest: Vec<SlowRecord>,
    /// The time of the result, in milliseconds since 1970 in UTC.
    pub finished: Option<i64>,
    /// The statuses of other attempts in the same run.
    pub attempts: Vec<FileStatus>,
}

impl FileSummary {
    /// Returns the status of the last attempt.
    pub fn last_status(&self) -> FileStatus {
        self.end.status_with(&self.counts, self.missing.as_ref())
    }

    /// Returns the status over all attempts.
    pub fn status(&self) -> FileStatus {
        self.last_status().among(self.attempts.iter().copied())
    }

    /// Returns whether the key of each failing record is known.
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
            missing: report.missing.clone(),
            end: report.end.clone(),
            failures: failures.map(|record| RecordRef { id: record.id.clone(), key: record.key }).collect(),
            left_out: report.left_out.clone(),
            engine_time: report.engine_time,
            slowest: report.slowest.clone(),
            finished: report.finished,
            attempts: report.attempts.iter().map(|attempt| attempt.status).collect(),
        }
    }
}

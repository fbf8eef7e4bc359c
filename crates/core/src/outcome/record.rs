//! The outcome of a record.

use super::name::{RecordId, RecordKey, RecordName};
use super::problem::{Problem, UnhashedRows};

/// The outcome of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// The expectation was met.
    Passed,
    /// The record was left out.
    Skipped(SkipReason),
    /// The file ended before it.
    NotReached,
    /// The record has not passed.
    Failed(Problem),
}

impl RecordOutcome {
    /// Returns whether the engine executed the SQL of the record.
    pub fn was_executed(&self) -> bool {
        match self {
            Self::Passed => true,
            Self::Skipped(_) | Self::NotReached => false,
            Self::Failed(Problem::Malformed { executed, .. }) => *executed,
            Self::Failed(problem) => !matches!(problem, Problem::Unsupported(_) | Problem::NotAllowed(_)),
        }
    }
}

/// The reason why a record was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// A `skipif`, `onlyif` or `continue`.
    Condition,
    /// A `require`, or an error that the dialect takes for a missing service.
    Requirement,
    /// A `mode skip`.
    Mode,
    /// The user excluded it.
    LeftOut,
}

/// A record that has not passed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailingRecord {
    /// Its place.
    pub id: RecordId,
    /// Its key; unknown where another program has made the report.
    pub key: Option<RecordKey>,
    /// The place of its group among those of the file; unknown where another program has made the report.
    pub group: Option<u32>,
    /// The details; kept only for the first failing records of a file.
    pub detail: Option<Box<FailureDetail>>,
}

impl FailingRecord {
    /// Returns its best name: the key if it is known, else the line.
    pub fn name(&self) -> RecordName {
        self.key.map_or(RecordName::Line(self.id.line), |key| RecordName::Key(key.0))
    }
}

/// Everything needed to show and repeat a record that has not passed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureDetail {
    /// The header line as it stands in the file.
    pub header: String,
    /// The SQL.
    pub sql: String,
    /// The problem.
    pub problem: Problem,
    /// For a wrong hash: the rows of both sides, if another engine returned the expected ones.
    pub unhashed: Option<UnhashedRows>,
}

/// A failing record with its details.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetailedFailure<'r> {
    /// The place of the record.
    pub id: &'r RecordId,
    /// The header line as it stands in the file.
    pub header: &'r str,
    /// The SQL.
    pub sql: &'r str,
    /// The problem.
    pub problem: &'r Problem,
    /// For a wrong hash: the rows of both sides, if another engine returned the expected ones.
    pub unhashed: Option<&'r UnhashedRows>,
}

impl FailingRecord {
    /// Creates the record of another program's report, without key and group.
    pub fn from_other_tool(id: RecordId, detail: Option<FailureDetail>) -> Self {
        Self { id, key: None, group: None, detail: detail.map(Box::new) }
    }

    /// Returns the record with its details, if they are known.
    pub fn detailed(&self) -> Option<DetailedFailure<'_>> {
        let FailureDetail { header, sql, problem, unhashed } = self.detail.as_deref()?;
        Some(DetailedFailure { id: &self.id, header, sql, problem, unhashed: unhashed.as_ref() })
    }
}

//! What became of one record.

use super::name::{RecordId, RecordKey, RecordName};
use super::problem::{Problem, UnhashedRows};

/// What became of a record: exactly one of these.
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
    /// Whether the engine executed the SQL of the record.
    pub fn was_executed(&self) -> bool {
        match self {
            Self::Passed => true,
            Self::Skipped(_) | Self::NotReached => false,
            Self::Failed(Problem::Malformed { executed, .. }) => *executed,
            Self::Failed(problem) => !matches!(problem, Problem::Unsupported(_)),
        }
    }
}

/// Why a record was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// A `skipif` or `onlyif`.
    Condition,
    /// The user has left it out.
    LeftOut,
}

/// A record that has not passed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailingRecord {
    /// Where it is.
    pub id: RecordId,
    /// Its key; unknown where another program has made the report.
    pub key: Option<RecordKey>,
    /// The place of its group among those of the file; unknown where another program has made the report.
    pub group: Option<u32>,
    /// What happened; kept of the first records of a file, since a file may have any number of failing ones.
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
    /// What happened.
    pub problem: Problem,
    /// For a hash that differs: the rows, where another engine could give the expected ones.
    pub unhashed: Option<UnhashedRows>,
}

/// A failing record of which the details are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetailedFailure<'r> {
    /// Where the record is.
    pub id: &'r RecordId,
    /// The header line as it stands in the file.
    pub header: &'r str,
    /// The SQL.
    pub sql: &'r str,
    /// What happened.
    pub problem: &'r Problem,
    /// For a hash that differs: the rows, where another engine could give the expected ones.
    pub unhashed: Option<&'r UnhashedRows>,
}

impl FailingRecord {
    /// A record of which another program tells: neither its key nor its group is known.
    pub fn of_other_tool(id: RecordId, detail: Option<FailureDetail>) -> Self {
        Self { id, key: None, group: None, detail: detail.map(Box::new) }
    }

    /// The record with its details, if they are known.
    pub fn detailed(&self) -> Option<DetailedFailure<'_>> {
        let FailureDetail { header, sql, problem, unhashed } = self.detail.as_deref()?;
        Some(DetailedFailure { id: &self.id, header, sql, problem, unhashed: unhashed.as_ref() })
    }
}

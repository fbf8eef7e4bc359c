//! What is wrong with a record that has not passed.

use std::time::Duration;

use super::digest::Digest;
use super::fault::Fault;
use super::name::RecordId;
use crate::engine::SqlError;
use crate::parser::{HashLine, ParseError};

/// What keeps a record from having passed.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// Another result than expected.
    Mismatch(Mismatch),
    /// An error where success, or a result, was expected.
    UnexpectedError {
        /// What the engine said.
        error: SqlError,
        /// Whether the engine had begun to return rows, which the SQLite runner takes for the end of the rows.
        after_rows: bool,
    },
    /// Success where an error was expected.
    UnexpectedSuccess,
    /// The text of the record is wrong.
    Malformed {
        /// What is wrong.
        error: ParseError,
        /// Whether the SQL was executed all the same.
        executed: bool,
    },
    /// The engine's adapter has no way to execute it.
    Unsupported(String),
    /// The record took longer than it may.
    TimedOut {
        /// How long it had been running when it was stopped.
        after: Duration,
    },
    /// Runner or engine broke while executing it.
    Fault(Fault),
    /// Another tool says that it has not passed, and this; nothing else is known.
    Reported(String),
}

/// How a result differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Other values, or another number of them, than the file lists.
    Rows {
        /// The expected values.
        expected: Excerpt,
        /// The values of the engine.
        actual: Excerpt,
        /// The values that make a row.
        columns: usize,
    },
    /// Another digest or another number of values than the file says.
    Hash {
        /// The line of the file.
        expected: HashLine,
        /// The line that the engine's values make.
        actual: HashLine,
        /// The engine's values.
        rows: Excerpt,
        /// The values that make a row.
        columns: usize,
    },
    /// The values fit, but the file lists what the threshold hashes, or the reverse (`--exact` only).
    Presentation {
        /// What the reference runner would want to read.
        wanted: String,
    },
    /// Another number of columns than there are type letters.
    ColumnCount {
        /// The number of type letters.
        expected: usize,
        /// The number of columns; 0 for SQL that has no result.
        actual: usize,
    },
    /// Another result than an earlier query with the same label.
    Label(Box<LabelMismatch>),
}

/// A result that differs from the first one of its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMismatch {
    /// The label.
    pub label: String,
    /// The query that had the label first.
    pub first: RecordId,
    /// The digest of that query's values.
    pub first_digest: Digest,
    /// The digest of this query's values.
    pub digest: Digest,
    /// The values of this query.
    pub rows: Excerpt,
    /// The values that make a row.
    pub columns: usize,
}

/// Some of the values of a result, owned, for showing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// How many values there are in front of the ones given.
    pub omitted_before: u64,
    /// Values in order.
    pub values: Vec<String>,
    /// How many values there are behind the ones given.
    pub omitted_after: u64,
}

impl Excerpt {
    /// How many values the whole result has.
    pub fn total(&self) -> u64 {
        self.omitted_before + self.values.len() as u64 + self.omitted_after
    }
}

/// The rows behind a hash, had from the reference engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnhashedRows {
    /// Who gave them.
    pub engine: String,
    /// The rows, which hash to the expected digest.
    pub expected: Excerpt,
    /// The rows of the engine under test, from the same place on.
    pub actual: Excerpt,
}

impl Problem {
    /// Returns how long the record had been running when it was ended, where it did not end by itself.
    pub fn in_flight(&self) -> Option<Duration> {
        match self {
            Self::TimedOut { after } => Some(*after),
            Self::Fault(Fault::Died { after, .. } | Fault::OutOfMemory { after, .. }) => *after,
            _ => None,
        }
    }

    /// Returns the word for it in reports for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mismatch(mismatch) => match mismatch {
                Mismatch::Rows { .. } => "rows_differ",
                Mismatch::Hash { .. } => "hash_differs",
                Mismatch::Presentation { .. } => "presentation_differs",
                Mismatch::ColumnCount { .. } => "column_count_differs",
                Mismatch::Label(_) => "label_differs",
            },
            Self::UnexpectedError { .. } => "unexpected_error",
            Self::UnexpectedSuccess => "unexpected_success",
            Self::Unsupported(_) => "unsupported",
            Self::TimedOut { .. } => "timed_out",
            Self::Malformed { .. } => "malformed",
            Self::Fault(Fault::Panicked(_)) => "engine_panicked",
            Self::Fault(Fault::Lost(_)) => "engine_lost",
            Self::Fault(Fault::Died { .. }) => "process_died",
            Self::Fault(Fault::OutOfMemory { .. }) => "out_of_memory",
            Self::Fault(Fault::Adapter(_)) => "adapter_fault",
            Self::Reported(_) => "reported",
        }
    }
}

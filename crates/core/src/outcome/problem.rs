//! The problems of failing records.

use std::time::Duration;

use super::digest::Digest;
use super::fault::Fault;
use super::name::RecordId;
use crate::engine::SqlError;
use crate::parser::{HashLine, ParseError};

/// The reason why a record failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// Another result than expected.
    Mismatch(Mismatch),
    /// An error where success, or a result, was expected.
    UnexpectedError {
        /// The error of the engine.
        error: SqlError,
        /// Whether the engine had returned rows before; the SQLite runner treats this as the end of the rows.
        after_rows: bool,
    },
    /// Success where an error was expected.
    UnexpectedSuccess,
    /// The text of the record is wrong.
    Malformed {
        /// The defect.
        error: ParseError,
        /// Whether the SQL was executed all the same.
        executed: bool,
    },
    /// The engine's adapter cannot execute it.
    Unsupported(String),
    /// The user has not allowed what it needs besides the engine: a shell, or files outside of the suite.
    NotAllowed(String),
    /// The record exceeded its time limit.
    TimedOut {
        /// The elapsed time when it was stopped.
        after: Duration,
    },
    /// Runner or engine broke while executing it.
    Fault(Fault),
    /// The message of another tool; nothing else is known.
    Reported(String),
}

/// A difference between the expected and the actual result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Other values, or another number of them, than the file lists.
    Rows {
        /// The expected values.
        expected: Excerpt,
        /// The values of the engine.
        actual: Excerpt,
        /// The number of values per row.
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
        /// The number of values per row.
        columns: usize,
    },
    /// The values match, but the file lists values above the hash threshold, or the reverse (`--exact` only).
    Presentation {
        /// The text that the reference runner expects.
        wanted: String,
    },
    /// Another number of columns than there are type letters.
    ColumnCount {
        /// The number of type letters.
        expected: usize,
        /// The number of columns; 0 for SQL without a result.
        actual: usize,
    },
    /// Another number of rows than the record needs.
    RowCount {
        /// The number that the record needs.
        expected: u64,
        /// The number that the engine has returned.
        actual: u64,
        /// The engine's values.
        rows: Excerpt,
        /// The number of values per row.
        columns: usize,
    },
    /// Another number of rows inserted, changed, deleted or returned by a statement.
    AffectedRows {
        /// The number in the file.
        expected: u64,
        /// The number that the engine tells.
        actual: u64,
    },
    /// A column of another type than its type letter.
    ColumnType {
        /// The number of the column, counted from 1.
        column: usize,
        /// The type letter.
        expected: char,
        /// The type that the engine tells, or the value.
        actual: String,
    },
    /// The values are right, but nothing makes sure of the order of the rows.
    UncertainOrder,
    /// Another error than the expected one.
    Error {
        /// The pattern or text of the file.
        expected: String,
        /// The error of the engine.
        actual: SqlError,
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
    /// The number of values per row.
    pub columns: usize,
}

/// A part of the values of a result, for display.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// The number of omitted values before them.
    pub omitted_before: u64,
    /// Values in order.
    pub values: Vec<String>,
    /// The number of omitted values after them.
    pub omitted_after: u64,
}

impl Excerpt {
    /// Returns the number of values of the whole result.
    pub fn total(&self) -> u64 {
        self.omitted_before + self.values.len() as u64 + self.omitted_after
    }
}

/// The rows behind a hash, from the reference engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnhashedRows {
    /// The name of the reference engine.
    pub engine: String,
    /// The rows, which hash to the expected digest.
    pub expected: Excerpt,
    /// The rows of the engine under test, from the same position.
    pub actual: Excerpt,
}

impl Problem {
    /// Returns the elapsed time of a record that was stopped.
    pub fn in_flight(&self) -> Option<Duration> {
        match self {
            Self::TimedOut { after } => Some(*after),
            Self::Fault(Fault::Died { after, .. } | Fault::OutOfMemory { after, .. }) => *after,
            _ => None,
        }
    }

    /// Returns its name in reports for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mismatch(mismatch) => match mismatch {
                Mismatch::Rows { .. } => "rows_differ",
                Mismatch::Hash { .. } => "hash_differs",
                Mismatch::Presentation { .. } => "presentation_differs",
                Mismatch::ColumnCount { .. } => "column_count_differs",
                Mismatch::RowCount { .. } => "row_count_differs",
                Mismatch::AffectedRows { .. } => "affected_rows_differ",
                Mismatch::ColumnType { .. } => "column_type_differs",
                Mismatch::UncertainOrder => "order_uncertain",
                Mismatch::Error { .. } => "error_differs",
                Mismatch::Label(_) => "label_differs",
            },
            Self::UnexpectedError { .. } => "unexpected_error",
            Self::UnexpectedSuccess => "unexpected_success",
            Self::Unsupported(_) => "unsupported",
            Self::NotAllowed(_) => "not_allowed",
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

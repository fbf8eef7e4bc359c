//! The outputs of records.

use std::error::Error;
use std::sync::Arc;

use crate::column_type::ColumnType;

/// An error of any kind, shared by an output and the error made of it.
pub(crate) type AnyError = Arc<dyn Error + Send + Sync>;

/// The output of a record.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RecordOutput<T: ColumnType> {
    /// Nothing: the record was skipped, or is of a kind without output.
    Nothing,
    /// The output of SQL that returned rows, or of a query that failed.
    Query {
        /// The types of the columns.
        types: Vec<T>,
        /// The rows in the order in which they are compared; or the hash line as the only one.
        rows: Vec<Vec<String>>,
        /// The error.
        error: Option<AnyError>,
    },
    /// The output of SQL without a result.
    Statement {
        /// The number of rows.
        count: u64,
        /// The error.
        error: Option<AnyError>,
    },
    /// The output of a command.
    #[non_exhaustive]
    System {
        /// The standard output, if it is compared.
        stdout: Option<String>,
        /// The error.
        error: Option<AnyError>,
    },
    /// The output of a `let`.
    #[non_exhaustive]
    Let {
        /// The values of the variables.
        values: Vec<String>,
        /// The error.
        error: Option<LetError>,
    },
}

/// Why a `let` failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LetError {
    /// The SQL failed or returned no rows.
    #[error("{0}")]
    Fail(AnyError),
    /// The query returned no row, or several.
    #[error("expected 1 row, got {actual}")]
    RowCountMismatch {
        /// The number of rows.
        actual: usize,
    },
    /// The query returned a different number of columns than there are variables.
    #[error("expected {expected} columns, got {actual}")]
    ColumnCountMismatch {
        /// The number of variables.
        expected: usize,
        /// The number of columns.
        actual: usize,
    },
}

/// SQL that should return rows, and returned none.
#[derive(Debug, thiserror::Error)]
#[error("expected query result, got statement completion")]
pub(super) struct NotAQueryError;

//! Why a test failed.

use std::error::Error;
use std::fmt;

use super::display::{ParallelTestErrorDisplay, TestErrorDisplay, TestErrorKindDisplay};
use super::output::{AnyError, LetError};
use crate::parser::{Location, ParseError, ParseErrorKind};

/// A failing record, or a file that cannot be parsed.
#[derive(Clone)]
pub struct TestError {
    // An error is seldom and large, and results are passed on often.
    inner: Box<(TestErrorKind, Location)>,
}

impl TestError {
    pub(super) fn new(kind: TestErrorKind, location: Location) -> Self {
        Self { inner: Box::new((kind, location)) }
    }

    /// Returns the error for output, with or without colours.
    pub fn display(&self, colorize: bool) -> TestErrorDisplay<'_> {
        let (kind, location) = &*self.inner;
        TestErrorDisplay { kind: kind.display(colorize), location }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> TestErrorKind {
        self.inner.0.clone()
    }

    /// Returns the line of the record.
    pub fn location(&self) -> Location {
        self.inner.1.clone()
    }
}

impl From<ParseError> for TestError {
    fn from(error: ParseError) -> Self {
        Self::new(TestErrorKind::ParseError(error.kind()), error.location())
    }
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(false))
    }
}

/// As text, so that `unwrap` in a test shows it.
impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(false))
    }
}

impl Error for TestError {}

/// The kind of a [`TestError`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TestErrorKind {
    /// The file is not in the format.
    ParseError(ParseErrorKind),
    /// SQL succeeded that should fail.
    Ok {
        /// The SQL.
        sql: String,
        /// The kind of the record.
        kind: RecordKind,
    },
    /// SQL failed that should succeed.
    Fail {
        /// The SQL.
        sql: String,
        /// The error.
        err: AnyError,
        /// The kind of the record.
        kind: RecordKind,
    },
    /// A command failed.
    SystemFail {
        /// The command.
        command: String,
        /// The error.
        err: AnyError,
    },
    /// A command wrote other text than expected.
    SystemStdoutMismatch {
        /// The command.
        command: String,
        /// The expected text.
        expected_stdout: String,
        /// The text.
        actual_stdout: String,
    },
    /// SQL failed with another error than expected.
    ErrorMismatch {
        /// The SQL.
        sql: String,
        /// The error.
        err: AnyError,
        /// The expected error.
        expected_err: String,
        /// The kind of the record.
        kind: RecordKind,
        /// The SQLSTATE of the error, if one is expected.
        actual_sqlstate: Option<String>,
    },
    /// A statement affected or returned another number of rows than expected.
    StatementResultMismatch {
        /// The SQL.
        sql: String,
        /// The expected number.
        expected: u64,
        /// The number, in words.
        actual: String,
    },
    /// A query returned other values than expected.
    QueryResultMismatch {
        /// The SQL.
        sql: String,
        /// The expected lines.
        expected: String,
        /// The rows as lines.
        actual: String,
    },
    /// A query returned columns of other types than expected.
    QueryResultColumnsMismatch {
        /// The SQL.
        sql: String,
        /// The expected letters.
        expected: String,
        /// The letters.
        actual: String,
    },
    /// A `let` failed.
    LetFail {
        /// The SQL.
        sql: String,
        /// The error.
        err: LetError,
    },
}

impl TestErrorKind {
    /// Returns the error for output, with or without colours.
    pub fn display(&self, colorize: bool) -> TestErrorKindDisplay<'_> {
        TestErrorKindDisplay { kind: self, colorize }
    }
}

impl fmt::Display for TestErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(false))
    }
}

impl Error for TestErrorKind {}

/// The kinds of records with SQL.
#[derive(Debug, Clone)]
pub enum RecordKind {
    /// A statement.
    Statement,
    /// A query.
    Query,
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Statement => "statement",
            Self::Query => "query",
        })
    }
}

/// The errors of files that ran at the same time.
#[derive(Debug, Clone)]
pub struct ParallelTestError {
    pub(super) errors: Vec<TestError>,
}

impl ParallelTestError {
    /// Returns the errors for output, with or without colours.
    pub fn display(&self, colorize: bool) -> ParallelTestErrorDisplay<'_> {
        ParallelTestErrorDisplay { errors: &self.errors, colorize }
    }
}

impl fmt::Display for ParallelTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(false))
    }
}

impl Error for ParallelTestError {}

//! Why a file cannot be parsed.

use super::Location;

/// Text that is not in the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse error at {location}: {kind}")]
pub struct ParseError {
    kind: ParseErrorKind,
    location: Location,
}

impl ParseError {
    pub(crate) fn new(kind: ParseErrorKind, location: Location) -> Self {
        Self { kind, location }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ParseErrorKind {
        self.kind.clone()
    }

    /// Returns the line of the error.
    pub fn location(&self) -> Location {
        self.location.clone()
    }
}

// The texts are those that programs and logs know from the original.
/// The kind of a [`ParseError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A word too many, or another word than the grammar has in its place.
    #[error("unexpected token: {0:?}")]
    UnexpectedToken(String),
    /// The file ends after a header.
    #[error("unexpected EOF")]
    UnexpectedEOF,
    /// An unknown mode after `control sortmode` or `control resultmode`.
    #[error("invalid sort mode: {0:?}")]
    InvalidSortMode(String),
    /// A line that begins no record.
    #[error("invalid line: {0:?}")]
    InvalidLine(String),
    /// A letter for which the column type has no value.
    #[error("invalid type character: {0:?} in type string")]
    InvalidType(char),
    /// A word in place of a number.
    #[error("invalid number: {0:?}")]
    InvalidNumber(String),
    /// A pattern of an error that is not a regular expression.
    #[error("invalid error message: {0:?}")]
    InvalidErrorMessage(String),
    /// A pattern in the header, and text after `----`.
    #[error("duplicated error messages after error` and under `----`")]
    DuplicatedErrorMessage,
    /// `retry` without a number of attempts and a time.
    #[error("invalid retry config: {0:?}")]
    InvalidRetryConfig(String),
    /// A statement with `----`.
    #[error("statement should have no result, use `query` instead")]
    StatementHasResults,
    /// A time without a unit or with an unknown one.
    #[error("invalid duration: {0:?}")]
    InvalidDuration(String),
    /// An unknown value of `control substitution`.
    #[error("invalid control: {0:?}")]
    InvalidControl(String),
    /// A pattern of files that is not a glob.
    #[error("invalid include file pattern: {0}")]
    InvalidIncludeFile(String),
    /// A pattern of files that matches none.
    #[error("no files found for include file pattern: {0:?}")]
    EmptyIncludeFile(String),
    /// The file does not exist.
    #[error("no such file")]
    FileNotFound,
    /// A name that is no variable.
    #[error("invalid variable name: {0:?}")]
    InvalidVariableName(String),
    /// A file that cannot be read, or is not UTF-8. The original panics.
    #[error("cannot read the file: {0}")]
    UnreadableFile(String),
    /// A file that includes itself, directly or through another. The original overflows its stack.
    #[error("cannot include `{0}`: it includes this file")]
    IncludeCycle(String),
}

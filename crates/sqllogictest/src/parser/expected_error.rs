//! The error that a record expects.

use std::fmt;

use regex::Regex;

/// The error that a record expects.
#[derive(Debug, Clone)]
pub enum ExpectedError {
    /// Any error.
    Empty,
    /// An error whose text contains a match of the pattern in the header.
    Inline(Regex),
    /// An error with exactly the text after `----`, without white space around both.
    Multiline(String),
    /// An error with this SQLSTATE.
    SqlState(String),
}

impl ExpectedError {
    /// Returns whether an error is expected.
    pub fn is_match(&self, err: &str, sqlstate: Option<&str>) -> bool {
        match self {
            Self::Empty => true,
            Self::Inline(pattern) => pattern.is_match(err),
            Self::Multiline(text) => text.trim() == err.trim(),
            Self::SqlState(code) => sqlstate == Some(code),
        }
    }

    /// Returns the expectation that an error meets. A text of one line becomes a pattern in the header, unless `reference`,
    /// the expectation until now, has its text after `----`.
    ///
    /// The parser reads the words of a header with one blank between them. So a text with other white space stands after
    /// `----`; the original writes a pattern that the same error does not match in the next run.
    pub fn from_actual_error(reference: Option<&Self>, actual_err: &str) -> Self {
        let text = actual_err.trim();
        let is_kept_by_header = text.split_whitespace().collect::<Vec<_>>().join(" ") == text;
        if matches!(reference, Some(Self::Multiline(_))) || !is_kept_by_header {
            return Self::Multiline(text.to_owned());
        }
        match Regex::new(&regex::escape(text)) {
            Ok(pattern) if !text.is_empty() => Self::Inline(pattern),
            _ => Self::Empty,
        }
    }

    /// Writes what follows the word `error` in a header.
    pub(super) fn write_in_header(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty | Self::Multiline(_) => Ok(()),
            Self::Inline(pattern) => write!(f, " {pattern}"),
            Self::SqlState(code) => write!(f, " ({code})"),
        }
    }

    /// Writes what follows the SQL.
    pub(super) fn write_after_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multiline(text) => write!(f, "----\n{text}\n\n"),
            Self::Empty | Self::Inline(_) | Self::SqlState(_) => Ok(()),
        }
    }
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("(any)"),
            Self::Inline(pattern) => write!(f, "(regex) {pattern}"),
            Self::Multiline(text) => write!(f, "(multiline) {text}"),
            Self::SqlState(code) => write!(f, "(sqlstate) {code}"),
        }
    }
}

impl PartialEq for ExpectedError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::Inline(own), Self::Inline(other)) => own.as_str() == other.as_str(),
            (Self::Multiline(own), Self::Multiline(other)) | (Self::SqlState(own), Self::SqlState(other)) => {
                own == other
            }
            _ => false,
        }
    }
}

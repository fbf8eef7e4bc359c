//! Dialects: one lexer and one grammar, configured by a [`Profile`].
//!
//! A dialect is a `const` of rules and record keywords. The same bytes can have opposite meanings in two dialects, so a
//! superset of all dialects cannot exist.

use std::borrow::Cow;

use crate::location::Source;

mod sqlite;

pub use sqlite::{SQLITE, SQLITE_EXACT};

/// The rules of one dialect.
#[derive(Debug)]
pub struct Profile {
    /// The dialect's name, as `--dialect` takes it.
    pub name: &'static str,
    /// The keywords of records.
    pub(super) directives: &'static [(&'static str, Directive)],
    /// The number of words read of a header; one more than the longest header has, if more are malformed.
    pub(super) header_words: usize,
    /// The number of bytes read of a word.
    pub(super) word_limit: usize,
    /// Whether a byte order mark is removed, or is part of the first word.
    pub(super) strips_byte_order_mark: bool,
    /// Whether text that no record uses is malformed, or silently skipped.
    pub refuses_unused_text: bool,
    /// The expectation of a query without `----`.
    pub(super) missing_separator: MissingSeparator,
    /// The hash threshold of a file that does not set one.
    pub default_threshold: u64,
    /// The rendering of values.
    pub renderer: Renderer,
    /// The comparison of a rendered result with its expectation.
    pub matcher: Matcher,
    /// The meaning of an error during a result.
    pub step_error: StepError,
    /// The number of significant bytes in a label.
    pub label_limits: LabelLimits,
}

impl Profile {
    /// Returns the kind of record that starts with `word`.
    pub(super) fn directive(&self, word: &[u8]) -> Option<Directive> {
        self.directives.iter().find(|(name, _)| name.as_bytes() == word).map(|(_, directive)| *directive)
    }
}

/// The kinds of records that a dialect can have; each has one function in the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Statement,
    Query,
    HashThreshold,
    Halt,
}

/// The expectation of a query without `----`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingSeparator {
    /// No rows, as the manual says.
    NoRows,
    /// The last line of its SQL as a value, as the runner does since November 2024.
    LastSqlLine,
}

/// The rendering of values, before they are sorted, compared and hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    /// The type letter converts the value, as SQLite's runner with its SQLite adapter does.
    SqliteLetters,
}

/// The comparison of a rendered result with its expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matcher {
    /// Each line is one value, compared byte for byte. The result is sorted, the expectation stands in its final order.
    ValuePerLine(Presentation),
}

/// Whether values must be listed or hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presentation {
    /// The shape of the expectation decides; a contradiction to the threshold is only suspicious.
    ByShape,
    /// The threshold decides: a fitting result in the other presentation is a failure.
    ByThreshold,
}

/// The meaning of an error after the first row, or while fetching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// The query failed.
    Fails,
    /// The rows so far are the result: a gap of the SQLite runner.
    EndsRows,
}

/// The number of significant bytes in a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelLimits {
    /// For an executed query.
    pub executed: usize,
    /// For a skipped query, whose expectation counts as its result.
    pub skipped: usize,
}

/// An unknown dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{found}`")]
pub struct UnknownDialect {
    /// The name that was asked for.
    pub found: String,
}

/// The names of all dialects.
pub const DIALECTS: &[&str] = &["sqlite"];

/// Returns the rules of the dialect called `name`, with the reference runner's gaps if `exact`.
///
/// # Errors
///
/// [`UnknownDialect`] for a name that is not in [`DIALECTS`].
pub fn profile(name: &str, exact: bool) -> Result<&'static Profile, UnknownDialect> {
    match (name, exact) {
        ("sqlite", false) => Ok(&SQLITE),
        ("sqlite", true) => Ok(&SQLITE_EXACT),
        _ => Err(UnknownDialect { found: name.to_owned() }),
    }
}

/// Chooses the dialect of a file: the requested one, else the one the file names, else SQLite's.
///
/// # Errors
///
/// [`UnknownDialect`] when the request or the file names an unknown dialect.
pub fn choose(
    source: &Source,
    request: Option<&str>,
    exact: bool,
) -> Result<&'static Profile, UnknownDialect> {
    let named = || named_in_comment(source.bytes()).map(String::from_utf8_lossy);
    let name = request.map(Cow::Borrowed).or_else(named);
    profile(name.as_deref().unwrap_or("sqlite"), exact)
}

/// The number of lines in which a file may name its dialect.
const COMMENT_LINES: usize = 20;

fn named_in_comment(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .split(|&byte| byte == b'\n')
        .take(COMMENT_LINES)
        .filter_map(|line| line.strip_prefix(b"#"))
        .find_map(|line| line.trim_ascii().strip_prefix(b"slt-dialect:"))
        .map(<[u8]>::trim_ascii)
}

//! Dialects: one lexer and one grammar, configured by a [`Profile`].
//!
//! A dialect is a `const` of rules and record keywords. The same bytes can have opposite meanings in two dialects, so a
//! superset of all dialects cannot exist. [`choose`] chooses the dialect of a file.

use std::borrow::Cow;

use super::grammar::Reader;
use super::lines::{Line, is_space};
use super::record::{Record, Script};
use crate::location::Source;

mod choice;
mod cockroach;
mod duckdb;
mod evidence;
mod families;
mod glued;
mod materialize;
#[cfg(test)]
mod postgres_tests;
mod reading;
mod rs;
mod sqlite;
mod vibesql;

pub use choice::{
    ChosenDialect, DialectError, DialectEvidence, DialectReason, DialectRequest, RequestOrigin, choose,
    foreign_text,
};
pub use cockroach::{COCKROACH, COCKROACH_EXACT};
pub use duckdb::{DUCKDB, DUCKDB_EXACT};
pub use glued::begins_record;
pub use materialize::{MATERIALIZE, MATERIALIZE_EXACT};
pub use rs::{RS, RS_EXACT};
pub use sqlite::{SQLITE, SQLITE_EXACT};
pub use vibesql::{VIBESQL, VIBESQL_EXACT};

/// The rules of one dialect.
#[derive(Debug)]
pub struct Profile {
    /// The dialect's name, as `--dialect` takes it.
    pub name: &'static str,
    /// Reads a record from its first line.
    pub(super) read_record: RecordReader,
    /// Whether records are read by the common grammar, which has a faster way for usual ones.
    pub(super) has_usual_records: bool,
    /// Checks a file as a whole, once all its records are read.
    pub(super) finish: Option<for<'s> fn(&mut Script<'s>)>,
    /// The lines that separate records.
    pub(super) blank_lines: BlankLines,
    /// Whether a comment between records may be indented.
    pub(super) indented_comments: bool,
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
    /// What the type letters say about the columns of a result.
    pub columns: ColumnRule,
    /// How variables are written in records.
    pub variables: VariableSyntax,
    /// Whether the first record that fails ends the file.
    pub ends_at_failure: bool,
    /// Whether a defect anywhere rejects the whole file, so that nothing of it is executed.
    pub rejects_whole_file: bool,
    /// Whether the gaps of the dialect's own runner are reproduced.
    pub exact: bool,
    /// How other files are included.
    pub includes: IncludeRule,
    /// What is done with a parsed file and all that it includes.
    pub(super) complete: Option<fn(&mut Script<'_>)>,
    /// Labels of an engine that do not count in conditions, because the dialect means other engines by them.
    pub other_labels: &'static [&'static str],
    /// Whether results with the same label are compared.
    pub labels_compare: bool,
    /// Errors with one of these texts end a file as skipped, unless it names others.
    pub ignored_errors: &'static [&'static str],
    /// Errors with one of these texts are never expected, unless the file names others.
    pub fatal_errors: &'static [&'static str],
}

/// Reads a record, with its conditions, from its first line.
pub(super) type RecordReader = for<'r, 's> fn(&'r mut Reader<'s>, Line<'s>) -> Record<'s>;

/// The lines that separate records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlankLines {
    /// Those with nothing but white space.
    WhiteSpace,
    /// Those without any character.
    Empty,
}

/// What the type letters say about the columns of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRule {
    /// One letter for each column, to which its values are converted.
    Conversion,
    /// One letter for each column; they say nothing about the values.
    Count,
    /// One letter for each column, which must be the one of the column's type, if the engine knows it.
    Type,
    /// Nothing.
    Ignored,
}

/// How the files are named that a record includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeRule {
    /// Nothing can be included.
    None,
    /// By a glob, relative to the directory of the including file.
    Glob,
    /// By a path, relative to the working directory.
    Path,
}

impl VariableSyntax {
    /// Returns whether variables are replaced from the beginning of a file.
    pub fn is_always_on(self) -> bool {
        matches!(self, Self::Dollar | Self::Braces)
    }
}

/// How variables are written in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableSyntax {
    /// There are none.
    None,
    /// `$name`, `${name}` and `${name:default}`, once the file has switched them on.
    DollarOnRequest,
    /// `$name`.
    Dollar,
    /// `{name}` and `${name}`.
    Braces,
}

impl Profile {
    /// Returns whether the gaps of the runner of sqllogictest-rs are reproduced: in records that are left out, variables
    /// are replaced before the conditions are looked at, and commands do not know the name of the engine.
    pub fn has_gaps_of_rs(&self) -> bool {
        self.exact && matches!(self.matcher, Matcher::SqllogictestRs | Matcher::Vibesql)
    }

    /// Returns those of the labels of an engine that count in conditions.
    pub fn own_labels<'l>(&self, labels: &'l [String]) -> Cow<'l, [String]> {
        let is_other =
            |label: &String| self.other_labels.iter().any(|other| label.eq_ignore_ascii_case(other));
        if !labels.iter().any(is_other) || labels.iter().all(is_other) {
            return Cow::Borrowed(labels);
        }
        Cow::Owned(labels.iter().filter(|label| !is_other(label)).cloned().collect())
    }

    /// Returns whether a line separates records.
    pub(super) fn is_blank(&self, line: &Line<'_>) -> bool {
        match self.blank_lines {
            BlankLines::WhiteSpace => line.is_blank(),
            BlankLines::Empty => line.text.is_empty(),
        }
    }

    /// Returns whether a line between records is a comment.
    pub(super) fn is_comment(&self, line: &Line<'_>) -> bool {
        line.is_comment()
            || self.indented_comments && line.text.iter().find(|&&byte| !is_space(byte)) == Some(&b'#')
    }

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
    /// The engine's own text, with the names that sqllogictest-rs's adapters give to NULL, empty text and truth values.
    SqllogictestRs,
    /// As the harness of VibeSQL: numbers are converted to the type letter.
    Vibesql,
    /// As DuckDB's runner.
    Duckdb,
    /// As DuckDB's runner in the files of SQLite: numbers with a fraction are rounded.
    DuckdbOriginal,
    /// As CockroachDB's runner.
    Cockroach,
    /// As Materialize's runner: the type letter converts the value.
    Materialize,
}

/// The comparison of a rendered result with its expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matcher {
    /// Each line is one value, compared byte for byte. The result is sorted, the expectation stands in its final order.
    ValuePerLine(Presentation),
    /// As sqllogictest-rs: each line is one row, or one value on request; white space is folded.
    SqllogictestRs,
    /// As the fork of sqllogictest-rs in VibeSQL: all lines are rows, or all are values.
    Vibesql,
    /// As DuckDB's runner: each line is one value, or one row with tabs.
    Duckdb,
    /// As CockroachDB's runner: lines are words, which are compared one by one.
    Cockroach,
    /// As Materialize's runner, by its mode.
    Materialize,
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

/// Returns the rules of a dialect for one file.
pub(super) fn rules_for(profile: &'static Profile, source: &Source) -> &'static Profile {
    duckdb::rules_for(profile, source)
}

/// An unknown dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{found}`")]
pub struct UnknownDialect {
    /// The name that was asked for.
    pub found: String,
}

/// The names of all dialects.
pub const DIALECTS: &[&str] = &["sqlite", "rs", "vibesql", "duckdb", "cockroach", "materialize"];

/// Returns the rules of the dialect called `name`, with the reference runner's gaps if `exact`.
///
/// # Errors
///
/// [`UnknownDialect`] for a name that is not in [`DIALECTS`].
pub fn profile(name: &str, exact: bool) -> Result<&'static Profile, UnknownDialect> {
    match (name, exact) {
        ("sqlite", false) => Ok(&SQLITE),
        ("sqlite", true) => Ok(&SQLITE_EXACT),
        ("rs", false) => Ok(&RS),
        ("rs", true) => Ok(&RS_EXACT),
        ("vibesql", false) => Ok(&VIBESQL),
        ("vibesql", true) => Ok(&VIBESQL_EXACT),
        ("duckdb", false) => Ok(&DUCKDB),
        ("duckdb", true) => Ok(&DUCKDB_EXACT),
        ("cockroach", false) => Ok(&COCKROACH),
        ("cockroach", true) => Ok(&COCKROACH_EXACT),
        ("materialize", false) => Ok(&MATERIALIZE),
        ("materialize", true) => Ok(&MATERIALIZE_EXACT),
        _ => Err(UnknownDialect { found: name.to_owned() }),
    }
}

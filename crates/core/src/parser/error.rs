//! Defects of the text of a test file.

use std::borrow::Cow;

use crate::location::Location;

/// A record, or a piece of one, that the dialect does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {kind}")]
pub struct ParseError {
    /// The line that is wrong.
    pub location: Location,
    /// The kind of defect.
    pub kind: ParseErrorKind,
}

/// The kind of a defect, with the expected and the found text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// The first word of a header is unknown to the dialect.
    #[error("expected a record ({expected}), found `{found}`")]
    UnknownRecord {
        /// The found word.
        found: String,
        /// The words of the dialect.
        expected: String,
    },
    /// `skipif` or `onlyif` without a name.
    #[error("expected an engine name after `{found}`, found nothing")]
    MissingConditionName {
        /// The word of the condition.
        found: String,
    },
    /// A condition with no record behind it.
    #[error("expected a record right after the condition, found {found}")]
    ConditionWithoutRecord {
        /// The found text: a blank line or the end of the file.
        found: Cow<'static, str>,
    },
    /// The second word of a statement is neither `ok` nor `error`.
    #[error("expected `ok` or `error` after `statement`, found {found}")]
    StatementExpectation {
        /// The found word in backticks, or `nothing`.
        found: String,
    },
    /// A query without type letters.
    #[error("expected one type letter (T, I or R) for each result column after `query`, found nothing")]
    MissingTypes,
    /// A type letter that the dialect does not have.
    #[error("expected the type letters T, I or R, found `{letter}` in `{found}`")]
    TypeLetter {
        /// The first wrong letter.
        letter: char,
        /// The found word.
        found: String,
    },
    /// An unknown sort mode.
    #[error("expected a sort mode, found `{found}`")]
    SortMode {
        /// The found word.
        found: String,
    },
    /// An invalid hash threshold.
    #[error("expected a number after `hash-threshold`, found {found}")]
    Threshold {
        /// The found word in backticks, or `nothing`.
        found: String,
    },
    /// A statement or query without SQL.
    #[error("expected SQL after the header, found {found}")]
    MissingSql {
        /// The found text.
        found: Cow<'static, str>,
    },
    /// Text directly behind a record that takes none.
    #[error("expected a blank line after `{after}`, found `{found}`")]
    GluedText {
        /// The keyword of the record.
        after: String,
        /// The line behind it.
        found: String,
    },
    /// Words behind those that a line of the header uses.
    #[error("expected nothing after `{after}`, found `{found}`")]
    UnusedWords {
        /// The used words.
        after: String,
        /// The words after them.
        found: String,
    },
    /// `----` in a statement, which has no result.
    #[error("expected SQL or a blank line, found `----` in a statement")]
    SeparatorInStatement,
    /// `----` in a query with blanks around it, which does not begin the result.
    #[error("expected `----` without blanks around it, found `{found}`")]
    BlanksAroundSeparator {
        /// The line.
        found: String,
    },
    /// A header or condition in the midst of SQL.
    #[error("expected SQL or a blank line, found the header `{found}`")]
    HeaderInSql {
        /// The line.
        found: String,
    },
    /// SQL with a NUL byte, behind which SQLite reads nothing.
    #[error("expected SQL, found a NUL byte in it")]
    NulInSql,
    /// SQL after the first statement of a query.
    #[error("expected one SQL statement in a query, found more SQL after the first")]
    MoreThanOneStatement,
    /// Text that the dialect does not allow, in words.
    #[error("{text}")]
    Other {
        /// The expected and the found text.
        text: String,
    },
    /// Text next to the record that would silently be left out, in words.
    #[error("{text}")]
    HiddenText {
        /// The expected and the found text.
        text: String,
    },
    /// Value lines behind a hash line, which nothing would ever compare.
    #[error("expected nothing after the hash line, found `{found}`")]
    TextAfterHash {
        /// The first of the lines.
        found: String,
    },
}

impl ParseErrorKind {
    /// Returns whether the defect is text next to the record that would silently be left out.
    pub fn hides_other_text(&self) -> bool {
        matches!(
            self,
            Self::GluedText { .. }
                | Self::ConditionWithoutRecord { .. }
                | Self::MissingConditionName { .. }
                | Self::HeaderInSql { .. }
                | Self::HiddenText { .. }
        ) || matches!(self, Self::UnusedWords { after, .. } if is_condition(after))
    }

    /// Returns a hint, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownRecord { .. } => {
                "the dialect ends the file here; records are separated by blank lines, comments start with `#` in column 1"
            }
            Self::SortMode { .. } => "sort modes are nosort, rowsort, valuesort; a label comes after them",
            Self::MissingTypes => "the dialect ends the file here; write for instance `query IT rowsort`",
            Self::TypeLetter { .. } => "T is text, I an integer, R a number with three decimals",
            Self::GluedText { .. } | Self::TextAfterHash { .. } => {
                "the SQLite runner skips such text silently; --exact does the same"
            }
            Self::UnusedWords { after, .. } => unused_words_hint(after),
            Self::SeparatorInStatement => {
                "DuckDB and sqllogictest-rs write the expected message behind `----`; the SQLite runner compares no messages and takes these lines for SQL; --exact does the same"
            }
            Self::BlanksAroundSeparator { .. } => {
                "the SQLite runner takes such a line for SQL; --exact does the same"
            }
            Self::HeaderInSql { .. } => {
                "put a blank line in front of it; --exact takes it for SQL, as the dialect's own runner does"
            }
            Self::NulInSql => "take the byte out; SQLite ends the SQL there; --exact does the same",
            Self::MoreThanOneStatement => {
                "write a record for each statement; the SQLite runner skips all but the first; --exact does the same"
            }
            Self::Threshold { .. } => "0 means: never hash; --exact reads such a word as 0",
            Self::ConditionWithoutRecord { .. } => "a condition stands on the line right before its record",
            Self::StatementExpectation { .. }
            | Self::MissingConditionName { .. }
            | Self::MissingSql { .. }
            | Self::Other { .. }
            | Self::HiddenText { .. } => {
                return None;
            }
        })
    }
}

fn is_condition(words: &str) -> bool {
    words.starts_with("skipif ") || words.starts_with("onlyif ")
}

/// Names the dialects with more words at this point.
fn unused_words_hint(after: &str) -> &'static str {
    match after.split(' ').next() {
        Some("statement") if after.ends_with(" error") => {
            "sqllogictest-rs, CockroachDB and Materialize write the expected message here, Databend a code, DuckDB a connection; the SQLite runner skips these words silently; --exact does the same"
        }
        Some("statement") => {
            "DuckDB writes a connection here, sqllogictest-rs `retry`; the SQLite runner skips these words silently; --exact does the same"
        }
        Some("query") => {
            "sqllogictest-rs writes `retry` here; the SQLite runner skips these words silently; --exact does the same"
        }
        Some("skipif" | "onlyif") => {
            "CockroachDB writes more than a name here; put `#` in front of a comment; --exact skips these words"
        }
        _ => {
            "put `#` in front of a comment; the SQLite runner skips these words silently; --exact does the same"
        }
    }
}

/// Legal text that may be a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The line.
    pub line: u32,
    /// The kind of suspicion.
    pub kind: LintKind,
}

/// The kinds of [`Lint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LintKind {
    /// A line of SQL that begins like a record.
    #[error("a line of SQL that looks like a header; records are separated by blank lines")]
    HeaderInSql,
    /// An expected value that has the shape of a header.
    #[error("an expected value that looks like a header; records are separated by blank lines")]
    HeaderInValues,
    /// A query without `----`.
    #[error("no `----` line: taken as `expects no rows`")]
    NoSeparator,
    /// A hash line although the result is not above the threshold.
    #[error("a hash line for a result that the threshold would list")]
    HashBelowThreshold,
    /// Listed values although the result is above the threshold.
    #[error("listed values for a result that the threshold would hash")]
    ValuesAboveThreshold,
    /// A word that is nearly a sort mode, in the place of the types or the label.
    #[error(
        "a word that looks like a sort mode is read as types or as a label; the order is compared as it is"
    )]
    MisplacedSortMode,
    /// `----` as the first line of SQL.
    #[error("`----` right after the header is SQL, and no separator")]
    SeparatorInSql,
    /// An option of a query that nothing checks.
    #[error("an option of the query that is not checked")]
    UncheckedOption,
    /// An asynchronous record.
    #[error("an asynchronous record, executed in its place like any other")]
    ExecutedInOrder,
    /// A value whose white space differs from the expected one.
    #[error("a value that is equal only because white space is folded")]
    WhiteSpaceFolded,
    /// A record that the dialect knows and its own runner ignores.
    #[error("a record that is read and has no effect in this dialect")]
    WithoutEffect,
    /// An option of a query in the place of its label.
    #[error("an option in the place of the label; options are joined by commas")]
    OptionAsLabel,
    /// `----` at the end of SQL without a result.
    #[error("`----` without a result behind it, where it is SQL")]
    SeparatorWithoutResult,
    /// Values that are equal only within the tolerance of the dialect.
    #[error("a value that is equal only within the tolerance of the dialect")]
    WithinTolerance,
    /// An expected error without a message.
    #[error("every error is right: nothing is expected of its message")]
    AnyError,
    /// A statement whose result is not judged.
    #[error("the result of the statement is not judged")]
    Unchecked,
    /// The name of a connection that resembles a sort mode.
    #[error("a connection with a name like a sort mode")]
    ConnectionLikeSortMode,
    /// Rows with tabs whose empty cells are left out.
    #[error("a row with another number of tabs than columns: empty cells are left out")]
    EmptyCells,
    /// A loop without values, whose records are executed once.
    #[error("a loop without values: its records are executed once all the same")]
    LoopWithoutValues,
    /// A concurrent loop on an engine without concurrent sessions.
    #[error("the iterations ran one after another: the engine cannot execute statements at the same time")]
    LoopInOrder,
}

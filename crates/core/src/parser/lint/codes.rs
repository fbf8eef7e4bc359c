//! Codes of defects, and what they mean.

use crate::parser::error::ParseErrorKind;

impl ParseErrorKind {
    /// Returns the code of the kind of defect, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownRecord { .. } => "unknown-record",
            Self::MissingConditionName { .. } => "missing-condition-name",
            Self::ConditionWithoutRecord { .. } => "condition-without-record",
            Self::StatementExpectation { .. } => "statement-expectation",
            Self::MissingTypes => "missing-types",
            Self::TypeLetter { .. } => "type-letter",
            Self::SortMode { .. } => "sort-mode",
            Self::Threshold { .. } => "threshold",
            Self::MissingSql { .. } => "missing-sql",
            Self::GluedText { .. } => "glued-text",
            Self::UnusedWords { .. } => "unused-words",
            Self::SeparatorInStatement => "separator-in-statement",
            Self::BlanksAroundSeparator { .. } => "blanks-around-separator",
            Self::HeaderInSql { .. } => "record-in-sql",
            Self::NulInSql => "nul-in-sql",
            Self::MoreThanOneStatement => "several-statements",
            Self::TextAfterHash { .. } => "text-after-hash",
            Self::HiddenText { .. } => "hidden-text",
            Self::Other { .. } => "malformed",
        }
    }
}

/// The codes of defects, and why text with such a defect is refused.
const DEFECTS: &[(&str, &str)] = &[
    (
        "unknown-record",
        "The first word of a record is none that the dialect has. Records are separated by empty lines, and comments start with `#` in column 1.",
    ),
    ("missing-condition-name", "`skipif` and `onlyif` need a name that they are compared with."),
    ("condition-without-record", "A condition applies to the record right behind it, and there is none."),
    (
        "statement-expectation",
        "The second word of a statement says what is expected, and the dialect does not have this one.",
    ),
    ("missing-types", "A query needs one type letter for each column of its result."),
    ("type-letter", "The dialect does not have this type letter."),
    ("sort-mode", "The dialect does not have this sort mode."),
    ("threshold", "A hash threshold is a number; 0 means that nothing is hashed."),
    ("missing-sql", "A statement or query has no SQL."),
    (
        "glued-text",
        "Text stands directly behind a record that takes none. A runner that skips it silently hides a record that was meant to run.",
    ),
    (
        "unused-words",
        "A header has more words than the dialect uses. A runner that skips them silently hides an expectation or an option of another dialect.",
    ),
    (
        "separator-in-statement",
        "Statements have no result to compare in this dialect, so `----` and what follows would be sent to the engine as SQL.",
    ),
    (
        "blanks-around-separator",
        "Only `----` without blanks begins the result; this line would be SQL, and the expected values as well.",
    ),
    (
        "record-in-sql",
        "A header stands in the midst of SQL, because the empty line in front of it is missing; it would never be executed.",
    ),
    ("nul-in-sql", "Engines end the SQL at a NUL byte, so the rest would silently be left out."),
    ("several-statements", "A query is one statement; the others would silently be left out."),
    ("text-after-hash", "A hash line is the whole expectation; nothing would compare the lines behind it."),
    ("hidden-text", "Text next to a record would silently be left out with it."),
    ("malformed", "The dialect does not allow the text; the message says what is expected."),
];

/// Explains the code of a defect.
pub fn explain_defect(code: &str) -> Option<&'static str> {
    DEFECTS.iter().find(|(known, _)| *known == code).map(|(_, explanation)| *explanation)
}

/// Returns the codes of all defects.
pub fn defect_codes() -> impl Iterator<Item = &'static str> {
    DEFECTS.iter().map(|(code, _)| *code)
}

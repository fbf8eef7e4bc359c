//! The original dialect of SQLite's own runner, as of its source since November 2024.
//!
//! [`SQLITE`] gives that runner's verdicts without its gaps: text that it skips silently is malformed here.
//! [`SQLITE_EXACT`] reproduces the gaps as well.

use super::{
    BlankLines, ColumnRule, Directive, IncludeRule, LabelLimits, Matcher, MissingSeparator, Presentation,
    Profile, Renderer, StepError, VariableSyntax,
};

const DIRECTIVES: &[(&str, Directive)] = &[
    ("statement", Directive::Statement),
    ("query", Directive::Query),
    ("hash-threshold", Directive::HashThreshold),
    ("halt", Directive::Halt),
];

/// The SQLite dialect, strict.
pub static SQLITE: Profile = Profile {
    name: "sqlite",
    read_record: |reader, line| reader.record(line),
    has_usual_records: true,
    finish: None,
    blank_lines: BlankLines::WhiteSpace,
    indented_comments: false,
    directives: DIRECTIVES,
    header_words: 5,
    word_limit: usize::MAX,
    strips_byte_order_mark: true,
    refuses_unused_text: true,
    missing_separator: MissingSeparator::NoRows,
    default_threshold: 8,
    renderer: Renderer::SqliteLetters,
    matcher: Matcher::ValuePerLine(Presentation::ByShape),
    step_error: StepError::Fails,
    label_limits: LabelLimits { executed: usize::MAX, skipped: usize::MAX },
    columns: ColumnRule::Conversion,
    variables: VariableSyntax::None,
    ends_at_failure: false,
    rejects_whole_file: false,
    exact: false,
    includes: IncludeRule::None,
    complete: None,
    other_labels: &[],
    labels_compare: true,
    ignored_errors: &[],
    fatal_errors: &[],
};

/// The SQLite dialect exactly as the SQLite runner reads it.
pub static SQLITE_EXACT: Profile = Profile {
    header_words: 4,
    word_limit: 199,
    strips_byte_order_mark: false,
    refuses_unused_text: false,
    missing_separator: MissingSeparator::LastSqlLine,
    matcher: Matcher::ValuePerLine(Presentation::ByThreshold),
    step_error: StepError::EndsRows,
    exact: true,
    label_limits: LabelLimits { executed: 20, skipped: 23 },
    ..SQLITE
};

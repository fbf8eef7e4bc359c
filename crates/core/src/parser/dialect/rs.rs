//! The dialect of sqllogictest-rs 0.29, and of its forks.
//!
//! A record is read in two parts: the lines in front of its header, which are conditions and the connection, and then
//! the header with its lines.

mod control;
mod header;
mod record;
#[cfg(test)]
mod tests;

use super::{
    ColumnRule, IncludeRule, LabelLimits, Matcher, MissingSeparator, Profile, Renderer, SQLITE, StepError,
    VariableSyntax,
};

pub(super) use record::read;

/// The differences between sqllogictest-rs and its forks.
#[derive(Debug)]
pub(super) struct RsFlavor {
    /// Whether there are `let` and expected SQLSTATEs, which 0.29 has brought.
    pub(super) has_let: bool,
    /// Whether text behind ` #` is cut off from headers.
    pub(super) cuts_comments: bool,
    /// Whether a line that looks like a header ends the SQL.
    pub(super) headers_end_sql: bool,
    /// Whether `dialect NAME` sets the mode of the engine.
    pub(super) has_engine_modes: bool,
}

const FLAVOR: RsFlavor =
    RsFlavor { has_let: true, cuts_comments: false, headers_end_sql: false, has_engine_modes: false };

/// The dialect of sqllogictest-rs 0.29, strict.
pub static RS: Profile = Profile {
    name: "rs",
    read_record: |reader, line| read(reader, line, &FLAVOR),
    has_usual_records: false,
    renderer: Renderer::SqllogictestRs,
    matcher: Matcher::SqllogictestRs,
    columns: ColumnRule::Count,
    variables: VariableSyntax::DollarOnRequest,
    default_threshold: 0,
    includes: IncludeRule::Glob,
    // Expected lines are rows, from which no digest of values can be made.
    label_limits: LabelLimits { executed: usize::MAX, skipped: 0 },
    ..SQLITE
};

/// The dialect of sqllogictest-rs 0.29, exactly as its own runner reads it.
pub static RS_EXACT: Profile = Profile {
    columns: ColumnRule::Ignored,
    strips_byte_order_mark: false,
    refuses_unused_text: false,
    missing_separator: MissingSeparator::NoRows,
    step_error: StepError::Fails,
    labels_compare: false,
    ends_at_failure: true,
    rejects_whole_file: true,
    exact: true,
    ..RS
};

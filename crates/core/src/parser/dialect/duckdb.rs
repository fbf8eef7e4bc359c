//! The dialect of DuckDB: its runner as of 1.5.5, and what its development version has in addition.
//!
//! [`DUCKDB`] gives that runner's verdicts without its gaps. [`DUCKDB_EXACT`] reproduces version 1.5.5 with its gaps,
//! including the line that it names for a malformed record.

mod control;
mod groups;
mod header_words;
mod nesting;
mod records;
#[cfg(test)]
mod tests;

pub(super) use self::header_words::is_header;
use self::records::RecordParser;
use super::{
    BlankLines, ColumnRule, IncludeRule, LabelLimits, Matcher, Profile, Renderer, SQLITE, VariableSyntax,
};
use crate::location::Source;

/// The dialect of DuckDB, strict.
pub static DUCKDB: Profile = Profile {
    name: "duckdb",
    read_record: |reader, line| RecordParser::new(reader, line).record(),
    has_usual_records: false,
    finish: Some(nesting::check),
    blank_lines: BlankLines::Empty,
    strips_byte_order_mark: true,
    renderer: Renderer::Duckdb,
    matcher: Matcher::Duckdb,
    columns: ColumnRule::Count,
    variables: VariableSyntax::Braces,
    default_threshold: 0,
    includes: IncludeRule::Path,
    // The expectation of a skipped query says nothing about its label here.
    label_limits: LabelLimits { executed: usize::MAX, skipped: 0 },
    other_labels: &["postgresql"],
    fatal_errors: &["differs from original result!", "INTERNAL"],
    ..SQLITE
};

/// The dialect of DuckDB, exactly as its own runner reads it.
pub static DUCKDB_EXACT: Profile = Profile {
    strips_byte_order_mark: false,
    refuses_unused_text: false,
    ends_at_failure: true,
    exact: true,
    ignored_errors: &["HTTP", "Unable to connect"],
    ..DUCKDB
};

/// The dialect of DuckDB for the files of SQLite in its tree, strict.
static DUCKDB_ORIGINAL: Profile = Profile { renderer: Renderer::DuckdbOriginal, other_labels: &[], ..DUCKDB };

/// The dialect of DuckDB for the files of SQLite in its tree, exactly as its own runner reads it.
static DUCKDB_ORIGINAL_EXACT: Profile =
    Profile { renderer: Renderer::DuckdbOriginal, other_labels: &[], ..DUCKDB_EXACT };

/// Returns the rules for a file: DuckDB's runner knows the files of SQLite by their place in its tree.
pub(in crate::parser) fn rules_for(profile: &'static Profile, source: &Source) -> &'static Profile {
    let is_original =
        ["test/sqlite/select", "third_party/sqllogictest"].iter().any(|place| source.name().contains(place));
    match (profile.renderer, is_original) {
        (Renderer::Duckdb, true) if profile.exact => &DUCKDB_ORIGINAL_EXACT,
        (Renderer::Duckdb, true) => &DUCKDB_ORIGINAL,
        _ => profile,
    }
}

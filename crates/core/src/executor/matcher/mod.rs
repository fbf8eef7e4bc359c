//! Judges results of dialects that do not convert values by type letters.

pub(super) mod cockroach;
pub(super) mod duckdb;
pub(super) mod materialize;
pub(super) mod rs;

use super::cells::CellTable;
use crate::outcome::Mismatch;
use crate::parser::{Layout, LintKind, Matcher, Profile, Query, SortMode};

/// What a verdict depends on besides the query and its result.
pub(super) struct CellContext<'c> {
    pub(super) profile: &'static Profile,
    /// The number of columns; `None` if the engine has not told it, `Some(0)` for SQL without a result.
    pub(super) columns: Option<usize>,
    /// The form of expected rows that the file has set.
    pub(super) layout: Layout,
    /// The order in which the values are.
    pub(super) sort: SortMode,
    /// The number of values above which a result is hashed; 0 for never.
    pub(super) threshold: u64,
    /// Whether the names of the columns are the first row.
    pub(super) names: bool,
    /// The contents of the file with the expected values.
    pub(super) file: Option<&'c [u8]>,
    /// Replaces the variables that may stand in an expected value; `None` for a value without them.
    pub(super) replaced: &'c dyn Fn(&[u8]) -> Option<Vec<u8>>,
    /// The number of values that a mismatch keeps.
    pub(super) limit: usize,
}

/// The suspicions about a record that has passed.
pub(super) type Suspicions = Vec<LintKind>;

/// Judges a result. Returns what is suspicious about a record that has passed.
///
/// # Errors
///
/// The [`Mismatch`], when the record has not passed.
pub(super) fn judge_cells(
    query: &Query<'_>,
    cells: &CellTable,
    context: &CellContext<'_>,
) -> Result<Suspicions, Mismatch> {
    match context.profile.matcher {
        // This one has its own buffers: nothing passes by default.
        Matcher::ValuePerLine(_) => {
            Err(Mismatch::Presentation { wanted: "values of type letters".to_owned() })
        }
        Matcher::SqllogictestRs | Matcher::Vibesql => rs::judge(query, cells, context),
        Matcher::Duckdb => duckdb::judge(query, cells, context),
        Matcher::Cockroach => cockroach::judge(query, cells, context),
        Matcher::Materialize => materialize::judge(query, cells, context),
    }
}

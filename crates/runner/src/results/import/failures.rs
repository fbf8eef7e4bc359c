//! Reads the failures of the JSON report.

use std::time::Duration;

use serde::Deserialize;

use crate::text::document::sides;
use crate::text::failure::message;
use slt_core::engine::SqlError;
use slt_core::outcome::{Excerpt, Fault, Mismatch, Problem};
use slt_core::parser::HashLine;

/// A failing record.
#[derive(Deserialize)]
pub(super) struct ReportedFailure {
    pub(super) line: u32,
    pub(super) kind: Option<String>,
    pub(super) sql: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) actual: Option<String>,
    pub(super) message: Option<String>,
    pub(super) duration_ms: Option<u64>,
    #[serde(default)]
    pub(super) details_omitted: bool,
}

impl ReportedFailure {
    /// Returns the whole text of the failure.
    pub(super) fn text(&self) -> String {
        super::results::joined(self.message.clone(), [self.expected.as_deref(), self.actual.as_deref()])
            .unwrap_or_default()
    }
}

/// Rebuilds the problem, if it would be reported with the same fields. The rows are unknown, so each value is one.
pub(super) fn what_of(failure: &ReportedFailure) -> Option<Problem> {
    let text = failure.message.as_deref()?;
    let [expected, actual] =
        [&failure.expected, &failure.actual].map(|side| side.as_deref().unwrap_or_default());
    let after = failure.duration_ms.map(Duration::from_millis);
    let what = match failure.kind.as_deref()? {
        "unsupported" => Problem::Unsupported(text.strip_prefix("not supported: ")?.to_owned()),
        "timed_out" => return Some(Problem::TimedOut { after: after? }),
        "engine_panicked" | "engine_lost" | "process_died" | "out_of_memory" | "adapter_fault" => {
            Problem::Fault(Fault::from_text(text).with_time(after))
        }
        "unexpected_error" => {
            let rest = text.strip_prefix("unexpected error: ")?.strip_prefix(actual)?;
            let code = rest.strip_prefix(" (code ").and_then(|rest| rest.strip_suffix(')'));
            let (message, code) = (actual.to_owned(), code.map(str::to_owned));
            Problem::UnexpectedError { error: SqlError { message, code }, after_rows: false }
        }
        "unexpected_success" => Problem::UnexpectedSuccess,
        "rows_differ" => {
            let [expected, actual] = [expected, actual].map(excerpt);
            Problem::Mismatch(Mismatch::Rows { expected, actual, columns: 1 })
        }
        "hash_differs" => Problem::Mismatch(Mismatch::Hash {
            expected: HashLine::parse(expected.as_bytes())?,
            actual: HashLine::parse(actual.as_bytes())?,
            rows: Excerpt::default(),
            columns: 1,
        }),
        "presentation_differs" => Problem::Mismatch(Mismatch::Presentation { wanted: expected.to_owned() }),
        "column_count_differs" => {
            let columns = |text: &str| text.strip_suffix(" columns")?.parse().ok();
            let (expected, actual) = (columns(expected)?, columns(actual)?);
            Problem::Mismatch(Mismatch::ColumnCount { expected, actual })
        }
        _ => return None,
    };
    let is_same =
        message(&what) == text && sides(&what) == (failure.expected.clone(), failure.actual.clone());
    is_same.then_some(what)
}

/// Parses values, one per line, and the numbers of omitted values.
fn excerpt(text: &str) -> Excerpt {
    let count = |line: &str, end: &str| line.strip_prefix("… ")?.strip_suffix(end)?.parse().ok();
    let mut lines: Vec<_> = text.split('\n').collect();
    let before = lines.first().and_then(|line| count(line, " values before …"));
    if before.is_some() {
        lines.remove(0);
    }
    let after = lines.last().and_then(|line| count(line, " values more …"));
    if after.is_some() {
        lines.pop();
    }
    if lines == [""] {
        lines.clear();
    }
    Excerpt {
        omitted_before: before.unwrap_or(0),
        values: lines.into_iter().map(str::to_owned).collect(),
        omitted_after: after.unwrap_or(0),
    }
}

//! The times of records by kind of statement: rows for all documents.

use std::time::Duration;

use slt_core::outcome::{RunReport, StatementKind, TimeHistogram};
use slt_runner::text::count::thousands;
use slt_runner::text::object::{Object, object};

/// The headers of [`StatementTimesRow::columns`].
pub(super) const HEADERS: [&str; 7] = ["statement", "records", "total", "p50", "p95", "p99", "longest"];

/// The times of one kind of statement.
pub(super) struct StatementTimesRow {
    kind: StatementKind,
    records: u64,
    total: Duration,
    /// The median, p95, p99 and the longest.
    percentiles: [Duration; 4],
}

/// Returns the kinds of statements of a run, the kind with the longest total first.
pub(super) fn rows(report: &RunReport) -> Vec<StatementTimesRow> {
    let times = report.times();
    let row = |(kind, times): (StatementKind, &TimeHistogram)| StatementTimesRow {
        kind,
        records: times.count(),
        total: times.total(),
        percentiles: [50.0, 95.0, 99.0, 100.0].map(|percent| times.percentile(percent).unwrap_or_default()),
    };
    times.by_total().into_iter().map(row).collect()
}

impl StatementTimesRow {
    /// Returns the columns of a table for people.
    pub(super) fn columns(&self) -> [String; 7] {
        let [median, p95, p99, longest] = self.percentiles.map(short);
        let kind = self.kind.as_str().to_owned();
        [kind, thousands(self.records), short(self.total), median, p95, p99, longest]
    }

    /// Returns the fields for programs.
    pub(super) fn json(&self) -> Object<'static> {
        let [p50, p95, p99, longest] = self.percentiles.map(milliseconds);
        object! {
            "statement_kind": self.kind.as_str(),
            "records": self.records,
            "total_ms": milliseconds(self.total),
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "max_ms": longest,
        }
    }
}

/// Returns milliseconds to the nanosecond.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

/// Formats a time with three digits, as short as `4.17 µs` or `2.51 s`.
pub(super) fn short(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    let (number, unit) = match nanoseconds {
        small if small < 1e3 => (small, "ns"),
        small if small < 1e6 => (small / 1e3, "µs"),
        small if small < 1e9 => (small / 1e6, "ms"),
        large => (large / 1e9, "s"),
    };
    let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let shown = |nanoseconds| short(Duration::from_nanos(nanoseconds));
        assert_eq!([0, 999, 4_171, 12_345_678].map(shown), ["0.00 ns", "999 ns", "4.17 µs", "12.3 ms"]);
        assert_eq!(shown(123_456_000_000), "123 s");
    }
}

//! The tables of segments. Results that end in the same way share one outcome; loading joins them to the public tables.

use super::cell::Cell;
use super::schema::{RECORD_FAILURES, SLOW_RECORDS, STATEMENT_TIMES, TEST_RUNS, TableSchema, integer, text};

/// One row: the run.
pub(super) static RUN: TableSchema =
    TableSchema { name: "run", about: TEST_RUNS.about, columns: TEST_RUNS.columns };

/// The part of a file's result that differs from run to run.
pub(super) static RESULTS: TableSchema = TableSchema {
    name: "results",
    about: "What became of a file in the run",
    columns: &[
        integer("seq", "Its number in the run, from 1"),
        text("file_path", ""),
        text("outcome_id", ""),
        text("tested_at", ""),
        integer("duration_ms", ""),
        integer("engine_ms", ""),
        integer("peak_memory", ""),
        integer("retries", ""),
        text("file_id", ""),
    ],
};

/// The files of the run without a result.
pub(super) static UNTESTED: TableSchema = TableSchema {
    name: "untested",
    about: "A file of the run without a result",
    columns: &[text("file_path", ""), text("category", ""), text("subcategory", ""), text("file_id", "")],
};

/// The slowest records of the run.
pub(super) static SLOW: TableSchema =
    TableSchema { name: "slow", about: SLOW_RECORDS.about, columns: SLOW_RECORDS.columns };

/// The times of the run by kind of statement.
pub(super) static TIMES: TableSchema =
    TableSchema { name: "times", about: STATEMENT_TIMES.about, columns: STATEMENT_TIMES.columns };

/// The part that results with the same outcome share.
pub(super) static OUTCOMES: TableSchema = TableSchema {
    name: "outcomes",
    about: "What results with the same outcome have in common",
    columns: &[
        text("outcome_id", ""),
        text("status", ""),
        text("error_message", ""),
        text("category", ""),
        text("subcategory", ""),
        text("outcome", ""),
        text("kind", ""),
        text("error_pattern", ""),
        integer("records", ""),
        integer("records_executed", ""),
        integer("records_passed", ""),
        integer("records_failed", ""),
        integer("records_skipped", ""),
        integer("records_unsupported", ""),
        integer("records_timed_out", ""),
        integer("records_malformed", ""),
        integer("records_not_reached", ""),
        integer("records_faulted", ""),
        integer("flaky", ""),
        integer("signal", ""),
        integer("in_flight_line", ""),
    ],
};

/// The groups of the failures of an outcome.
pub(super) static GROUPS: TableSchema = TableSchema {
    name: "groups",
    about: "The failures of an outcome that look alike",
    columns: &[
        text("outcome_id", ""),
        text("kind", ""),
        text("error_pattern", ""),
        text("fingerprint", ""),
        integer("records", ""),
        integer("first_line", ""),
        text("message", ""),
    ],
};

/// The failing records of an outcome.
pub(super) static FAILURES: TableSchema =
    TableSchema { name: "failures", about: RECORD_FAILURES.about, columns: RECORD_FAILURES.columns };

/// The identities of the stored outcomes, each with the run that stores it.
pub(super) static KNOWN: TableSchema = TableSchema {
    name: "known",
    about: "An outcome that is kept",
    columns: &[text("outcome_id", ""), integer("run_id", "The run that it is kept with")],
};

/// Rows of one of these tables.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TableRows {
    pub(super) table: &'static TableSchema,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// Returns the index of a known column.
pub(super) fn place(table: &TableSchema, column: &str) -> usize {
    // An unknown name is a bug in this module; the last column is then used in its place.
    debug_assert!(table.place(column).is_some(), "{} has no {column}", table.name);
    table.place(column).unwrap_or(table.columns.len() - 1)
}

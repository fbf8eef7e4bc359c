//! Assembles requested rows from segments.

use std::collections::HashSet;
use std::slice;
use std::sync::Arc;

use super::cell::Cell;
use super::extract::WantedColumns;
use super::rows::{OutcomeRows, RunRows};
use super::schema::{RECORD_FAILURES, TableSchema};
use super::segment_tables::{GROUPS, OUTCOMES, RESULTS, SLOW, TIMES, place};

/// The rows of a run, read from the store or its journal.
pub(super) struct RunSource {
    pub(super) id: i64,
    pub(super) rows: RunRows,
}

/// Returns the wanted columns of rows that have those of `table`.
pub(super) fn project<'r>(
    wanted: &WantedColumns,
    table: &TableSchema,
    rows: impl Iterator<Item = &'r Vec<Cell>>,
) -> Vec<Vec<Cell>> {
    let places: Vec<_> = wanted.columns.iter().map(|column| place(table, column.name)).collect();
    rows.map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

pub(super) fn sources_rows(wanted: &WantedColumns, sources: &[RunSource]) -> Vec<Vec<Cell>> {
    match wanted.table.name {
        "test_results" => joined(wanted, &OUTCOMES, sources, |outcome| {
            outcome.map_or(&UNKNOWN_OUTCOME, |outcome| slice::from_ref(&outcome.outcome))
        }),
        "failure_groups" => {
            joined(wanted, &GROUPS, sources, |outcome| outcome.map_or(&[], |outcome| &outcome.groups))
        }
        "slow_records" => {
            let rows = sources.iter().flat_map(|source| sheet_rows(source, &SLOW));
            project(wanted, &SLOW, rows)
        }
        "statement_times" => {
            let rows = sources.iter().flat_map(|source| sheet_rows(source, &TIMES));
            project(wanted, &TIMES, rows)
        }
        _ => failures_rows(wanted, sources),
    }
}

/// The row of an outcome that is not loaded.
static UNKNOWN_OUTCOME: [Vec<Cell>; 1] = [Vec::new()];

/// The source of a column's values.
#[derive(Debug, Clone, Copy)]
enum ColumnSource {
    Run,
    ResultId,
    Own(usize),
    Outcome(usize),
    /// Whether the status of the outcome is a pass or a failure.
    Passed,
    Failed,
}

/// Returns the results of the runs, each joined with rows of its outcome.
fn joined(
    wanted: &WantedColumns,
    table: &'static TableSchema,
    sources: &[RunSource],
    rows_of: fn(Option<&OutcomeRows>) -> &[Vec<Cell>],
) -> Vec<Vec<Cell>> {
    let pick = |name: &str| match name {
        "run_id" => ColumnSource::Run,
        "result_id" => ColumnSource::ResultId,
        "passed" => ColumnSource::Passed,
        "failed" => ColumnSource::Failed,
        name => match RESULTS.place(name) {
            Some(place) => ColumnSource::Own(place),
            None => ColumnSource::Outcome(place(table, name)),
        },
    };
    let picks: Vec<_> = wanted.columns.iter().map(|column| pick(column.name)).collect();
    let outcome_id = place(&RESULTS, "outcome_id");
    let mut rows = Vec::new();
    for source in sources {
        for own in sheet_rows(source, &RESULTS) {
            let outcome = own[outcome_id].as_text().and_then(|id| source.rows.outcomes.get(id));
            for row in rows_of(outcome.map(Arc::as_ref)) {
                rows.push(picks.iter().map(|pick| picked(*pick, source, own, row)).collect());
            }
        }
    }
    rows
}

fn picked(pick: ColumnSource, source: &RunSource, own: &[Cell], outcome: &[Cell]) -> Cell {
    match pick {
        ColumnSource::Run => Cell::Integer(source.id),
        ColumnSource::ResultId => {
            let seq = own[place(&RESULTS, "seq")].as_integer().unwrap_or(0);
            Cell::Integer(source.id.saturating_mul(1_000_000).saturating_add(seq))
        }
        ColumnSource::Own(place) => own[place].clone(),
        ColumnSource::Passed | ColumnSource::Failed => {
            let status = outcome.get(place(&OUTCOMES, "status")).and_then(Cell::as_text);
            status.map_or(Cell::Null, |status| {
                let passed = status == "PASS";
                let failed = !passed && status != "EMPTY";
                Cell::from(if matches!(pick, ColumnSource::Passed) { passed } else { failed })
            })
        }
        ColumnSource::Outcome(place) => outcome.get(place).cloned().unwrap_or(Cell::Null),
    }
}

fn sheet_rows<'s>(
    source: &'s RunSource,
    table: &TableSchema,
) -> impl Iterator<Item = &'s Vec<Cell>> + use<'s> {
    let name = table.name;
    source.rows.own.iter().filter(move |sheet| sheet.table.name == name).flat_map(|sheet| &sheet.rows)
}

/// Returns the failing records of all outcomes, each outcome once.
fn failures_rows(wanted: &WantedColumns, sources: &[RunSource]) -> Vec<Vec<Cell>> {
    let mut seen: HashSet<&Arc<str>> = HashSet::new();
    let mut rows = Vec::new();
    for source in sources {
        for (id, outcome) in &source.rows.outcomes {
            if seen.insert(id) {
                rows.extend(project(wanted, &RECORD_FAILURES, outcome.failures.iter()));
            }
        }
    }
    rows
}

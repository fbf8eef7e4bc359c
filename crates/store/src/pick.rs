//! Assembles requested rows from segments.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::slice;
use std::sync::Arc;

use super::cell::Cell;
use super::extract::WantedColumns;
use super::rows::{OutcomeRows, Outcomes};
use super::schema::{RECORD_FAILURES, TableSchema};
use super::segment_tables::{GROUPS, OUTCOMES, RESULTS, SLOW, TIMES, TableRows, place};

/// The rows of a run, read from the store or its journal.
pub(super) struct RunSource {
    pub(super) id: i64,
    /// The rows of this run only.
    pub(super) own: Vec<TableRows>,
    /// Outcomes of this run, and perhaps of others.
    pub(super) outcomes: Arc<Outcomes>,
}

/// The failing records that were assembled already: each outcome has them once.
#[derive(Default)]
pub(super) struct AssembledFailures {
    outcomes: HashSet<Arc<str>>,
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

/// Returns the wanted rows of a run. `first` has the first runs of outcomes that may have been read with other ones.
pub(super) fn source_rows(
    wanted: &WantedColumns,
    source: &RunSource,
    first: &HashMap<Arc<str>, i64>,
    assembled: &mut AssembledFailures,
) -> Vec<Vec<Cell>> {
    match wanted.table.name {
        "test_results" => joined(wanted, &OUTCOMES, source, |outcome| {
            outcome.map_or(&UNKNOWN_OUTCOME, |outcome| slice::from_ref(&outcome.outcome))
        }),
        "failure_groups" => {
            joined(wanted, &GROUPS, source, |outcome| outcome.map_or(&[], |outcome| &outcome.groups))
        }
        "slow_records" => project(wanted, &SLOW, sheet_rows(source, &SLOW)),
        "statement_times" => project(wanted, &TIMES, sheet_rows(source, &TIMES)),
        _ => assembled.failures_rows(wanted, source, first),
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

/// Returns the results of the run, each joined with rows of its outcome.
fn joined(
    wanted: &WantedColumns,
    table: &'static TableSchema,
    source: &RunSource,
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
    for own in sheet_rows(source, &RESULTS) {
        let outcome = own[outcome_id].as_text().and_then(|id| source.outcomes.get(id));
        for row in rows_of(outcome.map(Arc::as_ref)) {
            rows.push(picks.iter().map(|pick| picked(*pick, source, own, row)).collect());
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
    source.own.iter().filter(move |sheet| sheet.table.name == name).flat_map(|sheet| &sheet.rows)
}

impl AssembledFailures {
    /// Returns the failing records of the run's outcomes that were not assembled before, in the order of their ids.
    fn failures_rows(
        &mut self,
        wanted: &WantedColumns,
        source: &RunSource,
        first: &HashMap<Arc<str>, i64>,
    ) -> Vec<Vec<Cell>> {
        let outcome_id = place(&RESULTS, "outcome_id");
        let ids: BTreeSet<_> =
            sheet_rows(source, &RESULTS).filter_map(|own| own[outcome_id].as_text()).collect();
        let first_run = wanted.columns.iter().position(|column| column.name == "first_run_id");
        let mut rows = Vec::new();
        for id in ids {
            let Some((id, outcome)) = source.outcomes.get_key_value(id) else { continue };
            if !self.outcomes.insert(id.clone()) {
                continue;
            }
            let mut of_outcome = project(wanted, &RECORD_FAILURES, outcome.failures.iter());
            if let (Some(place), Some(run)) = (first_run, first.get(id)) {
                of_outcome.iter_mut().for_each(|row| row[place] = Cell::from(*run));
            }
            rows.append(&mut of_outcome);
        }
        rows
    }
}

//! Assembles requested rows from segments.

use std::collections::HashSet;
use std::sync::Arc;

use super::cell::Cell;
use super::extract::WantedColumns;
use super::load::RunSource;
use super::parts::{GROUPS, OUTCOMES, RESULTS, SLOW, place};
use super::schema::{RECORD_FAILURES, Table};

/// Returns the wanted columns of rows that have those of `table`.
pub(super) fn project<'r>(
    wanted: &WantedColumns,
    table: &Table,
    rows: impl Iterator<Item = &'r Vec<Cell>>,
) -> Vec<Vec<Cell>> {
    let places: Vec<_> = wanted.columns.iter().map(|column| place(table, column.name)).collect();
    rows.map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

pub(super) fn sources_rows(wanted: &WantedColumns, sources: &[RunSource]) -> Vec<Vec<Cell>> {
    match wanted.table.name {
        "test_results" => {
            let picks = picks(wanted, &[&RESULTS, &OUTCOMES]);
            sources.iter().flat_map(|source| results_rows(source, &picks)).collect()
        }
        "failure_groups" => {
            let picks = picks(wanted, &[&RESULTS, &GROUPS]);
            sources.iter().flat_map(|source| groups_rows(source, &picks)).collect()
        }
        "slow_records" => {
            let rows = sources.iter().flat_map(|source| sheet_rows(source, &SLOW));
            project(wanted, &SLOW, rows)
        }
        _ => failures_rows(wanted, sources),
    }
}

/// The source of a column's values.
#[derive(Debug, Clone, Copy)]
enum ColumnSource {
    Run,
    ResultId,
    Own(usize),
    Outcome(usize),
    /// Whether the status of the outcome is a pass, or a failure.
    Passed,
    Failed,
}

fn picks(wanted: &WantedColumns, [own, outcome]: &[&'static Table; 2]) -> Vec<ColumnSource> {
    let pick = |name: &str| match name {
        "run_id" => ColumnSource::Run,
        "result_id" => ColumnSource::ResultId,
        "passed" => ColumnSource::Passed,
        "failed" => ColumnSource::Failed,
        name => match own.place(name) {
            Some(place) => ColumnSource::Own(place),
            None => ColumnSource::Outcome(place(outcome, name)),
        },
    };
    wanted.columns.iter().map(|column| pick(column.name)).collect()
}

fn picked(pick: ColumnSource, source: &RunSource, own: &[Cell], outcome: Option<&[Cell]>) -> Cell {
    match pick {
        ColumnSource::Run => Cell::Integer(source.id),
        ColumnSource::ResultId => {
            let seq = own[place(&RESULTS, "seq")].as_integer().unwrap_or(0);
            Cell::Integer(source.id.saturating_mul(1_000_000).saturating_add(seq))
        }
        ColumnSource::Own(place) => own[place].clone(),
        ColumnSource::Passed | ColumnSource::Failed => {
            let status = outcome.and_then(|row| row.get(place(&OUTCOMES, "status"))?.as_text());
            status.map_or(Cell::Null, |status| {
                let passed = status == "PASS";
                let failed = !passed && status != "EMPTY";
                Cell::from(i64::from(if matches!(pick, ColumnSource::Passed) { passed } else { failed }))
            })
        }
        ColumnSource::Outcome(place) => outcome.and_then(|row| row.get(place)).cloned().unwrap_or(Cell::Null),
    }
}

fn sheet_rows<'s>(source: &'s RunSource, table: &Table) -> impl Iterator<Item = &'s Vec<Cell>> + use<'s> {
    let name = table.name;
    source.rows.own.iter().filter(move |sheet| sheet.table.name == name).flat_map(|sheet| &sheet.rows)
}

/// Returns the results of a run, joined with their outcomes.
fn results_rows(source: &RunSource, picks: &[ColumnSource]) -> Vec<Vec<Cell>> {
    let outcome_id = place(&RESULTS, "outcome_id");
    let row = |own: &Vec<Cell>| {
        let outcome = own[outcome_id].as_text().and_then(|id| source.rows.outcomes.get(id));
        let outcome = outcome.map(|outcome| outcome.outcome.as_slice());
        picks.iter().map(|pick| picked(*pick, source, own, outcome)).collect()
    };
    sheet_rows(source, &RESULTS).map(row).collect()
}

/// Returns the groups of failures of a run: those of each of its outcomes.
fn groups_rows(source: &RunSource, picks: &[ColumnSource]) -> Vec<Vec<Cell>> {
    let outcome_id = place(&RESULTS, "outcome_id");
    let rows = sheet_rows(source, &RESULTS).flat_map(|own| {
        let outcome = own[outcome_id].as_text().and_then(|id| source.rows.outcomes.get(id));
        let groups = outcome.map_or(&[][..], |outcome| outcome.groups.as_slice());
        groups
            .iter()
            .map(|group| picks.iter().map(|pick| picked(*pick, source, own, Some(group))).collect::<Vec<_>>())
    });
    rows.collect()
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

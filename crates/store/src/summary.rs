//! The summary of all runs: the runs themselves, and counters for each file. Always loaded first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::Cell;
use super::rows::Outcomes;
use super::schema::{FILE_STATS, TEST_FILES, TableColumn, TableSchema};
use super::segment_tables::{OUTCOMES, RESULTS, RUN, TableRows, UNTESTED, place};

/// Runs and counters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct StoreSummary {
    /// The runs by their numbers.
    pub(super) runs: BTreeMap<i64, Vec<Cell>>,
    /// The rows of `file_stats` by engine and identity of the file.
    pub(super) stats: BTreeMap<(Arc<str>, Arc<str>), Vec<Cell>>,
}

impl StoreSummary {
    /// Adds a run, which must be the newest, because counters depend on the order.
    pub(super) fn fold(&mut self, own: &[TableRows], outcomes: &Outcomes) {
        let [run, results, untested, ..] = own else { return };
        let Some(run) = run.rows.first() else { return };
        let of_run = |name: &str| &run[place(&RUN, name)];
        let engine: Arc<str> = Arc::from(of_run("engine").as_text().unwrap_or_default());
        let id = of_run("run_id").as_integer().unwrap_or_default();
        let [file, path, outcome_id, tested_at, duration] =
            ["file_id", "file_path", "outcome_id", "tested_at", "duration_ms"]
                .map(|name| place(&RESULTS, name));
        let [category, subcategory, status] =
            ["category", "subcategory", "status"].map(|name| place(&OUTCOMES, name));
        for result in &results.rows {
            let Some(outcome) = result[outcome_id].as_text().and_then(|id| outcomes.get(id)) else {
                continue;
            };
            let outcome = &outcome.outcome;
            let Some(stats) = self.stats_of(&engine, &result[file]) else { continue };
            set(stats, "file_path", result[path].clone());
            set(stats, "category", outcome[category].clone());
            set(stats, "subcategory", outcome[subcategory].clone());
            count_result(
                stats,
                id,
                &outcome[status],
                &result[tested_at],
                result[duration].as_integer().unwrap_or(0),
            );
        }
        for file in &untested.rows {
            let of_file = |name: &str| file[place(&UNTESTED, name)].clone();
            let Some(stats) = self.stats_of(&engine, &of_file("file_id")) else { continue };
            set(stats, "file_path", of_file("file_path"));
            set(stats, "category", of_file("category"));
            set(stats, "subcategory", of_file("subcategory"));
        }
        self.runs.insert(id, run.clone());
    }

    /// Returns the counters of a file; those of a new file are 0.
    fn stats_of(&mut self, engine: &Arc<str>, file: &Cell) -> Option<&mut Vec<Cell>> {
        let new = || {
            let cell = |column: &TableColumn| match column.name {
                "engine" => Cell::Text(engine.clone()),
                "file_id" => file.clone(),
                name if COUNTERS.contains(&name) => Cell::Integer(0),
                _ => Cell::Null,
            };
            FILE_STATS.columns.iter().map(cell).collect()
        };
        Some(self.stats.entry((engine.clone(), shared(file)?)).or_insert_with(new))
    }

    /// Returns the engine of the last run.
    pub(super) fn last_engine(&self) -> Option<Arc<str>> {
        shared(&self.runs.values().next_back()?[place(&RUN, "engine")])
    }

    pub(super) fn sheets(&self) -> [TableRows; 2] {
        let runs = TableRows { table: &RUN, rows: self.runs.values().cloned().collect() };
        [runs, TableRows { table: &FILE_STATS, rows: self.file_stats() }]
    }

    /// Returns the rows of `file_stats`.
    pub(super) fn file_stats(&self) -> Vec<Vec<Cell>> {
        self.stats.values().cloned().collect()
    }

    /// Returns the rows of `test_files`, for an engine.
    pub(super) fn test_files(&self, engine: &str) -> Vec<Vec<Cell>> {
        let of_engine = self.stats.iter().filter(|((name, _), _)| &**name == engine);
        let row = |(_, stats): (_, &Vec<Cell>)| {
            let cell = |column: &TableColumn| match (column.name, get(stats, "last_status")) {
                ("status", Cell::Null) => Cell::from("UNTESTED"),
                ("status", status) => status.clone(),
                (name, _) => get(stats, name).clone(),
            };
            TEST_FILES.columns.iter().map(cell).collect()
        };
        of_engine.map(row).collect()
    }

    pub(super) fn from_tables(sheets: &[TableRows]) -> Self {
        let mut summary = Self::default();
        let rows = |table: &'static TableSchema| {
            sheets.iter().filter(|sheet| sheet.table.name == table.name).flat_map(|sheet| &sheet.rows)
        };
        for run in rows(&RUN) {
            if let Some(id) = run[place(&RUN, "run_id")].as_integer() {
                summary.runs.insert(id, run.clone());
            }
        }
        for row in rows(&FILE_STATS) {
            if let (Some(engine), Some(file)) = (shared(get(row, "engine")), shared(get(row, "file_id"))) {
                summary.stats.insert((engine, file), row.clone());
            }
        }
        summary
    }
}

/// The columns of `file_stats` with the initial value 0.
const COUNTERS: [&str; 8] = ["runs", "passes", "fails", "timeouts", "crashes", "flips", "total_ms", "max_ms"];

/// Adds a result to the counters of its file.
fn count_result(stats: &mut [Cell], run: i64, status: &Cell, tested: &Cell, milliseconds: i64) {
    let word = status.as_text().unwrap_or_default();
    let good = match word {
        "PASS" => Some(true),
        "EMPTY" => None,
        _ => Some(false),
    };
    let last_good = get(stats, "last_good").as_integer().map(|good| good == 1);
    let number = |name| get(stats, name).as_integer().unwrap_or(0);
    let [total, max] = ["total_ms", "max_ms"].map(number);
    let counted = [
        ("runs", true),
        ("passes", good == Some(true)),
        ("fails", good == Some(false)),
        ("timeouts", word == "TIMEOUT"),
        ("crashes", word == "CRASH"),
        ("flips", good.is_some() && last_good.is_some() && good != last_good),
    ]
    .map(|(name, counts)| (name, number(name) + i64::from(counts)));
    counted.into_iter().for_each(|(name, count)| set(stats, name, count.into()));
    set(stats, "last_good", good.or(last_good).into());
    if good == Some(true) {
        set(stats, "last_passed", tested.clone());
    }
    set(stats, "last_status", status.clone());
    set(stats, "last_run_id", run.into());
    set(stats, "last_tested", tested.clone());
    set(stats, "total_ms", total.saturating_add(milliseconds).into());
    set(stats, "max_ms", max.max(milliseconds).into());
}

fn get<'s>(stats: &'s [Cell], name: &str) -> &'s Cell {
    &stats[place(&FILE_STATS, name)]
}

fn set(stats: &mut [Cell], name: &str, cell: Cell) {
    stats[place(&FILE_STATS, name)] = cell;
}

fn shared(cell: &Cell) -> Option<Arc<str>> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    }
}

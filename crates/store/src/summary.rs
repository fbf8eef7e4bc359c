//! The summary of all runs: the runs themselves, and counters for each file. Always loaded first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::Cell;
use super::parts::{OUTCOMES, RESULTS, RUN, TableRows, UNTESTED, place};
use super::rows::RunRows;
use super::schema::{FILE_STATS, TEST_FILES, Table};

/// Runs and counters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct StoreSummary {
    /// The runs by their numbers.
    pub(super) runs: BTreeMap<i64, Vec<Cell>>,
    /// The counters by engine and file.
    pub(super) stats: BTreeMap<(Arc<str>, Arc<str>), FileCounters>,
}

/// The counters of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FileCounters {
    category: Option<Arc<str>>,
    subcategory: Option<Arc<str>>,
    runs: i64,
    passes: i64,
    fails: i64,
    timeouts: i64,
    crashes: i64,
    flips: i64,
    last_status: Option<Arc<str>>,
    last_run: Option<i64>,
    last_tested: Option<Arc<str>>,
    last_passed: Option<Arc<str>>,
    total_ms: i64,
    max_ms: i64,
    /// Whether the last result that was neither empty nor untested was a pass.
    last_good: Option<bool>,
}

impl StoreSummary {
    /// Adds a run, which must be the newest, because counters depend on the order.
    pub(super) fn fold(&mut self, rows: &RunRows) {
        let [run, results, untested, ..] = rows.own.as_slice() else { return };
        let Some(run) = run.rows.first() else { return };
        let of_run = |name: &str| &run[place(&RUN, name)];
        let engine: Arc<str> = Arc::from(of_run("engine").as_text().unwrap_or_default());
        let id = of_run("run_id").as_integer().unwrap_or_default();
        let [file, outcome_id, tested_at, duration] =
            ["file_path", "outcome_id", "tested_at", "duration_ms"].map(|name| place(&RESULTS, name));
        let [category, subcategory, status] =
            ["category", "subcategory", "status"].map(|name| place(&OUTCOMES, name));
        for result in &results.rows {
            let Some(outcome) = result[outcome_id].as_text().and_then(|id| rows.outcomes.get(id)) else {
                continue;
            };
            let Some(path) = shared(&result[file]) else { continue };
            let stats = self.stats.entry((engine.clone(), path)).or_default();
            stats.category = shared(&outcome.outcome[category]);
            stats.subcategory = shared(&outcome.outcome[subcategory]);
            let milliseconds = result[duration].as_integer().unwrap_or(0);
            stats.enter(id, shared(&outcome.outcome[status]), shared(&result[tested_at]), milliseconds);
        }
        for file in &untested.rows {
            let Some(path) = shared(&file[place(&UNTESTED, "file_path")]) else { continue };
            let stats = self.stats.entry((engine.clone(), path)).or_default();
            stats.category = shared(&file[place(&UNTESTED, "category")]);
            stats.subcategory = shared(&file[place(&UNTESTED, "subcategory")]);
        }
        self.runs.insert(id, run.clone());
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
        self.stats.iter().map(|((engine, file), stats)| stats.row(engine, file)).collect()
    }

    /// Returns the rows of `test_files`, for an engine.
    pub(super) fn test_files(&self, engine: &str) -> Vec<Vec<Cell>> {
        let of_engine = self.stats.iter().filter(|((name, _), _)| &**name == engine);
        let row = |((_, file), stats): (&(Arc<str>, Arc<str>), &FileCounters)| -> Vec<Cell> {
            let status = stats.last_status.clone().unwrap_or_else(|| Arc::from("UNTESTED"));
            let cell = |name: &str| match name {
                "file_path" => Cell::Text(file.clone()),
                "category" => stats.category.clone().into(),
                "subcategory" => stats.subcategory.clone().into(),
                "status" => Cell::Text(status.clone()),
                "last_tested" => stats.last_tested.clone().into(),
                "last_passed" => stats.last_passed.clone().into(),
                _ => Cell::from(engine),
            };
            TEST_FILES.columns.iter().map(|column| cell(column.name)).collect()
        };
        of_engine.map(row).collect()
    }

    pub(super) fn of_sheets(sheets: &[TableRows]) -> Self {
        let mut summary = Self::default();
        let rows = |table: &'static Table| {
            sheets.iter().filter(|sheet| sheet.table.name == table.name).flat_map(|sheet| &sheet.rows)
        };
        for run in rows(&RUN) {
            if let Some(id) = run[place(&RUN, "run_id")].as_integer() {
                summary.runs.insert(id, run.clone());
            }
        }
        for row in rows(&FILE_STATS) {
            let cell = |name: &str| &row[place(&FILE_STATS, name)];
            if let (Some(engine), Some(file)) = (shared(cell("engine")), shared(cell("file_path"))) {
                summary.stats.insert((engine, file), FileCounters::of(&cell));
            }
        }
        summary
    }
}

impl FileCounters {
    fn enter(&mut self, run: i64, status: Option<Arc<str>>, tested: Option<Arc<str>>, milliseconds: i64) {
        let word = status.as_deref().unwrap_or_default();
        let good = match word {
            "PASS" => Some(true),
            "EMPTY" => None,
            _ => Some(false),
        };
        self.runs += 1;
        self.passes += i64::from(good == Some(true));
        self.fails += i64::from(good == Some(false));
        self.timeouts += i64::from(word == "TIMEOUT");
        self.crashes += i64::from(word == "CRASH");
        self.flips += i64::from(good.is_some() && self.last_good.is_some() && good != self.last_good);
        self.last_good = good.or(self.last_good);
        if good == Some(true) {
            self.last_passed.clone_from(&tested);
        }
        (self.last_status, self.last_run, self.last_tested) = (status, Some(run), tested);
        self.total_ms = self.total_ms.saturating_add(milliseconds);
        self.max_ms = self.max_ms.max(milliseconds);
    }

    fn row(&self, engine: &Arc<str>, file: &Arc<str>) -> Vec<Cell> {
        let cell = |name: &str| match name {
            "engine" => Cell::Text(engine.clone()),
            "file_path" => Cell::Text(file.clone()),
            "category" => self.category.clone().into(),
            "subcategory" => self.subcategory.clone().into(),
            "runs" => self.runs.into(),
            "passes" => self.passes.into(),
            "fails" => self.fails.into(),
            "timeouts" => self.timeouts.into(),
            "crashes" => self.crashes.into(),
            "flips" => self.flips.into(),
            "last_status" => self.last_status.clone().into(),
            "last_run_id" => self.last_run.into(),
            "last_tested" => self.last_tested.clone().into(),
            "last_passed" => self.last_passed.clone().into(),
            "total_ms" => self.total_ms.into(),
            "max_ms" => self.max_ms.into(),
            _ => Cell::from(self.last_good),
        };
        FILE_STATS.columns.iter().map(|column| cell(column.name)).collect()
    }

    fn of<'r>(cell: &impl Fn(&str) -> &'r Cell) -> Self {
        let number = |name: &str| cell(name).as_integer().unwrap_or(0);
        let text = |name: &str| shared(cell(name));
        Self {
            category: text("category"),
            subcategory: text("subcategory"),
            runs: number("runs"),
            passes: number("passes"),
            fails: number("fails"),
            timeouts: number("timeouts"),
            crashes: number("crashes"),
            flips: number("flips"),
            last_status: text("last_status"),
            last_run: cell("last_run_id").as_integer(),
            last_tested: text("last_tested"),
            last_passed: text("last_passed"),
            total_ms: number("total_ms"),
            max_ms: number("max_ms"),
            last_good: cell("last_good").as_integer().map(|good| good == 1),
        }
    }
}

fn shared(cell: &Cell) -> Option<Arc<str>> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    }
}

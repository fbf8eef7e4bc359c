//! The programming interface to results: stores and finds runs, without SQL or the command line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use super::cell::Cell;
use super::error::StoreError;
use super::extract::{Extract, HistoryWindow, WantedColumns};
use super::schema::{TEST_RESULTS, TEST_RUNS, TableSchema};
use super::store::{SealResult, Store};
use super::{RunId, StoreSnapshot};
use slt_core::engine::EngineId;
use slt_core::outcome::{FileReport, FileStatus, FlakyResult, RunEnd, RunHeader, RunReport};
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::{Circumstances, Imported, Journal, Opened, ResultsFolder};

/// The results of all runs of a folder.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use slt_core::outcome::FileStatus;
/// use slt_store::{ResultFilter, ResultStorage, TestResult};
///
/// # let folder = tempfile::tempdir()?;
/// let mut storage = ResultStorage::open(folder.path())?;
/// let run = storage.store_run(vec![
///     TestResult::new("select1.test", FileStatus::Passed, Duration::from_millis(120)),
///     TestResult {
///         message: Some("no such function: sqrt".to_owned()),
///         ..TestResult::new("functions.test", FileStatus::Failed, Duration::from_millis(45))
///     },
/// ])?;
/// let failed = storage.query(ResultFilter { statuses: vec![FileStatus::Failed], ..ResultFilter::default() })?;
/// assert_eq!((failed.len(), failed[0].run), (1, Some(run)));
/// assert_eq!(failed[0].message.as_deref(), Some("no such function: sqrt"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ResultStorage {
    store: Store,
    engine: EngineId,
}

/// The result of a file in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The run; `None` until it is stored.
    pub run: Option<RunId>,
    /// The path of the file, with `/` between its parts.
    pub file: String,
    /// The status of the file.
    pub status: FileStatus,
    /// The duration, to the millisecond.
    pub duration: Duration,
    /// The first problem.
    pub message: Option<String>,
    /// The time of the result, in milliseconds since 1970 in UTC. Defaults to the time of storing.
    pub tested_at: Option<i64>,
}

/// A filter for results. The default selects all results of the last 100 runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultFilter {
    /// The part of the history to search.
    pub window: HistoryWindow,
    /// Only this run.
    pub run: Option<RunId>,
    /// Only files with this path in reports, or this identity.
    pub file: Option<String>,
    /// Only results with one of these statuses; all if empty.
    pub statuses: Vec<FileStatus>,
    /// Only runs of this engine.
    pub engine: Option<String>,
}

/// A stored run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// Its number.
    pub id: RunId,
    /// The name of its folder.
    pub name: String,
    /// The engine under test.
    pub engine: String,
    /// Files with a result.
    pub files: u64,
    /// Files that passed.
    pub passed: u64,
}

impl Default for ResultFilter {
    fn default() -> Self {
        Self { window: HistoryWindow::Last(100), run: None, file: None, statuses: Vec::new(), engine: None }
    }
}

impl TestResult {
    /// Creates a result with only these facts.
    pub fn new(file: impl Into<String>, status: FileStatus, duration: Duration) -> Self {
        Self { run: None, file: file.into(), status, duration, message: None, tested_at: None }
    }
}

impl ResultStorage {
    /// Opens the results of a folder, and adds the runs that are not in the store yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`], for instance when the folder is not writable.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let storage =
            Self { store: Store::new(&ResultsFolder::new(folder)), engine: EngineId::named("unknown") };
        storage.catch_up()?;
        Ok(storage)
    }

    /// Sets the engine of the runs that [`store_run`](Self::store_run) stores.
    #[must_use]
    pub fn for_engine(self, engine: EngineId) -> Self {
        Self { engine, ..self }
    }

    /// Stores a run given by its file results. Each file counts as one record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Twice`], for two results of one file; nothing is stored then. Otherwise as
    /// [`store_report`](Self::store_report).
    pub fn store_run(&mut self, results: Vec<TestResult>) -> Result<RunId, StoreError> {
        let now = milliseconds_since_1970();
        let started = results.iter().filter_map(|result| result.tested_at).min().unwrap_or(now);
        let report = |result: TestResult| FileReport {
            finished: Some(result.tested_at.unwrap_or(now)),
            ..FileReport::of_whole(&result.file, result.status, result.message.as_deref(), result.duration)
        };
        let files: Vec<_> = results.into_iter().map(report).collect();
        let elapsed = files.iter().map(|file| file.elapsed).sum();
        let header = RunHeader {
            labels: self.engine.labels.clone(),
            engine: self.engine.clone(),
            exact: false,
            files: files.len(),
            flaky: FlakyResult::Pass,
        };
        let imported = Imported { from: "a program".to_owned(), digest: String::new(), untested: Vec::new() };
        let opened = Opened::from_import(started, imported, Circumstances::default());
        self.store_report(&opened, &RunReport { header, files, elapsed, end: RunEnd::Completed })
    }

    /// Stores a complete run: writes its journal, and adds it to the store.
    ///
    /// The name of the run in `opened` is ignored; its start time gives the name.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Once its journal is written, a run is not lost: the next opening adds it to the store.
    pub fn store_report(&mut self, opened: &Opened, report: &RunReport) -> Result<RunId, StoreError> {
        let mut files = HashSet::new();
        if let Some(twice) = report.files.iter().find(|file| !files.insert(&file.file)) {
            return Err(StoreError::Twice(twice.file.path().to_owned()));
        }
        let name = self.store.results.keep(opened, report)?;
        self.catch_up()?;
        RunId::from_name(&name)
    }

    /// Returns the matching results by run, and within a run in the order of storing.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn query(&self, filter: ResultFilter) -> Result<Vec<TestResult>, StoreError> {
        let window = if filter.run.is_some() { HistoryWindow::All } else { filter.window };
        let extract = self.load(&[&TEST_RUNS, &TEST_RESULTS], window)?;
        let engines: HashMap<_, _> = rows(&extract, &TEST_RUNS)
            .map(|run| (run("run_id").as_integer(), run("engine").as_text().unwrap_or_default().to_owned()))
            .collect();
        let words: Vec<_> = filter.statuses.iter().map(|status| status.label()).collect();
        let wanted = |result: &NamedRow<'_>| {
            let is_file =
                |file| ["file_path", "file_id"].iter().any(|name| result(name).as_text() == Some(file));
            let id = result("run_id").as_integer();
            filter.run.is_none_or(|run| id == Some(run.0))
                && filter.file.as_deref().is_none_or(is_file)
                && (words.is_empty() || result("status").as_text().is_some_and(|word| words.contains(&word)))
                && filter.engine.as_ref().is_none_or(|engine| engines.get(&id) == Some(engine))
        };
        Ok(rows(&extract, &TEST_RESULTS).filter(wanted).filter_map(|result| result_of(&result)).collect())
    }

    /// Returns all runs, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn runs(&self) -> Result<Vec<StoredRun>, StoreError> {
        let extract = self.load(&[&TEST_RUNS], HistoryWindow::All)?;
        let count = |cell: &Cell| cell.as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        let text = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
        let run = |run: NamedRow<'_>| {
            Some(StoredRun {
                id: RunId(run("run_id").as_integer()?),
                name: text(run("name")),
                engine: text(run("engine")),
                files: count(run("total_files")),
                passed: count(run("passed")),
            })
        };
        Ok(rows(&extract, &TEST_RUNS).filter_map(run).collect())
    }

    /// Reads a whole run from its journal; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`StoreError`], for instance when its journal was removed.
    pub fn run(&self, id: RunId) -> Result<Option<Journal>, StoreError> {
        let found = self.runs()?.into_iter().find(|run| run.id == id);
        Ok(found.map(|run| self.store.results.journal(Some(&run.name))).transpose()?)
    }

    fn catch_up(&self) -> Result<SealResult, StoreError> {
        self.store.catch_up(&mut |_, _| {})
    }

    fn load(&self, tables: &[&'static TableSchema], window: HistoryWindow) -> Result<Extract, StoreError> {
        let wanted: Vec<_> = tables.iter().map(|table| WantedColumns::all(table)).collect();
        let pin: StoreSnapshot = self.store.pin()?;
        self.store.load(&pin, &wanted, window, None)
    }
}

/// Access to a row by column names.
type NamedRow<'r> = Box<dyn Fn(&str) -> &'r Cell + 'r>;

fn rows<'e>(
    extract: &'e Extract,
    table: &'static TableSchema,
) -> impl Iterator<Item = NamedRow<'e>> + use<'e> {
    let loaded = extract.tables.iter().filter(move |loaded| loaded.wanted.table.name == table.name);
    loaded.flat_map(|loaded| &loaded.rows).map(move |row| {
        let row: NamedRow<'e> =
            Box::new(move |name| table.place(name).map_or(&Cell::Null, |place| &row[place]));
        row
    })
}

fn result_of(row: &NamedRow<'_>) -> Option<TestResult> {
    let statuses: BTreeMap<_, _> = FileStatus::ALL.iter().map(|status| (status.label(), *status)).collect();
    let milliseconds = row("duration_ms").as_integer().and_then(|time| u64::try_from(time).ok());
    Some(TestResult {
        run: row("run_id").as_integer().map(RunId),
        file: row("file_path").as_text()?.to_owned(),
        status: *statuses.get(row("status").as_text()?)?,
        duration: Duration::from_millis(milliseconds.unwrap_or(0)),
        message: row("error_message").as_text().map(str::to_owned),
        tested_at: row("tested_at").as_text().and_then(moment),
    })
}

/// Parses a time of the tables as milliseconds since 1970.
fn moment(text: &str) -> Option<i64> {
    let time: jiff::civil::DateTime = text.parse().ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

//! Loads rows of the store for a query. Reading changes nothing and takes no lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::RunId;
use super::cell::Cell;
use super::error::StoreError;
use super::extract::{Extract, HistoryWindow, RowReceiver, WantedColumns};
use super::manifest::{Manifest, SealedRun};
use super::pick::{AssembledFailures, RunSource, project, source_rows};
use super::read::{collect_outcomes, known_of};
use super::rows::{Outcomes, RunRows, iso, rows_of};
use super::schema::{TEST_RESULTS, TableSchema};
use super::segment::TextPool;
use super::segment_tables::{
    FAILURES, GROUPS, KNOWN, OUTCOMES, RESULTS, RUN, SLOW, TIMES, TableRows, UNTESTED, place,
};
use super::store::Store;
use super::summary::StoreSummary;
use slt_runner::results::folder::is_running;
use slt_runner::text::count::plural;

/// A snapshot of the store, shared by several processes: later writes do not affect their reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreSnapshot {
    manifest: Manifest,
    /// Runs that are read from their journals.
    live: Vec<LiveRun>,
    notes: Vec<String>,
    /// Whether the manifest is damaged.
    damaged: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct LiveRun {
    id: i64,
    name: String,
    /// The length of its journal.
    journal: u64,
    running: bool,
}

impl Store {
    /// Takes a snapshot of the store: the sealed runs, and the journal lengths of the others.
    ///
    /// # Errors
    ///
    /// [`StoreError`], when the folder of runs cannot be listed or the store has a newer version.
    pub fn pin(&self) -> Result<StoreSnapshot, StoreError> {
        let (mut notes, mut damaged) = (Vec::new(), false);
        let manifest = match Manifest::read(&self.disk.manifest()) {
            Ok(manifest) => manifest,
            Err(StoreError::Damaged(path)) => {
                notes.push(format!("`{}` is damaged; everything is read from the journals", path.display()));
                damaged = true;
                Manifest::new()
            }
            Err(error) => return Err(error),
        };
        let mut live = Vec::new();
        for name in self.results.runs()? {
            // In this order: a run that ends in between counts as running, and is read from its journal.
            let running = is_running(&self.results.run_path(&name));
            let Some(journal) = self.results.journal_bytes(&name) else { continue };
            match manifest.run(&name) {
                // A resumed run is running before it has a new result.
                Some(run) if self.is_as_sealed(run, journal) && !running => continue,
                Some(run) if run.journal > journal => {
                    notes.push(format!(
                        "the journal of run {name} is shorter than it was; the store has the run"
                    ));
                    continue;
                }
                _ => {}
            }
            match RunId::from_name(&name) {
                Ok(id) => live.push(LiveRun { id: id.0, name, journal, running }),
                Err(error) => notes.push(error.to_string()),
            }
        }
        Ok(StoreSnapshot { manifest, live, notes, damaged })
    }

    /// Returns the names of the engines of all runs.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn engines(&self, pin: &StoreSnapshot) -> Result<BTreeSet<String>, StoreError> {
        let mut loader = self.loader(pin);
        let live = loader.live();
        let summary = loader.summary(&live)?;
        let engines = summary.runs.values().filter_map(|run| run[place(&RUN, "engine")].as_text());
        Ok(engines.map(str::to_owned).collect())
    }

    fn loader<'l>(&'l self, pin: &'l StoreSnapshot) -> Loader<'l> {
        let (notes, damaged) = (pin.notes.clone(), pin.damaged);
        Loader { store: self, pin, instead: BTreeSet::new(), notes, damaged }
    }

    /// Loads the wanted tables. Test files are those of `engine`, or of the engine of the last run.
    ///
    /// In place of damaged segments the journal is read, and the extract has a note about the damage. A run whose
    /// segment and journal are both unreadable is omitted, and noted as well.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn load(
        &self,
        pin: &StoreSnapshot,
        wanted: &[WantedColumns],
        window: HistoryWindow,
        engine: Option<&str>,
    ) -> Result<Extract, StoreError> {
        Extract::collect(wanted, |receive| self.load_by_run(pin, wanted, window, engine, receive))
    }

    /// Loads the wanted tables as [`load`](Self::load) does, but gives the rows to `receive`, run by run. The extract
    /// has no tables.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn load_by_run(
        &self,
        pin: &StoreSnapshot,
        wanted: &[WantedColumns],
        window: HistoryWindow,
        engine: Option<&str>,
        receive: RowReceiver<'_>,
    ) -> Result<Extract, StoreError> {
        let mut loader = self.loader(pin);
        let live = loader.live();
        let summary = loader.summary(&live)?;
        let ids = chosen(&summary, window);
        let engine = engine.map(Arc::from).or_else(|| summary.last_engine()).unwrap_or_else(|| Arc::from(""));
        for one in wanted {
            match one.table.name {
                "test_runs" => receive(one, project(one, &RUN, summary.runs.values())),
                "file_stats" => receive(one, project(one, one.table, summary.file_stats().iter())),
                "test_files" => receive(one, project(one, one.table, summary.test_files(&engine).iter())),
                _ => {}
            }
        }
        let runs = summary.runs.len();
        drop(summary);
        let windowed: Vec<_> = wanted.iter().filter(|one| is_windowed(one.table)).collect();
        if !windowed.is_empty() {
            loader.results(&ids, &live, &windowed, receive);
        }
        Ok(Extract {
            tables: Vec::new(),
            runs,
            loaded: ids.len(),
            notes: loader.notes,
            damaged: loader.damaged,
        })
    }
}

/// Returns whether only a part of a table is loaded.
pub(super) fn is_windowed(table: &TableSchema) -> bool {
    !matches!(table.name, "test_runs" | "file_stats" | "test_files")
}

/// Returns the runs of a window.
fn chosen(summary: &StoreSummary, window: HistoryWindow) -> BTreeSet<i64> {
    let all = summary.runs.keys().copied();
    match window {
        HistoryWindow::All => all.collect(),
        HistoryWindow::Last(most) => all.rev().take(most).collect(),
        HistoryWindow::Since(time) => {
            let (since, started) = (iso(time), place(&RUN, "started_at"));
            let later = |run: &&Vec<Cell>| run[started].as_text().is_some_and(|started| started >= &*since);
            let runs = summary.runs.iter().filter(|(_, run)| later(run));
            runs.map(|(id, _)| *id).collect()
        }
    }
}

fn chosen_tables<const N: usize>(tables: [(bool, &'static TableSchema); N]) -> Vec<&'static TableSchema> {
    tables.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, table)| table).collect()
}

struct Loader<'l> {
    store: &'l Store,
    pin: &'l StoreSnapshot,
    /// The runs that are read from their journals, also if the store has them.
    instead: BTreeSet<i64>,
    notes: Vec<String>,
    damaged: bool,
}

/// The sealed runs of a part of the history.
struct SealedPart<'l> {
    runs: Vec<&'l SealedRun>,
    /// The tables to be read of each run.
    own: Vec<&'static TableSchema>,
    outcomes: Arc<Outcomes>,
    /// The runs with outcomes that cannot be read.
    unreadable: BTreeSet<i64>,
    texts: TextPool,
}

impl<'l> Loader<'l> {
    /// Reads the runs that are read from their journals, the oldest first.
    fn live(&mut self) -> Vec<RunSource> {
        let mut found = Vec::new();
        for live in &self.pin.live {
            match self.of_journal(&live.name, live.id, live.journal, live.running) {
                Ok(source) => found.push(source),
                Err(_) if self.pin.manifest.run(&live.name).is_some() => {
                    self.notes
                        .push(format!("the journal of run {} cannot be read; the store has it", live.name));
                    continue;
                }
                Err(error) => {
                    self.notes.push(format!("run {} is left out: {}", live.name, error.with_cause()));
                }
            }
            self.instead.insert(live.id);
        }
        found.sort_by_key(|source| source.id);
        found
    }

    fn of_journal(
        &mut self,
        name: &str,
        id: i64,
        length: u64,
        running: bool,
    ) -> Result<RunSource, StoreError> {
        let journal = self.store.journal(name, length)?;
        if journal.damaged > 0 {
            let lines = plural(journal.damaged as u64, "line");
            self.notes.push(format!("{lines} of the journal of run {name} damaged"));
        }
        let RunRows { own, outcomes } = rows_of(&journal, RunId(id), running);
        Ok(RunSource { id, own, outcomes: Arc::new(outcomes) })
    }

    fn summary(&mut self, live: &[RunSource]) -> Result<StoreSummary, StoreError> {
        let manifest = &self.pin.manifest;
        let newest = manifest.runs.last().map(|run| run.id);
        let sealed = self.store.summary(manifest);
        let in_order = live.iter().all(|source| newest.is_none_or(|newest| source.id > newest));
        let mut summary = match sealed {
            Ok(summary) if in_order => summary,
            other => {
                if let Err(error) = other {
                    self.note_damage(&error);
                }
                // Counters depend on the order of runs, so all runs are read in order.
                let ids = manifest.runs.iter().map(|run| run.id).collect();
                let all = TextPool::default();
                let mut part = self.sealed(&ids, &[&RUN, &RESULTS, &UNTESTED], &[&OUTCOMES], all);
                let mut summary = StoreSummary::default();
                let mut live = live.iter().peekable();
                for run in std::mem::take(&mut part.runs) {
                    let Some(source) = self.read_sealed(&mut part, run) else { continue };
                    while let Some(earlier) = live.next_if(|live| live.id < source.id) {
                        summary.fold(&earlier.own, &earlier.outcomes);
                    }
                    summary.fold(&source.own, &source.outcomes);
                }
                live.for_each(|source| summary.fold(&source.own, &source.outcomes));
                return Ok(summary);
            }
        };
        live.iter().for_each(|source| summary.fold(&source.own, &source.outcomes));
        Ok(summary)
    }

    /// Notes a damaged file, unless the store has replaced it meanwhile.
    fn note_damage(&mut self, error: &StoreError) {
        let replaced = |now: Manifest| now != self.pin.manifest;
        let missing = error.is_damage() && !matches!(error, StoreError::Damaged(_));
        if missing && Manifest::read(&self.store.disk.manifest()).is_ok_and(replaced) {
            return;
        }
        self.damaged = true;
        self.notes.push(error.with_cause());
    }

    /// Returns the first runs of outcomes, if rows of their sources may contain other runs.
    fn first_runs(&mut self, live: &[RunSource]) -> HashMap<Arc<str>, i64> {
        let mut first = HashMap::new();
        if live.is_empty() && !self.damaged {
            return first;
        }
        if let Some(file) = &self.pin.manifest.known {
            match self.store.read(file, &[&KNOWN]) {
                Ok(sheets) => {
                    first.extend(sheets.iter().flat_map(|sheet| &sheet.rows).filter_map(|row| known_of(row)));
                }
                Err(error) => self.note_damage(&error),
            }
        }
        for source in live.iter().rev() {
            for outcome in source.outcomes.keys() {
                let run = first.entry(outcome.clone()).or_insert(source.id);
                *run = source.id.min(*run);
            }
        }
        first
    }

    /// Gives the wanted rows of the chosen runs, the oldest run first. Of the runs only one is in memory at a time.
    fn results(
        &mut self,
        ids: &BTreeSet<i64>,
        live: &[RunSource],
        wanted: &[&WantedColumns],
        receive: RowReceiver<'_>,
    ) {
        let is_wanted = |name: &str| wanted.iter().any(|one| one.table.name == name);
        let [results, groups, failures, slow, times] =
            ["test_results", "failure_groups", "record_failures", "slow_records", "statement_times"]
                .map(is_wanted);
        let is_shared = |name: &str| RESULTS.place(name).is_none() && name != "run_id" && name != "result_id";
        let of_results = wanted.iter().filter(|one| one.table == &TEST_RESULTS);
        let shared = of_results.flat_map(|one| &one.columns).any(|column| is_shared(column.name));
        let own = chosen_tables([(results || groups || failures, &RESULTS), (slow, &SLOW), (times, &TIMES)]);
        let outcomes = chosen_tables([(shared, &OUTCOMES), (groups, &GROUPS), (failures, &FAILURES)]);
        // The columns that link the tables, and those behind `passed` and `failed`, are always needed.
        let columns = wanted.iter().flat_map(|one| &one.columns).map(|column| column.name);
        let texts = TextPool::only(columns.chain(["outcome_id", "status"]));
        let mut part = self.sealed(ids, &own, &outcomes, texts);
        let mut first = if failures { self.first_runs(live) } else { HashMap::new() };
        let mut assembled = AssembledFailures::default();
        let mut give = |source: &RunSource, first: &HashMap<Arc<str>, i64>| {
            for one in wanted {
                receive(one, source_rows(one, source, first, &mut assembled));
            }
        };
        let mut earlier = live.iter().filter(|source| ids.contains(&source.id)).peekable();
        for run in std::mem::take(&mut part.runs) {
            let was_damaged = self.damaged;
            let Some(source) = self.read_sealed(&mut part, run) else { continue };
            if failures && self.damaged && !was_damaged {
                // A journal does not know the runs before it.
                first = self.first_runs(live);
            }
            while let Some(earlier) = earlier.next_if(|live| live.id < source.id) {
                give(earlier, &first);
            }
            give(&source, &first);
        }
        earlier.for_each(|source| give(source, &first));
    }

    /// Prepares to read sealed runs: some tables of their own, and some of their outcomes, which are read at once.
    fn sealed(
        &mut self,
        ids: &BTreeSet<i64>,
        own: &[&'static TableSchema],
        of_outcomes: &[&'static TableSchema],
        mut texts: TextPool,
    ) -> SealedPart<'l> {
        let manifest = &self.pin.manifest;
        let instead = &self.instead;
        let runs = manifest.runs.iter().filter(|run| ids.contains(&run.id) && !instead.contains(&run.id));
        let runs: Vec<_> = runs.collect();
        let needed: BTreeSet<i64> = runs.iter().flat_map(|run| run.needs.iter().copied()).collect();
        let mut outcomes = BTreeMap::new();
        let mut unreadable = BTreeSet::new();
        for run in needed.iter().filter(|_| !of_outcomes.is_empty()) {
            let file = manifest.outcomes_of(*run);
            let sheets = file.map(|file| self.store.read_texts(file, of_outcomes, &mut texts));
            match sheets {
                Some(Ok(sheets)) => collect_outcomes(&mut outcomes, &sheets),
                Some(Err(error)) => {
                    self.note_damage(&error);
                    unreadable.insert(*run);
                }
                None => {
                    unreadable.insert(*run);
                }
            }
        }
        SealedPart { runs, own: own.to_vec(), outcomes: Arc::new(outcomes), unreadable, texts }
    }

    /// Reads a run of the part from its segment, or from its journal if the store has lost something of it.
    fn read_sealed(&mut self, part: &mut SealedPart<'_>, run: &SealedRun) -> Option<RunSource> {
        let whole = run.needs.iter().all(|needed| !part.unreadable.contains(needed));
        if let Some(own) = self.read_own(run, &part.own, &mut part.texts).filter(|_| whole) {
            return Some(RunSource { id: run.id, own, outcomes: part.outcomes.clone() });
        }
        match self.of_journal(&run.name, run.id, run.journal, false) {
            Ok(source) => Some(source),
            // The other runs do not need it.
            Err(error) => {
                self.notes.push(format!("run {} is left out: {}", run.name, error.with_cause()));
                None
            }
        }
    }

    fn read_own(
        &mut self,
        run: &SealedRun,
        tables: &[&'static TableSchema],
        texts: &mut TextPool,
    ) -> Option<Vec<TableRows>> {
        let sheets = self.store.read_texts(&run.file, tables, texts);
        sheets.map_err(|error| self.note_damage(&error)).ok()
    }
}

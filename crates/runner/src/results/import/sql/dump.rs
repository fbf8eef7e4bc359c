//! Builds runs from the rows of a dump.
//!
//! The earlier scripts stored a parallel run twice: while it ran, with statuses from exit codes, which are 0 for
//! files that fail; and once more from its results, which lack the files that crashed or took too long. The two are
//! found and put together here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::files::ImportedFiles;
use super::super::oddity::run;
use super::super::status::{status_of, status_of_file};
use super::super::{ForeignRun, ImportError, ImportResult, ImportWarning, RunOrigin, known_time};
use super::moment::moment;
use super::statement::{DumpChange, DumpRow, DumpTable, DumpValue, changes};
use crate::results::circumstances::{CiRun, Circumstances, Commit};
use crate::results::digest;
use crate::wire;
use slt_core::outcome::{FileReport, FileStatus};

/// The maximum time between a run and the second storage of its results, in milliseconds.
const AFTERWARDS: i64 = 10 * 60 * 1000;

pub(in super::super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let mut oddities = Vec::new();
    let (mut runs, mut untested) = rows(changes(text, &mut oddities)?, &mut oddities);
    if runs.is_empty() {
        return Err(ImportError::Nothing("row of `test_runs` or `test_results`"));
    }
    runs.retain(|run| {
        if run.results.is_empty() {
            oddities.push(ImportWarning::Empty(run.id.clone()));
        }
        !run.results.is_empty()
    });
    runs.sort_by_key(DumpRun::started);
    let mut runs = pairs(runs, &mut oddities);
    // A file that was never run was not run last either, and nothing says which earlier runs should have run it.
    for result in runs.iter().flat_map(|run| &run.results) {
        untested.remove(&result.file);
    }
    if let Some(last) = runs.last_mut() {
        last.untested = untested;
    }
    let runs = runs.iter().map(|run| run.to_foreign(changed, &mut oddities)).collect();
    Ok(ImportResult { runs, oddities })
}

/// A row of `test_runs`, with the rows of `test_results` that belong to it.
#[derive(Debug, Default)]
struct DumpRun {
    id: String,
    row: DumpRow,
    results: Vec<DumpResult>,
    /// Files of the dump that no run has tested.
    untested: BTreeSet<String>,
    /// What was added from another run: the number of files that exist, and the time that it took.
    wanted: usize,
    span: Option<(i64, i64)>,
}

/// A row of `test_results`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DumpResult {
    file: String,
    status: String,
    tested: Option<i64>,
    duration: Option<u64>,
    message: Option<String>,
    kind: Option<String>,
}

/// Assigns results to their runs, and finds untested files. The runs are in the order of the dump.
fn rows(changes: Vec<DumpChange>, oddities: &mut Vec<ImportWarning>) -> (Vec<DumpRun>, BTreeSet<String>) {
    let (mut order, mut runs) = (Vec::new(), BTreeMap::<String, DumpRun>::new());
    let mut files = BTreeMap::new();
    for change in changes {
        match change {
            DumpChange::Insert { table: DumpTable::Files, row } => {
                let is_untested = text(&row, &["status"]).is_some_and(|word| status_of(&word) == Some(None));
                // A later row replaces an earlier one.
                files.extend(text(&row, &["file_path"]).map(|file| (file, is_untested)));
            }
            DumpChange::Insert { table: DumpTable::Runs, row } => {
                let id = text(&row, &["run_id", "id"]).unwrap_or_default();
                let run = runs.entry(id.clone()).or_insert_with(|| {
                    order.push(id.clone());
                    DumpRun { id: id.clone(), ..DumpRun::default() }
                });
                if !run.row.is_empty() {
                    oddities.push(ImportWarning::RunAgain(id));
                }
                run.row = row;
            }
            DumpChange::Insert { table: DumpTable::Results, row } => {
                let id = text(&row, &["run_id"]).unwrap_or_default();
                let run = runs.entry(id.clone()).or_insert_with(|| {
                    order.push(id.clone());
                    DumpRun { id, ..DumpRun::default() }
                });
                run.results.push(DumpResult::from_row(&row));
            }
            DumpChange::UpdateRuns { set, run } => {
                let run = run.and_then(|value| word(&value));
                let concerned = runs.values_mut().filter(|one| run.as_ref().is_none_or(|run| *run == one.id));
                concerned.for_each(|one| one.row.extend(set.clone()));
            }
        }
    }
    let runs = order.into_iter().filter_map(|id| runs.remove(&id)).collect();
    (runs, files.into_iter().filter(|(_, is_untested)| *is_untested).map(|(file, _)| file).collect())
}

fn word(value: &DumpValue) -> Option<String> {
    match value {
        DumpValue::Null => None,
        DumpValue::Number(text) | DumpValue::Text(text) => Some(text.clone()),
    }
}

/// Returns the first of these columns that a row has; their names depend on the schema.
fn text(row: &DumpRow, columns: &[&str]) -> Option<String> {
    columns.iter().find_map(|column| row.get(*column)).and_then(word)
}

fn number(row: &DumpRow, columns: &[&str]) -> Option<u64> {
    let number: f64 = text(row, columns)?.trim().parse().ok()?;
    (number >= 0.0).then_some(number as u64)
}

fn time(row: &DumpRow, columns: &[&str]) -> Option<i64> {
    moment(&text(row, columns)?)
}

impl DumpResult {
    fn from_row(row: &DumpRow) -> Self {
        Self {
            file: text(row, &["file_path", "test_file", "file"]).unwrap_or_default(),
            status: text(row, &["status"]).unwrap_or_default(),
            tested: time(row, &["tested_at", "timestamp"]),
            duration: number(row, &["duration_ms", "execution_time_ms"]),
            message: text(row, &["error_message"]),
            kind: text(row, &["error_type"]),
        }
    }

    fn passed(&self) -> bool {
        self.status() == Some(Some(FileStatus::Passed))
    }

    fn status(&self) -> Option<Option<FileStatus>> {
        status_of(&self.status)
    }

    /// Builds the report; `later` is added to all times, in milliseconds.
    fn report(&self, later: i64, oddities: &mut Vec<ImportWarning>) -> Option<FileReport> {
        let status = status_of_file(&self.file, &self.status, oddities)?;
        let elapsed = known_time(self.duration);
        let mut report = FileReport::of_whole(&self.file, status, self.message.as_deref(), elapsed);
        if let Some(detail) = report.failures.first_mut().and_then(|record| record.detail.as_mut()) {
            detail.header = self.kind.clone().unwrap_or_default();
        }
        report.finished = self.tested.map(|tested| tested.saturating_add(later));
        Some(report)
    }
}

impl DumpRun {
    /// Returns the recorded start time, often without a time zone.
    fn said_start(&self) -> Option<i64> {
        time(&self.row, &["started_at", "timestamp", "run_timestamp"])
            .or_else(|| self.results.iter().filter_map(|result| result.tested).min())
    }

    /// Returns the start time. The identifier of a run is its second in UTC, which replaces a missing time zone.
    fn started(&self) -> Option<i64> {
        const FARTHEST_ZONE: u64 = 15 * 60 * 60 * 1000;
        let said = self.said_start();
        let second = self.id.parse::<i64>().ok().and_then(|second| second.checked_mul(1000));
        match (said, second) {
            (Some(said), Some(second)) if said.abs_diff(second) < FARTHEST_ZONE => Some(second),
            (said, _) => said,
        }
    }

    fn said_end(&self) -> Option<i64> {
        time(&self.row, &["completed_at"])
    }

    fn elapsed(&self) -> Duration {
        let span = self.span.or_else(|| self.said_start().zip(self.said_end()));
        let milliseconds = span.and_then(|(start, end)| u64::try_from(end - start).ok());
        Duration::from_millis(milliseconds.unwrap_or(0))
    }

    fn files(&self) -> BTreeSet<&str> {
        self.results.iter().map(|result| result.file.as_str()).collect()
    }

    fn wanted(&self) -> usize {
        let said = number(&self.row, &["total_files"]).and_then(|files| usize::try_from(files).ok());
        said.unwrap_or(0).max(self.wanted)
    }

    /// Returns whether this was stored while it was running, and `other` is the same run, stored from its results.
    ///
    /// | | |
    /// |---|---|
    /// | this has durations, the other none | only what went on was measured |
    /// | the other took no time | it was stored, not run |
    /// | the other began before this ended, or soon after | |
    /// | the other has no files but those of this | |
    fn is_streamed(&self, other: &Self) -> bool {
        let (Some(start), Some(stored)) = (self.said_start(), other.said_start()) else { return false };
        let last = self.results.iter().filter_map(|result| result.tested).max();
        let end = self.said_end().or(last).unwrap_or(start).max(start);
        self.results.iter().any(|result| result.duration.is_some())
            && other.results.iter().all(|result| result.duration.is_none())
            && other.elapsed().is_zero()
            && (start..=end + AFTERWARDS).contains(&stored)
            && other.files().is_subset(&self.files())
    }

    /// Combines two runs; this one was stored while it was running.
    fn with(self, processed: Self, oddities: &mut Vec<ImportWarning>) -> Self {
        let own: BTreeMap<_, _> = self.results.iter().map(|result| (result.file.as_str(), result)).collect();
        let (mut results, mut wrong) = (processed.results.clone(), 0);
        for result in &mut results {
            if let Some(own) = own.get(result.file.as_str()) {
                wrong += usize::from(own.status() != result.status());
                (result.duration, result.tested) = (own.duration, own.tested);
            }
        }
        // For files without a result, an exit code counts unless it means success.
        let known = processed.files();
        let (unsure, lost): (Vec<_>, Vec<_>) = self
            .results
            .iter()
            .filter(|result| !known.contains(result.file.as_str()))
            .partition(|result| result.passed());
        results.extend(lost.into_iter().cloned());
        if !unsure.is_empty() {
            oddities.push(ImportWarning::Unsure { run: self.id.clone(), files: unsure.len() });
        }
        let (streamed, processed_id) = (self.id.clone(), processed.id.clone());
        oddities.push(ImportWarning::Twice { streamed, processed: processed_id, wrong });
        let span = self.said_start().zip(self.said_end());
        let wanted = self.wanted().max(self.results.len());
        let mut row = self.row;
        // These are sums of the results that are kept, and of no others.
        for column in ["passed", "failed"] {
            row.remove(column);
        }
        Self { id: self.id, row, results, untested: BTreeSet::new(), wanted, span }
    }

    fn to_foreign(&self, changed: i64, oddities: &mut Vec<ImportWarning>) -> ForeignRun {
        let mut files = ImportedFiles::default();
        // The zone that the identifier of the run makes good for is also that of its results.
        let later = self.started().zip(self.said_start()).map_or(0, |(started, said)| started - said);
        for file in &self.untested {
            files.add_untested(file, oddities);
        }
        for result in &self.results {
            match result.report(later, oddities) {
                Some(report) => files.add(report, oddities),
                None => files.add_untested(&result.file, oddities),
            }
        }
        let (files, untested) = files.into_parts();
        let is = |status| files.iter().filter(|file| file.status() == status).count() as u64;
        let passed = is(FileStatus::Passed);
        let not_passed = files.len() as u64 - passed - is(FileStatus::Empty);
        // Files over their time are sometimes counted with those that failed.
        let failed = match number(&self.row, &["failed", "failed_files"]) {
            Some(said) if said.saturating_add(is(FileStatus::TimedOut)) == not_passed => said,
            _ => not_passed,
        };
        let counts = [
            ("passed files", number(&self.row, &["passed", "passed_files"]), passed),
            ("failed files", number(&self.row, &["failed", "failed_files"]), failed),
        ];
        oddities.extend(ImportWarning::wrong_counts(&run(&self.id), counts));
        if self.row.is_empty() {
            oddities.push(ImportWarning::Headless(self.id.clone()));
        }
        let started = self.started();
        if started.is_none() {
            oddities.push(ImportWarning::Undated);
        }
        // Independent of the format of the source.
        let mut content = format!("{} {started:?} ", self.id).into_bytes();
        content.extend(wire::bytes_of_reports(&files));
        ForeignRun {
            started: started.unwrap_or(changed),
            elapsed: self.elapsed(),
            wanted: self.wanted().max(files.len() + untested.len()),
            files,
            untested,
            origin: RunOrigin::default(),
            circumstances: self.circumstances(),
            digest: digest::of(&content),
        }
    }

    fn circumstances(&self) -> Circumstances {
        let commit = text(&self.row, &["git_commit"]).map(|hash| Commit {
            hash,
            branch: text(&self.row, &["branch_name", "git_branch"]),
            dirty: false,
        });
        Circumstances {
            workers: number(&self.row, &["workers"])
                .and_then(|workers| usize::try_from(workers).ok())
                .unwrap_or(0),
            budget: number(&self.row, &["time_budget"]).map(Duration::from_secs),
            seed: number(&self.row, &["seed"]),
            commit,
            ci: text(&self.row, &["ci_run_id"]).map(|id| CiRun { id, url: None }),
            ..Circumstances::default()
        }
    }
}

/// Combines the runs that were stored twice.
fn pairs(runs: Vec<DumpRun>, oddities: &mut Vec<ImportWarning>) -> Vec<DumpRun> {
    let mut done: Vec<DumpRun> = Vec::new();
    for run in runs {
        // A combined run has a span.
        let streamed = done.iter().rposition(|earlier| earlier.span.is_none() && earlier.is_streamed(&run));
        match streamed {
            Some(at) => {
                let streamed = std::mem::take(&mut done[at]);
                done[at] = streamed.with(run, oddities);
            }
            None => done.push(run),
        }
    }
    done
}

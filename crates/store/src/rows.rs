//! Converts the journal of a run to rows (pure functions).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::RunId;
use super::cell::Cell;
use super::schema::TableSchema;
use super::segment_tables::{
    FAILURES, GROUPS, OUTCOMES, RESULTS, RUN, SLOW, TIMES, TableRows, UNTESTED, place,
};
use slt_core::location::FileId;
use slt_core::outcome::{
    DetailedFailure, Digest, ExitHow, FailureGroup, Fault, FileEnd, FileProblem, FileReport, FileStatus,
    Problem, RecordId, RunEnd, StatementTimes, Totals, category_of, subcategory_of,
};
use slt_runner::results::{Journal, Opened};
use slt_runner::text::document::sides;
use slt_runner::text::failure::headline;

/// All rows of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunRows {
    /// The rows of this run only: the tables `run`, `results`, `untested`, `slow` and `times`.
    pub(super) own: Vec<TableRows>,
    /// The outcomes of its files, by their ids.
    pub(super) outcomes: Outcomes,
}

/// Outcomes by their ids. Runs share equal outcomes in memory.
pub(super) type Outcomes = BTreeMap<Arc<str>, Arc<OutcomeRows>>;

/// The rows of an outcome.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct OutcomeRows {
    pub(super) outcome: Vec<Cell>,
    pub(super) groups: Vec<Vec<Cell>>,
    pub(super) failures: Vec<Vec<Cell>>,
}

/// Builds the rows of a run.
pub(super) fn rows_of(journal: &Journal, id: RunId, running: bool) -> RunRows {
    let report = &journal.report;
    let (mut results, mut slow, mut outcomes) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut tested = HashSet::new();
    for (seq, file) in (1_i64..).zip(&report.files) {
        let outcome: Arc<str> = Arc::from(outcome_id(file));
        let path: Arc<str> = Arc::from(file.file.path());
        let key: Arc<str> = Arc::from(file.file.key());
        tested.insert(&file.file);
        slow.extend(file.slowest.iter().map(|record| {
            let values = [
                ("run_id", Cell::from(id.0)),
                ("file_path", path.clone().into()),
                ("file_id", key.clone().into()),
                ("line", record.id.line.into()),
                ("duration_ms", (record.elapsed.as_secs_f64() * 1000.0).into()),
                ("sql", Cell::from(&record.sql)),
            ];
            row(&SLOW, values)
        }));
        results.push(row(
            &RESULTS,
            [
                ("seq", Cell::from(seq)),
                ("file_path", path.into()),
                ("file_id", key.into()),
                ("outcome_id", outcome.clone().into()),
                ("tested_at", file.finished.map(iso).into()),
                (
                    "duration_ms",
                    Some(file.elapsed).filter(|time| !time.is_zero()).map_or(Cell::Null, milliseconds),
                ),
                ("engine_ms", file.engine_time.map_or(Cell::Null, milliseconds)),
                ("peak_memory", file.peak_memory.into()),
                ("retries", file.attempts.len().into()),
            ],
        ));
        outcomes.entry(outcome.clone()).or_insert_with(|| Arc::new(outcome_rows(file, &outcome, id)));
    }
    let untested: Vec<_> =
        journal.opened.wanted_files().filter(|file| !tested.contains(file)).map(untested).collect();
    let run = run_row(journal, id, running);
    let times = times_rows(&report.times(), id);
    let own = [(&RUN, vec![run]), (&RESULTS, results), (&UNTESTED, untested), (&SLOW, slow), (&TIMES, times)];
    RunRows { own: own.map(|(table, rows)| TableRows { table, rows }).into(), outcomes }
}

/// Builds a row from named values. Missing columns are NULL.
fn row(table: &TableSchema, values: impl IntoIterator<Item = (&'static str, Cell)>) -> Vec<Cell> {
    let mut row = vec![Cell::Null; table.columns.len()];
    values.into_iter().for_each(|(column, cell)| row[place(table, column)] = cell);
    row
}

fn times_rows(times: &StatementTimes, id: RunId) -> Vec<Vec<Cell>> {
    let real = |time: Duration| Cell::from(time.as_secs_f64() * 1000.0);
    let rows = times.iter().map(|(kind, times)| {
        let percentile = |percent| times.percentile(percent).map_or(Cell::Null, real);
        let values = [
            ("run_id", Cell::from(id.0)),
            ("statement_kind", kind.as_str().into()),
            ("records", times.count().into()),
            ("total_ms", real(times.total())),
            ("p50_ms", percentile(50.0)),
            ("p95_ms", percentile(95.0)),
            ("p99_ms", percentile(99.0)),
            ("max_ms", percentile(100.0)),
        ];
        row(&TIMES, values)
    });
    rows.collect()
}

fn untested(file: &FileId) -> Vec<Cell> {
    let values = [
        ("file_path", Cell::from(file.path())),
        ("file_id", file.key().into()),
        ("category", category_of(file.own_path()).into()),
        ("subcategory", subcategory_of(file.own_path()).into()),
    ];
    row(&UNTESTED, values)
}

fn run_row(journal: &Journal, id: RunId, running: bool) -> Vec<Cell> {
    let Journal { opened, report, .. } = journal;
    let Opened { circumstances, settings, .. } = opened;
    let (totals, flaky) = (report.totals(), report.header.flaky);
    let circumstances = circumstances.clone().unwrap_or_default();
    let (commit, ci) = (circumstances.commit, circumstances.ci);
    let elapsed = i64::try_from(report.elapsed.as_millis()).unwrap_or(i64::MAX);
    let last = report.files.iter().filter_map(|file| file.finished).max();
    let completed = last.unwrap_or(0).max(opened.started.saturating_add(elapsed));
    let untested = (report.header.files as u64).saturating_sub(totals.files);
    let values = [
        ("run_id", Cell::from(id.0)),
        ("started_at", iso(opened.started).into()),
        ("completed_at", if running { Cell::Null } else { iso(completed).into() }),
        ("untested", untested.into()),
        ("git_commit", commit.as_ref().map(|commit| &commit.hash).into()),
        ("branch_name", commit.as_ref().and_then(|commit| commit.branch.as_ref()).into()),
        ("ci_run_id", ci.as_ref().map(|ci| &ci.id).into()),
        ("name", Cell::from(&opened.run)),
        ("state", state_word(running, journal).into()),
        ("pass_rate", totals.pass_rate_with(flaky).map(percent).into()),
        ("duration_ms", Some(elapsed).filter(|&elapsed| elapsed > 0 || !report.elapsed.is_zero()).into()),
        ("engine", Cell::from(&report.header.engine.qualified_name())),
        ("engine_version", Cell::from(&report.header.engine.version)),
        ("engine_hash", circumstances.engine_hash.as_ref().into()),
        ("labels", report.header.labels.join(",").as_str().into()),
        ("dialect", settings.as_ref().and_then(|settings| settings.dialect.as_ref()).into()),
        ("exact", report.header.exact.into()),
        ("suite", circumstances.suite.join(" ").as_str().into()),
        ("corpus_commit", circumstances.corpus_commit.as_ref().into()),
        ("dirty", commit.as_ref().map(|commit| commit.dirty).into()),
        ("ci_url", ci.as_ref().and_then(|ci| ci.url.as_ref()).into()),
        ("host", Cell::from(&circumstances.host)),
        ("os", Cell::from(&circumstances.system)),
        ("cpus", circumstances.cpus.into()),
        ("workers", circumstances.workers.into()),
        ("seed", circumstances.seed.into()),
        ("budget_ms", circumstances.budget.map_or(Cell::Null, milliseconds)),
        ("command", opened.command.join(" ").as_str().into()),
        ("imported_from", opened.imported.as_ref().map(|imported| &imported.from).into()),
        ("tool_version", Cell::from(&opened.program)),
    ];
    row(&RUN, values.into_iter().chain(counters(&totals, totals.passed_with(flaky))))
}

fn counters(totals: &Totals, passed: u64) -> [(&'static str, Cell); 14] {
    let records = &totals.records;
    [
        ("total_files", totals.files.into()),
        ("passed", passed.into()),
        ("failed", (totals.files - passed - totals.empty).into()),
        ("empty", totals.empty.into()),
        ("timed_out", totals.timed_out.into()),
        ("flaky", totals.flaky.into()),
        ("crashed", totals.crashed.into()),
        ("out_of_memory", totals.out_of_memory.into()),
        ("errors", totals.errors.into()),
        ("records", records.total.into()),
        ("records_passed", records.passed.into()),
        ("records_failed", records.not_passed().into()),
        ("records_skipped", records.skipped.into()),
        ("records_not_reached", records.not_reached.into()),
    ]
}

fn state_word(running: bool, journal: &Journal) -> &'static str {
    match journal.report.end {
        _ if running => "RUNNING",
        // The process was killed before it could record the end.
        _ if !journal.ended => "INTERRUPTED",
        RunEnd::Completed => "COMPLETED",
        RunEnd::Interrupted => "INTERRUPTED",
        RunEnd::EnoughFailed => "ENOUGH_FAILED",
        RunEnd::BudgetSpent => "BUDGET_SPENT",
    }
}

/// Converts a share of 1 to percent with one decimal, rounded half up.
pub(super) fn percent(share: f64) -> f64 {
    (share * 1000.0 + 0.5).floor() / 10.0
}

fn milliseconds(time: Duration) -> Cell {
    Cell::Integer(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// Formats a time in UTC as SQLite's functions read it: `2026-11-22 06:34:04.123`.
pub(super) fn iso(milliseconds: i64) -> Arc<str> {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    Arc::from(time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

fn end_word(end: &FileEnd) -> &'static str {
    match end {
        FileEnd::Completed => "completed",
        FileEnd::Halted { .. } => "halted",
        FileEnd::AtFailure { .. } => "failed",
        FileEnd::Malformed { .. } => "malformed",
        FileEnd::TimedOut { .. } => "timed_out",
        FileEnd::Faulted { .. } => "faulted",
        FileEnd::NotStarted(_) => "not_started",
    }
}

/// Formats the problem of a record, without the elapsed time, which differs between equal outcomes.
fn message(what: &Problem) -> String {
    match what {
        Problem::TimedOut { .. } => "over the time limit".to_owned(),
        other => headline(other),
    }
}

/// Formats the problem as far as known: another program may report a failure without a reason.
fn said(what: &Problem) -> Option<String> {
    let is_silent = matches!(what, Problem::Reported(text) if text.trim().is_empty());
    (!is_silent).then(|| message(what))
}

/// Returns the first problem of a file, as far as known.
fn error_message(file: &FileReport) -> Option<String> {
    match (&file.end, file.details().next()) {
        (_, Some(detail)) => said(detail.problem),
        (FileEnd::NotStarted(problem), None) => Some(problem.to_string()),
        (_, None) => file.groups.first().map(|group| group.what.clone()),
    }
}

/// Returns the groups of a file's failures. A file that could not be started has one group; for a journal of an older
/// version the groups are built from the details.
fn groups_of(file: &FileReport) -> Vec<FailureGroup> {
    let group =
        |kind: &str, what: String, first| FailureGroup { kind: kind.to_owned(), what, records: 1, first };
    match &file.end {
        FileEnd::NotStarted(problem) if file.details().next().is_none() => {
            let kind = match problem {
                FileProblem::Died(_) => "process_died",
                FileProblem::TimedOut => "timed_out",
                FileProblem::OutOfMemory { .. } => "out_of_memory",
                FileProblem::Unreadable(_)
                | FileProblem::Dialect(_)
                | FileProblem::Engine(_)
                | FileProblem::Reported => "not_started",
            };
            vec![FailureGroup { records: 0, ..group(kind, problem.to_string(), RecordId::WHOLE_FILE) }]
        }
        _ if file.groups.is_empty() => {
            let details = file.details();
            details
                .map(|detail| {
                    group(detail.problem.word(), said(detail.problem).unwrap_or_default(), detail.id.clone())
                })
                .collect()
        }
        _ => file.groups.clone(),
    }
}

/// Returns the identity of an outcome: a digest of everything but times.
fn outcome_id(file: &FileReport) -> String {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let mut words =
        vec![file.file.to_text(), file.status().label().to_owned(), end_word(&file.end).to_owned()];
    words.extend(file.counts.fields().map(|count| count.to_string()));
    words.push(signal(file).map_or_else(String::new, |signal| signal.to_string()));
    words.push(in_flight(file).map_or_else(String::new, RecordId::to_string));
    words.push(error_message(file).unwrap_or_default());
    for record in &file.failures {
        let key = number(record.key.map(|key| key.0));
        words.extend([record.id.to_string(), key, number(record.group.map(u64::from))]);
        if let Some(detail) = record.detailed() {
            let (expected, actual) = sides(detail.problem);
            let texts = [Some(detail.sql.to_owned()), said(detail.problem), expected, actual];
            words.extend(texts.map(Option::unwrap_or_default));
        }
    }
    for group in &file.groups {
        let (records, first) = (group.records.to_string(), group.first.to_string());
        words.extend([group.kind.clone(), group.what.clone(), records, first]);
    }
    let digest = Digest::from_words(words.iter().map(String::as_bytes));
    digest.to_string()[..16].to_owned()
}

fn signal(file: &FileReport) -> Option<i64> {
    match &file.end {
        FileEnd::Faulted { fault: Fault::Died { how: ExitHow::Signal(signal), .. }, .. }
        | FileEnd::NotStarted(FileProblem::Died(ExitHow::Signal(signal))) => Some(i64::from(*signal)),
        _ => None,
    }
}

fn in_flight(file: &FileReport) -> Option<&RecordId> {
    match &file.end {
        FileEnd::TimedOut { id } | FileEnd::Faulted { id, .. } => id.as_ref(),
        _ => None,
    }
}

fn outcome_rows(file: &FileReport, id: &Arc<str>, run: RunId) -> OutcomeRows {
    let counts = &file.counts;
    let groups = groups_of(file);
    let outcome = row(
        &OUTCOMES,
        [
            ("outcome_id", Cell::from(id.clone())),
            ("status", file.status().label().into()),
            ("error_message", error_message(file).as_ref().into()),
            ("category", file.category().into()),
            ("subcategory", file.subcategory().into()),
            ("outcome", end_word(&file.end).into()),
            ("kind", groups.first().map(|group| &group.kind).into()),
            ("error_pattern", groups.first().map(pattern).into()),
            ("records", counts.total.into()),
            ("records_executed", counts.executed.into()),
            ("records_passed", counts.passed.into()),
            ("records_failed", counts.failed.into()),
            ("records_skipped", counts.skipped.into()),
            ("records_unsupported", counts.unsupported.into()),
            ("records_timed_out", counts.timed_out.into()),
            ("records_malformed", counts.malformed.into()),
            ("records_not_reached", counts.not_reached.into()),
            ("records_faulted", counts.faulted.into()),
            ("flaky", (file.status() == FileStatus::Flaky).into()),
            ("signal", signal(file).into()),
            ("in_flight_line", in_flight(file).map(|id| id.line).into()),
        ],
    );
    let details: HashMap<&RecordId, DetailedFailure<'_>> =
        file.details().map(|detail| (detail.id, detail)).collect();
    let group_rows = groups.iter().map(|group| group_row(group, id, details.get(&group.first).copied()));
    OutcomeRows { outcome, groups: group_rows.collect(), failures: failure_rows(file, &groups, id, run) }
}

/// Describes the common property of the failures of a group.
fn pattern(group: &FailureGroup) -> &str {
    if group.what.is_empty() { &group.kind } else { &group.what }
}

fn group_row(group: &FailureGroup, id: &Arc<str>, first: Option<DetailedFailure<'_>>) -> Vec<Cell> {
    row(
        &GROUPS,
        [
            ("outcome_id", Cell::from(id.clone())),
            ("kind", Cell::from(&group.kind)),
            ("error_pattern", pattern(group).into()),
            ("fingerprint", hexadecimal(group.fingerprint())),
            ("records", group.records.into()),
            ("first_line", group.first.line.into()),
            (
                "message",
                first.map_or_else(|| Some(group.what.clone()), |detail| said(detail.problem)).as_ref().into(),
            ),
        ],
    )
}

/// Builds the rows of failing records in the order of their lines, sharing equal texts.
fn failure_rows(file: &FileReport, groups: &[FailureGroup], id: &Arc<str>, run: RunId) -> Vec<Vec<Cell>> {
    let (path, key) = (Arc::<str>::from(file.file.path()), Arc::<str>::from(file.file.key()));
    let of_group = |group: &FailureGroup| {
        [Cell::from(&group.kind), pattern(group).into(), hexadecimal(group.fingerprint())]
    };
    let classes: Vec<_> = groups.iter().map(of_group).collect();
    let unknown = [Cell::Null, Cell::Null, Cell::Null];
    let rows = file.failures.iter().map(|record| {
        let detail = record.detailed();
        let class = match record.group {
            Some(group) => classes.get(group as usize),
            None => {
                groups.iter().position(|group| group.first == record.id).and_then(|place| classes.get(place))
            }
        };
        let [kind, pattern, fingerprint] = class.unwrap_or(&unknown).clone();
        let (expected, actual) = detail.map_or((None, None), |detail| sides(detail.problem));
        let values = [
            ("outcome_id", Cell::from(id.clone())),
            ("first_run_id", run.0.into()),
            ("file_path", path.clone().into()),
            ("file_id", key.clone().into()),
            ("line", record.id.line.into()),
            ("record_key", record.key.map_or(Cell::Null, |key| hexadecimal(key.0))),
            ("kind", kind),
            ("error_pattern", pattern),
            ("fingerprint", fingerprint),
            ("message", detail.and_then(|detail| said(detail.problem)).as_ref().into()),
            ("sql", detail.map(|detail| detail.sql).into()),
            ("expected", expected.as_ref().into()),
            ("actual", actual.as_ref().into()),
        ];
        row(&FAILURES, values)
    });
    rows.collect()
}

fn hexadecimal(number: u64) -> Cell {
    Cell::text(format!("{number:016x}"))
}

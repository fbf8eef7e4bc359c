//! What the tables must say, computed once more from the journals in the simplest way: the measure for the store.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{
    FileEnd, FileReport, FileStatus, FlakyResult, RecordId, RunEnd, category_of, subcategory_of,
};
use vibesql_sqllogictest::results::Journal;
use vibesql_sqllogictest::results::store::{Cell, Extract};

use crate::histories::DAY;

/// Some of the columns of a row, by their names.
pub(crate) type Row = BTreeMap<&'static str, Cell>;

struct Told {
    id: i64,
    name: String,
    journal: Journal,
}

/// The tables by their names. Columns that only the store can know are left out.
pub(crate) fn tables(results: &Path) -> BTreeMap<&'static str, Vec<Row>> {
    let runs = runs(results);
    BTreeMap::from([
        ("test_runs", runs.iter().map(run_row).collect()),
        ("test_results", runs.iter().flat_map(result_rows).collect()),
        ("statement_times", runs.iter().flat_map(statement_times).collect()),
        ("file_stats", file_stats(&runs)),
        ("test_files", test_files(&runs)),
        ("record_failures", record_failures(&runs)),
        ("failure_groups", failure_groups(&runs)),
    ])
}

/// All ended runs, the oldest first.
fn runs(results: &Path) -> Vec<Told> {
    let mut runs: Vec<_> = std::fs::read_dir(results.join("runs"))
        .unwrap()
        .map(|entry| {
            let folder = entry.unwrap();
            let name = folder.file_name().into_string().unwrap();
            let journal = Journal::read(&folder.path().join("journal.jsonl")).unwrap().unwrap();
            Told { id: id_of(&name), name, journal }
        })
        .collect();
    runs.sort_by_key(|run| run.id);
    runs
}

/// The number of a run of the day of all histories.
fn id_of(name: &str) -> i64 {
    let number = |from: usize| name[from..from + 2].parse::<i64>().unwrap();
    let second = number(9) * 3600 + number(11) * 60 + number(13);
    (DAY / 1000 + second) * 100 + name.get(16..).map_or(1, |number| number.parse().unwrap())
}

fn iso(milliseconds: i64) -> Cell {
    let time = milliseconds - DAY;
    let (second, rest) = (time / 1000, time % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Cell::text(format!("2026-11-22 {hour:02}:{minute:02}:{second:02}.{rest:03}"))
}

fn word(report: &FileReport) -> &'static str {
    match report.status() {
        FileStatus::Passed => "PASS",
        FileStatus::Failed => "FAIL",
        FileStatus::TimedOut => "TIMEOUT",
        FileStatus::Empty => "EMPTY",
        FileStatus::Flaky => "FLAKY",
        FileStatus::Crashed => "CRASH",
        FileStatus::OutOfMemory => "OOM",
        FileStatus::Error => "ERROR",
    }
}

fn milliseconds(report: &FileReport) -> Option<i64> {
    (!report.elapsed.is_zero()).then_some(report.elapsed.as_millis() as i64)
}

fn run_row(run: &Told) -> Row {
    let Journal { opened, report, ended, .. } = &run.journal;
    let files = &report.files;
    let with = |wanted: &str| Cell::from(files.iter().filter(|file| word(file) == wanted).count());
    let sum = |count: &dyn Fn(&FileReport) -> u64| Cell::from(files.iter().map(count).sum::<u64>());
    let flaky_passes = report.header.flaky == FlakyResult::Pass;
    let in_the_end = |file: &FileReport| flaky_passes && file.last_status() == FileStatus::Passed;
    let passed = |file: &&FileReport| word(file) == "PASS" || (word(file) == "FLAKY" && in_the_end(file));
    let passed = files.iter().filter(passed).count();
    let empty = files.iter().filter(|file| word(file) == "EMPTY").count();
    let state = match report.end {
        _ if !ended => "INTERRUPTED",
        RunEnd::Completed => "COMPLETED",
        RunEnd::Interrupted => "INTERRUPTED",
        RunEnd::EnoughFailed => "ENOUGH_FAILED",
        RunEnd::BudgetSpent => "BUDGET_SPENT",
    };
    let elapsed = report.elapsed.as_millis() as i64;
    let last = files.iter().filter_map(|file| file.finished).chain([opened.started + elapsed]).max();
    let circumstances = opened.circumstances.clone().unwrap();
    let (commit, ci) = (circumstances.commit, circumstances.ci);
    Row::from([
        ("run_id", run.id.into()),
        ("name", Cell::from(&run.name)),
        ("started_at", iso(opened.started)),
        ("completed_at", iso(last.unwrap())),
        ("state", state.into()),
        ("duration_ms", Some(elapsed).filter(|_| !report.elapsed.is_zero()).into()),
        ("total_files", files.len().into()),
        ("untested", (report.header.files - files.len()).into()),
        ("passed", passed.into()),
        ("failed", (files.len() - passed - empty).into()),
        ("empty", with("EMPTY")),
        ("timed_out", with("TIMEOUT")),
        ("flaky", with("FLAKY")),
        ("crashed", with("CRASH")),
        ("out_of_memory", with("OOM")),
        ("errors", with("ERROR")),
        ("records", sum(&|file| file.counts.total)),
        ("records_passed", sum(&|file| file.counts.passed)),
        ("records_failed", sum(&|file| file.failures.len() as u64)),
        ("records_skipped", sum(&|file| file.counts.skipped)),
        ("records_not_reached", sum(&|file| file.counts.not_reached)),
        ("engine", Cell::from(&report.header.engine.name)),
        ("engine_version", Cell::from(&report.header.engine.version)),
        ("labels", Cell::text(report.header.labels.join(","))),
        ("exact", report.header.exact.into()),
        ("dialect", opened.settings.as_ref().unwrap().dialect.as_ref().into()),
        ("git_commit", commit.as_ref().map(|commit| &commit.hash).into()),
        ("branch_name", commit.as_ref().and_then(|commit| commit.branch.as_ref()).into()),
        ("dirty", commit.as_ref().map(|commit| commit.dirty).into()),
        ("ci_run_id", ci.as_ref().map(|ci| &ci.id).into()),
        ("ci_url", Cell::Null),
        ("host", Cell::from(&circumstances.host)),
        ("os", Cell::from(&circumstances.system)),
        ("cpus", circumstances.cpus.into()),
        ("workers", circumstances.workers.into()),
        // The largest that a database has.
        ("seed", Cell::Integer(i64::MAX)),
        ("budget_ms", circumstances.budget.map(|_| 1_500_i64).into()),
        ("suite", Cell::text(circumstances.suite.join(" "))),
        ("corpus_commit", circumstances.corpus_commit.as_ref().into()),
        ("engine_hash", Cell::Null),
        ("command", Cell::text(opened.command.join(" "))),
        ("imported_from", Cell::Null),
    ])
}

fn statement_times(run: &Told) -> Vec<Row> {
    let mut kinds = BTreeMap::<&str, (u64, Duration)>::new();
    for (kind, times) in run.journal.report.files.iter().flat_map(|file| file.times.iter()) {
        let (records, total) = kinds.entry(kind.as_str()).or_default();
        (*records, *total) = (*records + times.count(), *total + times.total());
    }
    let row = |(kind, (records, total)): (&str, (u64, Duration))| {
        let total = Cell::from(total.as_secs_f64() * 1000.0);
        Row::from([
            ("run_id", run.id.into()),
            ("statement_kind", kind.into()),
            ("records", records.into()),
            ("total_ms", total),
        ])
    };
    kinds.into_iter().map(row).collect()
}

fn result_rows(run: &Told) -> Vec<Row> {
    let row = |(number, file): (usize, &FileReport)| {
        let counts = &file.counts;
        let line_of = |id: &Option<RecordId>| id.as_ref().map(|id| id.line);
        let (outcome, signal, line) = match &file.end {
            FileEnd::TimedOut { id } => ("timed_out", None, line_of(id)),
            FileEnd::Faulted { id, .. } => ("faulted", signal_of(file), line_of(id)),
            FileEnd::NotStarted(_) => ("not_started", signal_of(file), None),
            _ => ("completed", None, None),
        };
        Row::from([
            ("result_id", Cell::Integer(run.id * 1_000_000 + number as i64 + 1)),
            ("run_id", run.id.into()),
            ("file_path", Cell::from(file.file.path())),
            ("file_id", Cell::from(file.file.key())),
            ("status", word(file).into()),
            ("passed", (word(file) == "PASS").into()),
            ("failed", (!["PASS", "EMPTY"].contains(&word(file))).into()),
            ("tested_at", file.finished.map_or(Cell::Null, iso)),
            ("duration_ms", milliseconds(file).into()),
            ("category", category_of(file.file.own_path()).into()),
            ("subcategory", subcategory_of(file.file.own_path()).into()),
            ("outcome", outcome.into()),
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
            ("engine_ms", file.engine_time.map(|time| time.as_millis() as i64).into()),
            ("peak_memory", file.peak_memory.into()),
            ("retries", file.attempts.len().into()),
            ("flaky", (word(file) == "FLAKY").into()),
            ("signal", signal.into()),
            ("in_flight_line", line.into()),
        ])
    };
    run.journal.report.files.iter().enumerate().map(row).collect()
}

/// Generated histories know two signals, each with its own way to end.
fn signal_of(file: &FileReport) -> Option<i64> {
    let end = format!("{:?}", file.end);
    [11, 9].into_iter().find(|signal| end.contains(&format!("Signal({signal})")))
}

/// All that an engine has of a file, the oldest first.
struct Past<'r> {
    results: Vec<(&'r Told, &'r FileReport)>,
}

fn pasts(runs: &[Told]) -> BTreeMap<(&str, &FileId), Past<'_>> {
    let mut pasts: BTreeMap<_, Past<'_>> = BTreeMap::new();
    for run in runs {
        let engine = run.journal.report.header.engine.name.as_str();
        for file in run.journal.opened.places.keys() {
            let past = pasts.entry((engine, file)).or_insert(Past { results: Vec::new() });
            let files = run.journal.report.files.iter();
            past.results.extend(files.filter(|report| report.file == *file).map(|report| (run, report)));
        }
    }
    pasts
}

fn tested(report: &FileReport) -> Cell {
    report.finished.map_or(Cell::Null, iso)
}

fn file_stats(runs: &[Told]) -> Vec<Row> {
    let row = |((engine, file), past): ((&str, &FileId), Past<'_>)| {
        let words: Vec<_> = past.results.iter().map(|(_, report)| word(report)).collect();
        let times: Vec<_> = past.results.iter().filter_map(|(_, report)| milliseconds(report)).collect();
        let count = |wanted: &[&str]| Cell::from(words.iter().filter(|word| wanted.contains(word)).count());
        let goods: Vec<_> =
            words.iter().filter(|word| **word != "EMPTY").map(|word| *word == "PASS").collect();
        let passed = past.results.iter().rfind(|(_, report)| word(report) == "PASS");
        let last = past.results.last();
        Row::from([
            ("engine", engine.into()),
            ("file_path", file.path().into()),
            ("file_id", file.key().into()),
            ("category", category_of(file.own_path()).into()),
            ("subcategory", subcategory_of(file.own_path()).into()),
            ("runs", words.len().into()),
            ("passes", count(&["PASS"])),
            ("fails", count(&["FAIL", "TIMEOUT", "FLAKY", "CRASH", "OOM", "ERROR"])),
            ("timeouts", count(&["TIMEOUT"])),
            ("crashes", count(&["CRASH"])),
            ("flips", goods.windows(2).filter(|pair| pair[0] != pair[1]).count().into()),
            ("last_status", words.last().copied().into()),
            ("last_run_id", last.map(|(run, _)| run.id).into()),
            ("last_tested", last.map_or(Cell::Null, |(_, report)| tested(report))),
            ("last_passed", passed.map_or(Cell::Null, |(_, report)| tested(report))),
            ("total_ms", times.iter().sum::<i64>().into()),
            ("max_ms", times.iter().max().copied().unwrap_or(0).into()),
            ("last_good", goods.last().copied().into()),
        ])
    };
    pasts(runs).into_iter().map(row).collect()
}

fn test_files(runs: &[Told]) -> Vec<Row> {
    let Some(last) = runs.last() else { return Vec::new() };
    let engine = last.journal.report.header.engine.name.as_str();
    let files = file_stats(runs).into_iter().filter(|row| row["engine"].as_text() == Some(engine));
    let row = |mut row: Row| {
        let status = row["last_status"].as_text().unwrap_or("UNTESTED").into();
        row.insert("status", status);
        let columns = [
            "file_path",
            "file_id",
            "category",
            "subcategory",
            "status",
            "last_tested",
            "last_passed",
            "engine",
        ];
        row.retain(|column, _| columns.contains(column));
        row
    };
    files.map(row).collect()
}

/// The same for results that differ in nothing but times.
pub(crate) fn same_outcome(report: &FileReport) -> String {
    let FileReport { file, counts, failures, groups, end, .. } = report;
    format!("{file:?} {} {counts:?} {failures:?} {groups:?} {end:?}", word(report))
}

fn record_failures(runs: &[Told]) -> Vec<Row> {
    let mut seen = BTreeMap::new();
    for run in runs {
        for report in &run.journal.report.files {
            seen.entry(same_outcome(report)).or_insert((run.id, report));
        }
    }
    let rows = seen.into_values().flat_map(|(first, report)| {
        report.failures.iter().map(move |record| {
            let group = record.group.map(|group| &report.groups[group as usize]);
            let detail = record.detailed();
            let kind = group.map(|group| group.kind.as_str());
            // What has no groups has them of its details, one each.
            let kind = kind.or_else(|| detail.map(|detail| detail.problem.word()));
            Row::from([
                ("first_run_id", first.into()),
                ("file_path", Cell::from(report.file.path())),
                ("file_id", Cell::from(report.file.key())),
                ("line", record.id.line.into()),
                ("record_key", record.key.map(|key| format!("{:016x}", key.0)).as_ref().into()),
                ("kind", kind.into()),
                ("sql", detail.map(|detail| detail.sql).into()),
            ])
        })
    });
    rows.collect()
}

fn failure_groups(runs: &[Told]) -> Vec<Row> {
    let rows = runs.iter().flat_map(|run| {
        run.journal.report.files.iter().flat_map(|report| {
            let row = |records: u64, first_line: u32| {
                Row::from([
                    ("run_id", Cell::from(run.id)),
                    ("file_path", Cell::from(report.file.path())),
                    ("file_id", Cell::from(report.file.key())),
                    ("records", records.into()),
                    ("first_line", first_line.into()),
                ])
            };
            match &report.end {
                FileEnd::NotStarted(_) => vec![row(0, 0)],
                _ if report.groups.is_empty() => {
                    report.details().map(|detail| row(1, detail.id.line)).collect()
                }
                _ => report.groups.iter().map(|group| row(group.records, group.first.line)).collect(),
            }
        })
    });
    rows.collect()
}

/// The rows of a table that was taken out of the store.
pub(crate) fn rows_of(extract: &Extract, table: &str) -> Vec<Row> {
    let loaded = extract.tables.iter().find(|loaded| loaded.wanted.table.name == table).unwrap();
    let names: Vec<_> = loaded.wanted.columns.iter().map(|column| column.name).collect();
    loaded.rows.iter().map(|row| names.iter().copied().zip(row.iter().cloned()).collect()).collect()
}

/// Holds what was loaded of all runs against what the journals say.
pub(crate) fn check(extract: &Extract, results: &Path) {
    for (table, expected) in tables(results) {
        let columns: Vec<_> = expected.first().into_iter().flat_map(BTreeMap::keys).copied().collect();
        let found = rows_of(extract, table);
        let shown =
            |row: &Row| columns.iter().map(|name| format!("{name}={:?}", row[name])).collect::<Vec<_>>();
        let (mut found, mut expected): (Vec<_>, Vec<_>) =
            (found.iter().map(shown).collect(), expected.iter().map(shown).collect());
        // The order of the others is that of what they are about.
        if matches!(table, "record_failures" | "failure_groups" | "statement_times") {
            found.sort();
            expected.sort();
        }
        assert_eq!(found.len(), expected.len(), "rows of {table}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{table}");
        }
    }
    check_shares(extract);
    check_groups(extract);
    check_outcomes(extract, results);
}

/// Shares have one digit.
fn check_shares(extract: &Extract) {
    for run in rows_of(extract, "test_runs") {
        let number = |name: &str| run[name].as_integer().unwrap() as f64;
        let wanted = number("total_files") - number("empty");
        match &run["pass_rate"] {
            Cell::Real(rate) => {
                let exact = 100.0 * number("passed") / wanted;
                assert!((rate - exact).abs() < 0.0501 && (rate * 10.0).fract() < 1e-9, "{rate} for {exact}");
            }
            other => assert!(*other == Cell::Null && wanted == 0.0, "{other:?}"),
        }
    }
}

/// Every failing record is in one group.
fn check_groups(extract: &Extract) {
    let mut in_groups: BTreeMap<(i64, String), i64> = BTreeMap::new();
    let key =
        |row: &Row| (row["run_id"].as_integer().unwrap(), row["file_path"].as_text().unwrap().to_owned());
    for group in rows_of(extract, "failure_groups") {
        *in_groups.entry(key(&group)).or_default() += group["records"].as_integer().unwrap();
    }
    for result in rows_of(extract, "test_results") {
        let ways = ["failed", "unsupported", "timed_out", "malformed", "faulted"];
        let failing = ways.map(|way| result[format!("records_{way}").as_str()].as_integer().unwrap());
        let grouped = in_groups.get(&key(&result)).copied().unwrap_or(0);
        assert_eq!(grouped, failing.iter().sum::<i64>(), "{result:?}");
    }
}

/// Results share an outcome if and only if nothing but times is different.
fn check_outcomes(extract: &Extract, results: &Path) {
    let runs = runs(results);
    let reports = runs.iter().flat_map(|run| &run.journal.report.files).map(same_outcome);
    let (mut ids, mut outcomes) = (BTreeMap::new(), BTreeMap::new());
    for (result, outcome) in rows_of(extract, "test_results").iter().zip(reports) {
        let id = result["outcome_id"].as_text().unwrap().to_owned();
        assert_eq!(*ids.entry(id.clone()).or_insert_with(|| outcome.clone()), outcome);
        assert_eq!(*outcomes.entry(outcome).or_insert_with(|| id.clone()), id);
    }
}

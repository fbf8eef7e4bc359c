//! Each preset and each view against the same computed in Rust, on both engines.

use std::collections::{BTreeMap, BTreeSet};

use tempfile::TempDir;
use vibesql_sqllogictest::results::ask::presets::{PRESETS, preset};
use vibesql_sqllogictest::results::ask::views::VIEWS;
use vibesql_sqllogictest::results::ask::{Asker, DisagreementEffort, QueryTarget, plan};
use vibesql_sqllogictest::results::store::Cell;

use crate::ask::{child, limits};
use crate::generated::{Generated, Named};

type Row = Vec<Cell>;
/// Run, type and pattern of failures.
type Alike<'g> = (Option<i64>, Option<&'g str>, Option<&'g str>);

fn text(value: Option<&str>) -> Cell {
    value.into()
}

fn integer(value: impl TryInto<i64>) -> Cell {
    Cell::Integer(value.try_into().ok().unwrap())
}

/// A number with one decimal, half up.
fn tenths(number: f64) -> Cell {
    Cell::Real((number * 10.0 + 0.5).floor() / 10.0)
}

fn cells(row: Named<'_>, columns: &str) -> Row {
    columns.split(' ').map(|column| row.cell(column).clone()).collect()
}

fn percent(part: i64, all: i64) -> Cell {
    Cell::Real((part as f64 * 1000.0 / all as f64 + 0.5).floor() / 10.0)
}

fn fails(status: Option<&str>) -> bool {
    !matches!(status, Some("PASS" | "EMPTY" | "UNTESTED"))
}

/// The rank of a value as SQLite sorts it.
fn key(value: &Cell) -> (u8, f64, String) {
    match value {
        Cell::Null => (0, 0.0, String::new()),
        Cell::Integer(number) => (1, *number as f64, String::new()),
        Cell::Real(number) => (1, *number, String::new()),
        Cell::Text(text) => (2, 0.0, text.as_ref().to_owned()),
        Cell::Blob(_) => panic!("no blobs here"),
    }
}

/// Sorts by columns; a column that is counted from the end of a negative sign is sorted downwards.
fn sort(rows: &mut [Row], by: &[i32]) {
    rows.sort_by(|one, other| {
        let compare = |column: &i32| {
            let place = column.unsigned_abs() as usize - 1;
            let found = key(&one[place]).partial_cmp(&key(&other[place])).unwrap();
            if *column < 0 { found.reverse() } else { found }
        };
        by.iter().map(compare).find(|found| found.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
}

/// Sorted, and the first so many.
fn top(mut rows: Vec<Row>, by: &[i32], count: usize) -> Vec<Row> {
    sort(&mut rows, by);
    rows.truncate(count);
    rows
}

/// The columns that only sorting needs are taken off.
fn without(rows: Vec<Row>, width: usize) -> Vec<Row> {
    rows.into_iter().map(|row| row[..width].to_vec()).collect()
}

fn newest(of: &Generated) -> Option<i64> {
    of.table("test_runs").iter().filter_map(|run| run.integer("run_id")).max()
}

fn groups<'g, K: Ord>(
    rows: impl IntoIterator<Item = Named<'g>>,
    key: impl Fn(Named<'g>) -> K,
) -> BTreeMap<K, Vec<Named<'g>>> {
    let mut groups = BTreeMap::<K, Vec<_>>::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

fn count<'g>(rows: &[Named<'g>], is: impl Fn(Named<'g>) -> bool) -> i64 {
    rows.iter().filter(|row| is(**row)).count() as i64
}

fn files(rows: &[Named<'_>]) -> i64 {
    rows.iter().map(|row| row.text("file_id")).collect::<BTreeSet<_>>().len() as i64
}

/// The path and the identity of a file: two suites may have files with one path.
fn file_of<'g>(row: Named<'g>) -> (Option<&'g str>, Option<&'g str>) {
    (row.text("file_path"), row.text("file_id"))
}

fn sum(rows: &[Named<'_>], column: &str) -> Option<i64> {
    rows.iter().filter_map(|row| row.integer(column)).reduce(|one, other| one + other)
}

fn summary(of: &Generated) -> Vec<Row> {
    let last = of.table("test_runs").into_iter().filter(|run| run.integer("run_id") == newest(of));
    last.map(|run| {
        let mut row = cells(run, "run_id started_at completed_at total_files passed failed untested");
        row.push(run.real("pass_rate").map_or(Cell::Null, tenths));
        row.push(run.cell("git_commit").clone());
        row
    })
    .collect()
}

fn patterns(of: &Generated) -> Vec<Row> {
    let rows = of.table("failure_groups");
    let all = groups(rows.clone(), |row| row.integer("run_id"));
    let found = groups(rows, |row| (row.integer("run_id"), row.text("kind"), row.text("error_pattern")));
    let row = |((run, kind, pattern), rows): (Alike<'_>, Vec<Named<'_>>)| {
        let records = sum(&rows, "records").unwrap();
        let percent = percent(records, sum(&all[&run], "records").unwrap());
        vec![
            text(kind),
            integer(records),
            integer(files(&rows)),
            percent,
            text(pattern),
            integer(run.unwrap()),
        ]
    };
    found.into_iter().map(row).collect()
}

fn of_last_run<'g>(of: &'g Generated) -> Vec<Named<'g>> {
    of.table("failure_groups").into_iter().filter(|row| row.integer("run_id") == newest(of)).collect()
}

/// What mending takes, as `fix_opportunities` has it.
fn effort(kind: &str) -> i64 {
    match kind {
        "presentation_differs" | "malformed" | "adapter_fault" => 1,
        "unsupported" | "timed_out" | "engine_lost" | "process_died" | "out_of_memory" => 3,
        _ => 2,
    }
}

fn opportunities(of: &Generated) -> Vec<Row> {
    let rows = of_last_run(of);
    let all = files(&rows);
    let mut found: Vec<_> = groups(rows, |row| row.text("error_pattern"))
        .into_iter()
        .map(|(pattern, rows)| {
            (pattern, files(&rows), rows.iter().filter_map(|row| row.text("kind").map(effort)).max().unwrap())
        })
        .collect();
    found.sort_by(|(pattern, files, score), (pattern2, files2, score2)| {
        (files2 * score).cmp(&(files * score2)).then(files2.cmp(files)).then(pattern.cmp(pattern2))
    });
    let row = |(place, (pattern, files, score)): (usize, (Option<&str>, i64, i64))| {
        let effort = ["Low", "Medium", "High"][score as usize - 1];
        let priority = if place < 3 {
            "P0"
        } else if place < 7 {
            "P1"
        } else {
            "P2"
        };
        let impact = tenths(files as f64 / score as f64);
        let (effort, priority) = (text(Some(effort)), text(Some(priority)));
        vec![integer(place + 1), text(pattern), integer(files), percent(files, all), effort, impact, priority]
    };
    found.into_iter().enumerate().map(row).take(10).collect()
}

fn examples(of: &Generated) -> Vec<Row> {
    let mut found = Vec::new();
    for (pattern, rows) in groups(of_last_run(of), |row| row.text("error_pattern")) {
        for (file, mut rows) in groups(rows, |row| row.text("file_path")).into_iter().take(3) {
            rows.sort_by_key(|row| (row.integer("first_line"), row.text("fingerprint"), row.text("kind")));
            let message = rows[0].text("message").map(|text| text.chars().take(150).collect::<String>());
            found.push(vec![text(pattern), text(file), text(rows[0].text("kind")), text(message.as_deref())]);
        }
    }
    found
}

fn flaky(of: &Generated) -> Vec<Row> {
    let runs: BTreeMap<_, _> = of
        .table("test_runs")
        .into_iter()
        .map(|run| {
            (run.integer("run_id"), ["git_commit", "engine", "engine_version"].map(|column| run.text(column)))
        })
        .collect();
    let results = of.table("test_results");
    let mut found = Vec::new();
    for ((path, id), results) in groups(results, file_of) {
        let mut totals = [0; 3];
        for results in groups(results, |row| runs[&row.integer("run_id")]).into_values() {
            let passes = count(&results, |row| row.text("status") == Some("PASS"));
            let fails = count(&results, |row| fails(row.text("status")));
            if passes > 0 && fails > 0 {
                totals = [totals[0] + results.len() as i64, totals[1] + passes, totals[2] + fails];
            }
        }
        if totals[0] > 0 {
            found.push([vec![text(path)], totals.map(integer).to_vec(), vec![text(id)]].concat());
        }
    }
    without(top(found, &[-4, 1, 5], 20), 4)
}

/// What a preset has to say.
fn expected(name: &str, of: &Generated) -> Vec<Row> {
    let files_of = || of.table("test_files");
    let runs = |columns| of.table("test_runs").into_iter().map(|run| cells(run, columns)).collect::<Vec<_>>();
    match name {
        "failed-files" => {
            let rows = files_of().into_iter().filter(|row| fails(row.text("status")));
            top(
                rows.map(|row| cells(row, "file_path category last_tested")).collect(),
                &[2, 1, 3],
                usize::MAX,
            )
        }
        "progress" => {
            let mut rows = runs("run_id started_at passed failed pass_rate");
            for row in &mut rows {
                if let Cell::Real(rate) = row[4] {
                    row[4] = tenths(rate);
                }
            }
            top(rows, &[-1], 10)
        }
        "recent-runs" => top(runs("run_id started_at total_files passed failed git_commit"), &[-1], 5),
        "by-category" => {
            let rows = groups(files_of(), |row| row.text("category")).into_iter().map(|(category, rows)| {
                let passed = count(&rows, |row| row.text("status") == Some("PASS"));
                let untested = count(&rows, |row| row.text("status") == Some("UNTESTED"));
                let failed = count(&rows, |row| fails(row.text("status")));
                let all = rows.len() as i64;
                let counts = [all, passed, failed, untested].map(integer);
                [vec![text(category)], counts.to_vec(), vec![percent(passed, all)]].concat()
            });
            top(rows.collect(), &[-6, 1], usize::MAX)
        }
        "flaky-tests" => flaky(of),
        "untested" => {
            let rows = files_of().into_iter().filter(|row| row.text("status") == Some("UNTESTED"));
            top(rows.map(|row| cells(row, "file_path category subcategory")).collect(), &[2, 3, 1], 50)
        }
        "slow-tests" => {
            let rows =
                of.table("test_results").into_iter().filter(|row| row.integer("duration_ms").is_some());
            let rows = groups(rows, file_of).into_iter().map(|((path, id), rows)| {
                let mean = sum(&rows, "duration_ms").unwrap() as f64 / rows.len() as f64;
                let longest = rows.iter().filter_map(|row| row.integer("duration_ms")).max().unwrap();
                vec![text(path), tenths(mean), integer(longest), integer(rows.len()), text(id)]
            });
            without(top(rows.collect(), &[-2, 1, 5], 20), 4)
        }
        "failing-by-category" => {
            let rows = files_of().into_iter().filter(|row| fails(row.text("status")));
            let rows = groups(rows, |row| (row.text("category"), row.text("subcategory"))).into_iter();
            let row = |((category, sub), rows): ((_, _), Vec<_>)| {
                vec![text(category), text(sub), integer(rows.len())]
            };
            top(rows.map(row).collect(), &[-3, 1, 2], usize::MAX)
        }
        "latest-failures" => {
            let rows = of.table("test_results").into_iter().filter(|row| fails(row.text("status")));
            let rows =
                rows.map(|row| cells(row, "file_path category error_message tested_at result_id")).collect();
            without(top(rows, &[-4, 1, 5], 20), 4)
        }
        "analyze-summary" => summary(of),
        "analyze-patterns" => {
            let rows = patterns(of).into_iter().filter(|row| Some(row[5].clone()) == newest(of).map(integer));
            let row = |row: Row| [4, 0, 1, 2, 3].map(|place: usize| row[place].clone()).to_vec();
            top(rows.map(row).collect(), &[-3, 1, 2], 20)
        }
        "analyze-opportunities" => {
            let row = |row: Row| [0, 6, 1, 2, 3, 4, 5].map(|place: usize| row[place].clone()).to_vec();
            opportunities(of).into_iter().map(row).collect()
        }
        "analyze-examples" => top(examples(of), &[1, 2], usize::MAX),
        "timeouts" => {
            let rows =
                of.table("test_results").into_iter().filter(|row| row.text("status") == Some("TIMEOUT"));
            let rows = groups(rows, file_of).into_iter().map(|((path, id), rows)| {
                let last = rows.iter().filter_map(|row| row.text("tested_at")).max();
                let line = rows.iter().filter_map(|row| row.integer("in_flight_line")).max();
                let line = line.map_or(Cell::Null, integer);
                vec![text(path), integer(rows.len()), text(last), line, text(id)]
            });
            without(top(rows.collect(), &[-2, 1, 5], 50), 4)
        }
        "crashes" => {
            let rows = of.table("test_results").into_iter();
            let rows = rows.filter(|row| matches!(row.text("status"), Some("CRASH" | "OOM")));
            let columns = "run_id file_path status signal in_flight_line error_message result_id";
            without(top(rows.map(|row| cells(row, columns)).collect(), &[-1, 2, 7], 50), 6)
        }
        "statement-times" => {
            let newest = newest(of);
            let rows = of.table("statement_times").into_iter().filter(|row| row.integer("run_id") == newest);
            let rounded = |row: Named<'_>, name: &str, unit: f64| {
                row.real(name).map_or(Cell::Null, |time| Cell::Real((time * unit + 0.5).floor() / unit))
            };
            let rows = rows.map(|row| {
                let records = row.integer("records").map_or(Cell::Null, integer);
                let mut cells =
                    vec![text(row.text("statement_kind")), records, rounded(row, "total_ms", 10.0)];
                cells.extend(
                    ["p50_ms", "p95_ms", "p99_ms", "max_ms"].map(|name| rounded(row, name, 10_000.0)),
                );
                cells
            });
            top(rows.collect(), &[-3, 1], usize::MAX)
        }
        "slowest-records" => {
            let rows =
                groups(of.table("slow_records"), |row| (file_of(row), row.integer("line"))).into_iter();
            let rows = rows.map(|(((path, id), line), rows)| {
                let longest = rows.iter().filter_map(|row| row.real("duration_ms")).fold(0.0, f64::max);
                let line = line.map_or(Cell::Null, integer);
                vec![text(path), line, Cell::Real(longest), integer(rows.len()), text(id)]
            });
            without(top(rows.collect(), &[-3, 1, 2, 5], 20), 4)
        }
        "flakiest" => {
            let rows = of.table("file_stats").into_iter().filter(|row| row.integer("flips") > Some(1));
            let columns = "file_path engine flips runs passes fails last_status file_id";
            without(top(rows.map(|row| cells(row, columns)).collect(), &[-3, 1, 2, 8], 20), 7)
        }
        "by-engine" => {
            let rows =
                groups(of.table("file_stats"), |row| row.text("engine")).into_iter().map(|(engine, rows)| {
                    let [runs, passes, fails] =
                        ["runs", "passes", "fails"].map(|column| sum(&rows, column).unwrap());
                    let counts = [rows.len() as i64, runs, passes, fails].map(integer);
                    [vec![text(engine)], counts.to_vec(), vec![percent(passes, runs)]].concat()
                });
            rows.collect()
        }
        "coverage" => {
            let rows = groups(files_of(), |row| row.text("category")).into_iter().map(|(category, rows)| {
                let tested = count(&rows, |row| row.text("status") != Some("UNTESTED"));
                let all = rows.len() as i64;
                vec![text(category), integer(all), integer(tested), percent(tested, all)]
            });
            top(rows.collect(), &[4, 1], usize::MAX)
        }
        "failing-records" => {
            let last: BTreeSet<_> = of_last_run(of).iter().map(|row| row.text("outcome_id")).collect();
            let rows =
                of.table("record_failures").into_iter().filter(|row| last.contains(&row.text("outcome_id")));
            top(
                rows.map(|row| cells(row, "file_path line error_pattern message")).collect(),
                &[1, 2, 3, 4],
                100,
            )
        }
        other => panic!("no expectation for `{other}`"),
    }
}

#[test]
fn presets_and_views_are_right_on_both_engines() {
    let folder = TempDir::new().unwrap();
    let mut asker = Asker::new([child(), child()], limits());
    for (seed, runs) in [(1, 8), (2, 13), (3, 1), (4, 3), (5, 0)] {
        let of = Generated::new(seed, runs);
        let views = VIEWS.iter().map(|view| (view.name, format!("SELECT * FROM {}", view.name)));
        let presets = PRESETS.iter().map(|preset| (preset.name, preset.sql.to_owned()));
        for (name, sql) in presets.chain(views) {
            let plan = plan(&sql).unwrap();
            let effort = DisagreementEffort {
                check: true,
                folder: folder.path(),
                reducing: Default::default(),
                now: 0,
            };
            let asked = asker.ask(&plan, QueryTarget::Rows(&of.loaded(&plan)), effort).unwrap();
            assert!(asked.agreed, "{name} {seed}: {:?}", asked.unconfirmed);
            let (mut found, mut wanted) = (
                asked.answer.rows,
                match name {
                    "latest_run_summary" => summary(&of),
                    "failure_patterns" => patterns(&of),
                    "fix_opportunities" => opportunities(&of),
                    "failure_examples" => examples(&of),
                    name => expected(name, &of),
                },
            );
            if preset(name).is_none() {
                // A view has no order.
                let by: Vec<_> = (1..).take(asked.answer.columns.len()).collect();
                sort(&mut found, &by);
                sort(&mut wanted, &by);
            }
            assert_eq!(found, wanted, "{name} {seed}");
            assert!(seed != 1 || !found.is_empty(), "{name}: the expectation is empty");
        }
    }
}

#[test]
fn presets_have_the_columns_of_the_earlier_scripts() {
    for (name, columns) in [
        ("failed-files", "file_path category last_tested"),
        ("progress", "run_id run_time passed failed pass_rate"),
        ("by-category", "category total passed failed untested pass_pct"),
        ("flaky-tests", "file_path total_runs passes fails"),
        ("recent-runs", "run_id started total_files passed failed git_commit"),
        ("untested", "file_path category subcategory"),
        ("slow-tests", "file_path avg_duration_ms max_duration_ms run_count"),
        ("failing-by-category", "category subcategory failed_count"),
        ("latest-failures", "file_path category error_message tested_at"),
        (
            "analyze-summary",
            "run_id started_at completed_at total_files passed failed untested pass_rate git_commit",
        ),
        ("analyze-patterns", "error_pattern error_type failure_count affected_files pct_of_failures"),
        ("analyze-opportunities", "rank priority pattern tests_affected pct_failures effort impact_ratio"),
        ("analyze-examples", "error_pattern file_path error_type error_message_preview"),
    ] {
        let plan = plan(preset(name).unwrap().sql).unwrap();
        assert_eq!(plan.columns.join(" "), columns, "{name}");
    }
}

//! `run --timings`: the parts of files and workers, on the screen, in the JSON report, in the journal and on the page.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sandbox::Sandbox;

/// What is measured in nanoseconds and told in milliseconds.
const ROUNDING: f64 = 1e-3;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn sum(parts: &Value) -> f64 {
    parts.as_object().unwrap().values().map(number).sum()
}

fn assert_same(one: f64, other: f64, what: &str) {
    assert!((one - other).abs() < ROUNDING * (1.0 + other.abs()), "{what}: {one} and {other}");
}

/// Checks everything that adds up, and returns the parts of each file.
fn check_sums(timings: &Value) -> BTreeMap<String, Value> {
    let parts = &timings["parts_ms"];
    assert_same(sum(parts), number(&timings["worker_ms"]), "parts of all workers");
    let all_sessions = timings["sessions"].as_array().unwrap();
    let worker_time: f64 = all_sessions
        .iter()
        .map(|session| number(&session["workers"]) * number(&session["duration_ms"]))
        .sum();
    assert_same(worker_time, number(&timings["worker_ms"]), "workers by duration");
    let (mut starts, mut of_files) = (0.0, BTreeMap::<String, f64>::new());
    for session in all_sessions {
        let mut ends = BTreeMap::<u64, f64>::new();
        for span in session["spans"].as_array().unwrap() {
            let [from, to] = ["from_ms", "to_ms"].map(|name| number(&span[name]));
            let worker = span["worker"].as_u64().unwrap();
            assert!((1..=session["workers"].as_u64().unwrap()).contains(&worker), "{span}");
            let before = ends.insert(worker, to).unwrap_or(0.0);
            assert!(before <= from + ROUNDING && from <= to, "overlaps what ended at {before}: {span}");
            assert!(to <= number(&session["duration_ms"]) + ROUNDING, "behind the end: {span}");
            if span["work"] == "start" {
                starts += to - from;
            } else {
                assert_same(sum(&span["parts_ms"]), to - from, "parts of an execution");
                *of_files.entry(span["file"].as_str().unwrap().to_owned()).or_default() += to - from;
            }
        }
    }
    assert_same(starts, number(&parts["start"]), "starts");
    let files = timings["files"].as_array().unwrap();
    let named = files.iter().map(|file| {
        let name = file["file"].as_str().unwrap().to_owned();
        assert_same(sum(&file["parts_ms"]), number(&file["total_ms"]), "parts of a file");
        assert_same(number(&file["total_ms"]), of_files[&name], "executions of a file");
        (name, file.clone())
    });
    let named: BTreeMap<_, _> = named.collect();
    assert_eq!(named.len(), of_files.len());
    named
}

fn report(sandbox: &Sandbox, path: &str) -> Value {
    serde_json::from_str(&sandbox.read(path)).unwrap()
}

#[test]
fn the_parts_add_up_and_slow_ones_are_found() {
    let sandbox = Sandbox::new();
    sandbox.write("s/slow.test", "statement ok\nsleep 700\n\nquery I\nrows 1 / 2\n----\n1\n2\n");
    sandbox.write("s/quick.test", "statement ok\nok\n");
    sandbox.write("s/pause.test", "statement ok\nok\n\nsleep 300ms\n\nstatement ok\nok\n");
    sandbox.write("s/fails.test", "statement ok\nerror no\n");
    let command = "run --engine scripted --dialect rs --timings --retries 1 -j 2 --json out.json s";
    let output = sandbox.run(command);
    assert_eq!(output.code, 1, "{output}");
    let timings = &report(&sandbox, "out.json")["timings"];
    let files = check_sums(timings);
    assert_eq!(timings["workers"], 2);
    assert!(number(&files["slow.test"]["parts_ms"]["engine"]) >= 700.0, "{timings}");
    let pause = &files["pause.test"]["parts_ms"];
    assert!(number(&pause["host"]) >= 300.0 && number(&pause["engine"]) < 300.0, "{pause}");
    let fails = &files["fails.test"];
    assert_eq!(fails["executions"], 2, "a retry");
    assert!(
        0.0 < number(&fails["repeated_ms"]) && number(&fails["repeated_ms"]) < number(&fails["total_ms"])
    );
    assert_eq!(files["quick.test"]["executions"], 1);
    for part in ["parse", "open", "engine", "close", "other"] {
        assert!(number(&files["slow.test"]["parts_ms"][part]) > 0.0, "{part}: {timings}");
    }
    for shown in [
        "where the time went: 2 workers",
        "execute SQL",
        "files with the most time: 4 of 4 files",
        "s/slow.test",
    ] {
        assert!(output.stdout.contains(shown), "{shown}: {output}");
    }
    // The journal has them, so a later report does.
    let later = sandbox.run("report --format json");
    let later: Value = serde_json::from_str(&later.stdout).unwrap();
    assert_eq!(&later["timings"], timings);
    sandbox.run("report --output page.html");
    let page = sandbox.read("page.html");
    assert!(page.contains(r#""timings":{"workers":2"#), "the page has no timings");
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&sandbox.path().join("page.html"), "");
    for (blocks, number) in [("idle", 2), ("lost", 0)] {
        let found = browser.value(&format!("document.querySelectorAll('.timeline rect.{blocks}').length"));
        assert_eq!(found, json!(number), "{blocks}");
    }
    assert!(browser.text("document.getElementById('timings').textContent").contains("slow.test"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn nothing_is_shown_or_stored_without_the_flag() {
    let sandbox = Sandbox::with("query I\nSELECT 1\n----\n1\n");
    let output = sandbox.run("run --engine sqlite --json out.json --message-format human t.test");
    assert_eq!(output.code, 0, "{output}");
    assert!(!output.stdout.contains("where the time went"), "{output}");
    assert_eq!(report(&sandbox, "out.json").get("timings"), None);
    sandbox.run("report --output page.html");
    assert!(sandbox.read("page.html").contains(r#""timings":null"#));
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap();
    assert!(!journal.contains("Timed") && !journal.contains("TimingsStarted"), "{journal}");
    // It changes no result.
    let timed = sandbox.run("run --engine sqlite --timings --message-format json t.test");
    let events: Vec<Value> = timed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!(named("timings-started").len(), 1, "{timed}");
    let spans = named("worker-timed");
    let work: Vec<_> = spans.iter().map(|span| span["work"].as_str().unwrap()).collect();
    assert_eq!(work, ["start", "file"], "{timed}");
    assert_eq!(named("file-finished")[0]["records"]["passed"], 1);
}

#[test]
fn rows_have_parts_of_their_own_and_crashes_are_lost_time() {
    let sandbox = Sandbox::new();
    let rows =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT x FROM n";
    sandbox.write("s/rows.test", format!("query I rowsort\n{rows}\n----\n1\n"));
    let output = sandbox.run("run --engine sqlite --timings --json out.json s");
    assert_eq!(output.code, 1, "{output}");
    let files = check_sums(&report(&sandbox, "out.json")["timings"]);
    for part in ["engine", "render", "judge"] {
        assert!(number(&files["rows.test"]["parts_ms"][part]) > 0.0, "{part}: {files:?}");
    }
    sandbox.write("c/dies.test", "statement ok\nsleep 50\n\nstatement ok\nabort\n");
    sandbox.write("c/hangs.test", "statement ok\nhang\n");
    sandbox.write("c/loop.test", "concurrentloop i 0 8\n\nstatement ok\nsleep 100\n\nendloop\n");
    let command =
        "run --engine scripted --dialect duckdb --timings --timeout 1 --grace 1 -j 2 --json out.json c";
    assert_eq!(sandbox.run(command).code, 5);
    let timings = &report(&sandbox, "out.json")["timings"];
    let files = check_sums(timings);
    assert_eq!(files["dies.test"]["executions"], 2, "it is executed again after a crash");
    assert!(number(&files["dies.test"]["parts_ms"]["lost"]) >= 100.0, "{timings}");
    assert!(number(&files["hangs.test"]["parts_ms"]["lost"]) >= 1000.0, "{timings}");
    let concurrent = &files["loop.test"]["parts_ms"];
    assert!(number(&concurrent["engine"]) >= 100.0, "{timings}");
}

#[test]
fn each_measured_session_counts() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nerror no\n");
    sandbox.write("s/b.test", "statement ok\nok\n");
    let first = sandbox.run("run --engine scripted --timings --fail-fast --order path --serial s");
    assert!(first.stdout.contains("where the time went: 1 worker"), "{first}");
    let resumed = sandbox.run("run --resume --timings -j 3 --json out.json");
    assert_eq!(resumed.code, 1, "{resumed}");
    let own = &report(&sandbox, "out.json")["timings"];
    assert_eq!(check_sums(own).keys().collect::<Vec<_>>(), ["b.test"], "this session's");
    let all = sandbox.run("report --format json").stdout;
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(check_sums(&all["timings"]).len(), 2);
    let sessions = all["timings"]["sessions"].as_array().unwrap();
    assert_eq!(sessions.iter().map(|session| &session["workers"]).collect::<Vec<_>>(), [1, 3]);
}

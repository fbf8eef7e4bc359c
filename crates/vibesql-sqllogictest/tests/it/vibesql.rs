//! VibeSQL as the engine under test: its true state, and no panic that escapes.

use crate::sandbox::Sandbox;
use crate::support::{failing_lines, run_on};
use vibesql_sqllogictest::engines;

#[test]
fn it_is_the_default_engine_and_says_its_version() {
    let output = Sandbox::with("query I nosort\nSELECT 1 + 1\n----\n2\n").run("run t.test");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("on vibesql 0.2.0 in"), "{output}");
}

#[test]
fn the_shipped_suite_runs_to_its_end_on_it() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("run --json out.json");
    // The shipped suite has a statement that kills VibeSQL 0.2, and with it one worker.
    assert_eq!(output.code, 5, "{output}");
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let records = &report["summary"]["records"];
    assert!(records["passed"].as_u64() > Some(3000), "{records}");
    assert!(records["failed"].as_u64() > Some(0), "VibeSQL 0.2 fails some: {records}");
}

#[test]
fn a_query_that_takes_too_long_is_stopped_and_the_run_goes_on() {
    // Six hundred times 360,000 rows; VibeSQL cannot be interrupted.
    let digits: Vec<_> = (0..600).map(|number| format!("({number})")).collect();
    let heavy = "SELECT count(*) FROM n a WHERE (SELECT count(*) FROM n b, n c WHERE b.i + c.i > a.i) > 5";
    let sandbox = Sandbox::new();
    sandbox.write(
        "s/a.test",
        format!(
            "statement ok\nCREATE TABLE n(i INTEGER)\n\nstatement ok\nINSERT INTO n VALUES {}\n\n\
             query I nosort\n{heavy}\n----\n1\n\nstatement ok\nDROP TABLE n\n",
            digits.join(",")
        ),
    );
    sandbox.write("s/b.test", "query I nosort\nSELECT 1\n----\n1\n");
    for limit in ["--timeout 2", "--record-timeout 1"] {
        let output = sandbox.run(&format!("run --json out.json {limit} s"));
        assert_eq!(output.code, 1, "{output}");
        let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        let (slow, next) = (&report["files"][0], &report["files"][1]);
        assert_eq!((&slow["status"], &next["status"]), (&"timed_out".into(), &"passed".into()), "{output}");
        assert_eq!((&slow["end"]["line"], &slow["records"]["not_reached"]), (&7.into(), &1.into()));
        assert_eq!(slow["failures"][0]["sql"], heavy);
    }
}

#[test]
fn a_wrong_result_is_a_failure() {
    // VibeSQL 0.2 drops the IS NULL of this condition; the day it does not, this test is to be changed.
    let text = "statement ok\nCREATE TABLE t(a INTEGER, d INTEGER)\n\nstatement ok\n\
                INSERT INTO t VALUES (1,NULL),(2,5),(3,6),(4,NULL)\n\n\
                query I rowsort\nSELECT a FROM t WHERE a > 1 AND d IS NULL\n----\n4\n";
    let engine = engines::builtin().make("vibesql").unwrap();
    let report = run_on(engine.as_ref(), "t", text.as_bytes(), false);
    assert_eq!(failing_lines(&report), [7]);
}

#[test]
fn a_hash_that_differs_is_explained_by_sqlite() {
    let insert: Vec<_> =
        (1..=20).map(|i| format!("({i},{})", if i % 2 == 0 { "NULL" } else { "1" })).collect();
    // The even numbers above 1, each with a line feed, from SQLite: 10 values.
    let text = format!(
        "hash-threshold 3\n\nstatement ok\nCREATE TABLE t(a INTEGER, d INTEGER)\n\nstatement ok\nINSERT INTO t VALUES {}\n\n\
         query I nosort\nSELECT a FROM t WHERE a > 1 AND d IS NULL ORDER BY a\n----\n10 values hashing to {}\n",
        insert.join(","),
        "c1d1a0e8e7a0c1a1f2c2ed2b6f7d1d3f"
    );
    let sandbox = Sandbox::with(&text);
    let right = sandbox.run("test --engine sqlite t.test").stdout;
    let hash = right.lines().find_map(|line| line.trim().strip_prefix("+ ")).unwrap();
    let text = text.replace("10 values hashing to c1d1a0e8e7a0c1a1f2c2ed2b6f7d1d3f", hash);
    sandbox.write("t.test", text);
    assert_eq!(sandbox.run("test --engine sqlite t.test").code, 0);

    let output = sandbox.run("test t.test");
    assert_eq!(output.code, 1, "{output}");
    assert!(
        output.stdout.contains("the expected rows are sqlite's; they have the expected hash:"),
        "{output}"
    );
    assert!(output.stdout.contains("\n      + 3\n"), "the diff has the row that is too much: {output}");
}

//! Concurrent loops of DuckDB's dialect, through the program and on servers.

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::servers::{TestServer, mariadb, postgres};

/// Runs `t.test`; returns the report of the file.
fn run(sandbox: &Sandbox, engine: &str, flags: &str, variable: (&str, &str)) -> (Output, Value) {
    let line = format!("run --dialect duckdb --json out.json {flags} t.test --engine");
    let mut command = sandbox.command(&line);
    let output = Output::of(command.arg(engine).env(variable.0, variable.1));
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    (output, report["files"][0].clone())
}

fn run_scripted(sandbox: &Sandbox, flags: &str) -> (Output, Value) {
    run(sandbox, "scripted", flags, ("UNUSED", ""))
}

/// The failing records: place and kind.
fn failures(file: &Value) -> Vec<String> {
    let text = |failure: &Value| {
        format!(
            "{} ({}) {}",
            failure["line"],
            failure["iteration"].as_str().unwrap(),
            failure["kind"].as_str().unwrap()
        )
    };
    file["failures"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn iterations_wait_for_each_other_and_keep_their_order() {
    // Each waits for the files of the other ones; the last one ends first.
    let text = "concurrentforeach i,next 0,1 1,2 2,no\n\nstatement ok\nonce at{i} ok\nawait at0\nawait at1\nawait at2\n\n\
        skipif i=2\nstatement ok\nawait end{next}\n\nstatement ok\nonce end{i} ok\nerror x\n\nendloop\n";
    let sandbox = Sandbox::with(text);
    let (output, file) = run_scripted(&sandbox, "--timeout 60");
    let place = |at: &str| format!("13 ({at}) unexpected_error");
    assert_eq!(failures(&file), ["i=0, next=1", "i=1, next=2", "i=2, next=no"].map(place), "{output}");
    assert_eq!((&file["records"]["passed"], &file["records"]["skipped"]), (&5.into(), &1.into()), "{output}");
    assert_eq!(file["lints"].as_array().unwrap().len(), 0, "{file}");
}

#[test]
fn a_worker_that_ends_in_a_loop_names_a_record_that_was_running() {
    // Both are stuck in the end, and the record of iteration 1 has been so for longer.
    let text = "concurrentloop i 1 3\n\nonlyif i=1\nstatement ok\nonce stuck ok\nhang\n\nonlyif i=2\nstatement ok\n\
        await stuck\n\nonlyif i=2\nstatement ok\nORDER\n\nendloop\n\nstatement ok\nok\n";
    let sandbox = Sandbox::with(&text.replace("ORDER", "hang"));
    let (output, file) = run_scripted(&sandbox, "--record-timeout 3 --grace 1");
    assert_eq!(failures(&file), ["4 (i=1) timed_out"], "{output}");
    assert_eq!((&file["status"], &file["end"]["line"]), (&"timed_out".into(), &4.into()), "{file}");
    // No iteration has ended.
    let counts = (&file["records"]["timed_out"], &file["records"]["not_reached"]);
    assert_eq!(counts, (&1.into(), &6.into()), "{file}");

    // The file is run once more after a crash, and may crash in the other iteration then.
    let sandbox = Sandbox::with(&text.replace("ORDER", "abort"));
    let (output, file) = run_scripted(&sandbox, "");
    assert_eq!(file["status"], "crashed", "{output}");
    let lost = "worker lost at t.test:4 (i=1): it was killed by SIGABRT";
    assert!(output.stdout.contains(lost), "{output}");
}

/// Runs a text on a server; its iterations wait for each other.
fn run_on(server: &TestServer, password: &str, text: &str) {
    let sandbox = Sandbox::with(text);
    let (output, file) = run(&sandbox, &server.address(), "--timeout 120", (password, server.password()));
    assert_eq!((&file["status"], failures(&file).len()), (&"passed".into(), 0), "{output} {file}");
    assert_eq!(file["lints"].as_array().unwrap().len(), 0, "{file}");
    let (output, file) =
        run(&sandbox, &server.address(), "--exact --timeout 120", (password, server.password()));
    assert_eq!(file["status"], "passed", "{output} {file}");
}

#[test]
fn iterations_overlap_on_postgresql() {
    let Some(server) = postgres() else { return };
    // A statement sees what others commit while it is running: nobody passes alone.
    run_on(server, "PGPASSWORD", "statement ok
CREATE TABLE arrived(i INTEGER)

concurrentloop i 0 8

statement ok
INSERT INTO arrived VALUES ({i})

statement ok
DO $$ BEGIN
FOR look IN 1..600 LOOP IF (SELECT count(*) FROM arrived) = 8 THEN RETURN; END IF; PERFORM pg_sleep(0.05); END LOOP;
RAISE EXCEPTION 'alone'; END $$

statement ok
CREATE TEMPORARY TABLE own AS SELECT {i} AS i

query I
SELECT i - {i} FROM own
----
0

endloop

query II
SELECT count(*), count(DISTINCT i) FROM arrived
----
8\t8
");
}

#[test]
fn iterations_overlap_on_mariadb() {
    let Some(server) = mariadb() else { return };
    // The first ends only when it has seen a lock of the second, which holds it until the first has ended.
    let wait_for = |lock: &str| {
        let is_used = format!("IS_USED_LOCK(CONCAT('{lock}', LEFT(n, 0))) IS NOT NULL");
        format!(
            "WITH RECURSIVE look(n, found) AS (SELECT 0, 0 UNION ALL SELECT n + 1, IF(SLEEP(0.05) = 0, {is_used}, 0) \
             FROM look WHERE n < 600 AND found = 0) SELECT MAX(found) FROM look"
        )
    };
    let records = [
        (0, "SELECT GET_LOCK('slt_first', 0)".to_owned()),
        (1, wait_for("slt_first")),
        (1, "SELECT GET_LOCK('slt_second', 0)".to_owned()),
        (0, wait_for("slt_second")),
        (1, "SELECT GET_LOCK('slt_first', 60)".to_owned()),
    ];
    let records = records.map(|(i, sql)| format!("onlyif i={i}\nquery I\n{sql}\n----\n1\n\n"));
    run_on(server, "MYSQL_PWD", &format!("concurrentloop i 0 2\n\n{}endloop\n", records.concat()));
}

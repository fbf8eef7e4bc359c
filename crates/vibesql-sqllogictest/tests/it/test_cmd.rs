//! `test`: each failure with its evidence, and single records.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;
use crate::support::{send_signal, wait_for};

const MISTAKES: &str = "\
statement ok
CREATE TABLE t(a INTEGER, b TEXT)

statement ok
INSERT INTO t VALUES (1,'x'),(2,'y'),(3,NULL)

query IT rowsort
SELECT a, b
  FROM t
----
1
x
2
z
3
NULL

query I nosort
SELECT a FROM t ORDER BY a
----
1
3

query II nosort
SELECT a FROM t
----
1

query I nosort
INSERT INTO t VALUES (4,'w')
----

statement ok
SELEKT 1

statement error
SELECT 1

query I nosort same
SELECT 1
----
1

query I nosort same
SELECT 2
----
2

query I rowsrt
SELECT 1
----
1

hash-threshold 3
statement ok
SELECT 1
";

#[test]
fn every_kind_of_failure_reads_well() {
    assert_snapshot!(Sandbox::with(MISTAKES).run("test --engine sqlite t.test"), @r#"
    exit code 2
    --- stdout
    FAIL  t.test:7   query IT rowsort
          SELECT a, b
            FROM t
          values differ (6 expected, 6 found)
            1 | x
          - 2 | z
          + 2 | y
            3 | NULL
          again: vibesql-sqllogictest test --engine sqlite t.test:7

    FAIL  t.test:18   query I nosort
          SELECT a FROM t ORDER BY a
          2 values expected, 3 found
            1
          + 2
            3
          again: vibesql-sqllogictest test --engine sqlite t.test:18

    FAIL  t.test:24   query II nosort
          SELECT a FROM t
          2 columns expected by the type letters, 1 found
          again: vibesql-sqllogictest test --engine sqlite t.test:24

    FAIL  t.test:29   query I nosort
          INSERT INTO t VALUES (4,'w')
          1 column expected, but the SQL has no result
          again: vibesql-sqllogictest test --engine sqlite t.test:29

    FAIL  t.test:33   statement ok
          SELEKT 1
          unexpected error: near "SELEKT": syntax error
          again: vibesql-sqllogictest test --engine sqlite t.test:33

    FAIL  t.test:36   statement error
          SELECT 1
          an error was expected, but the statement succeeded
          again: vibesql-sqllogictest test --engine sqlite t.test:36

    FAIL  t.test:44   query I nosort same
          SELECT 2
          another result than line 39, which has the same label `same`
          - hash b026324c6904b2a9cb4b88d6d61c81d1
          + hash 26ab0db90d72e28ad0ba1e22ee510510
            2
          again: vibesql-sqllogictest test --engine sqlite t.test:44

    MALFORMED  t.test:49   query I rowsrt
          SELECT 1
          malformed record: expected a sort mode, found `rowsrt`
          hint: sort modes are nosort, rowsort, valuesort; a label comes after them
          again: vibesql-sqllogictest test --engine sqlite t.test:49

    MALFORMED  t.test:54   hash-threshold 3
          malformed record: expected a blank line after `hash-threshold`, found `statement ok`
          at: t.test:55
          hint: the SQLite runner skips such text silently; --exact does the same
          again: vibesql-sqllogictest test --engine sqlite t.test:54

    FAIL  t.test  3 passed, 7 failed, 2 malformed  [time] s
    "#);
}

#[test]
fn one_record_after_its_set_up() {
    let sandbox = Sandbox::with(MISTAKES);
    // Any line of the record will do.
    for line in [7, 8, 10, 16] {
        let output = sandbox.run(&format!("test --engine sqlite t.test:{line}"));
        assert!(output.stdout.contains("FAIL  t.test:7 "), "{output}");
        assert!(output.stdout.contains("FAIL  t.test  1 failed"), "{output}");
        assert_eq!(output.code, 1);
    }
    // The label of the record needs the query that had it first.
    let output = sandbox.run("test --engine sqlite t.test:45");
    assert!(output.stdout.contains("another result than line 39"), "{output}");
    // What went wrong in the set-up is said, and is not counted.
    assert_snapshot!(sandbox.run("test --engine sqlite t.test:40"), @r#"
    exit code 0
    --- stdout
    note: in the set-up: t.test:29: 1 column expected, but the SQL has no result
    note: in the set-up: t.test:33: unexpected error: near "SELEKT": syntax error
    note: in the set-up: t.test:36: an error was expected, but the statement succeeded
    PASS  t.test  1 record  [time] s
    "#);
}

#[test]
fn rows_behind_a_hash_are_shown_when_sqlite_has_them() {
    let sandbox = Sandbox::new();
    let table = "statement ok\nCREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n \
                 WHERE i < 50) SELECT i FROM n\n\n";
    // 1 to 50, each with a line feed: seq 50 | md5sum.
    let query = "query I nosort\nSELECT i FROM t ORDER BY i\n----\n50 values hashing to 5d634700c6211755a05f842011801338\n";
    sandbox.write("right.test", format!("{table}{query}"));
    assert_eq!(sandbox.run("test --engine sqlite right.test").code, 0);

    // An engine under test that is wrong: the same file, where only this engine deletes a row.
    let wrong = format!("{table}onlyif broken\nstatement ok\nUPDATE t SET i = 1000 WHERE i = 20\n\n{query}");
    sandbox.write("wrong.test", wrong.as_str());
    let output = sandbox.run("test --engine sqlite --engine-name broken wrong.test");
    assert!(output.stdout.contains("50 values expected and found, but the hash differs"), "{output}");
    assert!(output.stdout.contains("the rows found:"), "the oracle runs the same records: {output}");

    sandbox.write(
        "scripted.test",
        "query I nosort\nrows 1 / 2 / 3\n----\n9 values hashing to 5d634700c6211755a05f842011801338\n",
    );
    let output = sandbox.run("test --engine scripted scripted.test");
    assert!(output.stdout.contains("9 values expected, 3 found; compared by hash"), "{output}");
    assert!(output.stdout.contains("the rows found:"), "SQLite cannot read orders: {output}");
}

#[test]
fn long_diffs_are_cut_around_the_difference() {
    let values: Vec<String> = (1..=300).map(|i| i.to_string()).collect();
    let mut text =
        "query I nosort\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300) \
                    SELECT i FROM n\n----\n"
            .to_owned();
    text += &values.join("\n").replace("\n200\n", "\n-200\n");
    text.push('\n');
    assert_snapshot!(Sandbox::with(&text).run("test --engine sqlite t.test"), @"
    exit code 1
    --- stdout
    FAIL  t.test:1   query I nosort
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300) SELECT i FROM n
          values differ (300 expected, 300 found)
            … 196 rows equal before
            197
            198
            199
          - -200
          + 200
            201
            202
            203
            … 97 rows
          again: vibesql-sqllogictest test --engine sqlite t.test:1

    FAIL  t.test  1 failed  [time] s
    ");
}

#[test]
fn the_command_again_repeats_the_failure() {
    let sandbox = Sandbox::new();
    sandbox.write("with space/it's.test", "query I nosort\nSELECT 4294967297\n----\n2\n");
    let path = sandbox.path().join("with space/it's.test");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vibesql-sqllogictest"))
        .args(["test", "--engine", "sqlite", "--exact"])
        .arg(&path)
        .env_clear()
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let again =
        stdout.lines().find_map(|line| line.trim().strip_prefix("again: vibesql-sqllogictest")).unwrap();
    let command = format!("'{}'{again}", env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
    let repeated = std::process::Command::new("sh").args(["-c", &command]).env_clear().output().unwrap();
    assert_eq!(repeated.status.code(), Some(1), "{command}");
    assert!(String::from_utf8_lossy(&repeated.stdout).contains("values differ (1 expected, 1 found)"));
}

#[test]
fn notes_on_what_is_legal_but_odd() {
    let text = "hash-threshold 2\n\nquery I nosort\nSELECT 1 WHERE 0\n\nquery I nosort\nSELECT 1\n----\n\
                1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n\nquery III nosort\nSELECT 1,2,3\n----\n1\n2\n3\n";
    let sandbox = Sandbox::with(text);
    assert_snapshot!(sandbox.run("test --engine sqlite t.test"), @"
    exit code 0
    --- stdout
    note: t.test:3: no `----` line: taken as `expects no rows`
    note: t.test:6: a hash line for a result that the threshold would list
    note: t.test:11: listed values for a result that the threshold would hash
    PASS  t.test  3 records  [time] s
    ");
    let exact = sandbox.run("test --engine sqlite --exact t.test");
    assert_snapshot!(exact, @"
    exit code 1
    --- stdout
    FAIL  t.test:3   query I nosort
          SELECT 1 WHERE 0
          1 value expected, 0 found
          - SELECT 1 WHERE 0
          again: vibesql-sqllogictest test --engine sqlite --exact t.test:3

    FAIL  t.test:6   query I nosort
          SELECT 1
          the values are right, but under this hash threshold the file must have `1 listed values`
          again: vibesql-sqllogictest test --engine sqlite --exact t.test:6

    FAIL  t.test:11   query III nosort
          SELECT 1,2,3
          the values are right, but under this hash threshold the file must have `3 values hashing to c0710d6b4f15dfa88f600b0e6b624077`
          again: vibesql-sqllogictest test --engine sqlite --exact t.test:11

    FAIL  t.test  3 failed  [time] s
    ");
}

#[test]
fn a_reader_that_has_seen_enough_is_told_nothing() {
    let sandbox = Sandbox::new();
    let line = sandbox
        .command("run --engine sqlite --json out.json")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let mut child = line.unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // The run and its verdict do not depend on who reads.
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["end"], "completed");
}

#[test]
fn a_panic_of_the_engine_is_a_result() {
    let output = Sandbox::with("statement ok\npanic oh dear\n\nstatement ok\nok\n")
        .run("test --engine scripted t.test");
    assert_snapshot!(output, @"
    exit code 1
    --- stdout
    CRASH  t.test:1   statement ok
          panic oh dear
          the engine panicked: oh dear
          again: vibesql-sqllogictest test --engine scripted t.test:1

    CRASH  t.test  line 1: the engine panicked: oh dear; 1 crashed, 1 not reached  [time] s
    ");
}

#[test]
fn a_trace_ends_at_the_record_that_takes_the_process_with_it() {
    let sandbox = Sandbox::with("statement ok\nok\n\nstatement ok\nabort\n\nstatement ok\nok\n");
    let run = sandbox.run("run --engine scripted t.test");
    assert!(run.stdout.ends_with("test --engine scripted t.test:4 --trace\n"), "{run}");
    let traced = sandbox.run("test --engine scripted --trace t.test");
    assert_eq!(traced.stderr, "t.test:1\nt.test:4\n");
}

#[test]
fn an_engine_that_ends_its_process_with_0_gets_a_verdict() {
    let sandbox = Sandbox::with("statement ok\nok\n\nstatement error\nexit 0\n\nstatement ok\nok\n");
    sandbox.write("good.test", "statement ok\nok\n");
    let output = sandbox.run("test --engine scripted t.test good.test");
    assert_eq!(output.code, 5, "{output}");
    let verdict = "CRASH  t.test  line 4: the worker process exited with code 0";
    assert!(output.stdout.contains(verdict), "{output}");
    assert!(output.stdout.contains("1 passed, 1 crashed, 1 not reached"), "{output}");
    assert!(
        output.stdout.contains("PASS  good.test  1 record"),
        "the other file has its own process: {output}"
    );
}

#[test]
fn a_crash_of_the_set_up_is_no_verdict_on_the_record() {
    let sandbox = Sandbox::with("statement ok\nerror no\n\nstatement ok\nexit 0\n\nstatement ok\nok\n");
    let output = sandbox.run("test --engine scripted t.test:7");
    assert_eq!(output.code, 5, "{output}");
    assert!(output.stdout.contains("note: in the set-up: t.test:1: unexpected error: no"), "{output}");
    assert!(output.stdout.contains("note: in the set-up: t.test:4: the worker process exited"), "{output}");
    assert!(output.stdout.contains("; 1 not reached"), "{output}");
}

#[test]
fn what_an_engine_prints_is_not_in_the_verdict() {
    let sandbox = Sandbox::with("statement ok\nprint hello\n");
    let output = sandbox.run("test --engine scripted --trace t.test");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.starts_with("PASS  t.test  1 record"), "{output}");
    assert_eq!(output.stderr, "t.test:1\n\u{1e}hello\n");
}

#[test]
fn a_file_that_hangs_is_stopped() {
    let sandbox = Sandbox::with("statement ok\nok\n\nstatement ok\nhang\n");
    let output = sandbox.run("test --engine scripted --timeout 1 t.test");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("TIMEOUT  t.test  1 passed, 1 timed out"), "{output}");
}

#[test]
fn ctrl_c_ends_a_test_at_once_and_says_where_it_was() {
    let sandbox = Sandbox::with("statement ok\nok\n\nstatement ok\nonce at-it hang\n");
    let mut command = sandbox.command("test --engine scripted t.test");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for("the file", || sandbox.path().join("at-it").exists());
    send_signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("note: now at t.test:4, after "), "{stderr}");
    assert!(stderr.contains("note: INCOMPLETE: interrupted, no verdict on 1 file"), "{stderr}");
    assert!(sandbox.leftovers().is_empty(), "{:?}", sandbox.leftovers());
}

#[test]
fn a_lost_engine_is_an_incomplete_run() {
    let output = Sandbox::with("statement ok\nlost gone fishing\n").run("test --engine scripted t.test");
    assert_eq!(output.code, 5, "{output}");
}

#[test]
fn nothing_executed_is_no_success() {
    let sandbox = Sandbox::with("skipif sqlite\nstatement ok\nSELECT 1\n");
    assert_snapshot!(sandbox.run("test --engine sqlite t.test"), @"
    exit code 1
    --- stdout
    EMPTY  t.test  nothing was executed: 1 skipped  [time] s
    ");
}

#[test]
fn a_result_with_one_row_per_line_is_recognised() {
    let sandbox =
        Sandbox::with("query IT nosort\nVALUES (1, 'a'), (2, 'b c'), (3, 'd')\n----\n1 a\n2 b c\n3 d\n");
    assert_snapshot!(sandbox.run("test --engine sqlite t.test"), @"
    exit code 1
    --- stdout
    FAIL  t.test:1   query IT nosort
          VALUES (1, 'a'), (2, 'b c'), (3, 'd')
          the file has one row per line (3 lines), 6 values found
          - 1 a
          - 2 b c
          - 3 d
          the rows found:
            1 | a
            2 | b c
            3 | d
          hint: write one value per line; one row per line is the form of sqllogictest-rs and DuckDB
          again: vibesql-sqllogictest test --engine sqlite t.test:1

    FAIL  t.test  1 failed  [time] s
    ");
    // Tabs are in no value, so these are rows even where there are too few of them.
    let sandbox = Sandbox::with("query II rowsort\nVALUES (1, 2), (3, 4)\n----\n1\t2\n");
    let output = sandbox.run("test --engine sqlite t.test");
    assert!(output.stdout.contains("the file has one row per line (1 line), 4 values found"), "{output}");
    sandbox.run("run --engine sqlite t.test");
    let analysis = sandbox.run("analyze");
    assert!(analysis.stdout.contains("one row per line"), "{analysis}");
}

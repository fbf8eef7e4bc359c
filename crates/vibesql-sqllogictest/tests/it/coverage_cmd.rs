//! `analyze --coverage`: which constructs pass and fail.

use insta::assert_snapshot;

use crate::analysis_cmd::shown;
use crate::sandbox::Sandbox;

/// Two files: one without failures; one with a CAST that is wrong, a missing function, and a table that is missing, so
/// that a query with DISTINCT fails, too.
fn sandbox_of_constructs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(
        "suite/good.test",
        "\
statement ok
CREATE TABLE t(a INTEGER, b TEXT)

statement ok
INSERT INTO t VALUES(1, 'x')

query I nosort
SELECT COUNT(*) FROM t WHERE a = 1
----
1

statement error
SELECT missing() OVER ()

skipif sqlite
query I nosort
SELECT a << 1 FROM t
----
2

halt

query I nosort
SELECT a >> 1 FROM t
----
0
",
    );
    sandbox.write(
        "suite/bad.test",
        "\
query I nosort
SELECT CAST('1' AS INTEGER) + 1 WHERE 1 = 1
----
3

query I nosort
SELECT frobnicate(1)
----
1

query I nosort
SELECT COUNT(*) WHERE 1 = 2
----
1

statement ok
CREATE TABLE u(a FLOAT) WITH (x = 1)

query I nosort
SELECT DISTINCT a FROM u
----
1
",
    );
    sandbox.run("run --engine sqlite suite --quiet");
    sandbox
}

#[test]
fn the_coverage_of_constructs() {
    let sandbox = sandbox_of_constructs();
    // A construct of a consequence, of an expected error, of a skipped record and of one that was not reached is no
    // evidence.
    assert_snapshot!(shown(&sandbox, "analyze --coverage"), @"
    exit code 0
    --- stdout
    run [run] on sqlite [version]
    5 failing records in 1 file: 3 clusters
    the first 3 fixes turn 1 of 1 file green

    coverage: 7 records of 2 files, 3 passed, 4 failed
    5 of 14 constructs occur only in failing records
    1 failing record not counted: earlier failures caused them

     construct            kind        records  passed  failed      rate  example
     CAST                 expression        1       0       1    0.00 %  suite/bad.test:1
     operator +           operator          1       0       1    0.00 %  suite/bad.test:1
     FROBNICATE()         function          1       0       1    0.00 %  suite/bad.test:6
     CAST AS INTEGER      type              1       0       1    0.00 %  suite/bad.test:1
     column type FLOAT    type              1       0       1    0.00 %  suite/bad.test:16
     SELECT               statement         4       1       3   25.00 %  suite/bad.test:1
     operator =           operator          4       1       3   25.00 %  suite/bad.test:1
     WHERE                clause            3       1       2   33.33 %  suite/bad.test:1
     CREATE TABLE         statement         2       1       1   50.00 %  suite/bad.test:16
     COUNT()              function          2       1       1   50.00 %  suite/bad.test:11
     COUNT(*)             function          2       1       1   50.00 %  suite/bad.test:11
     INSERT               statement         1       1       0  100.00 %  suite/good.test:4
     column type INTEGER  type              1       1       0  100.00 %  suite/good.test:1
     column type TEXT     type              1       1       0  100.00 %  suite/good.test:1

    note: 1 record not reached; the outcome is unknown
    ");
    let document: serde_json::Value =
        serde_json::from_str(&sandbox.run("analyze --coverage --format json").stdout).unwrap();
    let coverage = &document["coverage"];
    assert_eq!((&coverage["passed"], &coverage["failed"]), (&3.into(), &4.into()));
    let constructs = coverage["constructs"].as_array().unwrap();
    let selects: Vec<_> = constructs.iter().filter(|one| one["construct"] == "SELECT").collect();
    assert_eq!(
        selects,
        [&serde_json::json!({
            "construct": "SELECT", "kind": "statement", "passed": 1, "failed": 3, "pass_rate": 25.0,
            "file": "bad.test", "line": 1,
        })]
    );
    assert!(sandbox.run("analyze").stdout.lines().all(|line| !line.contains("coverage")));
    let filtered = sandbox.run("analyze --coverage --filter good --format markdown").stdout;
    assert!(filtered.contains("0 of 9 constructs occur only in failing records"), "{filtered}");
    // A changed file is not counted.
    sandbox.write("suite/good.test", "statement ok\nSELECT 1\n");
    let changed = sandbox.run("analyze --coverage").stdout;
    assert!(changed.contains("note: suite/good.test is not counted: it has changed since"), "{changed}");
    assert!(changed.contains("4 records of 1 file, 0 passed, 4 failed"), "{changed}");
}

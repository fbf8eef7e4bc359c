//! Results of other programs: what VibeSQL's earlier scripts and other runners have written becomes runs.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use insta::assert_snapshot;
use vibesql_sqllogictest::outcome::{FileReport, Problem};
use vibesql_sqllogictest::results::Journal;

use crate::sandbox::{Output, Sandbox};
use crate::support::manifest;

/// A sandbox with a file of the past, which was changed last on 22 November 2025 at 10 o'clock.
pub(crate) fn with_fixture(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(name, std::fs::read(manifest().join("tests/fixtures/import").join(name)).unwrap());
    let changed = UNIX_EPOCH + Duration::from_secs(1_763_805_600);
    File::options().append(true).open(sandbox.path().join(name)).unwrap().set_modified(changed).unwrap();
    sandbox
}

pub(crate) fn import(name: &str, words: &str) -> (Sandbox, Output) {
    let sandbox = with_fixture(name);
    let output = sandbox.run(&format!("store import {words} {name}"));
    (sandbox, output)
}

/// All that is known of the files of a run.
pub(crate) fn files(run: &Path) -> String {
    let journal = Journal::read(&run.join("journal.jsonl")).unwrap().unwrap();
    assert_eq!((journal.damaged, journal.ended), (0, true));
    let lines: Vec<_> = journal.report.files.iter().map(line).collect();
    lines.join("\n")
}

fn line(file: &FileReport) -> String {
    assert!(file.counts.add_up());
    let details = file.details().map(|detail| match detail.problem {
        Problem::Reported(text) => format!(" {}:{}{text:?}", detail.id, detail.header),
        other => format!(" {}:{}", detail.id, other.word()),
    });
    let tries = file.attempts.iter().map(|attempt| format!(" before: {}", attempt.status.word()));
    let rest: String = details.chain(tries).collect();
    format!("{} {} {} ms{rest}", file.file, file.status().word(), file.elapsed.as_millis())
}

#[test]
fn json_of_a_run() {
    let (sandbox, output) = import("results.json", "");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251122-100000 from results.json: 5 files, 2 passed, 2 failed, 1 other
    --- stderr
    note: results.json: it has no time of the run: using the modification time of the file
    note: the engine of these results is `unknown`; use --engine NAME to set it
    ");
    assert_snapshot!(files(&sandbox.last_run().unwrap()), @r#"
    evidence/in1.test passed 0 ms
    index/between/10/slt_good_0.test failed 0 ms 0:"query result mismatch:\n[SQL] SELECT 'it''s' FROM t\n[Diff]\n-\t1\n+\t2"
    random/expr/slt_good_1.test failed 0 ms 17:"expected: 1\nactual: 2"
    select1.test passed 0 ms
    select5.test timed_out 0 ms 0:""
    "#);
    assert_snapshot!(sandbox.run("show last random/expr/slt_good_1.test"), @"
    exit code 0
    --- stdout
    FAIL  random/expr/slt_good_1.test:17
          SELECT 1
          expected: 1
          actual: 2

    FAIL  random/expr/slt_good_1.test  1 failed  [time] s
    ");
    assert_snapshot!(sandbox.run("show last index/between/10/slt_good_0.test"), @"
    exit code 0
    --- stdout
    FAIL  index/between/10/slt_good_0.test
          Unknown - script failed
          query result mismatch:
          [SQL] SELECT 'it''s' FROM t
          [Diff]
          -	1
          +	2

    FAIL  index/between/10/slt_good_0.test  1 failed  [time] s
    ");
}

#[test]
fn merged_json_with_gaps() {
    let (sandbox, output) = import("cumulative.json", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251122-100000 from cumulative.json: 4 files, 1 passed, 3 failed, 2 without a result
    --- stderr
    note: cumulative.json: it has no time of the run: using the modification time of the file
    note: cumulative.json: the summary says 2 passed files, but there are 3
    note: cumulative.json: the summary says 6 files, but there are 5
    note: cumulative.json: `select1.test` is listed more than once, as passed and passed: using passed
    note: cumulative.json: `select2.test` is listed more than once, as passed and failed: using failed
    note: cumulative.json: `select4.test` has a failure text but is in no list: treated as failed
    note: cumulative.json: the summary says 6 files in all categories, but there are 5
    ");
    assert_snapshot!(files(&sandbox.last_run().unwrap()), @r#"
    select1.test passed 0 ms
    select2.test failed 0 ms 0:""
    select3.test failed 0 ms 0:""
    select4.test failed 0 ms 0:"thread 'main' panicked"
    "#);
    // It is no run that could be resumed.
    assert_snapshot!(sandbox.run("run --resume 20251122-100000"), @"
    exit code 2
    --- stderr
    error: run `20251122-100000` was made elsewhere and cannot be resumed here
      hint: use `show` to display it, or `run` to start a new run
    ");
    assert_snapshot!(sandbox.run("run --resume").to_string().replace(sandbox.home(), "[home]"), @"
    exit code 3
    --- stderr
    error: no interrupted run in `[home]/.vibesql/test_results`
      hint: use --results DIR to select another results folder
    ");
}

#[test]
fn a_dump_with_a_run_that_was_stored_twice() {
    let (sandbox, output) = import("test_results.sql", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251122-100000 from test_results.sql: 4 files, 1 passed, 2 failed, 1 other, 2 without a result
    run 20251123-100001 from test_results.sql: 2 files, 0 passed, 1 failed, 1 other, 1 without a result
    --- stderr
    note: test_results.sql: run 1763892000 has no results, and is left out
    note: test_results.sql: run 1763805600: 1 passed only by exit code, which says nothing: left without a result
    note: test_results.sql: runs 1763805600 and 1763806201 are one run, stored twice: the statuses of 1763806201 are kept, and 1 of the other differ
    note: test_results.sql: `select1.test` has the unknown status `BROKEN`: treated as an error
    note: test_results.sql: `select3.test` is listed more than once, as passed and failed: using failed
    note: test_results.sql: run 1763892001 says 0 failed files, but there are 2
    ");
    let runs: Vec<_> = sandbox.all_runs().iter().map(|run| files(run)).collect();
    assert_snapshot!(runs.join("\n--\n"), @r#"
    select1.test passed 1500 ms
    select2.test failed 2500 ms 0:"TypeMismatch { op: \"\\+\", left: 'a;b' }"
    select3.test timed_out 500000 ms 0:"Test exceeded time limit"
    select4.test failed 30 ms 0:""
    --
    select1.test error 10 ms 0:"who\nknows"
    select3.test failed 11 ms 0:""
    "#);
    let journal = Journal::read(&sandbox.all_runs()[0].join("journal.jsonl")).unwrap().unwrap();
    let commit = journal.opened.circumstances.unwrap().commit.unwrap();
    assert_eq!(commit.branch.as_deref(), Some("main"));
    assert_eq!(journal.report.elapsed, Duration::from_millis(599_880));
    assert_eq!(journal.opened.started, 1_763_805_600_000, "the zone is made good by the identifier");
}

#[test]
fn the_earlier_schemas() {
    let (sandbox, output) = import("test_results_schema.sql", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251101-080000 from test_results_schema.sql: 4 files, 1 passed, 1 failed, 2 other
    ");
    assert_snapshot!(files(&sandbox.last_run().unwrap()), @r#"
    index/a.test passed 12 ms
    index/b.test failed 13 ms 0:Result Mismatch"query result mismatch"
    index/c.test empty 0 ms
    index/d.test timed_out 500000 ms 0:timed_out
    "#);
    let journal = Journal::read(&sandbox.last_run().unwrap().join("journal.jsonl")).unwrap().unwrap();
    let circumstances = journal.opened.circumstances.unwrap();
    let (budget, seed) = (Some(Duration::from_secs(300)), Some(42));
    assert_eq!((circumstances.workers, circumstances.budget, circumstances.seed), (8, budget, seed));
    let (_, output) = import("test_results_simple.sql", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251001-080000 from test_results_simple.sql: 2 files, 2 passed, 0 failed
    run 20251002-080000 from test_results_simple.sql: 1 file, 0 passed, 1 failed
    --- stderr
    note: test_results_simple.sql: of run 8 there are only results: its time is that of the first
    ");
}

#[test]
fn junit_of_several_runners() {
    for (file, wanted) in [
        ("nextest.xml", "nextest"),
        ("pytest.xml", "pytest"),
        ("duckdb.xml", "duckdb"),
        ("sqllogictest-rs.xml", "sqllogictest-rs"),
    ] {
        let (sandbox, output) = import(file, "--engine x");
        let run = sandbox.last_run().unwrap();
        let elapsed = Journal::read(&run.join("journal.jsonl")).unwrap().unwrap().report.elapsed;
        let text = format!("{output}--- {elapsed:?}\n{}", files(&run));
        assert_snapshot!(format!("junit_{wanted}"), text);
    }
}

#[test]
fn the_same_again_does_nothing() {
    for file in ["results.json", "test_results.sql", "nextest.xml"] {
        let sandbox = with_fixture(file);
        sandbox.run(&format!("store import {file}"));
        let runs = sandbox.all_runs();
        std::fs::copy(sandbox.path().join(file), sandbox.path().join("copy")).unwrap();
        let again = sandbox.run("store import copy --engine other");
        assert_eq!((again.code, sandbox.all_runs()), (0, runs), "{again}");
        assert!(again.stdout.contains("already exists; nothing imported"), "{again}");
    }
}

#[test]
fn a_dump_that_has_grown_adds_what_is_new() {
    let sandbox = with_fixture("test_results_simple.sql");
    sandbox.run("store import test_results_simple.sql");
    let more = "INSERT INTO test_results (run_id, file_path, status, tested_at) VALUES (9, 'a.test', 'PASS', '2025-10-03 08:00:00');";
    let text = sandbox.read("test_results_simple.sql") + more;
    sandbox.write("test_results_simple.sql", text);
    assert_snapshot!(sandbox.run("store import --engine x test_results_simple.sql"), @"
    exit code 0
    --- stdout
    run 20251001-080000 already exists; nothing imported
    run 20251002-080000 already exists; nothing imported
    run 20251003-080000 from test_results_simple.sql: 1 file, 1 passed, 0 failed
    --- stderr
    note: test_results_simple.sql: of run 8 there are only results: its time is that of the first
    note: test_results_simple.sql: of run 9 there are only results: its time is that of the first
    ");
}

#[test]
fn mistakes_take_nothing_in() {
    let sandbox = Sandbox::new();
    sandbox.write("cut.json", "{\"summary\": {\n  \"total\": 1,");
    sandbox.write("other.json", "{\"a\": 1}");
    sandbox.write("type.json", "{\"tested_files\": {\"passed\": [1]}}");
    sandbox.write(
        "cut.sql",
        "-- dump\nINSERT INTO test_runs (run_id) VALUES (1);\nINSERT INTO test_results VALUES (1, 2,\n 'a",
    );
    sandbox.write("values.sql", "INSERT INTO test_runs (run_id) VALUES (1, 2);");
    sandbox.write("call.sql", "INSERT INTO test_results (run_id, tested_at)\nVALUES (1,\n NOW());");
    sandbox.write("where.sql", "UPDATE test_runs SET passed = 1 WHERE passed = 0;");
    sandbox.write("empty.sql", "CREATE TABLE x (a INTEGER);");
    sandbox.write("cut.xml", "<testsuites>\n  <testsuite name='a'>\n    <testcase name='b'>");
    sandbox.write("tags.xml", "<testsuites>\n  <testsuite></testcase></testsuites>");
    sandbox.write("html.xml", "<html></html>");
    sandbox.write(
        "entity.xml",
        "<testsuite><testcase name='a'><failure>&nbsp;</failure></testcase></testsuite>",
    );
    sandbox.write("words.txt", "PASS a.test");
    sandbox.write("bytes.bin", b"{\n\"a\": \"\xff\"}");
    let mut shown = String::new();
    for file in [
        "cut.json",
        "other.json",
        "type.json",
        "cut.sql",
        "values.sql",
        "call.sql",
        "where.sql",
        "empty.sql",
        "cut.xml",
        "tags.xml",
        "html.xml",
        "entity.xml",
        "words.txt",
        "bytes.bin",
        "nowhere",
    ] {
        let output = sandbox.run(&format!("store import {file}"));
        assert_eq!(output.code, 2, "{output}");
        shown += &output.stderr;
    }
    assert_snapshot!(shown, @"
    error: cannot import `cut.json`: this is not the JSON of VibeSQL's scripts
      caused by: EOF while parsing an object at line 2 column 13
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `other.json`: no results in it: there is no `tested_files` or `failed_files`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `type.json`: this is not the JSON of VibeSQL's scripts
      caused by: invalid type: integer `1`, expected a string at line 1 column 30
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `cut.sql`: line 4: expected whole statements, found a string without an end
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `values.sql`: line 1: expected a value for each column, found 2 values for 1 columns
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `call.sql`: line 3: expected a value, found `NOW`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `where.sql`: line 1: expected `run_id`, found `passed`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `empty.sql`: no results in it: there is no row of `test_runs` or `test_results`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `cut.xml`: line 3, column 24: the file ends, and `testcase` is not closed
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `tags.xml`: line 2, column 14: ill-formed document: expected `</testsuite>`, but `</testcase>` was found
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `html.xml`: line 1, column 1: expected `testsuites` or `testsuite`, found `html`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `entity.xml`: line 1, column 40: unknown entity `&nbsp;`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `words.txt`: this is neither JSON nor XML nor a dump in SQL
      hint: `store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports
    error: cannot import `bytes.bin`: line 2 is not UTF-8
      hint: `store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports
    error: cannot read `nowhere`
      caused by: No such file or directory (os error 2)
    ");
    assert_eq!(sandbox.last_run(), None);
    // What is wrong with one file is no reason to leave out another.
    sandbox.write("good.xml", "<testsuite timestamp='2025-11-22T10:00:00'><testcase name='a'/></testsuite>");
    assert_snapshot!(sandbox.run("store import --engine x cut.xml good.xml"), @"
    exit code 2
    --- stdout
    run 20251122-100000 from good.xml: 1 file, 1 passed, 0 failed
    --- stderr
    error: cannot import `cut.xml`: line 3, column 24: the file ends, and `testcase` is not closed
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    ");
}

#[test]
fn an_imported_run_is_a_run() {
    let (sandbox, _) = import("results.json", "--engine vibesql");
    assert_snapshot!(sandbox.run("show"), @"
    exit code 0
    --- stdout
    run      20251122-100000
    imported from results.json

    FAIL    index/between/10/slt_good_0.test  1 failed  [time] s
            index/between/10/slt_good_0.test: query result mismatch:
    FAIL    random/expr/slt_good_1.test  1 failed  [time] s
            random/expr/slt_good_1.test:17: expected: 1
    TIMEOUT select5.test  1 timed out  [time] s
            select5.test: another tool reports a failure, and not why

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     evidence      1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     index         1       0       1      0    0.00 %        1       0       1        0      0    0.00 %
     random        1       0       1      0    0.00 %        1       0       1        0      0    0.00 %
     select        2       1       0      1   50.00 %        2       1       0        0      1   50.00 %
     total         5       2       2      1   40.00 %        5       2       2        0      1   40.00 %

    FAIL: 2 of 5 files and 2 of 5 records passed on vibesql in [time] s
    also: 1 file over the time limit (TIMEOUT)
    ");
    assert_snapshot!(sandbox.run("status"), @"
    exit code 0
    --- stdout
    run 20251122-100000: completed

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     evidence      1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     index         1       0       1      0    0.00 %        1       0       1        0      0    0.00 %
     random        1       0       1      0    0.00 %        1       0       1        0      0    0.00 %
     select        2       1       0      1   50.00 %        2       1       0        0      1   50.00 %
     total         5       2       2      1   40.00 %        5       2       2        0      1   40.00 %

    FAIL: 2 of 5 files and 2 of 5 records passed on vibesql in [time] s
    also: 1 file over the time limit (TIMEOUT)
    ");
}

#[test]
fn configuration_says_nothing_of_results_that_come_from_elsewhere() {
    let sandbox = with_fixture("results.json");
    sandbox.write("sqllogictest.toml", "results = \"kept\"\n[profile.default]\nengine = \"sqlite\"\n");
    let output = sandbox.run("store import results.json");
    assert!(output.stderr.contains("the engine of these results is `unknown`"), "{output}");
    assert!(sandbox.path().join("kept/runs").is_dir(), "{output}");
}

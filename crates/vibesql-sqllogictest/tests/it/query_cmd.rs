//! `query` as a user has it: statements, presets, formats, files.

use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};
#[cfg(target_os = "linux")]
use crate::screen::Terminal;

const GOOD: &str = "query I nosort\nSELECT 1\n----\n1\n";
const BAD: &str = "query I nosort\nSELECT 1\n----\n2\n";

/// Three runs of two files, of which one is mended by the last.
pub(crate) fn with_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/select/a.test", GOOD);
    for text in [BAD, BAD, GOOD] {
        sandbox.write("s/index/b.test", text);
        sandbox.run("run --engine sqlite --quiet s");
    }
    sandbox
}

fn query(sandbox: &Sandbox, words: &[&str]) -> Output {
    Output::of(sandbox.command("query").args(words))
}

fn typed(sandbox: &Sandbox, words: &str, text: &str) -> Output {
    let mut child = sandbox.command(words);
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code().unwrap() }
}

#[test]
fn a_question() {
    let sandbox = with_runs();
    let sql =
        "SELECT file_path, status, COUNT(*) AS n FROM test_results GROUP BY file_path, status ORDER BY 1, 2";
    assert_snapshot!(query(&sandbox, &[sql]), @"
    exit code 0
    --- stdout
     file_path      status  n
     index/b.test   FAIL    2
     index/b.test   PASS    1
     select/a.test  PASS    3

    3 rows
    ");
    assert_snapshot!(query(&sandbox, &[sql, "--last", "1"]), @"
    exit code 0
    --- stdout
     file_path      status  n
     index/b.test   PASS    1
     select/a.test  PASS    1

    2 rows; results of the last 1 of 3 runs, --all loads all
    ");
    assert_snapshot!(query(&sandbox, &[sql, "--last", "1", "--format", "csv"]), @"
    exit code 0
    --- stdout
    file_path,status,n
    index/b.test,PASS,1
    select/a.test,PASS,1
    --- stderr
    note: 2 rows; results of the last 1 of 3 runs, --all loads all
    ");
    assert_snapshot!(query(&sandbox, &["SELECT status, last_tested > '2020' AS t FROM test_files", "--format", "json"]), @r#"
    exit code 0
    --- stdout
    [
    {"status":"PASS","t":1},
    {"status":"PASS","t":1}
    ]
    "#);
    assert_eq!(
        query(&sandbox, &[sql, "--format", "json"]).stdout,
        typed(&sandbox, "query --format json", sql).stdout
    );
    assert_eq!(query(&sandbox, &[sql]).stdout, typed(&sandbox, "query -", &format!("{sql};\n")).stdout);
    assert_eq!(query(&sandbox, &[sql, "--no-check"]).stdout, query(&sandbox, &[sql, "--all"]).stdout);
    let since = |date: &str| {
        query(&sandbox, &["SELECT COUNT(*) AS n FROM test_results", "--since", date, "--format", "csv"])
    };
    assert_eq!(
        (since("1d").stdout, since("2999-01-01").stdout),
        ("n\r\n6\r\n".to_owned(), "n\r\n0\r\n".to_owned())
    );
}

#[test]
fn a_question_with_a_name() {
    let sandbox = with_runs();
    assert_snapshot!(query(&sandbox, &["--preset", "by-category"]), @"
    exit code 0
    --- stdout
     category  total  passed  failed  untested  pass_pct
     index         1       1       0         0     100.0
     select        1       1       0         0     100.0

    2 rows
    ");
    assert_snapshot!(query(&sandbox, &["--preset", "flaky-test"]), @"
    exit code 2
    --- stderr
    error: no preset `flaky-test`
      hint: did you mean `flaky-tests`?
    ");
    for preset in vibesql_sqllogictest::results::ask::presets::PRESETS {
        let output = query(&sandbox, &["--preset", preset.name, "--format", "jsonl"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}: {output}", preset.name);
    }
    assert_snapshot!(query(&sandbox, &["--list-presets"]), @"
    exit code 0
    --- stdout
    failed-files           all runs     Files that failed when they were tested last
    progress               all runs     The last ten runs with their pass rates in percent
    by-category            all runs     Files by category, and the part that passed last in percent
    flaky-tests            loaded runs  Files that passed and failed in runs of the same engine on the same commit, where a commit is known
    recent-runs            all runs     The last five runs
    untested               all runs     Files that no run has tested
    slow-tests             loaded runs  Files by their average time
    failing-by-category    all runs     How many files failed last, by category
    latest-failures        loaded runs  The last results that are failures
    analyze-summary        all runs     The last run
    analyze-patterns       last run     What the failures of the last run have in common
    analyze-opportunities  last run     Patterns of the last run that are most worth fixing for their effort
    analyze-examples       last run     Files of the last run for each pattern
    timeouts               loaded runs  Files that were over their time limit, and how often
    crashes                loaded runs  Files during which the engine was lost or used too much memory
    slowest-records        loaded runs  Single records by their longest time
    statement-times        last run     Times by kind of statement in the last run, in milliseconds: the median, p95, p99 and the longest
    flakiest               all runs     Files whose results change most often, with the counters of each engine
    by-engine              all runs     The counters of all files, by engine
    coverage               all runs     How many files of each category were ever tested, in percent
    failing-records        last run     Records that fail in the last run
    ");
}

#[test]
fn a_question_that_is_wrong() {
    let sandbox = with_runs();
    for sql in [
        "INSERT INTO test_runs (run_id) VALUES (1)",
        "PRAGMA user_version",
        "DROP TABLE test_runs",
        "ATTACH 'x' AS y",
    ] {
        let output = query(&sandbox, &[sql]);
        assert_eq!(output.code, 2, "{output}");
        assert!(output.stderr.contains("the results are read-only"), "{output}");
    }
    assert_snapshot!(query(&sandbox, &["SELECT 1; DROP TABLE test_runs"]), @"
    exit code 2
    --- stderr
    error: more than one statement
      hint: run `query` once per statement; its shell (`query` without SQL) accepts several
    ");
    assert_snapshot!(query(&sandbox, &["SELECT stauts FROM test_results"]), @"
    exit code 2
    --- stderr
    error: no such column: stauts
      hint: did you mean `status`? `.schema` in the shell (`query` without SQL) lists all columns
    ");
    assert_snapshot!(query(&sandbox, &["SELECT * FROM results"]), @"
    exit code 2
    --- stderr
    error: no such table: results
      hint: `.tables` in the shell (`query` without SQL) lists tables and views
    ");
    assert_snapshot!(query(&sandbox, &["SELEC 1"]), @r#"
    exit code 2
    --- stderr
    error: near "SELEC": syntax error
      hint: use SQLite's SQL dialect
    "#);
    assert_snapshot!(typed(&sandbox, "query", " -- nothing"), @"
    exit code 2
    --- stderr
    error: no SQL
      hint: write a statement such as `SELECT * FROM test_runs`, or use --preset
    ");
    assert_eq!(query(&sandbox, &["SELECT 1", "--preset", "progress"]).code, 2);
}

#[test]
fn an_engine_without_runs_is_an_error() {
    let sandbox = with_runs();
    assert_snapshot!(query(&sandbox, &["SELECT * FROM test_files", "--engine", "slqite"]), @"
    exit code 3
    --- stderr
    error: no run on engine `slqite`
      hint: engines with runs: sqlite
    ");
    assert_snapshot!(sandbox.run("flaky --engine slqite"), @"
    exit code 3
    --- stderr
    error: no run on engine `slqite`
      hint: engines with runs: sqlite
    ");
    let empty = Sandbox::new();
    let output = query(&empty, &["SELECT * FROM test_files", "--engine", "sqlite"]);
    assert_eq!((output.code, output.stdout.as_str()), (3, ""), "{output}");
    assert!(output.stderr.contains("error: no run in `"), "{output}");
    // What the option does not touch is said.
    let files =
        query(&sandbox, &["SELECT file_path FROM test_files", "--engine", "sqlite", "--format", "csv"]);
    assert_eq!((files.stdout.lines().count(), files.stderr.as_str()), (3, ""), "{files}");
    let others = query(&sandbox, &["--preset", "recent-runs", "--engine", "sqlite", "--format", "csv"]);
    assert!(others.stderr.contains("note: --engine sqlite has no effect"), "{others}");
}

#[test]
fn joins_and_common_tables_are_answered() {
    let sandbox = with_runs();
    for (sql, rows) in [
        ("SELECT count(*) AS n FROM test_results NATURAL JOIN test_runs", "n\r\n0\r\n"),
        ("SELECT count(*) AS n FROM test_results JOIN test_runs USING (run_id)", "n\r\n6\r\n"),
        ("WITH c(x) AS (SELECT 1) SELECT count(*) AS n FROM c", "n\r\n1\r\n"),
    ] {
        let output = query(&sandbox, &[sql, "--format", "csv"]);
        assert_eq!((output.code, output.stdout.as_str()), (0, rows), "{sql}: {output}");
    }
}

#[test]
fn a_wrong_answer_is_told_and_kept() {
    let sandbox = with_runs();
    let sql = "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY a DESC LIMIT 2 OFFSET 1";
    let output = query(&sandbox, &[sql, "--format", "csv"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "a\r\n2\r\n1\r\n"), "{output}");
    let text = sandbox.without_names(&output.stderr);
    assert!(
        text.contains("VibeSQL 0.2.0 gives another answer: 1 row in place of 2; shown is SQLite's answer"),
        "{text}"
    );
    assert!(text.contains("kept as `[home]/.vibesql/test_results/store/disagreements/"), "{text}");
    let alone = query(&sandbox, &[sql, "--format", "csv", "--no-check"]);
    assert_eq!((alone.stdout.lines().count(), alone.stderr.as_str()), (2, ""), "{alone}");
}

#[test]
fn an_answer_that_depends_on_more_than_rows_is_that_of_sqlite() {
    let sandbox = with_runs();
    let now = "SELECT count(*) FILTER (WHERE status = 'PASS') AS n FROM test_results \
               WHERE date(tested_at) >= date('now', '-7 days')";
    for (sql, rows, note) in [
        (now, "n\r\n4\r\n", "the current time"),
        ("SELECT random() > 0 OR 1 AS n", "n\r\n1\r\n", "random values"),
        ("SELECT sqlite_version() > '3' AS n", "n\r\n1\r\n", "the engine"),
        ("SELECT last_insert_rowid() IS NULL AS n", "n\r\n0\r\n", "the state of the connection"),
    ] {
        let output = query(&sandbox, &[sql, "--format", "csv"]);
        let note = format!("note: not checked: the answer depends on {note}; shown is SQLite's answer\n");
        assert_eq!((output.stdout.as_str(), output.stderr), (rows, note), "{sql}");
    }
    let steady = query(&sandbox, &["SELECT date(started_at) > 'now', row_number() OVER () FROM test_runs"]);
    assert!(!steady.stderr.contains("not checked"), "{steady}");
}

#[test]
fn rows_that_do_not_fit_their_header_are_a_failure_of_the_engine() {
    let sandbox = with_runs();
    let steady = "SELECT s.* FROM (SELECT r.*, 1 AS e FROM test_files r) s";
    let now = "SELECT s.* FROM (SELECT r.*, date('now') AS t FROM test_files r) s";
    for format in ["table", "csv", "json", "jsonl", "markdown"] {
        let output = query(&sandbox, &[steady, "--format", format]);
        assert_eq!(output.code, 0, "{output}");
        assert!(
            output.stderr.contains("gives another answer: 0 columns in place of 9; shown is SQLite's"),
            "{output}"
        );
        assert!(output.stdout.contains("select/a.test"), "{output}");
        let output = query(&sandbox, &[now, "--format", format]);
        assert_eq!(output.code, 0, "{output}");
        assert!(output.stdout.contains("select/a.test"), "{output}");
    }
    assert_snapshot!(query(&sandbox, &[steady, "--no-check"]), @"
    exit code 5
    --- stderr
    error: VibeSQL gives another answer: 0 columns in place of 9
      hint: run the query without --no-check to get SQLite's answer
    ");
}

#[test]
fn a_table_directly_behind_in_is_read_whole() {
    let sandbox = with_runs();
    for (sql, rows) in [
        ("SELECT count(*) AS n FROM slow_records WHERE (1, 2, 3, 4, 5, 6) IN slow_records", "n\r\n0\r\n"),
        (
            "SELECT count(*) > 0 AS n FROM test_runs WHERE (1, 2, 3, 4, 5, 6) NOT IN main.\"slow_records\"",
            "n\r\n1\r\n",
        ),
    ] {
        let output = query(&sandbox, &[sql, "--format", "csv"]);
        assert_eq!((output.code, output.stdout.as_str()), (0, rows), "{sql}: {output}");
    }
}

#[test]
fn an_error_of_sqlite_is_the_answer() {
    let sandbox = with_runs();
    let sql = "WITH test_files AS (SELECT * FROM test_files) SELECT count(*) FROM test_files";
    assert_snapshot!(query(&sandbox, &[sql]), @"
    exit code 2
    --- stderr
    error: circular reference: test_files
      hint: rename the common table expression; a table has the same name
    ");
    assert_snapshot!(query(&sandbox, &["SELECT run_id FROM test_runs, test_results"]), @"
    exit code 2
    --- stderr
    error: ambiguous column name: run_id
      hint: qualify the column: `TABLE.COLUMN`
    ");
    assert_snapshot!(query(&sandbox, &["SELECT sqrt(4) AS n"]), @"
    exit code 0
    --- stdout
       n
     2.0

    1 row
    --- stderr
    note: not checked: SQLite cannot run this query (no such function: sqrt); shown is VibeSQL's answer
    ");
}

#[test]
fn an_answer_in_a_file() {
    let sandbox = with_runs();
    sandbox.write("old.csv", "old");
    let output =
        query(&sandbox, &["--preset", "failing-by-category", "--format", "csv", "--output", "old.csv"]);
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(sandbox.read("old.csv"), "category,subcategory,failed_count\r\n");
    assert!(output.stderr.contains("0 rows; written to `old.csv`"), "{output}");
    let output = query(&sandbox, &["SELECT 1 AS a", "--output", "no/such/folder.csv"]);
    assert_eq!(output.code, 2, "{output}");
    // What fails changes no file.
    query(&sandbox, &["SELECT nothing", "--output", "old.csv"]);
    assert!(sandbox.read("old.csv").starts_with("category"));
    let files: Vec<_> =
        std::fs::read_dir(sandbox.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
}

#[test]
fn without_results_there_are_no_rows() {
    let sandbox = Sandbox::new();
    assert_snapshot!(query(&sandbox, &["SELECT COUNT(*) AS n FROM test_runs"]), @"
    exit code 0
    --- stdout
     n
     0

    1 row
    ");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pager_shows_what_is_longer_than_the_screen() {
    let sandbox = Sandbox::new();
    let sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50) SELECT n FROM c";
    let seen = |words: &str| {
        let lines = format!("stty rows 20 cols 80; $PROGRAM query {words} \"{sql}\"; echo code $?");
        let terminal = Terminal::start(&sandbox, &[("TERM", "xterm"), ("PAGER", "sed s/^/paged/")], &lines);
        terminal.end()
    };
    let text = seen("");
    assert!(text.contains("paged 50") && text.contains("code 0"), "{text:?}");
    assert!(!seen("--no-pager").contains("paged"));
}

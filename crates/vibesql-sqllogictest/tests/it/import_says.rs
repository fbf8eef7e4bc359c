//! Whatever a file of another program says is taken in, and what it does not say stays unknown.

use std::time::Duration;

use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::Problem;
use vibesql_sqllogictest::results::Journal;

use crate::sandbox::Sandbox;

/// A dump in which one file was tested, one in no time, and one is only known by its name.
const DUMP: &str = "\
INSERT INTO test_files (file_path, category, subcategory, status) VALUES ('a.test', 'other', 'root', 'FAIL');
INSERT INTO test_files (file_path, category, subcategory, status) VALUES ('never.test', 'other', 'root', 'UNTESTED');
INSERT INTO test_files (file_path, category, subcategory, status) VALUES ('b.test', 'other', 'root', 'UNTESTED');
INSERT INTO test_runs (run_id, started_at, completed_at, total_files) VALUES (1763805600, TIMESTAMP '2025-11-22 11:00:00', TIMESTAMP '2025-11-22 11:01:00', 3);
INSERT INTO test_results (result_id, run_id, file_path, status, tested_at, duration_ms, error_message) VALUES (1, 1763805600, 'a.test', 'FAIL', TIMESTAMP '2025-11-22 11:00:10', NULL, NULL);
INSERT INTO test_results (result_id, run_id, file_path, status, tested_at, duration_ms, error_message) VALUES (2, 1763805600, 'b.test', 'PASS', TIMESTAMP '2025-11-22 11:00:20', 0, NULL);
INSERT INTO test_results (result_id, run_id, file_path, status, tested_at, duration_ms, error_message) VALUES (3, 1763805600, 'c.test', 'FAIL', TIMESTAMP '2025-11-22 11:00:30', 100, 'no such column: x');
";

fn imported(name: &str, text: &str) -> (Sandbox, Journal) {
    let sandbox = Sandbox::new();
    sandbox.write(name, text);
    let output = sandbox.run(&format!("store import --engine vibesql {name}"));
    assert_eq!(output.code, 0, "{output}");
    let journal = Journal::read(&sandbox.last_run().unwrap().join("journal.jsonl")).unwrap().unwrap();
    (sandbox, journal)
}

#[test]
fn json_that_says_when_the_run_was_is_believed() {
    let text = r#"{"timestamp": "2025-11-19T08:34:36", "summary": {"total": 1},
        "tested_files": {"passed": ["a.test"], "failed": []}}"#;
    let (sandbox, journal) = imported("cumulative.json", text);
    assert_eq!(sandbox.last_run().unwrap().file_name().unwrap(), "20251119-083436");
    assert_eq!(journal.opened.started, 1_763_541_276_000);
    let again = sandbox.run("store import cumulative.json");
    assert!(!again.stderr.contains("has no time of the run"), "{again}");
}

#[test]
fn a_dump_keeps_times_and_untested_files() {
    let (sandbox, journal) = imported("dump.sql", DUMP);
    // The identifier of the run says that the dump is an hour ahead of UTC.
    let finished: Vec<_> = journal.report.files.iter().map(|file| file.finished).collect();
    assert_eq!(finished, [10, 20, 30].map(|second| Some((1_763_805_600 + second) * 1000)));
    let elapsed: Vec<_> = journal.report.files.iter().map(|file| file.elapsed).collect();
    assert_eq!(elapsed[0], Duration::ZERO, "not known");
    assert!(!elapsed[1].is_zero() && elapsed[1].as_millis() == 0, "known, and short");
    assert_eq!(elapsed[2], Duration::from_millis(100));
    // What has a result in some run is no longer untested.
    assert_eq!(journal.opened.imported.unwrap().untested, [FileId::unknown("never.test")]);
    assert_eq!(journal.report.header.files, 4);
    let status = sandbox.run("status");
    assert!(status.stdout.contains(": interrupted\n"), "{status}");
}

#[test]
fn a_failure_of_which_nothing_is_said_is_not_the_first_to_be_mended() {
    let more: String = (0..5)
        .map(|file| {
            format!(
                "INSERT INTO test_results (result_id, run_id, file_path, status, tested_at, duration_ms, error_message) \
                 VALUES ({}, 1763805600, 'd{file}.test', 'FAIL', TIMESTAMP '2025-11-22 11:00:40', NULL, NULL);\n",
                10 + file
            )
        })
        .collect();
    let (sandbox, _) = imported("dump.sql", &format!("{DUMP}{more}"));
    let output = sandbox.run("analyze --format json");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let titles: Vec<_> =
        json["clusters"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert!(titles[0].contains("no such column"), "{titles:?}");
    assert_eq!(titles[1..], ["another tool reports a failure, and not why"]);
}

#[test]
fn a_test_case_that_was_not_run_has_not_passed() {
    let text = "<testsuites><testsuite name='s' timestamp='2025-11-22T10:00:00'>\
        <testcase name='Off' status='notrun' classname='s'/><testcase name='On' status='run' classname='s'/>\
        </testsuite></testsuites>";
    let (_, journal) = imported("gtest.xml", text);
    let files: Vec<_> =
        journal.report.files.iter().map(|file| (file.file.path(), file.status().word())).collect();
    assert_eq!(files, [("s/On", "passed")]);
    assert_eq!(journal.opened.imported.unwrap().untested, [FileId::unknown("s/Off")]);
}

#[test]
fn a_message_is_kept_whole() {
    for text in ["", "m&amp;", "other"] {
        let text = format!(
            "<testsuite timestamp='2025-11-22T10:00:00'><testcase name='a'>\
             <failure message=\"m&amp;&#10;x\">{text}</failure></testcase></testsuite>"
        );
        let (_, journal) = imported("message.xml", &text);
        let Problem::Reported(message) = journal.report.files[0].details().next().unwrap().problem else {
            unreachable!()
        };
        assert!(message.contains("m&\nx"), "{message:?}");
    }
}

#[test]
fn json_of_python_is_read() {
    let text = r#"{"summary": {"total": NaN}, "tested_files": {"passed": ["a\udcff.test"], "failed": ["b.test"]},
        "detailed_failures": [{"file_path": "b.test", "failures": [{"error_message": "\ud800x", "line_number": 3}]}],
        "rate": -Infinity}"#;
    let (_, journal) = imported("python.json", text);
    let [a, b] = journal.report.files.as_slice() else { unreachable!() };
    assert_eq!((a.file.path(), b.failures[0].id.line), ("a\u{fffd}.test", 3));
    assert_eq!(b.details().next().unwrap().problem, &Problem::Reported("\u{fffd}x".to_owned()));
}

#[test]
fn what_has_no_name_is_not_quoted() {
    let sandbox = Sandbox::new();
    let text = "INSERT INTO test_results (run_id, file_path, status) VALUES (NULL, 'a.test', NULL);";
    sandbox.write("dump.sql", text);
    let output = sandbox.run("store import --engine x dump.sql");
    assert!(output.stderr.contains("`a.test` has no status: treated as an error"), "{output}");
    assert!(output.stderr.contains("of a run without an identifier there are only results"), "{output}");
}

#[cfg(feature = "store")]
#[test]
fn what_is_not_known_is_null_in_the_tables() {
    let (sandbox, _) = imported("dump.sql", DUMP);
    let ask = |sql: &str| {
        let output = crate::sandbox::Output::of(sandbox.command("query --format csv").arg(sql));
        assert_eq!(output.code, 0, "{output}");
        output.stdout.lines().skip(1).collect::<Vec<_>>().join(";")
    };
    let rows =
        "SELECT file_path, duration_ms IS NULL, error_message IS NULL FROM test_results ORDER BY file_path";
    assert_eq!(ask(rows), "a.test,1,1;b.test,0,1;c.test,0,0");
    assert_eq!(ask("SELECT AVG(duration_ms) FROM test_results").parse::<f64>().unwrap(), 50.0);
    assert_eq!(
        ask("SELECT tested_at FROM test_results WHERE file_path = 'a.test'"),
        "2025-11-22 10:00:10.000"
    );
    assert_eq!(ask("SELECT file_path FROM test_files WHERE status = 'UNTESTED'"), "never.test");
    let undated = "INSERT INTO test_results (run_id, file_path, status) VALUES (1, 'a.test', 'PASS');";
    let (sandbox, _) = imported("undated.sql", undated);
    let output = sandbox.run("store export --format json --output -");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let null = serde_json::Value::Null;
    assert_eq!(json["tables"]["test_results"][0]["tested_at"], null);
    for column in ["last_tested", "last_passed"] {
        assert_eq!(json["tables"]["test_files"][0][column], null, "{column}");
    }
    assert_eq!(ask("SELECT COUNT(*) FROM record_failures WHERE message IS NULL"), "1");
}

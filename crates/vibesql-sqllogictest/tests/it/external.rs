//! Engines behind a driver program: `--engine 'exec:COMMAND'`.

use serde_json::Value;

use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::manifest;

/// Runs files with a driver, and returns the report.
pub(crate) fn run(sandbox: &Sandbox, driver: &str, flags: &str) -> (Output, Value) {
    let mut command = sandbox.command(&format!("run --json out.json --serial --order path {flags}"));
    command.env("PATH", path_of_tests());
    let output = Output::of(command.arg("--engine").arg(format!("exec:{driver}")));
    let report = std::fs::read(sandbox.path().join("out.json")).unwrap_or_default();
    (output, serde_json::from_slice(&report).unwrap_or_default())
}

/// The command of a driver in Python.
pub(crate) fn python(driver: &str) -> String {
    format!("python3 '{}'", manifest().join("../../drivers").join(driver).display())
}

fn python_sqlite() -> String {
    python("sqlite3_driver.py")
}

/// A driver in the shell that answers its requests with these lines, one each.
pub(crate) fn answers(lines: &[&str]) -> String {
    let answers: Vec<_> = lines.iter().map(|line| format!("read request; echo '{line}'")).collect();
    answers.join("; ")
}

const ONE: &str = "query I nosort\nSELECT 1\n----\n1\n";

#[test]
fn the_python_driver_has_the_verdicts_of_the_built_in_engine() {
    let sandbox = Sandbox::new();
    let (output, report) = run(&sandbox, &python_sqlite(), "");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(report["engine"]["name"], "python-sqlite3", "{}", report["engine"]);
    let expected = sandbox.run("run --engine sqlite --json out.json --serial --order path");
    assert_eq!(expected.code, 0, "{expected}");
    let built_in: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let counts = |report: &Value| -> Vec<(Value, Value)> {
        let files = report["files"].as_array().unwrap();
        files.iter().map(|file| (file["id"].clone(), file["records"].clone())).collect()
    };
    assert_eq!(counts(&report), counts(&built_in));
}

#[test]
fn a_driver_of_version_1_needs_no_greeting() {
    let sandbox = Sandbox::new();
    let query = "query ITR nosort\nSELECT ...\n----\nNULL\n(empty)\n0.500\n\n";
    let nothing = "query II nosort\nSELECT ...\n----\n\n";
    let error = "statement error\nSELECT ...\n";
    sandbox.write("s/a.test", format!("{query}{nothing}{error}"));
    let driver = answers(&[
        r#"{"result":[["NULL","(empty)","0.5"]]}"#,
        r#"{"result":[]}"#,
        r#"{"err":"no such table"}"#,
    ]);
    let (output, report) = run(&sandbox, &driver, "s");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(report["engine"]["variant"].as_str(), Some(driver.as_str()));
    assert_eq!(report["files"][0]["records"]["passed"], 3);
}

#[test]
fn a_driver_that_breaks_the_protocol_loses_the_file_and_passes_nothing() {
    let greeting = r#"{"hello":2,"name":"test"}"#;
    let one = r#"{"id":1,"result":[[1]]}"#;
    let after = |line: &str| format!("echo '{greeting}'; {}; {line}; read request", answers(&[one]));
    let cases = [
        (after("read request; echo nonsense"), "something other than JSON"),
        (after(r#"read request; echo '[]'"#), "something other than JSON"),
        (after(r"read request; printf '\357\273\277'; echo '{}'"), "something other than JSON"),
        (after(r#"read request; printf '{"id":2,"err":"\377"}\n'"#), "something other than JSON"),
        (after(r#"read request; echo '{"id":2,"result":[[1]]}{"id":2,"result":[[1]]}'"#), "other than JSON"),
        (after(r#"read request; printf '{"id":2,"result"'; exit 4"#), "it exited (exit status: 4)"),
        (after(r#"read request; echo '{"id":2,"result":[[1e999]]}'"#), "number out of range"),
        (after(r#"read request; echo '{"id":2,"result":[[18446744073709551616]]}'"#), "more than 64 bits"),
        (after(r#"read request; echo '{"id":2,"result":[[1],[1,2]]}'"#), "a row of 2 values"),
        (after(&format!("yes '{one}'")), "` failed: "),
        (after("read request; exit 3"), "it exited (exit status: 3)"),
        (after("read request; kill -9 $$"), "it exited (signal: 9 (SIGKILL))"),
        (after(&format!("read request; echo '{one}'")), "expected the answer to request 2, found 1"),
        (
            after(r#"read request; echo '{"result":[[1]]}'"#),
            "expected the answer to request 2, found no number",
        ),
        // It is told by its number if it arrives after the next request.
        (after(&format!("echo '{one}'; sleep 1")), "` failed: "),
        (after(r#"read request; echo '{"id":2}'"#), "must have one of"),
        (after(r#"read request; echo '{"id":2,"result":[[1,2]],"err":"both"}'"#), "must have one of"),
        (after(r#"read request; echo '{"id":2,"result":[[["nested"]]]}'"#), "its message is invalid"),
        (after(&format!("read request; echo '{greeting}'")), "a second greeting"),
        (after("read request; exec >&-; sleep 60"), "it closed its output"),
    ];
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", format!("{ONE}\n{ONE}\n{ONE}"));
    for (driver, expected) in cases {
        let (output, report) = run(&sandbox, &driver, "s");
        assert!(output.stdout.contains(expected), "{driver}: {output}");
        let file = &report["files"][0];
        assert_eq!(output.code, 5, "{driver}: {output}");
        assert_eq!(
            (&file["records"]["passed"], &file["records"]["total"]),
            (&1.into(), &3.into()),
            "{driver}: {file}"
        );
    }
}

#[test]
fn a_driver_that_does_not_start_is_an_engine_that_is_not_available() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", ONE);
    for (driver, expected) in [
        ("exit 7", "it exited (exit status: 7)"),
        ("echo hello", "something other than JSON"),
        (
            r#"echo Welcome; echo '{"hello":2,"name":"x"}'"#,
            "something other than JSON (expected `{`): Welcome",
        ),
        (r#"echo '{"hello":2,"name":"x","result":[]}'"#, "must not be an answer as well"),
        ("true", "it exited (exit status: 0)"),
        ("exec >&-; sleep 60", "it closed its output"),
        (r#"echo '{"hello":3,"name":"later"}'"#, "it speaks version 3 of the protocol, expected 2"),
        (r#"echo '{"hello":2}'"#, "its greeting is invalid: expected a `name`"),
    ] {
        let (output, _) = run(&sandbox, driver, "s");
        assert_eq!(output.code, 6, "{driver}: {output}");
        assert!(output.stderr.contains(expected), "{driver}: {output}");
    }
    insta::assert_snapshot!(sandbox.run("run s --engine exec:"), @r"
    exit code 2
    --- stderr
    error: engine `exec` takes a command, as in `exec:python3 driver.py`, found ``
      hint: add it after a colon: `--engine 'exec:…'`
    ");
}

#[test]
fn a_record_over_its_time_is_cancelled_and_the_file_goes_on() {
    let sandbox = Sandbox::new();
    let endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
    sandbox.write("s/a.test", format!("{ONE}\nquery I nosort\n{endless}\n----\n1\n\n{ONE}"));
    let (output, report) = run(&sandbox, &python_sqlite(), "s --record-timeout 1");
    let records = &report["files"][0]["records"];
    assert_eq!(
        (&records["passed"], &records["timed_out"], &records["not_reached"]),
        (&2.into(), &1.into(), &0.into()),
        "{output}"
    );
}

#[test]
fn a_driver_that_hangs_is_ended_with_its_file() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", format!("{ONE}\n{ONE}"));
    for hang in ["sleep 1000", "read request; printf '{\"resu'; sleep 1000", "while echo; do :; done"] {
        let driver = format!("{}; {hang}", answers(&[r#"{"result":[["1"]]}"#]));
        let (output, report) = run(&sandbox, &driver, "s --timeout 3");
        assert_eq!(report["files"][0]["status"], "timed_out", "{hang}: {output}");
        assert_eq!(report["files"][0]["records"]["passed"], 1, "{hang}: {output}");
    }
}

#[test]
fn white_space_around_messages_has_no_meaning() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", format!("{ONE}\n{ONE}"));
    let driver = r#"printf '\r\n{"hello":2,"name":"test"}\r\n\n'; read request;
        printf '\n {"id":1,"result":[[1]]}\t\r\n\n'; read request; printf '{"id":2,"result":[[1]]}\r\n'; cat"#;
    let (output, report) = run(&sandbox, &driver.replace("; cat", "; cat >&2"), "s");
    assert_eq!((output.code, &report["files"][0]["records"]["passed"]), (0, &2.into()), "{output}");
}

#[test]
fn a_driver_that_does_not_exit_is_killed_with_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", ONE);
    let driver = format!("{}; sleep 1000", answers(&[r#"{"result":[["1"]]}"#]));
    let output = Output::of(sandbox.command("test s/a.test --engine").arg(format!("exec:{driver}")));
    assert_eq!(output.code, 0, "{output}");
    assert!(
        output.stderr.contains("it did not exit within 2 seconds after the end of its input"),
        "{output}"
    );
}

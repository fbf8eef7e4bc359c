//! How a run ends: the closing word and the exit code.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::support::{send_signal, wait_for};

const GOOD: &str = "statement ok\nok\n";
const BAD: &str = "statement ok\nerror no\n";

/// The closing sentence of a run: the line that begins with its verdict.
fn closing(output: &Output) -> &str {
    let is_verdict =
        |line: &&str| ["PASS: ", "FAIL: ", "INCOMPLETE: "].iter().any(|word| line.starts_with(word));
    let mut lines = output.stdout.lines().filter(is_verdict);
    let line = lines.next().unwrap_or_else(|| panic!("no verdict: {output}"));
    assert_eq!(lines.next(), None, "{output}");
    line
}

fn json(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.read("out.json")).unwrap()
}

/// Runs until the second of three files hangs, and sends `signal` then.
fn interrupted(signal: &str) -> (Sandbox, Output) {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nonce at-it ok\n\nstatement ok\nhang\n");
    sandbox.write("s/c.test", GOOD);
    let mut command = sandbox.command("run --engine scripted --serial --order path --json out.json s");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the second file", || sandbox.path().join("at-it").exists());
    send_signal(signal, child.id());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let output = Output {
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        code: output.status.code().unwrap_or(-1),
    };
    (sandbox, output)
}

#[test]
fn an_interrupted_run_is_incomplete_though_all_that_was_tested_passed() {
    let (sandbox, output) = interrupted("TERM");
    assert_eq!(output.code, 5, "{output}");
    let line = closing(&output);
    assert!(line.starts_with("INCOMPLETE: 1 of 1 file and 1 of 1 record passed on scripted"), "{line}");
    assert!(line.ends_with("; 2 files not tested (interrupted)"), "{line}");
    assert_eq!(json(&sandbox)["verdict"], "INCOMPLETE");
    // Later commands say the same of it.
    for command in ["status", "show"] {
        let shown = sandbox.run(command);
        assert_eq!(closing(&shown), line, "{shown}");
    }
}

#[test]
fn a_run_out_of_time_is_incomplete() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nhang\n");
    let output = sandbox.run("run --engine scripted --serial --order path --time 1 --grace 0 s");
    assert_eq!(output.code, 5, "{output}");
    let line = closing(&output);
    assert!(
        line.starts_with("INCOMPLETE: ") && line.ends_with("; 1 file not tested (time limit reached)"),
        "{line}"
    );
}

#[test]
fn a_run_that_stops_after_enough_failures_has_failed() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BAD);
    (0..4).for_each(|number| sandbox.write(&format!("s/b{number}.test"), GOOD));
    let output = sandbox.run("run --engine scripted --serial --order path --fail-fast s");
    assert_eq!(output.code, 1, "{output}");
    let line = closing(&output);
    assert!(line.starts_with("FAIL: ") && line.ends_with("; 4 files not tested (enough failed)"), "{line}");
}

#[test]
fn a_run_that_stops_after_expected_failures_is_incomplete() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BAD);
    (0..4).for_each(|number| sandbox.write(&format!("s/b{number}.test"), GOOD));
    sandbox.write("expected.toml", "[[xfail]]\nfile = \"a.test\"\nreason = \"known\"\n");
    let line = "run --engine scripted --serial --order path --fail-fast --expectations expected.toml s";
    let output = sandbox.run(line);
    assert_eq!(output.code, 5, "{output}");
    assert!(output.stdout.contains("INCOMPLETE, as expected so far"), "{output}");
}

/// A file that fails when it is run first, and one that always passes.
fn flaky() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce marker error no\n");
    sandbox.write("s/b.test", GOOD);
    sandbox
}

#[test]
fn a_flaky_file_passes_unless_told_otherwise() {
    for (flags, code, word, passed) in
        [("", 0, "PASS", 2), ("--flaky pass", 0, "PASS", 2), ("--flaky fail", 1, "FAIL", 1)]
    {
        let sandbox = flaky();
        let line =
            format!("run --engine scripted --serial --order path --retries 1 --json out.json {flags} s");
        let output = sandbox.run(&line);
        assert_eq!(output.code, code, "{flags}: {output}");
        let wanted = format!("{word}: {passed} of 2 files and 2 of 2 records passed");
        assert!(closing(&output).starts_with(&wanted), "{flags}: {output}");
        assert!(output.stdout.contains("FLAKY   s/a.test"), "{output}");
        assert!(
            output.stdout.contains("s/a.test:1: unexpected error: no (FAIL in another attempt)"),
            "{output}"
        );
        let failed = sandbox.run("list --engine scripted --failed s");
        assert_eq!(failed.stdout.contains("a.test"), code == 1, "{flags}: {failed}");
        let report = json(&sandbox);
        assert_eq!((&report["verdict"], &report["summary"]["flaky"]), (&word.into(), &1.into()), "{flags}");
        let junit = sandbox.run("report --format junit");
        let failures = format!("tests=\"2\" failures=\"{}\"", 2 - passed);
        assert!(junit.stdout.contains(&failures), "{flags}: {junit}");
        let element = if code == 0 { "<flakyFailure" } else { "<rerunFailure" };
        assert!(junit.stdout.contains(element), "{flags}: {junit}");
        let level = if code == 0 { "::warning " } else { "::error " };
        let github = sandbox.run("report --format github");
        assert!(github.stdout.starts_with(level), "{flags}: {github}");
        assert!(sandbox.run("report --format markdown").stdout.contains(&format!("**{word}**")), "{flags}");
    }
}

#[test]
fn the_table_adds_up_when_control_records_are_skipped() {
    let sandbox = Sandbox::new();
    let control = "skipif scripted\nhash-threshold 8\n\nskipif scripted\nstatement ok\nok\n\n";
    sandbox.write("s/a.test", format!("{control}{GOOD}\n{BAD}\nskipif scripted\nhalt\n"));
    let output = sandbox.run("run --engine scripted s");
    let row = output.stdout.lines().find(|line| line.trim_start().starts_with("other ")).unwrap();
    let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // Four numbers about files come first.
    assert_eq!(numbers[4..9], [3, 1, 1, 1, 0], "{output}");
}

#[test]
fn the_environment_and_the_file_say_what_flaky_files_count_as() {
    let sandbox = flaky();
    let mut command = sandbox.command("run --engine scripted --retries 1 s");
    assert_eq!(Output::of(command.env("SQLLOGICTEST_FLAKY", "fail")).code, 1);
    let sandbox = flaky();
    sandbox.write("sqllogictest.toml", "[profile.default]\nflaky = \"fail\"\nretries = 1\n");
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
}

#[test]
fn a_flaky_file_that_the_ledger_names_is_expected_with_flaky_fail() {
    let sandbox = flaky();
    sandbox.write("expected.toml", "[[flaky]]\nfile = \"a.test\"\nrecords = [1]\nreason = \"known\"\n");
    let line = "run --engine scripted --retries 1 --flaky fail --expectations expected.toml s";
    let output = sandbox.run(line);
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn a_flaky_file_becomes_a_flaky_entry_of_its_record() {
    let sandbox = flaky();
    let line = "run --engine scripted --retries 1 --flaky fail --expectations expected.toml s";
    sandbox.write("expected.toml", "");
    assert_eq!(sandbox.run(line).code, 1);
    let updated = sandbox.run("expectations update --expectations expected.toml");
    assert!(updated.stdout.contains("1 file expected to fail or to be flaky"), "{updated}");
    let text = sandbox.read("expected.toml");
    assert!(text.contains("[[flaky]]") && text.contains("records = [1]"), "{text}");
    // The file may be flaky again, but nothing else in it may fail.
    std::fs::remove_file(sandbox.path().join("marker")).unwrap();
    assert_eq!(sandbox.run(line).code, 0);
    sandbox.write("s/a.test", "statement ok\nonce marker error no\n\nstatement ok\nerror no\n");
    assert_eq!(sandbox.run(line).code, 1);
}

#[test]
fn a_resumed_run_keeps_what_flaky_files_count_as() {
    let sandbox = flaky();
    let line = "run --engine scripted --serial --order path --retries 1 --flaky fail --json out.json s";
    assert_eq!(sandbox.run(line).code, 1);
    let name = sandbox.last_run().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(sandbox.run(&format!("run --resume {name}")).code, 1);
    assert_eq!(sandbox.run("run --resume --flaky pass").code, 2);
}

#[test]
fn the_closing_word_agrees_with_the_exit_code_about_empty_files() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "# nothing\n");
    for (flags, code, word) in [("", 0, "PASS: "), ("--fail-on-empty", 1, "FAIL: ")] {
        let output = sandbox.run(&format!("run --engine scripted {flags} s"));
        assert_eq!(output.code, code, "{output}");
        assert!(closing(&output).starts_with(word), "{output}");
    }
}

#[test]
fn an_imported_junit_report_keeps_what_was_not_tested() {
    let (sandbox, _) = interrupted("TERM");
    for flags in ["", "--junit-untested skipped"] {
        let junit = sandbox.run(&format!("report --format junit {flags}")).stdout;
        let elsewhere = Sandbox::new();
        elsewhere.write("junit.xml", &junit);
        assert_eq!(elsewhere.run("store import junit.xml").code, 0);
        let status = elsewhere.run("status").stdout;
        assert!(status.contains("INCOMPLETE: 1 of 1 file"), "{flags}: {status}");
        assert!(status.contains("2 files not tested"), "{flags}: {status}");
    }
}

#[test]
fn every_report_of_an_incomplete_run_says_so() {
    let (sandbox, output) = interrupted("TERM");
    assert_eq!(output.code, 5, "{output}");
    for format in ["html", "comment", "summary", "markdown", "github", "badge", "json", "junit"] {
        let report = sandbox.run(&format!("report --format {format} --output -"));
        assert_eq!(report.code, 0, "{report}");
        assert!(report.stdout.contains("INCOMPLETE"), "{format}: {report}");
    }
    for command in ["status", "show"] {
        assert!(sandbox.run(command).stdout.contains("INCOMPLETE: "), "{command}");
    }
    let junit = sandbox.run("report --format junit").stdout;
    assert!(junit.contains(r#"tests="3" failures="0" errors="2""#), "{junit}");
    for file in ["b.test", "c.test"] {
        let case = format!(
            "<testcase name=\"{file}\" classname=\"other\" time=\"0.000\">\n      \
             <error type=\"untested\" message=\"INCOMPLETE: not tested (interrupted)\"></error>"
        );
        assert!(junit.contains(&case), "{file}: {junit}");
    }
    let junit = sandbox.run("report --format junit --junit-untested skipped").stdout;
    assert!(junit.contains(r#"tests="3" failures="0" errors="0""#), "{junit}");
    assert!(junit.contains(r#"skipped="2""#), "{junit}");
    let github = sandbox.run("report --format github").stdout;
    let wanted =
        "::warning title=SQLLogicTest INCOMPLETE::2 files not tested (interrupted): b.test, c.test\n";
    assert_eq!(github, wanted);
    let badge = sandbox.run("report --format badge").stdout;
    assert!(
        badge.contains(r#""message":"INCOMPLETE: 100.00 % of 1 of 3 files","color":"lightgrey""#),
        "{badge}"
    );
    let report = json(&sandbox);
    assert_eq!(report["summary"]["untested"], 2);
    assert_eq!(report["tested_files"]["untested"], serde_json::json!(["b.test", "c.test"]));
    let markdown = sandbox.run("report --format markdown").stdout;
    assert!(
        markdown.contains("### Files that were not tested (2)\n\n- `b.test`\n- `c.test`\n"),
        "{markdown}"
    );
}

/// The lines between the lines of files and the table of categories, without those about single records.
fn lists(output: &Output) -> Vec<&str> {
    let lines = output.stdout.lines();
    let lines = lines.skip_while(|line| !line.is_empty()).take_while(|line| !line.starts_with(" category"));
    lines.filter(|line| !line.is_empty() && !line.starts_with(&" ".repeat(12))).collect()
}

#[test]
fn files_that_failed_are_listed_at_the_end_and_new_failures_come_first() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BAD);
    sandbox.write("s/b.test", "statement ok\nok\n\nstatement ok\nok\n");
    sandbox.write("s/c.test", GOOD);
    let line = "run --engine scripted --serial --order path s";
    let first = sandbox.run(line);
    assert_eq!(lists(&first), ["failed: 1 file", "  FAIL    s/a.test:1: unexpected error: no"]);
    sandbox.write("s/b.test", "statement ok\nerror one\n\nstatement ok\nerror two\n");
    sandbox.write("s/d.test", BAD);
    let second = sandbox.run(line);
    let wanted = [
        "newly failing: 1 file",
        "  FAIL    s/b.test:1: unexpected error: one (and 1 more record)",
        "failing in their first run: 1 file",
        "  FAIL    s/d.test:1: unexpected error: no",
        "still failing: 1 file",
        "  FAIL    s/a.test:1: unexpected error: no",
    ];
    assert_eq!(lists(&second), wanted, "{second}");
    // One file, whose line is on the screen, is not listed once more.
    let one = sandbox.run("run --engine scripted s/a.test");
    assert!(!one.stdout.contains("still failing"), "{one}");
    // What is expected to fail is no news.
    sandbox.write("s/expectations.toml", "[[xfail]]\nfile = \"a.test\"\nreason = \"known\"\n");
    let expected = sandbox.run(line);
    assert!(!lists(&expected).iter().any(|line| line.contains("a.test")), "{expected}");
}

#[test]
fn the_list_of_failed_files_is_bounded() {
    let sandbox = Sandbox::new();
    for number in 10..40 {
        sandbox.write(&format!("s/{number}.test"), BAD);
    }
    let output = sandbox.run("run --engine scripted --quiet s");
    let listed = lists(&output);
    assert_eq!(listed.len(), 22, "{output}");
    let run = sandbox.last_run().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(listed[21], format!("  … and 10 more files; `vibesql-sqllogictest show {run}` lists all"));
    assert!(sandbox.run(&format!("show {run}")).stdout.contains("s/39.test"));
}

#[test]
fn durations_lists_the_slowest_files() {
    let sandbox = Sandbox::new();
    for (file, time) in [("a", 1), ("b", 300), ("c", 100)] {
        sandbox.write(&format!("s/{file}.test"), format!("statement ok\nok\n\nstatement ok\nsleep {time}\n"));
    }
    let output = sandbox.run("run --engine scripted --serial --durations 2 s");
    let listed = lists(&output);
    assert_eq!(listed[0], "slowest files: 2 of 3 files", "{output}");
    assert!(listed[1].contains("s/b.test  line 4 took 0.3"), "{output}");
    assert!(listed[2].contains("s/c.test  line 4 took 0.1"), "{output}");
    assert_eq!(listed.len(), 3, "{output}");
    assert_eq!(lists(&sandbox.run("run --engine scripted --durations 0 s")).len(), 4);
    assert!(lists(&sandbox.run("run --engine scripted s")).is_empty());
}

#[test]
fn colours_are_for_those_who_see_them() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    let coloured = |flags: &str, environment: &[(&str, &str)]| {
        let mut command = sandbox.command(&format!("run --engine scripted {flags} s"));
        let output = command.envs(environment.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        output.stdout.contains(&0x1b)
    };
    for (flags, environment, expected) in [
        ("", &[][..], false),
        ("", &[("TERM", "xterm-256color")], false),
        ("", &[("CLICOLOR_FORCE", "1")], true),
        ("", &[("CLICOLOR_FORCE", "")], false),
        ("", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        ("--color never", &[("CLICOLOR_FORCE", "1")], false),
        ("--color always", &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
    ] {
        assert_eq!(coloured(flags, environment), expected, "{flags} {environment:?}");
    }
}

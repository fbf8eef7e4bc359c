//! Limits of a run and of its files: time, memory, attempts.
#![expect(clippy::disallowed_methods, reason = "tests of limits look at the clock")]

use std::io::{BufRead as _, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::support::{send_signal, wait_for};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";

fn run(sandbox: &Sandbox, flags: &str) -> (Output, Value) {
    let output = sandbox.run(&format!("run --engine scripted --json out.json {flags} s"));
    let report = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    (output, report)
}

#[test]
#[cfg(target_os = "linux")]
fn a_memory_bomb_is_stopped() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nok\n\nstatement ok\neat\n\nstatement ok\nok\n");
    sandbox.write("s/c.test", GOOD);
    let (output, report) = run(&sandbox, "--max-memory 200M --serial --order path");
    assert_eq!(output.code, 1, "{output}");
    assert!(
        output.stdout.contains("OOM     s/b.test  line 4: the worker process was stopped with "),
        "{output}"
    );
    assert!(output.stdout.contains("also: 1 file over the memory limit (OOM)"), "{output}");
    let file = &report["files"][1];
    assert_eq!((&file["status"], &file["end"]["line"]), (&"out_of_memory".into(), &4.into()), "{file}");
    for (word, count) in [("total", 3), ("passed", 1), ("faulted", 1), ("not_reached", 1)] {
        assert_eq!(file["records"][word], count, "{word} of {file}");
    }
    assert_eq!(
        (&file["failures"][0]["kind"], &file["failures"][0]["sql"]),
        (&"out_of_memory".into(), &"eat".into())
    );
    let peak = file["peak_memory"].as_u64().unwrap();
    assert!((200 << 20..4 << 30).contains(&peak), "{peak}");
    assert_eq!(report["summary"]["out_of_memory"], 1);
    // A worker that has eaten before does not make later files look hungry.
    let after = report["files"][2]["peak_memory"].as_u64().unwrap();
    assert!(after < 100 << 20, "{after}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_file_leaves_behind_is_not_held_against_the_next() {
    let sandbox = Sandbox::new();
    for file in ["a", "b", "c", "d"] {
        sandbox.write(&format!("s/{file}.test"), "statement ok\nkeep 150\nok\n");
    }
    let (output, report) = run(&sandbox, "--max-memory 250M --serial");
    assert_eq!((output.code, &report["summary"]["passed"]), (0, &4.into()), "{output}");
    assert!(!output.stdout.contains("worker lost"), "{output}");
}

#[test]
fn the_budget_of_a_run_is_kept() {
    let start = Instant::now();
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nhang\n");
    sandbox.write("s/c.test", GOOD);
    let (output, report) = run(&sandbox, "--time 1 --grace 1 --serial --order path");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(output.code, 5, "{output}");
    assert!(output.stdout.contains("note: time limit reached, 1 file still running"), "{output}");
    assert!(output.stdout.contains("; 2 files not tested (time limit reached)\n"), "{output}");
    assert_eq!((&report["end"], &report["summary"]["total"]), (&"budget_spent".into(), &1.into()));
    let next = format!(
        "vibesql-sqllogictest run --resume {}",
        sandbox.last_run().unwrap().file_name().unwrap().display()
    );
    assert!(output.stdout.ends_with(&format!("resume with: {next}\n")), "{output}");
}

#[test]
fn a_slow_file_is_said_to_be() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n\nstatement ok\nhang\n");
    let (output, _) = run(&sandbox, "--timeout 2");
    let notice = "note: slow: s/a.test:4, running for 1.";
    assert!(output.stdout.contains(notice), "{output}");
    assert!(output.stdout.contains("; it is stopped at 2.000 s"), "{output}");
    let (notice, end) = (output.stdout.find(notice), output.stdout.find("TIMEOUT"));
    assert!(notice < end, "the notice comes before the end: {output}");
}

#[test]
fn a_pass_after_a_failure_is_flaky() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce marker error not yet\n");
    sandbox.write("s/b.test", "statement ok\nerror never\n");
    sandbox.write("s/c.test", GOOD);
    let (output, report) = run(&sandbox, "--retries 2 --serial --order path");
    insta::assert_snapshot!(output, @"
    exit code 1
    --- stdout
    note: FAIL s/a.test; retrying, and up to 1 time more
    note: FAIL s/b.test; retrying, and up to 1 time more
    PASS    s/c.test  2 records  [time] s
    FLAKY   s/a.test  1 record  [time] s
            s/a.test:1: unexpected error: not yet (FAIL in another attempt)
    note: FAIL s/b.test; retrying, the last time
    FAIL    s/b.test  1 failed  [time] s
            s/b.test:1: unexpected error: never

    failed: 1 file
      FAIL    s/b.test:1: unexpected error: never
                again: vibesql-sqllogictest test --engine scripted s/b.test:1

    flaky: 1 file
      FLAKY   s/a.test:1: unexpected error: not yet (FAIL in another attempt)

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         3       2       1      0  66.66 %        4       3       1        0      0  75.00 %

    FAIL: 2 of 3 files and 3 of 4 records passed on scripted 0.1.0 in [time] s
    also: 1 file that passed once and failed once (FLAKY)
    look at the first: vibesql-sqllogictest test --engine scripted s/b.test:1
    ");
    let attempts = |file: usize| report["files"][file]["attempts"].as_array().map_or(0, Vec::len);
    assert_eq!((attempts(0), attempts(1), attempts(2)), (1, 2, 0));
    assert_eq!(report["files"][0]["attempts"][0]["failure"]["message"], "unexpected error: not yet");
    assert_eq!((&report["summary"]["flaky"], &report["summary"]["failed"]), (&1.into(), &1.into()));
    // What passed in the end fails no run.
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce marker error not yet\n");
    let (output, _) = run(&sandbox, "--retries 1");
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn repetitions_find_what_is_flaky() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce marker error not yet\n");
    sandbox.write("s/b.test", GOOD);
    let (output, report) = run(&sandbox, "--repeat 4");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("FLAKY   s/a.test  1 failed"), "{output}");
    assert!(output.stdout.contains("PASS    s/b.test  2 records"), "{output}");
    let attempts = |file: usize| report["files"][file]["attempts"].as_array().unwrap().len();
    assert_eq!((attempts(0), attempts(1)), (3, 3));
    assert_eq!(report["summary"]["records"]["total"], 3, "a record counts once, however often it is run");
}

#[test]
fn sigusr1_shows_what_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n\nstatement ok\nonce at-it await go-on\n");
    let mut command = sandbox.command("run --engine scripted s");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    wait_for("the second record", || sandbox.path().join("at-it").exists());
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the run ended");
        line
    };
    // The worker may be at the file, and know how long it is, before the orchestrator has heard of it.
    let mut seen = loop {
        send_signal("USR1", child.id());
        match line().as_str() {
            "now: 1 file running, 0 files done\n" => {}
            "now: 0 files running, 0 files done\n" => continue,
            other => panic!("{other}"),
        }
        let seen = line();
        if seen.contains(" of 2 ") {
            break seen;
        }
    };
    assert!(seen.starts_with("        s/a.test:4  "), "{seen}");
    assert!(seen.contains(" s  1 of 2 records  "), "{seen}");
    sandbox.write("go-on", "");
    stdout.read_to_string(&mut seen).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{seen}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_was_stopped_by_sigstop_kills_no_file() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce at-it await go-on\n");
    sandbox.write("s/b.test", GOOD);
    let mut command =
        sandbox.command("run --engine scripted --serial --order path --timeout 4 --json out.json s");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    wait_for("the file", || sandbox.path().join("at-it").exists());
    send_signal("STOP", child.id());
    let stopped = Instant::now();
    wait_for("five seconds", || stopped.elapsed() > Duration::from_secs(5));
    send_signal("CONT", child.id());
    // The worker has been at it for longer than it may, and the main process knows only that it has not looked.
    sandbox.write("go-on", "");
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{text}");
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["summary"]["passed"], 2, "{text}");
    assert!(!text.contains("slow:"), "{text}");
    // The worker was not stopped, and what it measured stands.
    assert!(report["files"][0]["duration_ms"].as_u64().unwrap() >= 5000, "{report}");
    assert!(report["duration_ms"].as_u64().unwrap() < 5000, "{report}");
}

//! Whatever an engine does to its process: one truthful result for its file, the other files unharmed, nothing
//! left behind.
#![expect(clippy::disallowed_methods, reason = "tests of limits look at the clock")]

use std::io::{BufRead as _, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::support::{processes_with, send_signal, wait_for, without_measurements};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";

/// Runs one file that misbehaves between two good ones, and returns what is reported of it.
fn among_others(orders: &str, flags: &str) -> (Sandbox, Output, Value) {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write(
        "s/b.test",
        format!("statement ok\nok\n\nstatement error\nok\n\n{orders}\n\nstatement ok\nok\n"),
    );
    sandbox.write("s/c.test", GOOD);
    let output = sandbox.run(&format!("run --engine scripted --json out.json {flags} s"));
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let files = report["files"].as_array().unwrap();
    assert_eq!(files.len(), 3, "{output}");
    for good in [0, 2] {
        assert_eq!(files[good]["status"], "passed", "{output}");
        assert_eq!(files[good]["records"]["passed"], 2, "{output}");
    }
    assert!(sandbox.leftovers().is_empty(), "{:?}", sandbox.leftovers());
    let file = files[1].clone();
    let records = &file["records"];
    let sum: u64 =
        ["passed", "failed", "skipped", "unsupported", "timed_out", "not_reached", "malformed", "faulted"]
            .iter()
            .map(|word| records[*word].as_u64().unwrap())
            .sum();
    assert_eq!(records["total"].as_u64(), Some(sum), "{records}");
    (sandbox, output, file)
}

/// What is reported of a file whose third record takes the worker with it.
fn check_death(orders: &str, message: &str) {
    let (_, output, file) = among_others(&format!("statement ok\n{orders}"), "--workers 2");
    assert_eq!(output.code, 5, "{output}");
    assert_eq!(file["status"], "crashed", "{output}");
    let records = &file["records"];
    for (word, count) in [("total", 4), ("passed", 1), ("failed", 1), ("faulted", 1), ("not_reached", 1)] {
        assert_eq!(records[word], count, "{word} of {records}");
    }
    let failures = file["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 2, "{file}");
    assert_eq!((&failures[0]["line"], &failures[0]["kind"]), (&4.into(), &"unexpected_success".into()));
    let death = &failures[1];
    assert_eq!((&death["line"], &death["kind"]), (&7.into(), &"process_died".into()), "{file}");
    assert_eq!(death["sql"], orders);
    let found = death["message"].as_str().unwrap();
    assert!(found.contains(message), "{found}");
    assert!(death["duration_ms"].is_u64(), "{file}");
    assert!(output.stdout.contains(" s into the record; 1 passed, 1 failed"), "{output}");
    assert_eq!(
        output.stdout.matches("note: worker lost at s/b.test:7").count(),
        1,
        "given out again once: {output}"
    );
}

#[test]
fn abort() {
    check_death("abort", "was killed by SIGABRT");
}

#[test]
fn stack_overflow() {
    check_death("overflow", "was killed by SIGABRT (fatal runtime error: stack overflow");
}

#[test]
fn exit_as_if_all_were_well() {
    check_death("exit 0", "exited with code 0");
}

#[test]
fn what_an_engine_prints_is_dropped() {
    // Text, half a line, and messages as a worker would send them or would not.
    for printed in [
        "hello",
        "{\"Finished\":0",
        "\"Done\"",
        "{\"Claimed\":{\"task\":99,\"at\":{\"secs\":0,\"nanos\":0}}}",
        "{\"NotPassed\":{\"task\":1,\"record\":{\"id\":{\"line\":1}}}}",
    ] {
        let (_, output, file) = among_others(&format!("statement ok\nprint {printed}\nok"), "--workers 2");
        assert_eq!((output.code, &file["status"]), (1, &"failed".into()), "{output}");
        assert_eq!(
            (&file["records"]["passed"], &file["records"]["failed"]),
            (&3.into(), &1.into()),
            "{output}"
        );
        assert!(!output.stdout.contains("worker lost") && output.stderr.is_empty(), "{output}");
    }
}

#[test]
fn a_panic_costs_no_worker() {
    let (_, output, file) = among_others("statement ok\npanic oh", "");
    assert_eq!(output.code, 1, "{output}");
    assert_eq!((&file["status"], &file["records"]["faulted"]), (&"crashed".into(), &1.into()));
    assert!(!output.stdout.contains("worker lost"), "{output}");
}

fn check_timeout(orders: &str) {
    let start = Instant::now();
    let (_, output, file) = among_others(&format!("statement ok\n{orders}"), "--timeout 1");
    assert_eq!(output.code, 1, "{output}");
    assert_eq!(file["status"], "timed_out", "{output}");
    assert_eq!(file["end"]["line"], 7);
    let records = &file["records"];
    for (word, count) in [("total", 4), ("passed", 1), ("failed", 1), ("timed_out", 1), ("not_reached", 1)] {
        assert_eq!(records[word], count, "{word} of {records}");
    }
    let message = file["failures"][1]["message"].as_str().unwrap();
    assert!(message.starts_with("still running after"), "{message}");
    // A limit that does not hold would wait for the hour that the engine sleeps.
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_hanging_engine_is_stopped() {
    check_timeout("hang");
}

#[test]
fn an_endless_loop_is_stopped() {
    check_timeout("spin");
}

#[test]
fn an_engine_that_is_deaf_to_sigterm_is_stopped() {
    check_timeout("deaf\nhang");
}

#[test]
fn a_record_over_its_time_is_interrupted_and_the_file_goes_on() {
    let (_, output, file) = among_others("statement ok\ndoze 3600000", "--record-timeout 1");
    assert_eq!((output.code, &file["status"]), (1, &"timed_out".into()), "{output}");
    assert_eq!(file["end"]["how"], "completed");
    for (word, count) in [("total", 4), ("passed", 2), ("failed", 1), ("timed_out", 1), ("not_reached", 0)] {
        assert_eq!(file["records"][word], count, "{word} of {file}");
    }
    assert_eq!(file["failures"][1]["message"], "still running after 1.000 s when it was stopped");
}

#[test]
fn sqlite_is_interrupted() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let sandbox = Sandbox::with(&format!(
        "query I nosort\n{endless}\n----\n1\n\nstatement error\n{endless}\n\nquery I nosort\nSELECT 1\n----\n1\n"
    ));
    for command in ["run", "test"] {
        let output = sandbox.run(&format!("{command} --engine sqlite --record-timeout 1 t.test"));
        assert_eq!(output.code, 1, "{output}");
        // The error that an interrupt makes is not the one that a record may expect.
        assert!(output.stdout.contains("1 passed, 2 timed out"), "{output}");
    }
}

#[test]
fn an_engine_that_cannot_be_interrupted_loses_its_worker() {
    let start = Instant::now();
    let (_, output, file) = among_others("statement ok\nspin", "--record-timeout 1");
    assert_eq!(
        (output.code, &file["status"], &file["end"]["line"]),
        (1, &"timed_out".into(), &7.into()),
        "{output}"
    );
    assert_eq!(file["records"]["not_reached"], 1, "{file}");
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_grandchild_does_not_outlive_the_run() {
    // It holds the pipe that the orchestrator reads from, and is in the group that is killed.
    let start = Instant::now();
    let (sandbox, output, _) = among_others("statement ok\nchild 3333", "");
    assert_eq!(output.code, 1, "{output}");
    assert!(start.elapsed() < Duration::from_secs(60), "the run did not wait for it");
    drop(sandbox);
    assert_eq!(processes_with("sleep 3333").len(), 0, "left behind");
}

#[test]
fn a_crash_that_does_not_repeat_makes_the_file_flaky() {
    let sandbox = Sandbox::new();
    sandbox.write("t.test", "statement error\nok\n\nstatement ok\nonce marker abort\n");
    let passing = "statement ok\nok\n\nstatement ok\nonce other exit 0\n";
    sandbox.write("u.test", passing);
    let output = sandbox.run("run --engine scripted --json out.json t.test u.test");
    assert!(output.stdout.contains("note: worker lost at t.test:4: it was killed by SIGABRT"), "{output}");
    assert!(output.stdout.contains("FAIL    t.test"), "{output}");
    assert!(output.stdout.contains("FLAKY   u.test"), "{output}");
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let (failed, flaky) = (&report["files"][0], &report["files"][1]);
    assert_eq!((&failed["status"], &flaky["status"]), (&"failed".into(), &"flaky".into()), "{report}");
    for (file, line) in [(failed, 4), (flaky, 4)] {
        let attempts = file["attempts"].as_array().unwrap();
        assert_eq!((attempts.len(), &attempts[0]["status"]), (1, &"crashed".into()), "{file}");
        let failure = &attempts[0]["failure"];
        assert_eq!((&failure["line"], &failure["kind"]), (&line.into(), &"process_died".into()), "{file}");
    }
    assert_eq!(report["summary"]["flaky"], 1, "{report}");
    let junit = sandbox.run("report --format junit --output -");
    assert!(junit.stdout.contains(r#"<flakyFailure type="crashed""#), "{junit}");
    let flaky = sandbox.run("flaky");
    assert!(flaky.stdout.contains("u.test"), "{flaky}");
}

#[test]
fn more_workers_than_files_and_one_worker_give_the_same_report() {
    let sandbox = Sandbox::new();
    for file in 0..12 {
        let text = if file % 3 == 0 { "statement ok\nerror no\n" } else { GOOD };
        sandbox.write(&format!("s/{file}.test"), text);
    }
    let report = |flags: &str| {
        sandbox.run(&format!("run --engine scripted --json out.json {flags} s"));
        let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        without_measurements(&mut report);
        report
    };
    let one = report("--serial");
    assert_eq!(one["summary"]["total"], 12);
    assert_eq!(one, report("--workers 3"));
    assert_eq!(one, report("--workers 40"));
}

/// A run that hangs in its second file, of three.
fn hanging() -> (Sandbox, std::process::Child) {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nonce at-it hang\n");
    sandbox.write("s/c.test", GOOD);
    let mut command =
        sandbox.command("run --engine scripted --serial --order path --timeout 60 --json out.json s");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the second file", || sandbox.path().join("at-it").exists());
    (sandbox, child)
}

/// The report of a run that ended in its second file.
fn check_ended(sandbox: &Sandbox, output: &std::process::Output) {
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["summary"]["passed"], 1, "{report}");
    assert_eq!(report["summary"]["total_available_files"], 3, "{report}");
    assert_eq!(report["summary"]["tested_files"], 1, "{report}");
    assert_eq!(report["end"], "interrupted");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("INCOMPLETE: 1 of 1 file and "), "{text}");
    assert!(text.contains("; 2 files not tested (interrupted)\n"), "{text}");
    assert!(sandbox.leftovers().is_empty(), "{:?}", sandbox.leftovers());
}

#[test]
fn a_second_ctrl_c_ends_a_run_at_once() {
    let (sandbox, mut child) = hanging();
    send_signal("INT", child.id());
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("note: stopping, 1 file still running; press Ctrl-C again to stop immediately") {
        assert_ne!(stdout.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    send_signal("INT", child.id());
    stdout.read_to_string(&mut seen).unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stdout = seen.into_bytes();
    check_ended(&sandbox, &output);
}

#[test]
fn sigterm_and_sighup_end_a_run_at_once() {
    for signal in ["TERM", "HUP"] {
        let (sandbox, child) = hanging();
        send_signal(signal, child.id());
        check_ended(&sandbox, &child.wait_with_output().unwrap());
    }
}

#[test]
fn ctrl_c_lets_running_files_end() {
    let sandbox = Sandbox::new();
    // The file waits for the test, which makes the marker when it has sent the signal.
    sandbox
        .write("s/a.test", "statement ok\nonce at-it ok\n\nstatement ok\nawait go-on\n\nstatement ok\nok\n");
    sandbox.write("s/b.test", GOOD);
    let mut command = sandbox.command("run --engine scripted --serial --order path --json out.json s");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the first file", || sandbox.path().join("at-it").exists());
    send_signal("INT", child.id());
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("note: stopping, 1 file") {
        assert_ne!(stdout.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    sandbox.write("go-on", "");
    stdout.read_to_string(&mut seen).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5), "{seen}");
    assert!(seen.contains("PASS    s/a.test"), "{seen}");
    assert!(seen.contains("; 1 file not tested (interrupted)\n"), "{seen}");
}

#[test]
fn no_worker_outlives_an_orchestrator_that_is_killed() {
    let (sandbox, child) = hanging();
    send_signal("KILL", child.id());
    assert_eq!(child.wait_with_output().unwrap().status.code(), None);
    let folder = sandbox.last_run().unwrap().display().to_string();
    wait_for("the end of the workers", || processes_with(&folder).is_empty());
}

/// Kills the main process of a command whose engine has started two processes, one of which has left its group.
#[cfg(target_os = "linux")]
fn check_nothing_is_left(command: &str, seconds: [&str; 2], last: &str) {
    let sandbox = Sandbox::new();
    let [child, daemon] = seconds;
    sandbox.write("t.test", format!("statement ok\nchild {child}\ndaemon {daemon}\nonce at-it {last}\n"));
    let mut command = sandbox.command(&format!("{command} --engine scripted t.test"));
    let mut main = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the record", || sandbox.path().join("at-it").exists());
    let sleeping =
        || seconds.iter().map(|time| processes_with(&format!("sleep {time}")).len()).sum::<usize>();
    if last == "hang" {
        wait_for("both processes", || sleeping() == 2);
        send_signal("KILL", main.id());
    }
    // Nobody else has the pipes open, so that this is no wait for the processes.
    for pipe in [&mut main.stdout.take().unwrap() as &mut dyn std::io::Read, &mut main.stderr.take().unwrap()]
    {
        pipe.read_to_end(&mut Vec::new()).unwrap();
    }
    main.wait().unwrap();
    wait_for("the end of what the engine had started", || sleeping() == 0);
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_that_an_engine_has_started_outlives_a_main_process_that_is_killed() {
    check_nothing_is_left("run", ["3341", "3342"], "hang");
    check_nothing_is_left("test", ["3343", "3344"], "hang");
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_that_an_engine_has_started_outlives_its_worker() {
    check_nothing_is_left("run", ["3345", "3346"], "abort");
    check_nothing_is_left("test", ["3347", "3348"], "abort");
    check_nothing_is_left("test", ["3349", "3350"], "ok");
}

/// A shell that has started something before it becomes this program.
#[test]
#[cfg(target_os = "linux")]
fn what_a_shell_had_started_before_is_left_alone() {
    let sandbox = Sandbox::with("statement ok\nsleep 900\n");
    let command = sandbox.command("test --engine scripted t.test");
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = "(sleep 3351 & sleep 0.3) >/dev/null 2>&1 & exec \"$@\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line, "sh"]).args(words).current_dir(sandbox.path());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let kill = std::process::Command::new("sh").args(["-c", "pkill -KILL -x -f 'sleep 3351'"]).status();
    assert!(kill.unwrap().success(), "nothing is left to be killed");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stopped_worker_does_not_outlive_an_orchestrator_that_is_killed() {
    let (sandbox, child) = hanging();
    let folder = sandbox.last_run().unwrap().display().to_string();
    // The brackets keep the command from stopping itself.
    let workers = format!("pkill -STOP -f 'wor[k] {folder}'");
    assert!(std::process::Command::new("sh").args(["-c", &workers]).status().unwrap().success());
    send_signal("KILL", child.id());
    child.wait_with_output().unwrap();
    wait_for("the end of the workers", || processes_with(&folder).is_empty());
}

#[test]
fn enough_failures_end_a_run() {
    let sandbox = Sandbox::new();
    let failing = "statement ok\nerror no\n";
    for (file, text) in [failing, GOOD, failing, GOOD, GOOD, GOOD, failing].into_iter().enumerate() {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    for (flags, untested) in [("--fail-fast", 6), ("--max-fail 2", 4), ("--max-fail 4", 0)] {
        let output =
            sandbox.run(&format!("run --engine scripted --serial --order path --json out.json {flags} s"));
        assert_eq!(output.code, 1, "{output}");
        let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        let tested = report["files"].as_array().unwrap().len();
        assert_eq!(7 - tested, untested, "{flags}: {output}");
        assert_eq!(report["end"], if tested < 7 { "enough_failed" } else { "completed" });
        assert_eq!(output.stdout.contains("not tested (enough failed)"), tested < 7, "{flags}: {output}");
    }
}

#[test]
fn a_worker_that_cannot_start_is_no_endless_loop() {
    let sandbox = Sandbox::new();
    sandbox.write("t.test", GOOD);
    // A folder that is no run: the worker says so and ends.
    let output = sandbox.run("work . 0 0");
    assert_eq!(output.code, 5, "{output}");
    assert!(output.stderr.contains("cannot read `run.json`"), "{output}");
}

//! Nothing is lost: a run that is interrupted, by whatever means and whenever, is finished by `--resume`, with
//! exactly one result for each file and the counts of an undisturbed run.
#![expect(clippy::disallowed_methods, reason = "tests of kills look at the clock")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kept::wait_until_ended;
use crate::sandbox::Sandbox;
use crate::support::{processes_with, send_signal, wait_for, wait_until, without_measurements};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";

/// Files that take a few milliseconds each, pass, fail, panic, and are not started.
fn suite(sandbox: &Sandbox, files: usize) {
    for file in 0..files {
        let orders = match file % 6 {
            1 => "statement ok\nerror no\n",
            2 => "statement ok\nsleep 5\nok\n\nquery I nosort\nrows 2\n----\n1\n",
            3 => "skipif scripted\nstatement ok\nok\n",
            4 => "statement ok\npanic oh\n\nstatement ok\nok\n",
            _ => GOOD,
        };
        sandbox.write(&format!("s/{file:03}.test"), format!("{orders}\nstatement ok\nsleep 3\n"));
    }
}

fn report(sandbox: &Sandbox) -> Value {
    let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    without_measurements(&mut report);
    // Another sandbox is another suite.
    for file in report["files"].as_array_mut().unwrap() {
        file.as_object_mut().unwrap().remove("id");
    }
    report
}

/// Takes the attempts that ended because this test killed their worker out of the report, and returns how many there were.
/// Such a file is FLAKY; without the attempt it has passed.
fn without_killed_attempts(report: &mut Value) -> usize {
    let mut killed = 0;
    for file in report["files"].as_array_mut().unwrap() {
        let Some(attempts) = file.as_object_mut().unwrap().remove("attempts") else { continue };
        for attempt in attempts.as_array().unwrap() {
            // There is no failure if no record was running.
            let killed_by = "the worker process was killed by SIGKILL";
            let message = attempt["failure"]["message"].as_str().unwrap_or(killed_by);
            assert_eq!((message, &attempt["status"]), (killed_by, &"crashed".into()), "{attempt}");
            killed += 1;
        }
        if file["status"] == "flaky" {
            file["status"] = "passed".into();
        }
    }
    let count = |report: &Value, key: &str| report["summary"][key].as_u64().unwrap();
    let passed = count(report, "passed") + count(report, "flaky");
    report["summary"] = serde_json::json!({ "passed": passed, "failed": count(report, "failed"), "errors": count(report, "errors"),
        "records": report["summary"]["records"] });
    // What these count is in the summary and the files.
    ["categories", "tested_files"]
        .into_iter()
        .for_each(|key| drop(report.as_object_mut().unwrap().remove(key)));
    killed
}

/// How many results each file has in the journal of a run.
fn results(run: &Path) -> BTreeMap<String, usize> {
    let journal = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
    let mut results = BTreeMap::new();
    // A line that its writer could not end is no JSON.
    for line in journal.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let Some(file) = line["entry"]["FileFinished"]["file"].as_str() {
            *results.entry(file.to_owned()).or_default() += 1;
        }
    }
    results
}

/// The next number of a simple generator: the moments of the kills differ, and can be had again.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn kill(pid: u32) {
    // The shell's own: a machine need not have the program. What has ended meanwhile cannot be killed.
    let command = format!("kill -9 {pid}");
    std::process::Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status().unwrap();
}

fn start(sandbox: &Sandbox, line: &str) -> Child {
    let mut command = sandbox.command(line);
    let stderr = std::fs::File::create(sandbox.path().join("stderr")).unwrap();
    command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

/// Kills workers and masters of a run until it is through, and compares.
fn killed_round(seed: u64, undisturbed: &Value, files: usize) {
    let mut state = seed;
    let sandbox = Sandbox::new();
    suite(&sandbox, files);
    let begin = "run --engine scripted --workers 3 --json out.json s";
    let mut line = begin;
    let (mut kills, mut killed_workers) = (0, 0);
    loop {
        let mut master = start(&sandbox, line);
        // The later kills come later, so that there is progress.
        let moment = Instant::now() + Duration::from_micros(next(&mut state) % (30_000 + 10_000 * kills));
        wait_until(moment, &mut master);
        kills += 1;
        let victim = next(&mut state) % 3;
        let run = sandbox.last_run();
        if let Some(run) = run.as_deref().filter(|_| victim > 0) {
            // One only: a file that takes two workers with it has its result.
            let worker = processes_with(&run.display().to_string()).into_iter().take(1);
            killed_workers += worker.inspect(|&worker| kill(worker)).count();
        }
        if victim < 2 {
            kill(master.id());
        }
        let status = master.wait().unwrap();
        line = match status.code() {
            None => "run --resume --workers 3 --json out.json",
            // Killed before it had begun its journal: there is nothing to go on with.
            Some(3) => begin,
            Some(code) => {
                assert_eq!(code, 1, "seed {seed}: {}", sandbox.read("stderr"));
                break;
            }
        };
    }
    let mut disturbed = report(&sandbox);
    assert!(without_killed_attempts(&mut disturbed) <= killed_workers, "seed {seed}");
    assert_eq!(&disturbed, undisturbed, "seed {seed}");
    let run = sandbox.last_run().unwrap();
    let results = results(&run);
    assert_eq!(results.len(), files, "seed {seed}");
    assert!(results.values().all(|&count| count == 1), "seed {seed}: {results:?}");
    wait_for("the end of all processes", || processes_with(&run.display().to_string()).is_empty());
}

fn rounds() -> u64 {
    std::env::var("SLT_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20)
}

/// `SLT_SOAK_ROUNDS=200` makes a soak of it (`just soak`).
#[test]
fn killed_at_any_moment_and_resumed() {
    let files = 40;
    let sandbox = Sandbox::new();
    suite(&sandbox, files);
    let output = sandbox.run("run --engine scripted --workers 3 --json out.json s");
    assert_eq!(output.code, 1, "{output}");
    let mut undisturbed = report(&sandbox);
    assert_eq!(undisturbed["summary"]["total"], files);
    assert_eq!(without_killed_attempts(&mut undisturbed), 0);
    (0..rounds()).for_each(|seed| killed_round(seed, &undisturbed, files));
}

/// A run that hangs in its second file as long as a certain file is not there.
fn interrupted() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nonce at-it await go-on\n\nstatement ok\nerror no\n");
    sandbox.write("s/c.test", GOOD);
    let mut child = start(&sandbox, "run --engine scripted --serial --order path --json out.json s");
    wait_for("the second file", || sandbox.path().join("at-it").exists());
    wait_for("the first result", || results(&sandbox.last_run().unwrap()).len() == 1);
    kill(child.id());
    child.wait().unwrap();
    sandbox
}

#[test]
fn what_is_done_is_not_done_again() {
    let sandbox = interrupted();
    // It would not pass any more.
    sandbox.write("s/a.test", "statement ok\nerror changed\n");
    let output = sandbox.run("run --resume --serial --json out.json");
    assert!(output.stderr.contains("warning: changed since the run started: s/a.test; "), "{output}");
    insta::assert_snapshot!(sandbox.without_names(&output.to_string()), @"
    exit code 1
    --- stdout
    note: 1 file done already
    PASS    s/c.test  2 records  [time] s
    FAIL    s/b.test  1 passed, 1 failed  [time] s
            s/b.test:4: unexpected error: no

    failed: 1 file
      FAIL    s/b.test:4: unexpected error: no
                again: vibesql-sqllogictest test --engine scripted s/b.test:4

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         3       2       1      0  66.66 %        6       5       1        0      0  83.33 %

    FAIL: 2 of 3 files and 5 of 6 records passed on scripted 0.1.0 in [time] s
    look at the first: vibesql-sqllogictest test --engine scripted s/b.test:4
    --- stderr
    warning: changed since the run started: s/a.test; existing results are kept
    ");
    let resumed = report(&sandbox);
    assert_eq!(resumed["end"], "completed");
    // Nothing is left to do: the same report is made once more, and nothing is written.
    let run = sandbox.last_run().unwrap();
    let name = run.file_name().unwrap().to_str().unwrap();
    let before = std::fs::read(run.join("journal.jsonl")).unwrap();
    let output = sandbox.run(&format!("run --resume {name} --json out.json"));
    assert_eq!(output.code, 1, "{output}");
    assert_eq!(report(&sandbox), resumed);
    let after = std::fs::read(run.join("journal.jsonl")).unwrap();
    assert!(after == before, "{output}");
    let nothing = sandbox.run("run --resume");
    insta::assert_snapshot!(sandbox.without_names(&nothing.to_string()), @r"
    exit code 3
    --- stderr
    error: no interrupted run in `[home]/.vibesql/test_results`
      hint: use --results DIR to select another results folder
    ");
}

#[test]
fn a_run_that_goes_on_has_one_master() {
    let sandbox = Sandbox::new();
    sandbox.write("t.test", "statement ok\nonce at-it hang\n");
    let mut child = start(&sandbox, "run --engine scripted t.test");
    wait_for("the file", || sandbox.path().join("at-it").exists());
    let run = sandbox.last_run().unwrap();
    let output = sandbox.run(&format!("run --resume {}", run.display()));
    kill(child.id());
    child.wait().unwrap();
    insta::assert_snapshot!(sandbox.without_names(&output.to_string()), @r"
    exit code 2
    --- stderr
    error: run `[run]` is still in progress
      hint: use `worker --join` to add workers to a run in progress
    ");
}

/// A run that ends by a signal in its second file. The first has crashed, and waits for its second attempt.
fn crashed_and_interrupted(signal: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce crashed abort\n");
    sandbox.write("s/b.test", "statement ok\nonce at-it hang\n");
    let mut child = start(&sandbox, "run --engine scripted --serial --order path --flaky fail s");
    wait_for("the second file", || sandbox.path().join("at-it").exists());
    if signal == "KILL" {
        let journal = sandbox.last_run().unwrap().join("journal.jsonl");
        wait_for("the attempt", || std::fs::read_to_string(&journal).unwrap().contains("AttemptEnded"));
    }
    send_signal(signal, child.id());
    child.wait().unwrap();
    wait_until_ended(&sandbox);
    sandbox
}

#[test]
fn an_attempt_that_crashed_before_the_interruption_is_part_of_the_report() {
    for signal in ["TERM", "KILL"] {
        let sandbox = crashed_and_interrupted(signal);
        let output = sandbox.run("run --resume --json out.json");
        assert_eq!(output.code, 1, "{signal}: {output}");
        let report = report(&sandbox);
        let file = &report["files"][0];
        assert_eq!(file["status"], "flaky", "{signal}: {file}");
        assert_eq!(file["attempts"][0]["status"], "crashed", "{signal}: {file}");
        assert_eq!(report["files"][1]["status"], "passed", "{signal}: {report}");
    }
}

#[test]
fn an_attempt_at_a_text_that_has_changed_since_is_not_part_of_the_report() {
    let sandbox = crashed_and_interrupted("TERM");
    sandbox.write("s/a.test", GOOD);
    let output = sandbox.run("run --resume --json out.json");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(report(&sandbox)["files"][0]["status"], "passed", "{output}");
}

#[test]
fn a_run_of_another_version_is_refused() {
    let sandbox = interrupted();
    let place = sandbox.last_run().unwrap().join("run.json");
    let text = std::fs::read_to_string(&place).unwrap();
    for (from, to, message) in [
        (
            "\"protocol\":\"10/",
            "\"protocol\":\"8/",
            "the run uses protocol `8/0.1.0`, this program uses `10/0.1.0`",
        ),
        (
            "\"version\":\"0.1.0\"",
            "\"version\":\"7\"",
            "the run is on scripted 7, and this program has scripted 0.1.0",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(&place, text.replacen(from, to, 1)).unwrap();
        let output = sandbox.run("run --resume");
        assert_eq!(output.code, 2, "{output}");
        assert!(output.stderr.contains(message), "{output}");
    }
}

#[test]
fn a_damaged_line_is_run_again_and_nothing_else() {
    let sandbox = interrupted();
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let mut text = std::fs::read(&journal).unwrap();
    let at = text.len() - 20;
    text[at] ^= 1;
    std::fs::write(&journal, text).unwrap();
    let output = sandbox.run("run --resume --json out.json");
    assert!(output.stderr.contains("warning: 1 line of the journal is damaged"), "{output}");
    assert!(output.stdout.contains("PASS    s/a.test"), "{output}");
    assert_eq!(report(&sandbox)["summary"]["total"], 3);
}

#[test]
fn a_completed_run_with_a_damaged_or_shortened_journal_is_completed_again() {
    let sandbox = Sandbox::new();
    ["a", "b", "c"].iter().for_each(|file| sandbox.write(&format!("s/{file}.test"), GOOD));
    let output = sandbox.run("run --engine scripted --serial --order path s");
    assert_eq!(output.code, 0, "{output}");
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let shorter = lines[..lines.len() - 2].join("\n") + "\n";
    let damaged = text.replacen("FileFinished", "fileFinished", 2);
    for (text, again) in [(shorter, ["c", "c"]), (damaged, ["a", "b"])] {
        std::fs::write(&journal, text).unwrap();
        let name = sandbox.last_run().unwrap();
        let output = sandbox.run(&format!("run --resume {} --json out.json", name.display()));
        assert_eq!(output.code, 0, "{output}");
        for file in ["a", "b", "c"] {
            let line = format!("PASS    s/{file}.test");
            assert_eq!(output.stdout.contains(&line), again.contains(&file), "{output}");
        }
        assert_eq!(report(&sandbox)["summary"]["passed"], 3, "{output}");
    }
}

#[test]
fn a_helper_takes_part() {
    let sandbox = Sandbox::new();
    // The master's only worker waits for what the helper's worker makes.
    sandbox.write("s/a.test", "statement ok\nonce at-it ok\n\nstatement ok\nawait helped\n");
    sandbox.write("s/b.test", "statement ok\nonce helped ok\n\nstatement ok\nerror no\n");
    sandbox.write("s/c.test", GOOD);
    let mut command = sandbox.command("run --engine scripted --serial --order path --json out.json s");
    let mut master = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the first file", || sandbox.path().join("at-it").exists());
    let helped = sandbox.run("worker --join -j 2");
    let mut seen = String::new();
    master.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    assert_eq!(master.wait().unwrap().code(), Some(1), "{seen}");
    assert_eq!(helped.code, 0, "{helped}");
    assert!(helped.stdout.contains("FAIL    s/b.test"), "{helped}");
    for line in ["note: helper 1 joined", "PASS    s/a.test", "FAIL    s/b.test  ", "PASS    s/c.test"] {
        assert_eq!(seen.matches(line).count(), 1, "{line}: {seen}");
    }
    let report = report(&sandbox);
    assert_eq!((&report["summary"]["total"], &report["summary"]["passed"]), (&3.into(), &2.into()));
    assert_eq!(results(&sandbox.last_run().unwrap()).len(), 3);
    let over = sandbox.run(&format!("worker --join {}", sandbox.last_run().unwrap().display()));
    assert_eq!(over.code, 3, "{over}");
    assert!(over.stderr.contains("the run has ended, so there is nothing to join"), "{over}");
}

#[test]
fn a_helper_that_is_killed_costs_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce at-it ok\n\nstatement ok\nawait go-on\n");
    sandbox.write("s/b.test", "statement ok\nonce helping hang\n");
    let mut master = start(&sandbox, "run --engine scripted --serial --order path --json out.json s");
    wait_for("the first file", || sandbox.path().join("at-it").exists());
    let mut helper = start(&sandbox, "worker --join");
    wait_for("the helper's file", || sandbox.path().join("helping").exists());
    kill(helper.id());
    helper.wait().unwrap();
    sandbox.write("go-on", "");
    assert_eq!(master.wait().unwrap().code(), Some(0));
    assert_eq!(report(&sandbox)["summary"]["passed"], 2);
}

#[test]
fn a_helper_outlives_the_master() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce at-it await never\n");
    sandbox.write("s/b.test", "statement ok\nonce helping await go-on\n\nstatement ok\nonce helped ok\n");
    let mut master = start(&sandbox, "run --engine scripted --serial --order path --json out.json s");
    wait_for("the first file", || sandbox.path().join("at-it").exists());
    let mut helper = start(&sandbox, "worker --join");
    wait_for("the helper's file", || sandbox.path().join("helping").exists());
    kill(master.id());
    master.wait().unwrap();
    let mut master = start(&sandbox, "run --resume --serial --json out.json");
    sandbox.write("go-on", "");
    assert_eq!(master.wait().unwrap().code(), Some(0));
    assert_eq!(helper.wait().unwrap().code(), Some(0));
    assert_eq!(report(&sandbox)["summary"]["passed"], 2);
    assert_eq!(results(&sandbox.last_run().unwrap()).len(), 2);
}

#[test]
fn results_are_kept_where_they_can_be() {
    let sandbox = Sandbox::with(GOOD);
    let named = sandbox.run("run --engine scripted --results here t.test");
    assert_eq!(named.code, 0, "{named}");
    assert_eq!(std::fs::read_dir(sandbox.path().join("here/runs")).unwrap().count(), 1);
    sandbox.write("file", "");
    let refused = sandbox.run("run --engine scripted --results file t.test");
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("error: cannot make the folder `file/runs`"), "{refused}");
}

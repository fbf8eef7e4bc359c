//! What only several runs together tell: flaky files, and files that became slower.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::event::{EventSink as _, RunEvent};
use vibesql_sqllogictest::executor::{Permissions, Settings};
use vibesql_sqllogictest::outcome::{
    Counts, FileEnd, FileReport, FlakyResult, RecordId, RunEnd, RunHeader, SlowRecord,
};
use vibesql_sqllogictest::results::{Circumstances, Opened, ResultsFolder};

use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::options;

const GOOD: &str = "query I nosort\nrows 1\n----\n1\n\n";

fn results(sandbox: &Sandbox) -> ResultsFolder {
    ResultsFolder::new(format!("{}/.vibesql/test_results", sandbox.home()))
}

/// Keeps a run of the past, in the second `second` since 1970, in which one file took so long.
fn past_run(sandbox: &Sandbox, second: i64, circumstances: &Circumstances, file: FileReport) {
    let settings = Settings {
        engine: "scripted".to_owned(),
        options: options(&["scripted"]),
        dialect: None,
        exact: false,
        permissions: Permissions::default(),
    };
    let opened = |name: &str| {
        let (folder, circumstances) = (sandbox.path().to_owned(), circumstances.clone());
        Opened::new(name, second * 1000, Vec::new(), folder, settings.clone(), circumstances, BTreeMap::new())
    };
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("scripted", "0.1.0") };
    let header = RunHeader {
        engine,
        labels: vec!["scripted".to_owned()],
        exact: false,
        files: 1,
        flaky: FlakyResult::Pass,
    };
    let run = results(sandbox).start_run().unwrap();
    let (_run, mut journal) = run.publish(second * 1000, &header, &opened).unwrap();
    let elapsed = file.elapsed;
    for event in [
        RunEvent::RunStarted(header),
        RunEvent::FileFinished(Box::new(file)),
        RunEvent::RunFinished { elapsed, end: RunEnd::Completed },
    ] {
        journal.on_event(&event).unwrap();
    }
}

/// A file of one record that passed, and took so many milliseconds.
fn pass(milliseconds: u64) -> FileReport {
    let elapsed = Duration::from_millis(milliseconds);
    let slow = SlowRecord { id: RecordId::at(1), elapsed: elapsed / 2, sql: "SELECT slow".to_owned() };
    FileReport {
        shown: "s/a.test".to_owned(),
        counts: Counts { total: 1, executed: 1, passed: 1, ..Counts::default() },
        elapsed,
        engine_time: Some(elapsed),
        slowest: vec![slow],
        ..FileReport::new("a.test", FileEnd::Completed)
    }
}

fn a_machine() -> Circumstances {
    Circumstances { host: "h".to_owned(), cpus: 2, workers: 2, ..Circumstances::default() }
}

/// The part of the comparison that tells of times.
fn slower(output: &Output) -> String {
    let lines = output.stdout.lines().skip_while(|line| !line.starts_with("slower"));
    lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_slow_three_times_in_a_row_is_called_slower() {
    let sandbox = Sandbox::new();
    let machine = a_machine();
    for second in 0..9 {
        past_run(&sandbox, second, &machine, pass(200 + second as u64));
    }
    for second in 9..11 {
        past_run(&sandbox, second, &machine, pass(410));
    }
    let compare = |line: &str| {
        let output = sandbox.run(line);
        assert_eq!(output.code, 0, "time alone is no regression: {output}");
        output
    };
    assert_eq!(slower(&compare("compare")), "", "two are not enough");
    // On another machine anything may take longer.
    let other = Circumstances { host: "other".to_owned(), ..machine.clone() };
    past_run(&sandbox, 11, &other, pass(420));
    assert_eq!(slower(&compare("compare")), "");
    past_run(&sandbox, 12, &machine, pass(420));
    assert_snapshot!(slower(&compare("compare")), @"
    slower: 2
      s/a.test  0.204 s before, the median of 9 passes; now 0.410 s, in each of the last 3 passes
      s/a.test:1  0.102 s before, the median of 9 passes; now 0.205 s, in each of the last 3 passes
    ");
    let json: serde_json::Value = serde_json::from_str(&compare("compare --format json").stdout).unwrap();
    assert_eq!((&json["slower"][0]["file"], &json["slower"][0]["now_ms"]), (&"a.test".into(), &410.0.into()));
    assert!(compare("compare --format markdown").stdout.contains("\n## Slower (2)\n"));
    past_run(&sandbox, 13, &machine, pass(203));
    assert_eq!(slower(&compare("compare")), "", "it is over");
}

#[test]
fn what_looks_slow_is_run_once_more_before_it_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    sandbox.run("run --engine scripted s");
    let journal = results(&sandbox).journal(None).unwrap();
    let machine = journal.opened.circumstances.unwrap();
    let file = &journal.report.files[0].file;
    for second in 0..9 {
        past_run(&sandbox, second, &machine, FileReport { file: file.clone(), ..pass(20) });
    }
    // Slow by any measure, each time.
    sandbox.write("s/a.test", "statement ok\nsleep 300\n");
    let output = sandbox.run("run --engine scripted --baseline latest s");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(output.stderr, "note: 1 file slower than usual; running again to confirm\n");
    let told = slower(&output);
    assert!(
        told.starts_with("slower: 1\n  s/a.test  0.020 s before, the median of 10 passes; now 0."),
        "{output}"
    );
    assert!(told.ends_with(" s when it was run once more\n"), "{output}");
    assert_eq!(sandbox.all_runs().len(), 11, "the second time is no run");
    assert!(sandbox.leftovers().is_empty(), "{:?}", sandbox.leftovers());

    // Slow the first time only.
    sandbox.write("s/a.test", "statement ok\nonce at-it sleep 300\n");
    let output = sandbox.run("run --engine scripted --baseline latest s");
    assert_eq!((slower(&output).as_str(), output.code), ("", 0), "{output}");
    let output = sandbox.run("run --engine scripted --baseline latest --time 60 s");
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn what_ends_otherwise_in_the_same_state_is_flaky() {
    let sandbox = Sandbox::new();
    let run = || {
        Output::of(sandbox.command("run --engine scripted s").env("PATH", path_of_tests()));
    };
    sandbox.write("s/flaky.test", ["statement ok\nonce at-it error x\n\n", GOOD].concat());
    sandbox.write("s/calm.test", GOOD);
    sandbox.write("s/broken.test", GOOD);
    sandbox.git(&["init", "-q", "-b", "main"]);
    sandbox.git(&["add", "s"]);
    sandbox.git(&["commit", "-q", "-m", "one"]);
    run();
    let once = sandbox.run("flaky");
    assert_snapshot!(once, @"
    exit code 0
    --- stdout
    0 flaky, 1 broken, 2 healthy of 3 files in 1 run on scripted
    note: 3 files have no two comparable results (same commit without uncommitted changes, engine and build)
    ");
    run();
    run();
    // Another commit breaks a file for good, which is no flakiness.
    sandbox.write("s/broken.test", GOOD.replace("----\n1", "----\n2"));
    sandbox.git(&["commit", "-q", "-a", "-m", "two"]);
    run();
    run();
    assert_snapshot!(sandbox.run("flaky"), @"
    exit code 0
    --- stdout
    FLAKY  s/flaky.test  deviated 1 of 5 times (20.00 %, between 3.62 % and 62.44 %), last passed
           line 1  deviated 1 of 5 times (20.00 %, between 3.62 % and 62.44 %)
    1 flaky, 1 broken, 1 healthy of 3 files in 5 runs on scripted
    ");
    let json: serde_json::Value = serde_json::from_str(&sandbox.run("flaky --format json").stdout).unwrap();
    let file = |name: &str| {
        let files = json["files"].as_array().unwrap();
        files.iter().find(|file| file["file"] == name).unwrap().clone()
    };
    assert_eq!(file("s/calm.test")["health"], "healthy");
    assert_eq!(file("s/broken.test")["health"], "broken");
    assert!(file("s/broken.test")["regressed_at"][0].as_str().unwrap().starts_with("commit "));
    assert_eq!(file("s/flaky.test")["records"][0]["line"], 1);
    // What is in no commit is in no state that is known.
    sandbox.write("s/calm.test", GOOD.replace("----\n1", "----\n2"));
    run();
    assert!(sandbox.run("flaky").stdout.contains("\n1 flaky, 2 broken, 0 healthy of 3 files"));
    assert_eq!(Sandbox::new().run("flaky").code, 3);
    assert_eq!(sandbox.run("flaky --engine sqlite").code, 3);
}

#[test]
fn what_passes_when_it_is_run_again_is_flaky_without_a_commit() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nonce at-it error x\n");
    sandbox.run("run --engine scripted --retries 1 s");
    let output = sandbox.run("flaky");
    assert!(output.stdout.starts_with("FLAKY  a.test  deviated 1 of 2 times (50.00 %, "), "{output}");
}

//! `run --message-format json`: a line for each event, and nothing else.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";
const COUNTS: [&str; 11] = [
    "total",
    "executed",
    "passed",
    "failed",
    "skipped",
    "skipped_besides",
    "unsupported",
    "timed_out",
    "not_reached",
    "malformed",
    "faulted",
];

/// A file that passes, one that fails, one that crashes, one that passes at the second time.
fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/good.test", GOOD);
    sandbox.write(
        "s/bad.test",
        "statement ok\nok\n\nquery I nosort\nrows 1\n----\n2\n\nskipif scripted\nhalt\n",
    );
    sandbox.write("s/crash.test", "statement ok\nok\n\nstatement ok\nabort\n\nstatement ok\nok\n");
    sandbox.write("s/flaky.test", "statement ok\nonce marker error not yet\n");
    sandbox
}

fn events(output: &Output) -> Vec<Value> {
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn named<'e>(events: &'e [Value], name: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"] == name).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn a_run_is_told_event_by_event() {
    let sandbox = suite();
    let output =
        sandbox.run("run --engine scripted --workers 2 --retries 1 --message-format json --json out.json s");
    assert_eq!(output.code, 5, "{output}");
    let events = events(&output);
    assert!(events.iter().all(|event| event["format"] == 1), "{output}");
    let started = &events[0];
    assert_eq!((&started["event"], &started["files"]), (&"run-started".into(), &4.into()));
    assert_eq!((&started["engine"]["name"], &started["exact"]), (&"scripted".into(), &false.into()));
    let run = sandbox.last_run().unwrap();
    assert_eq!(started["run"].as_str(), run.file_name().unwrap().to_str());
    let finished = events.last().unwrap();
    assert_eq!((&finished["event"], &finished["end"]), (&"run-finished".into(), &"completed".into()));

    // Each task that was taken up was put down.
    assert_eq!(named(&events, "task-started").len(), named(&events, "task-ended").len());
    let lost = named(&events, "worker-lost");
    assert!(lost.iter().all(|event| event["shown"] == "s/crash.test" && event["line"] == 4), "{lost:?}");
    assert!(lost.iter().all(|event| event["signal"] == 6 && event["exit_code"].is_null()), "{lost:?}");
    assert_eq!(lost[0]["again"], true);
    let retried: Vec<_> = named(&events, "retried").iter().map(|event| event["shown"].clone()).collect();
    for file in ["s/bad.test", "s/crash.test", "s/flaky.test"] {
        assert!(retried.contains(&file.into()), "{retried:?}");
    }

    // The attempts of a file are told before its result, and are the same.
    for file in named(&events, "file-finished") {
        let attempts = |told: &Value| told["event"] == "attempt-ended" && told["shown"] == file["shown"];
        let told = events.iter().take_while(|event| *event != file).filter(|event| attempts(event));
        let told: Vec<_> = told.map(|event| event["attempt"].clone()).collect();
        assert_eq!(told, *file["attempts"].as_array().unwrap_or(&Vec::new()), "{output}");
        assert_eq!(told.len(), events.iter().filter(|event| attempts(event)).count(), "{output}");
    }

    let files = named(&events, "file-finished");
    let status: BTreeMap<_, _> =
        files.iter().map(|file| (file["file"].as_str().unwrap(), file["status"].as_str().unwrap())).collect();
    let expected =
        [("bad.test", "failed"), ("crash.test", "crashed"), ("flaky.test", "flaky"), ("good.test", "passed")];
    assert_eq!(status, BTreeMap::from(expected));
    let summary = &finished["summary"];
    assert_eq!(number(&summary["total"]), files.len() as u64);
    for (count, words) in [
        ("passed", &["passed"][..]),
        ("failed", &["failed"]),
        ("errors", &["error", "crashed"]),
        ("flaky", &["flaky"]),
        ("timed_out", &["timed_out"]),
        ("skipped", &["empty"]),
        ("out_of_memory", &["out_of_memory"]),
    ] {
        let found = status.values().filter(|word| words.contains(word)).count();
        assert_eq!(number(&summary[count]), found as u64, "{count}");
    }
    for count in COUNTS {
        let sum: u64 = files.iter().map(|file| number(&file["records"][count])).sum();
        assert_eq!(number(&summary["records"][count]), sum, "{count}");
    }
    assert!(number(&summary["records"]["faulted"]) > 0 && number(&summary["records"]["failed"]) > 0);

    // The stream and the report tell the same of the run.
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["summary"]["records"], summary["records"]);
    for file in report["files"].as_array().unwrap() {
        let told = files.iter().find(|told| told["file"] == file["file"]).unwrap();
        let mut told = told.as_object().unwrap().clone();
        assert_eq!(told.remove("shown").unwrap(), format!("s/{}", file["file"].as_str().unwrap()));
        told.retain(|field, _| !["format", "event"].contains(&field.as_str()));
        assert_eq!(Value::Object(told), *file);
    }

    // What people read is elsewhere.
    assert!(output.stderr.contains("FAIL    s/bad.test"), "{output}");
    assert!(output.stderr.contains("FAIL: 2 of 4 files"), "{output}");
}

#[test]
fn what_was_done_before_is_in_the_sums() {
    let sandbox = suite();
    let first =
        sandbox.run("run --engine scripted --serial --order path --fail-fast --message-format json s");
    let done = named(&events(&first), "file-finished").len() as u64;
    assert!((1..4).contains(&done), "{first}");
    let second = sandbox.run("run --resume --message-format json");
    let events = events(&second);
    let resumed = &named(&events, "resumed")[0]["done"];
    assert_eq!(number(&resumed["total"]), done, "{second}");
    let files = named(&events, "file-finished");
    assert_eq!(done + files.len() as u64, 4, "{second}");
    let summary = &events.last().unwrap()["summary"];
    assert_eq!(number(&summary["total"]), 4);
    for count in COUNTS {
        let sum: u64 = files.iter().map(|file| number(&file["records"][count])).sum();
        let before = number(&resumed["records"][count]);
        assert_eq!(number(&summary["records"][count]), before + sum, "{count}: {second}");
    }
}

#[test]
fn json_has_every_byte_that_it_should() {
    // A filter for terminals once took characters out of it.
    let sandbox = Sandbox::with("statement ok\nerror a\u{7f}b\u{9b}31m\u{1b}[1mc\n");
    let wanted = "unexpected error: a\u{7f}b\u{9b}31m\u{1b}[1mc";
    let output = sandbox.run("run --engine scripted --json - t.test");
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["files"][0]["failures"][0]["message"], wanted);
    let output = sandbox.run("run --engine scripted --message-format json t.test");
    assert_eq!(named(&events(&output), "file-finished")[0]["failures"][0]["message"], wanted);
}

#[test]
fn two_kinds_of_json_are_too_many_for_standard_output() {
    let output = Sandbox::with(GOOD).run("run --engine scripted --message-format json --json - t.test");
    insta::assert_snapshot!(output, @"
    exit code 2
    --- stderr
    error: `--json -` and `--message-format json` both write to standard output
      hint: write the report to a file; the last event has the totals as well
    ");
}

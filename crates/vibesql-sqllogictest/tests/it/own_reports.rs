//! What this program says of a run, it reads back as the same run.

use serde_json::Value;
use vibesql_sqllogictest::outcome::{FileEnd, FileReport};
use vibesql_sqllogictest::results::Journal;

use crate::sandbox::Sandbox;
use crate::support::failing_lines;

/// Files with each status, of one record each, and of several.
const FILES: [(&str, &str); 14] = [
    ("passed.test", "query I nosort\nrows 1\n----\n1\n"),
    ("failed.test", "query I nosort\nrows 1\n----\n2\n"),
    ("wrong.test", "statement ok\nerror no such table: t\n"),
    ("hangs.test", "statement ok\nhang\n"),
    ("dies.test", "statement ok\nabort\n"),
    ("panics.test", "statement ok\npanic oh\n"),
    ("lost.test", "statement ok\nlost gone\n"),
    ("memory.test", "statement ok\neat\n"),
    ("empty.test", "skipif scripted\nstatement ok\nok\n"),
    ("nothing.test", "# nothing\n"),
    ("flaky.test", "statement ok\nonce marker error not yet\n"),
    ("flaky_death.test", "statement ok\nonce other abort\n"),
    ("unsupported.test", "statement ok\nunsupported it\n"),
    ("malformed.test", "statement maybe\nok\n"),
];

const SEVERAL: &str =
    "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n\nskipif scripted\nstatement ok\nok\n";

const KINDS: &str = "statement error\nok\n\nquery II rowsort\nrows 1 2 / 3 4\n----\n1\n2\n3\n5\n\n\
    query I nosort\nrows 1\n----\n\nquery I nosort\ncolumns 2\n----\n\n\
    query I nosort\nrows 1\n----\n9 values hashing to 0123456789abcdef0123456789abcdef\n\n\
    query I nosort label\nrows 1\n----\n1\n\nquery I nosort label\nrows 2\n----\n2\n";

/// A run with every status. One file is a device, which cannot be read.
fn every_status() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, text) in FILES {
        sandbox.write(&format!("s/one/{name}"), text);
        let text = text.replace("once ", "once several-");
        sandbox.write(&format!("s/several/{name}"), format!("{SEVERAL}\n{text}\nstatement ok\nok\n"));
    }
    sandbox.write("s/kinds.test", KINDS);
    std::os::unix::fs::symlink("/dev/zero", sandbox.path().join("s/error.test")).unwrap();
    let words = "--retries 1 --timeout 1 --max-memory 200M --workers 2 --max-details 5";
    let output = sandbox.run(&format!("run --engine scripted {words} --quiet --json r.json s s/error.test"));
    assert_eq!(output.code, 5, "{output}");
    assert_eq!(sandbox.run("report --format junit --output r.xml").code, 0);
    sandbox
}

fn last(sandbox: &Sandbox) -> Journal {
    Journal::read(&sandbox.last_run().unwrap().join("journal.jsonl")).unwrap().unwrap()
}

#[test]
fn a_run_has_not_changed_since_its_own_report() {
    let sandbox = every_status();
    assert_eq!(sandbox.run("punchlist --format json --output list.json").code, 0);
    let mut files = vec!["r.json", "r.xml", "list.json"];
    if cfg!(feature = "store") {
        assert_eq!(sandbox.run("store export --format sql --output r.sql").code, 0);
        files.push("r.sql");
    }
    for file in files {
        let output = sandbox.run(&format!("compare {file} last --format json"));
        let json: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!((output.code, &json["regressed"]), (0, &Value::Bool(false)), "{file}: {output}");
        for change in ["regressed", "fixed"] {
            let files: Vec<_> =
                json["files"].as_array().unwrap().iter().filter(|one| one["change"] == change).collect();
            assert!(files.is_empty(), "{file}: {files:#?}");
            assert_eq!(json["records"][change], 0, "{file}: {output}");
        }
        let text = sandbox.run(&format!("compare {file} last"));
        for title in ["worse", "in another way", "newly flaky", "no longer flaky"] {
            assert!(!text.stdout.contains(title), "{file}: {text}");
        }
    }
}

/// A file without what a report cannot tell: times below a millisecond, headers, keys, and which values are a row.
fn told(file: &FileReport) -> String {
    let FileReport { file: name, counts, end, peak_memory, .. } = file;
    let failing = failing_lines(file);
    let end = match end {
        FileEnd::Faulted { id, fault } => format!("{id:?} {fault}"),
        end => format!("{end:?}"),
    };
    let attempts = file.attempts.iter().map(|attempt| (attempt.status, attempt.elapsed.as_millis()));
    let details = file.details().map(|detail| {
        format!(
            "
  {} {} {}",
            detail.id,
            detail.sql,
            detail.problem.word()
        )
    });
    format!(
        "{name} {} {} ms {counts:?} {failing:?} {end} {peak_memory:?} {:?}{}",
        file.status().word(),
        file.elapsed.as_millis(),
        attempts.collect::<Vec<_>>(),
        details.collect::<String>()
    )
}

#[test]
fn the_json_report_comes_back_whole() {
    let sandbox = every_status();
    let before = last(&sandbox);
    let output = sandbox.run("store import r.json");
    assert_eq!(output.code, 0, "{output}");
    assert!(!output.stderr.contains("engine") && !output.stdout.contains("without a result"), "{output}");
    assert!(!output.stderr.contains("but there are"), "{output}");
    let after = last(&sandbox);
    assert_eq!(after.report.header.engine, before.report.header.engine);
    assert_eq!(after.report.header.labels, before.report.header.labels);
    assert_eq!(after.report.end, before.report.end);
    assert_eq!(after.report.elapsed.as_millis(), before.report.elapsed.as_millis());
    let files = |journal: &Journal| journal.report.files.iter().map(told).collect::<Vec<_>>();
    let (mut then, mut now) = (files(&before), files(&after));
    then.sort();
    now.sort();
    assert_eq!(then.len(), now.len());
    for (then, now) in then.iter().zip(&now) {
        // Of these only the words are known.
        let known = |line: &str| {
            line.strip_suffix("malformed").or(line.strip_suffix("label_differs")).map(str::to_owned)
        };
        let then: Vec<_> = then
            .lines()
            .map(|line| known(line).map_or_else(|| line.to_owned(), |rest| rest + "reported"))
            .collect();
        assert_eq!(now, &then.join("\n"));
    }
    // It is told again as it was told.
    assert_eq!(sandbox.run("report --format json --output again.json").code, 0);
    let json = |file: &str| {
        let mut json = serde_json::from_str(&sandbox.read(file)).unwrap();
        forget(&mut json);
        json
    };
    let (first, again): (Value, Value) = (json("r.json"), json("again.json"));
    for part in ["engine", "summary", "tested_files", "categories", "end", "verdict", "files"] {
        assert_eq!(first[part], again[part], "{part}");
    }
}

/// Takes out what is lost: lints, what is wrong with a text or a label, and parts of a millisecond.
fn forget(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.remove("lints");
            let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
            if matches!(kind, "malformed" | "label_differs" | "reported" | "timed_out") {
                for field in ["kind", "message", "expected", "actual"] {
                    fields.remove(field);
                }
            }
            fields.values_mut().for_each(forget);
        }
        Value::Array(values) => values.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn junit_keeps_statuses_and_the_engine() {
    let sandbox = every_status();
    let before = last(&sandbox);
    let output = sandbox.run("store import r.xml");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output}");
    let after = last(&sandbox);
    let engine = |journal: &Journal| {
        let engine = &journal.report.header.engine;
        (engine.name.clone(), engine.version.clone())
    };
    assert_eq!(engine(&after), engine(&before));
    let statuses = |journal: &Journal| {
        let files = journal.report.files.iter();
        files
            .map(|file| (file.file.path().to_owned(), file.status().word()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(statuses(&after), statuses(&before));
}

#[test]
fn a_json_report_that_does_not_add_up_is_imported_with_warnings() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    sandbox.write("s/b.test", "statement ok\nerror no\n");
    assert_eq!(sandbox.run("run --engine scripted --json r.json s").code, 1);
    let mut report: Value = serde_json::from_str(&sandbox.read("r.json")).unwrap();
    (report["summary"]["total"], report["summary"]["passed"]) = (99.into(), 9.into());
    report["engine"]["name"] = "".into();
    for file in report["files"].as_array_mut().unwrap() {
        (file["id"], file["failures"]) = ("".into(), Value::Array(Vec::new()));
    }
    sandbox.write("odd.json", report.to_string());
    let output = sandbox.run("store import odd.json");
    assert_eq!(output.code, 0, "{output}");
    for warning in [
        "the summary says 99 files, but there are 2",
        "the summary says 9 passed files, but there are 1",
        "`b.test` says 1 failing records, but there are 0",
    ] {
        assert!(output.stderr.contains(warning), "{output}");
    }
    let imported = last(&sandbox).report;
    assert_eq!(imported.header.engine.name, "unknown");
    assert_eq!(imported.files.iter().map(|file| file.file.path()).collect::<Vec<_>>(), ["a.test", "b.test"]);
    report["format"] = 99.into();
    sandbox.write("new.json", report.to_string());
    let output = sandbox.run("store import new.json");
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stderr.contains("this is a report of format 99, and this program reads format 1"),
        "{output}"
    );
}

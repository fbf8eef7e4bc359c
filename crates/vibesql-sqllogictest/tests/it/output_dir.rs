//! `run --output-dir`: all documents about a run in one directory.

use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const NAMES: [&str; 8] = [
    "badge.json",
    "comment.md",
    "junit.xml",
    "report.html",
    "report.json",
    "report.md",
    "run.zst",
    "summary.md",
];

fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    sandbox.write("s/b.test", "query I nosort\nrows 1\n----\n2\n");
    sandbox
}

fn names(sandbox: &Sandbox, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(sandbox.path().join(directory)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn all_documents_are_those_of_report() {
    let sandbox = suite();
    let line = "run --engine scripted --output-dir target/slt s";
    let output = sandbox.run(line);
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.ends_with("reports in: target/slt\n"), "{output}");
    assert_eq!(names(&sandbox, "target/slt"), NAMES);
    for (format, name) in [
        ("markdown", "report.md"),
        ("json", "report.json"),
        ("junit", "junit.xml"),
        ("summary", "summary.md"),
        ("comment", "comment.md"),
        ("badge", "badge.json"),
        ("html", "report.html"),
    ] {
        let report = sandbox.run(&format!("report --format {format} --output ./one"));
        assert_eq!(report.code, 0, "{report}");
        assert_eq!(sandbox.read("one"), sandbox.read(&format!("target/slt/{name}")), "{format}");
    }
    // The run goes to another machine.
    let elsewhere = Sandbox::new();
    elsewhere.write("run.zst", std::fs::read(sandbox.path().join("target/slt/run.zst")).unwrap());
    let merged = elsewhere.run("store merge run.zst");
    assert_eq!((merged.code, elsewhere.all_runs().len()), (0, 1), "{merged}");
    // Another run replaces the documents, and shows what has changed.
    sandbox.write("s/b.test", "query I nosort\nrows 1\n----\n1\n");
    let output = sandbox.run(&format!("{line} --baseline previous --message-format json"));
    assert_eq!(output.code, 0, "{output}");
    assert!(!output.stdout.contains("reports in"), "{output}");
    assert!(sandbox.read("target/slt/report.md").contains("PASS"));
    assert!(sandbox.read("target/slt/comment.md").contains("b.test"), "the change is there");
}

#[test]
fn a_run_that_ends_early_has_its_documents() {
    let sandbox = suite();
    sandbox.write("sqllogictest.toml", "[profile.ci]\noutput-dir = \"reports\"\n");
    let output = sandbox.run("run --engine scripted --serial --order path --profile ci --filter b.test s");
    assert_eq!(output.code, 1, "{output}");
    sandbox.write("s/0.test", "statement ok\nerror no\n");
    let line = "run --engine scripted --serial --order path --profile ci --fail-fast s";
    let output = sandbox.run(line);
    assert_eq!(output.code, 1, "{output}");
    for (name, words) in [
        ("report.md", "2 files not tested"),
        ("summary.md", "2 files not tested"),
        ("comment.md", "2 files not tested"),
        ("badge.json", "INCOMPLETE"),
        ("junit.xml", "INCOMPLETE: not tested"),
    ] {
        assert!(sandbox.read(&format!("reports/{name}")).contains(words), "{name}");
    }
    let json: Value = serde_json::from_str(&sandbox.read("reports/report.json")).unwrap();
    assert_eq!(json["summary"]["untested"], 2);
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_before_the_run() {
    let sandbox = suite();
    sandbox.write("file", "text");
    let output = sandbox.run("run --engine scripted --output-dir file s");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.starts_with("error: cannot create the directory `file`"), "{output}");
    std::fs::create_dir_all(sandbox.path().join("busy/junit.xml")).unwrap();
    let output = sandbox.run("run --engine scripted --output-dir busy s");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("busy/junit.xml"), "{output}");
    assert!(sandbox.all_runs().is_empty());
    // A resumed run has them, too.
    let mut command: Command = sandbox.command("run --engine scripted --fail-fast --serial --order path s");
    sandbox.write("s/0.test", "statement ok\nerror no\n");
    assert_eq!(Output::of(&mut command).code, 1);
    let output = sandbox.run("run --resume --output-dir rest");
    assert_eq!(output.code, 1, "{output}");
    assert_eq!(names(&sandbox, "rest"), NAMES);
}

//! The suite in the dialect of DuckDB, on SQLite and on DuckDB: what must pass, and what must not.

use std::path::PathBuf;

use serde_json::Value;

use crate::duckdb::driver;
use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::manifest;

fn folder(name: &str) -> PathBuf {
    manifest().join("tests/fixtures/dialects").join(name)
}

/// Runs a suite in its own folder; returns the files of the report.
fn run(suite: &str, arguments: &[&str]) -> Vec<Value> {
    let sandbox = Sandbox::new();
    let report = sandbox.path().join("report.json");
    let mut command = sandbox.command("run . --dialect duckdb --no-expectations --no-config --quiet");
    command.args(arguments).arg("--json").arg(&report).arg("--results").arg(sandbox.path().join("results"));
    command.current_dir(folder(suite)).env("SLT_SUITE_LEVEL", "3").env("PATH", path_of_tests());
    let output = Output::of(&mut command);
    let text = std::fs::read_to_string(&report).unwrap_or_else(|_| panic!("{output}"));
    let report: Value = serde_json::from_str(&text).unwrap();
    report["files"].as_array().unwrap().clone()
}

fn name(file: &Value) -> &str {
    file["file"].as_str().unwrap()
}

fn kinds(file: &Value) -> Vec<&str> {
    file["failures"].as_array().unwrap().iter().map(|failure| failure["kind"].as_str().unwrap()).collect()
}

/// Checks the files that must pass or be skipped; `lacks` tells whether the engine lacks something that a file needs.
fn check(files: &[Value], lacks: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for file in files {
        let name = name(file);
        let is_right = if name.contains("/skipped/") {
            file["status"] == "empty"
        } else if lacks(name) {
            file["status"] == "failed" && kinds(file).contains(&"unsupported")
        } else {
            file["status"] == "passed"
        };
        if !is_right {
            wrong.push(format!("{name}: {} {:?}", file["status"], kinds(file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The one record of a file that must not pass, from its first line: `# expect: LINE kind`.
fn expected_failure(suite: &str, name: &str) -> (u64, String) {
    let below = name.rsplit_once("duckdb-wrong/").map_or(name, |(_, below)| below);
    let text = std::fs::read(folder(suite).join(below)).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let words: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(words[..2], ["#", "expect:"], "{name}");
    (words[2].parse().unwrap(), words[3].to_owned())
}

/// Checks the files with one defect each.
fn check_wrong(files: &[Value]) {
    let mut wrong = Vec::new();
    for file in files {
        let (line, kind) = expected_failure("duckdb-wrong", name(file));
        let first = &file["failures"][0];
        let found = if first["kind"] == "malformed" { "malformed" } else { "failed" };
        if first["line"] != line || found != kind {
            wrong.push(format!("{}: expected {line} {kind}, found {first}", name(file)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What SQLite has only one of: a connection to a database, and no database files in this program.
fn needs_more_than_sqlite(name: &str) -> bool {
    ["/concurrent/", "/connections/", "/database/"].iter().any(|topic| name.contains(topic))
        || ["errors/on_connection", "labels/with_connection", "unsupported/"]
            .iter()
            .any(|one| name.contains(one))
}

#[test]
fn what_is_portable_passes_on_sqlite() {
    let files = run("duckdb", &["--engine", "sqlite", "--exclude", "*duckdb-only*"]);
    assert!(files.len() > 120, "only {} files", files.len());
    check(&files, needs_more_than_sqlite);
}

#[test]
fn one_defect_does_not_pass_on_sqlite() {
    let files = run("duckdb-wrong", &["--engine", "sqlite", "--exclude", "*duckdb-only*"]);
    let usable: Vec<_> = files.into_iter().filter(|file| !needs_more_than_sqlite(name(file))).collect();
    assert!(usable.len() > 60, "only {} files", usable.len());
    check_wrong(&usable);
}

#[test]
fn everything_passes_on_duckdb() {
    let Some(driver) = driver() else { return };
    let files = run("duckdb", &["--engine", &format!("exec:{driver}")]);
    assert!(files.len() > 150, "only {} files", files.len());
    check(&files, |name| name.contains("/unsupported/"));
}

#[test]
fn one_defect_does_not_pass_on_duckdb() {
    let Some(driver) = driver() else { return };
    let files = run("duckdb-wrong", &["--engine", &format!("exec:{driver}")]);
    assert!(files.len() > 90, "only {} files", files.len());
    check_wrong(&files);
}

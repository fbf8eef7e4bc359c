//! `drivers/sqlite3_driver.c`, and `bisect` with a driver that each commit builds.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::manifest;

fn source() -> std::path::PathBuf {
    manifest().join("../../drivers/sqlite3_driver.c")
}

/// Builds the driver in the sandbox. The CI on Linux must have SQLite's header; elsewhere tests do without.
fn build(sandbox: &Sandbox) -> bool {
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Werror", "-o"]).arg(sandbox.path().join("driver"));
    let built = compiler.arg(source()).arg("-lsqlite3").output().is_ok_and(|output| output.status.success());
    #[expect(clippy::disallowed_methods, reason = "the CI says that it is one in the environment")]
    let ci = cfg!(target_os = "linux") && std::env::var_os("CI").is_some();
    assert!(built || !ci, "no SQLite: `apt-get install libsqlite3-dev`");
    built
}

#[test]
fn the_driver_in_c_has_the_verdicts_of_the_built_in_engine() {
    let sandbox = Sandbox::new();
    if !build(&sandbox) {
        return;
    }
    let counts = |engine: &str| -> Vec<(Value, Value)> {
        let mut command = sandbox.command("run --json out.json --serial --order path");
        let output = Output::of(command.args(["--engine", engine]));
        assert_eq!(output.code, 0, "{output}");
        let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        let files = report["files"].as_array().unwrap();
        files.iter().map(|file| (file["id"].clone(), file["records"].clone())).collect()
    };
    assert_eq!(counts("exec:./driver"), counts("sqlite"));
}

#[test]
fn bisect_finds_the_commit_that_broke_a_driver() {
    let sandbox = Sandbox::new();
    if !build(&sandbox) {
        return;
    }
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest");
    let start = |words: &[&str]| {
        let mut command = sandbox.command("");
        Output::of(command.args(words).env("PATH", path_of_tests()))
    };
    let commit = |name: &str, source: &str| {
        sandbox.write("engine.c", source);
        sandbox.git(&["add", "-A"]);
        sandbox.git(&["commit", "-q", "-m", name]);
        sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned()
    };
    let build = "cc -o driver engine.c -lsqlite3";
    let run = |expected: i32| {
        let built = Command::new("sh").args(["-c", build]).current_dir(sandbox.path()).status();
        assert!(built.unwrap().success());
        let output = start(&["run", "--engine", "exec:./driver", "tests"]);
        assert_eq!(output.code, expected, "{output}");
    };
    let good = std::fs::read_to_string(source()).unwrap();
    let bad = good.replace("\"%lld\", sqlite3_column_int64(", "\"-%lld\", sqlite3_column_int64(");
    assert_ne!(good, bad);
    sandbox.git(&["init", "-q"]);
    sandbox.write(".gitignore", "driver\n");
    sandbox.write("tests/a.test", "statement ok\nSELECT 1\n\nquery I nosort\nSELECT abs(-5)\n----\n5\n");
    let first = commit("one", &good);
    run(0);
    commit("two", &format!("{good}/* two */\n"));
    let planted = commit("three", &bad);
    let last = commit("four", &format!("{bad}/* four */\n"));
    run(1);
    let output = start(&["bisect", "tests/a.test:4", "--build", build, "--program", program]);
    assert_eq!(output.code, 0, "{output}");
    sandbox.git(&["bisect", "start", &last, &first]);
    let mut git = Command::new("git");
    let script = Path::new(".git/sqllogictest-bisect/run.sh");
    git.args(["bisect", "run"]).arg(script).current_dir(sandbox.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let found = Output::of(&mut git);
    assert!(found.stdout.contains(&format!("{planted} is the first bad commit")), "{found}");
}

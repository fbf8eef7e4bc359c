//! `examples/own_program.rs`: a driver with the command line of this project.

use std::path::PathBuf;
use std::process::{Command, Output};

/// The example that cargo has built with the tests.
fn example() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().unwrap().parent().unwrap().join("examples/own_program");
    assert!(example.is_file(), "`cargo test` builds the example unless `--test` is given");
    example
}

fn start(home: &tempfile::TempDir, line: &str) -> (Output, String) {
    let mut command = Command::new(example());
    command.args(line.split_whitespace()).current_dir(home).env_clear().env("HOME", home.path());
    let output = command.output().unwrap();
    let shown = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8(shown).unwrap())
}

#[test]
fn its_driver_passes_the_shipped_suite_in_worker_processes() {
    let home = tempfile::tempdir().unwrap();
    let (output, shown) = start(&home, "run --workers 2 --quiet");
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let (output, shown) = start(&home, "engines");
    assert!(shown.contains("mydb"), "{shown}");
    assert_eq!(output.status.code(), Some(0), "{shown}");
}

#[test]
fn it_reports_failures() {
    let home = tempfile::tempdir().unwrap();
    let text = "query I nosort\nSELECT 1\n----\n1\n\nquery I nosort\nSELECT 1\n----\n2\n";
    std::fs::write(home.path().join("a.test"), text).unwrap();
    let (output, shown) = start(&home, "run --serial a.test");
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("1 passed, 1 failed"), "{shown}");
}

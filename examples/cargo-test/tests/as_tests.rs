//! What cargo and nextest see of `tests/sql.rs`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

/// Starts the tests, and returns their exit code and their output.
fn start(words: &[&str], folder: Option<&Path>) -> (Option<i32>, String) {
    let deps = std::env::current_exe().unwrap();
    let example = deps.parent().unwrap().parent().unwrap().join("examples/sql");
    assert!(example.is_file(), "`cargo test` builds the example unless `--test` is given");
    let mut command = Command::new(example);
    command.args(words).envs(folder.map(|folder| ("SQL_TESTS", folder)));
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn each_file_is_a_test_with_its_path_as_the_name() {
    let (code, list) = start(&["--list", "--format", "terse"], None);
    assert_eq!(
        (code, list.as_str()),
        (Some(0), "joins/inner.test: test\nother_engine.test: test\nsums.test: test\n")
    );
}

#[test]
fn files_pass_and_are_ignored_if_nothing_was_executed() {
    let (code, output) = start(&[], None);
    assert!(output.contains("2 passed; 0 failed; 1 ignored"), "{output}");
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn a_filter_chooses_files() {
    let (code, output) = start(&["joins"], None);
    assert!(output.contains("1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out"), "{output}");
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn a_failing_file_shows_its_records() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.test"), "query I nosort\nSELECT 1\n----\n1\n").unwrap();
    std::fs::write(folder.path().join("b.slt"), "query I nosort\nSELECT 1 + 1\n----\n3\n").unwrap();
    let (code, output) = start(&[], Some(folder.path()));
    for expected in [
        "test a.test ... ok",
        "FAIL  b.slt:1   query I nosort\n      SELECT 1 + 1\n      values differ (1 expected, 1 found)\n      - 3\n      + 2\n",
        "again: cargo test --test sql -- --exact 'b.slt'",
        "b.slt: 1 failed",
        "1 passed; 1 failed",
    ] {
        assert!(output.contains(expected), "{expected}\n{output}");
    }
    assert_eq!(code, Some(101), "{output}");
}

#[test]
fn a_folder_that_does_not_exist_is_no_success() {
    let (code, output) = start(&[], Some(Path::new("/nowhere")));
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("No such file or directory"), "{output}");
}

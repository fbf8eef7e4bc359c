//! `format`: canonical white space, and nothing else.

use std::io::Write as _;
use std::process::Stdio;

use proptest::prelude::*;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::executor::{Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{self, format_script, parse};

use crate::sandbox::Sandbox;
use crate::support::{failing_lines, manifest, options, test_files};

fn formatted(dialect: &str, text: &[u8]) -> Vec<u8> {
    let source = Source::new("t.test", text);
    format_script(&parse(&source, parser::profile(dialect, false).unwrap()))
}

/// The verdicts of a text, by the index of the record.
fn verdicts(dialect: &str, text: &[u8]) -> (Vec<usize>, u64, u64) {
    let source = Source::new("t.test", text);
    let script = parse(&source, parser::profile(dialect, false).unwrap());
    let report = run_script(&script, &Sqlite, &options(&["sqlite"]), Selection::All);
    let lines: Vec<u32> = script.records().map(|record| record.line).collect();
    let index = |line: u32| lines.iter().position(|known| *known == line).unwrap();
    let failing = failing_lines(&report).into_iter().map(index).collect();
    (failing, report.counts.passed, report.counts.total)
}

#[test]
fn white_space_becomes_canonical() {
    for (dialect, text, expected) in [
        (
            "sqlite",
            "  # no comment\n\n\n\nquery   I\tnosort  \nSELECT  1 \n----\n1\n \n\n# a  \n\nhalt ",
            "  # no comment\n\nquery I nosort\nSELECT  1 \n----\n1\n\n# a\n\nhalt\n",
        ),
        (
            "cockroach",
            "query  TI   rowsort\nSELECT 'a', 1\n----\naaa 1\nb    22\n\n\nstatement  error   a  b \nX\n",
            "query TI rowsort\nSELECT 'a', 1\n----\naaa  1\nb    22\n\nstatement error   a  b \nX\n",
        ),
        (
            "rs",
            "query II\nSELECT 1, 2\n----\n1   2\n\n\nstatement error\nX\n----\na\n\n\n\n\nstatement  ok\nY\n\n",
            "query II\nSELECT 1, 2\n----\n1 2\n\nstatement error\nX\n----\na\n\n\nstatement ok\nY\n",
        ),
        (
            "cockroach",
            "query I\nSELECT 1\n----\n1 value hashing to B026324C6904B2A9CB4B88D6D61C81D1\n",
            "query I\nSELECT 1\n----\n1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n",
        ),
        ("duckdb", "query II\nSELECT 1, 2\n----\n1\t2\n\n\n", "query II\nSELECT 1, 2\n----\n1\t2\n"),
        ("sqlite", "statement ok\r\nX\r\n\r\n\r\nhalt\r\n", "statement ok\r\nX\r\n\r\nhalt\r\n"),
        ("sqlite", "statement okay\nX  \n\n\n", "statement okay\nX  \n"),
    ] {
        let found = formatted(dialect, text.as_bytes());
        assert_eq!(String::from_utf8(found.clone()).unwrap(), expected, "{dialect}");
        assert_eq!(formatted(dialect, &found), found, "{dialect}");
    }
}

/// Pieces of which files are made.
const PIECES: [&str; 22] = [
    "statement ok\n",
    "statement  error\n",
    "statement error  no such\n",
    "query I nosort\n",
    "query II  rowsort\n",
    "SELECT 1\n",
    "SELECT 1, 2  \n",
    "SELEKT\n",
    "----\n",
    "1\n",
    "1   2\n",
    "1\t2\n",
    "\n",
    "\n\n",
    " \n",
    "# c \n",
    "  # c\n",
    "skipif  x\n",
    "halt\n",
    "hash-threshold  8\n",
    "no such\n",
    "connection  a\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]
    #[test]
    fn formatting_changes_no_verdict_and_no_second_time(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
        dialect in prop::sample::select(parser::DIALECTS),
    ) {
        let text = pieces.concat();
        let found = formatted(dialect, text.as_bytes());
        let again = formatted(dialect, &found);
        prop_assert_eq!(
            String::from_utf8_lossy(&again),
            String::from_utf8_lossy(&found),
            "{} {:?}", dialect, text
        );
        prop_assert_eq!(verdicts(dialect, text.as_bytes()), verdicts(dialect, &found), "{} {:?}", dialect, text);
    }
}

#[test]
fn files_of_the_suite_keep_their_verdicts() {
    for path in test_files(&manifest().join("suites")) {
        let text = std::fs::read(&path).unwrap();
        let found = formatted("sqlite", &text);
        assert_eq!(verdicts("sqlite", &found), verdicts("sqlite", &text), "{}", path.display());
    }
}

#[test]
fn files_are_formatted_in_place_or_checked() {
    let sandbox = Sandbox::new();
    let (wrong, right) = ("query  I   nosort\nSELECT 1\n----\n1\n\n", "query I nosort\nSELECT 1\n----\n1\n");
    sandbox.write("a.test", wrong);
    sandbox.write("b.test", right);
    let check = sandbox.run("format --check .");
    assert_eq!(check.code, 1, "{check}");
    assert_eq!(check.stdout, "would format ./a.test\nwould format 1 of 2 files\n", "{check}");
    assert_eq!(sandbox.read("a.test"), wrong);
    assert_eq!(sandbox.run("format .").code, 0);
    assert_eq!(sandbox.read("a.test"), right);
    let again = sandbox.run("format --check .");
    assert!(again.code == 0 && again.stdout == "would format 0 of 2 files\n", "{again}");
    let mut child = sandbox.command("format -").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(wrong.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, right.as_bytes());
    for (text, code) in [(wrong, 1), (right, 0)] {
        let mut check = sandbox.command("format --check -");
        let mut child = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(out.ends_with(&format!("would format {code} of 1 file\n")), "{out}");
        assert!(!out.contains("SELECT"), "{out}");
    }
    assert_eq!(sandbox.run("format suite:joins/").code, 2);
}

use super::*;
use crate::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
};
use crate::executor::{DetailLimits, Options, Selection, run_script};
use crate::location::Source;
use crate::outcome::{FileEnd, FileReport};
use crate::parser::{Profile, RS, RS_EXACT, VIBESQL, parse};
use crate::value::{Column, ValueRef};

/// An engine whose SQL is its result: a row on each line with values separated by commas. `-` has no result, and `!`
/// begins the message of an error. With `types` it knows that all columns are texts.
struct LineEngine {
    types: bool,
}

impl Engine for LineEngine {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("echo", "1"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(LineSession { types: self.types })))
    }
}

struct LineSession {
    types: bool,
}

impl Session for LineSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        if let Some(message) = sql.strip_prefix(b"!") {
            return Err(ExecuteError::Sql(SqlError::new(text_of(message))));
        }
        let lines: Vec<Vec<&[u8]>> =
            sql.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b',').collect()).collect();
        let has_result = sql != b"-";
        let tag = if self.types { TypeTag::Text } else { TypeTag::Unknown };
        let columns = if has_result { lines[0].len() } else { 0 };
        let columns = vec![Column { name: Some("n"), type_tag: tag }; columns];
        if rows.columns(&columns) == Flow::Stop {
            return Ok(());
        }
        for line in lines.iter().filter(|_| has_result) {
            let values: Vec<_> = line.iter().map(|value| value_of(value)).collect();
            rows.row(&values);
        }
        rows.done(Some(0));
        Ok(())
    }
}

fn value_of(text: &[u8]) -> ValueRef<'_> {
    match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
        Some(number) => ValueRef::Integer(number),
        None if text == b"NULL" => ValueRef::Null,
        None => ValueRef::Text(text),
    }
}

fn report(text: &str, profile: &'static Profile, types: bool) -> FileReport {
    let source = Source::new("t.slt", text);
    let script = parse(&source, profile);
    let details = DetailLimits { records: 9, values: 9 };
    let labels = vec!["echo".to_owned()];
    let options = Options { labels, threshold: None, record_timeout: None, details };
    let report = run_script(&script, &LineEngine { types }, &options, Selection::All);
    assert!(report.counts.add_up());
    report
}

/// Runs a file; returns the line and the problem of each failing record, and then the lints.
fn outcome(text: &str, profile: &'static Profile) -> String {
    let report = report(text, profile, false);
    let failures = report.failures.iter().map(|failure| {
        let word = failure.detail.as_ref().map_or("", |detail| detail.problem.word());
        format!("{} {word}", failure.id.line)
    });
    let lints = report.lints.iter().map(|lint| format!("{:?}", lint.kind));
    let all: Vec<_> = failures.chain(lints).collect();
    if all.is_empty() { format!("{} passed", report.counts.passed) } else { all.join(", ") }
}

fn check(text: &str, strict: &str, exact: &str) {
    assert_eq!([outcome(text, &RS), outcome(text, &RS_EXACT)], [strict, exact], "{text}");
}

#[test]
fn retries_can_have_variables() {
    let text = |attempts: &str, error: &str| {
        let variables = format!("let n\n{attempts}\n\ncontrol substitution on\n\n");
        format!("{variables}statement {error} retry $n backoff ${{n}}ns\n!no\n")
    };
    let strict = |attempts, error| outcome(&text(attempts, error), &RS);
    assert_eq!(strict("2", "error"), "2 passed");
    assert_eq!(strict("2", "ok"), "6 unexpected_error");
    assert_eq!(strict("many", "error"), "6 malformed");
    assert_eq!(outcome(&text("2", "error"), &RS_EXACT), "6 malformed");
}

#[test]
fn rows_are_lines_whose_white_space_is_folded() {
    check("query II\n1,2\n3,4\n----\n1 2\n3\t4\n", "1 passed", "1 passed");
    check("query II\n1,2\n----\n1\n2\n", "1 rows_differ", "1 rows_differ");
    check(
        "control resultmode valuewise\n\nquery II rowsort\n3,4\n1,2\n----\n1\n2\n3\n4\n",
        "1 passed",
        "1 passed",
    );
    check("query T\n a  b \n----\na b\n", "WhiteSpaceFolded", "1 passed");
    check("query T\na  b\n----\na  b\n", "1 passed", "1 passed");
    check("query I\n1\n2\n----\n1\n", "1 rows_differ", "1 rows_differ");
    check("query I\n1\n----\n1\n2\n", "1 rows_differ", "1 rows_differ");
    check("query II valuesort\n3,1\n2,4\n----\n1\n2\n3\n4\n", "1 passed", "1 passed");
    check("query T\nNULL\n----\nNULL\n", "1 passed", "1 passed");
    check("query TT\n,b\n----\n(empty) b\n", "1 passed", "1 passed");
}

#[test]
fn strict_compares_the_columns_with_their_letters() {
    check("query T\na,b\n----\na b\n", "1 column_count_differs", "1 passed");
    check("query\na,b\n----\na b\n", "1 passed", "1 passed");
    check("query I\nx\n----\nx\n", "1 column_type_differs", "1 passed");
    check("query I valuesort\nx\n----\nx\n", "1 column_type_differs", "1 passed");
    check("query R\n1.5\n----\n1.5\n", "1 passed", "1 passed");
    check("query I\nNULL\n----\nNULL\n", "1 passed", "1 passed");
    check("query I\n-\n----\n", "1 column_count_differs", "1 passed");
    check("query\n-\n----\n", "1 column_count_differs", "1 passed");
    let types = report("query I\n1.5\n----\n1.5\n", &RS, true);
    assert_eq!(types.failures.len(), 1, "a column of texts");
}

#[test]
fn ignored_text_is_anchored() {
    for (expected, strict, exact) in [
        ("took <slt:ignore> ms", true, true),
        ("took<slt:ignore>", true, true),
        ("<slt:ignore>", true, true),
        ("<slt:ignore>15<slt:ignore>", true, true),
        ("<slt:ignore>15", false, true),
        ("15<slt:ignore>", false, true),
        ("ms<slt:ignore>took", false, false),
        ("took 15 <slt:ignore> 15 ms", false, false),
    ] {
        let word = |passes| if passes { "1 passed" } else { "1 rows_differ" };
        check(&format!("query T\ntook 15 ms\n----\n{expected}\n"), word(strict), word(exact));
    }
    check("query I\n1\n2\n3\n----\n1\n<slt:ignore>\n3\n", "1 passed", "1 passed");
}

#[test]
fn a_hash_is_right_by_its_shape_or_by_the_threshold() {
    let hash = "3 values hashing to c0710d6b4f15dfa88f600b0e6b624077";
    let query = format!("query I\n1\n2\n3\n----\n{hash}\n");
    check(&query, "HashBelowThreshold", "1 rows_differ");
    // The engine tells no types, so that the reference counts no columns.
    check(&format!("hash-threshold 2\n\n{query}"), "1 passed", "3 rows_differ");
    let sorted = query.replace("query I", "query I valuesort");
    check(&format!("hash-threshold 2\n\n{sorted}"), "1 passed", "1 passed");
    assert_eq!(
        report(&format!("hash-threshold 2\n\n{}", query.replace('I', "T")), &RS_EXACT, true).failures,
        []
    );
    check(&query.replace("c0", "c1"), "1 hash_differs", "1 rows_differ");
    check(&format!("query T\n{hash}\n----\n{hash}\n"), "1 passed", "1 passed");
    let listed = "hash-threshold 2\n\nquery I valuesort\n1\n2\n3\n----\n1\n2\n3\n";
    check(listed, "ValuesAboveThreshold", "3 rows_differ");
}

#[test]
fn labels_are_compared() {
    let text = "query I rowsort same\n1\n----\n1\n\nquery I rowsort same\n2\n----\n2\n";
    check(text, "6 label_differs", "2 passed");
}

#[test]
fn conditions_of_control_records_hold() {
    let query = "query I\n1\n----\n9\n";
    check(&format!("onlyif other\nhalt\n\n{query}"), "4 rows_differ", "0 passed");
    check(&format!("onlyif other\nsleep 1ns\n\n{query}"), "4 rows_differ", "0 passed");
    check(&format!("skipif ECHO\n{query}"), "0 passed", "2 rows_differ");
    check(&format!("skipif echo\n{query}"), "0 passed", "0 passed");
}

#[test]
fn commands_do_not_know_the_engine() {
    let text = "skipif echo\nsystem ok\ntrue\n";
    check(text, "0 passed", "2 not_allowed");
}

#[test]
fn variables_are_replaced_before_conditions() {
    let on = "control substitution on\n\n";
    check(&format!("{on}let a\n7\n\nquery I\n$a\n----\n7\n"), "2 passed", "2 passed");
    check(&format!("{on}onlyif other\nquery T\n$nope\n----\nx\n"), "0 passed", "4 unexpected_error");
    check(&format!("{on}statement error\n$nope\n"), "3 unexpected_error", "1 passed");
    check(&format!("{on}query T\na\\b\n----\na\\b\n"), "3 unexpected_error", "3 unexpected_error");
    check("query T\n$nope\n----\n$nope\n", "1 passed", "1 passed");
}

#[test]
fn a_variable_needs_one_row_with_as_many_columns() {
    check("let a\n1\n2\n", "1 row_count_differs", "1 row_count_differs");
    check("let a\n1,2\n", "1 column_count_differs", "1 column_count_differs");
    check("let a, b\n1\n", "1 column_count_differs", "1 column_count_differs");
    check("let a\n!no\n", "1 unexpected_error", "1 unexpected_error");
}

#[test]
fn errors_are_searched_or_compared() {
    check("statement error such (a|b)\n!no such a\n", "1 passed", "1 passed");
    check("statement error ^such\n!no such a\n", "1 error_differs", "1 error_differs");
    check("statement error .*\n1\n", "1 unexpected_success", "1 unexpected_success");
    check("query error\n!no\n----\n no \n\n\n", "1 passed", "1 passed");
    check("query error\n!no, never\n----\nno\n\n\n", "1 error_differs", "1 error_differs");
    check("statement error (42P01)\n!no\n", "1 error_differs", "1 error_differs");
    check("statement count 2\n1\n2\n", "1 passed", "1 passed");
    check("statement count 2\n1\n", "1 affected_rows_differ", "1 affected_rows_differ");
}

#[test]
fn one_defect_rejects_the_file() {
    let text = "query I\n1\n----\n2\n\nstatement ok please\n1\n\nquery I\n1\n----\n2\n";
    check(text, "1 rows_differ, 6 malformed, 9 rows_differ", "6 malformed");
    let exact = report(text, &RS_EXACT, false);
    assert!(matches!(&exact.end, FileEnd::Malformed { id } if id.line == 6));
    assert_eq!((exact.counts.malformed, exact.counts.not_reached), (1, 2));
}

#[test]
fn the_first_failure_ends_the_file() {
    let text = "query I\n1\n----\n2\n\nquery I\n1\n----\n2\n";
    check(text, "1 rows_differ, 6 rows_differ", "1 rows_differ");
}

#[test]
fn the_fork_of_vibesql_takes_rows_or_values() {
    for (text, expected) in [
        ("query II\n1,2\n3,4\n----\n1 2\n3 4\n", "1 passed"),
        ("query II\n1,2\n3,4\n----\n1\n2\n3\n4\n", "1 passed"),
        ("query II\n1,2\n3,4\n----\n1 2\n3\n4\n", "1 rows_differ"),
        ("query R\n1\n----\n1.000\n", "1 passed"),
        ("query I\nabc\n----\n0\n", "1 column_type_differs"),
        ("query I\n12abc\n----\n12\n", "1 column_type_differs"),
    ] {
        assert_eq!(outcome(text, &VIBESQL), expected, "{text}");
    }
}

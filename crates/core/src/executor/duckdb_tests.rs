//! The dialect of DuckDB from the text of a file to its outcome, strict and as its own runner.

use super::{Host, HostError, Options, Selection, Surroundings, Unobserved, run_observed};
use crate::engine::{
    Database, DatabaseError, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SqlError,
};
use crate::executor::DetailLimits;
use crate::location::Source;
use crate::outcome::{FileReport, FileStatus};
use crate::parser::{DUCKDB, DUCKDB_EXACT, LintKind, Profile, parse};
use crate::value::{Column, TypeTag, ValueRef};

/// An engine whose SQL is the result: `error MESSAGE`, `changes N`, or rows of values with `;` between them.
struct DuckdbEcho;

struct DuckdbEchoSession;

struct EchoDatabase;

impl Engine for DuckdbEcho {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("duckdb", "1"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(EchoDatabase))
    }
}

impl Database for EchoDatabase {
    fn connect(&mut self, _: Option<&str>, _: Option<&str>) -> Result<Box<dyn Session>, DatabaseError> {
        Ok(Box::new(DuckdbEchoSession))
    }
}

impl Session for DuckdbEchoSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = std::str::from_utf8(sql).unwrap();
        if let Some(message) = sql.strip_prefix("error ") {
            return Err(ExecuteError::Sql(SqlError::new(message)));
        }
        for statement in sql.split('&') {
            if let Some(changes) = statement.strip_prefix("changes ") {
                if rows.columns(&[]) == Flow::Stop || rows.done(changes.parse().ok()) == Flow::Stop {
                    return Ok(());
                }
                continue;
            }
            let lines: Vec<Vec<&str>> = statement.split(';').map(|row| row.split(',').collect()).collect();
            let column = |value: &&str| match value.split_at(1).0 {
                "b" => Column { name: None, type_tag: TypeTag::Boolean },
                _ => Column::UNKNOWN,
            };
            let columns: Vec<_> = lines[0].iter().map(column).collect();
            if rows.columns(&columns) == Flow::Stop {
                return Ok(());
            }
            for line in &lines {
                let values: Vec<_> = line.iter().map(|value| value_of(value)).collect();
                if rows.row(&values) == Flow::Stop {
                    return Ok(());
                }
            }
            if rows.done(None) == Flow::Stop {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Returns the value of a text: its first character is the type.
fn value_of(text: &str) -> ValueRef<'_> {
    match text.split_at(1) {
        (_, "null") => ValueRef::Null,
        ("i", digits) => ValueRef::Integer(digits.parse().unwrap()),
        ("r", digits) => ValueRef::Real(digits.parse().unwrap()),
        ("d", digits) => ValueRef::Decimal(digits),
        ("b", truth) => ValueRef::Boolean(truth == "true"),
        (_, text) => ValueRef::Text(text.as_bytes()),
    }
}

/// A host with files, an environment variable and some features.
struct Machine;

impl Host for Machine {
    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, HostError> {
        match path {
            b"/tmp/x/a.csv" => Ok(b"a|b\n1|x\n".to_vec()),
            _ => Err(HostError::Failed("no such file".to_owned())),
        }
    }

    fn environment(&self, name: &[u8]) -> Option<Vec<u8>> {
        (name == b"SET").then(|| b"xy".to_vec())
    }

    fn place(&self, name: &[u8]) -> Option<Vec<u8>> {
        matches!(name, b"__TEST_DIR__" | b"TEST_DIR").then(|| b"/tmp/x".to_vec())
    }

    fn has_feature(&self, name: &[u8], _: Option<&[u8]>) -> Option<bool> {
        Some(name != b"missing")
    }
}

fn run(name: &str, text: &str, profile: &'static Profile) -> FileReport {
    let source = Source::new(name, text);
    let script = parse(&source, profile);
    let options = Options {
        labels: vec!["duckdb".to_owned(), "postgresql".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 9, values: 9 },
    };
    let surroundings = Surroundings { host: &Machine, ..Surroundings::isolated(&DuckdbEcho) };
    let report = run_observed(&script, surroundings, &options, Selection::All, &mut Unobserved);
    assert!(report.counts.add_up(), "{:?}", report.counts);
    report
}

/// The status of a file and the lines of its failing records.
fn outcome(name: &str, text: &str, profile: &'static Profile) -> String {
    let report = run(name, text, profile);
    let lines: Vec<_> = report.failures.iter().map(|record| record.id.line.to_string()).collect();
    format!("{} {}", report.last_status().word(), lines.join(",")).trim_end().to_owned()
}

#[track_caller]
fn check(text: &str, strict: &str, exact: &str) {
    assert_eq!(outcome("t", text, &DUCKDB), strict, "strict: {text}");
    assert_eq!(outcome("t", text, &DUCKDB_EXACT), exact, "exact: {text}");
}

#[track_caller]
fn both(text: &str, expected: &str) {
    check(text, expected, expected);
}

#[test]
fn the_layout_comes_from_the_file() {
    both("query II\ni1,i2;i3,i4\n----\n1\t2\n3\t4\n", "passed");
    both("query II\ni1,i2;i3,i4\n----\n1\n2\n3\n4\n", "passed");
    both("query II\ni1,i2;i3,i4\n----\n1\n2\n", "failed 1");
    both("query II\ni1,i2;i3,i4\n----\n1\t2\n3\n4\n", "failed 1");
    both("query II\ni1,i2\n----\n1 2\n", "failed 1");
    both("query III\nta,tb,tc\n----\na\t\tc\n", "failed 1");
    both("query I\nta\tb\n----\na\tb\n", "failed 1");
    both("query I\nta  b\n----\na b\n", "failed 1");
    both("query I\ni1\n----\n", "failed 1");
    both("query I\ni1\n----\n1\n2\n", "failed 1");
    both("query II\ni1,i2\n----\n1\n", "failed 1");
    both("query I\ni1,i2\n----\n1\n2\n", "failed 1");
}

#[test]
fn values_are_compared_by_their_type() {
    both("query III\nbtrue,bfalse,btrue\n----\n1\tfalse\tTRUE\n", "passed");
    both("query II\ninull,t\n----\nNULL\t(empty)\n", "passed");
    both("query I\ninull\n----\nnull\n", "failed 1");
    both("query II\ni42,d3.10\n----\n042\t3.1\n", "passed");
    both("query I\nr3.14\n----\n3.15\n", "passed");
    both("query I\nr3.14\n----\n3.20\n", "failed 1");
    both("query I\nd3.14\n----\n3.15\n", "failed 1");
    both("query I\ntabcdef\n----\n<REGEX>:.*def\n", "passed");
    both("query I\ntabcdef\n----\n<REGEX>:def\n", "failed 1");
    both("query I\ntabcdef\n----\n<!REGEX>:def\n", "passed");
    both("query I\ntabcdef\n----\n<!REGEX>:(\n", "failed 1");
    both("query I\nt/tmp/x/a\n----\n{TEST_DIR}/a\n", "passed");
    both("query II\ni1,tx\n----\n<FILE>:__TEST_DIR__/a.csv\n", "passed");
    both("query II\ni1,ty\n----\n<FILE>:__TEST_DIR__/a.csv\n", "failed 1");
    both("query II\ni1,ty\n----\n<FILE>:b.csv\n", "failed 1");
    let lints =
        |text: &str| run("t", text, &DUCKDB).lints.into_iter().map(|lint| lint.kind).collect::<Vec<_>>();
    assert_eq!(lints("query I\nr3.14\n----\n3.15\n"), [LintKind::WithinTolerance]);
    assert_eq!(lints("query I\nr3.10\n----\n3.1\n"), []);
}

#[test]
fn strict_compares_what_the_runner_of_duckdb_leaves_out() {
    check("query I\nbnull\n----\nbanana\n", "failed 1", "passed");
    check("query I nosort lab\ni1\n----\n999\n", "failed 1", "passed");
    check("hash-threshold 2\n\nquery I\ni1;i2;i3\n----\n7\n8\n9\n", "failed 3", "passed");
    let hash = "1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1";
    check(&format!("query I\ni1\n----\n{hash}\n"), "passed", "passed");
    check(&format!("query II\ni1\n----\n{hash}\n"), "failed 1", "passed");
    let labels = format!("query I nosort l\ni2\n----\n2\n\nquery I nosort l\ni1\n----\n{hash}\n");
    check(&labels, "failed 6", "passed");
    both("query I nosort l\ni1\n\nquery I nosort l\ni2\n", "failed 4");
    check("query I nosort l\ni1\n\nreset label l\n\nquery I nosort l\ni2\n", "passed", "passed");
    check("mode output_hash\n\nquery I\ni1\n----\n2\n", "failed 3", "passed");
    check("query I\ni1&i2\n----\n1\n", "failed 1", "passed");
}

#[test]
fn statements_without_a_result_have_the_number_of_changes() {
    both("query I\nchanges 3\n----\n3\n", "passed");
    both("query I\nchanges 3\n----\n4\n", "failed 1");
    both("query I\nchanges none\n----\n", "passed");
    both("query II\nchanges 3&i1,i2\n----\n1\t2\n", "passed");
}

#[test]
fn errors() {
    both("statement error\nerror Catalog Error: no t\n----\nCatalog Error\n", "passed");
    both("statement error\nerror Catalog Error: no t\n----\nParser Error\n", "failed 1");
    both("statement error\nerror Catalog Error: no t\n----\n<REGEX>:Catalog.*\n", "passed");
    both("statement error\nerror Catalog Error: no t\n----\n<REGEX>:Catalog\n", "failed 1");
    both("statement error\nerror no /tmp/x/a\n----\nno {TEST_DIR}/a\n", "passed");
    both("statement error\ni1\n----\n", "failed 1");
    both("statement maybe\ni1\n----\nwhatever\n", "passed");
    both("statement maybe\nerror a\n----\nb\n", "failed 1");
    both("statement error\nerror INTERNAL thing\n----\nINTERNAL thing\n", "failed 1");
    both("set always_fail_error_messages x\n\nstatement error\nerror x\n----\nx\n", "failed 3");
    both(
        "set ignore_error_messages a b, c\n\nquery I\nerror my a b\n----\n1\n\nquery I\ni1\n----\n2\n",
        "empty",
    );
    check("statement ok\nerror HTTP 404\n\nquery I\ni1\n----\n2\n", "failed 1,4", "empty");
    check("statement ok\nerror a\n\nstatement ok\nerror b\n", "failed 1,4", "failed 1");
}

#[test]
fn loops_repeat_records() {
    both("loop i 0 3\n\nquery I\ni{i}\n----\n<REGEX>:[012]\n\nendloop\n", "passed");
    both("loop i 0 3\n\nquery I\ni${i}\n----\n<REGEX>:[01]\n\nendloop\n", "failed 3");
    both("loop i 5 5\n\nquery I\ni{i}\n----\n5\n\nendloop\n", "passed");
    both(
        "foreach a,b 1,2 3,4\n\nquery II\ni{a},i{b}\n----\n<REGEX>:[13]\t<REGEX>:[24]\n\nendloop\n",
        "passed",
    );
    both("foreach t x{i}\n\nloop i 0 1\n\nquery T\nt{t}\n----\nx0\n\nendloop\n\nendloop\n", "passed");
    check("loop i 0 3\n\nquery I\ni{i}\n----\n1\n\nendloop\n", "failed 3,3", "failed 3");
    let with = |condition: &str| format!("loop i 0 2\n\n{condition}\nquery I\ni{{i}}\n----\n1\n\nendloop\n");
    both(&with("onlyif i=1"), "passed");
    both(&with("skipif i<1"), "passed");
    both(&with("onlyif i>=0&&i<>0"), "passed");
    both(&with("skipif i=7&&i=0"), "passed");
    check(&with("onlyif j=1"), "failed 4,4", "failed 3");
    check("onlyif i=1\nquery I\ni1\n----\n1\n", "failed 2", "failed 1");
    both("loop i 0 2\n\ncontinue\n\nquery I\ni1\n----\n2\n\nendloop\n\nquery I\ni1\n----\n1\n", "passed");
    both("loop i 0 2\n\nskipif i=1\ncontinue\n\nquery I\ni{i}\n----\n1\n\nendloop\n", "passed");
    // DuckDB's runner reads a loop before it executes it.
    check("loop i 0 1\n\nquery I\ni1\n----\n2\n\nnonsense\n\nendloop\n", "failed 3,8", "failed 8");
    check("loop i 0 2\n\nquery I\ni1\n----\n2\n", "failed 1", "failed 7");
    check("query I\ni1\n----\n1\n\nendloop\n", "failed 6", "failed 6");
}

#[test]
fn skipped_parts() {
    both("query I\ni1\n----\n1\n\nrequire missing\n\nquery I\ni1\n----\n2\n", "empty");
    both("query I\ni1\n----\n2\n\nrequire missing\n\nquery I\ni1\n----\n2\n", "failed 1");
    both("require there\n\nrequire-env SET xy\n\nquery T\nt{SET}\n----\nxy\n", "passed");
    both("require-env SET z\n\nquery T\nt1\n----\n2\n", "empty");
    both("require-env UNSET\n\nquery T\nt1\n----\n2\n", "empty");
    both("test-env UNSET q\n\nquery T\nt{UNSET}\n----\nq\n", "passed");
    both(
        "mode skip\n\nquery I\ni1\n----\n2\n\nloop i 0 2\n\nmode unskip\n\nquery I\ni1\n----\n1\n",
        "passed",
    );
    both("mode skip\n\nnonsense\n\nmode unskip\n", "failed 3");
    both("mode skip\n\nskipif duckdb\nmode unskip\n\nquery I\ni1\n----\n2\n", "empty");
    check("mode unskip\n\nquery I\ni1\n----\n2\n", "failed 1,3", "empty");
    check("mode skip why\n\nmode unskip\n\nquery I\ni1\n----\n1\n", "passed", "failed 1");
    both("halt\n\nquery I\ni1\n----\n2\n", "empty");
    both("skipif duckdb\nhalt\n\nquery I\ni1\n----\n2\n", "failed 4");
    both("onlyif postgresql\nquery I\ni1\n----\n2\n", "empty");
    check("skipif duckdb\n\nquery I\ni1\n----\n1\n", "failed 1", "passed");
    check("skipif mysql\n\nquery I\ni1\n----\n1\n", "failed 1", "failed 2");
}

#[test]
fn files_of_sqlite_round_numbers_and_are_for_postgresql_too() {
    let check = |text: &str, expected: &str| {
        for profile in [&DUCKDB, &DUCKDB_EXACT] {
            assert_eq!(outcome("test/sqlite/select1.test", text, profile), expected, "{text}");
        }
    };
    check("query R\nd1.6\n----\n2\n", "passed");
    check("onlyif postgresql\nquery I\ni1\n----\n2\n", "failed 2");
    check("onlyif i=2\nquery I\ni1\n----\n2\n", "empty");
    check("statement error\nerror any\n", "passed");
}

#[test]
fn all_outcomes_of_a_loop_are_counted() {
    let report =
        run("t", "loop i 0 3\n\nonlyif i=1\nstatement ok\ni1\n\nstatement ok\nerror x\n\nendloop\n", &DUCKDB);
    let counts = report.counts;
    assert_eq!((counts.total, counts.passed, counts.failed, counts.skipped), (6, 1, 3, 2));
    assert_eq!(report.last_status(), FileStatus::Failed);
}

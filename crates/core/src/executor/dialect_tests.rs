//! Verdicts of the dialects of CockroachDB and Materialize, on an engine that returns what the SQL says.

use super::{DetailLimits, Options, Selection, run_script};
use crate::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
    utf8,
};
use crate::location::Source;
use crate::outcome::{FileReport, FileStatus};
use crate::parser::{parse, profile};
use crate::value::{Column, TypeTag, ValueRef};

/// An engine whose SQL is its result. The first line has the letters of the columns, and each further line the values of
/// a row with `|` between them; `n` stands for NULL, `e` for empty text and `\n` for a line end. `fail CODE MESSAGE` is an error, `change N`
/// changes rows, and a `;` begins a further statement.
struct Echo;

impl Engine for Echo {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("echo", "1.0"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(EchoSession)))
    }
}

struct EchoSession;

impl Session for EchoSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        for statement in utf8(sql)?.split(';').filter(|text| !text.trim().is_empty()) {
            if answer(statement.trim(), rows)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }
}

fn answer(statement: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
    if let Some(error) = statement.strip_prefix("fail ") {
        let (code, message) = error.split_once(' ').unwrap_or((error, ""));
        let error = SqlError { message: message.to_owned(), code: Some(code.to_owned()) };
        return Err(ExecuteError::Sql(error));
    }
    if let Some(count) = statement.strip_prefix("change ") {
        rows.columns(&[]);
        return Ok(rows.done(count.parse().ok()));
    }
    // A comment in front may say what the SQL has besides.
    let mut lines = statement.lines().filter(|line| !line.is_empty() && !line.starts_with("--"));
    let letters = lines.next().unwrap_or_default();
    let names: Vec<String> = (0..letters.len()).map(|column| format!("c{column}")).collect();
    let columns: Vec<_> = names.iter().map(|name| Column::new(name, TypeTag::Unknown)).collect();
    if rows.columns(&columns) == Flow::Stop {
        return Ok(Flow::Stop);
    }
    for line in lines {
        let texts: Vec<String> = line.split('|').map(|text| text.replace("\\n", "\n")).collect();
        let values: Vec<_> =
            texts.iter().zip(letters.chars()).map(|(text, letter)| value(text, letter)).collect();
        if rows.row(&values) == Flow::Stop {
            return Ok(Flow::Stop);
        }
    }
    Ok(rows.done(None))
}

fn value(text: &str, letter: char) -> ValueRef<'_> {
    match letter {
        _ if text == "n" => ValueRef::Null,
        _ if text == "e" => ValueRef::Text(b""),
        'I' => text.parse().map_or(ValueRef::Text(text.as_bytes()), ValueRef::Integer),
        'R' => ValueRef::Real(text.parse().unwrap()),
        'D' => ValueRef::Decimal(text),
        'S' => ValueRef::RealText(text),
        'B' => ValueRef::Boolean(text == "t"),
        'O' => ValueRef::Other(text),
        _ => ValueRef::Text(text.as_bytes()),
    }
}

fn run(dialect: &str, exact: bool, text: &str) -> FileReport {
    let source = Source::new("t.test", text);
    let script = parse(&source, profile(dialect, exact).unwrap());
    assert_eq!(script.unparse(), text.as_bytes());
    let options = Options {
        labels: vec!["postgresql".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    };
    let report = run_script(&script, &Echo, &options, Selection::All);
    assert!(report.counts.add_up(), "{:?}", report.counts);
    report
}

/// Returns `passed`, or the name of the first problem.
fn verdict(dialect: &str, exact: bool, text: &str) -> String {
    let report = run(dialect, exact, text);
    match report.failures.first() {
        Some(failure) => failure.detail.as_ref().unwrap().problem.word().to_owned(),
        None if report.counts.skipped > 0 => "skipped".to_owned(),
        None if report.status() == FileStatus::Passed => "passed".to_owned(),
        None => format!("{:?}", report.status()).to_lowercase(),
    }
}

/// Checks cases: the name, the text, the strict verdict and the exact one.
fn check(dialect: &str, cases: &[(&str, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (name, text, strict, exact) in cases {
        let found = [false, true].map(|exact| verdict(dialect, exact, text));
        if found != [*strict, *exact] {
            wrong.push(format!("{name}: found {found:?}, expected [{strict:?}, {exact:?}]"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_rs_shows_the_digits_of_the_server() {
    for (dialect, query, server, shown) in [
        ("rs", "query R", "1e+20", "1e+20"),
        ("rs", "query R", "10", "10"),
        ("sqlite", "query R", "1e+01", "10.000"),
        ("sqlite", "query I", "1e+01", "10"),
        ("sqlite", "query T", "10", "10.0"),
        ("vibesql", "query R", "2.50", "2.500"),
        ("duckdb", "query R", "10", "10.0"),
        ("cockroach", "query F", "1e+20", "100000000000000000000"),
        ("materialize", "query R", "2.50", "2.500"),
    ] {
        let text = format!("{query}\nS\n{server}\n----\n{shown}\n");
        assert_eq!(verdict(dialect, true, &text), "passed", "{dialect}: {text}");
    }
}

#[test]
fn cockroach_values() {
    check(
        "cockroach",
        &[
            ("one row", "query IT\nIT\n1|a\n----\n1  a\n", "passed", "passed"),
            ("other value", "query I\nI\n1\n----\n2\n", "rows_differ", "rows_differ"),
            ("K02 text under I", "query I\nT\n1\n----\n1\n", "column_type_differs", "column_type_differs"),
            ("integer under T", "query T\nI\n1\n----\n1\n", "column_type_differs", "column_type_differs"),
            ("NULL under any letter", "query B\nI\nn\n----\nNULL\n", "passed", "passed"),
            (
                "another count of columns",
                "query II\nI\n1\n----\n1\n",
                "column_count_differs",
                "column_count_differs",
            ),
            ("K04 empty text", "query T\nT\ne\n----\n·\n", "passed", "passed"),
            ("K04 empty text of a row", "query TT\nTT\ne|b\n----\n·  b\n", "passed", "passed"),
            ("truth values", "query BB\nBB\nt|f\n----\ntrue  false\n", "passed", "passed"),
            ("ignored column", "query I_\nIT\n1|x y\n----\n1  _\n", "passed", "passed"),
            ("15 digits", "query F\nR\n0.1234567890123456\n----\n0.123456789012346\n", "passed", "passed"),
            ("R is compared as text", "query R\nR\n1.5\n----\n1.50\n", "rows_differ", "rows_differ"),
            ("names", "query II colnames\nII\n1|2\n----\nc0  c1\n1   2\n", "passed", "passed"),
            ("wrong names", "query I colnames\nI\n1\n----\nx\n1\n", "rows_differ", "rows_differ"),
            ("rounded", "query T round-in-strings=3\nT\nP(1.23456)\n----\nP(1.23)\n", "passed", "passed"),
            ("blanks", "query T\nT\na  b\n----\na b\n", "passed", "passed"),
            ("several lines", "query TI\nTI\na\\nb|1\n----\na  1\nb\n", "passed", "rows_differ"),
            (
                "hash of words",
                "query T\nT\n1\n----\n1 value hashing to B026324C6904B2A9CB4B88D6D61C81D1\n",
                "passed",
                "passed",
            ),
            (
                "wrong hash",
                "query T\nT\n2\n----\n1 value hashing to b026324c6904b2a9cb4b88d6d61c81d1\n",
                "hash_differs",
                "hash_differs",
            ),
        ],
    );
}

#[test]
fn cockroach_order() {
    let rows = "II\n3|4\n1|2\n----\n";
    let query = |options: &str, expected: &str| format!("query II {options}\n{rows}{expected}");
    check(
        "cockroach",
        &[
            ("K03 uncertain order", &query("", "3  4\n1  2\n"), "order_uncertain", "order_uncertain"),
            ("K03 wrong as well", &query("", "1  2\n3  4\n"), "rows_differ", "rows_differ"),
            ("nosort", &query("nosort", "3  4\n1  2\n"), "passed", "passed"),
            ("K05 both sides are sorted", &query("rowsort", "3  4\n1  2\n"), "passed", "passed"),
            ("rows stay together", &query("rowsort", "3  2\n1  4\n"), "rows_differ", "rows_differ"),
            ("values", &query("valuesort", "4  3\n2  1\n"), "passed", "passed"),
            ("partial", &query("partialsort(1)", "3  4\n1  2\n"), "passed", "passed"),
            (
                "partial in another order",
                &query("partialsort(1)", "1  2\n3  4\n"),
                "rows_differ",
                "rows_differ",
            ),
            ("K06 moved words", &query("nosort", "3\n4 1 2\n"), "rows_differ", "passed"),
            ("K06 a value on each line", &query("nosort", "3\n4\n1\n2\n"), "rows_differ", "passed"),
            ("other words on a sorted line", &query("rowsort", "3\n4 1 2\n"), "malformed", "malformed"),
            ("sorted names", &query("rowsort,colnames", "c0 c1\n1 2\n3 4\n"), "passed", "passed"),
            ("names behind", &query("rowsort,colnames", "1 2\nc0 c1\n3 4\n"), "rows_differ", "passed"),
            ("ORDER BY", "query I\n-- order  by\nI\n2\n1\n----\n2\n1\n", "passed", "passed"),
            ("equal rows", "query I\nI\n1\n1\n----\n1\n1\n", "passed", "passed"),
            ("one column with blanks", "query T rowsort\nT\nb  c\na\n----\na\nb c\n", "passed", "passed"),
        ],
    );
}

#[test]
fn cockroach_records() {
    let waits = "statement async a\nchange 1\n\nawaitstatement a\n";
    check(
        "cockroach",
        &[
            ("K01 no pattern", "query error\nI\n1\n", "malformed", "malformed"),
            ("no pattern", "statement error\nfail 42601 x\n", "malformed", "malformed"),
            ("pattern", "statement error pq: bo+m\nfail 42601 boom\n", "passed", "passed"),
            ("pattern of the beginning", "statement error ^pq: boom$\nfail 42601 boom\n", "passed", "passed"),
            ("another error", "query error bang\nfail 42601 boom\n", "error_differs", "error_differs"),
            ("success", "query error boom\nI\n1\n", "unexpected_success", "unexpected_success"),
            ("code", "statement error pgcode 42601 boom\nfail 42601 boom\n", "passed", "passed"),
            (
                "another code",
                "statement error pgcode 42P01 boom\nfail 42601 boom\n",
                "error_differs",
                "error_differs",
            ),
            (
                "internal error",
                "statement error boom\nfail XX000 boom\n",
                "unexpected_error",
                "unexpected_error",
            ),
            (
                "expected internal error",
                "statement error pgcode XX000 boom\nfail XX000 boom\n",
                "passed",
                "passed",
            ),
            ("count", "statement count 2\nchange 2\n", "passed", "passed"),
            (
                "another count",
                "statement count 2\nchange 3\n",
                "affected_rows_differ",
                "affected_rows_differ",
            ),
            ("K07 halt", "halt\n\nquery I\nI\n1\n----\n2\n", "rows_differ", "rows_differ"),
            ("unknown words after ok", "statement ok count 0\nchange 1\n", "malformed", "passed"),
            ("OK", "statement OK\nchange 1\n", "passed", "passed"),
            ("separator in a statement", "statement ok\nchange 1\n----\n1\n", "malformed", "malformed"),
            ("result of a failing query", "query error boom\nfail 1 boom\n----\n1\n", "malformed", "passed"),
            ("async", waits, "unsupported", "unsupported"),
            ("notices", "statement notice x\nchange 1\n", "unsupported", "unsupported"),
            (
                "notices of failing SQL",
                "statement notice x\nfail 1 x\n",
                "unexpected_error",
                "unexpected_error",
            ),
            ("traces", "query T kvtrace\nT\na\n----\na\n", "unsupported", "unsupported"),
            ("nodes", "query T nodeidx=1\nT\na\n----\na\n", "unsupported", "unsupported"),
            ("the only node", "query T nodeidx=0\nT\na\n----\na\n", "passed", "passed"),
            ("upgrade", "upgrade 1\n", "unsupported", "unsupported"),
            ("copy", "copy\nCOPY t FROM STDIN\n----\n1\n", "unsupported", "unsupported"),
            ("users", "user a\nstatement ok\nchange 1\n", "unsupported", "unsupported"),
            ("the default user", "user root\nstatement ok\nchange 1\n", "passed", "passed"),
            ("repeat", "repeat 3\nstatement ok\nchange 1\n", "passed", "passed"),
            ("skipped by its name", "skipif postgresql\nstatement ok\nfail 1 x\n", "skipped", "skipped"),
            ("a configuration", "onlyif config local #1\nstatement ok\nfail 1 x\n", "skipped", "skipped"),
            ("skip", "skip 123\n\nstatement ok\nfail 1 x\n", "skipped", "skipped"),
            (
                "skip up to the next part",
                "skip\n\nsubtest b\n\nstatement ok\nfail 1 x\n",
                "unexpected_error",
                "unexpected_error",
            ),
            ("a condition waits", "skipif postgresql\n\nstatement ok\nfail 1 x\n", "malformed", "skipped"),
            ("subtest ends a result", "query I\nI\n1\n----\n1\nsubtest b\n", "passed", "passed"),
            ("variables", "let $a\nI\n7\n\nquery T\nT\n$a $1 $b\n----\n7 $1 $b\n", "passed", "passed"),
            (
                "labels",
                "query I nosort x\nI\n1\n\nquery I nosort x\nI\n2\n",
                "label_differs",
                "label_differs",
            ),
            ("an unknown record", "statment ok\nchange 1\n", "malformed", "malformed"),
            ("an unknown letter", "query IX\nIT\n1|n\n----\n1 NULL\n", "malformed", "passed"),
        ],
    );
    assert_eq!(run("cockroach", false, waits).counts.unsupported, 2, "no record passes");
    let skipped =
        run("cockroach", false, "skip\n\nskip\n\nstatement ok\nx\n\nsubtest b\n\nstatement ok\nchange 1\n");
    assert_eq!((skipped.counts.skipped, skipped.counts.passed), (1, 1));
}

#[test]
fn materialize_values() {
    let mode = "mode cockroach\n\n";
    let by_rows = |text: &str| format!("{mode}{text}");
    check(
        "materialize",
        &[
            ("values", "query IT\nIT\n1|a b\n----\n1\na b\n", "passed", "passed"),
            ("rows", &by_rows("query IT\nIT\n1|a\n----\n1  a\n"), "passed", "passed"),
            ("M01 blank", &by_rows("query TI\nTI\na b|1\n----\na␠b  1\n"), "passed", "passed"),
            (
                "M01 a blank in words",
                &by_rows("query TI\nTI\na b|1\n----\na b 1\n"),
                "rows_differ",
                "rows_differ",
            ),
            ("one column with blanks", &by_rows("query T\nT\na b\n----\n a b \n"), "passed", "passed"),
            ("ends of rows", &by_rows("query II\nII\n1|2\n3|4\n----\n1\n2 3 4\n"), "rows_differ", "passed"),
            (
                "M04 another mode",
                "query II\nII\n1|2\n----\n1\n2\n\nmode cockroach\n\nquery II\nII\n1|2\n----\n1 2\n",
                "passed",
                "passed",
            ),
            (
                "both sides sorted",
                &by_rows("query II rowsort\nII\n1|2\n3|4\n----\n3 4\n1 2\n"),
                "passed",
                "passed",
            ),
            ("one side sorted", "query I rowsort\nI\n2\n1\n----\n1\n2\n", "passed", "passed"),
            ("unsorted expectation", "query I rowsort\nI\n2\n1\n----\n2\n1\n", "rows_differ", "rows_differ"),
            (
                "values sorted",
                &by_rows("query II valuesort\nII\n4|1\n3|2\n----\n1 2\n3 4\n"),
                "passed",
                "passed",
            ),
            (
                "partly sorted",
                &by_rows("query II partialsort(1)\nII\n2|2\n2|1\n1|1\n----\n2 1\n2 2\n1 1\n"),
                "passed",
                "passed",
            ),
            ("integer of a real number", "query I\nR\n1.9\n----\n1\n", "passed", "passed"),
            ("integer of text", "query I\nT\nx\n----\n0\n", "column_type_differs", "passed"),
            ("three digits", "query R\nR\n1.5\n----\n1.500\n", "passed", "passed"),
            ("all digits", &by_rows("query R\nR\n1.5\n----\n1.5\n"), "passed", "passed"),
            (
                "truth value of an integer",
                "query B\nI\n1\n----\ntrue\n",
                "column_type_differs",
                "column_type_differs",
            ),
            ("empty text", "query T\nT\ne\n----\n(empty)\n", "passed", "passed"),
            ("line ends", "query T\nT\na\\nb\n----\na⏎b\n", "passed", "passed"),
            ("several lines", "query T multiline\nT\na\\n\\nb\\n\n----\na\n\nb\n\nEOF\n", "passed", "passed"),
            ("other lines", "query T multiline\nT\na\\nb\n----\na\nEOF\n", "rows_differ", "rows_differ"),
            ("names", &by_rows("query II colnames\nII\n1|2\n----\nc0  c1\n1   2\n"), "passed", "passed"),
            ("wrong names", "query I colnames\nI\n1\n----\nx\n1\n", "rows_differ", "rows_differ"),
            (
                "hash",
                "query I\nI\n1\n----\n1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n",
                "passed",
                "passed",
            ),
            (
                "M03 hash in a value",
                "query T\nT\n1\n----\nx 1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1 y\n",
                "rows_differ",
                "passed",
            ),
            (
                "M03 its text",
                "query T\nT\nx 9 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n----\nx 9 values hashing to b026324c6904b2a9cb4b88d6d61c81d1\n",
                "passed",
                "hash_differs",
            ),
            ("no column", "query\n\n----\n\n", "malformed", "malformed"),
        ],
    );
}

#[test]
fn materialize_records() {
    check(
        "materialize",
        &[
            ("M02 no separator", "query I\nI\n1\n\nquery I\nI\n2\n----\n2\n", "malformed", "rows_differ"),
            ("empty lines in SQL", "query I\nI\n\n1\n----\n1\n", "passed", "passed"),
            ("pattern", "statement error boom\nfail 42601 boom\n", "passed", "passed"),
            ("whole error", "statement error ^db error: ERROR: boom$\nfail 42601 boom\n", "passed", "passed"),
            ("any error", "query error\nfail 42601 boom\n", "passed", "passed"),
            (
                "another code",
                "statement error pgcode 42P01 boom\nfail 42601 boom\n",
                "error_differs",
                "passed",
            ),
            ("a number sign in a pattern", "statement error a#b\nfail 42601 ac\n", "error_differs", "passed"),
            ("comment", "statement ok # why\nchange 1\n", "passed", "passed"),
            ("two blanks", "statement  ok\nchange 1\n", "malformed", "malformed"),
            ("result of a statement", "statement ok\nI\n1\n----\n1\n", "malformed", "passed"),
            ("separator of a statement", "statement ok\nchange 1\n----\n", "passed", "passed"),
            (
                "answers",
                "simple\nchange 2;IT\n1|n\n2|b;change 0\n----\nCOMPLETE 2\n1,NULL\n2,b\nCOMPLETE 2\nCOMPLETE 0\n",
                "passed",
                "passed",
            ),
            ("other answers", "simple\nchange 2\n----\nCOMPLETE 1\n", "rows_differ", "rows_differ"),
            (
                "error of several",
                "simple\nchange 2;fail 1 boom\n----\ndb error: ERROR: boom\n",
                "passed",
                "passed",
            ),
            (
                "answer of several lines",
                "simple multiline\nT\na\\n\\nb\n----\na\n\nb\nEOF\nCOMPLETE 1\n",
                "passed",
                "passed",
            ),
            ("sorted answers", "simple rowsort\nI\n2\n1\n----\n1\n2\nCOMPLETE 2\n", "passed", "passed"),
            (
                "other connections",
                "simple conn=a,user=b\nchange 1\n----\nCOMPLETE 1\n",
                "unsupported",
                "unsupported",
            ),
            (
                "passwords",
                "simple conn=a,user=b,password=c\nchange 1\n----\nCOMPLETE 1\n",
                "unsupported",
                "unsupported",
            ),
            ("rows of a file", "copy t some/file\n", "unsupported", "unsupported"),
            ("a new server", "reset-server\n\nstatement ok\nchange 1\n", "passed", "passed"),
            (
                "skipped by its name",
                "skipif postgresql # why\nstatement ok\nfail 1 x\n",
                "skipped",
                "skipped",
            ),
            ("user without effect", "user a\n\nstatement ok\nchange 1\n", "passed", "passed"),
            ("an unknown mode", "mode rows\n", "malformed", "malformed"),
            ("an unknown option", "query I sorted\nI\n1\n----\n1\n", "malformed", "malformed"),
            (
                "labels",
                "query I nosort x\nI\n1\n----\n1\n\nquery I nosort x\nI\n2\n----\n2\n",
                "label_differs",
                "passed",
            ),
            ("one statement", "query I\nI\n1;I\n2\n----\n1\n", "malformed", "malformed"),
        ],
    );
    let text = "halt\n\nquery I\nI\n1\n----\n2\n";
    assert_eq!(run("materialize", false, text).counts.not_reached, 1);
}

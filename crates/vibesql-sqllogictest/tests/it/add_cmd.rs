//! `add`: new records with their results.

use std::io::Write as _;
use std::process::Stdio;

use crate::sandbox::{Output, Sandbox};

const SET_UP: &str = "\
statement ok
CREATE TABLE t(a INTEGER, b TEXT, c REAL)

statement ok
INSERT INTO t VALUES (1,'x',0.5),(2,'7',2)
";

fn add(sandbox: &Sandbox, arguments: &str, file: &str, sql: &str) -> Output {
    let mut command = sandbox.command(&format!("add --from sqlite {arguments} {file}"));
    command.arg(sql);
    Output::of(&mut command)
}

#[test]
fn a_record_is_written_as_its_dialect_has_it() {
    for (dialect, sql, record) in [
        (
            "sqlite",
            "SELECT a, b, c FROM t ORDER BY a",
            "query ITR nosort\nSELECT a, b, c FROM t ORDER BY a\n----\n1\nx\n0.500\n2\n7\n2.000\n",
        ),
        ("sqlite", "SELECT a FROM t", "query I rowsort\nSELECT a FROM t\n----\n1\n2\n"),
        ("sqlite", "SELECT a FROM t WHERE a > 5", "query T rowsort\nSELECT a FROM t WHERE a > 5\n----\n"),
        ("sqlite", "DELETE FROM t", "statement ok\nDELETE FROM t\n"),
        ("sqlite", "SELECT missing FROM t", "statement error\nSELECT missing FROM t\n"),
        (
            "rs",
            "SELECT a, b FROM t ORDER BY a",
            "query IT nosort\nSELECT a, b FROM t ORDER BY a\n----\n1 x\n2 7\n",
        ),
        ("rs", "SELECT b FROM t WHERE a = 2", "query I rowsort\nSELECT b FROM t WHERE a = 2\n----\n7\n"),
        (
            "duckdb",
            "SELECT a, b FROM t ORDER BY a",
            "query IT nosort\nSELECT a, b FROM t ORDER BY a\n----\n1\tx\n2\t7\n",
        ),
        (
            "cockroach",
            "SELECT a, b, c FROM t ORDER BY a",
            "query ITF nosort\nSELECT a, b, c FROM t ORDER BY a\n----\n1 x 0.5\n2 7 2\n",
        ),
        ("materialize", "SELECT a FROM t", "query I rowsort\nSELECT a FROM t\n----\n1\n2\n"),
    ] {
        let sandbox = Sandbox::with(SET_UP);
        let arguments = format!("--dialect {dialect}");
        let dry = add(&sandbox, &format!("{arguments} --dry-run"), "t.test", sql);
        assert_eq!(sandbox.read("t.test"), SET_UP, "{dry}");
        let output = add(&sandbox, &arguments, "t.test", sql);
        assert_eq!(sandbox.read("t.test"), format!("{SET_UP}\n{record}"), "{dialect} {sql}: {output}");
        assert_eq!(output.code, 0, "{output}");
        assert_eq!(output.stdout.replace("added", "would add"), dry.stdout);
        let test = sandbox.run(&format!("test --engine sqlite --dialect {dialect} t.test"));
        assert_eq!(test.code, 0, "{test}");
    }
}

#[test]
fn errors_are_written_with_their_message_where_the_dialect_has_one() {
    for (dialect, before, after) in [
        ("rs", "statement error ", "\nSELECT missing FROM t\n"),
        ("duckdb", "statement error\nSELECT missing FROM t\n----\n", "\n"),
        ("cockroach", "statement error ", "\nSELECT missing FROM t\n"),
    ] {
        let sandbox = Sandbox::with(SET_UP);
        let output = add(&sandbox, &format!("--dialect {dialect}"), "t.test", "SELECT missing FROM t");
        let text = sandbox.read("t.test");
        let record = text.strip_prefix(&format!("{SET_UP}\n")).unwrap();
        let message = record.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        assert!(message.is_some_and(|message| message.starts_with("no such column")), "{dialect}: {output}");
    }
}

#[test]
fn a_missing_file_is_created_and_a_wrong_one_stays() {
    let sandbox = Sandbox::new();
    let output = add(&sandbox, "", "new.test", "SELECT 1\n\nUNION SELECT 2");
    assert_eq!(
        sandbox.read("new.test"),
        "query I rowsort\nSELECT 1\nUNION SELECT 2\n----\n1\n2\n",
        "{output}"
    );
    let mut command = sandbox.command("add --from sqlite new.test -");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"SELECT 3").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(sandbox.read("new.test").ends_with("\n\nquery I rowsort\nSELECT 3\n----\n3\n"));
    sandbox.write("halted.test", "statement ok\nSELECT 1\n\nhalt\n");
    for (file, sql, code, text) in [
        ("halted.test", "SELECT 1", 2, "the file ends before it"),
        ("new.test", "SELECT random() & 268435455", 2, "two executions have different results"),
        ("new.test", "SELECT '# x'", 2, "the dialect has no way to write its result"),
        ("new.test", "SELECT 'a\n\nb'", 2, "a blank line within a string"),
        ("other.test:1", "SELECT 1", 2, "`add other.test SQL`"),
        ("new.test", " ", 2, "expected SQL"),
        ("new.test", "SELECT 1\nquery I nosort", 2, "read as something else"),
        ("no/new.test", "SELECT 1", 2, "cannot create `no/new.test`"),
        ("suite:joins/inner.test", "SELECT 1", 2, "cannot add a record to"),
    ] {
        let before = std::fs::read(sandbox.path().join(file)).ok();
        let output = add(&sandbox, "", file, sql);
        assert!(output.code == code && output.stderr.contains(text), "{file} {sql}: {output}");
        assert_eq!(std::fs::read(sandbox.path().join(file)).ok(), before);
    }
}

#[test]
fn a_new_file_keeps_its_dialect() {
    for dialect in ["rs", "vibesql", "duckdb", "cockroach", "materialize"] {
        let sandbox = Sandbox::new();
        let output = add(&sandbox, &format!("--dialect {dialect}"), "new.test", "SELECT 1, 'a'");
        let text = sandbox.read("new.test");
        assert!(
            text.starts_with(&format!("# slt-dialect: {dialect}\n\nquery IT rowsort\n")),
            "{output}{text}"
        );
        // Also without the flag.
        let again = add(&sandbox, "", "new.test", "SELECT 2, 'b'");
        assert_eq!(sandbox.read("new.test").matches("slt-dialect").count(), 1, "{again}");
        let test = sandbox.run("test --engine sqlite new.test");
        assert_eq!(test.code, 0, "{test}");
    }
}

#[test]
fn what_takes_too_long_is_not_called_lost() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("add --engine scripted --timeout 1 new.test hang");
    let output = Output::of(&mut command);
    assert!(output.code == 2 && output.stderr.contains("time limit"), "{output}");
    assert!(!sandbox.path().join("new.test").exists());
}

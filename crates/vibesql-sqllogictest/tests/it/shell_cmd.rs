//! `shell`: a session in the state before a record, with piped entries and in a terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};
use crate::support::{send_signal, wait_for};

const FILE: &str = "\
statement ok
CREATE TABLE t(a INTEGER, b TEXT)

statement ok
INSERT INTO t VALUES (1,'x'),(2,NULL)

query IT rowsort
SELECT a, b FROM t
----
1
x
2
y

onlyif mysql
statement ok
DELETE FROM t

statement ok
INSERT INTO t VALUES (3,'')

query I
SELECT COUNT(*) FROM t
----
3
";

/// Starts a shell, and leaves its input open.
fn start(sandbox: &Sandbox, line: &str) -> Child {
    let mut command = sandbox.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends the input of a shell, and returns what it has printed.
fn end(mut child: Child) -> Output {
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap_or(-1),
    }
}

/// Reads the first line that a shell prints: it has read its file.
fn await_line(child: &mut Child) -> String {
    let output = child.stdout.as_mut().unwrap();
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && output.read(&mut byte).unwrap() == 1 {
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}

fn enter(child: &mut Child, entry: &str) {
    let input = child.stdin.as_mut().unwrap();
    writeln!(input, "{entry}").unwrap();
    input.flush().unwrap();
}

/// Runs a shell with these entries.
fn shell(sandbox: &Sandbox, line: &str, entries: &str) -> Output {
    let mut child = start(sandbox, line);
    enter(&mut child, entries);
    end(child)
}

#[test]
fn records_are_run_one_by_one() {
    let sandbox = Sandbox::with(FILE);
    let entries = "\
        SELECT a, b,\n  a + 0.5 AS c FROM t;\n\
        .expect\n.diff\n.next\n.next\n.next\nSELECT COUNT(*) FROM t; UPDATE t SET b = 'z';\n.next\n.next\n.list";
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite t.test:8", entries), @"
    exit code 1
    --- stdout
    next: t.test:7
          query IT rowsort
          SELECT a, b FROM t
     a  b       c
     1  x     1.5
     2  NULL  2.5
    2 rows; [time] s
    t.test:7
          query IT rowsort
          SELECT a, b FROM t
          ----
          1
          x
          2
          y
    FAIL  t.test:7   query IT rowsort
          SELECT a, b FROM t
          values differ (4 expected, 4 found)
            1 | x
          - 2 | y
          + 2 | NULL
          again: vibesql-sqllogictest test --engine sqlite t.test:7
    FAIL  t.test:7   query IT rowsort
          SELECT a, b FROM t
          values differ (4 expected, 4 found)
            1 | x
          - 2 | y
          + 2 | NULL
          again: vibesql-sqllogictest test --engine sqlite t.test:7
    next: t.test:16
          onlyif mysql
          statement ok
          DELETE FROM t
    SKIP  t.test:16  by its condition  [time] s
    next: t.test:19
          statement ok
          INSERT INTO t VALUES (3,'')
    PASS  t.test:19  [time] s
    next: t.test:22
          query I
          SELECT COUNT(*) FROM t
     COUNT(*)
            3
    1 row
    3 rows changed; [time] s
    PASS  t.test:22  [time] s
    end of t.test
    end of t.test
          4  statement ok  INSERT INTO t VALUES (1,'x'),(2,NULL)
          7  query IT rowsort  SELECT a, b FROM t
         16  statement ok  DELETE FROM t
         19  statement ok  INSERT INTO t VALUES (3,'')
         22  query I  SELECT COUNT(*) FROM t
    ");
}

#[test]
fn a_file_without_a_line_and_no_file() {
    let sandbox = Sandbox::with(FILE);
    // What is left of the input at its end is executed.
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite --max-rows 1 t.test", "SELECT * FROM t"), @"
    exit code 0
    --- stdout
    end of t.test
     a  b
     1  x
    3 rows, the first 1 shown (--max-rows); [time] s
    ");
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite", "CREATE TABLE n(x);\nINSERT INTO n VALUES (1);\nSELECT * FROM n;\n.rerun\nSELECT * FROM n;"), @"
    exit code 1
    --- stdout
    0 rows changed; [time] s
    1 row changed; [time] s
     x
     1
    1 row; [time] s
    error: no such table: n (code 1)
    ");
    // A line between records leads to the next one.
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite t.test:14", ".n\n.goto 99\n.goto 1\n.continue"), @"
    exit code 1
    --- stdout
    next: t.test:16
          onlyif mysql
          statement ok
          DELETE FROM t
    SKIP  t.test:16  by its condition  [time] s
    next: t.test:19
          statement ok
          INSERT INTO t VALUES (3,'')
    end of t.test
    next: t.test:1
          statement ok
          CREATE TABLE t(a INTEGER, b TEXT)
    FAIL  t.test:7   query IT rowsort
          SELECT a, b FROM t
          values differ (4 expected, 4 found)
            1 | x
          - 2 | y
          + 2 | NULL
          again: vibesql-sqllogictest test --engine sqlite t.test:7
    2 records without a failure
    next: t.test:16
          onlyif mysql
          statement ok
          DELETE FROM t
    --- stderr
    note: no record on or after line 99 of `t.test`
    ");
}

#[test]
fn mistakes_are_told_and_do_not_end_the_shell() {
    let sandbox = Sandbox::with(FILE);
    sandbox.write("other.test", FILE);
    let entries = ".nxt\n.goto\n.next x\n.diff\n.e\n.quit now\nSELECT 'end' AS \"end\";";
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite t.test:1", entries), @"
    exit code 2
    --- stdout
    next: t.test:1
          statement ok
          CREATE TABLE t(a INTEGER, b TEXT)
     end
     end
    1 row; [time] s
    --- stderr
    error: no command `.nxt`
      hint: did you mean `.next`?
    error: `.goto` needs a line
      hint: enter for example `.goto 12`
    error: expected a number, found `x`
      hint: enter for example `.next 5`
    error: the next record is not a query, so there are no rows to compare
      hint: `.next` runs it and shows the outcome
    error: `.e` is not one command
      hint: did you mean one of .expect, .exit?
    error: `.quit` takes no argument, found `now`
      hint: enter a dot command by itself
    ");
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite .", ""), @"
    exit code 2
    --- stderr
    error: `.` is not one file
      hint: name one test file: `vibesql-sqllogictest shell FILE:LINE`
    ");
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite -", ""), @"
    exit code 2
    --- stderr
    error: cannot read a test file from standard input, which has the entries of the shell
      hint: write it to a file
    ");
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite absent.test:3", ""), @"
    exit code 2
    --- stderr
    error: no such file or directory: `absent.test`
      hint: a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`
    ");
}

#[test]
fn loops_included_files_and_variables() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "d.test",
        "# slt-dialect: duckdb\nstatement ok\nCREATE TABLE t(a INTEGER)\n\nloop i 0 3\n\nstatement ok\n\
         INSERT INTO t VALUES (${i})\n\nquery I\nSELECT COUNT(*) FROM t WHERE a = ${i}\n----\n1\n\nendloop\n",
    );
    let entries = "SELECT COUNT(*), ${i} FROM t;\n.expect\n.next 3\nSELECT COUNT(*), ${i} FROM t;\n.rerun\nSELECT COUNT(*) FROM t;";
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite d.test:10", entries), @"
    exit code 0
    --- stdout
    next: d.test:10 (i=0)
          query I
          SELECT COUNT(*) FROM t WHERE a = ${i}
     COUNT(*)  0
            1  0
    1 row; [time] s
    d.test:10 (i=0)
          query I
          SELECT COUNT(*) FROM t WHERE a = ${i}
          ----
          1
    the SQL with its variables replaced:
          SELECT COUNT(*) FROM t WHERE a = 0
    PASS  d.test:10 (i=0)  [time] s
    PASS  d.test:7 (i=1)  [time] s
    PASS  d.test:10 (i=1)  [time] s
    next: d.test:7 (i=2)
          statement ok
          INSERT INTO t VALUES (${i})
     COUNT(*)  2
            2  2
    1 row; [time] s
    next: d.test:7 (i=2)
          statement ok
          INSERT INTO t VALUES (${i})
     COUNT(*)
            2
    1 row; [time] s
    ");

    sandbox.write("a.slt", "# slt-dialect: rs\nstatement ok\nCREATE TABLE t (a)\n\ninclude parts/*.part\n\nquery I\nSELECT count(*) FROM t\n----\n2\n");
    sandbox.write(
        "parts/one.part",
        "statement ok\nINSERT INTO t VALUES (1)\n\nstatement ok\nINSERT INTO t VALUES (2)\n",
    );
    let entries = ".next 2\nSELECT * FROM t;\n.rerun\nSELECT * FROM t;\n.next 2";
    assert_snapshot!(shell(&sandbox, "shell --engine sqlite a.slt:3", entries), @"
    exit code 0
    --- stdout
    next: a.slt:2
          statement ok
          CREATE TABLE t (a)
    PASS  a.slt:2  [time] s
    PASS  parts/one.part:1, included by a.slt  [time] s
    next: parts/one.part:4, included by a.slt
          statement ok
          INSERT INTO t VALUES (2)
     a
     1
    1 row; [time] s
    next: parts/one.part:4, included by a.slt
          statement ok
          INSERT INTO t VALUES (2)
     a
     1
    1 row; [time] s
    PASS  parts/one.part:4, included by a.slt  [time] s
    PASS  a.slt:7  [time] s
    end of a.slt
    ");
}

#[test]
fn the_rows_of_a_hash_are_shown() {
    // The hash of 1 and 2.
    let sandbox = Sandbox::with(
        "statement ok\nCREATE TABLE t(a INTEGER)\n\nstatement ok\nINSERT INTO t VALUES (1),(2)\n\nhash-threshold 1\n\n\
         query I rowsort\nSELECT a FROM t\n----\n2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0\n",
    );
    let entries = ".diff\nUPDATE t SET a = 3 WHERE a = 2;\n.next";
    let seen = shell(&sandbox, "shell --engine sqlite t.test:9", entries);
    for text in ["PASS  t.test:9", "but the hash differs", "\n      - 2\n      + 3\n"] {
        assert!(seen.stdout.contains(text), "{text}: {seen}");
    }
}

#[test]
fn the_outcome_of_the_last_record_before_the_end_is_its_own() {
    let sandbox = Sandbox::new();
    let query = "query I\nSELECT 1\n----\n9\n\n";
    sandbox.write("halts.test", format!("{query}halt\n\n{query}"));
    sandbox.write("exact.slt", format!("# slt-dialect: rs\n{query}{query}"));
    sandbox.write("malformed.slt", format!("# slt-dialect: rs\nquery\nSELECT 1\n\n{query}"));
    for line in ["halts.test:1", "--exact exact.slt:2", "malformed.slt:2"] {
        for entry in [".next", ".continue"] {
            let seen = shell(&sandbox, &format!("shell --engine sqlite {line}"), entry);
            assert!(seen.code != 0 && !seen.stdout.contains("NOT REACHED"), "{line} {entry} {seen}");
            assert!(["FAIL", "MALFORMED"].iter().any(|word| seen.stdout.contains(word)), "{line} {seen}");
        }
    }
}

#[test]
fn an_edited_file_is_read_again() {
    let sandbox = Sandbox::with(FILE);
    let mut child = start(&sandbox, "shell --engine sqlite t.test:8");
    enter(&mut child, "CREATE TABLE mine(x);");
    // The record has moved, and expects what the engine returns.
    assert_eq!(await_line(&mut child), "next: t.test:7\n");
    let edited = format!("# One more line.\n\n{}", FILE.replace("2\ny", "2\nNULL"));
    sandbox.write("new.test", edited);
    std::fs::rename(sandbox.path().join("new.test"), sandbox.path().join("t.test")).unwrap();
    enter(&mut child, ".rerun\n.next\nSELECT * FROM mine;");
    assert_snapshot!(end(child), @"
    exit code 1
    --- stdout
          query IT rowsort
          SELECT a, b FROM t
    0 rows changed; [time] s
    next: t.test:9
          query IT rowsort
          SELECT a, b FROM t
    PASS  t.test:9  [time] s
    next: t.test:18
          onlyif mysql
          statement ok
          DELETE FROM t
    error: no such table: mine (code 1)
    ");
}

#[test]
fn a_crash_and_a_timeout_cost_the_state_and_not_the_shell() {
    let sandbox = Sandbox::with("statement ok\nok\n\nstatement ok\nabort\n\nstatement ok\nok\n");
    let line = "shell --engine scripted --timeout 1 t.test:5";
    let entries = ".next\nok;\n.rerun\nrows 1 x;\nhang;\nok;\n.goto 7\n.goto 1";
    assert_snapshot!(shell(&sandbox, line, entries), @"
    exit code 5
    --- stdout
    next: t.test:4
          statement ok
          abort
    CRASH  the worker process was killed by SIGABRT at t.test:4
    next: t.test:4
          statement ok
          abort
     ?  ?
     1  x
    1 row; [time] s
    TIMEOUT  stopped after [time] s
    next: t.test:4
          statement ok
          abort
    done; [time] s
    CRASH  the worker process was killed by SIGABRT at t.test:4
    next: t.test:1
          statement ok
          ok
    --- stderr
    error: the state is lost
      hint: `.rerun` builds it again, `.goto LINE` the one before another record
    note: the state is built again; what was changed in this session is lost
    ");
}

#[test]
fn an_interrupt_stops_the_statement() {
    let sandbox = Sandbox::with("statement ok\nok\n");
    let mut child = start(&sandbox, "shell --engine scripted t.test");
    // The engine tells that it has begun.
    enter(&mut child, "once begun hang;");
    wait_for("the statement", || sandbox.path().join("begun").exists());
    send_signal("INT", child.id());
    enter(&mut child, "rows 7 seven;");
    let seen = end(child);
    assert_snapshot!(seen, @"
    exit code 5
    --- stdout
    end of t.test
    interrupted
    end of t.test
     ?  ?
     7  seven
    1 row; [time] s
    --- stderr
    note: the state is built again; what was changed in this session is lost
    ");
    // Between two entries it ends a shell that has no terminal.
    let mut child = start(&sandbox, "shell --engine scripted t.test");
    enter(&mut child, "once there ok;");
    wait_for("the shell", || sandbox.path().join("there").exists());
    let mut ended = false;
    wait_for("its end", || {
        send_signal("INT", child.id());
        ended |= child.try_wait().unwrap().is_some();
        ended
    });
    assert_eq!(end(child).code, 5);
}

//! What the SQLite runner skips silently is seen by the strict rules, and skipped by the exact ones.

use vibesql_sqllogictest::outcome::{FailingRecord, FileReport, Problem, RecordId};
use vibesql_sqllogictest::parser::{ParseErrorKind, SQLITE, parse};

use crate::sandbox::Sandbox;
use crate::support::{failing_lines, manifest, run_scripted, run_sqlite, shared, test_files};

/// The one record that the strict rules refuse; the exact rules have nothing against the file.
fn refused(text: &str) -> FailingRecord {
    let exact = run_sqlite("t.test", text.as_bytes(), true);
    assert_eq!(exact.status().word(), "passed", "{text}: {:#?}", exact.failures);
    let mut strict = run_sqlite("t.test", text.as_bytes(), false);
    assert!(strict.counts.add_up(), "{:?}", strict.counts);
    assert_eq!((strict.counts.malformed, strict.failures.len()), (1, 1), "{text}: {:#?}", strict.failures);
    strict.failures.remove(0)
}

fn message(record: &FailingRecord) -> String {
    match record.detailed().unwrap().problem {
        Problem::Malformed { error, .. } => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn kind(record: &FailingRecord) -> &ParseErrorKind {
    match record.detailed().unwrap().problem {
        Problem::Malformed { error, .. } => &error.kind,
        other => panic!("{other:?}"),
    }
}

fn passes(text: &str) -> FileReport {
    let report = run_sqlite("t.test", text.as_bytes(), false);
    assert_eq!(report.status().word(), "passed", "{text}: {:#?}", report.failures);
    report
}

#[test]
fn words_behind_a_header_are_malformed_unless_they_are_a_comment() {
    let fails = "SELEKT this is a typo";
    let cases = [
        (
            format!("statement error UNIQUE constraint  failed\t\n{fails}\n"),
            "t.test:1: expected nothing after `statement error`, found `UNIQUE constraint  failed`",
        ),
        (
            "statement ok con1\nSELECT 1\n".to_owned(),
            "t.test:1: expected nothing after `statement ok`, found `con1`",
        ),
        (
            "query I nosort x retry 3\nSELECT 1\n----\n1\n".to_owned(),
            "t.test:1: expected nothing after `query I nosort x`, found `retry 3`",
        ),
        (
            "statement ok\nSELECT 1\n\nonlyif sqlite config\nquery I\nSELECT 1\n----\n1\n".to_owned(),
            "t.test:4: expected nothing after `onlyif sqlite`, found `config`",
        ),
        (
            "statement ok\nSELECT 1\n\nskipif sqlite why not\nquery I\nSELECT 1\n----\n2\n".to_owned(),
            "t.test:4: expected nothing after `skipif sqlite`, found `why not`",
        ),
        (
            "statement ok\nSELECT 1\n\nhash-threshold 8 values\n".to_owned(),
            "t.test:4: expected nothing after `hash-threshold 8`, found `values`",
        ),
        (
            "statement ok\nSELECT 1\n\nhalt here\n".to_owned(),
            "t.test:4: expected nothing after `halt`, found `here`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&refused(&text)), expected);
    }
    passes(
        "hash-threshold 8 # why\n\nskipif mysql # not compatible\nstatement ok # why\nSELECT 1\n\n\
         statement error #why\nSELEKT\n\nquery I nosort x # why\nSELECT 1\n----\n1\n\nhalt # why\n",
    );
}

#[test]
fn the_hint_names_the_dialects_that_write_a_message_there() {
    let sandbox = Sandbox::with("statement error UNIQUE constraint failed\nSELEKT\n");
    let output = sandbox.run("test --engine sqlite t.test");
    assert_eq!(output.code, 2, "{output}");
    let shown = "      hint: sqllogictest-rs, CockroachDB and Materialize write the expected message here, Databend \
                 a code, DuckDB a connection; the SQLite runner skips these words silently; --exact does the same\n";
    assert!(output.stdout.contains(shown), "{output}");
    let hint = |text: &str| kind(&refused(text)).hint().unwrap();
    for (text, names) in [
        (
            "statement error\nSELEKT\n----\nsyntax error\n",
            "DuckDB and sqllogictest-rs write the expected message",
        ),
        ("statement ok con1\nSELECT 1\n", "DuckDB writes a connection"),
        ("query I nosort x retry\nSELECT 1\n----\n1\n", "sqllogictest-rs writes `retry`"),
        ("statement ok\nSELECT 1\n\nonlyif sqlite config\nhalt\n", "CockroachDB writes more than a name"),
    ] {
        assert!(hint(text).contains(names) && hint(text).contains("--exact"), "{}", hint(text));
    }
    assert_eq!(sandbox.run("test --engine sqlite --exact t.test").code, 0);
}

#[test]
fn a_separator_in_a_statement_is_malformed() {
    let detail = refused("statement error\nSELEKT 1\n----\nDivision by zero error: foo\n");
    assert_eq!(message(&detail), "t.test:3: expected SQL or a blank line, found `----` in a statement");
    assert_eq!(detail.detailed().unwrap().sql, "SELEKT 1");
    // What follows finds the table that the statement makes.
    let text = "statement ok\nCREATE TABLE t(a)\n----\n\nquery I\nSELECT count(*) FROM t\n----\n0\n";
    assert_eq!(failing_lines(&run_sqlite("t.test", text.as_bytes(), false)), [1]);
    // Blanks around it do not make it a comment.
    for line in ["---- ", "\t----", "----\u{c}"] {
        let detail = refused(&format!("statement error\nSELEKT 1\n{line}\nDivision by zero\n"));
        assert_eq!(message(&detail), "t.test:3: expected SQL or a blank line, found `----` in a statement");
    }
    let report = run_sqlite("t.test", b"query I\nSELECT 1\n ----\n1\n", false);
    let expected = "t.test:3: expected `----` without blanks around it, found ` ----`";
    assert_eq!(message(&report.failures[0]), expected);
    passes("statement ok\nSELECT 1\n-----\n--\n");
}

#[test]
fn a_header_or_condition_that_is_glued_to_sql_is_malformed() {
    for header in [
        "query I nosort",
        "  query\tIT",
        "\tquery R rowsort label-1 # why",
        "statement ok",
        " statement error # why",
        "skipif mysql",
        "\tonlyif\tsqlite # why",
        "halt",
        " halt # why",
        "hash-threshold 8",
        // With words that other dialects write.
        "statement error UNIQUE constraint failed",
        "\tstatement  count 3",
        "query I foosort",
        "query II rowsort l retry 3",
        "query error",
        "query X",
        "onlyif sqlite because",
        "onlyif",
        "hash-threshold eight",
    ] {
        let text = format!("statement error\nSELECT * FROM nope\n{header}\nSELECT 1\n----\n2\n");
        let expected =
            format!("t.test:3: expected SQL or a blank line, found the header `{}`", header.trim());
        assert_eq!(message(&refused(&text)), expected);
        // A condition that leaves the record out leaves out what is glued to it as well.
        let text =
            format!("statement ok\nSELECT 1\n\nskipif sqlite\nquery I\nSELECT 1\n{header}\nx\n----\n2\n");
        assert!(message(&refused(&text)).contains(header.trim()), "{header}");
    }
    let glued = "statement ok\nstatement error\nSELECT 1\n";
    let report = run_sqlite("t.test", glued.as_bytes(), false);
    assert!(message(&report.failures[0]).contains("found the header `statement error`"), "{report:#?}");
}

#[test]
fn text_of_sql_that_reads_like_a_header_stays_sql() {
    let lines = "statement of account\nquery I would like to ask\nhalt now\nquery\nstatement okay\nquery it\nhalted\n";
    let text = format!("statement ok\nSELECT '{lines}'\n");
    // What begins like one is noted all the same.
    assert!(!passes(&text).lints.is_empty());
}

#[test]
fn a_header_among_the_values_of_a_skipped_query_is_noted() {
    let text = "statement ok\nSELECT 1\n\nonlyif mysql\nquery I\nSELECT 1\n----\n# c\n1\nquery I\nSELECT 2\n----\n3\n";
    let notes: Vec<_> = passes(text).lints.iter().map(|lint| (lint.line, lint.kind.to_string())).collect();
    let expected = "an expected value that looks like a header; records are separated by blank lines";
    assert_eq!(notes, [(10, expected.to_owned())]);
    assert_eq!(passes("query T\nSELECT 'halt'\n----\nhalt\n").lints, []);
}

#[test]
fn sql_behind_the_first_statement_of_a_query_is_malformed() {
    for more in ["SELECT 2", "garbage", "SELECT * FROM nope", "INSERT INTO t VALUES (1)", "'"] {
        let text = format!(
            "statement ok\nCREATE TABLE t(a)\n\nquery I\nSELECT 1;\n{more}\n----\n1\n\n\
             query I\nSELECT count(*) FROM t\n----\n0\n"
        );
        let detail = refused(&text);
        assert_eq!(*kind(&detail), ParseErrorKind::MoreThanOneStatement, "{more}");
        assert_eq!(detail.id, RecordId::at(4));
    }
    passes("query I\nSELECT 1; ; -- comment\n/* another */ ;\n----\n1\n");
    // A result that is wrong is the graver fact.
    let report = run_sqlite("t.test", b"query I\nSELECT 1; garbage\n----\n2\n", false);
    assert_eq!(report.details().next().unwrap().problem.word(), "rows_differ");
    let report = run_scripted("query I\nrows 1\nunsupported x\n----\n1\n");
    assert_eq!(report.details().next().unwrap().problem.word(), "malformed");
}

#[test]
fn words_of_any_length_are_read_to_their_end() {
    let (columns, values) = (vec!["1"; 210].join(","), "1\n".repeat(210));
    let typed = |types: usize| {
        format!("hash-threshold 0\n\nquery {} nosort\nSELECT {columns}\n----\n{values}", "I".repeat(types))
    };
    passes(&typed(210));
    // The SQLite runner sees 199 letters of 250.
    assert_eq!(
        run_sqlite("t.test", typed(250).as_bytes(), false).details().next().unwrap().problem.word(),
        "column_count_differs"
    );
}

#[test]
fn a_nul_byte_in_sql_is_malformed() {
    for text in [
        "statement ok\nSELECT 1\0; this is no sql\n",
        "statement error\nSELEKT\n\0\n",
        "query I\nSELECT 7\0 FROM missing_table\n----\n7\n",
        "query I\nSELECT\n7 -- \0\n----\n7\n",
    ] {
        assert_eq!(*kind(&refused(text)), ParseErrorKind::NulInSql, "{text:?}");
    }
    passes("# \0\n\nstatement ok\n# \0\nSELECT 1\n");
}

#[test]
fn an_error_amid_rows_fails_and_the_hint_says_what_the_reference_makes_of_it() {
    let text = "query I\nSELECT abs(-9223372036854775807 - 1)\n----\n";
    assert_eq!(run_sqlite("any name", text.as_bytes(), true).status().word(), "passed");
    let sandbox = Sandbox::with(text);
    let output = sandbox.run("test --engine sqlite t.test");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("unexpected error: integer overflow"), "{output}");
    assert!(
        output.stdout.contains(
            "hint: the SQLite runner takes such an error for the end of the rows; --exact does the same"
        ),
        "{output}"
    );
    // An error before the first row is an error to the reference as well.
    let output = Sandbox::with("query I\nSELECT * FROM nope\n----\n").run("test --engine sqlite t.test");
    assert!(output.stdout.contains("no such table") && !output.stdout.contains("hint:"), "{output}");
}

#[test]
fn files_of_the_sqlite_dialect_have_no_record_that_is_malformed() {
    let mut roots = vec![manifest().join("../../suites")];
    roots.extend(shared().map(|shared| shared.join("corpus/sqlite")));
    for path in roots.iter().flat_map(|root| test_files(root)) {
        let source = vibesql_sqllogictest::location::Source::new("t.test", std::fs::read(&path).unwrap());
        let script = parse(&source, &SQLITE);
        let defect = script.records().find_map(|record| record.defect.as_ref());
        assert_eq!(defect.map(|defect| &defect.error), None, "{}", path.display());
    }
}

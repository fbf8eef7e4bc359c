//! Every record has exactly one outcome, and the counts add up, whatever the engine does.

use proptest::prelude::*;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::engine::{Database, DatabaseError, Engine, EngineError, EngineId, Session};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::executor::{Observer, Selection, Surroundings, run_observed};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{Counts, FailingRecord, FileEnd, FileReport, RecordId};
use vibesql_sqllogictest::parser::{SQLITE, parse};

use crate::support::{failing_lines, options, run_on, run_scripted};

/// The counts in one line, without what is zero.
fn account(report: &FileReport) -> String {
    let counts = report.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(report.failures.len() as u64, counts.not_passed(), "{counts:?}");
    let parts = [
        ("total", counts.total),
        ("executed", counts.executed),
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("skipped", counts.skipped),
        ("besides", counts.skipped_besides),
        ("unsupported", counts.unsupported),
        ("malformed", counts.malformed),
        ("not_reached", counts.not_reached),
        ("faulted", counts.faulted),
    ];
    let shown: Vec<_> = parts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {n}")).collect();
    format!("{}: {}", report.status().word(), shown.join(", "))
}

fn kinds(report: &FileReport) -> Vec<&'static str> {
    report.details().map(|detail| detail.problem.word()).collect()
}

#[test]
fn each_way_to_end_has_its_count() {
    let report = run_scripted(
        "statement ok\nok\n\nstatement ok\nerror no\n\nstatement error\nok\n\nstatement error\nerror yes\n\n\
         query I nosort\nrows 1 / 2\n----\n1\n2\n\nquery I nosort\nrows 1\n----\n2\n\n\
         query II nosort\nrows 1\n----\n1\n\nquery I nosort\nok\n----\n\n\
         statement ok\nunsupported no VACUUM here\n\nquery I sideways\nrows 1\n----\n1\n\n\
         skipif scripted\nstatement ok\nerror never run\n\nonlyif other\nhalt\n\n\
         query I nosort\nrows 1 then error late\n----\n1\n\nquery I nosort\nragged\n----\n1\n\n\
         query II nosort\nragged\n----\n1\n",
    );
    assert_eq!(
        account(&report),
        "failed: total 14, executed 12, passed 3, failed 7, skipped 2, besides 1, unsupported 1, malformed 1, faulted 1"
    );
    let expected = [
        "unexpected_error",
        "unexpected_success",
        "rows_differ",
        "column_count_differs",
        "column_count_differs",
        "unsupported",
        "malformed",
        "unexpected_error",
        "column_count_differs",
        "adapter_fault",
    ];
    assert_eq!(kinds(&report), expected);
}

#[test]
fn a_panic_ends_the_file_and_no_more() {
    let report =
        run_scripted("statement ok\nok\n\nstatement ok\npanic oh dear\n\nstatement ok\nok\n\nhalt\n");
    assert_eq!(account(&report), "crashed: total 3, executed 2, passed 1, not_reached 1, faulted 1");
    assert!(matches!(&report.end, FileEnd::Faulted { id: Some(id), .. } if id.is_on(4)));
    assert_eq!(report.details().next().unwrap().problem.word(), "engine_panicked");
}

#[test]
fn a_lost_engine_is_not_a_failing_record() {
    let report = run_scripted("statement error\nlost connection reset\n\nstatement ok\nok\n");
    assert_eq!(account(&report), "crashed: total 2, executed 1, not_reached 1, faulted 1");
    assert_eq!(kinds(&report), ["engine_lost"]);
}

#[test]
fn halt_leaves_the_rest_unreached() {
    let report =
        run_scripted("statement ok\nok\n\nhalt\n\nstatement ok\nerror x\n\nquery I\nrows 1\n----\n2\n");
    assert_eq!(account(&report), "passed: total 3, executed 1, passed 1, not_reached 2");
    assert_eq!(report.end, FileEnd::Halted { id: RecordId::at(4) });
}

#[test]
fn nothing_executed_is_empty_and_not_passed() {
    let files = [
        ("", "empty: "),
        ("# only a comment\n", "empty: "),
        ("hash-threshold 8\n", "empty: "),
        ("halt\n\nstatement ok\nok\n", "empty: total 1, not_reached 1"),
        ("skipif scripted\nstatement ok\nok\n", "empty: total 1, skipped 1"),
    ];
    for (text, expected) in files {
        assert_eq!(account(&run_scripted(text)), expected, "{text}");
    }
}

#[test]
fn unknown_text_ends_the_file() {
    let report = run_scripted("statement ok\nok\n\nfrobnicate\n\nstatement ok\nok\n");
    assert_eq!(account(&report), "failed: total 3, executed 1, passed 1, malformed 1, not_reached 1");
    assert_eq!(report.end, FileEnd::Malformed { id: RecordId::at(4) });
}

#[test]
fn text_hidden_behind_a_skipped_record_is_seen() {
    // The SQLite runner skips the query with the halt, without a word.
    let glued = "onlyif mssql\nhalt\nquery I nosort\nrows 1\n----\n2\n\nstatement ok\nok\n";
    assert_eq!(account(&run_scripted(glued)), "failed: total 2, executed 1, passed 1, malformed 1");
}

#[test]
fn a_skipped_query_speaks_for_its_label() {
    let text = "query I nosort x\nrows 1\n----\n1\n\nskipif scripted\nquery I nosort x\nrows 2\n----\n2\n";
    let report = run_scripted(text);
    assert_eq!(account(&report), "failed: total 2, executed 1, passed 1, failed 1, skipped 1, besides 1");
    assert_eq!(kinds(&report), ["label_differs"]);
    let agreeing = text.replace("----\n2", "----\n1");
    assert_eq!(account(&run_scripted(&agreeing)), "passed: total 2, executed 1, passed 1, skipped 1");
}

#[test]
fn labels_cut_to_20_bytes_only_in_exact() {
    let text = "query I nosort label-with-20-bytes-a\nSELECT 1\n----\n1\n\n\
                query I nosort label-with-20-bytes-b\nSELECT 2\n----\n2\n";
    assert_eq!(text.find("-a"), Some("query I nosort label-with-20-bytes".len()));
    assert_eq!(
        account(&run_on(&Sqlite, "t", text.as_bytes(), false)),
        "passed: total 2, executed 2, passed 2"
    );
    let longer = text.replace("label-", "label--");
    assert_eq!(
        account(&run_on(&Sqlite, "t", longer.as_bytes(), true)),
        "failed: total 2, executed 2, passed 1, failed 1"
    );
}

#[test]
fn sql_that_is_no_utf8_is_refused_not_guessed() {
    let report = run_on(&Sqlite, "t", b"statement ok\nSELECT '\xff'\n", false);
    assert_eq!(account(&report), "failed: total 1, unsupported 1");
}

#[test]
fn statements_run_whole_and_queries_run_their_first_statement() {
    let text = "statement ok\nCREATE TABLE t(a); INSERT INTO t VALUES (1);\n\n\
                query I nosort\nSELECT a FROM t; INSERT INTO t VALUES (2)\n----\n1\n\n\
                query I nosort\nSELECT count(*) FROM t; this is not even SQL\n----\n1\n\n\
                query I nosort\nINSERT INTO t VALUES (3) RETURNING a\n----\n3\n\n\
                query I nosort\nINSERT INTO t VALUES (4)\n----\n\nquery I nosort\nSELECT count(*) FROM t\n----\n2\n";
    let report = run_on(&Sqlite, "t", text.as_bytes(), true);
    assert_eq!(account(&report), "failed: total 6, executed 6, passed 5, failed 1");
    assert_eq!(kinds(&report), ["column_count_differs"], "the INSERT under `query` did not run");
    // The strict rules say so where a query has more than one.
    let report = run_on(&Sqlite, "t", text.as_bytes(), false);
    assert_eq!(account(&report), "failed: total 6, executed 6, passed 3, failed 1, malformed 2");
}

#[test]
fn an_engine_that_does_not_open_reaches_nothing() {
    struct Shut;
    impl Engine for Shut {
        fn describe(&self) -> Result<EngineId, EngineError> {
            Ok(EngineId::named("shut"))
        }
        fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
            Err(EngineError::new("connection refused"))
        }
    }
    let report = run_on(&Shut, "t", b"statement ok\nSELECT 1\n", false);
    assert_eq!(account(&report), "error: total 1, not_reached 1");
}

#[test]
fn a_database_that_is_not_dropped_is_reported_and_changes_no_outcome() {
    struct Sticky;
    struct StickyDatabase(Box<dyn Database>);
    #[derive(Default)]
    struct Heard(Vec<String>);
    impl Engine for Sticky {
        fn describe(&self) -> Result<EngineId, EngineError> {
            Sqlite.describe()
        }
        fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
            Ok(Box::new(StickyDatabase(Sqlite.create_database()?)))
        }
    }
    impl Database for StickyDatabase {
        fn connect(
            &mut self,
            name: Option<&str>,
            user: Option<&str>,
        ) -> Result<Box<dyn Session>, DatabaseError> {
            self.0.connect(name, user)
        }
        fn close(self: Box<Self>) -> Result<(), EngineError> {
            Err(EngineError::new("database is in use"))
        }
    }
    impl Observer for Heard {
        fn record_started(&mut self, _: &RecordId) {}
        fn record_not_passed(&mut self, _: &FailingRecord) {}
        fn record_settled(&mut self, _: &Counts) {}
        fn database_not_closed(&mut self, error: &EngineError) {
            self.0.push(error.to_string());
        }
    }
    let source = Source::new("t", "statement ok\nSELECT 1\n");
    let mut heard = Heard::default();
    let report = run_observed(
        &parse(&source, &SQLITE),
        Surroundings::isolated(&Sticky),
        &options(&["sqlite"]),
        Selection::All,
        &mut heard,
    );
    assert_eq!(account(&report), "passed: total 1, executed 1, passed 1");
    assert_eq!(heard.0, ["database is in use"]);
}

/// Scripts over everything that the scripted engine survives, with conditions, labels and broken records.
fn scripts() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        4 => Just(""),
        1 => Just("skipif scripted\n"),
        1 => Just("onlyif scripted # here\n"),
        1 => Just("onlyif other\n"),
    ];
    let body = prop_oneof![
        8 => Just("statement ok\nok"),
        4 => Just("statement error\nok"),
        4 => Just("statement ok\nerror e"),
        4 => Just("statement ok\nunsupported u"),
        1 => Just("statement ok\nlost l"),
        1 => Just("statement ok\npanic p"),
        8 => Just("query I nosort a\nrows 1\n----\n1"),
        4 => Just("query I nosort a\nrows 2\n----\n2"),
        4 => Just("query II rowsort\nrows 1 2\n----\n1"),
        4 => Just("query I valuesort\nragged\n----"),
        4 => Just("query X\nrows 1"),
        2 => Just("query"),
        2 => Just("nonsense"),
        4 => Just("statement perhaps\nok"),
        4 => Just("hash-threshold 1\nglued"),
        1 => Just("halt"),
        2 => Just(""),
    ];
    prop::collection::vec((condition, body), 0..25).prop_map(|records| {
        records.iter().map(|(condition, body)| format!("{condition}{body}\n\n")).collect()
    })
}

proptest! {
    #[test]
    fn counts_add_up(script in scripts()) {
        let engine = engines::builtin().make("scripted").unwrap();
        for exact in [false, true] {
            let report = run_on(engine.as_ref(), "t", script.as_bytes(), exact);
            let counts = report.counts;
            prop_assert!(counts.add_up(), "{:?}", counts);
            prop_assert_eq!(report.failures.len() as u64, counts.not_passed());
            prop_assert!(failing_lines(&report).is_sorted());
            let executed_at_most = counts.passed + counts.failed + counts.faulted + counts.malformed;
            prop_assert!(counts.passed <= counts.executed && counts.executed <= executed_at_most);
        }
    }
}

//! What a driver can do besides returning a result: errors, panics, connections, unusual outputs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slt_core::engine::{Capability, DatabaseError, Engine, ExecuteError, Flow, RowSink, Session};
use slt_core::outcome::{FileEnd, FileProblem, FileStatus};
use slt_core::value::{Column, TypeTag, ValueRef};
use sqllogictest::{DB, DBOutput, DefaultColumnType};
use vibesql_sqllogictest_compat::{FromAsyncDb, FromDb};

use crate::lite::{Lite, LiteError, NewAsyncDb, NewDb};
use crate::verdicts::{engines, problems, run};

/// Records the calls of a session.
#[derive(Default)]
struct Log(Vec<String>);

impl RowSink for Log {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        let types: Vec<TypeTag> = columns.iter().map(|column| column.type_tag).collect();
        self.0.push(format!("{types:?}"));
        Flow::Continue
    }

    fn unknown_columns(&mut self) -> Flow {
        self.0.push("unknown".to_owned());
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let text = |value: &ValueRef<'_>| match value {
            ValueRef::Null => "null".to_owned(),
            ValueRef::Text(text) => format!("`{}`", String::from_utf8_lossy(text)),
            other => panic!("a driver has texts only, found {other:?}"),
        };
        self.0.push(values.iter().map(text).collect::<Vec<_>>().join(" "));
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.0.push(format!("{affected:?}"));
        Flow::Continue
    }
}

fn calls(session: &mut dyn Session, sql: &str) -> Result<Vec<String>, ExecuteError> {
    let mut log = Log::default();
    session.execute(sql.as_bytes(), &mut log).map(|()| log.0)
}

fn session(engine: &dyn Engine) -> Box<dyn Session> {
    engine.create_database().unwrap().connect(None, None).unwrap()
}

/// A driver that returns what the SQL says: letters of columns, and rows.
struct Echo;

impl DB for Echo {
    type Error = std::io::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
        let Some((letters, rows)) = sql.split_once(':') else {
            return Ok(DBOutput::StatementComplete(sql.parse().unwrap()));
        };
        use sqllogictest::ColumnType as _;
        let types = letters.chars().filter_map(DefaultColumnType::from_char).collect();
        let row = |row: &str| row.split(',').map(str::to_owned).collect();
        Ok(DBOutput::Rows { types, rows: rows.split('/').filter(|row| !row.is_empty()).map(row).collect() })
    }
}

#[test]
fn outputs_become_columns_rows_and_counts() {
    let engine = FromDb::new("echo", || Ok(Echo));
    let mut session = session(&engine);
    for (sql, expected) in [
        ("7", vec!["[]", "Some(7)"]),
        ("IRT?:1,0.5,x,y", vec!["[Integer, Real, Text, Unknown]", "`1` `0.5` `x` `y`", "None"]),
        ("TT:NULL,(empty)/null,", vec!["[Text, Text]", "null ``", "`null` ``", "None"]),
        ("I:", vec!["[Integer]", "None"]),
        // Some drivers do not tell the types.
        (":1,2", vec!["[Unknown, Unknown]", "`1` `2`", "None"]),
        (":", vec!["unknown", "None"]),
    ] {
        assert_eq!(calls(session.as_mut(), sql).unwrap(), expected, "{sql}");
    }
    assert!(matches!(session.execute(b"\xff", &mut Log::default()), Err(ExecuteError::Unsupported(_))));
    assert!(session.interrupter().is_none());
}

#[test]
fn a_result_that_contradicts_itself_passes_nothing() {
    let engine = FromDb::new("echo", || Ok(Echo));
    let text = "query I nosort\nI:1,2\n----\n1\n\nquery I nosort\n3\n----\n\nquery I nosort\nI:1\n----\n1\n";
    let report = run(&engine, text.as_bytes());
    assert_eq!(problems(&report), [(1, "adapter_fault"), (6, "column_count_differs")]);
    assert_eq!((report.counts.passed, report.end), (1, FileEnd::Completed));
}

#[test]
fn conditions_are_compared_with_the_name_that_the_driver_tells() {
    for (kind, engine) in engines() {
        let id = engine.describe().unwrap();
        assert_eq!((id.name.as_str(), id.labels), ("lite", vec!["SQLite".to_owned()]), "{kind}");
    }
    assert_eq!(FromDb::new("echo", || Ok(Echo)).describe().unwrap().labels, ["echo"]);
}

#[test]
fn an_error_has_the_code_that_the_driver_tells() {
    for (kind, engine) in engines() {
        let Err(ExecuteError::Sql(error)) = calls(session(engine.as_ref()).as_mut(), "SELECT * FROM t")
        else {
            panic!("{kind}")
        };
        assert!(error.message.contains("no such table: t"), "{error}");
        assert_eq!(error.code.is_some(), kind.contains("0.29"), "{kind}");
    }
}

#[test]
fn a_broken_connection_is_no_sql_error() {
    let text = "statement error\nSELECT * FROM missing\n\nstatement error\nhang up\n\nstatement error\nx\n";
    for (kind, engine) in engines() {
        let report = run(engine.as_ref(), text.as_bytes());
        assert_eq!((report.counts.passed, report.counts.not_reached), (1, 1), "{kind}");
        assert_eq!(report.status(), FileStatus::Crashed, "{kind}");
    }
    let engine = FromDb::new("lite", || Ok(NewDb(Lite::open())));
    let engine = engine.lost_if(|error| error.to_string().contains("no such table"));
    let report = run(&engine, text.as_bytes());
    assert_eq!((report.counts.passed, report.counts.not_reached), (0, 2));
    // The test knows the error itself, too.
    let engine = FromAsyncDb::new("lite", || async { Ok(NewAsyncDb(Lite::open())) });
    let engine = engine.lost_if(|error| matches!(error.downcast_ref(), Some(LiteError::Sql(_))));
    assert_eq!(run(&engine, text.as_bytes()).counts.not_reached, 2);
}

#[test]
fn a_panic_ends_one_file() {
    let text = "statement ok\nSELECT 1\n\nstatement error\npanic\n\nstatement ok\nSELECT 1\n";
    for (kind, engine) in engines() {
        let report = run(engine.as_ref(), text.as_bytes());
        assert_eq!(problems(&report), [(4, "engine_panicked")], "{kind}");
        assert_eq!((report.counts.passed, report.counts.not_reached), (1, 1), "{kind}");
        assert_eq!(run(engine.as_ref(), b"statement ok\nSELECT 1\n").status(), FileStatus::Passed, "{kind}");
    }
}

#[test]
fn a_connection_is_shut_down_in_an_orderly_way_unless_it_is_broken() {
    for sql in ["SELECT 1", "SELECT * FROM missing", "hang up", "panic"] {
        let lite = Lite::open();
        let shut_down = lite.shut_down.clone();
        let engine = FromAsyncDb::new("lite", move || std::future::ready(Ok(NewAsyncDb(lite.clone()))));
        run(&engine, format!("statement ok\n{sql}\n").as_bytes());
        let expected = usize::from(sql.starts_with("SELECT"));
        assert_eq!(shut_down.load(Ordering::Relaxed), expected, "{sql}");
    }
}

#[test]
fn connections_of_a_file_have_one_database() {
    fn check(engine: &dyn Engine) {
        assert_eq!(engine.capabilities(), Ok(vec![Capability::Connections]));
        let mut database = engine.create_database().unwrap();
        let mut first = database.connect(None, None).unwrap();
        let mut second = database.connect(Some("second"), None).unwrap();
        calls(first.as_mut(), "CREATE TABLE t(a)").unwrap();
        assert!(calls(second.as_mut(), "SELECT * FROM t").is_ok());
        let user = database.connect(None, Some("ann"));
        assert!(matches!(user, Err(DatabaseError::Unsupported(_))));
        let other = calls(session(engine).as_mut(), "SELECT * FROM t");
        assert!(matches!(other, Err(ExecuteError::Sql(_))), "another file has another database");
    }
    check(&FromDb::with_connections("lite", || {
        let lite = Lite::open();
        move || Ok(NewDb(lite.clone()))
    }));
    check(&FromAsyncDb::with_connections("lite", || {
        let lite = Lite::open();
        move || {
            let lite = lite.clone();
            async move { Ok(NewAsyncDb(lite)) }
        }
    }));
}

#[test]
fn a_second_connection_to_an_unknown_database_is_refused() {
    for (kind, engine) in engines() {
        assert_eq!(engine.capabilities(), Ok(Vec::new()), "{kind}");
        let mut database = engine.create_database().unwrap();
        let _first = database.connect(None, None).unwrap();
        let second = database.connect(Some("second"), None);
        assert!(matches!(second, Err(DatabaseError::Unsupported(_))), "{kind}");
    }
}

#[test]
fn a_driver_that_cannot_connect_is_an_engine_that_is_not_available() {
    let fail = || Err::<NewDb, _>(LiteError::Io(std::io::ErrorKind::ConnectionRefused.into()));
    let engine = FromDb::new("lite", fail);
    let error = engine.describe().unwrap_err();
    assert_eq!(error.to_string(), "the driver cannot connect: no answer");
    let report = run(&engine, b"statement error\nx\n");
    assert!(matches!(report.end, FileEnd::NotStarted(FileProblem::Engine(_))));
    assert_eq!(report.counts.not_reached, 1);
}

/// A blocking driver with a runtime of its own.
struct OwnRuntime(tokio::runtime::Runtime);

impl DB for OwnRuntime {
    type Error = std::io::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, _: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
        self.0.block_on(tokio::task::yield_now());
        Ok(DBOutput::StatementComplete(0))
    }
}

#[test]
fn a_blocking_driver_can_have_a_runtime_of_its_own() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build();
    let engine = FromDb::new("own", move || runtime().map(OwnRuntime));
    assert_eq!(run(&engine, b"statement ok\nx\n").status(), FileStatus::Passed);
}

#[test]
fn each_file_has_one_connection_and_the_closure_can_use_the_runtime() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let engine = FromAsyncDb::new("lite", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        // Without a runtime, this panics.
        let task = tokio::spawn(async { NewAsyncDb(Lite::open()) });
        async { Ok(task.await.unwrap()) }
    });
    for _ in 0..3 {
        assert_eq!(run(&engine, b"statement ok\nSELECT 1\n").status(), FileStatus::Passed);
    }
    assert_eq!(made.load(Ordering::Relaxed), 3);
}

//! Executes SQL and checks the calls of the sink.

use vibesql::storage::Row;

use super::transfer::RowTransfer;
use super::{Mode, VibeSql};
use slt_core::engine::{Engine, ExecuteError, Flow, RowSink, Session};
use slt_core::value::{Column, ValueRef};

/// Records each call, and stops at the given one.
#[derive(Default)]
struct Log {
    calls: Vec<String>,
    stop_at: Option<&'static str>,
}

impl Log {
    fn call(&mut self, call: String) -> Flow {
        let stop = self.stop_at.is_some_and(|at| call.starts_with(at));
        self.calls.push(call);
        if stop { Flow::Stop } else { Flow::Continue }
    }
}

impl RowSink for Log {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.call(format!("columns {}", columns.len()))
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let values: Vec<_> = values.iter().map(show).collect();
        self.call(values.join(" "))
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.call(affected.map_or_else(|| "end".to_owned(), |affected| format!("end {affected}")))
    }
}

fn show(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => format!("{bytes:x?}"),
        other => format!("{other:?}"),
    }
}

fn session(mode: Mode) -> Box<dyn Session> {
    VibeSql::new(mode).create_database().unwrap().connect(None, None).unwrap()
}

fn open(setup: &str) -> Box<dyn Session> {
    let mut session = session(Mode::Sqlite);
    session.execute(setup.as_bytes(), &mut Log::default()).unwrap();
    session
}

fn calls(session: &mut dyn Session, sql: &str) -> Vec<String> {
    let mut log = Log::default();
    if let Err(error) = session.execute(sql.as_bytes(), &mut log) {
        log.calls.push(match error {
            ExecuteError::Sql(error) => format!("sql: {error}"),
            ExecuteError::Unsupported(text) => format!("unsupported: {text}"),
            ExecuteError::Lost(error) => format!("lost: {error}"),
        });
    }
    log.calls
}

fn check(setup: &str, sql: &str, expected: &[&str]) {
    assert_eq!(calls(&mut *open(setup), sql), expected, "{sql}");
}

const TABLE: &str =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);";

#[test]
fn statements_without_a_result_have_no_columns() {
    check("", TABLE, &["columns 0", "end", "columns 0", "end 2"]);
    check(TABLE, "-- nothing\n;", &[]);
    check(TABLE, "SELECT * FROM t ORDER BY a", &["columns 2", "Integer(1) 'x'", "Integer(2) Null", "end"]);
    check(TABLE, "DELETE FROM t; SELECT a FROM t", &["columns 0", "end 2", "columns 1", "end"]);
}

#[test]
fn results_without_rows_have_columns() {
    for (sql, columns) in [
        ("SELECT a, b, 1 FROM t WHERE a > 9", "columns 3"),
        ("SELECT * FROM t WHERE a > 9", "columns 2"),
        ("SELECT t.*, u.a FROM t JOIN t AS u ON u.a = t.a WHERE t.a > 9", "columns 3"),
        ("SELECT a, b FROM t WHERE a > 9 UNION SELECT a, b FROM t WHERE a > 9", "columns 2"),
        ("WITH c AS (SELECT a FROM t WHERE a > 9) SELECT * FROM c", "columns 1"),
        ("SELECT * FROM v", "columns 2"),
        ("SELECT * FROM (SELECT a, b, a FROM t WHERE a > 9) AS s", "columns 3"),
    ] {
        check(&format!("{TABLE} CREATE VIEW v AS SELECT * FROM t WHERE a > 9"), sql, &[columns, "end"]);
    }
}

#[test]
fn values_keep_their_types() {
    let setup = "CREATE TABLE d(d DATE, ts TIMESTAMP, b BOOLEAN, r REAL, x BLOB);
        INSERT INTO d VALUES (DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03', TRUE, 1.5, x'00ff')";
    check(
        setup,
        "SELECT ts, r, d, b, x FROM d",
        &[
            "columns 5",
            "Other(\"2024-02-29 01:02:03\") Real(1.5) Other(\"2024-02-29\") Boolean(true) [0, ff]",
            "end",
        ],
    );
    check("", "SELECT 7 / 2, 'a;b'", &["columns 2", "Integer(3) 'a;b'", "end"]);
    let mut mysql = session(Mode::Mysql);
    assert_eq!(calls(&mut *mysql, "SELECT 7 / 2"), ["columns 1", "Real(3.5)", "end"]);
}

#[test]
fn values_without_a_variant_are_written() {
    use vibesql::types::SqlValue as V;
    let values =
        vec![V::Unsigned(u64::MAX), V::Null, V::Vector(vec![0.5, 2.0]), V::Unsigned(7), V::Float(0.5)];
    let mut transfer = RowTransfer::default();
    let mut log = Log::default();
    transfer.announce(5, &mut log);
    transfer.finish(&[Row::new(values), Row::new(vec![V::Null; 5])], None, &mut log).unwrap();
    let first = "Decimal(\"18446744073709551615\") Null Other(\"[0.5, 2]\") Integer(7) Real(0.5)";
    assert_eq!(log.calls, ["columns 5", first, "Null Null Null Null Null", "end"]);
    let ragged = transfer.finish(&[Row::new(vec![V::Null])], None, &mut log);
    assert!(matches!(ragged, Err(ExecuteError::Lost(_))), "{ragged:?}");
}

#[test]
fn the_version_is_the_one_that_is_linked() {
    let version = VibeSql::new(Mode::Sqlite).describe().unwrap().version;
    check("", "SELECT VERSION()", &["columns 1", &format!("'NistMemSQL {version}'"), "end"]);
}

#[test]
fn returning_announces_its_columns_before_the_change() {
    check(
        TABLE,
        "INSERT INTO t VALUES (3, 'z') RETURNING *, a + 1",
        &["columns 3", "Integer(3) 'z' Integer(4)", "end 1"],
    );
    check(TABLE, "UPDATE t SET b = 'y' WHERE a = 2 RETURNING b", &["columns 1", "'y'", "end 1"]);
    check(TABLE, "DELETE FROM t WHERE a > 9 RETURNING *", &["columns 2", "end 0"]);
    check(TABLE, "INSERT INTO main.t VALUES (3, 'z') RETURNING *", &["columns 2", "Integer(3) 'z'", "end 1"]);
    let failed = calls(&mut *open(TABLE), "DELETE FROM missing RETURNING *");
    assert!(matches!(&failed[..], [error] if error.starts_with("sql: ")), "{failed:?}");
}

#[test]
fn a_sink_that_stops_keeps_statements_from_being_executed() {
    for (sql, stop_at) in [
        ("INSERT INTO t VALUES (3, 'z')", "columns 0"),
        ("DELETE FROM t RETURNING a", "columns 1"),
        ("DROP TABLE t", "columns 0"),
        ("CREATE TABLE u(a); DELETE FROM t", "end"),
        ("SELECT a FROM t ORDER BY a; DELETE FROM t", "Integer(1)"),
    ] {
        let mut session = open(TABLE);
        let mut log = Log { stop_at: Some(stop_at), ..Log::default() };
        session.execute(sql.as_bytes(), &mut log).unwrap();
        assert!(log.calls.last().is_some_and(|call| call.starts_with(stop_at)), "{sql}: {:?}", log.calls);
        assert_eq!(
            calls(&mut *session, "SELECT COUNT(*) FROM t"),
            ["columns 1", "Integer(2)", "end"],
            "{sql}"
        );
    }
}

#[test]
fn errors_end_the_text() {
    let mut session = open(TABLE);
    let failed = calls(&mut *session, "DELETE FROM t WHERE a = 1; SELEC 1; DELETE FROM t");
    assert!(matches!(&failed[..], [_, _, error] if error.starts_with("sql: Parse error")), "{failed:?}");
    let failed = calls(&mut *session, "INSERT INTO t VALUES (2, 'again')");
    assert!(matches!(&failed[..], [_, error] if error.starts_with("sql: ")), "{failed:?}");
    assert_eq!(calls(&mut *session, "SELECT a FROM t"), ["columns 1", "Integer(2)", "end"]);
}

#[test]
fn what_has_no_executor_is_refused() {
    for sql in [
        "VACUUM",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "EXPLAIN ANALYZE SELECT 1",
        "PRAGMA journal_mode = WAL",
        "PRAGMA foreign_keys = maybe",
        "SELECT a INTO @a FROM t",
    ] {
        let refused = calls(&mut *open(TABLE), sql);
        assert!(
            matches!(&refused[..], [error] if error.starts_with("unsupported: VibeSQL 0.2 has no executor for")),
            "{sql}: {refused:?}"
        );
    }
}

#[test]
fn pragmas_with_a_setter_are_followed() {
    check("", "PRAGMA foreign_keys", &["columns 1", "Integer(0)", "end"]);
    check("PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", &["columns 1", "Integer(1)", "end"]);
    let setup =
        "PRAGMA foreign_keys(1); CREATE TABLE p(a INTEGER PRIMARY KEY); CREATE TABLE c(a REFERENCES p)";
    let failed = calls(&mut *open(setup), "INSERT INTO c VALUES (1)");
    assert!(matches!(&failed[..], [_, error] if error.starts_with("sql: ")), "{failed:?}");
}

#[test]
fn changes_are_counted() {
    check(
        TABLE,
        "UPDATE t SET b = 'u'; SELECT changes(), total_changes()",
        &["columns 0", "end 2", "columns 2", "Integer(2) Integer(4)", "end"],
    );
}

#[test]
fn transactions_are_what_the_text_says() {
    let setup = format!("{TABLE} BEGIN; DELETE FROM t; ROLLBACK; BEGIN; DELETE FROM t WHERE a = 1; COMMIT");
    check(&setup, "SELECT a FROM t", &["columns 1", "Integer(2)", "end"]);
    let setup =
        format!("{TABLE} BEGIN; SAVEPOINT s; INSERT INTO t VALUES (3, 'z'); ROLLBACK TO SAVEPOINT s; COMMIT");
    check(&setup, "SELECT COUNT(*) FROM t", &["columns 1", "Integer(2)", "end"]);
}

#[test]
fn triggers_views_and_cursors_are_executed() {
    let setup = format!(
        "{TABLE} CREATE TABLE log(m TEXT);
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN
            INSERT INTO log VALUES (CASE WHEN NEW.a > 2 THEN 'big;' ELSE 'small' END); INSERT INTO log VALUES (';');
        END;
        INSERT INTO t VALUES (3, 'z');"
    );
    check(&setup, "SELECT m FROM log", &["columns 1", "'big;'", "';'", "end"]);
    let setup = format!("{TABLE} CREATE VIEW v AS SELECT a FROM t WHERE b IS NULL ;");
    check(&setup, "SELECT * FROM v", &["columns 1", "Integer(2)", "end"]);
    check(
        &setup,
        "SELECT sql FROM sqlite_master WHERE type = 'view'",
        &["columns 1", "'CREATE VIEW v AS SELECT a FROM t WHERE b IS NULL'", "end"],
    );
    let setup = format!("{TABLE} DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a; OPEN c; FETCH NEXT FROM c");
    check(
        &setup,
        "FETCH NEXT FROM c; FETCH NEXT FROM c; CLOSE c",
        &["columns 1", "Integer(2)", "end", "columns 1", "end", "columns 0", "end"],
    );
}

#[test]
fn the_rest_of_the_catalogue_reaches_its_executor() {
    for sql in [
        "CREATE INDEX i ON t(b); REINDEX i; ANALYZE t; DROP INDEX i",
        "ALTER TABLE t ADD COLUMN c INTEGER; TRUNCATE TABLE t; DROP TABLE t",
        "CREATE SCHEMA s; SET SCHEMA s; DROP SCHEMA IF EXISTS q",
        "SET NAMES 'utf8'; SET TIME ZONE LOCAL; SET x = 1",
        "CREATE ROLE r; GRANT SELECT ON t TO r; REVOKE SELECT ON t FROM r; DROP ROLE r",
        "CREATE DOMAIN d AS INTEGER; DROP DOMAIN d RESTRICT; CREATE TYPE y AS DISTINCT INTEGER; DROP TYPE y RESTRICT",
        "CREATE SEQUENCE q; ALTER SEQUENCE q INCREMENT BY 2; DROP SEQUENCE q RESTRICT",
        "CREATE PROCEDURE p() BEGIN DELETE FROM t; END; CALL p(); DROP PROCEDURE p",
        "SHOW TABLES; SHOW DATABASES; SHOW COLUMNS FROM t; SHOW INDEX FROM t; SHOW CREATE TABLE t; DESCRIBE t",
        "EXPLAIN SELECT * FROM t; EXPLAIN QUERY PLAN SELECT * FROM t",
    ] {
        let calls = calls(&mut *open(TABLE), sql);
        let ends = calls.iter().filter(|call| *call == "end").count();
        assert_eq!(calls.last().map(String::as_str), Some("end"), "{sql}: {calls:?}");
        assert_eq!(ends, sql.split("; ").count() - usize::from(sql.contains("BEGIN")), "{sql}: {calls:?}");
    }
}

/// VibeSQL keeps answers of IN subqueries per thread, also on the threads that filter large tables.
#[test]
fn an_answer_that_a_thread_keeps_does_not_reach_the_next_session() {
    let count = |value: u32| {
        let small = (0..110).map(|number| format!("({})", number % 10)).collect::<Vec<_>>().join(",");
        let mut session = open(&format!(
            "CREATE TABLE small(a INTEGER); INSERT INTO small VALUES {small}; \
             CREATE TABLE big(a INTEGER); INSERT INTO big SELECT x.a FROM small x, small y; \
             CREATE TABLE s(b INTEGER); INSERT INTO s VALUES ({value})"
        ));
        let sql = "SELECT count(*) FROM big WHERE a + 0 IN (SELECT b + 0 FROM s) OR a < 0";
        calls(session.as_mut(), sql)
    };
    let alone = count(1);
    assert_eq!(alone, ["columns 1", "Integer(1210)", "end"]);
    // No value of the table is among those of this set, and all are 10 times as often as in `alone`.
    assert_eq!(count(99), ["columns 1", "Integer(0)", "end"]);
    assert_eq!(count(1), alone);
}

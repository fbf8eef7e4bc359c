//! Sessions on MariaDB, through the library.

use vibesql_sqllogictest::engine::mysql::Mysql;
use vibesql_sqllogictest::engine::{
    Database, DatabaseError, Engine as _, ExecuteError, Flow, RowSink, Session,
};
use vibesql_sqllogictest::value::{Column, ValueRef};

use crate::servers::{TestServer, mariadb};

/// Writes down what a session tells.
#[derive(Default)]
struct Notes {
    calls: Vec<String>,
    /// The number of rows after which it wants no more.
    rows: Option<usize>,
    /// Whether it wants one statement only.
    is_query: bool,
}

impl RowSink for Notes {
    fn wants_names(&self) -> bool {
        true
    }

    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        let columns = columns.iter().map(|column| format!("{} {:?}", column.name.unwrap(), column.type_tag));
        self.calls.push(format!("[{}]", columns.collect::<Vec<_>>().join(", ")));
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        self.calls.push(format!("{values:?}"));
        let rest = self.rows.as_mut();
        rest.map_or(Flow::Continue, |rest| {
            *rest -= 1;
            if *rest == 0 { Flow::Stop } else { Flow::Continue }
        })
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.calls.push(format!("{affected:?}"));
        if self.is_query { Flow::Stop } else { Flow::Continue }
    }
}

fn database(server: &TestServer) -> Box<dyn Database> {
    let address = server.address().replace("mysql://tester@", &format!("//tester:{}@", server.password()));
    Mysql::at(&address).unwrap().create_database().unwrap()
}

fn calls(session: &mut dyn Session, sql: &str) -> Vec<String> {
    let mut notes = Notes::default();
    session.execute(sql.as_bytes(), &mut notes).unwrap();
    notes.calls
}

#[test]
fn values_have_types_and_statements_their_counts() {
    let Some(server) = mariadb() else { return };
    let mut database = database(server);
    let mut session = database.connect(None, None).unwrap();
    let text = "SELECT NULL AS n, -1 AS i, 18446744073709551615 AS u, 1.50 AS d, 1.5e0 AS f, 'ä' AS t, x'00ff' AS b;
        CREATE TABLE t(d DATE, j JSON, e ENUM('x'), v VARBINARY(2), c CHAR(2), bit BIT(9), y YEAR, r FLOAT);
        INSERT INTO t VALUES ('2024-02-29', '{}', 'x', 'ab', 'cd', 257, 2024, 0.1), (NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL);
        SELECT * FROM t WHERE d IS NOT NULL; UPDATE t SET c = 'x' WHERE d IS NOT NULL; DELETE FROM t;
        SELECT 1 AS one WHERE FALSE";
    insta::assert_snapshot!(calls(session.as_mut(), text).join("\n"), @r#"
    [n Unknown, i Integer, u Integer, d Real, f Real, t Text, b Blob]
    [Null, Integer(-1), Decimal("18446744073709551615"), Decimal("1.50"), RealText("1.5"), Text([195, 164]), Blob([0, 255])]
    None
    []
    Some(0)
    []
    Some(2)
    [d Other, j Text, e Text, v Blob, c Text, bit Blob, y Integer, r Real]
    [Other("2024-02-29"), Text([123, 125]), Text([120]), Blob([97, 98]), Text([99, 100]), Blob([1, 1]), Integer(2024), RealText("0.1")]
    None
    []
    Some(1)
    []
    Some(2)
    [one Integer]
    None
    "#);
    drop(session);
    database.close().unwrap();
}

#[test]
fn a_session_goes_on_after_a_stop_and_after_an_error() {
    let Some(server) = mariadb() else { return };
    let mut database = database(server);
    let mut session = database.connect(None, None).unwrap();
    let session = session.as_mut();
    calls(session, "CREATE TABLE t(a INT)");
    // After the first statement, nothing is executed.
    let mut query = Notes { is_query: true, ..Notes::default() };
    session.execute(b"SELECT 1; INSERT INTO t VALUES (1)", &mut query).unwrap();
    assert_eq!(query.calls.len(), 3);
    let mut few = Notes { rows: Some(2), ..Notes::default() };
    session.execute(b"SELECT seq FROM seq_1_to_100000; INSERT INTO t VALUES (1)", &mut few).unwrap();
    assert_eq!(few.calls.len(), 3);
    assert!(calls(session, "SELECT count(*) FROM t").contains(&"[Integer(0)]".to_owned()));
    // After an error as well; what came before it stays.
    let mut notes = Notes::default();
    let text = b"INSERT INTO t VALUES (1); INSERT INTO u VALUES (1); INSERT INTO t VALUES (2)";
    let Err(ExecuteError::Sql(error)) = session.execute(text, &mut notes) else { panic!() };
    assert_eq!(error.code.as_deref(), Some("42S02"));
    assert_eq!(error.message, "Table 'slt_database.u' doesn't exist");
    assert!(calls(session, "SELECT count(*) FROM t").contains(&"[Integer(1)]".to_owned()));
    // An error after rows: the second row of the subquery shows late.
    let late = "SELECT IF(seq < 3, seq, (SELECT seq FROM seq_1_to_2)) FROM seq_1_to_5";
    let mut notes = Notes::default();
    assert!(matches!(session.execute(late.as_bytes(), &mut notes), Err(ExecuteError::Sql(_))));
    assert_eq!(calls(session, "SELECT 'ready'").len(), 3);
    // Only blanks and comments.
    assert_eq!(calls(session, " ; -- nothing\n;"), [""; 0]);
    // A procedure has several results.
    calls(session, "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END");
    assert_eq!(calls(session, "CALL p()").len(), 8);
    assert_eq!(calls(session, "SELECT 'ready'").len(), 3);
}

#[test]
fn a_cancellation_hits_no_later_statement() {
    let Some(server) = mariadb() else { return };
    let mut database = database(server);
    let mut session = database.connect(None, None).unwrap();
    let interrupt = session.interrupter().unwrap();
    for _ in 0..50 {
        // It comes too late, as when a statement ends at its time limit.
        interrupt();
        interrupt();
        assert_eq!(calls(session.as_mut(), "SELECT SLEEP(0)")[1], "[Integer(0)]");
    }
    // In time, it ends the statement: with an error, or with the result that the function has then.
    std::thread::scope(|scope| {
        let sleeping = scope.spawn(|| {
            for _ in 0..100 {
                std::thread::park_timeout(std::time::Duration::from_millis(20));
                interrupt();
            }
        });
        let mut notes = Notes::default();
        match session.execute(b"SELECT SLEEP(1000)", &mut notes) {
            Ok(()) => assert_eq!(notes.calls[1], "[Integer(1)]"),
            Err(error) => assert_eq!(error.to_string(), "Query execution was interrupted"),
        }
        sleeping.join().unwrap();
    });
    assert_eq!(calls(session.as_mut(), "SELECT SLEEP(0)")[1], "[Integer(0)]");
}

#[test]
fn connections_see_one_database_and_users_have_their_rights() {
    let Some(server) = mariadb() else { return };
    let mut database = database(server);
    let mut first = database.connect(None, None).unwrap();
    calls(first.as_mut(), "CREATE TABLE t(a INT); SET @mine = 1; INSERT INTO t VALUES (7)");
    let mut second = database.connect(Some("second"), None).unwrap();
    assert_eq!(calls(second.as_mut(), "SELECT a, @mine FROM t")[1], "[Integer(7), Null]");
    let refused = database.connect(Some("third"), Some("slt_nobody")).map(drop);
    assert!(matches!(refused, Err(DatabaseError::Engine(error)) if error.message.contains("Access denied")));
    calls(
        first.as_mut(),
        "CREATE OR REPLACE USER slt_reader@'%'; EXECUTE IMMEDIATE CONCAT('GRANT SELECT ON ', DATABASE(), '.* TO \
         slt_reader@\"%\"')",
    );
    let mut reader = database.connect(Some("third"), Some("slt_reader")).unwrap();
    assert_eq!(calls(reader.as_mut(), "SELECT a FROM t")[1], "[Integer(7)]");
    let denied = reader.execute(b"INSERT INTO t VALUES (8)", &mut Notes::default());
    assert!(matches!(denied, Err(ExecuteError::Sql(error)) if error.code.as_deref() == Some("42000")));
    calls(first.as_mut(), "DROP USER slt_reader@'%'");
    drop((first, second, reader));
    database.close().unwrap();
}

#[test]
fn a_server_that_is_gone_is_a_lost_connection() {
    let Some(server) = TestServer::start_mariadb() else { return };
    let mut database = database(&server);
    let mut session = database.connect(None, None).unwrap();
    server.kill();
    for _ in 0..2 {
        let lost = session.execute(b"SELECT 1", &mut Notes::default());
        assert!(matches!(lost, Err(ExecuteError::Lost(_))), "{lost:?}");
    }
    assert!(matches!(database.connect(Some("second"), None), Err(DatabaseError::Engine(_))));
    drop(session);
    assert!(database.close().is_err());
}

//! Every engine does what it has declared, and refuses the rest: it is unsupported, never a success and never a SQL error.

use vibesql_sqllogictest::engine::{Capability, DatabaseError, Engine, ExecuteError, Flow, RowSink, Session};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::value::{Column, ValueRef};

use crate::external::python;
use crate::servers::{TestServer, mariadb, postgres};

/// Counts rows, and can end a statement when its columns are known.
#[derive(Default)]
struct RowCount {
    rows: usize,
    stops_at_columns: bool,
}

impl RowSink for RowCount {
    fn columns(&mut self, _: &[Column<'_>]) -> Flow {
        if self.stops_at_columns { Flow::Stop } else { Flow::Continue }
    }

    fn row(&mut self, _: &[ValueRef<'_>]) -> Flow {
        self.rows += 1;
        Flow::Continue
    }

    fn done(&mut self, _: Option<u64>) -> Flow {
        Flow::Continue
    }
}

fn execute(session: &mut dyn Session, sql: &str) -> Result<usize, ExecuteError> {
    let mut count = RowCount::default();
    session.execute(sql.as_bytes(), &mut count)?;
    Ok(count.rows)
}

/// The addresses of all engines that can be tested here. The password of a server stands in its address, which only a
/// variable may have on the command line.
fn addresses() -> Vec<String> {
    let mut addresses = vec!["sqlite".to_owned(), format!("exec:{}", python("sqlite3_driver.py"))];
    addresses.extend(crate::duckdb::driver().map(|driver| format!("exec:{driver}")));
    addresses.extend(cfg!(feature = "engine-vibesql").then(|| "vibesql".to_owned()));
    let with_password =
        |server: &TestServer| server.address().replace("tester@", &format!("tester:{}@", server.password()));
    if let Some(server) = postgres() {
        let address = with_password(server);
        addresses.push(address.replace("postgres:", "postgres-extended:"));
        addresses.push(address);
    }
    addresses.extend(mariadb().map(with_password));
    addresses
}

fn make(address: &str) -> Box<dyn Engine> {
    let (name, rest) = address.split_once(':').unwrap_or((address, ""));
    match name {
        "postgres" | "postgres-extended" => {
            use vibesql_sqllogictest::engine::postgres::{Postgres, PostgresProtocol};
            let extended = name == "postgres-extended";
            let protocol = if extended { PostgresProtocol::Extended } else { PostgresProtocol::Simple };
            Box::new(Postgres::at(rest, protocol).unwrap())
        }
        "mysql" => Box::new(vibesql_sqllogictest::engine::mysql::Mysql::at(rest).unwrap()),
        _ => engines::builtin().make(address).unwrap(),
    }
}

#[test]
fn engines_do_what_they_have_declared_and_refuse_the_rest() {
    for address in addresses() {
        let engine = make(&address);
        let name = engine.describe().unwrap().qualified_name();
        let declared = engine.capabilities().unwrap();
        let has = |capability| declared.contains(&capability);
        let mut database = engine.create_database().unwrap();
        let mut session = database.connect(None, None).unwrap();

        let several = execute(session.as_mut(), "SELECT 1; SELECT 2");
        if has(Capability::SeveralStatements) {
            assert_eq!(several, Ok(2), "{name}");
        } else {
            assert!(matches!(several, Err(ExecuteError::Unsupported(_))), "{name}: {several:?}");
        }

        execute(session.as_mut(), "CREATE TABLE t(a INTEGER)").unwrap();
        let mut stops = RowCount { stops_at_columns: true, ..RowCount::default() };
        session.execute(b"INSERT INTO t VALUES (1)", &mut stops).unwrap();
        let inserted = execute(session.as_mut(), "SELECT a FROM t").unwrap();
        assert_eq!(inserted == 0, has(Capability::ColumnsFirst), "{name}");

        assert_eq!(session.interrupter().is_some(), has(Capability::Cancel), "{name}");

        match database.connect(Some("second"), None) {
            Ok(mut second) => {
                assert!(has(Capability::Connections), "{name}");
                assert_eq!(execute(second.as_mut(), "SELECT a FROM t"), Ok(inserted), "{name}");
            }
            Err(error) => {
                assert!(matches!(error, DatabaseError::Unsupported(_)), "{name}: {error}");
                assert!(!has(Capability::Connections), "{name}");
            }
        }

        match database.connect_concurrent("one") {
            Ok(mut one) => {
                assert!(has(Capability::Concurrent), "{name}");
                let mut two = database.connect_concurrent("two").unwrap();
                std::thread::scope(|scope| {
                    for one in [&mut one, &mut two] {
                        scope.spawn(|| assert_eq!(execute(one.as_mut(), "SELECT a FROM t"), Ok(inserted)));
                    }
                });
            }
            Err(error) => {
                assert!(matches!(error, DatabaseError::Unsupported(_)), "{name}: {error}");
                assert!(!has(Capability::Concurrent), "{name}");
            }
        }

        // The server may know no such user, or refuse it.
        let other = database.connect(Some("third"), Some("slt_nobody")).map(drop);
        let refused = matches!(other, Err(DatabaseError::Unsupported(_)));
        assert_eq!(refused, !has(Capability::Users), "{name}: {other:?}");

        drop(session);
        let restarted = database.restart();
        let refused = matches!(restarted, Err(DatabaseError::Unsupported(_)));
        assert_eq!(refused, !has(Capability::Restart), "{name}: {restarted:?}");
        database.close().unwrap();
    }
}

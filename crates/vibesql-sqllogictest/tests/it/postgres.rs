//! PostgreSQL as the engine under test: `--engine postgres://…` and `postgres-extended://…`.

use std::process::{Command, Stdio};

use serde_json::Value;
use vibesql_sqllogictest::engine::postgres::{Postgres, PostgresProtocol};
use vibesql_sqllogictest::engine::{Database, DatabaseError, Engine, ExecuteError, Flow, RowSink, Session};
use vibesql_sqllogictest::value::{Column, TypeTag, ValueRef};

use crate::sandbox::{Output, Sandbox};
use crate::servers::{TestServer, postgres};
use crate::support::{failing_lines, manifest, run_on, send_signal, wait_for};

/// The program with the server as its engine.
fn command(sandbox: &Sandbox, server: &TestServer, scheme: &str, line: &str) -> Command {
    let mut command = sandbox.command(line);
    let address = server.address();
    let rest = address.split_once(':').unwrap().1;
    command.arg("--engine").arg(format!("{scheme}:{rest}")).env("PGPASSWORD", server.password());
    command
}

/// The engine in this process.
fn engine(server: &TestServer, protocol: PostgresProtocol) -> Postgres {
    let with_password = server.address().replace("tester@", &format!("tester:{}@", server.password()));
    Postgres::at(with_password.strip_prefix("postgres:").unwrap(), protocol).unwrap()
}

fn report(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.read("out.json")).unwrap()
}

/// A session, with its database: the lock of the database tells other processes that it is in use.
fn open(engine: &Postgres) -> (Box<dyn Session>, Box<dyn Database>) {
    let mut database = engine.create_database().unwrap();
    (database.connect(None, None).unwrap(), database)
}

/// The first values of all rows, and the columns.
#[derive(Default)]
struct FirstValues {
    values: Vec<String>,
    columns: Vec<(Option<String>, TypeTag)>,
    affected: Vec<Option<u64>>,
    /// How many statements may run.
    limit: Option<usize>,
}

impl RowSink for FirstValues {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        if self.limit == Some(self.affected.len()) {
            return Flow::Stop;
        }
        self.columns.extend(columns.iter().map(|column| (column.name.map(str::to_owned), column.type_tag)));
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        self.values.push(match values[0] {
            ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            other => format!("{other:?}"),
        });
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.affected.push(affected);
        Flow::Continue
    }
}

fn ask(session: &mut dyn Session, sql: &str) -> Result<Vec<String>, ExecuteError> {
    let mut sink = FirstValues::default();
    session.execute(sql.as_bytes(), &mut sink)?;
    Ok(sink.values)
}

/// The databases of the program on the server.
fn databases(server: &TestServer) -> Vec<String> {
    let engine = engine(server, PostgresProtocol::Simple);
    let (mut session, own_database) = open(&engine);
    let mut names =
        ask(session.as_mut(), "SELECT datname::text FROM pg_database WHERE datname LIKE 'slt%'").unwrap();
    let own = ask(session.as_mut(), "SELECT current_database()::text").unwrap();
    drop((session, own_database));
    engine.remove_leftovers().unwrap();
    names.retain(|name| !own.contains(name));
    names
}

#[test]
fn the_shipped_suite_runs_with_the_known_differences() {
    let Some(server) = postgres() else { return };
    let expectations = manifest().join("../../expectations/postgres.toml");
    for (scheme, variant) in [("postgres", Value::Null), ("postgres-extended", "extended".into())] {
        let sandbox = Sandbox::new();
        let mut command = command(&sandbox, server, scheme, "run --quiet --json out.json");
        let output = Output::of(command.arg("--expectations").arg(&expectations));
        let report = report(&sandbox);
        assert_eq!(report["engine"]["name"], "postgres");
        assert_eq!(report["engine"]["variant"], variant);
        assert_eq!(report["files"].as_array().unwrap().len(), 50);
        // The known differences are those of version 15.
        if report["engine"]["version"].as_str().unwrap().starts_with("15.") {
            assert_eq!(output.code, 0, "{output}");
        } else {
            assert!([0, 1].contains(&output.code), "{output}");
        }
    }
}

#[test]
fn values_have_the_types_of_their_columns() {
    let Some(server) = postgres() else { return };
    let text = b"query IIII nosort
SELECT true, 2::smallint, 3.9::numeric, '12abc'::text
----
1
2
3
12

query RRR nosort
SELECT 0.5::real, 'NaN'::float8, 1e3
----
0.500
Inf
1000.000

query TTTTT nosort
SELECT NULL, '', '\\x4100'::bytea, DATE '2024-02-29', ARRAY[1,2]
----
NULL
(empty)
A
2024-02-29
{1,2}
";
    for protocol in [PostgresProtocol::Simple, PostgresProtocol::Extended] {
        let report = run_on(&engine(server, protocol), "values.test", text, false);
        // Only the second record is wrong: NaN is not Inf.
        assert_eq!(failing_lines(&report), [9], "{protocol:?}: {report:?}");
    }
}

#[test]
fn columns_rows_and_errors_are_reported() {
    let Some(server) = postgres() else { return };
    for protocol in [PostgresProtocol::Simple, PostgresProtocol::Extended] {
        let engine = engine(server, protocol);
        let (mut session, _database) = open(&engine);
        let mut sink = FirstValues::default();
        let mut run = |sql: &str| session.execute(sql.as_bytes(), &mut sink);
        run("CREATE TABLE t(a INTEGER, b TEXT)").unwrap();
        run("INSERT INTO t VALUES (1, 'x'), (2, 'y')").unwrap();
        run("UPDATE t SET a = 3 RETURNING a AS new_a, b").unwrap();
        run("DELETE FROM t WHERE a = 9").unwrap();
        let Err(ExecuteError::Sql(error)) = run("SELECT * FROM missing") else { panic!("{protocol:?}") };
        assert_eq!(error.code.as_deref(), Some("42P01"));
        assert_eq!(error.message, "relation \"missing\" does not exist");
        assert_eq!(sink.affected, [None, Some(2), Some(2), Some(0)]);
        let names = [("new_a", TypeTag::Integer), ("b", TypeTag::Text)];
        assert_eq!(sink.columns, names.map(|(name, tag)| (Some(name.to_owned()), tag)));
    }
}

#[test]
fn what_a_protocol_cannot_do_is_unsupported() {
    let Some(server) = postgres() else { return };
    let unsupported = |protocol, sql: &str| {
        let engine = engine(server, protocol);
        let (mut session, _database) = open(&engine);
        let found = ask(session.as_mut(), sql);
        assert!(matches!(found, Err(ExecuteError::Unsupported(_))), "{sql}: {found:?}");
        // The session is as good as before.
        assert_eq!(ask(session.as_mut(), "SELECT 'good'"), Ok(vec!["good".to_owned()]));
    };
    for protocol in [PostgresProtocol::Simple, PostgresProtocol::Extended] {
        unsupported(protocol, "COPY (VALUES (1)) TO STDOUT");
        unsupported(protocol, "COPY pg_catalog.pg_class FROM STDIN");
        unsupported(protocol, "SELECT '\0'");
    }
    unsupported(PostgresProtocol::Extended, "SELECT 1; SELECT 2");
    unsupported(PostgresProtocol::Extended, "SELECT $1::int");
}

#[test]
fn a_query_with_the_wrong_number_of_columns_has_no_effect_with_prepared_statements() {
    let Some(server) = postgres() else { return };
    let engine = engine(server, PostgresProtocol::Extended);
    let (mut session, _database) = open(&engine);
    ask(session.as_mut(), "CREATE TABLE t(a INT)").unwrap();
    let mut sink = FirstValues { limit: Some(0), ..FirstValues::default() };
    session.execute(b"INSERT INTO t VALUES (1) RETURNING a", &mut sink).unwrap();
    assert_eq!(ask(session.as_mut(), "SELECT 'row' FROM t"), Ok(Vec::new()));
}

#[test]
fn connections_share_a_database_and_nothing_else() {
    let Some(server) = postgres() else { return };
    let engine = engine(server, PostgresProtocol::Simple);
    let mut database = engine.create_database().unwrap();
    let mut first = database.connect(None, None).unwrap();
    let mut second = database.connect(Some("second"), None).unwrap();
    ask(first.as_mut(), "CREATE TABLE t(a TEXT)").unwrap();
    ask(first.as_mut(), "BEGIN; INSERT INTO t VALUES ('first')").unwrap();
    assert_eq!(ask(second.as_mut(), "SELECT a FROM t"), Ok(Vec::new()));
    ask(first.as_mut(), "COMMIT; CREATE ROLE slt_reader LOGIN PASSWORD 'x'; GRANT SELECT ON t TO slt_reader")
        .unwrap();
    assert_eq!(ask(second.as_mut(), "SELECT a FROM t"), Ok(vec!["first".to_owned()]));
    // Another user needs its own password.
    let other = database.connect(Some("third"), Some("slt_reader"));
    assert!(matches!(other, Err(DatabaseError::Engine(_))));
    ask(first.as_mut(), "DROP OWNED BY slt_reader; DROP ROLE slt_reader").unwrap();
    drop((first, second));
    database.close().unwrap();
}

#[test]
fn a_hanging_query_ends_at_its_limit_and_the_file_goes_on() {
    let Some(server) = postgres() else { return };
    let sandbox = Sandbox::with(
        "query T nosort\nSELECT pg_sleep(600)\n----\n\nstatement ok\nSELECT 1\n\nstatement ok\nSELECT pg_sleep(600)\n\n\
         query I nosort\nSELECT 1\n----\n1\n",
    );
    for scheme in ["postgres", "postgres-extended"] {
        let line = "run --json out.json --record-timeout 1 t.test";
        let output = Output::of(&mut command(&sandbox, server, scheme, line));
        let records = &report(&sandbox)["files"][0]["records"];
        assert_eq!((&records["timed_out"], &records["passed"]), (&2.into(), &2.into()), "{output}");
    }
}

#[test]
fn many_workers_have_the_results_of_one_and_leave_no_database() {
    let Some(server) = TestServer::start_postgres() else { return };
    let results = |workers: &str| {
        let sandbox = Sandbox::new();
        let line = format!("run --quiet --order path --json out.json --workers {workers}");
        let output = Output::of(&mut command(&sandbox, &server, "postgres", &line));
        assert_eq!(output.code, 1, "{output}");
        let files = report(&sandbox)["files"].as_array().unwrap().clone();
        let of = |file: &Value| {
            [&file["id"], &file["status"], &file["records"], &file["failures"]].map(Value::clone)
        };
        files.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(results("1"), results("8"));
    assert_eq!(databases(&server), [""; 0]);
}

#[test]
fn databases_of_killed_processes_are_dropped_and_no_others() {
    let Some(server) = TestServer::start_postgres() else { return };
    let own = engine(&server, PostgresProtocol::Simple);
    let mut in_use = own.create_database().unwrap();
    let (mut user, users_database) = open(&own);
    ask(user.as_mut(), "CREATE DATABASE slt_of_the_user").unwrap();
    drop(user);
    users_database.close().unwrap();
    own.remove_leftovers().unwrap();
    let sandbox = Sandbox::with("statement ok\nSELECT pg_sleep(600)\n");
    let mut run = command(&sandbox, &server, "postgres", "run --no-progress t.test");
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut session = in_use.connect(None, None).unwrap();
    let mut running = || {
        let sql = "SELECT 'x' FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active'";
        ask(session.as_mut(), sql).unwrap().len()
    };
    wait_for("the query", || running() == 1);
    send_signal("KILL", run.id());
    run.wait().unwrap();
    // The worker ends with its parent; the server notices when it writes to the worker, and the lock ends with it.
    wait_for("the end of the database", || {
        own.remove_leftovers().unwrap();
        let sql = "SELECT datname::text FROM pg_database WHERE datname LIKE 'slt%' AND datname <> current_database()";
        ask(session.as_mut(), sql).unwrap() == ["slt_of_the_user"]
    });
    drop(session);
    in_use.close().unwrap();
}

#[test]
fn a_server_that_restarts_costs_the_files_that_were_running() {
    let Some(server) = TestServer::start_postgres() else { return };
    let sandbox = Sandbox::new();
    for file in ["a", "c", "d"] {
        sandbox.write(
            &format!("s/{file}.test"),
            "statement ok\nSELECT 1\n\nquery I nosort\nSELECT 2\n----\n2\n",
        );
    }
    let hanging = "statement ok\nSELECT 1\n\nstatement ok\nSELECT pg_sleep(600)\n\nstatement ok\nSELECT 1\n";
    sandbox.write("s/b.test", hanging);
    let line = "run --no-progress --serial --order path --retries 0 --json out.json s";
    let mut run = command(&sandbox, &server, "postgres", line);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let watching = engine(&server, PostgresProtocol::Simple);
    let (mut watch, _database) = open(&watching);
    wait_for("the query", || {
        let sql = "SELECT 'x' FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active'";
        ask(watch.as_mut(), sql).unwrap().len() == 1
    });
    server.kill();
    let lost = ask(watch.as_mut(), "SELECT 'x'");
    assert!(matches!(lost, Err(ExecuteError::Lost(_))), "{lost:?}");
    server.start_again();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stdout));
    let report = report(&sandbox);
    let files: Vec<_> = report["files"].as_array().unwrap().iter().collect();
    let statuses: Vec<_> = files.iter().map(|file| file["status"].as_str().unwrap()).collect();
    assert_eq!((statuses[0], statuses[2], statuses[3]), ("passed", "passed", "passed"), "{statuses:?}");
    let records = &files[1]["records"];
    assert_eq!((&records["passed"], &records["not_reached"]), (&1.into(), &1.into()), "{records}");
    assert!(!["passed", "failed"].contains(&statuses[1]), "{statuses:?}");
}

#[test]
fn no_connection_is_not_a_failing_test() {
    let Some(server) = postgres() else { return };
    let sandbox = Sandbox::with("statement error\nSELECT 1\n");
    let run = |engine: &str, password: &str| {
        let mut command = sandbox.command("run t.test --engine");
        Output::of(command.arg(engine).env("PGPASSWORD", password))
    };
    let wrong = run(&server.address(), "wrong-word");
    assert_eq!(wrong.code, 6, "{wrong}");
    assert!(wrong.stderr.contains("password authentication failed for user \"tester\""), "{wrong}");
    assert!(!wrong.stderr.contains("wrong-word"), "{wrong}");
    let missing = run(&server.address(), "");
    assert!(missing.stderr.contains("set PGPASSWORD or add it to ~/.pgpass"), "{missing}");
    for address in ["postgres://tester@127.0.0.1:1/postgres", "postgres://tester@host.invalid/postgres"] {
        let output = run(address, "");
        assert_eq!(output.code, 6, "{output}");
        assert!(output.stderr.contains("error: cannot connect to PostgreSQL at "), "{output}");
    }
    let output = run(&server.address().replace("/postgres", "/no_such_database"), server.password());
    assert!(output.stderr.contains("database \"no_such_database\" does not exist"), "{output}");
}

#[test]
fn passwords_come_from_the_environment_or_a_file_and_are_kept_nowhere() {
    let Some(server) = postgres() else { return };
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n\nstatement ok\nSELECT 1 FROM missing\n");
    let secret = server.password();
    let with_password = server.address().replace("tester@", &format!("tester:{secret}@"));
    let file = format!("127.0.0.1:{}:*:tester:{secret}\n", server.port());
    let pass_file = sandbox.path().join("passwords");
    std::fs::write(&pass_file, file).unwrap();
    let mode = |mode: u32| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&pass_file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o600);
    let run = |engine: &str, name: &str, value: &std::ffi::OsStr| {
        let line = "run --no-progress --json out.json --verbose --message-format json t.test --engine";
        Output::of(sandbox.command(line).arg(engine).env(name, value))
    };
    let address = server.address();
    let runs = [
        run(&address, "PGPASSWORD", secret.as_ref()),
        run(&address, "PGPASSFILE", pass_file.as_ref()),
        run("env:MY_SERVER", "MY_SERVER", with_password.as_ref()),
    ];
    for output in &runs {
        assert_eq!(output.code, 1, "{output}");
        assert!(!format!("{output}").contains(secret), "{output}");
    }
    mode(0o644);
    let open = run(&address, "PGPASSFILE", pass_file.as_ref());
    assert_eq!(open.code, 6, "others could read the file: {open}");
    std::fs::remove_file(&pass_file).unwrap();
    let mut grep = Command::new("grep");
    let found = grep.args(["-rl", secret, sandbox.home()]).arg(sandbox.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn a_prepared_statement_that_fails_at_its_commit_has_failed() {
    let Some(server) = postgres() else { return };
    for protocol in [PostgresProtocol::Simple, PostgresProtocol::Extended] {
        let engine = engine(server, protocol);
        let (mut session, _database) = open(&engine);
        ask(session.as_mut(), "CREATE TABLE p(a INT PRIMARY KEY)").unwrap();
        ask(session.as_mut(), "CREATE TABLE c(a INT REFERENCES p DEFERRABLE INITIALLY DEFERRED)").unwrap();
        let mut sink = FirstValues::default();
        let failed = session.execute(b"INSERT INTO c VALUES (1) RETURNING a", &mut sink);
        let Err(ExecuteError::Sql(error)) = failed else { panic!("{protocol:?}: {failed:?}") };
        assert_eq!(error.code.as_deref(), Some("23503"));
        assert_eq!(sink.affected, [], "{protocol:?}: it has not ended");
    }
}

#[test]
fn addresses_that_cannot_be_used_as_they_stand_are_refused() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    for (address, expected) in [
        ("postgres://me:my secret@localhost", "white space must be percent-encoded"),
        ("postgres://localhost?sslmode=REQUIRE", "encrypted connections are not supported"),
        ("postgres://localhost/template1", "new databases are copies of it"),
        ("postgres://localhost/d?template=d", "new databases are copies of it"),
        ("postgres://localhost?x=1", "unknown option `x`"),
    ] {
        let output = Output::of(sandbox.command("run t.test --engine").arg(address));
        assert_eq!(output.code, 2, "{address}: {output}");
        assert!(output.stderr.contains(expected) && !output.stderr.contains("secret"), "{output}");
    }
}

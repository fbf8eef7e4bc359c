//! DuckDB behind its driver in Python. The package `duckdb` is needed, which the CI must have.

use std::process::Command;

use vibesql_sqllogictest::engine::{Capability, DatabaseError, DatabaseFile};
use vibesql_sqllogictest::engines;

use crate::external::{python, run};
use crate::external_requests::{execute, values};
use crate::sandbox::{Sandbox, path_of_tests};
use crate::support::manifest;

/// The command of the driver; nothing if there is no DuckDB on this machine.
pub(crate) fn driver() -> Option<String> {
    let mut python3 = Command::new("python3");
    let found = python3.args(["-c", "import duckdb"]).env("PATH", path_of_tests()).output();
    let found = found.is_ok_and(|output| output.status.success());
    #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
    let ci = cfg!(target_os = "linux") && std::env::var_os("CI").is_some();
    assert!(found || !ci, "no DuckDB: `pip install duckdb`");
    #[expect(clippy::print_stderr, reason = "the test has nothing to test")]
    if !found {
        eprintln!("skipped: no DuckDB (pip install duckdb)");
    }
    found.then(|| python("duckdb_driver.py"))
}

#[test]
fn the_shipped_suite_has_the_known_differences() {
    let Some(driver) = driver() else { return };
    let sandbox = Sandbox::new();
    let ledger = manifest().join("../../expectations/duckdb.toml");
    let flags = format!("--record-timeout 3 --expectations {}", ledger.display());
    let (output, report) = run(&sandbox, &driver, &flags);
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(report["engine"]["name"], "duckdb", "{}", report["engine"]);
    let count = |what: &str| -> u64 {
        let files = report["files"].as_array().unwrap();
        files.iter().map(|file| file["records"][what].as_u64().unwrap()).sum()
    };
    assert!(count("passed") > count("total") / 2, "{output}");
}

#[test]
fn values_are_those_of_duckdb() {
    let Some(driver) = driver() else { return };
    let engine = engines::builtin().make(&format!("exec:{driver}")).unwrap();
    let mut database = engine.create_database().unwrap();
    let mut session = database.connect(None, None).unwrap();
    let cases = [
        ("NULL", "Null"),
        ("true", "Boolean(true)"),
        ("(-128)::TINYINT", "Integer(-128)"),
        ("18446744073709551615::UBIGINT", "Decimal(\"18446744073709551615\")"),
        (
            "(-170141183460469231731687303715884105727)",
            "Decimal(\"-170141183460469231731687303715884105727\")",
        ),
        ("0.1::DOUBLE", "Real(0.1)"),
        ("'-inf'::FLOAT", "Real(-inf)"),
        ("'nan'::DOUBLE", "Real(NaN)"),
        ("0::DECIMAL(20, 10)", "Decimal(\"0.0000000000\")"),
        ("'é'", "Text([195, 169])"),
        ("'\\x00\\xFF'::BLOB", "Blob([0, 255])"),
        ("DATE '20000-02-29'", "Other(\"20000-02-29\")"),
        ("TIMESTAMP '2020-01-01 00:00:00.1'", "Other(\"2020-01-01 00:00:00.1\")"),
        ("INTERVAL 14 MONTH", "Other(\"1 year 2 months\")"),
        ("['a', NULL]", "Other(\"[a, NULL]\")"),
        ("{'a': true}", "Other(\"{'a': true}\")"),
    ];
    for (sql, expected) in cases {
        let found = values(session.as_mut(), &format!("SELECT {sql}")).unwrap();
        assert_eq!(found, [expected.to_owned()], "{sql}");
    }
    // One result for each statement, without DuckDB's own rows about changes.
    let sql = "CREATE TABLE t(a INT); INSERT INTO t VALUES (1), (2); BEGIN; UPDATE t SET a = 3; COMMIT;
        DELETE FROM t RETURNING a; SELECT a FROM t";
    let expected = ["0 None", "0 Some(2)", "0 None", "0 Some(2)", "0 None", "1 None", "1 None"];
    assert_eq!(execute(session.as_mut(), sql).unwrap(), expected);
    assert_eq!(execute(session.as_mut(), " -- nothing\n").unwrap(), [""; 0]);
}

#[test]
fn connections_share_the_data_and_have_their_own_transactions() {
    let Some(driver) = driver() else { return };
    let engine = engines::builtin().make(&format!("exec:{driver}")).unwrap();
    let capabilities = [
        Capability::SeveralStatements,
        Capability::Cancel,
        Capability::Connections,
        Capability::Restart,
        Capability::Load,
    ];
    assert_eq!(engine.capabilities().unwrap(), capabilities);
    let mut database = engine.create_database().unwrap();
    let mut one = database.connect(None, None).unwrap();
    let mut other = database.connect(Some("other"), None).unwrap();
    execute(one.as_mut(), "CREATE TABLE t(a INT); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(values(other.as_mut(), "SELECT count(*) FROM t").unwrap(), ["Integer(0)"]);
    assert!(execute(other.as_mut(), "SELECT * FROM missing").is_err());
    execute(one.as_mut(), "COMMIT").unwrap();
    assert_eq!(values(other.as_mut(), "SELECT count(*) FROM t").unwrap(), ["Integer(1)"]);
    let unsupported = database.connect(Some("x"), Some("alice")).err();
    assert!(matches!(unsupported, Some(DatabaseError::Unsupported(_))));
    drop((one, other));
    database.close().unwrap();
}

#[test]
fn databases_in_files_are_opened_and_restarted() {
    let Some(driver) = driver() else { return };
    let sandbox = Sandbox::new();
    let path = sandbox.path().join("a.db");
    let engine = engines::builtin().make(&format!("exec:{driver}")).unwrap();
    let mut database = engine.create_database().unwrap();
    let mut session = database.connect(None, None).unwrap();
    execute(session.as_mut(), "CREATE TABLE memory_only(a INT)").unwrap();
    drop(session);
    let path = path.to_str().unwrap();
    let mut file = DatabaseFile { path, read_only: false, version: Some("v1.2.0") };
    database.load(&file).unwrap();
    let mut session = database.connect(None, None).unwrap();
    assert!(execute(session.as_mut(), "SELECT * FROM memory_only").is_err());
    execute(session.as_mut(), "CREATE TABLE t(a INT); CREATE TEMPORARY TABLE s(a INT)").unwrap();
    drop(session);
    // The new default connection has no temporary tables of the old one.
    let mut session = database.connect(None, None).unwrap();
    assert!(execute(session.as_mut(), "SELECT * FROM s").is_err());
    drop(session);
    database.restart().unwrap();
    let mut session = database.connect(None, None).unwrap();
    assert_eq!(values(session.as_mut(), "SELECT count(*) FROM t").unwrap(), ["Integer(0)"]);
    drop(session);
    file.read_only = true;
    database.load(&file).unwrap();
    let mut session = database.connect(None, None).unwrap();
    assert!(execute(session.as_mut(), "INSERT INTO t VALUES (1)").is_err());
    drop(session);
    database.close().unwrap();
}

//! What a driver is asked, and what it is not asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use vibesql_sqllogictest::engine::{
    Capability, Database, DatabaseError, Engine, ExecuteError, Flow, RowSink, Session,
};
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::value::{Column, ValueRef};

use crate::external::{answers, python};
use crate::sandbox::{Sandbox, path_of_tests};

/// Keeps what a session pushes.
#[derive(Default)]
struct Kept {
    columns: usize,
    values: Vec<String>,
    statements: Vec<String>,
}

impl RowSink for Kept {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.columns = columns.len();
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        self.values.extend(values.iter().map(|value| format!("{value:?}")));
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.statements.push(format!("{} {affected:?}", self.columns));
        Flow::Continue
    }
}

/// Executes SQL, and returns the number of columns and of changed rows of each statement.
pub(crate) fn execute(session: &mut dyn Session, sql: &str) -> Result<Vec<String>, ExecuteError> {
    let mut kept = Kept::default();
    session.execute(sql.as_bytes(), &mut kept).map(|()| kept.statements)
}

/// Executes SQL, and returns all values.
pub(crate) fn values(session: &mut dyn Session, sql: &str) -> Result<Vec<String>, ExecuteError> {
    let mut kept = Kept::default();
    session.execute(sql.as_bytes(), &mut kept).map(|()| kept.values)
}

/// An engine whose driver greets with these capabilities, answers with these lines, and logs all of its input.
fn logging(sandbox: &Sandbox, capabilities: &[Capability], lines: &[&str]) -> Box<dyn Engine> {
    let words: Vec<_> = capabilities.iter().map(|capability| capability.name()).collect();
    let greeting = serde_json::json!({"hello": 2, "name": "test", "capabilities": words});
    let log = sandbox.path().join("log");
    let answers = answers(lines).replace("read request", "log");
    let driver = format!(
        "log() {{ read -r request && echo \"$request\" >> '{}'; }}; echo '{greeting}'; {answers}; while log; do :; done",
        log.display()
    );
    let engine = engines::builtin().make(&format!("exec:{driver}")).unwrap();
    engine.describe().unwrap();
    // The process that was asked for the greeting has ended.
    std::fs::remove_file(log).ok();
    engine
}

/// The requests that the driver has got.
fn log(sandbox: &Sandbox) -> Vec<String> {
    let log = std::fs::read_to_string(sandbox.path().join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

const ALL: [Capability; 4] =
    [Capability::Cancel, Capability::Connections, Capability::Users, Capability::Restart];

#[test]
fn sessions_of_a_database_share_its_driver() {
    let sandbox = Sandbox::new();
    let ok: Vec<_> = (1..=7).map(|id| format!(r#"{{"id":{id},"result":[]}}"#)).collect();
    let ok: Vec<_> = ok.iter().map(String::as_str).collect();
    let engine = logging(&sandbox, &ALL, &ok);
    let mut database = engine.create_database().unwrap();
    let mut default = database.connect(None, None).unwrap();
    execute(default.as_mut(), "one").unwrap();
    let mut named = database.connect(Some("b"), None).unwrap();
    let mut other = database.connect(Some("c \"é"), Some("alice")).unwrap();
    execute(named.as_mut(), "two").unwrap();
    execute(other.as_mut(), "three").unwrap();
    drop((default, named, other));
    database.restart().unwrap();
    let mut default = database.connect(None, None).unwrap();
    execute(default.as_mut(), "four").unwrap();
    drop(default);
    database.close().unwrap();
    let expected = [
        r#"{"id":1,"sql":"one"}"#,
        r#"{"id":2,"connect":"b"}"#,
        r#"{"id":3,"connect":"c \"é","user":"alice"}"#,
        r#"{"id":4,"sql":"two","connection":"b"}"#,
        r#"{"id":5,"sql":"three","connection":"c \"é"}"#,
        r#"{"id":6,"restart":true}"#,
        r#"{"id":7,"sql":"four"}"#,
        r#"{"shutdown":true}"#,
    ];
    assert_eq!(log(&sandbox), expected);
}

#[test]
fn what_a_driver_has_not_declared_is_unsupported_and_not_sent() {
    /// Something that needs capabilities.
    type Use = fn(&mut dyn Database) -> Result<(), DatabaseError>;
    let uses: [(&[Capability], Use); 3] = [
        (&[Capability::Connections], |database| database.connect(Some("b"), None).map(drop)),
        (&[Capability::Connections, Capability::Users], |database| {
            database.connect(Some("b"), Some("alice")).map(drop)
        }),
        (&[Capability::Restart], |database| database.restart()),
    ];
    let ok = r#"{"id":1,"result":[]}"#;
    for declared in (0..16).map(|set| ALL.into_iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1)) {
        let declared: Vec<_> = declared.map(|(_, capability)| capability).collect();
        for (needed, attempt) in uses {
            let sandbox = Sandbox::new();
            let engine = logging(&sandbox, &declared, &[ok]);
            assert_eq!(engine.capabilities().unwrap(), declared);
            let mut database = engine.create_database().unwrap();
            let can_cancel = database.connect(None, None).unwrap().interrupter().is_some();
            assert_eq!(can_cancel, declared.contains(&Capability::Cancel));
            let found = attempt(database.as_mut());
            database.close().unwrap();
            let is_declared = needed.iter().all(|capability| declared.contains(capability));
            assert_eq!(log(&sandbox).len(), if is_declared { 2 } else { 1 }, "{declared:?} {needed:?}");
            match found {
                Ok(()) => assert!(is_declared, "{declared:?} {needed:?}"),
                Err(DatabaseError::Unsupported(_)) => assert!(!is_declared, "{declared:?} {needed:?}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_connection_that_cannot_be_opened_is_not_open() {
    let cases = [
        (r#"{"id":1,"err":"no such user"}"#, "no such user"),
        (r#"{"id":1,"unsupported":"one at a time"}"#, "one at a time"),
        (r#"{"id":1,"result":[[1]]}"#, "answered with rows"),
        (r#"{"id":2,"result":[]}"#, "expected the answer to request 1, found 2"),
        ("garbage", "something other than JSON"),
    ];
    for (answer, expected) in cases {
        let sandbox = Sandbox::new();
        let engine = logging(&sandbox, &ALL, &[answer]);
        let mut database = engine.create_database().unwrap();
        let error = database.connect(Some("b"), None).err().unwrap();
        assert!(error.to_string().contains(expected), "{answer}: {error}");
    }
}

#[test]
fn a_cancellation_names_the_running_request() {
    let sandbox = Sandbox::new();
    // The answer to the second request comes after its cancellation.
    let lines = [r#"{"id":1,"result":[]}"#, "", r#"{"id":2,"err":"cancelled"}"#, r#"{"id":3,"result":[]}"#];
    let engine = logging(&sandbox, &[Capability::Cancel], &lines);
    let mut database = engine.create_database().unwrap();
    let mut session = database.connect(None, None).unwrap();
    let interrupt = session.interrupter().unwrap();
    interrupt();
    execute(session.as_mut(), "one").unwrap();
    interrupt();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while log(&sandbox).len() < 2 {
                std::thread::yield_now();
            }
            interrupt();
            is_over.store(true, Ordering::Release);
        });
        let error = execute(session.as_mut(), "two").unwrap_err();
        assert!(matches!(error, ExecuteError::Sql(_)), "{error}");
    });
    assert!(is_over.into_inner());
    interrupt();
    execute(session.as_mut(), "three").unwrap();
    interrupt();
    drop(session);
    database.close().unwrap();
    let expected = [
        r#"{"id":1,"sql":"one"}"#,
        r#"{"id":2,"sql":"two"}"#,
        r#"{"cancel":2}"#,
        r#"{"id":3,"sql":"three"}"#,
        r#"{"shutdown":true}"#,
    ];
    assert_eq!(log(&sandbox), expected);
}

#[test]
fn the_python_drivers_cancel_the_named_request_only() {
    let count = |end: &str| {
        format!("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c{end}) SELECT max(n) FROM c")
    };
    let sql = |id: u32, sql: &str| serde_json::json!({"id": id, "sql": sql}).to_string() + "\n";
    let mut drivers = vec!["sqlite3_driver.py"];
    let mut python3 = Command::new("python3");
    if python3.args(["-c", "import duckdb"]).env("PATH", path_of_tests()).output().unwrap().status.success() {
        drivers.push("duckdb_driver.py");
    }
    for driver in drivers {
        let mut shell = Command::new("sh");
        shell.args(["-c", &python(driver)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.env("PATH", path_of_tests()).spawn().unwrap();
        let (mut requests, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut answers = BufReader::new(answers)
            .lines()
            .map(|line| -> serde_json::Value { serde_json::from_str(&line.unwrap()).unwrap() });
        assert_eq!(answers.next().unwrap()["hello"], 2);
        // Stale cancellations arrive before a statement and while it is running.
        let stale = "{\"cancel\":0}\n{\"cancel\":1}\n".repeat(20);
        let texts = [sql(1, "SELECT 1"), stale.clone(), sql(2, &count(" WHERE n < 3000")), stale];
        texts.iter().for_each(|text| requests.write_all(text.as_bytes()).unwrap());
        for id in [1, 2] {
            let answer = answers.next().unwrap();
            assert!(answer["id"] == id && answer.get("err").is_none(), "{driver}: {answer}");
        }
        requests.write_all(sql(3, &count("")).as_bytes()).unwrap();
        // A cancellation before the start of the statement has no effect, so it is repeated.
        let (over, is_over) = channel::<()>();
        let answer = std::thread::scope(|scope| {
            let requests = &mut requests;
            scope.spawn(move || {
                while is_over.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
                    requests.write_all(b"{\"cancel\":3}\n").unwrap();
                }
            });
            let answer = answers.next().unwrap();
            drop(over);
            answer
        });
        assert!(answer["id"] == 3 && answer["err"].is_string(), "{driver}: {answer}");
        requests.write_all(sql(4, "SELECT 1").as_bytes()).unwrap();
        let answer = answers.next().unwrap();
        assert!(answer["id"] == 4 && answer.get("err").is_none(), "{driver}: {answer}");
        drop(requests);
        assert!(child.wait().unwrap().success(), "{driver}");
    }
}

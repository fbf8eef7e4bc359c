//! Files that run at the same time, each on a database of its own.

use std::fs;
use std::sync::Mutex;

use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, TestErrorKind};

/// What the connections of all tests have done. The interface takes a function pointer, which has no state.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A connection to a database by its host and name.
struct Connected {
    address: String,
}

#[async_trait::async_trait]
impl AsyncDB for Connected {
    type Error = std::io::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
        LOG.lock().unwrap().push(format!("{} {sql}", self.address));
        if sql == "fail" || sql.contains("refused") {
            return Err(std::io::Error::other("no"));
        }
        let row = |value: &str| vec![value.to_owned()];
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text], rows: vec![row("1"), row("2")] })
    }

    async fn shutdown(&mut self) {
        LOG.lock().unwrap().push(format!("{} shut down", self.address));
    }
}

async fn connect(host: String, database: String) -> Connected {
    Connected { address: format!("{host}/{database}") }
}

/// Runs the files of a pattern in a new directory. Returns its result, with the log of the directory's connections.
fn run(
    files: &[(&str, &str)],
    hosts: &[&str],
    jobs: usize,
    set_up: impl FnOnce(&mut Runner<Connected, fn() -> std::future::Ready<Result<Connected, std::io::Error>>>),
) -> (Result<(), String>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let connect_to_main = || std::future::ready(Ok(Connected { address: "main".to_owned() }));
    let mut runner = Runner::new(connect_to_main as fn() -> _);
    set_up(&mut runner);
    let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
    let pattern = format!("{}/*.slt", directory.path().display());
    let result = runner.run_parallel(&pattern, hosts, connect, jobs).map_err(|error| error.to_string());
    // The name of the directory is part of each database's name.
    let path = directory.path().to_string_lossy().into_owned();
    let prefix = path.replace(|c: char| !c.is_alphanumeric(), "_");
    let log = LOG.lock().unwrap();
    let own =
        log.iter().filter(|line| line.contains(&prefix)).map(|line| line.replace(&prefix, "")).collect();
    (result.map_err(|text| text.replace(&path, "")), own)
}

#[test]
fn each_file_has_a_database_and_a_host() {
    let passes = "statement ok\nselect\n\nconnection other\nstatement ok\nselect\n";
    let files = [("a.slt", passes), ("b-b.slt", passes), ("c.slt", passes)];
    let (result, log) = run(&files, &["one", "two"], 1, |_| {});
    assert_eq!(result, Ok(()));
    let file = |address: &str| {
        vec![
            format!("{address} select"),
            format!("{address} select"),
            format!("{address} shut down"),
            format!("{address} shut down"),
        ]
    };
    let mut expected: Vec<_> =
        ["_a_slt", "_b_b_slt", "_c_slt"].map(|name| format!("main CREATE DATABASE {name};")).into();
    expected.extend(["one/_a_slt", "two/_b_b_slt", "one/_c_slt"].into_iter().flat_map(file));
    assert_eq!(log, expected);
}

#[test]
fn all_files_run_and_all_failures_are_told() {
    let files = [
        ("a.slt", "statement ok\nfail\n\nstatement ok\nnever\n"),
        ("b.slt", "bad\n"),
        ("c.slt", "query T\nselect\n----\n1\n2\n"),
        ("d.slt", "query T\nselect\n----\n1\n3\n"),
    ];
    let (result, log) = run(&files, &["host"], 8, |_| {});
    let error = result.unwrap_err();
    let mut parts: Vec<_> = error.split_terminator("\n\n").collect();
    assert!(error.starts_with("parallel test failed\nCaused by:"), "{error}");
    parts[0] = parts[0].strip_prefix("parallel test failed\nCaused by:").unwrap();
    parts.sort_unstable();
    assert_eq!(
        parts,
        [
            "parse error: invalid line: \"bad\"\nat /b.slt:1",
            "query result mismatch:\n[SQL] select\n[Diff] (-expected|+actual)\n    1\n-   3\n+   2\nat /d.slt:1",
            "statement failed: no\n[SQL] fail\nat /a.slt:1",
        ]
    );
    assert!(log.iter().all(|line| !line.contains("never")), "{log:#?}");
}

#[test]
fn files_get_the_settings_of_the_runner() {
    let text = "control substitution on\n\nonlyif label\nquery T\n$name $__DATABASE__\n----\n@\n";
    let (result, log) = run(&[("a.slt", text)], &["host"], 1, |runner| {
        runner.add_label("label");
        runner.set_var("name".to_owned(), "value".to_owned());
        runner.with_hash_threshold(1);
        runner.with_validator(|_, actual, _| {
            actual == [["2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0"]]
        });
    });
    assert_eq!(result, Ok(()));
    assert_eq!(log[1], "host/_a_slt value _a_slt");
}

#[test]
fn a_partitioner_selects_files() {
    let files = [("a.slt", "statement ok\nselect\n"), ("b.slt", "statement ok\nfail\n")];
    let (result, log) = run(&files, &["host"], 2, |runner| {
        runner.with_partitioner(|name: &str| name.ends_with("a.slt"));
    });
    assert_eq!(result, Ok(()));
    assert!(log.iter().all(|line| line.contains("_a_slt")), "{log:#?}");
}

#[test]
fn what_cannot_run_fails() {
    let files = [("a.slt", "statement ok\nselect\n")];
    let (result, log) = run(&files, &[], 2, |_| {});
    assert!(result.unwrap_err().contains("expected at least one host, found none"));
    assert!(log.is_empty());

    let (result, log) = run(&[("refused.slt", "statement ok\nselect\n")], &["host"], 2, |_| {});
    assert!(result.unwrap_err().contains("statement failed: no\n[SQL] CREATE DATABASE"));
    assert_eq!(log.len(), 1);

    let mut runner = Runner::new(async || Ok(connect("main".to_owned(), String::new()).await));
    let error = runner.run_parallel("[", vec!["host".to_owned()], connect, 1).unwrap_err();
    assert!(error.display(true).to_string().contains("invalid include file pattern"), "{error}");
}

#[test]
fn a_runner_can_be_moved_to_another_thread() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let mut runner = Runner::new(async || Ok(connect("main".to_owned(), String::new()).await));
    let run = assert_send(async move { runner.run_script_async("statement ok\nfail\n").await });
    let error = std::thread::spawn(|| futures_executor::block_on(run)).join().unwrap().unwrap_err();
    assert!(matches!(error.kind(), TestErrorKind::Fail { .. }), "{error}");
}

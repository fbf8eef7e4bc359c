//! MariaDB as an engine: the program against a real server.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::servers::{TestServer, mariadb};
use crate::support::{manifest, processes_with, send_signal, wait_for};

const ONE: &str = "query I nosort\nSELECT 1\n----\n1\n\n";
const TABLE: &str = "statement ok\nCREATE TABLE t(a INT)\n\n";

/// The program with words of `line`, ready to run on a server.
fn command(sandbox: &Sandbox, server: &TestServer, line: &str) -> std::process::Command {
    let mut command = sandbox.command(&format!("{line} --engine {}", server.address()));
    command.env("MYSQL_PWD", server.password());
    command
}

/// Runs files, and returns the report.
fn run(sandbox: &Sandbox, server: &TestServer, flags: &str) -> (Output, Value) {
    let output =
        Output::of(&mut command(sandbox, server, &format!("run --json out.json --order path {flags}")));
    let report = std::fs::read(sandbox.path().join("out.json")).unwrap_or_default();
    (output, serde_json::from_slice(&report).unwrap_or_default())
}

/// The number of databases of files on a server, without the one that counts them. Unlike `run`, `test` drops none.
fn databases(server: &TestServer) -> usize {
    let sandbox = Sandbox::with(
        "query I nosort\nSELECT count(*) - 1 FROM information_schema.schemata \
         WHERE schema_name LIKE 'slt\\_%'\n----\n-1\n",
    );
    let output = Output::of(&mut command(&sandbox, server, "test t.test"));
    let found = output.stdout.lines().find_map(|line| line.trim().strip_prefix("+ "));
    found.unwrap_or_else(|| panic!("{output}")).parse().unwrap()
}

fn counts(report: &Value, words: [&str; 4]) -> [u64; 4] {
    words.map(|word| report["summary"]["records"][word].as_u64().unwrap())
}

#[test]
fn the_shipped_suite_fails_where_the_ledger_says() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    let ledger = manifest().join("../../expectations/mariadb.toml");
    let flags = |workers: u32| format!("--workers {workers} --expectations {}", ledger.display());
    let (output, report) = run(&sandbox, server, &flags(4));
    // The ledger is that of one version.
    let is_known = report["engine"]["version"].as_str().unwrap().starts_with("10.11.");
    assert!(output.code == 0 || !is_known && output.code == 1, "{output}");
    assert_eq!(report["engine"]["name"], "mariadb");
    assert_eq!(report["engine"]["labels"], serde_json::json!(["mariadb", "mysql"]));
    let single = run(&sandbox, server, &flags(1)).1;
    let results = |report: &Value| -> Vec<Value> {
        let mut files = report["files"].as_array().unwrap().clone();
        for file in &mut files {
            let file = file.as_object_mut().unwrap();
            file.retain(|name, _| ["file", "status", "records", "end", "failures"].contains(&name.as_str()));
        }
        files
    };
    assert_eq!(results(&report), results(&single));
    assert!(counts(&report, ["passed", "failed", "total", "executed"]).iter().all(|&count| count > 1000));
}

#[test]
fn no_database_is_left_over() {
    let Some(server) = TestServer::start_mariadb() else { return };
    let sandbox = Sandbox::new();
    for number in 0..12 {
        sandbox.write(&format!("s/{number}.test"), format!("{TABLE}{ONE}"));
    }
    let (output, report) = run(&sandbox, &server, "s --workers 4");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(report["summary"]["passed"], 12);
    assert_eq!(databases(&server), 0);
}

#[test]
fn a_record_over_its_time_is_cancelled_and_the_file_goes_on() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    let sleep = "query I nosort\nSELECT SLEEP(100)\n----\n0\n\n";
    let endless =
        "query I nosort\nSELECT sum(a.seq % b.seq) FROM seq_1_to_1000000000 a, seq_1_to_9 b\n----\n1\n\n";
    let statement = "statement ok\nDO SLEEP(100)\n\n";
    let error = "statement error\nDO SLEEP(100)\n\n";
    sandbox.write("s/a.test", [sleep, ONE, endless, ONE, statement, ONE, ONE, error, ONE].concat());
    let (output, report) = run(&sandbox, server, "s --record-timeout 1");
    assert_eq!(counts(&report, ["passed", "timed_out", "not_reached", "failed"]), [5, 4, 0, 0], "{output}");
    assert_eq!(report["files"][0]["status"], "timed_out");
}

#[test]
fn a_killed_run_leaves_databases_to_the_next_one() {
    let Some(server) = TestServer::start_mariadb() else { return };
    let sandbox = Sandbox::new();
    // The statement uses the table, so that the server does not drop it while the statement is running.
    let hang = "query I nosort\nSELECT SLEEP(1000) FROM t\n----\n0\n";
    let row = "statement ok\nINSERT INTO t VALUES (1)\n\n";
    sandbox.write("hang/a.test", [TABLE, row, hang].concat());
    sandbox.write("hang/b.test", [TABLE, row, hang].concat());
    sandbox.write("quick/c.test", ONE);
    let mut killed =
        command(&sandbox, &server, "run hang --workers 2").stdout(Stdio::null()).spawn().unwrap();
    wait_for("the databases", || databases(&server) == 2);
    let home = sandbox.home().to_owned();
    send_signal("KILL", killed.id());
    killed.wait().unwrap();
    wait_for("the end of the workers", || processes_with(&home).is_empty());
    assert_eq!(databases(&server), 2);
    // Databases that others have made are not touched, whatever their names.
    let other = Sandbox::with("statement ok\nCREATE DATABASE slt_mine\n");
    assert_eq!(Output::of(&mut command(&other, &server, "test t.test")).code, 0);
    let (output, _) = run(&sandbox, &server, "quick");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(databases(&server), 1);
    let other = Sandbox::with("statement ok\nDROP DATABASE slt_mine\n");
    assert_eq!(Output::of(&mut command(&other, &server, "test t.test")).code, 0);
}

#[test]
fn a_run_leaves_databases_that_are_in_use() {
    let Some(server) = TestServer::start_mariadb() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("long/a.test", format!("{TABLE}query I nosort\nSELECT SLEEP(3)\n----\n0\n\n{ONE}"));
    sandbox.write("quick/b.test", ONE);
    let other = Sandbox::new();
    other.write("s/b.test", ONE);
    let mut long = command(&sandbox, &server, "run long").stdout(Stdio::null()).spawn().unwrap();
    wait_for("the database", || databases(&server) == 1);
    assert_eq!(run(&other, &server, "s").0.code, 0);
    assert!(long.wait().unwrap().success());
    assert_eq!(databases(&server), 0);
}

#[test]
fn a_server_that_restarts_costs_the_files_that_were_running() {
    let Some(server) = TestServer::start_mariadb() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", ONE);
    sandbox.write("s/b.test", format!("{TABLE}{ONE}query I nosort\nSELECT SLEEP(1000)\n----\n0\n\n{ONE}"));
    sandbox.write("s/c.test", ONE);
    sandbox.write("s/d.test", ONE);
    let line = "run s --json out.json --order path --workers 1";
    let mut running = command(&sandbox, &server, line).stdout(Stdio::null()).spawn().unwrap();
    wait_for("the file that hangs", || {
        let journal = sandbox.last_run().map(|run| std::fs::read_to_string(run.join("journal.jsonl")));
        journal.is_some_and(|journal| journal.unwrap_or_default().contains("a.test"))
            && databases(&server) == 1
    });
    server.kill();
    std::thread::park_timeout(std::time::Duration::from_millis(500));
    server.start_again();
    assert_eq!(running.wait().unwrap().code(), Some(5));
    let report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    let files = report["files"].as_array().unwrap();
    let statuses: Vec<_> = files.iter().map(|file| file["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["passed", "crashed", "passed", "passed"], "{report}");
    assert_eq!(files[1]["failures"][0]["kind"], "engine_lost");
    assert_eq!(databases(&server), 0);
}

#[test]
fn a_lost_connection_is_no_sql_error() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    let kill = "KILL CONNECTION_ID()\n\n";
    sandbox.write("s/a.test", format!("{ONE}statement error\n{kill}statement error\nSELECT 1\n\n{ONE}"));
    let (output, report) = run(&sandbox, server, "s");
    assert_eq!(output.code, 5, "{output}");
    assert_eq!(report["files"][0]["failures"].as_array().unwrap().last().unwrap()["kind"], "engine_lost");
    assert!(counts(&report, ["passed", "faulted", "not_reached", "failed"])[1] == 1, "{output}");
}

#[test]
fn a_server_that_cannot_be_used_is_an_engine_that_is_not_available() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", ONE);
    let unavailable = |address: &str, password: &str, expected: &str| {
        let mut command = sandbox.command(&format!("run s --engine {address}"));
        let output = Output::of(command.env("MYSQL_PWD", password));
        assert_eq!(output.code, 6, "{output}");
        assert!(output.stderr.contains(expected), "{output}");
        assert!(!output.stderr.contains(server.password()), "{output}");
    };
    let refused = "cannot log in to 127.0.0.1:";
    unavailable(&server.address(), "wrong-word", refused);
    unavailable(&server.address(), "", "set MYSQL_PWD if the user has a password");
    unavailable(&server.address().replace("tester", "nobody"), server.password(), refused);
    let nowhere = format!("mysql://tester@no-such-host.invalid:{}/", server.port());
    unavailable(&nowhere, server.password(), "cannot connect to no-such-host.invalid:");
    unavailable("mysql://tester@127.0.0.1:1/", server.password(), "cannot connect to 127.0.0.1:1: ");
    insta::assert_snapshot!(sandbox.run("run s --engine mysql://me@h/d?ssl-mode=REQUIRED"), @r"
    exit code 2
    --- stderr
    error: engine `mysql`: ssl-mode=REQUIRED: encrypted connections are not supported
      hint: use for example `--engine mysql://user@host:port/database`
    ");
    let output = sandbox.run("run s --engine mariadb://me:secret@h/d");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("contains a password") && !output.stderr.contains("secret"), "{output}");
}

/// All files below a folder.
fn all_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[test]
fn the_password_is_in_no_file_and_no_output() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", format!("{ONE}query I nosort\nSELECT 2\n----\n1\n\nstatement ok\nSELECT x\n"));
    let secret = server.address().replace("tester@", &format!("tester:{}@", server.password()));
    for engine in [server.address(), "env:SLT_SERVER".to_owned()] {
        let line = format!("run s --verbose --json out.json --engine {engine}");
        let mut command = sandbox.command(&line);
        if engine == server.address() {
            command.env("MYSQL_PWD", server.password());
        } else {
            command.env("SLT_SERVER", &secret);
        }
        let output = Output::of(&mut command);
        assert_eq!(output.code, 1, "{output}");
        assert!(!format!("{output}").contains(server.password()));
    }
    let home = Path::new(sandbox.home());
    let files: Vec<_> = [home, sandbox.path()].into_iter().flat_map(all_files).collect();
    assert!(files.len() > 4, "{files:?}");
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        // What is compressed would hide it.
        assert!(!bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]), "{}", path.display());
        let found = bytes.windows(server.password().len()).any(|part| part == server.password().as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn what_the_adapter_cannot_do_is_unsupported() {
    let Some(server) = mariadb() else { return };
    let sandbox = Sandbox::new();
    let load = "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t\n\n";
    let long = format!("statement error\nSELECT '{}'\n\n", "x".repeat(17 << 20));
    sandbox.write("s/a.test", format!("{TABLE}statement ok\n{load}statement error\n{load}{long}{ONE}"));
    let (output, report) = run(&sandbox, server, "s");
    assert_eq!(counts(&report, ["passed", "unsupported", "failed", "not_reached"]), [2, 3, 0, 0], "{output}");
}

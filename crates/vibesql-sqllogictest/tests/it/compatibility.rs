//! Words and variables of VibeSQL's earlier scripts, and the script itself.

use std::process::Command;

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};
use crate::support::manifest;

const PASSING: &str = "query I nosort\nSELECT 1\n----\n1\n";

fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in ["s/select1.test", "s/select11.test", "s/index/a.test"] {
        sandbox.write(file, PASSING);
    }
    sandbox
}

fn with(sandbox: &Sandbox, line: &str, variables: &[(&str, &str)]) -> Output {
    Output::of(sandbox.command(line).envs(variables.iter().copied()))
}

#[test]
fn parallel_and_force_say_what_holds_anyway() {
    let sandbox = suite();
    let output = sandbox.run("run --parallel --force --workers 2 --timeout 60 --engine sqlite s");
    assert_eq!(output.code, 0, "{output}");
    let output = sandbox.run("run --parallel --serial --engine sqlite s");
    assert_eq!(output.code, 2, "{output}");
}

#[test]
fn files_are_chosen_by_the_environment() {
    let sandbox = suite();
    assert_snapshot!(with(&sandbox, "list s", &[("SQLLOGICTEST_FILES", "select1.test,index/a.test")]), @"
    exit code 0
    --- stdout
    s/index/a.test
    s/select1.test
    ");
    // The earlier runner ran nothing, and ended with 0.
    assert_snapshot!(with(&sandbox, "run --engine sqlite s", &[("SQLLOGICTEST_FILES", "select1.test,select2.test")]), @"
    exit code 2
    --- stderr
    error: no file `select2.test` among the 3 files found
      hint: --files needs complete paths, as in reports; `list` without --files shows them
    ");
}

#[test]
fn old_variables_are_told_apart() {
    let sandbox = suite();
    let variables = [
        ("SQLLOGICTEST_FILE_TIMEOUT", "60"),
        ("SQLLOGICTEST_QUERY_TIMEOUT_MS", "500"),
        ("SQLLOGICTEST_WORKER_ID", "1"),
        ("SQLLOGICTEST_FILE", "select1.test"),
        ("SQLLOGICTEST_CACHE_ENABLED", "true"),
    ];
    let output = with(&sandbox, "run --quiet --engine sqlite s", &variables);
    assert_eq!(output.code, 0, "{output}");
    assert_snapshot!(output.stderr, @"
    note: SQLLOGICTEST_FILE_TIMEOUT: deprecated; use --timeout or SQLLOGICTEST_TIMEOUT
    note: SQLLOGICTEST_QUERY_TIMEOUT_MS: ignored; it made slow queries return no rows; --record-timeout SECONDS stops a record, and says so
    note: SQLLOGICTEST_FILE: ignored; name the file: `test FILE`, or `run --files PATH`
    note: SQLLOGICTEST_WORKER_ID: ignored; it has no effect without SQLLOGICTEST_TOTAL_WORKERS; use --shard K/N
    ");
}

#[test]
fn workers_of_the_earlier_scripts_are_shards() {
    let sandbox = suite();
    let of =
        |id| with(&sandbox, "list s", &[("SQLLOGICTEST_WORKER_ID", id), ("SQLLOGICTEST_TOTAL_WORKERS", "2")]);
    let shard = |shard| sandbox.run(&format!("list s --shard {shard}")).stdout;
    assert_eq!((of("1").stdout, of("2").stdout), (shard("1/2"), shard("2/2")));
    assert_snapshot!(of("0"), @"
    exit code 2
    --- stderr
    error: SQLLOGICTEST_WORKER_ID and SQLLOGICTEST_TOTAL_WORKERS: expected --shard <K/N>, found `0/2` (expected K/N with K from 1 to N, found `0/2`)
      hint: workers are counted from 1 to the total number of workers
    ");
}

/// The script with this program as the binary; nothing where there is only the package.
fn script(sandbox: &Sandbox, line: &str) -> Option<Output> {
    let script = manifest().join("../../scripts/sqllogictest");
    script.exists().then(|| {
        let mut command = Command::new("sh");
        command.arg(script).args(line.split_whitespace()).current_dir(sandbox.path()).env_clear();
        command.env("VIBESQL_SQLLOGICTEST", env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
        Output::of(&mut command)
    })
}

#[test]
fn the_old_script_warns_and_calls_the_program() {
    let sandbox = suite();
    sandbox.write("third_party/sqllogictest/test/evidence/in1.test", PASSING);
    if let Some(output) = script(&sandbox, "test --engine sqlite evidence/in1.test:1 s/select1.test") {
        assert_snapshot!(output, @"
        exit code 0
        --- stdout
        PASS  third_party/sqllogictest/test/evidence/in1.test  1 record  [time] s
        PASS  s/select1.test  1 record  [time] s
        --- stderr
        warning: scripts/sqllogictest is deprecated; call vibesql-sqllogictest
        ");
    }
    if let Some(output) = script(&sandbox, "test nowhere.test") {
        assert_snapshot!(output, @"
        exit code 2
        --- stderr
        warning: scripts/sqllogictest is deprecated; call vibesql-sqllogictest
        error: no such file or directory: `nowhere.test`
          hint: a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`
        ");
    }
    if let Some(output) = script(&sandbox, "") {
        assert_eq!(output.code, 0, "{output}");
        assert!(output.stdout.starts_with("Run SQLLogicTest suites"), "{output}");
    }
}

//! `run` and `list`: selection, lines, summary, exit codes.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

const PASSING: &str = "query I nosort\nSELECT 1\n----\n1\n";
const FAILING: &str = "query I nosort\nSELECT 1\n----\n2\n\nstatement ok\nSELECT 1\n";

fn suite() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/select1.test", PASSING);
    sandbox.write("s/other.slt", PASSING);
    sandbox.write("s/index/deep/a.test", FAILING);
    sandbox.write("s/index/b.test", PASSING);
    sandbox.write("s/index/empty.test", "# nothing\n");
    sandbox.write("s/index/notes.txt", "no test\n");
    sandbox
}

#[test]
fn a_directory_is_walked_in_order() {
    assert_snapshot!(suite().run("run --serial --order path --engine sqlite s"), @"
    exit code 1
    --- stdout
    PASS    s/index/b.test       1 record  [time] s
    FAIL    s/index/deep/a.test  1 passed, 1 failed  [time] s
            s/index/deep/a.test:1: values differ (1 expected, 1 found)
    EMPTY   s/index/empty.test   no records  [time] s
    PASS    s/other.slt          1 record  [time] s
    PASS    s/select1.test       1 record  [time] s

    failed: 1 file
      FAIL    s/index/deep/a.test:1: values differ (1 expected, 1 found)
                - 2
                + 1
                again: vibesql-sqllogictest test --engine sqlite s/index/deep/a.test:1

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     index         3       1       1      1   50.00 %        3       2       1        0      0   66.66 %
     other         1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     select        1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     total         5       3       1      1   75.00 %        5       4       1        0      0   80.00 %

    FAIL: 3 of 4 files and 4 of 5 records passed on sqlite [version] (dialects: rs 1 file, sqlite 4 files) in [time] s
    also: 1 file in which nothing was executed (EMPTY)
    look at the first: vibesql-sqllogictest test --engine sqlite s/index/deep/a.test:1
    ");
    assert_snapshot!(suite().run("run --serial --order path --engine sqlite --quiet s"), @"
    exit code 1
    --- stdout
    FAIL    s/index/deep/a.test  1 passed, 1 failed  [time] s
            s/index/deep/a.test:1: values differ (1 expected, 1 found)
    EMPTY   s/index/empty.test   no records  [time] s

    failed: 1 file
      FAIL    s/index/deep/a.test:1: values differ (1 expected, 1 found)
                - 2
                + 1
                again: vibesql-sqllogictest test --engine sqlite s/index/deep/a.test:1

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     index         3       1       1      1   50.00 %        3       2       1        0      0   66.66 %
     other         1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     select        1       1       0      0  100.00 %        1       1       0        0      0  100.00 %
     total         5       3       1      1   75.00 %        5       4       1        0      0   80.00 %

    FAIL: 3 of 4 files and 4 of 5 records passed on sqlite [version] (dialects: rs 1 file, sqlite 4 files) in [time] s
    also: 1 file in which nothing was executed (EMPTY)
    look at the first: vibesql-sqllogictest test --engine sqlite s/index/deep/a.test:1
    ");
    assert_snapshot!(suite().run("list --long s"), @"
    exit code 0
    --- stdout
    s/index/b.test  1 record (sqlite)
    s/index/deep/a.test  2 records (sqlite)
    s/index/empty.test  0 records (sqlite)
    s/other.slt  1 record (rs)
    s/select1.test  1 record (sqlite)
    ");
}

#[test]
fn globs_stay_within_a_folder_unless_told() {
    let sandbox = suite();
    assert_snapshot!(sandbox.run("list s/*.test s/index/*"), @"
    exit code 0
    --- stdout
    s/index/b.test
    s/index/empty.test
    s/select1.test
    ");
    assert_snapshot!(sandbox.run("list s/**/*.test"), @"
    exit code 0
    --- stdout
    s/index/b.test
    s/index/deep/a.test
    s/index/empty.test
    s/select1.test
    ");
    assert_snapshot!(sandbox.run("list s/index/b.test s/index/b.test"), @"
    exit code 0
    --- stdout
    s/index/b.test
    ");
}

#[test]
fn filters_choose_and_leave_out() {
    let sandbox = suite();
    let list = |flags: &str| sandbox.run(&format!("list {flags} s")).stdout;
    assert_eq!(list("--filter category:index"), "s/index/b.test\ns/index/deep/a.test\ns/index/empty.test\n");
    assert_eq!(list("--filter category:index --exclude deep --exclude **/empty.*"), "s/index/b.test\n");
    assert_eq!(list("--filter *.slt --filter a.test"), "s/index/deep/a.test\ns/other.slt\n");
    // The shards of a run have all of its files, each once.
    let all = list("");
    let mut shards: Vec<_> = (1..=3)
        .flat_map(|k| {
            let output = sandbox.run(&format!("list --shard {k}/3 s"));
            output.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    shards.sort();
    assert_eq!(shards, all.lines().collect::<Vec<_>>());
    assert_snapshot!(sandbox.run("run --engine sqlite --filter nothing s"), @"
    exit code 3
    --- stderr
    warning: --filter `nothing` matches none of 5 files
    error: --filter, --exclude and --files select none of 5 files
      hint: run `list` without these flags to see all files; docs/configuration.md describes patterns
    ");
    assert_eq!(sandbox.run("run --engine sqlite --shard 4/3 s").code, 2);
    assert_eq!(sandbox.run("run --engine sqlite --filter [ s").code, 2);
}

#[test]
fn exit_codes() {
    let sandbox = suite();
    sandbox.write("malformed.test", "nonsense\n");
    sandbox.write("lost.test", "statement ok\nlost\n");
    sandbox.write("ok.test", "statement ok\nok\n");
    for (line, code) in [
        ("run --engine sqlite s/select1.test", 0),
        ("run --engine sqlite s/select1.test s/index/empty.test", 0),
        ("run --engine sqlite --fail-on-empty s/select1.test s/index/empty.test", 1),
        ("run --engine sqlite s", 1),
        ("run --engine sqlite malformed.test s", 2),
        ("run --engine sqlite s/index/empty.test", 3),
        ("run --engine scripted lost.test ok.test malformed.test", 5),
        ("run --engine sqlite nothing/*.test", 3),
        ("run --engine sqlite nothing.test", 2),
        ("list", 0),
    ] {
        let output = sandbox.run(line);
        assert_eq!(output.code, code, "{line}: {output}");
    }
}

#[test]
fn each_file_has_a_fresh_database() {
    let sandbox = Sandbox::new();
    let create =
        "statement ok\nCREATE TABLE t(a)\n\nhash-threshold 1\n\nquery I nosort l\nSELECT 1\n----\n1\n";
    let other = create.replace('1', "2").replace("threshold 2", "threshold 1");
    sandbox.write("s/a.test", create);
    sandbox.write("s/b.test", other);
    assert_eq!(sandbox.run("run --engine sqlite s").code, 0);
}

#[test]
fn without_a_path_the_shipped_suite_runs() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("run --engine sqlite --json out.json");
    assert_eq!(output.code, 0, "{output}");
    let report: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert!(report["summary"]["passed"].as_u64() >= Some(40), "{}", report["summary"]);
    assert_eq!(report["summary"]["passed"], report["summary"]["total"]);
    // What the lines call a file can be typed.
    let listed = sandbox.run("list");
    let first = listed.stdout.lines().next().unwrap();
    assert!(first.starts_with("suite:"), "{first}");
    assert_eq!(sandbox.run(&format!("test --engine sqlite {first}")).code, 0);
    let joins = sandbox.run("list suite:joins");
    assert!(
        joins.stdout.lines().count() >= 2
            && joins.stdout.lines().all(|line| line.starts_with("suite:joins/"))
    );
    assert_eq!(joins.stdout, sandbox.run("list suite:joins/*").stdout);
}

#[test]
fn colours_are_shown_only_when_wanted() {
    let sandbox = suite();
    assert!(!sandbox.run("run --engine sqlite s/select1.test").stdout.contains('\x1b'));
    assert!(sandbox.run("run --color always --engine sqlite s/select1.test").stdout.contains('\x1b'));
}

/// Runs the program with a terminal for its outputs, which `script` makes, and returns all that is written there.
fn on_a_terminal(sandbox: &Sandbox, line: &str) -> String {
    let program = env!("CARGO_BIN_EXE_vibesql-sqllogictest");
    let output = std::process::Command::new("script")
        .args(["-qefc", &format!("stty cols 100 rows 30; {program} {line}"), "/dev/null"])
        .current_dir(sandbox.path())
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_terminal_shows_progress_and_running_files() {
    let sandbox = Sandbox::new();
    sandbox.write("s/slow.test", "statement ok\nsleep 700\n");
    sandbox.write("s/bad.test", "statement ok\nerror no\n");
    let line = "run --engine scripted --serial --order path s";
    let seen = on_a_terminal(&sandbox, line);
    assert!(seen.contains("1/2 files  1 not passed  1 record"), "{seen}");
    assert!(seen.contains("s/slow.test"), "{seen}");
    assert!(seen.contains("\x1b[1m\x1b[31mFAIL"), "lines have colours: {seen}");
    let without = on_a_terminal(&sandbox, &format!("{line} --no-progress"));
    assert!(!without.contains("/2 files"), "{without}");
    assert!(without.contains(": 1 of 2 files"), "{without}");
}

//! What earlier runs say: `runs`, `status` and `show`.

use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::wait_for;

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";
/// The same records, of which one expects something else.
const BAD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n2\n";

/// Two runs, of which the second mends one file and breaks another.
fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    for (file, first) in [("a", GOOD), ("b", BAD), ("c", GOOD)] {
        sandbox.write(&format!("s/{file}.test"), first);
    }
    sandbox.run("run --engine scripted s");
    sandbox.write("s/a.test", BAD);
    sandbox.write("s/b.test", GOOD);
    sandbox.write("s/d.test", GOOD);
    sandbox.run("run --engine scripted s");
    sandbox
}

/// Without the names of runs, which are moments.
fn masked(sandbox: &Sandbox, output: &Output) -> String {
    let mut text = sandbox.without_names(&output.to_string());
    for run in sandbox.all_runs() {
        let name = run.file_name().unwrap().to_str().unwrap().to_owned();
        text = text.replace(&name, "[run]").replace(sandbox.path().to_str().unwrap(), "[folder]");
    }
    let words = |line: &str| match line.strip_prefix("machine ") {
        Some(_) => "machine [machine]".to_owned(),
        None => line.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn status_says_what_has_changed() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("status")), @"
    exit code 0
    --- stdout
    run [run]: completed

    category files passed failed other rate records passed failed skipped other rate
    other 4 3 1 0 75.00 % 8 7 1 0 0 87.50 %

    FAIL: 3 of 4 files and 7 of 8 records passed on scripted 0.1.0 in [time] s
    since [run]: regressed files: 1, regressed records: 1, fixed files: 1, fixed records: 1, newly tested files: 1
    s/a.test PASS before, now FAIL, 1 record not passed
    s/b.test FAIL before, now PASS
    hint: `compare` shows each record
    ");
}

#[test]
fn a_file_that_is_emptied_is_not_mended() {
    let sandbox = Sandbox::new();
    for (file, text) in [("a", BAD), ("b", GOOD), ("c", "")] {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    sandbox.run("run --engine scripted s");
    for (file, text) in [("a", ""), ("b", ""), ("c", GOOD)] {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    sandbox.run("run --engine scripted s");
    let output = sandbox.run("status");
    assert!(!output.stdout.contains("fixed"), "{output}");
    assert!(output.stdout.contains("newly untested files: 1, newly tested files: 1, "), "{output}");
    assert!(output.stdout.contains("  s/b.test  PASS before, now EMPTY\n"), "{output}");
}

#[test]
fn a_run_of_one_file_says_nothing_of_the_others() {
    let sandbox = two_runs();
    let before = sandbox.last_run().unwrap();
    let name = before.file_name().unwrap().display();
    sandbox.run("run --engine scripted s/b.test");
    let output = sandbox.run("status");
    assert!(output.stdout.contains("no change in 1 file that both runs have\n"), "{output}");
    // The run before it has the file by its path in the directory `s`.
    assert!(output.stdout.contains(&format!("since {name}: ")), "{output}");
    sandbox.write("s/b.test", BAD);
    sandbox.write("s/e.test", GOOD);
    sandbox.run("run --engine scripted s/b.test s/e.test");
    let output = sandbox.run("status");
    assert!(output.stdout.contains(": regressed files: 1, regressed records: 1"), "{output}");
    assert!(output.stdout.contains("newly tested files: 1\n"), "{output}");
    assert!(!output.stdout.contains("untested"), "{output}");
}

#[test]
fn a_run_on_another_engine_is_no_measure() {
    let sandbox = two_runs();
    let before = sandbox.last_run().unwrap();
    sandbox.run("run --engine sqlite s");
    sandbox.write("s/b.test", BAD);
    sandbox.run("run --engine scripted s");
    let output = sandbox.run("status");
    let name = before.file_name().unwrap().display();
    let change = format!("since {name}: regressed files: 1, regressed records: 1\n  s/b.test  PASS before, ");
    assert!(output.stdout.contains(&change), "{output}");
}

#[test]
fn runs_are_listed_with_their_rates() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("runs")), @"
    exit code 0
    --- stdout
    run engine files passed rate records passed rate time end
    [run] scripted 0.1.0 3 2 66.66 % 6 5 83.33 % [time] s completed
    [run] scripted 0.1.0 4 3 75.00 % 8 7 87.50 % [time] s completed

    scripted: ▁█ 87.50 % of the records in the last complete run
    ");
    assert_snapshot!(masked(&sandbox, &sandbox.run("runs --last 1")), @"
    exit code 0
    --- stdout
    run engine files passed rate records passed rate time end
    [run] scripted 0.1.0 4 3 75.00 % 8 7 87.50 % [time] s completed

    --- stderr
    note: 1 earlier run not shown; `--last 2` shows all
    ");
}

#[test]
fn a_run_and_a_file_are_shown() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("show")), @"
    exit code 0
    --- stdout
    run [run]
    command vibesql-sqllogictest run --engine scripted s
    folder [folder]
    machine [machine]

    FAIL s/a.test 1 passed, 1 failed [time] s
    s/a.test:4: values differ (1 expected, 1 found)

    category files passed failed other rate records passed failed skipped other rate
    other 4 3 1 0 75.00 % 8 7 1 0 0 87.50 %

    FAIL: 3 of 4 files and 7 of 8 records passed on scripted 0.1.0 in [time] s
    ");
    assert_snapshot!(masked(&sandbox, &sandbox.run("show last a.test")), @"
    exit code 0
    --- stdout
    FAIL s/a.test:4 query I nosort
    rows 1
    values differ (1 expected, 1 found)
    - 2
    + 1
    again: vibesql-sqllogictest test --engine scripted s/a.test:4

    FAIL s/a.test 1 passed, 1 failed [time] s
    ");
    assert_snapshot!(masked(&sandbox, &sandbox.run("show last test")), @"
    exit code 3
    --- stderr
    error: no result of `test` in run `[run]`
    hint: did you mean one of these: a.test, b.test, c.test
    ");
    let first = sandbox.all_runs()[0].display().to_string();
    let shown = sandbox.run(&format!("show {first} s/b.test"));
    assert!(shown.stdout.contains("FAIL  s/b.test:4   query I nosort"), "{shown}");
    assert!(
        shown.stdout.contains("again: vibesql-sqllogictest test --engine scripted s/b.test:4"),
        "{shown}"
    );
}

#[test]
fn where_a_run_was_made_is_known() {
    let sandbox = two_runs();
    let mut command = sandbox.command("run --engine scripted -j 3 s");
    let ci =
        [("GITHUB_RUN_ID", "7"), ("GITHUB_SERVER_URL", "https://g.example"), ("GITHUB_REPOSITORY", "a/b")];
    sandbox.git(&["init", "-q", "-b", "trunk"]);
    sandbox.git(&["add", "s"]);
    sandbox.git(&["commit", "-q", "-m", "first"]);
    let commit = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("s/a.test", "statement ok\nok\n");
    Output::of(command.env("PATH", path_of_tests()).envs(ci));
    let shown = sandbox.run("show").stdout;
    assert!(shown.contains(&format!("commit   {} on trunk, with changes\n", commit.trim())), "{shown}");
    assert!(shown.contains("CI       https://g.example/a/b/actions/runs/7\n"), "{shown}");
    assert!(shown.contains(", 3 workers\n"), "{shown}");
}

#[test]
fn old_runs_are_removed_but_the_last_green_one() {
    let sandbox = Sandbox::new();
    sandbox.write("a.test", GOOD);
    sandbox.run("run --engine scripted a.test");
    sandbox.run("run --engine scripted a.test");
    sandbox.write("a.test", BAD);
    (0..3).for_each(|_| drop(sandbox.run("run --engine scripted a.test")));
    let runs = sandbox.all_runs();
    let dry = sandbox.run("store prune --keep 1 --dry-run");
    assert_eq!((dry.code, sandbox.all_runs().len()), (0, 5), "{dry}");
    assert_eq!(dry.stdout.matches("would remove ").count(), 3, "{dry}");
    let output = sandbox.run("store prune --keep 1");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains("3 runs removed, "), "{output}");
    assert!(output.stderr.contains(" is the last successful run and is kept\n"), "{output}");
    assert_eq!(sandbox.all_runs(), [runs[1].clone(), runs[4].clone()]);
    assert_eq!(sandbox.run("store prune --older-than 1").stdout, "0 runs removed, 0 bytes\n");
    assert_eq!(sandbox.run("store prune").code, 2, "it is to be said what");
}

#[test]
fn nothing_is_known_without_runs() {
    for command in ["status", "runs", "show"] {
        let output = Sandbox::new().run(command);
        assert_eq!(output.code, 3, "{output}");
        assert!(output.stderr.starts_with("error: no run in `"), "{output}");
    }
}

#[test]
fn a_run_that_goes_on_or_was_killed_is_called_so() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", "statement ok\nonce at-it hang\n");
    let mut command = sandbox.command("run --engine scripted --serial --order path s");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the file that hangs", || sandbox.path().join("at-it").exists());
    let status = sandbox.run("status");
    assert!(
        status.stdout.contains(": going on\n") && status.stdout.contains(" of 2 files done\n"),
        "{status}"
    );
    assert!(sandbox.run("runs").stdout.contains("  going on"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(sandbox.run("runs").stdout.contains("  killed"));
}

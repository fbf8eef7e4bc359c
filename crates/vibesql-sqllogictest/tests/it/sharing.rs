//! A file that runs while workers are idle is shared by them, and has the result of one worker.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};
use crate::support::{wait_for, without_measurements};

/// A file of 13 quick queries, one that waits, and many others, of which some fail or contradict the first with their label.
fn file(waiting: &str, last: &str) -> String {
    let query = |label: &str, orders: &str, expected: u32| {
        format!("query I nosort{label}\nSELECT {orders}\nrows 1\n----\n{expected}\n\n")
    };
    let quick: String = (0..12).map(|number| query("", "sleep 0", number % 2)).collect();
    let labelled: String =
        (0..24).map(|number| query(&format!(" l{}", number % 5), "sleep 0", number % 3)).collect();
    let skipped = "skipif scripted\nquery I nosort l1\nSELECT 1\n----\n4\n\n";
    let (waiting, last) = (query(" l2", waiting, 1), query("", last, 1));
    // The engine knows no INSERT.
    let set_up = "statement error\nINSERT INTO t VALUES (1)\n\nhash-threshold 3\n\n";
    format!("{set_up}{quick}{waiting}{labelled}{skipped}{last}")
}

fn report(sandbox: &Sandbox) -> Value {
    let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    without_measurements(&mut report);
    report
}

fn run(sandbox: &Sandbox, flags: &str) -> (Output, Value) {
    let output = sandbox.run(&format!("run --engine scripted --timeout 60 --json out.json {flags} s"));
    (output, report(sandbox))
}

/// Makes the file that the waiting query waits for: `last`, which the last query makes. Another worker must execute it.
fn wait_for_last(sandbox: &Sandbox) {
    for file in ["done", "died", "last"] {
        std::fs::remove_file(sandbox.path().join(file)).ok();
    }
    std::os::unix::fs::symlink("last", sandbox.path().join("done")).unwrap();
}

#[test]
fn idle_workers_finish_a_file_and_its_report_is_that_of_one() {
    let sandbox = Sandbox::new();
    sandbox.write("s/long.test", file("await done", "once last sleep 1"));
    sandbox.write("s/short.test", "statement ok\nok\n");
    sandbox.write("done", "");
    let (_, alone) = run(&sandbox, "--serial");
    assert_eq!(alone["files"][0]["records"]["total"], 40, "{alone}");
    assert!(alone["files"][0]["records"]["failed"].as_u64() > Some(12), "{alone}");
    for workers in [2, 4] {
        wait_for_last(&sandbox);
        let (output, shared) = run(&sandbox, &format!("--workers {workers}"));
        assert_eq!(shared, alone, "{output}");
        assert!(!output.stdout.contains("run as a whole"), "{output}");
    }
}

#[test]
fn a_worker_that_dies_in_its_part_costs_one_attempt() {
    let sandbox = Sandbox::new();
    let helper_dies = ("await done", "once last abort");
    let owner_dies = ("await done\nonce died abort", "once last sleep 1");
    for (waiting, last) in [helper_dies, owner_dies] {
        sandbox.write("s/long.test", file(waiting, last));
        ["done", "died", "last"].into_iter().for_each(|file| sandbox.write(file, ""));
        let (_, alone) = run(&sandbox, "--serial");
        wait_for_last(&sandbox);
        let (output, shared) = run(&sandbox, "--workers 2");
        let [shared, alone] = [&shared, &alone].map(|report| &report["files"][0]);
        assert_eq!(shared["attempts"].as_array().unwrap().len(), 1, "{output}");
        assert_eq!(shared["attempts"][0]["status"], "crashed", "{output}");
        for part in ["records", "failures"] {
            assert_eq!(shared[part], alone[part], "{output}");
        }
    }
}

#[test]
fn a_shared_file_of_a_killed_run_is_run_again() {
    let sandbox = Sandbox::new();
    sandbox.write("s/long.test", file("await done", "once last hang"));
    ["done", "last"].into_iter().for_each(|file| sandbox.write(file, ""));
    let (_, alone) = run(&sandbox, "--serial");
    wait_for_last(&sandbox);
    let mut command = sandbox.command("run --engine scripted --workers 2 s");
    let mut master = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the helper", || sandbox.path().join("last").exists());
    master.kill().unwrap();
    master.wait().unwrap();
    let output = sandbox.run("run --resume --workers 2 --json out.json");
    assert_eq!(report(&sandbox), alone, "{output}");
}

#[test]
fn nobody_helps_where_queries_may_depend_on_each_other_or_the_user_says_no() {
    let waiting = file("await done", "once last sleep 1");
    let changing = format!("{waiting}statement ok\nok\n");
    let cases = [
        (&changing, "--workers 2"),
        (&waiting, "--workers 2 --no-split"),
        (&waiting, "--workers 3 --repeat 2"),
    ];
    let runs = cases.map(|(text, flags)| {
        let sandbox = Sandbox::new();
        sandbox.write("s/a.test", text);
        wait_for_last(&sandbox);
        let mut command = sandbox.command(&format!("run --engine scripted --timeout 3 {flags} s"));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        (sandbox, child)
    });
    for (sandbox, child) in runs {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("TIMEOUT") && !sandbox.path().join("last").exists(), "{said}");
    }
}

//! The store among processes: several at once, and where nothing can be written.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use vibesql_sqllogictest::results::store::RunId;

use crate::histories::copy_tree;
use crate::sandbox::{Output, Sandbox};
use crate::store::{assert_same, everything, files_of_manifest, manifest_of, names_in, problems, seal};
use crate::store_model::rows_of;

const GOOD: &str = "statement ok\nCREATE TABLE t(a)\n\nquery I nosort\nSELECT 1\n----\n1\n";
const BAD: &str = "query I nosort\nSELECT 1\n----\n2\n";

fn suite(sandbox: &Sandbox) {
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", BAD);
}

/// Ends the test if a command hangs.
fn within_minutes(mut command: Command) -> Output {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(Output::of(&mut command))));
    receiver.recv_timeout(Duration::from_secs(300)).unwrap()
}

/// One of several who do everything at once.
fn takes_part(sandbox: &Sandbox, results: &Path, rounds: usize, number: usize) -> Vec<Output> {
    let mut outputs = Vec::new();
    for round in 0..rounds {
        for words in
            ["run --engine sqlite --serial s", "store seal", "runs", "store verify", "store prune --keep 14"]
        {
            if words.starts_with("store prune") && (round + number).is_multiple_of(2) {
                continue;
            }
            let output = within_minutes(sandbox.command(&format!("--results results {words}")));
            let expected = if words.starts_with("run ") { 1 } else { 0 };
            assert_eq!(output.code, expected, "{words}: {output}");
            outputs.push(output);
        }
        let all = everything(results);
        assert!(!all.damaged, "{:?}", all.notes);
        for run in rows_of(&all, "test_runs") {
            let of_run =
                rows_of(&all, "test_results").iter().filter(|row| row["run_id"] == run["run_id"]).count();
            if run["state"].as_text() == Some("COMPLETED") {
                // Of one that is removed at this moment nothing can be read any more.
                assert!(
                    of_run == 2 || !results.join("runs").join(run["name"].as_text().unwrap()).exists(),
                    "{run:?}"
                );
            }
        }
    }
    outputs
}

fn all_at_once(processes: usize, rounds: usize) {
    let sandbox = Sandbox::new();
    suite(&sandbox);
    let results = sandbox.path().join("results");
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..processes)
            .map(|number| {
                let (sandbox, results) = (&sandbox, &results);
                scope.spawn(move || takes_part(sandbox, results, rounds, number))
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    for output in &outputs {
        assert!(!output.stderr.contains("warning"), "{output}");
    }
    seal(&results);
    let names = names_in(&results.join("runs"));
    let removed: usize = outputs
        .iter()
        .map(|output| {
            output.stdout.matches("\nremoved ").count() + usize::from(output.stdout.starts_with("removed "))
        })
        .sum();
    assert_eq!(names.len() + removed, processes * rounds, "{names:?}");
    let all = everything(&results);
    let mut in_store: Vec<_> =
        rows_of(&all, "test_runs").iter().map(|run| run["name"].as_text().unwrap().to_owned()).collect();
    in_store.sort();
    assert_eq!(in_store, names);
    assert_eq!(rows_of(&all, "test_results").len(), names.len() * 2);
    assert_eq!(problems(&results), Vec::<String>::new());
    assert_eq!(names_in(&results.join("store/segments")), files_of_manifest(&results));
    assert_eq!(manifest_of(&results)["runs"].as_array().unwrap().len(), names.len());
    assert!(names.iter().all(|name| RunId::from_name(name).is_ok()));
}

#[test]
fn two_do_everything_at_once() {
    all_at_once(2, 8);
}

#[test]
fn eight_do_everything_at_once() {
    all_at_once(8, 3);
}

#[test]
fn a_store_that_cannot_be_written_stops_no_run() {
    let sandbox = Sandbox::new();
    suite(&sandbox);
    let line = "--results results run --engine sqlite --serial s";
    assert_eq!(sandbox.run(line).code, 1);
    let results = sandbox.path().join("results");
    seal(&results);
    let before = everything(&results);
    for place in ["store", "store/segments"] {
        let (place, aside) = (results.join(place), results.join("aside"));
        std::fs::rename(&place, &aside).unwrap();
        std::fs::write(&place, "no folder").unwrap();
        assert_eq!(sandbox.run(line).code, 1);
        // Whoever asks is answered from the journals.
        let output = sandbox.run("--results results query --preset failed-files");
        assert!(output.stderr.contains("warning: the store is not up to date: "), "{output}");
        assert!(output.stderr.contains("; no results are lost, the journals are complete\n"), "{output}");
        std::fs::remove_file(&place).unwrap();
        std::fs::rename(&aside, &place).unwrap();
    }
    assert_eq!(names_in(&results.join("runs")).len(), 3);
    let output = sandbox.run("--results results store seal");
    assert_eq!((output.code, output.stdout.as_str()), (0, "2 runs sealed\n"), "{output}");
    assert_eq!(problems(&results), Vec::<String>::new());
    let all = everything(&results);
    let (then, now) = (rows_of(&before, "test_results"), rows_of(&all, "test_results"));
    assert_eq!((then.len(), now.len(), &now[..2]), (2, 6, &then[..]));
}

#[test]
fn a_disk_that_is_full_leaves_the_store_as_it_was() {
    let sandbox = Sandbox::new();
    suite(&sandbox);
    let line = "--results results run --engine sqlite --serial s";
    assert_eq!(sandbox.run(line).code, 1);
    let results = sandbox.path().join("results");
    seal(&results);
    let before = everything(&results);
    let old = sandbox.path().join("old");
    copy_tree(&results.join("store"), &old);
    // No file may grow: what is written is cut off, wherever it is. The journal is there already.
    let run = Sandbox::new();
    suite(&run);
    assert_eq!(run.run("--results results run --engine sqlite --serial s").code, 1);
    let name = names_in(&run.path().join("results/runs")).pop().unwrap();
    let late = format!("{name}-2");
    copy_tree(&run.path().join("results/runs").join(&name), &results.join("runs").join(&late));
    // In blocks of 512 bytes.
    for blocks in [0, 1, 2] {
        let seal = sandbox.command("--results results store seal");
        let mut limited = Command::new("sh");
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        limited.args(["-c", &limit]).arg(seal.get_program()).args(seal.get_args());
        limited.current_dir(sandbox.path()).env_clear();
        let output = Output::of(&mut limited);
        let told = if output.code == 0 { "warning: the store is not up to date: " } else { "error: " };
        assert!(
            output.stderr.contains(told) && !output.stdout.contains("1 run"),
            "{blocks} blocks: {output}"
        );
        assert_eq!(
            std::fs::read(results.join("store/manifest.json")).unwrap(),
            std::fs::read(old.join("manifest.json")).unwrap()
        );
        assert_eq!(rows_of(&everything(&results), "test_results")[..2], rows_of(&before, "test_results")[..]);
        assert_eq!(everything(&results).runs, 2);
    }
    let unsealed = everything(&results);
    let output = sandbox.run("--results results store seal");
    assert_eq!((output.code, output.stdout.as_str()), (0, "1 run sealed\n"), "{output}");
    assert_eq!(problems(&results), Vec::<String>::new());
    assert_same(&everything(&results), &unsealed, "when there is room again");
    assert_eq!(names_in(&results.join("store/segments")), files_of_manifest(&results));
}

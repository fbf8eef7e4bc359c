//! Killed at every step of writing the store: nothing is lost, nothing is there twice, and the next command tidies up.
#![expect(clippy::disallowed_methods, reason = "tests of kills look at the clock")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vibesql_sqllogictest::results::Journal;
use vibesql_sqllogictest::results::store::Extract;

use crate::histories::{self, Numbers, Run, copy_tree};
use crate::sandbox::Sandbox;
use crate::store::{
    assert_same, everything, files_of_manifest, folder_with, names_in, problems, rebuild, seal, store,
};
use crate::store_model::rows_of;
use crate::support::{wait_for, wait_until};

fn program(results: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vibesql-sqllogictest"));
    command.env_clear().arg("--results").arg(results).args(words.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Kills the command at each of its steps in copies of a folder, and looks at what it leaves. `last` is done to the
/// folder then, and must make good what is still to be done.
fn killed_at_every_step(base: &Path, words: &str, last: &dyn Fn(&Path), healthy: &[&Extract]) {
    for step in 1.. {
        assert!(step < 500, "it does not end");
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path();
        copy_tree(base, results);
        let when = format!("`{words}`, killed at step {step}");
        let status = program(results, &format!("{words} --die-at-step {step}")).status().unwrap();
        let killed = status.signal() == Some(9);
        assert!(killed || status.success(), "{when}: {status}");
        // All there, and nothing twice: that of before, or that of after.
        let left = everything(results);
        let expected = healthy.iter().find(|healthy| healthy.runs == left.runs).unwrap();
        assert_same(&left, expected, &when);
        assert!(left.notes.is_empty() && !left.damaged, "{when}: {:?}", left.notes);
        last(results);
        assert_eq!(seal(results).notes, Vec::<String>::new(), "{when}");
        assert_eq!(problems(results), Vec::<String>::new(), "{when}");
        assert_same(&everything(results), healthy.last().unwrap(), &when);
        // Nothing that nobody needs is left.
        assert_eq!(names_in(&results.join("store/segments")), files_of_manifest(results), "{when}");
        if !killed {
            assert!(step > 10, "there are more steps than {step}");
            return;
        }
    }
}

fn nothing(_: &Path) {}

/// What a store has to say that was never killed.
fn healthy(base: &Path) -> Extract {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(base, folder.path());
    seal(folder.path());
    assert_eq!(problems(folder.path()), Vec::<String>::new());
    everything(folder.path())
}

#[test]
fn killed_while_the_first_runs_are_sealed() {
    let folder = folder_with(&histories::runs(21, 2, 5));
    killed_at_every_step(folder.path(), "store seal", &nothing, &[&healthy(folder.path())]);
}

#[test]
fn killed_while_a_run_is_sealed_into_a_store() {
    let runs = histories::runs(22, 4, 5);
    let folder = folder_with(&runs[1..]);
    seal(folder.path());
    // An old one, so that counters are made again.
    runs[0].write(folder.path());
    killed_at_every_step(folder.path(), "store seal", &nothing, &[&healthy(folder.path())]);
}

#[test]
fn killed_while_a_run_that_has_grown_is_sealed_again() {
    let runs = histories::runs(23, 3, 6);
    let folder = tempfile::tempdir().unwrap();
    runs.iter().for_each(|run| run.write_sessions(folder.path(), 1));
    seal(folder.path());
    let grown = runs.iter().find(|run| run.sessions.len() > 1).unwrap();
    std::fs::remove_file(folder.path().join("runs").join(&grown.name).join("journal.jsonl")).unwrap();
    grown.write(folder.path());
    killed_at_every_step(folder.path(), "store seal", &nothing, &[&healthy(folder.path())]);
}

#[test]
fn killed_while_the_store_is_made_again() {
    let folder = folder_with(&histories::runs(24, 2, 5));
    seal(folder.path());
    killed_at_every_step(folder.path(), "store rebuild", &nothing, &[&healthy(folder.path())]);
}

#[test]
fn killed_while_a_damaged_manifest_is_replaced() {
    // Runs that have no journal any more were lost with the manifest.
    let runs = histories::runs(25, 3, 4);
    let folder = folder_with(&runs);
    seal(folder.path());
    let all = everything(folder.path());
    std::fs::remove_dir_all(folder.path().join("runs").join(&runs[0].name)).unwrap();
    let manifest = folder.path().join("store/manifest.json");
    let mut bytes = std::fs::read(&manifest).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&manifest, bytes).unwrap();
    for step in 1.. {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(folder.path(), copy.path());
        let status = program(copy.path(), &format!("store rebuild --die-at-step {step}")).status().unwrap();
        seal(copy.path());
        assert_same(&everything(copy.path()), &all, &format!("killed at step {step}"));
        assert_eq!(problems(copy.path()), Vec::<String>::new());
        if status.success() {
            assert_eq!(names_in(&copy.path().join("store/damaged")), ["manifest.json"]);
            break;
        }
    }
}

#[test]
fn killed_while_runs_are_removed() {
    let runs = histories::runs(27, 4, 5);
    let folder = folder_with(&runs);
    seal(folder.path());
    let before = everything(folder.path());
    let prune =
        |results: &Path| assert!(program(results, "store prune --keep 2").status().unwrap().success());
    let after = tempfile::tempdir().unwrap();
    copy_tree(folder.path(), after.path());
    prune(after.path());
    let after = everything(after.path());
    assert!(after.runs < before.runs);
    killed_at_every_step(folder.path(), "store prune --keep 2", &prune, &[&before, &after]);
}

#[test]
fn killed_amid_many_runs() {
    // The manifest is written several times.
    let folder = folder_with(&histories::runs(20, 52, 1));
    let healthy = everything(folder.path());
    for step in [150, 280, 290, 294] {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(folder.path(), copy.path());
        let status = program(copy.path(), &format!("store seal --die-at-step {step}")).status().unwrap();
        assert_eq!(status.signal(), Some(9), "step {step}: {status}");
        assert_same(&everything(copy.path()), &healthy, &format!("killed at step {step}"));
        seal(copy.path());
        assert_same(&everything(copy.path()), &healthy, &format!("killed at step {step}, sealed"));
        assert_eq!(problems(copy.path()), Vec::<String>::new(), "step {step}");
        assert_eq!(names_in(&copy.path().join("store/segments")), files_of_manifest(copy.path()));
    }
}

fn rounds() -> u64 {
    std::env::var("SLT_SOAK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

/// Files of SQLite that pass, fail, and have nothing to do.
fn suite(sandbox: &Sandbox) {
    for file in 0..12 {
        let text = match file % 4 {
            1 => "query I nosort\nSELECT 1\n----\n2\n\nstatement ok\nSELECT nothing\n",
            2 => "skipif sqlite\nstatement ok\nSELECT 1\n",
            _ => "statement ok\nCREATE TABLE t(a)\n\nquery I nosort\nSELECT 1\n----\n1\n",
        };
        sandbox.write(&format!("s/{file:02}.test"), text);
    }
}

/// `SLT_SOAK_ROUNDS=200` makes a soak of it (`just soak`).
#[test]
fn runs_that_are_killed_at_any_moment_are_in_the_store() {
    for how in ["--serial", "--workers 2"] {
        let sandbox = Sandbox::new();
        suite(&sandbox);
        let results = sandbox.path().join("results");
        for round in 0..rounds() {
            let mut numbers = Numbers::new(round);
            let mut command = sandbox.command(&format!("--results results run --engine sqlite {how} s"));
            let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let moment = Instant::now() + Duration::from_micros(numbers.below(400_000));
            wait_until(moment, &mut run);
            // What has ended meanwhile cannot be killed.
            drop(run.kill());
            run.wait().unwrap();
            let output = sandbox.run("--results results store seal");
            assert_eq!(output.code, 0, "{how}, round {round}: {output}");
            check_after_kill(&sandbox, &results, &format!("{how}, round {round}"));
        }
    }
}

fn check_after_kill(sandbox: &Sandbox, results: &Path, when: &str) {
    // A process that was just being started has the lock of its run for another moment.
    wait_for("the end of the run", || {
        let runs = rows_of(&everything(results), "test_runs");
        runs.iter().all(|run| run["state"].as_text() != Some("RUNNING"))
    });
    seal(results);
    let output = sandbox.run("--results results store verify");
    assert!(output.code == 0 && output.stdout.ends_with("no problems found\n"), "{when}: {output}");
    assert!(!output.stderr.contains("not in the store yet"), "{when}: {output}");
    let all = everything(results);
    let (runs, tested) = (rows_of(&all, "test_runs"), rows_of(&all, "test_results"));
    let mut seen = 0;
    for name in names_in(&results.join("runs")) {
        // Killed before its first word.
        let journal = Journal::read(&results.join("runs").join(&name).join("journal.jsonl"));
        let Ok(Some(journal)) = journal else { continue };
        seen += 1;
        let of_run: Vec<_> = runs.iter().filter(|run| run["name"].as_text() == Some(&name)).collect();
        assert_eq!(of_run.len(), 1, "{when}: {name}");
        if !journal.ended {
            assert_eq!(of_run[0]["state"].as_text(), Some("INTERRUPTED"), "{when}: {name}");
        }
        let mut files: Vec<_> = tested
            .iter()
            .filter(|result| result["run_id"] == of_run[0]["run_id"])
            .map(|result| result["file_path"].as_text().unwrap())
            .collect();
        files.sort_unstable();
        let mut expected: Vec<_> = journal.report.files.iter().map(|file| file.file.path()).collect();
        expected.sort_unstable();
        assert_eq!(files, expected, "{when}: {name}");
    }
    assert_eq!(seen, runs.len(), "{when}");
}

/// A killed writer leaves files that nobody refers to; they are removed even where nothing is to be sealed.
#[test]
fn what_a_killed_process_leaves_is_removed() {
    let folder = folder_with(&histories::runs(28, 1, 3));
    seal(folder.path());
    let segments = folder.path().join("store/segments");
    for name in [".unfinished-summary", "summary.0123456789abcdef.vbsqlz"] {
        std::fs::write(segments.join(name), "left").unwrap();
    }
    seal(folder.path());
    assert_eq!(names_in(&segments), files_of_manifest(folder.path()));
    rebuild(folder.path());
    assert_eq!(names_in(&segments), files_of_manifest(folder.path()));
}

/// A name that is no run's, or has no journal that can be read, keeps no other out.
#[test]
fn what_cannot_be_sealed_keeps_nothing_out() {
    let runs: Vec<Run> = histories::runs(29, 3, 3);
    let folder = folder_with(&runs);
    let strange = folder.path().join("runs/strange");
    copy_tree(&folder.path().join("runs").join(&runs[0].name), &strange);
    // The same number as the run without `-1`.
    copy_tree(&strange, &folder.path().join("runs").join(format!("{}-1", runs[0].name)));
    std::fs::write(folder.path().join("runs").join(&runs[1].name).join("journal.jsonl"), "no journal\n")
        .unwrap();
    std::fs::create_dir_all(folder.path().join("runs/20261122-235959/journal.jsonl")).unwrap();
    let sealed = seal(folder.path());
    assert_eq!(sealed.runs, [runs[0].name.as_str(), runs[2].name.as_str()]);
    let before = names_in(&folder.path().join("store/segments"));
    let all = everything(folder.path());
    assert_eq!((all.runs, all.damaged), (2, false));
    assert!(all.notes.iter().any(|note| note.contains(&format!("run {} ", runs[1].name))), "{:?}", all.notes);
    assert_eq!(seal(folder.path()).runs, Vec::<String>::new());
    assert_eq!(names_in(&folder.path().join("store/segments")), before);
    // It is not said that sealing would help.
    let found = store(folder.path()).verify(&mut |_, _| ()).unwrap();
    assert_eq!(found.unsealed, Vec::<String>::new());
    assert_eq!((found.problems.len(), found.journal_problems.len()), (0, 1), "{found:?}");
    assert!(found.journal_problems[0].starts_with(&format!("run {}: ", runs[1].name)), "{found:?}");
    for name in ["strange", &format!("{}-1", runs[0].name), "20261122-235959"] {
        let is_told = |note: &String| note.contains(&format!("/{name}\" is ignored: "));
        assert!(found.notes.iter().any(is_told), "{name}: {:?}", found.notes);
    }
}

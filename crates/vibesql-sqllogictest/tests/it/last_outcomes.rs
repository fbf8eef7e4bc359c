//! How a file ended last is not forgotten, however many runs there are and whatever happens to them.

use std::process::Stdio;
use std::time::Duration;

use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::results::{History, ResultsFolder};

use crate::kept::{BAD, GOOD, copy_all, results, runs, two_runs, wait_for_results, wait_until_ended};
use crate::sandbox::Sandbox;
use crate::support::wait_for;

/// As many runs of another file and engine as were looked back on once, and more.
fn bury(sandbox: &Sandbox) {
    for _ in 0..21 {
        assert_eq!(sandbox.run("run --engine sqlite other.test").code, 0);
    }
}

#[test]
fn a_failing_file_is_not_forgotten_behind_many_other_runs() {
    let sandbox = two_runs();
    sandbox.write("other.test", "statement ok\nSELECT 1\n");
    bury(&sandbox);
    let only_b = |when: &str| {
        let output = sandbox.run("run --engine scripted --failed s");
        assert_eq!(output.code, 1, "{when}: {output}");
        assert!(output.stdout.contains("FAIL: 0 of 1 file"), "{when}: {output}");
    };
    only_b("after other runs");
    // Nor when the runs themselves have gone.
    assert_eq!(sandbox.run("store prune --keep 1").code, 0);
    only_b("after the removal of runs");
    let index = results(&sandbox).join("outcomes.index");
    // Whatever is wrong with the index: it is made again.
    let whole = std::fs::read(&index).unwrap();
    for place in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 4;
        std::fs::write(&index, &damaged).unwrap();
        let history = read(&sandbox, "s/b.test", "b.test");
        assert_eq!(history.0, Some(false), "byte {place}");
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(read(&sandbox, "s/b.test", "b.test").0, Some(false), "cut at {length}");
    }
    std::fs::remove_file(&index).unwrap();
    assert_eq!(read(&sandbox, "s/b.test", "b.test").0, Some(false));
    sandbox.write("s/b.test", GOOD);
    assert_eq!(sandbox.run("run --engine scripted s").code, 0);
    assert_eq!(read(&sandbox, "s/b.test", "b.test").0, Some(true));
    assert_eq!(sandbox.run("run --engine scripted --failed s").code, 3);
}

/// What is known of a file on the scripted engine.
fn read(sandbox: &Sandbox, path: &str, file: &str) -> (Option<bool>, Option<Duration>) {
    let place = sandbox.path().join(path).canonicalize().unwrap();
    let results = ResultsFolder::new(results(sandbox));
    let place = place.to_str().unwrap();
    let file = FileId::at(place, place.strip_suffix(file).unwrap());
    let past = History::read(&results, "scripted", &[&file]).unwrap().of(&file);
    (past.good, past.duration)
}

#[test]
fn the_index_says_what_the_journals_say_whatever_happens_behind_its_back() {
    let sandbox = two_runs();
    let folder = results(&sandbox).join("runs");
    assert_eq!(read(&sandbox, "s/b.test", "b.test").0, Some(false));
    assert!(read(&sandbox, "s/b.test", "b.test").1.is_some());
    // A run on another engine says nothing of this one.
    sandbox.run("run --engine sqlite s");
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(true));
    // A run that is killed is added to the index by the next command.
    sandbox.write("s/a.test", BAD);
    sandbox.write("s/c.test", "statement ok\nonce at-it hang\n");
    let mut command = sandbox.command("run --engine scripted --serial --order path s");
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the file that hangs", || sandbox.path().join("at-it").exists());
    wait_for_results(&sandbox, 2);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until_ended(&sandbox);
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(false));
    assert_eq!(read(&sandbox, "s/c.test", "c.test").0, None);
    // So is the rest when it is taken up again.
    assert_eq!(sandbox.run("run --resume").code, 1);
    assert_eq!(read(&sandbox, "s/c.test", "c.test").0, Some(true));
    // A run that is moved away is no longer heard.
    let away = sandbox.path().join("away");
    let last = sandbox.last_run().unwrap();
    std::fs::rename(&last, &away).unwrap();
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(true));
    assert_eq!(read(&sandbox, "s/c.test", "c.test"), (None, None));
    // Back again, and an older one that arrives late changes nothing.
    std::fs::rename(&away, &last).unwrap();
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(false));
    copy_all(&folder.join(&runs(&sandbox)[0]), &folder.join("20200101-000000"));
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(false));
    // Another working copy has no outcomes, but times.
    copy_all(&sandbox.path().join("s"), &sandbox.path().join("copy"));
    let elsewhere = read(&sandbox, "copy/a.test", "a.test");
    assert!(elsewhere.0.is_none() && elsewhere.1.is_some(), "{elsewhere:?}");
    // A folder that cannot be written to is read all the same.
    std::fs::remove_file(results(&sandbox).join("outcomes.index")).unwrap();
    std::fs::create_dir(results(&sandbox).join("outcomes.index")).unwrap();
    assert_eq!(read(&sandbox, "s/a.test", "a.test").0, Some(false));
}

#[test]
fn a_long_index_is_made_anew_and_says_the_same() {
    let sandbox = Sandbox::new();
    for file in 0..1_500 {
        sandbox.write(&format!("s/{file:04}.test"), if file % 100 == 7 { BAD } else { GOOD });
    }
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    for file in ["0007", "0207"] {
        sandbox.write(&format!("s/{file}.test"), GOOD);
        assert_eq!(sandbox.run(&format!("run --engine scripted s/{file}.test")).code, 0);
    }
    // One file has another name in reports, one is named as before.
    let output = sandbox.run("run --engine scripted --failed s");
    assert!(output.stdout.contains("FAIL: 0 of 13 files"), "{output}");
    std::fs::remove_file(results(&sandbox).join("outcomes.index")).unwrap();
    let output = sandbox.run("run --engine scripted --failed s");
    assert!(output.stdout.contains("FAIL: 0 of 13 files"), "{output}");
}

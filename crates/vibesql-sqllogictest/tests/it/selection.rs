//! Which files are run, in which order and in how many pieces: what earlier runs and Git know.

use serde_json::Value;

use crate::sandbox::{Output, Sandbox, path_of_tests};
use crate::support::without_measurements;

/// The files of a run in the order in which they were finished.
fn finished(output: &Output) -> Vec<String> {
    let lines = output.stdout.lines().filter(|line| !line.starts_with(' '));
    let words = lines.filter_map(|line| line.split_whitespace().nth(1));
    words.filter_map(|word| Some(word.strip_prefix("s/")?.strip_suffix(".test")?.to_owned())).collect()
}

fn run(sandbox: &Sandbox, flags: &str) -> Vec<String> {
    let output = sandbox.run(&format!("run --engine scripted --serial {flags} s"));
    assert!(output.code <= 1, "{output}");
    finished(&output)
}

/// Five files: some pass and some fail, and they take their time.
fn five() -> Sandbox {
    let sandbox = Sandbox::new();
    for (file, time, passes) in
        [("a", 10, true), ("b", 60, true), ("c", 10, false), ("d", 60, false), ("e", 30, true)]
    {
        let end = if passes { "ok" } else { "error no" };
        sandbox.write(&format!("s/{file}.test"), format!("statement ok\nsleep {time}\n{end}\n"));
    }
    sandbox
}

#[test]
fn failed_files_come_first_and_long_ones_before_short_ones() {
    let sandbox = five();
    assert_eq!(run(&sandbox, "--order path"), ["a", "b", "c", "d", "e"]);
    sandbox.write("s/f.test", "statement ok\nok\n");
    assert_eq!(run(&sandbox, ""), ["d", "c", "f", "b", "e", "a"]);
    // What is known is known of the engine.
    let other = sandbox.run("run --engine sqlite --serial --filter e.test s");
    assert_eq!(other.code, 1, "{other}");
    assert_eq!(run(&sandbox, "--failed"), ["d", "c"]);
}

#[test]
fn a_seed_is_an_order() {
    let sandbox = five();
    let first = run(&sandbox, "--seed 7");
    // Held fast: the next version and another machine do the same.
    assert_eq!(first, ["d", "e", "c", "a", "b"]);
    assert_eq!(run(&sandbox, "--seed 7"), first);
    assert_ne!(run(&sandbox, "--seed 8"), first);
    let output = sandbox.run("run --engine scripted --serial --random s");
    let hint = "note: random order; `--seed ";
    let seed = output.stderr.split(hint).nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert_eq!(run(&sandbox, &format!("--seed {seed}")), finished(&output));
}

#[test]
fn nothing_failed_is_nothing_to_do() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nok\n");
    let hint = |line: &str| {
        let output = sandbox.run(line);
        assert_eq!(output.code, 3, "{output}");
        assert!(output.stderr.starts_with("error: --failed selects no file\n  hint: "), "{output}");
        output.stderr
    };
    let line = "run --engine scripted --failed s";
    let none = "hint: there is no result of these files on this engine in the results folder; ";
    assert!(hint(line).contains(none));
    sandbox.run("run --engine scripted s");
    assert!(hint(line).contains("hint: every file passed in its last run; `run` without --failed runs"));
    assert!(hint("list --engine sqlite --failed s").contains(none));
    sandbox.write("s/b.test", "statement ok\nok\n");
    let some = "hint: no file failed in its last run, and 1 of 2 files have no result on this engine; ";
    assert!(hint(line).contains(some));
}

#[test]
fn what_failed_is_not_guessed() {
    let sandbox = five();
    // A results folder in which nothing can be listed.
    sandbox.write("results/runs", "no folder");
    let output = sandbox.run("run --engine scripted --failed --results results s");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("error: cannot list `results/runs`"), "{output}");
}

#[test]
fn changed_files_are_those_that_git_names() {
    let sandbox = five();
    let changed = |flags: &str| {
        let mut command = sandbox.command(&format!("run --engine scripted --serial --order path {flags} s"));
        Output::of(command.env("PATH", path_of_tests()))
    };
    let outside = changed("--changed");
    assert_eq!(outside.code, 2, "{outside}");
    assert!(outside.stderr.contains("error: --changed: `s/a.test` is not in a Git repository"), "{outside}");

    sandbox.git(&["init", "-q"]);
    sandbox.git(&["add", "s"]);
    sandbox.git(&["commit", "-q", "-m", "first"]);
    assert_eq!(changed("--changed").code, 3);
    sandbox.write("s/b.test", "statement ok\nok\n");
    sandbox.git(&["commit", "-q", "-a", "-m", "second"]);
    sandbox.write("s/c.test", "statement ok\nok\n");
    sandbox.write("s/new ö.test", "statement ok\nok\n");
    let since_last = changed("--changed");
    assert_eq!(since_last.code, 0, "{since_last}");
    assert!(
        since_last.stdout.contains("PASS    s/c.test") && since_last.stdout.contains("PASS    s/new ö.test")
    );
    assert!(since_last.stdout.contains("PASS: 2 of 2 files"), "{since_last}");
    assert_eq!(finished(&changed("--changed=HEAD~1 --filter c.test --filter b.test")), ["b", "c"]);
    let wrong = changed("--changed=nowhere");
    assert_eq!(wrong.code, 2, "{wrong}");
    assert!(wrong.stderr.contains("hint: --changed requires a commit, a branch or a tag"), "{wrong}");
}

#[test]
fn shards_by_time_are_equally_long_and_have_each_file_once() {
    let sandbox = five();
    run(&sandbox, "--order path");
    // Each machine of a CI knows the same runs, and not those of the others.
    let known = sandbox.last_run().unwrap();
    let shards = ["1/2", "2/2"].map(|shard| {
        let results = sandbox.path().join(shard.replace('/', "-"));
        let copy = results.join("runs").join(known.file_name().unwrap());
        std::fs::create_dir_all(&copy).unwrap();
        std::fs::copy(known.join("journal.jsonl"), copy.join("journal.jsonl")).unwrap();
        let flags = format!("--shard {shard} --balance time --results {}", results.display());
        let output = sandbox.run(&format!("run --engine scripted --serial {flags} s"));
        let word = output.stderr.strip_prefix("note: shards by time, ").unwrap()[..8].to_owned();
        (word, finished(&output))
    });
    assert_eq!(shards[0].0, shards[1].0, "both have the same word for how they share");
    // 60 and 60 to one each, 30 to the first, 10 and 10 to the second.
    let shards = shards.map(|(_, files)| files);
    let mut all = shards.concat();
    all.sort();
    assert_eq!(all, ["a", "b", "c", "d", "e"], "{shards:?}");
    assert!(shards.iter().all(|shard| shard.contains(&"b".to_owned()) != shard.contains(&"d".to_owned())));
}

#[test]
fn the_shard_of_a_ci_is_taken() {
    let sandbox = five();
    let run = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command("list --shard auto s");
        command.envs(variables.iter().copied());
        Output::of(&mut command)
    };
    let parts = ["0", "1", "2"].map(|index| {
        let output = run(&[("CIRCLE_NODE_INDEX", index), ("CIRCLE_NODE_TOTAL", "3")]);
        // A shard may be empty.
        assert!(output.code == 0 || output.code == 3, "{output}");
        output.stdout.lines().count()
    });
    assert_eq!(parts.iter().sum::<usize>(), 5);
    let none = run(&[]);
    assert_eq!(none.code, 2, "{none}");
    insta::assert_snapshot!(none, @"
    exit code 2
    --- stderr
    error: --shard auto: no variables of a CI are set
      hint: give it as --shard K/N, or set both of a pair: CI_NODE_INDEX and CI_NODE_TOTAL; CIRCLE_NODE_INDEX and CIRCLE_NODE_TOTAL; BUILDKITE_PARALLEL_JOB and BUILDKITE_PARALLEL_JOB_COUNT; SEMAPHORE_JOB_INDEX and SEMAPHORE_JOB_COUNT; BITBUCKET_PARALLEL_STEP and BITBUCKET_PARALLEL_STEP_COUNT; SYSTEM_JOBPOSITIONINPHASE and SYSTEM_TOTALJOBSINPHASE
    ");
    let parts = ["1", "2"].map(|index| run(&[("CI_NODE_INDEX", index), ("CI_NODE_TOTAL", "2")]).stdout);
    assert_eq!(parts.concat().lines().count(), 5, "GITLAB_CI is not needed");
}

/// Runs once to learn how long the file takes, and then in slices and whole.
fn split(last: &str) -> (Sandbox, Value) {
    let sandbox = Sandbox::new();
    let query =
        |number: usize| format!("query I nosort\nSELECT sleep 250\nrows {number}\n----\n{}\n\n", number % 7);
    let text: String = (0..9).map(query).collect();
    sandbox.write("s/long.test", format!("{text}{last}"));
    sandbox.write("s/short.test", "statement ok\nok\n");
    let report = |flags: &str| {
        let output = sandbox.run(&format!("run --engine scripted --json out.json {flags} s"));
        let mut report: Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
        without_measurements(&mut report);
        let plan = std::fs::read_to_string(sandbox.last_run().unwrap().join("run.json")).unwrap();
        (output, report, plan.contains("\"slice\":{"))
    };
    let (_, first, split) = report("--serial");
    assert!(!split, "nothing is known yet");
    let (_, whole, split) = report("--workers 3 --no-split");
    assert!(!split);
    assert_eq!(whole, first);
    let (output, sliced, split) = report("--workers 3");
    assert!(split, "{output}");
    assert_eq!(sliced, whole, "{output}");
    sandbox.write("output", &output.stdout);
    (sandbox, sliced)
}

#[test]
fn a_file_that_outlasts_the_rest_is_run_in_slices() {
    let (sandbox, report) = split("");
    assert_eq!(report["summary"]["records"]["failed"], 2, "{report}");
    assert!(!sandbox.read("output").contains("run whole"));
}

#[test]
fn slices_that_make_no_report_are_no_loss() {
    let (sandbox, report) =
        split("query I nosort\nSELECT abort\n----\n1\n\nquery I nosort\nSELECT rows 1\n----\n1\n");
    assert_eq!(report["files"][0]["status"], "crashed", "{report}");
    assert_eq!(report["files"][0]["records"]["not_reached"], 1, "{report}");
    assert!(
        sandbox
            .read("output")
            .contains("note: s/long.test is run as a whole: its slices could not be merged")
    );
}

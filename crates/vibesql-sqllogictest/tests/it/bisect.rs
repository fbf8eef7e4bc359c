//! `bisect`: the commits that a failure lies between, and the script with which Git finds the one.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::project::{BROKEN, PROGRAM, Project, TEST, broken_by, source};

#[test]
fn git_finds_the_commit_that_broke_a_record() {
    let mut project = Project::new("slt");
    let (create, abs) = ("engine/create.sh", "engine/abs.sh");
    let record = "query I nosort\ndo built/abs\n----\n5\n\n";
    let set_up = "statement ok\ndo built/create\n\n";
    let suite = [set_up, record].concat();
    project.commit("begin", &[(create, &source("ok")), (abs, &source("rows 5")), (TEST, &suite)]);
    assert_eq!(project.build_and_run(&[]).code, 0);
    project.commit("lines move", &[(TEST, &["# moved\n\n", &suite].concat())]);
    project.commit("half a change", &[(abs, BROKEN)]);
    project.commit("the other half", &[(abs, &source("rows 5"))]);
    let more = "query I nosort\nrows 1\n----\n1\n\n";
    project.commit("a new record", &[(TEST, &[set_up, more, more, record].concat())]);
    // Whoever looks at the record alone would take this for the bug.
    project.commit(
        "no tables for a while",
        &[(create, &source("error no tables")), (abs, &source("error no such table"))],
    );
    project.commit("tables again", &[(create, &source("ok")), (abs, &source("rows 5"))]);
    let planted = project.commit("faster abs", &[(abs, &source("rows -5"))]);
    project.commit("half a change again", &[(create, BROKEN)]);
    project.commit("the other half again", &[(create, &source("ok"))]);
    project.commit("a note", &[("README", "an engine")]);
    project.commit("another note", &[("README", "a fast engine")]);
    assert_eq!(project.build_and_run(&[]).code, 1);

    let overview = project.bisect(&[]);
    assert_snapshot!(project.told(&overview), @"
    exit code 0
    --- stdout
    1 record in 1 file began to fail
      good  [commit 0]  [day] begin
            run [run 0]
      bad   [commit 11]  [day] another note
            run [run 1]
      11 commits to choose from, about 4 steps
      for example suite/a.test:14  rows differ
      find the commit: vibesql-sqllogictest bisect suite/a.test:14

    1 range of commits in which what fails in run [run 1] began, by 2 runs
    ");
    let output = project.bisect(&["suite/a.test:15"]);
    assert_snapshot!(project.told(&output), @"
    exit code 0
    --- stdout
    suite/a.test:14  rows differ in run [run 1]

    good  [commit 0]  [day] begin
          run [run 0]
    bad   [commit 11]  [day] another note
          run [run 1]
    11 commits to choose from, about 4 steps
    note: both runs used the same build of the program and of the engines in it

    script  .git/sqllogictest-bisect/run.sh
            builds with `sh build.sh` and tests with `built/slt`
            `.git/sqllogictest-bisect/run.sh ends` checks that both ends give the expected result

    next:
      git bisect start [commit 11] [commit 0]
      git bisect run .git/sqllogictest-bisect/run.sh
      git bisect reset
    ");
    project.finds(&output, &planted);
    let ends = project.command(Path::new("sh"), &[".git/sqllogictest-bisect/run.sh", "ends"]);
    assert_eq!(ends.code, 0, "{ends}");
    assert_eq!(project.sandbox.git(&["branch", "--show-current"]), "main\n", "it comes back");
    assert_eq!(project.codes(), [0, 0, 125, 0, 0, 125, 0, 1, 125, 1, 1, 1]);
    // A build that makes nothing is no build: the program of another commit is not judged in its place.
    let words = ["bisect", "suite/a.test:14", "--build", "true", "--program", "built/slt"];
    let output = project.command(Path::new(PROGRAM), &words);
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(project.codes(), [125; 12]);
}

#[test]
fn a_record_that_hangs_is_bad_where_it_hangs() {
    // Names that a shell would take apart.
    let name = "suite/it's $HOME; \"x\" `y`.test";
    let project = broken_by(name, "my slt", &["rows 5", "hang", "hang"], &["--timeout", "2"]);
    let target = format!("{name}:4");
    let output = project.bisect(&["--output", "my scripts/bi sect.sh", &target]);
    assert_snapshot!(project.told(&output), @r#"
    exit code 0
    --- stdout
    suite/it's $HOME; "x" `y`.test:4  timed out in run [run 1]

    good  [commit 0]  [day] begin
          run [run 0]
    bad   [commit 3]  [day] hang
          run [run 1]
    3 commits to choose from, about 2 steps
    note: both runs used the same build of the program and of the engines in it
    note: the file reached its time limit at this record; `bisect 'suite/it'\''s $HOME; "x" `y`.test'` judges the file

    script  my scripts/bi sect.sh
            builds with `sh build.sh` and tests with `built/my slt`
            `'my scripts/bi sect.sh' ends` checks that both ends give the expected result

    next:
      git bisect start [commit 3] [commit 0]
      git bisect run 'my scripts/bi sect.sh'
      git bisect reset
    "#);
    project.finds(&output, &project.commits[2]);
    assert!(project.sandbox.read("my scripts/bi sect.sh").contains("\nseconds=2\n"), "that of the run");
}

#[test]
fn an_engine_that_takes_its_process_along_is_bad_where_it_does() {
    // It ends as if all were well, and one time in another way.
    let project = broken_by(TEST, "slt", &["rows 5", "exit 0", "abort", "exit 0"], &[]);
    project.finds(&project.bisect(&["suite/a.test:4"]), &project.commits[2]);
    assert_eq!(project.codes(), [0, 0, 1, 1, 1]);
    // Where that is not the question, it is no answer.
    let project = broken_by(TEST, "slt", &["rows 5", "rows 7", "abort", "exit 0", "rows 7"], &[]);
    project.finds(&project.bisect(&["suite/a.test:4"]), &project.commits[2]);
    assert_eq!(project.codes(), [0, 0, 1, 125, 125, 1]);
}

#[test]
fn a_file_as_a_whole() {
    let project = broken_by(TEST, "slt", &["rows 5", "abort", "rows 7", "error no"], &[]);
    let output = project.bisect(&[TEST]);
    assert_snapshot!(project.told(&output), @"
    exit code 0
    --- stdout
    suite/a.test  failed in run [run 1]

    good  [commit 0]  [day] begin
          run [run 0]
    bad   [commit 4]  [day] error no
          run [run 1]
    4 commits to choose from, about 2 steps
    note: both runs used the same build of the program and of the engines in it

    script  .git/sqllogictest-bisect/run.sh
            builds with `sh build.sh` and tests with `built/slt`
            `.git/sqllogictest-bisect/run.sh ends` checks that both ends give the expected result

    next:
      git bisect start [commit 4] [commit 0]
      git bisect run .git/sqllogictest-bisect/run.sh
      git bisect reset
    ");
    project.finds(&output, &project.commits[2]);
    assert_eq!(project.codes(), [0, 0, 1, 1, 1], "whatever keeps it from passing is bad");
}

#[test]
fn the_user_may_know_better() {
    let mut project = broken_by(TEST, "slt", &["rows 5", "rows 7"], &[]);
    let bisect = |words: &[&str]| {
        let output = project.bisect(words);
        project.told(&output)
    };
    assert_snapshot!(bisect(&["suite/a.test:4", "--bad", "HEAD~9"]), @"
    exit code 2
    --- stderr
    error: --bad: the repository has no commit `HEAD~9`
      hint: name a commit, a branch or a tag of this repository
    ");
    assert_snapshot!(bisect(&["suite/a.test:4", "--bad", "HEAD", "--good", "HEAD"]), @"
    exit code 2
    --- stderr
    error: commit [commit 2] cannot be good and bad
      hint: --good and --bad name two commits
    ");
    assert_snapshot!(bisect(&["suite/a.test:4", "--bad", "HEAD~2", "--good", "HEAD"]), @"
    exit code 2
    --- stderr
    error: the bad commit [commit 0] comes before the good one, [commit 2]
      hint: exchange --good and --bad
    ");
    assert_snapshot!(bisect(&["--good", "HEAD"]), @"
    exit code 2
    --- stderr
    error: --good, --bad and --output are for one record or file
      hint: name it: `bisect FILE:LINE`
    ");
    assert_snapshot!(bisect(&["suite/a.test:4", "--good", "HEAD~1"]), @"
    exit code 0
    --- stdout
    suite/a.test:4  rows differ in run [run 1]

    good  [commit 1]  [day] rows 5
          given on the command line
    bad   [commit 2]  [day] rows 7
          run [run 1]
    there is no commit between them: the bad one is it
    ");
    // What is to be known is in no run.
    let record = "query I nosort\ndo built/abs\n----\n9\n\n";
    project.commit("a record that never passed", &[("suite/b.test", record)]);
    project.build_and_run(&[]);
    let bisect = |words: &[&str]| project.bisect(words);
    assert_snapshot!(project.told(&bisect(&["suite/b.test:1"])), @"
    exit code 3
    --- stderr
    error: `suite/b.test:1` failed in every run that tested it, first in `[run 2]` at commit [commit 3]
      hint: use --good REV to name a commit at which it passed
      hint: 2 runs ignored: 2 without the file
    ");
    let output = bisect(&["suite/b.test:1", "--good", "HEAD~3", "--format", "json"]);
    assert_snapshot!(project.told(&output), @r#"
    exit code 0
    --- stdout
    {
      "format": 1,
      "run": "[run 2]",
      "file": "b.test",
      "line": 1,
      "kind": "rows_differ",
      "good": {
        "commit": "[commit 0]",
        "brief": "[day] begin",
        "run": null
      },
      "bad": {
        "commit": "[commit 3]",
        "brief": "[day] a record that never passed",
        "run": "[run 2]"
      },
      "commits": 3,
      "runs": 3,
      "silent": {
        "not_run": 2
      },
      "notes": [],
      "script": {
        "path": ".git/sqllogictest-bisect/run.sh",
        "build": "sh build.sh",
        "program": "built/slt",
        "steps": [
          "git bisect start [commit 3] [commit 0]",
          "git bisect run .git/sqllogictest-bisect/run.sh",
          "git bisect reset"
        ]
      }
    }
    "#);
}

#[test]
fn unexpected_ends_are_reported() {
    let project = broken_by(TEST, "slt", &["rows 7", "rows 7", "rows 7"], &[]);
    let output = project.bisect(&["suite/a.test:4", "--good", "HEAD~2"]);
    assert_eq!(output.code, 0, "{output}");
    let ends = project.command(Path::new("sh"), &[".git/sqllogictest-bisect/run.sh", "ends"]);
    assert_eq!(ends.code, 1, "{ends}");
    let good = &project.commits[1];
    assert!(ends.stderr.contains(&format!("bisect: {good}: the exit code is 1, expected 0")), "{ends}");
    assert_eq!(project.sandbox.git(&["branch", "--show-current"]), "main\n");
}

#[test]
fn what_cannot_be_bisected_says_why() {
    let mut project = broken_by(TEST, "slt", &["rows 5", "rows 5"], &[]);
    let told = |project: &Project, words: &[&str]| project.told(&project.bisect(words));
    assert_snapshot!(told(&project, &[]), @"
    exit code 3
    --- stdout
    no failure of run [run 1] has both a good and a bad commit in 2 runs
    ");
    assert_snapshot!(told(&project, &[TEST]), @"
    exit code 3
    --- stderr
    error: `suite/a.test` has not failed in run `[run 1]`
      hint: run `bisect` without a file to list failures, or select another run with --run RUN
    ");
    assert_snapshot!(told(&project, &["suite/a.test:4"]), @"
    exit code 3
    --- stderr
    error: no failing record on line 4 of `suite/a.test` in the run
      hint: all executed records of the file passed
    ");
    assert_snapshot!(told(&project, &["a.tes"]), @"
    exit code 3
    --- stderr
    error: no result of `a.tes` in run `[run 1]`
      hint: did you mean one of these: a.test
    ");
    // At the same commit, by what Git does not see.
    let run =
        |project: &Project| project.command(&project.program(), &["run", "--engine", "scripted", "suite"]);
    project.sandbox.write("built/abs", "rows 7");
    assert_eq!(run(&project).code, 1);
    assert_snapshot!(told(&project, &["suite/a.test:4"]), @"
    exit code 3
    --- stderr
    error: `suite/a.test:4` passed in run `[run 1]` and failed in `[run 2]`, both at commit [commit 2]; nothing else had changed: it is flaky, and bisecting it would mislead
      hint: use --good REV and --bad REV to name known commits
      hint: `flaky` shows how often; `run --repeat N` repeats the file
    ");
    assert_snapshot!(told(&project, &["suite/a.test:1"]), @"
    exit code 3
    --- stderr
    error: no failing record on line 1 of `suite/a.test` in the run
      hint: records fail on these lines: 4
    ");
    assert_snapshot!(told(&project, &[]), @"
    exit code 3
    --- stdout
    no failure of run [run 2] has both a good and a bad commit in 3 runs
    no range: 1 × passed and failed at one commit
    ");
    // With changes only.
    project.commit("one more", &[("README", "x")]);
    project.build_and_run(&[]);
    project.sandbox.write("engine/abs.sh", source("rows 7"));
    assert_eq!(project.build_and_run(&[]).code, 1);
    assert_snapshot!(told(&project, &["suite/a.test:4"]), @"
    exit code 3
    --- stderr
    error: `suite/a.test:4` passed in run `[run 3]` at commit [commit 3], the last commit tested without uncommitted changes
      hint: use --bad REV to name a commit at which it fails
      hint: commit the changes and run it again to have a bad commit
      hint: 1 run ignored: 1 with uncommitted changes
    ");
}

#[test]
fn the_program_must_come_from_the_repository() {
    let project = broken_by(TEST, "slt", &["rows 5", "rows 7"], &[]);
    let program = Path::new(PROGRAM);
    let bisect = |words: &[&str]| {
        let output = project.command(program, &[&["bisect", "suite/a.test:4"], words].concat());
        project.told(&output)
    };
    assert_snapshot!(bisect(&[]), @"
    exit code 2
    --- stderr
    error: this program is not built by the repository: its engine is the same at each commit
      hint: use --program to name a program that the build creates, with the engine and this command line in it, for example `--program target/release/my-slt` (docs/bisect.md)
    ");
    assert_snapshot!(bisect(&["--program", "built/slt"]), @"
    exit code 2
    --- stderr
    error: no `Cargo.toml` at the top of the repository, and no --build
      hint: use --build to name the command that builds a commit, for instance --build 'make slt'
    ");
    // Where this program is built by the repository, nothing needs to be said.
    project.sandbox.write("Cargo.toml", "[package]\n");
    let own = project.sandbox.path().join("target/release/slt");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    // By another process: a program that this one has open for writing, while a test beside it starts one, cannot be run.
    assert!(Command::new("cp").arg(program).arg(&own).status().unwrap().success());
    let output = project.command(&own, &["bisect", "suite/a.test:4"]);
    assert_snapshot!(project.told(&output), @"
    exit code 0
    --- stdout
    suite/a.test:4  rows differ in run [run 1]

    good  [commit 0]  [day] begin
          run [run 0]
    bad   [commit 2]  [day] rows 7
          run [run 1]
    2 commits to choose from, about 1 step
    note: both runs used the same build of the program and of the engines in it
    note: Git does not ignore `target/release/slt`, so the script does not remove it: each build must replace it

    script  .git/sqllogictest-bisect/run.sh
            builds with `cargo build --release` and tests with `target/release/slt`
            `.git/sqllogictest-bisect/run.sh ends` checks that both ends give the expected result

    next:
      git bisect start [commit 2] [commit 0]
      git bisect run .git/sqllogictest-bisect/run.sh
      git bisect reset
    ");
    let script = project.command(&own, &["bisect", "suite/a.test:4", "--output", "-"]);
    assert!(script.stdout.starts_with("#!/bin/sh\n"), "{script}");
    assert!(
        script.stdout.contains("\nbuild='cargo build --release'\nprogram=target/release/slt\n"),
        "{script}"
    );
}

#[test]
fn the_text_is_that_of_the_run() {
    let project = broken_by(TEST, "slt", &["rows 5", "rows 7"], &[]);
    // In Git it still is.
    project.sandbox.write(TEST, "query I nosort\ndo built/abs\n----\n7\n\n");
    let output = project.bisect(&["suite/a.test:4"]);
    assert!(output.stdout.contains("note: `suite/a.test` has changed since the run"), "{output}");
    project.sandbox.git(&["checkout", "--quiet", "--", TEST]);
    project.finds(&output, &project.commits[2]);
    // A run with changes has a text that nobody has kept.
    project.sandbox.write(TEST, "query I nosort\ndo built/abs\n----\n5\n\n");
    assert_eq!(project.build_and_run(&[]).code, 1);
    project.sandbox.write(TEST, "query I nosort\nrows 1\n----\n5\n\n");
    let output = project.bisect(&["suite/a.test:1", "--good", "HEAD~2", "--bad", "HEAD"]);
    assert_snapshot!(project.told(&output), @"
    exit code 2
    --- stderr
    error: `suite/a.test` has changed since run `[run 2]`: line 1 is a different record
      hint: run the file again, and bisect that run
    ");
}

#[test]
fn outside_of_a_repository_only_the_runs_speak() {
    let project = broken_by(TEST, "slt", &["rows 5", "rows 7"], &[]);
    std::fs::remove_dir_all(project.sandbox.path().join(".git")).unwrap();
    let mut text = project.bisect(&["suite/a.test:4"]).to_string();
    for (number, commit) in project.commits.iter().enumerate() {
        text = text.replace(&commit[..12], &format!("[commit {number}]"));
    }
    for (number, run) in project.sandbox.all_runs().iter().enumerate().rev() {
        text = text.replace(run.file_name().unwrap().to_str().unwrap(), &format!("[run {number}]"));
    }
    assert_snapshot!(text, @"
    exit code 0
    --- stdout
    suite/a.test:4  rows differ in run [run 1]

    good  [commit 0]
          run [run 0]
    bad   [commit 2]
          run [run 1]
    note: both runs used the same build of the program and of the engines in it
    note: no script is written outside of a Git repository; run it in that of the engine
    ");
}

//! Two runs held against each other: `compare`, and `run --baseline`.

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox, path_of_tests};

/// Two queries that pass, and the same that do not.
const GOOD: &str = "query I nosort\nrows 1\n----\n1\n\n";
const BAD: &str = "query I nosort\nrows 1\n----\n2\n\n";
const OTHER: &str = "query I nosort\nrows 7\n----\n7\n\n";
const OTHER_BAD: &str = "query I nosort\nrows 7\n----\n8\n\n";

/// A run, and one after changes of expectations, which are no part of what a record is.
pub(crate) fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/broken.test", [GOOD, OTHER].concat());
    sandbox.write("s/fixed.test", [BAD, OTHER].concat());
    sandbox.write("s/mixed.test", [GOOD, OTHER_BAD, GOOD].concat());
    sandbox.write("s/grown.test", [GOOD, OTHER_BAD].concat());
    sandbox.write("s/gone.test", GOOD);
    sandbox.write("s/calm.test", [GOOD, OTHER].concat());
    sandbox.run("run --engine scripted s");
    sandbox.write("s/broken.test", [BAD, OTHER].concat());
    sandbox.write("s/fixed.test", [GOOD, OTHER].concat());
    // Lines have moved.
    sandbox.write("s/mixed.test", ["# new\n\n", BAD, OTHER_BAD, GOOD].concat());
    sandbox.write("s/grown.test", [GOOD, BAD, OTHER_BAD].concat());
    sandbox.write("s/new.test", BAD);
    std::fs::remove_file(sandbox.path().join("s/gone.test")).unwrap();
    sandbox.run("run --engine scripted s");
    sandbox
}

/// Without the names of runs, which are moments.
fn masked(sandbox: &Sandbox, output: &Output) -> String {
    let mut text = output.to_string();
    for (number, run) in sandbox.all_runs().iter().enumerate().rev() {
        text = text.replace(run.file_name().unwrap().to_str().unwrap(), &format!("[run {}]", number + 1));
    }
    text
}

#[test]
fn what_has_changed_is_told_record_by_record() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare")), @"
    exit code 4
    --- stdout
    baseline  [run 1]  scripted 0.1.0
    current   [run 2]  scripted 0.1.0

                           baseline   current  change
     pass rate of records   75.00 %   53.84 %  -21.15
     records passed               9         7      -2
     records not passed           3         6      +3
     records not reached          0         0       =
     pass rate of files     50.00 %   33.33 %  -16.67
     files passed                 3         2      -1
     coverage              100.00 %  100.00 %       =

    regressed files: 1
      s/broken.test  PASS before, now FAIL, 1 record not passed

    regressed records: 2
      s/broken.test:1  passed before, now rows differ
      s/mixed.test:3  passed before, now rows differ

    new failures: files: 1
      s/new.test  not in the baseline, now FAIL, 1 record not passed

    new failures: records: 1
      s/grown.test:6  rows differ; the file has changed, it may be new

    newly untested files: 1
      s/gone.test  PASS before, now not in the run

    fixed files: 1
      s/fixed.test  FAIL before, now PASS

    fixed records: 1
      s/fixed.test:1  rows differ before, passes now

    records: 5 pass in both, 2 fail in both, 1 passed and are not reached or run now
    records of files that cannot be matched: 1 passed before, 1 now
    REGRESSED: at least one record or file has regressed, in 5 files that both runs have
    look at the first regression: vibesql-sqllogictest test --engine scripted s/broken.test:1
    ");
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare --limit 1 --gate none latest previous")), @"
    exit code 0
    --- stdout
    baseline  [run 2]  scripted 0.1.0
    current   [run 1]  scripted 0.1.0

                           baseline   current  change
     pass rate of records   53.84 %   75.00 %  +21.15
     records passed               7         9      +2
     records not passed           6         3      -3
     records not reached          0         0       =
     pass rate of files     33.33 %   50.00 %  +16.67
     files passed                 2         3      +1
     coverage              100.00 %  100.00 %       =

    regressed files: 1
      s/fixed.test  PASS before, now FAIL, 1 record not passed

    regressed records: 1
      s/fixed.test:1  passed before, now rows differ

    fixed files: 1
      s/broken.test  FAIL before, now PASS

    fixed records: 2
      s/broken.test:1  rows differ before, passes now
      … and 1 more; --limit 0 shows all

    newly tested files: 1
      s/gone.test  not in the baseline, now PASS

    disappeared failures: files: 1
      s/new.test  FAIL before, now not in the run

    disappeared failures: records: 1
      s/grown.test:6  rows differ before; the file has changed, it may be gone or not executed

    records: 5 pass in both, 2 fail in both, 1 pass and were not reached or run before
    records of files that cannot be matched: 1 passed before, 1 now
    compared: no gate: whatever has regressed, the exit code does not say so
    look at the first regression: vibesql-sqllogictest test --engine scripted s/fixed.test:1
    ");
}

#[test]
fn markdown_is_for_people_elsewhere() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare --format markdown --gate files")), @"
    exit code 4
    --- stdout
    # Regressed

    At least one file has regressed, in 5 files that both runs have.

    * baseline: `[run 1]`, `scripted 0.1.0`
    * current: `[run 2]`, `scripted 0.1.0`

    **Pass rate**: 50.00 % → 33.33 %, -16.67 (worse)
    **Coverage**: 100.00 % → 100.00 %, =

    | metric | baseline | current | change |
    |---|---:|---:|---:|
    | pass rate of records | 75.00 % | 53.84 % | -21.15 |
    | records passed | 9 | 7 | -2 |
    | records not passed | 3 | 6 | +3 |
    | records not reached | 0 | 0 | = |
    | pass rate of files | 50.00 % | 33.33 % | -16.67 |
    | files passed | 3 | 2 | -1 |
    | coverage | 100.00 % | 100.00 % | = |

    ## Regressed files (1)

    * `s/broken.test`: PASS before, now FAIL, 1 record not passed

    ## Regressed records (2)

    * `s/broken.test:1`: passed before, now rows differ
    * `s/mixed.test:3`: passed before, now rows differ

    ## New failures: files (1)

    * `s/new.test`: not in the baseline, now FAIL, 1 record not passed

    ## New failures: records (1)

    * `s/grown.test:6`: rows differ; the file has changed, it may be new

    ## Newly untested files (1)

    * `s/gone.test`: PASS before, now not in the run

    ## Fixed files (1)

    * `s/fixed.test`: FAIL before, now PASS

    ## Fixed records (1)

    * `s/fixed.test:1`: rows differ before, passes now

    ## Unchanged

    * Still failing: 2 files, 2 records
    * Still passing: 1 file, 5 records
    * In files that cannot be matched: 1 record passed before, 1 now

    Look at the first regression:

    ```sh
    vibesql-sqllogictest test --engine scripted s/broken.test:1
    ```
    ");
}

#[test]
fn json_has_the_fields_of_the_earlier_script_and_more() {
    let sandbox = two_runs();
    let output = sandbox.run("compare --format json --output diff.json");
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (4, "", ""), "{output}");
    let document = sandbox.read("diff.json");
    let value: serde_json::Value = serde_json::from_str(&document).unwrap();
    for field in [
        "baseline_pass_rate",
        "current_pass_rate",
        "pass_rate_change",
        "baseline_coverage",
        "current_coverage",
        "coverage_change",
        "baseline_passed",
        "current_passed",
        "baseline_failed",
        "current_failed",
    ] {
        assert!(value["summary"][field].is_number(), "{field}: {document}");
    }
    for field in ["new_failures", "regressions", "fixed_tests"] {
        assert!(value["changes"][field].is_array(), "{field}: {document}");
    }
    for field in ["still_failing", "still_passing"] {
        assert!(value["changes"][field].is_u64(), "{field}: {document}");
    }
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare --format json")));
}

#[test]
fn records_behind_a_death_were_not_reached() {
    let sandbox = Sandbox::new();
    // The engine changes, and the file does not.
    sandbox.write("orders", "ok");
    sandbox.write("s/a.test", [BAD, "statement ok\ndo orders\n\n", OTHER, GOOD].concat());
    sandbox.run("run --engine scripted s");
    sandbox.write("orders", "exit 0");
    sandbox.run("run --engine scripted s");
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare")), @"
    exit code 4
    --- stdout
    baseline  [run 1]  scripted 0.1.0
    current   [run 2]  scripted 0.1.0

                           baseline   current  change
     pass rate of records   75.00 %    0.00 %  -75.00
     records passed               3         0      -3
     records not passed           1         2      +1
     records not reached          0         2      +2
     pass rate of files      0.00 %    0.00 %       =
     files passed                 0         0       =
     coverage              100.00 %  100.00 %       =

    regressed records: 1
      s/a.test:6  passed before, now process died

    files in which fewer records are known to pass: 1
      s/a.test  2 records passed before, and are not reached now

    files that end in another way: 1
      s/a.test  FAIL before, now CRASH, 2 records not passed

    records: 1 fail in both, 2 passed and are not reached or run now
    REGRESSED: at least one record or file has regressed, in 1 file that both runs have
    look at the first regression: vibesql-sqllogictest test --engine scripted s/a.test:6
    ");
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare latest previous")), @"
    exit code 0
    --- stdout
    baseline  [run 2]  scripted 0.1.0
    current   [run 1]  scripted 0.1.0

                           baseline   current  change
     pass rate of records    0.00 %   75.00 %  +75.00
     records passed               0         3      +3
     records not passed           2         1      -1
     records not reached          2         0      -2
     pass rate of files      0.00 %    0.00 %       =
     files passed                 0         0       =
     coverage              100.00 %  100.00 %       =

    files that end in another way: 1
      s/a.test  CRASH before, now FAIL, 1 record not passed

    fixed records: 1
      s/a.test:6  process died before, passes now

    records: 1 fail in both, 2 pass and were not reached or run before
    compared: no record or file has regressed, in 1 file that both runs have
    ");
}

#[test]
fn runs_are_named_in_many_ways() {
    let sandbox = Sandbox::new();
    let git = |words: &[&str]| sandbox.git(words);
    let run = || {
        let mut command = sandbox.command("run --engine scripted s");
        Output::of(command.env("PATH", path_of_tests()))
    };
    let commit = |text: &str| {
        sandbox.write("s/a.test", text);
        git(&["add", "s"]);
        git(&["commit", "-q", "-m", "state"]);
        git(&["rev-parse", "HEAD"]).trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    let good = commit(GOOD);
    run();
    // A state that is in no commit is no measure, as long as there is another.
    sandbox.write("s/a.test", BAD);
    run();
    git(&["checkout", "-q", "-f", "-b", "feature/x"]);
    let bad = commit(BAD);
    run();
    let check = |line: &str, runs: [usize; 2]| {
        let output = sandbox.run(&format!("compare {line}"));
        let names: Vec<_> =
            sandbox.all_runs().iter().map(|run| run.file_name().unwrap().to_owned()).collect();
        let expected = runs.map(|run| names[run].to_str().unwrap());
        let named: Vec<_> =
            output.stdout.lines().take(2).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
        assert_eq!(named, expected, "{line}: {output}");
        output
    };
    assert_eq!(check("main", [0, 2]).code, 4);
    assert_eq!(check("main feature/x", [0, 2]).code, 4);
    assert_eq!(check(&format!("{} {}", &bad[..7], &good[..7]), [2, 0]).code, 0);
    assert_eq!(check("", [1, 2]).code, 0);
    assert_eq!(check("previous previous", [0, 1]).code, 4);
    // The run itself is never its own baseline.
    assert_eq!(check("main main", [1, 0]).code, 0);

    let exported = sandbox.run("store export --run --output x.run.zst");
    assert_eq!(exported.code, 0, "{exported}");
    let output = sandbox.run("compare main x.run.zst");
    assert_eq!(output.code, 4, "{output}");
    assert!(output.stdout.contains(" in x.run.zst"), "{output}");
    assert_eq!(sandbox.all_runs().len(), 3, "a run is looked at, not taken in");

    let second = sandbox.all_runs()[1].display().to_string();
    assert_eq!(check(&second, [1, 2]).code, 0);
}

#[test]
fn results_of_the_earlier_scripts_are_a_baseline() {
    let sandbox = two_runs();
    let old = r#"{"summary":{"total":3,"passed":2,"failed":1},"tested_files":
        {"passed":["broken.test","calm.test"],"failed":["mixed.test"],"timed_out":[]}}"#;
    sandbox.write("old.json", old);
    assert_snapshot!(masked(&sandbox, &sandbox.run("compare old.json")), @"
    exit code 4
    --- stdout
    baseline  old.json  unknown
    current   [run 2]  scripted 0.1.0

                           baseline   current  change
     pass rate of records   66.66 %   53.84 %  -12.82
     records passed               2         7      +5
     records not passed           1         6      +5
     records not reached          0         0       =
     pass rate of files     66.66 %   33.33 %  -33.33
     files passed                 2         2       =
     coverage              100.00 %  100.00 %       =

    regressed files: 1
      s/broken.test  PASS before, now FAIL, 1 record not passed

    new failures: files: 2
      s/grown.test  not in the baseline, now FAIL, 2 records not passed
      s/new.test  not in the baseline, now FAIL, 1 record not passed

    new failures: records: 3
      s/broken.test:1  rows differ; one of the runs knows the file as a whole only
      s/mixed.test:3  rows differ; one of the runs knows the file as a whole only
      s/mixed.test:8  rows differ; one of the runs knows the file as a whole only

    newly tested files: 1
      s/fixed.test  not in the baseline, now PASS

    disappeared failures: records: 1
      s/mixed.test  reported before; one of the runs knows the file as a whole only

    records: 3 pass and were not reached or run before
    records of files that cannot be matched: 2 passed before, 4 now
    note: the baseline run knows files as wholes only, not their records
    REGRESSED: at least one record or file has regressed, in 3 files that both runs have
    --- stderr
    note: old.json: it has no time of the run: using the modification time of the file
    ");
}

#[test]
fn what_means_nothing_or_two_things_is_refused() {
    let sandbox = two_runs();
    assert_snapshot!(sandbox.run("compare nowhere"), @"
    exit code 2
    --- stderr
    error: no run, branch, commit or file matches `nowhere`
      hint: `runs` lists all runs; `last` and `previous` are valid, too; no stored run has a branch
    ");
    sandbox.git(&["init", "-q", "-b", "both"]);
    sandbox.git(&["add", "s"]);
    sandbox.git(&["commit", "-q", "-m", "state"]);
    Output::of(sandbox.command("run --engine scripted s").env("PATH", path_of_tests()));
    sandbox.write("both", "no run");
    assert_snapshot!(sandbox.run("compare both"), @"
    exit code 2
    --- stderr
    error: `both` is ambiguous
      hint: use one of these: branch:both, file:both
    ");
    assert_snapshot!(sandbox.run("compare branch:both"), @"
    exit code 3
    --- stderr
    error: no other complete run of branch `both` on engine `scripted`
      hint: a run cannot be compared with itself; `runs` lists all runs
    ");
    assert_snapshot!(sandbox.run("compare file:both"), @"
    exit code 2
    --- stderr
    error: cannot import `both`: this is neither JSON nor XML nor a dump in SQL
      hint: `store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports
    ");
    assert_eq!(Sandbox::new().run("compare").code, 3);
}

#[test]
fn runs_without_a_common_file_are_not_compared() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("t/b.test", GOOD);
    sandbox.run("run --engine scripted s");
    sandbox.run("run --engine scripted t");
    let output = sandbox.run("compare");
    assert_eq!(output.code, 3, "{output}");
    assert!(output.stdout.contains("note: the runs have no file in common\n"), "{output}");
}

#[test]
fn a_run_is_compared_when_it_is_done() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", [GOOD, OTHER_BAD].concat());
    sandbox.run("run --engine scripted s");
    let same = sandbox.run("run --engine scripted --baseline latest s");
    assert_eq!(same.code, 1, "a record fails, as before: {same}");
    sandbox.write("s/a.test", [BAD, OTHER_BAD].concat());
    assert_snapshot!(masked(&sandbox, &sandbox.run("run --engine scripted --quiet --baseline latest s")), @"
    exit code 4
    --- stdout
    FAIL    s/a.test  2 failed  [time] s
            s/a.test:1: values differ (1 expected, 1 found)

     category  files  passed  failed  other    rate  records  passed  failed  skipped  other    rate
     other         1       0       1      0  0.00 %        2       0       2        0      0  0.00 %

    FAIL: 0 of 1 file and 0 of 2 records passed on scripted 0.1.0 in [time] s
    look at the first: vibesql-sqllogictest test --engine scripted s/a.test:1

    baseline  [run 2]  scripted 0.1.0
    current   [run 3]  scripted 0.1.0

                           baseline   current  change
     pass rate of records   50.00 %    0.00 %  -50.00
     records passed               1         0      -1
     records not passed           1         2      +1
     records not reached          0         0       =
     pass rate of files      0.00 %    0.00 %       =
     files passed                 0         0       =
     coverage              100.00 %  100.00 %       =

    regressed records: 1
      s/a.test:1  passed before, now rows differ

    records: 1 fail in both
    REGRESSED: at least one record or file has regressed, in 1 file that both runs have
    look at the first regression: vibesql-sqllogictest test --engine scripted s/a.test:1
    ");
    // The run that has just been made is the measure of the next one.
    let same = sandbox.run("run --engine scripted --baseline previous s");
    assert_eq!(same.code, 1, "{same}");
    let first = sandbox.all_runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let files = sandbox.run(&format!("run --engine scripted --gate files --baseline {first} s"));
    assert_eq!(files.code, 1, "no file has regressed: {files}");
    let runs = sandbox.all_runs().len();
    let wrong = sandbox.run("run --engine scripted --baseline nowhere s");
    assert_eq!((wrong.code, sandbox.all_runs().len()), (2, runs), "known before the run: {wrong}");
    assert_eq!(sandbox.run("run --gate files s").code, 2);
}

//! What is expected to fail, and what that makes of a run.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::expectations::{DocumentFiles, EntryDetails, judge, read, today, update};
use vibesql_sqllogictest::outcome::{
    Attempt, Counts, FailingRecord, FailureGroup, FileEnd, FileReport, FileStatus, FlakyResult, RecordId,
    RecordKey, RunEnd, RunHeader, RunReport,
};

use crate::sandbox::Sandbox;
use crate::support::failing_lines;

const GOOD: &str = "query I nosort\nSELECT 1\n----\n1\n";
const BAD: &str = "query I nosort\nSELECT 1\n----\n2\n\nquery I nosort\nSELECT 3\n----\n3\n\nstatement ok\nSELECT nothing\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", BAD);
    sandbox
}

const RUN: &str = "run --engine sqlite --quiet --order path s";

#[test]
fn what_fails_is_written_down_and_is_expected_then() {
    let sandbox = sandbox();
    assert_eq!(sandbox.run(RUN).code, 1);
    assert_snapshot!(sandbox.run("expectations update --reason to-do --owner ann --expires 2999-12-31"), @"
    exit code 0
    --- stdout
    s/expectations.toml: 2 records in 1 file expected to fail or to be flaky
    ");
    assert_snapshot!(std::fs::read_to_string(sandbox.path().join("s/expectations.toml")).unwrap(), @r#"
    # Entries below this line are written by `expectations update`; entries above are kept.

    [[xfail]]
    engine = "sqlite"
    file = "b.test"
    records = ["daa2c11bca892711", "204e9070bb90f9cf"]
    reason = "to-do"
    owner = "ann"
    expires = 2999-12-31
    "#);
    assert_snapshot!(sandbox.run(RUN), @"
    exit code 0
    --- stdout
    FAIL    s/b.test  1 passed, 2 failed  [time] s
            s/b.test:1: values differ (1 expected, 1 found)

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         2       1       1      0  50.00 %        4       2       2        0      0  50.00 %

    FAIL: 1 of 2 files and 2 of 4 records passed on sqlite [version] in [time] s
    expected to fail: 2 records, and nothing else in 1 file
    AS EXPECTED
    ");
    assert_eq!(sandbox.run("expectations check").code, 0);
    assert_eq!(sandbox.run(&format!("{RUN} --no-expectations")).code, 1);
    // Records are known again where their lines have moved; a new failure is one, and so is a record that passes.
    sandbox.write(
        "s/b.test",
        format!("# more\n\n{}", BAD.replace("----\n2", "----\n1").replace("----\n3", "----\n4")),
    );
    assert_snapshot!(sandbox.run(RUN), @"
    exit code 1
    --- stdout
    FAIL    s/b.test  1 passed, 2 failed  [time] s
            s/b.test:8: values differ (1 expected, 1 found)

    still failing: 1 file
      FAIL    s/b.test:8: values differ (1 expected, 1 found) (and 1 more record)
                - 4
                + 3
                again: vibesql-sqllogictest test --engine sqlite s/b.test:8

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         2       1       1      0  50.00 %        4       2       2        0      0  50.00 %

    FAIL: 1 of 2 files and 2 of 4 records passed on sqlite [version] in [time] s
    expected to fail: 1 record
    not expected:
      s/b.test: line 8
    expected to fail, but does not fail:
      b.test: record daa2c11bca892711 (s/expectations.toml:3)
    NOT AS EXPECTED
    look at the first: vibesql-sqllogictest test --engine sqlite s/b.test:8
    ");
    // Written once more, what is said stays.
    sandbox.run("expectations update");
    assert_eq!(sandbox.run(RUN).code, 0);
    let text = std::fs::read_to_string(sandbox.path().join("s/expectations.toml")).unwrap();
    assert!(text.contains("reason = \"to-do\"\nowner = \"ann\"\nexpires = 2999-12-31"), "{text}");
}

#[test]
fn entries_of_the_user_stay_as_they_are() {
    let sandbox = sandbox();
    let mine = "# mine\n[[xfail]]\nfile = \"b.*\"\nrecords = [1]\nreason = \"\\\"why\\\"\"\n\n[[skip]]\nfile='a.test' # slow";
    sandbox.write("s/expectations.toml", mine);
    assert_snapshot!(sandbox.run(RUN), @"
    exit code 1
    --- stdout
    FAIL    s/b.test  1 passed, 2 failed  [time] s
            s/b.test:1: values differ (1 expected, 1 found)

     category  files  passed  failed  other    rate  records  passed  failed  skipped  other     rate
     other         1       0       1      0  0.00 %        3       1       2        0      0  33.33 %

    FAIL: 0 of 1 file and 1 of 3 records passed on sqlite [version] in [time] s
    expected to fail: 1 record
    not expected:
      s/b.test: line 11
    NOT AS EXPECTED
    look at the first: vibesql-sqllogictest test --engine sqlite s/b.test:11
    --- stderr
    note: 1 file skipped (`skip` in expectations.toml)
    ");
    sandbox.run("expectations update");
    let text = std::fs::read_to_string(sandbox.path().join("s/expectations.toml")).unwrap();
    assert!(text.starts_with(mine), "{text}");
    assert_eq!(sandbox.run(RUN).code, 0);
    // Of another engine, nothing is known.
    assert_eq!(sandbox.run("run --engine scripted --quiet s").code, 1);
    // All is skipped.
    sandbox.write("s/expectations.toml", "[[skip]]\nfile = \"*\"\n");
    assert_eq!(sandbox.run(RUN).code, 3);
}

#[test]
fn what_has_expired_or_passes_fails_the_run() {
    let sandbox = sandbox();
    let expired = "[[flaky]]\nfile = \"b.test\"\nexpires = 2020-02-29\nissue = \"https://example.org/7\"\n";
    sandbox.write(
        "s/expectations.toml",
        format!("{expired}\n[[xfail]]\nfile = \"a.test\"\n\n[[xfail]]\nfile = \"c.test\"\n"),
    );
    assert_snapshot!(sandbox.run(RUN), @"
    exit code 1
    --- stdout
    FAIL    s/b.test  1 passed, 2 failed  [time] s
            s/b.test:1: values differ (1 expected, 1 found)

    failed: 1 file
      FAIL    s/b.test:1: values differ (1 expected, 1 found) (and 1 more record)
                - 2
                + 1
                again: vibesql-sqllogictest test --engine sqlite s/b.test:1

     category  files  passed  failed  other     rate  records  passed  failed  skipped  other     rate
     other         2       1       1      0  50.00 %        4       2       2        0      0  50.00 %

    FAIL: 1 of 2 files and 2 of 4 records passed on sqlite [version] in [time] s
    not expected:
      s/b.test: line 1, 11
    expected to fail, but does not fail:
      a.test (s/expectations.toml:6)
    expired:
      s/expectations.toml:1 2020-02-29: https://example.org/7
    matching no file or record of this run:
      s/expectations.toml:9
    NOT AS EXPECTED
    look at the first: vibesql-sqllogictest test --engine sqlite s/b.test:1
    ");
}

#[test]
fn a_part_of_a_suite_says_nothing_of_entries_about_the_rest() {
    let sandbox = sandbox();
    sandbox.write("s/c.test", BAD);
    // The failures of `b` and `c` are of one kind.
    assert_eq!(sandbox.run(RUN).code, 1);
    let journal = std::fs::read_to_string(sandbox.last_run().unwrap().join("journal.jsonl")).unwrap();
    assert!(journal.contains("\"is_part\":false"), "{journal}");
    let report = vibesql_sqllogictest::results::ResultsFolder::new(
        std::path::Path::new(sandbox.home()).join(".vibesql/test_results"),
    )
    .journal(None)
    .unwrap()
    .report;
    let clusters: Vec<_> = report.files[1].groups.iter().map(FailureGroup::fingerprint).collect();
    let clusters: String =
        clusters.iter().map(|cluster| format!("[[xfail]]\ncluster = \"{cluster:016x}\"\n\n")).collect();
    let stale = "[[xfail]]\nfile = \"gone.test\"\n";
    sandbox.write("s/expectations.toml", format!("{clusters}{stale}"));
    let title = "matching no file or record of this run";
    let whole = sandbox.run(RUN);
    assert_eq!(whole.code, 0, "{whole}");
    assert!(whole.stdout.contains(title), "{whole}");
    let all = "run --engine sqlite --quiet";
    for words in ["s/a.test", "--filter a.test s", "--exclude b* --exclude c* s", "s/a*", "--files a.test s"]
    {
        let part = sandbox.run(&format!("{all} {words}"));
        assert_eq!(part.code, 0, "no cluster passes: {part}");
        assert!(part.stdout.ends_with("AS EXPECTED\n") && !part.stdout.contains(title), "{part}");
        for later in ["expectations check", "report --format markdown"] {
            let later = sandbox.run(later);
            assert!(later.code == 0 && !later.stdout.contains("gone.test"), "{later}");
        }
    }
    for words in ["--shard 1/3 s", "--shard 2/3 s", "--shard 3/3 s", "--failed s"] {
        let part = sandbox.run(&format!("{all} {words}"));
        assert!(part.code == 0 || part.code == 3, "{part}");
        assert!(!part.stdout.contains(title), "{part}");
    }
    // A run that was cut short says nothing of it either, and all of it when it has been resumed.
    sandbox.write("s/a.test", "statement ok\nsleep 60000\n");
    let cut = sandbox.run("run --engine scripted --quiet --serial --order path --time 1 --grace 0 s");
    assert_eq!(cut.code, 5, "{cut}");
    assert!(!cut.stdout.contains(title), "{cut}");
    sandbox.write("s/a.test", "statement ok\nok\n");
    let resumed = sandbox.run("run --resume --quiet");
    assert!(resumed.stdout.contains(title), "{resumed}");
}

#[test]
fn records_that_are_skipped_are_not_executed() {
    let sandbox = sandbox();
    assert_eq!(sandbox.run(RUN).code, 1);
    // Whether the records of a run exist, this run cannot say.
    let skips = "[[skip]]\nfile = \"b.test\"\nrecords = [1, 11]\n";
    sandbox.write("s/expectations.toml", skips);
    for line in ["expectations check", "report --format markdown"] {
        let checked = sandbox.run(line).stdout;
        assert!(!checked.contains("matching no") && !checked.contains("about nothing"), "{checked}");
    }
    // Neither passes nor fails what does not exist.
    sandbox.write("s/expectations.toml", "[[xfail]]\nfile = \"b.test\"\nrecords = [400]\n");
    let missing = sandbox.run("expectations check");
    let told = "expected to fail, but does not fail:\n  b.test: line 400 (s/expectations.toml:1)\n";
    assert!(missing.code == 1 && missing.stdout.contains(told), "{missing}");
    // A skipped record does not pass, so nobody is told that it does.
    sandbox.write(
        "s/expectations.toml",
        "[[skip]]\nfile = \"b.test\"\nrecords = [1, \"204e9070bb90f9cf\"]\n\n\
         [[xfail]]\nfile = \"b.test\"\nrecords = [1]\n\n[[skip]]\nfile = \"*\"\nrecords = [2]\n",
    );
    assert_snapshot!(sandbox.run(RUN), @"
    exit code 0
    --- stdout

     category  files  passed  failed  other      rate  records  passed  failed  skipped  other      rate
     other         2       2       0      0  100.00 %        4       2       0        2      0  100.00 %

    PASS: 2 of 2 files and 2 of 2 records passed on sqlite [version] in [time] s
    matching no file or record of this run:
      s/expectations.toml:9
    AS EXPECTED
    --- stderr
    note: records of 2 files skipped (`skip` in expectations.toml)
    ");
    let json: serde_json::Value = serde_json::from_str(&sandbox.run("report --format json").stdout).unwrap();
    assert_eq!(json["files"][1]["left_out"], serde_json::json!([1, 11]), "{json:#}");
    let compared = sandbox.run("compare").stdout;
    assert!(!compared.contains("fixed"), "{compared}");
    for line in [
        "s/b.test  FAIL before, now PASS, 2 records left out now",
        "s/b.test:1  rows differ before; now it is left out",
        "s/b.test:11  unexpected error before; now it is left out",
        "records: 2 pass in both",
    ] {
        assert!(compared.contains(line), "{compared}");
    }
    assert_snapshot!(sandbox.run("show last b.test"), @"
    exit code 0
    --- stdout
    skipped by the run: the records on these lines: 1, 11
    PASS  s/b.test  1 passed, 2 skipped  [time] s
    ");
    // `expectations update` keeps entries that it does not know.
    let marked = "# Entries below this line are written by `expectations update`; entries above are kept.\n\n\
                  [[skip]]\nengine = \"sqlite\"\nfile = \"b.test\"\nrecords = [11]\n";
    sandbox.write("s/expectations.toml", marked);
    assert_eq!(sandbox.run(RUN).code, 1);
    sandbox.run("expectations update");
    assert_snapshot!(std::fs::read_to_string(sandbox.path().join("s/expectations.toml")).unwrap(), @r#"
    # Entries below this line are written by `expectations update`; entries above are kept.

    [[skip]]
    engine = "sqlite"
    file = "b.test"
    records = [11]

    [[xfail]]
    engine = "sqlite"
    file = "b.test"
    records = ["daa2c11bca892711"]
    "#);
    assert_eq!(sandbox.run(RUN).code, 0);
    // A file of which all records are left out has not passed.
    sandbox.write("s/expectations.toml", "[[skip]]\nfile = \"b.test\"\nrecords = [1, 6, 11]\n");
    let output = sandbox.run("run --engine sqlite --order path s/b.test");
    assert_eq!(output.code, 3, "{output}");
}

#[test]
fn what_is_wrong_in_the_file_is_said_before_the_run() {
    let sandbox = sandbox();
    let said = |text: &str| {
        sandbox.write("s/expectations.toml", text);
        let output = sandbox.run(RUN);
        assert_eq!(output.code, 2, "{output}");
        output.stderr.lines().next().unwrap().to_owned()
    };
    let said: Vec<_> = [
        "[[xfail]]\nfile = 1\n",
        "[[xfail]]\nfiles = \"a\"\n",
        "[[xfal]]\n",
        "\n[[xfail]]\nreason = \"x\"\n",
        "[[xfail]]\nfile = \"a\"\nrecords = []\n",
        "[[xfail]]\nfile = \"a\"\nrecords = [\"12\"]\n",
        "[[xfail]]\nrecords = [1]\n",
        "[[xfail]]\nfile = \"a\"\nrecords = [1]\ncluster = \"0123456789abcdef\"\n",
        "[[xfail]]\ncluster = \"x\"\n",
        "[[xfail]]\nfile = \"[\"\n",
        "[[xfail]]\nfile = \"a\"\nexpires = \"soon\"\n",
        "[[skip]]\ncluster = \"0123456789abcdef\"\n",
        "[[xfail]\n",
    ]
    .map(said)
    .into();
    assert_snapshot!(said.join("\n"), @"
    error: s/expectations.toml:2: invalid type: integer `1`, expected a string
    error: s/expectations.toml:2: unknown field `files`, expected one of `file`, `records`, `cluster`, `engine`, `reason`, `issue`, `owner`, `expires`
    error: s/expectations.toml:1: unknown field `xfal`, expected one of `xfail`, `flaky`, `skip`
    error: s/expectations.toml:2: expected `file` or `cluster`
    error: s/expectations.toml:1: `records` is empty: name some, or leave it out for the file as a whole
    error: s/expectations.toml:1: `records`: expected lines, or keys of 16 hexadecimal digits, found `12`
    error: s/expectations.toml:1: `records` without `file`
    error: s/expectations.toml:1: `records` and `cluster` exclude each other
    error: s/expectations.toml:1: `cluster`: expected 16 hexadecimal digits, found `x`
    error: s/expectations.toml:1: `[` is not a valid glob
    error: s/expectations.toml:1: `expires`: expected a date like 2026-12-31, found `soon`
    error: s/expectations.toml:1: files and records can be skipped, and no `cluster`: expected `xfail` or `flaky`
    error: s/expectations.toml:1: unclosed array table, expected `]`
    ");
}

/// The test files of an expectations file that the user names.
fn anywhere() -> DocumentFiles {
    DocumentFiles::named(BTreeMap::new())
}

/// A file with these failing records, by their keys, each in the cluster of its number.
fn file(name: &str, failing: &[u64], end: FileEnd) -> FileReport {
    let mut report = FileReport::new(name, end);
    let failed = failing.len() as u64;
    report.counts = Counts { total: 20, executed: 20, passed: 20 - failed, failed, ..Counts::default() };
    for (place, key) in failing.iter().enumerate() {
        let id = RecordId::at(*key as u32 * 3);
        let (key_of_it, group) = (Some(RecordKey(*key)), Some(place as u32));
        report.failures.push(FailingRecord { id: id.clone(), key: key_of_it, group, detail: None });
        report.groups.push(FailureGroup {
            kind: "rows_differ".to_owned(),
            what: format!("of {}", key % 3),
            records: 1,
            first: id,
        });
    }
    report
}

fn run(files: Vec<FileReport>) -> RunReport {
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("e", "1") };
    let header =
        RunHeader { engine, labels: Vec::new(), exact: false, files: files.len(), flaky: FlakyResult::Pass };
    RunReport { header, files, elapsed: std::time::Duration::ZERO, end: RunEnd::Completed }
}

fn any_run() -> impl Strategy<Value = RunReport> {
    let end = prop_oneof![
        3 => Just(FileEnd::Completed),
        1 => Just(FileEnd::TimedOut { id: Some(RecordId::at(3)) }),
    ];
    let files = prop::collection::vec((prop::collection::btree_set(1_u64..19, 0..6), end), 0..5);
    files.prop_map(|files| {
        let files = files.into_iter().enumerate();
        let names = ["a.test", "d/[b]*.test", "été {1}.test", "d/'\"\\.test", "e\n.test"];
        run(files
            .map(|(at, (failing, end))| file(names[at], &failing.into_iter().collect::<Vec<_>>(), end))
            .collect())
    })
}

proptest! {
    #[test]
    fn what_is_written_makes_the_run_a_good_one(before in any_run(), now in any_run()) {
        let day = today(1_800_000_000_000);
        let mut text = "# mine\n".to_owned();
        for run in [&before, &now] {
            text = update(&text, &read("f", &text, &anywhere()).unwrap(), &anywhere(), run, day, &EntryDetails::default());
            let known = read("f", &text, &anywhere()).unwrap();
            let judgement = judge(&known, run, day, false);
            prop_assert!(judgement.is_good(), "{:?}\n{}", judgement, text);
            let failing: usize = run.files.iter().map(|file| file.failures.len()).sum();
            prop_assert_eq!(judgement.expected, failing as u64);
            // Nothing more is to be written.
            prop_assert_eq!(&update(&text, &known, &anywhere(), run, day, &EntryDetails::default()), &text);
        }
    }

    #[test]
    fn each_failing_record_is_expected_or_not(run in any_run(), records in prop::collection::btree_set(1_u64..19, 1..5)) {
        let keys: Vec<_> = records.iter().map(|key| format!("\"{key:016x}\"")).collect();
        let text = format!("[[xfail]]\nfile = \"**\"\nrecords = [{}]\n", keys.join(", "));
        let judgement = judge(&read("f", &text, &anywhere()).unwrap(), &run, today(0), false);
        let failing: usize = run.files.iter().map(|file| file.failures.len()).sum();
        let unexpected: usize = judgement.unexpected.iter().map(|one| one.records.len()).sum();
        prop_assert_eq!(judgement.expected + unexpected as u64, failing as u64);
        for (place, file) in run.files.iter().enumerate() {
            let passes: usize = judgement.passes.iter().filter(|one| one.file.as_deref() == Some(file.file.path())).map(|one| one.records.len()).sum();
            let fails = records.iter().filter(|key| failing_lines(file).contains(&(**key as u32 * 3))).count();
            let known = if file.end == FileEnd::Completed { records.len() - fails } else { 0 };
            prop_assert_eq!(passes, known);
            if file.status() == FileStatus::Passed {
                prop_assert!(!judgement.expected_files.contains(&place));
            }
        }
    }
}

#[test]
fn what_passed_in_the_end_is_no_failure_that_nobody_expects() {
    let failed = Attempt { status: FileStatus::Failed, elapsed: std::time::Duration::ZERO, first: None };
    let retried = FileReport { attempts: vec![failed], ..file("a", &[], FileEnd::Completed) };
    let other = FileReport { attempts: retried.attempts.clone(), ..file("b", &[1], FileEnd::Completed) };
    let judged = |files: Vec<FileReport>, text: &str| {
        judge(&read("f", text, &anywhere()).unwrap(), &run(files), today(0), false)
    };
    assert_eq!(retried.status(), FileStatus::Flaky);
    assert!(judged(vec![retried.clone()], "").is_good());
    // It did not pass whenever it was run, so it is not said to pass though it should fail.
    assert!(judged(vec![retried], "[[xfail]]\nfile = \"a\"\n").is_good());
    assert_eq!(judged(vec![other], "").unexpected.len(), 1);
}

#[test]
fn a_cluster_is_expected_wherever_it_is() {
    let files = vec![file("a", &[1, 4], FileEnd::Completed), file("b", &[7, 8], FileEnd::Completed)];
    let cluster = files[0].groups[0].fingerprint();
    let run = run(files);
    let judged = |text: &str| judge(&read("f", text, &anywhere()).unwrap(), &run, today(0), false);
    let judgement = judged(&format!("[[xfail]]\ncluster = \"{cluster:016x}\"\n"));
    assert_eq!((judgement.expected, judgement.expected_files.len()), (3, 1));
    assert_eq!(
        judgement.unexpected[0]
            .records
            .iter()
            .map(|&place| run.files[judgement.unexpected[0].file].failures[place].id.line)
            .collect::<Vec<_>>(),
        [24]
    );
    // None of a kind that nothing fails with.
    let judgement =
        judged("[[xfail]]\ncluster = \"0123456789abcdef\"\n\n[[flaky]]\ncluster = \"0123456789abcdef\"\n");
    assert_eq!((judgement.expected, judgement.passes.len()), (0, 1));
}

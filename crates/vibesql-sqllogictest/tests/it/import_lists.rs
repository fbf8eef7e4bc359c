//! Punchlists and comparisons of VibeSQL's earlier scripts, and our own, become runs as far as they name files.

use std::fmt::Write as _;

use insta::assert_snapshot;
use vibesql_sqllogictest::results::Journal;

use crate::compare::two_runs;
use crate::import::{files, import, with_fixture};
use crate::sandbox::Sandbox;

/// The files of the last run, with those that have no result.
fn all_files(sandbox: &Sandbox) -> String {
    let run = sandbox.last_run().unwrap();
    let opened = Journal::read(&run.join("journal.jsonl")).unwrap().unwrap().opened;
    let untested: String = opened.wanted_files().map(|file| format!("\n{file:?} untested")).collect();
    files(&run) + &untested
}

#[test]
fn a_punchlist_in_json() {
    let (sandbox, output) = import("punchlist.json", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251120-083000 from punchlist.json: 3 files, 1 passed, 2 failed, 2 without a result
    --- stderr
    note: punchlist.json: `select2.test` is listed more than once, as passed and failed: using failed
    note: punchlist.json: `select1.test` is listed more than once, as passed and untested: using untested
    ");
    assert_snapshot!(all_files(&sandbox), @r#"
    evidence/in1.test passed 0 ms
    index/between/10/slt_good_0.test failed 0 ms 0:""
    select2.test failed 0 ms 0:""
    "random/expr/slt_good_1.test" untested
    "select1.test" untested
    "#);
}

#[test]
fn a_punchlist_in_csv() {
    let (sandbox, output) = import("punchlist.csv", "--engine vibesql");
    assert_snapshot!(output, @r"
    exit code 0
    --- stdout
    run 20251122-100000 from punchlist.csv: 6 files, 2 passed, 2 failed, 2 other, 1 without a result
    --- stderr
    note: punchlist.csv: it has no time of the run: using the modification time of the file
    note: punchlist.csv: `select5.test` is TIMEOUT and has the priority 3, which is that of another status: TIMEOUT is kept
    note: punchlist.csv: `two\r
    lines.test` has the unknown status `BROKEN`: treated as an error
    ");
    assert_snapshot!(all_files(&sandbox), @r#"
    evidence/in1.test passed 0 ms
    index/between/10/slt_good_0.test failed 0 ms 0:""
    odd, "quoted" name.test failed 0 ms 0:""
    select1.test passed 0 ms
    select5.test timed_out 0 ms 0:""
    two
    lines.test error 0 ms 0:""
    "random/expr/slt_good_1.test" untested
    "#);
}

#[test]
fn a_punchlist_of_a_script_that_could_not_read_its_database() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "list.csv",
        "file,category,subcategory,status,priority\nselect1.test,select,root,UNTESTED,2\n",
    );
    assert_snapshot!(sandbox.run("store import --engine vibesql list.csv").to_string().replace(&name_of_last_run(&sandbox), "[run]"), @"
    exit code 0
    --- stdout
    run [run] from list.csv: 0 files, 0 passed, 0 failed, 1 without a result
    --- stderr
    note: list.csv: it has no time of the run: using the modification time of the file
    note: list.csv: all files, 1, are UNTESTED, as the earlier script wrote it if it could not read its database
    ");
    assert_snapshot!(all_files(&sandbox), @r#"

    "select1.test" untested
    "#);
}

/// The name of the last run, which is a moment.
fn name_of_last_run(sandbox: &Sandbox) -> String {
    sandbox.last_run().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_punchlist_in_markdown() {
    let (sandbox, output) = import("punchlist.md", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251120-083000 from punchlist.md: 3 files, 0 passed, 3 failed, 4 without a result
    --- stderr
    note: punchlist.md: `index/delete/1/slt_good_0.test` is ticked off, which says nothing of this run: taken as it is listed
    note: punchlist.md: the heading says 4 failing files, but there are 3
    note: punchlist.md: 1 failing file is known by number only: left without a result
    note: punchlist.md: 2 passing files are known by number only: left without a result
    ");
    assert_snapshot!(all_files(&sandbox), @r#"
    index/between/10/slt_good_0.test failed 0 ms 0:"query result mismatch:\n[SQL] SELECT col0 FROM tab0 WHERE col0 BETWEEN 1 AND 2\n\n[Diff] (-expected|+ac"
    index/delete/1/slt_good_0.test failed 0 ms 0:"Unknown error"
    random/expr/slt_good_1.test failed 0 ms 0:"statement failed: ColumnNotFound { name: \"COL0\" } - in a subquery"
    "#);
}

#[test]
fn a_punchlist_whose_sums_are_zero_is_a_part_of_a_run() {
    let (sandbox, output) = import("punchlist_zeros.md", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251122-100000 from punchlist_zeros.md: 1 file, 0 passed, 1 failed
    --- stderr
    note: punchlist_zeros.md: it has no time of the run: using the modification time of the file
    note: punchlist_zeros.md: the head says 0 files, but there are 1
    note: punchlist_zeros.md: it names files that have failed, and nothing says how many others there were
    ");
    // Nobody knows how much was run.
    let compared = sandbox.run("compare punchlist_zeros.md latest").stdout;
    let told = compared.lines().filter(|line| line.contains("coverage") || line.contains("incomplete"));
    assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
     coverage                     -        -       -
    note: the baseline run is incomplete: nothing says how many files there were
    note: the current run is incomplete: nothing says how many files there were
    ");
    assert_snapshot!(sandbox.run("status"), @"
    exit code 0
    --- stdout
    run 20251122-100000: interrupted

     category  files  passed  failed  other    rate  records  passed  failed  skipped  other    rate
     index         1       0       1      0  0.00 %        1       0       1        0      0  0.00 %

    FAIL: 0 of 1 file and 0 of 1 record passed on vibesql in [time] s
    ");
}

#[test]
fn a_comparison_is_the_current_run_as_far_as_it_is_named() {
    let (sandbox, output) = import("comparison.json", "--engine vibesql");
    assert_snapshot!(output, @"
    exit code 0
    --- stdout
    run 20251122-100000 from comparison.json: 4 files, 1 passed, 3 failed, 96 without a result
    --- stderr
    note: comparison.json: it has no time of the run: using the modification time of the file
    note: comparison.json: the summary says 49 failed files, but there are 50
    note: comparison.json: 47 failing files are known by number only: left without a result
    note: comparison.json: 49 passing files are known by number only: left without a result
    ");
    let output = sandbox.run("analyze --patterns");
    assert!(output.stdout.contains("another tool reports a failure, and not why"), "{output}");
    assert_snapshot!(all_files(&sandbox), @r#"
    evidence/in1.test passed 0 ms
    index/delete/1/slt_good_0.test failed 0 ms 0:""
    select2.test failed 0 ms 0:""
    select3.test failed 0 ms 0:""
    "#);
}

#[test]
fn sums_are_no_run() {
    let sandbox = with_fixture("badge.json");
    let mut shown = String::new();
    for name in ["badge.json", "summary.json", "web_results.json"] {
        sandbox.write(name, with_fixture(name).read(name));
        let output = sandbox.run(&format!("store import {name}"));
        assert_eq!(output.code, 2, "{output}");
        shown += &output.stderr;
    }
    sandbox.write("list.md", "# SQLLogicTest Punchlist\n\nPass rate: 0% (0/0 files)\n");
    shown += &sandbox.run("store import list.md").stderr;
    assert_snapshot!(shown, @"
    error: cannot import `badge.json`: this is a badge: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql
    error: cannot import `summary.json`: this is the summary of a run: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql
    error: cannot import `web_results.json`: this is the summary of a run: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql
    error: cannot import `list.md`: this is a punchlist that names no file: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql
    ");
    assert_eq!(sandbox.last_run(), None);
}

#[test]
fn mistakes_in_lists_take_nothing_in() {
    let sandbox = Sandbox::new();
    let head = "file,category,subcategory,status,priority\n";
    let mut shown = String::new();
    for (name, text) in [
        ("short.csv", format!("{head}a.test,a,root,PASS,3\nb.test,b\n")),
        ("open.csv", format!("{head}\"a.test,a,root,PASS,3\n")),
        ("behind.csv", format!("{head}\"a\"x,a,root,PASS,3\n")),
        ("quote.csv", format!("{head}\"a\nb\",a,root,PASS,3\na\"b,a,root,PASS,3\n")),
        ("unnamed.csv", format!("{head},a,root,PASS,3\n")),
        ("empty.csv", head.to_owned()),
        ("empty.json", "{\"failed_files\": []}".to_owned()),
        ("type.json", "{\"failed_files\": [1]}".to_owned()),
        ("changes.json", "{\"changes\": []}".to_owned()),
        ("other.md", "# Failures\n\n- [ ] a.test - wrong\n".to_owned()),
    ] {
        sandbox.write(name, text);
        let output = sandbox.run(&format!("store import {name}"));
        assert_eq!(output.code, 2, "{output}");
        shown += &output.stderr;
    }
    sandbox.write("columns.csv", "path,result\na.test,PASS\n");
    shown += &sandbox.run("store import --format csv columns.csv").stderr;
    assert_snapshot!(shown, @r#"
    error: cannot import `short.csv`: line 3: expected a field for each column, found 2 fields for 5 columns
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `open.csv`: line 2: expected whole fields, found a quoted field without an end
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `behind.csv`: line 2: expected a comma or the end of the line behind a quoted field, found `x`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `quote.csv`: line 4: expected quotes around a field that has some, found `a"b`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `unnamed.csv`: line 2: expected a file, found nothing
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `empty.csv`: no results in it: there is no line with a file
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `empty.json`: no results in it: there is no file in its lists
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `type.json`: this is not the JSON of VibeSQL's scripts
      caused by: invalid type: integer `1`, expected a string at line 1 column 19
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `changes.json`: this is a comparison that names no file: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql
    error: cannot import `other.md`: no results in it: there is no heading `SQLLogicTest Punchlist`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `columns.csv`: line 1: expected the columns `file` and `status`, found `path,result`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    "#);
    assert_eq!(sandbox.last_run(), None);
}

#[test]
fn lists_and_comparisons_are_compared() {
    let sandbox = with_fixture("punchlist.csv");
    for name in ["punchlist.json", "punchlist.md", "comparison.json"] {
        sandbox.write(name, with_fixture(name).read(name));
    }
    let mut shown = String::new();
    for line in
        ["punchlist.json punchlist.csv", "punchlist.json comparison.json", "comparison.json punchlist.md"]
    {
        let output = sandbox.run(&format!("compare {line}"));
        writeln!(shown, "== {line}: {}\n{}", output.code, output.stdout.trim_end()).unwrap();
    }
    assert_snapshot!(shown, @r#"
    == punchlist.json punchlist.csv: 0
    baseline  punchlist.json  unknown
    current   punchlist.csv  unknown

                           baseline  current  change
     pass rate of records   33.33 %  33.33 %       =
     records passed               1        2      +1
     records not passed           2        4      +2
     records not reached          0        0       =
     pass rate of files     33.33 %  33.33 %       =
     files passed                 1        2      +1
     coverage               60.00 %  71.42 %  +11.43

    new failures: files: 3
      odd, "quoted" name.test  not in the baseline, now FAIL, 1 record not passed
      select5.test  not in the baseline, now TIMEOUT, 1 record not passed
      two\r\nlines.test  not in the baseline, now ERROR, 1 record not passed

    newly tested files: 1
      select1.test  not in the baseline, now PASS

    disappeared failures: files: 1
      select2.test  FAIL before, now not in the run

    records: 1 pass in both, 1 fail in both, 1 pass and were not reached or run before
    note: the baseline run is incomplete: 2 files without a result
    note: the baseline run knows files as wholes only, not their records
    note: the current run is incomplete: 1 file without a result
    note: the current run knows files as wholes only, not their records
    compared: no record or file has regressed, in 2 files that both runs have
    == punchlist.json comparison.json: 0
    baseline  punchlist.json  unknown
    current   comparison.json  unknown

                           baseline  current  change
     pass rate of records   33.33 %  25.00 %   -8.33
     records passed               1        1       =
     records not passed           2        3      +1
     records not reached          0        0       =
     pass rate of files     33.33 %  25.00 %   -8.33
     files passed                 1        1       =
     coverage               60.00 %   4.00 %  -56.00

    new failures: files: 2
      index/delete/1/slt_good_0.test  not in the baseline, now FAIL, 1 record not passed
      select3.test  not in the baseline, now FAIL, 1 record not passed

    disappeared failures: files: 1
      index/between/10/slt_good_0.test  FAIL before, now not in the run

    records: 1 pass in both, 1 fail in both
    note: the baseline run is incomplete: 2 files without a result
    note: the baseline run knows files as wholes only, not their records
    note: the current run is incomplete: 96 files without a result
    note: the current run knows files as wholes only, not their records
    compared: no record or file has regressed, in 2 files that both runs have
    == comparison.json punchlist.md: 0
    baseline  comparison.json  unknown
    current   punchlist.md  unknown

                           baseline  current  change
     pass rate of records   25.00 %   0.00 %  -25.00
     records passed               1        0      -1
     records not passed           3        3       =
     records not reached          0        0       =
     pass rate of files     25.00 %   0.00 %  -25.00
     files passed                 1        0      -1
     coverage                4.00 %  42.85 %  +38.86

    new failures: files: 2
      index/between/10/slt_good_0.test  not in the baseline, now FAIL, 1 record not passed
      random/expr/slt_good_1.test  not in the baseline, now FAIL, 1 record not passed

    newly untested files: 1
      evidence/in1.test  PASS before, now not in the run

    disappeared failures: files: 2
      select2.test  FAIL before, now not in the run
      select3.test  FAIL before, now not in the run

    records: 1 fail in both, 1 passed and are not reached or run now
    note: the baseline run is incomplete: 96 files without a result
    note: the baseline run knows files as wholes only, not their records
    note: the current run is incomplete: 4 files without a result
    note: the current run knows files as wholes only, not their records
    compared: no record or file has regressed, in 1 file that both runs have
    "#);
    assert_eq!(sandbox.last_run(), None, "they are looked at, not taken in");
}

#[test]
fn our_own_comparison_is_read() {
    let sandbox = two_runs();
    assert_eq!(sandbox.run("compare --format json --output diff.json").code, 4);
    let output = sandbox.run("store import diff.json --engine scripted");
    let run = name_of_last_run(&sandbox);
    assert_snapshot!(output.to_string().replace(&run, "[run]"), @"
    exit code 0
    --- stdout
    run [run] from diff.json: 3 files, 1 passed, 2 failed, 3 without a result
    --- stderr
    note: diff.json: it has no time of the run: using the modification time of the file
    note: diff.json: 2 failing files are known by number only: left without a result
    note: diff.json: 1 passing file is known by number only: left without a result
    ");
    assert_snapshot!(all_files(&sandbox), @r#"
    broken.test failed 0 ms 0:""
    fixed.test passed 0 ms
    new.test failed 0 ms 0:""
    "#);
}

/// Files with odd names, of which one has nothing to run, one is flaky and two are not run.
fn own_run() -> Sandbox {
    let sandbox = Sandbox::new();
    let (good, bad) = ("query I nosort\nrows 1\n----\n1\n\n", "query I nosort\nrows 1\n----\n2\n\n");
    for (name, text) in [
        ("a.test", good.to_owned()),
        ("b, \"c\".test", bad.to_owned()),
        ("c `d` - e.test", bad.to_owned()),
        ("d/empty.test", "# nothing\n".to_owned()),
        ("e/dies.test", "statement ok\nexit 1\n\n".to_owned()),
        ("f/mixed.test", [good, bad].concat()),
        ("g/h/late.test", good.to_owned()),
        ("g/h/later, too.test", bad.to_owned()),
    ] {
        sandbox.write(&format!("s/{name}"), text);
    }
    let output = sandbox.run("run --engine scripted --workers 1 --order path --quiet s");
    assert_eq!(output.code, 5, "a worker was lost: {output}");
    // As if the run had been killed before the last two files: which one it is at is a matter of chance.
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let mut files = 0;
    let lines = text.split_inclusive('\n').take_while(|line| {
        files += usize::from(line.contains("FileFinished"));
        files <= 6
    });
    std::fs::write(&journal, lines.collect::<String>()).unwrap();
    sandbox
}

/// The files of a punchlist with their statuses, sorted.
fn statuses(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let output = sandbox.run(line);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output}");
    let mut lines: Vec<_> = output.stdout.lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn our_own_csv_comes_back_as_it_was() {
    let sandbox = own_run();
    let before = statuses(&sandbox, "punchlist --format csv");
    let untested = before.iter().filter(|line| line.contains(",UNTESTED,2")).count();
    assert!(before.len() == 8 && untested > 0, "{before:#?}");
    sandbox.run("punchlist --format csv --output list.csv");
    let output = sandbox.run("store import list.csv --engine scripted");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stdout.contains(&format!("{untested} without a result")), "{output}");
    assert_eq!(statuses(&sandbox, "punchlist --format csv"), before);
}

#[test]
fn our_own_json_and_markdown_come_back_as_far_as_they_go() {
    let sandbox = own_run();
    sandbox.run("punchlist --format csv --output list.csv");
    sandbox.run("punchlist --format json --output list.json");
    sandbox.run("punchlist --output list.md");
    let before = statuses(&sandbox, "punchlist --format csv");
    let output = sandbox.run("store import list.json --engine scripted");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "nothing is odd: {output}");
    assert_eq!(statuses(&sandbox, "punchlist --format csv"), before);

    let output = sandbox.run("store import list.md --engine scripted");
    assert_eq!(output.code, 0, "{output}");
    let passed = |line: &&String| line.contains(",PASS,3");
    let expected: Vec<_> =
        before.iter().filter(|line| !passed(line)).map(|line| line.replace("EMPTY", "UNTESTED")).collect();
    assert_eq!(statuses(&sandbox, "punchlist --format csv"), expected, "{output}");
    let passed = before.len() - expected.len();
    assert!(output.stderr.contains(&format!("{passed} passing file")), "{output}");
}

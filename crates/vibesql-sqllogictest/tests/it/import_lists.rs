//! Punchlists in JSON, of VibeSQL's earlier scripts and our own, become runs; files of sums are refused.

use insta::assert_snapshot;
use vibesql_sqllogictest::results::Journal;

use crate::import::{files, import, with_fixture};
use crate::sandbox::Sandbox;

/// The files of the last run, with those that have no result.
fn all_files(sandbox: &Sandbox) -> String {
    let run = sandbox.last_run().unwrap();
    let opened = Journal::read(&run.join("journal.jsonl")).unwrap().unwrap().opened;
    let untested: String =
        opened.wanted_files().map(|file| format!("\n{:?} untested", file.path())).collect();
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
fn sums_are_no_run() {
    let sandbox = with_fixture("badge.json");
    let mut shown = String::new();
    for name in ["badge.json", "summary.json", "web_results.json"] {
        sandbox.write(name, with_fixture(name).read(name));
        let output = sandbox.run(&format!("store import {name}"));
        assert_eq!(output.code, 2, "{output}");
        shown += &output.stderr;
    }
    assert_snapshot!(shown, @"
    error: cannot import `badge.json`: this is a badge: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json, or the dump sqllogictest_results.sql
    error: cannot import `summary.json`: this is the summary of a run: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json, or the dump sqllogictest_results.sql
    error: cannot import `web_results.json`: this is the summary of a run: it has sums, and does not say how any file ended
      hint: import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, sqllogictest_punchlist.json, or the dump sqllogictest_results.sql
    ");
    assert_eq!(sandbox.last_run(), None);
}

#[test]
fn mistakes_in_lists_take_nothing_in() {
    let sandbox = Sandbox::new();
    let mut shown = String::new();
    for (name, text) in [
        ("empty.json", "{\"failed_files\": []}"),
        ("type.json", "{\"failed_files\": [1]}"),
        ("comparison.json", "{\"changes\": {\"regressions\": [\"a.test\"]}}"),
        ("list.csv", "file,status\na.test,PASS\n"),
        ("list.md", "# SQLLogicTest Punchlist\n\n- [ ] a.test - wrong\n"),
    ] {
        sandbox.write(name, text);
        let output = sandbox.run(&format!("store import {name}"));
        assert_eq!(output.code, 2, "{output}");
        shown += &output.stderr;
    }
    assert_snapshot!(shown, @"
    error: cannot import `empty.json`: no results in it: there is no file in its lists
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `type.json`: this is not the JSON of VibeSQL's scripts
      caused by: invalid type: integer `1`, expected a string at line 1 column 19
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `comparison.json`: no results in it: there is no `tested_files` or `failed_files`
      hint: nothing was imported from it; use --format if the format was detected incorrectly
    error: cannot import `list.csv`: this is neither JSON nor XML nor a dump in SQL
      hint: `store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports
    error: cannot import `list.md`: this is neither JSON nor XML nor a dump in SQL
      hint: `store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports
    ");
    assert_eq!(sandbox.last_run(), None);
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
fn our_own_json_comes_back_as_it_was() {
    let sandbox = own_run();
    sandbox.run("punchlist --format json --output list.json");
    let before = statuses(&sandbox, "punchlist --format csv");
    let output = sandbox.run("store import list.json --engine scripted");
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "nothing is odd: {output}");
    assert_eq!(statuses(&sandbox, "punchlist --format csv"), before);
}

//! `check`: what a file says about itself without being run.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A file full of mistakes.
const MISTAKES: &str = "\
# slt-allow: no-order

hash-threshold 2

statement ok
SELECT 1
query I
SELECT 2

statement okay
SELECT 1

query IT rowsort a
SELECT 1, 'b' UNION ALL SELECT 2, 'a'
----
2
a
1
b

query II nosort b
SELECT 1, 2
----
1
2
3

query I nosort d
SELECT 3
----
3

query I nosort d
SELECT 3
----
4

query I nosort rowsrot
SELECT 5
----
5

query I
SELECT 1 UNION ALL SELECT 2

# slt-allow: unused-label
query I nosort c
SELECT 1
----
1

skipif mysql

halt

statement ok
SELECT 'never'

hash-threshold 8
";

#[test]
fn a_file_full_of_mistakes() {
    let sandbox = Sandbox::with(MISTAKES);
    assert_snapshot!(sandbox.run("check t.test"), @r#"
    exit code 1
    --- stdout
    t.test  sqlite (the default): 1 statement, 7 queries, 3 control records, 3 malformed records
    t.test:7: error[record-in-sql]: expected SQL or a blank line, found the header `query I`
      help: put a blank line in front of it; --exact takes it for SQL, as the dialect's own runner does
    t.test:10: error[statement-expectation]: expected `ok` or `error` after `statement`, found `okay`
    t.test:13: warning[unsorted-rowsort]: the expected rows are not sorted: `1 b` must stand before `2 a` under `rowsort`
      help: sort the expected lines by their bytes
    t.test:13: note[unused-label]: no other query has the label `a`
      help: remove the label, or give it to the query with which the result should agree
    t.test:13: note[values-above-threshold]: 4 listed values, and the threshold is 2
      help: write the hash line of the result, or raise the threshold with `hash-threshold N`; 0 means: never hash
    t.test:21: warning[wrong-type-count]: 2 type letters, and 3 expected values
      help: write one type letter for each column of the result
    t.test:21: note[unused-label]: no other query has the label `b`
      help: remove the label, or give it to the query with which the result should agree
    t.test:21: note[values-above-threshold]: 3 listed values, and the threshold is 2
      help: write the hash line of the result, or raise the threshold with `hash-threshold N`; 0 means: never hash
    t.test:33: warning[contradictory-labels]: another result is expected for the label `d` on line 28
      help: correct one of the expectations, or use another label
    t.test:38: warning[misspelt-sort-mode]: the label `rowsrot` looks like the sort mode `rowsort`
      help: the sort modes are nosort, rowsort and valuesort
    t.test:38: note[unused-label]: no other query has the label `rowsrot`
      help: remove the label, or give it to the query with which the result should agree
    t.test:43: warning[no-separator]: no `----` line: taken as `expects no rows`
      help: write `----` after the SQL, also if no rows are expected
    t.test:52: error[condition-without-record]: expected a record right after the condition, found a blank line
      help: a condition stands on the line right before its record
    t.test:56: warning[unreachable]: the record after the `halt` on line 54 is never executed
      help: remove the records, or what ends the file before them; `onlyif` in front of `halt` makes it conditional
    t.test:59: warning[dangling-setting]: a hash threshold after the last record of the file
      help: remove it, or put it before the records that it is for
    checked 1 file (1 sqlite) with 14 records: 3 errors, 7 warnings, 5 notes
    "#);
    let short = sandbox.run("check --message-format short t.test");
    let is_finding = |line: &&str| line.starts_with("t.test:");
    let findings = |text: &str| text.lines().filter(is_finding).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(findings(&short.stdout), findings(&sandbox.run("check t.test").stdout));
    assert_eq!(short.code, 1, "{short}");
}

#[test]
fn the_exit_code_says_how_bad_it_is() {
    let sandbox = Sandbox::with("query I rowsort\nSELECT 1 UNION SELECT 2\n----\n2\n1\n");
    sandbox.write("good.test", "statement ok\nSELECT 1\n");
    sandbox.write("malformed.test", "statement okay\nSELECT 1\n");
    sandbox.write("mixed.test", "control sortmode rowsort\n\nloop i 0 3\n\nendloop\n");
    for (line, code) in [
        ("check good.test", 0),
        ("check t.test", 0),
        ("check -D t.test", 1),
        ("check --deny-lints --allow unsorted-rowsort t.test", 0),
        ("check malformed.test", 1),
        ("check --message-format json malformed.test t.test", 1),
        ("check mixed.test", 2),
        ("check --message-format sarif mixed.test malformed.test", 2),
        ("check --message-format short .", 2),
        ("check missing.test", 2),
        ("check --allow none t.test", 2),
        ("check --explain none", 2),
        ("check --dialect klingon t.test", 2),
    ] {
        let output = sandbox.run(line);
        assert_eq!(output.code, code, "{line}: {output}");
    }
    sandbox.write("sqllogictest.toml", "deny-lints = true\n");
    assert_eq!(sandbox.run("check t.test").code, 1);
    sandbox.write("sqllogictest.toml", "deny-lints = true\nallow = ['unsorted-rowsort']\n");
    assert_eq!(sandbox.run("check t.test").code, 0);
}

#[test]
fn the_dialect_of_each_file_has_a_reason() {
    let sandbox = Sandbox::with("statement ok\nSELECT 1\n");
    sandbox.write("comment.test", "# slt-dialect: sqlite\n");
    sandbox.write("unknown.test", "# slt-dialect: klingon\n");
    sandbox.write("mixed.test", "control sortmode rowsort\n\nloop i 0 3\n\nendloop\n");
    sandbox.write("binary.test", b"\xff\x00\n\xfe\n");
    assert_snapshot!(sandbox.run("check ."), @r#"
    exit code 2
    --- stdout
    ./binary.test  sqlite (the default): 1 malformed record
    ./binary.test:1: error[unknown-record]: expected a record (statement, query, hash-threshold, halt), found `\xff\x00`
      help: the dialect ends the file here; records are separated by blank lines, comments start with `#` in column 1
    ./comment.test  sqlite (the comment on line 1): no records
    ./mixed.test  refused
    ./mixed.test:3: error[contradictory-dialects]: the file mixes dialects: `control sortmode rowsort` on line 1 is rs or vibesql, `loop i 0 3` on line 3 is duckdb
      help: `# slt-dialect: NAME` at the top chooses one, and so does --dialect
    ./t.test  sqlite (the default): 1 statement
    ./unknown.test  refused
    ./unknown.test: error[unknown-dialect]: unknown dialect `klingon`
    checked 5 files (3 sqlite) with 2 records: 3 errors, 0 warnings, 0 notes; 2 files refused
    "#);
}

#[test]
fn each_code_is_explained() {
    let sandbox = Sandbox::with("");
    assert_snapshot!(sandbox.run("check --explain unsorted-rowsort"), @r#"
    exit code 0
    --- stdout
    unsorted-rowsort (warning): expected rows that are not in sorted order under `rowsort` or `valuesort`

    With `rowsort` and `valuesort` only the result of the engine is sorted; the expected lines are compared as they stand. If they are not in sorted order, the record can never pass, whatever the engine returns.

    Rows are sorted column by column, as text and by bytes: `10` stands before `9`, and upper case before lower case. CockroachDB and Materialize sort both sides, so the rule does not apply to their dialects.

    help: sort the expected lines by their bytes
    "#);
    assert_snapshot!(sandbox.run("check --explain glued-text"), @r#"
    exit code 0
    --- stdout
    glued-text (error): a malformed record

    Text stands directly behind a record that takes none. A runner that skips it silently hides a record that was meant to run.
    "#);
    let known = sandbox.run("check --explain none").stderr;
    let codes = known.split("codes: ").nth(1).unwrap().trim().split(", ");
    for code in codes {
        let output = sandbox.run(&format!("check --explain {code}"));
        assert_eq!(output.code, 0, "{output}");
        assert!(output.stdout.starts_with(&format!("{code} (")), "{output}");
    }
}

#[test]
fn the_document_lists_each_lint() {
    let path = crate::support::manifest().join("../../docs/check.md");
    // A package taken from a registry has no repository around it.
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let known = Sandbox::new().run("check --allow none").stderr;
    let codes = known.split("the lints are ").nth(1).unwrap().lines().next().unwrap();
    let codes: Vec<_> = codes.split(", ").collect();
    assert!(codes.contains(&"no-order") && codes.len() > 10, "{known}");
    for code in codes {
        assert!(text.contains(&format!("| `{code}` | ")), "{code}");
    }
}

/// The findings as JSON.
fn json(sandbox: &Sandbox) -> Vec<Value> {
    let output = sandbox.run("check --message-format json .");
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn other_programs_get_the_same_findings() {
    let sandbox = Sandbox::with(MISTAKES);
    sandbox.write("a b/é%.test", "statement okay\nSELECT '\u{7}'\n");
    sandbox.write("unknown.test", "# slt-dialect: klingon\n");
    let lines = json(&sandbox);
    let of = |kind: &str| lines.iter().filter(move |line| line["type"] == kind).collect::<Vec<_>>();
    let (files, findings, summary) = (of("file"), of("finding"), of("summary"));
    assert_eq!(lines.len(), files.len() + findings.len() + summary.len());
    assert_eq!((files.len(), summary.len()), (3, 1));
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!(summary[0]["errors"], count("error"));
    assert_eq!(summary[0]["warnings"], count("warning"));
    assert_eq!(summary[0]["notes"], count("note"));
    assert_eq!(summary[0]["dialects"], serde_json::json!({ "sqlite": 2 }));
    let mistakes = files.iter().find(|file| file["file"] == "./t.test").unwrap();
    assert_eq!(mistakes["reason"]["kind"], "default");
    assert_eq!(mistakes["records"]["malformed"], 3, "{mistakes:#}");

    let sarif: Value = serde_json::from_str(&sandbox.run("check --message-format sarif .").stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(&findings) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["ruleId"], finding["code"]);
        assert_eq!(result["level"], finding["severity"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert!(!place["artifactLocation"]["uri"].as_str().unwrap().contains([' ', 'é']), "{place}");
    }
    assert!(results.iter().any(|result| {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%A9%25.test"
    }));
}

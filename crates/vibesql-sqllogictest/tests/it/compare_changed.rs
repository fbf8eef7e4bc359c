//! Comparisons of files that have changed: what is gone or skipped is not fixed, and what is new has not regressed.

use crate::sandbox::Sandbox;

const GOOD: &str = "statement ok\nok\n\n";
const BAD: &str = "query I nosort\nrows 2\n----\n1\n\n";

const GONE: &str = "the file has changed, it may be gone or not executed";

/// Compares two texts of a file; returns what each form says.
fn compared(before: &str, now: &str, words: &str) -> (Sandbox, serde_json::Value) {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", before);
    sandbox.run("run --engine scripted s");
    sandbox.write("s/a.test", now);
    sandbox.run(&format!("run --engine scripted {words} s"));
    let output = sandbox.run("compare --format json");
    let json = serde_json::from_str(&output.stdout).unwrap();
    (sandbox, json)
}

/// All forms say that the failure has disappeared, and none that it is fixed.
fn has_disappeared(before: &str, now: &str, words: &str, reason: &str) {
    let (sandbox, json) = compared(before, now, words);
    let files = &json["files"];
    assert_eq!(files[0]["change"], "disappeared", "{json:#}");
    assert_eq!(files[0]["changed_records"][0]["change"], "disappeared", "{json:#}");
    let text = sandbox.run("compare");
    assert_eq!(text.code, 0, "{text}");
    assert!(text.stdout.contains("disappeared failures: files: 1"), "{text}");
    assert!(text.stdout.contains(reason), "{text}");
    for line in [
        "compare",
        "status",
        "compare --format markdown",
        "report --format markdown",
        "report --format comment",
        "report --format html --output -",
    ] {
        let output = sandbox.run(line);
        assert!(
            !output.stdout.contains("fixed files: 1") && !output.stdout.contains("fixed records: 1"),
            "{line}: {output}"
        );
    }
}

#[test]
fn a_file_is_not_fixed_by_deleting_the_record_that_failed() {
    has_disappeared(&format!("{GOOD}{BAD}"), GOOD, "", GONE);
    // Nor by another record in its place, with which all counts are those of a fix.
    let instead = "query I nosort\nrows 3\n----\n3\n\n";
    has_disappeared(&format!("{GOOD}{BAD}"), &format!("{GOOD}{instead}"), "", GONE);
}

#[test]
fn a_file_is_not_fixed_by_a_condition_that_skips_the_record_that_failed() {
    let skipped = format!("{GOOD}skipif scripted\n{BAD}");
    has_disappeared(&format!("{GOOD}{BAD}"), &skipped, "", GONE);
    // One record is skipped in place of another: all counts are those of a fix.
    let other = "query I nosort\nrows 1\n----\n1\n\n";
    let before = format!("{GOOD}skipif scripted\n{other}{BAD}");
    let now = format!("{GOOD}{other}skipif scripted\n{BAD}");
    has_disappeared(&before, &now, "", GONE);
    // The text is the same, and the engine goes by another name.
    let conditional = format!("{GOOD}skipif other\n{BAD}");
    has_disappeared(&conditional, &conditional, "--engine-name other", "a condition may leave it out");
}

#[test]
fn a_file_is_not_fixed_by_a_halt_in_front_of_the_record_that_failed() {
    has_disappeared(&format!("{GOOD}{BAD}"), &format!("{GOOD}halt\n\n{BAD}"), "", GONE);
}

#[test]
fn a_record_that_passes_is_fixed_whatever_else_has_moved() {
    // Comments, white space and expectations make no other records.
    let now = "# a comment\n\nstatement ok\n  ok\n\nquery I nosort\nrows   2\n----\n2\n\n";
    let (_, json) = compared(&format!("{GOOD}{BAD}"), now, "");
    assert_eq!(json["files"][0]["change"], "fixed", "{json:#}");
    assert_eq!(json["records"]["fixed"], 1, "{json:#}");
}

#[test]
fn a_new_record_that_fails_has_not_regressed_but_the_gate_is_not_opened() {
    let (sandbox, json) = compared(GOOD, &format!("{GOOD}{BAD}"), "");
    assert_eq!(json["files"][0]["change"], "new_failure", "{json:#}");
    let text = sandbox.run("compare");
    assert!(
        text.stdout.contains("new failures: files: 1") && text.stdout.contains("it may be new"),
        "{text}"
    );
    assert_eq!(text.code, 4, "the file passed, and nothing shows that its old records do: {text}");
}

#[test]
fn white_space_in_a_literal_makes_another_record() {
    let expected = |sql: &str, value: u32| format!("query I nosort\n{sql}\n----\n{value}\n");
    for (one, other, value) in
        [("SELECT length('a  b')", "SELECT length('a b')", 3), ("SELECT 1 --a\n+1", "SELECT 1 --a +1", 1)]
    {
        for (before, now) in [(one, other), (other, one)] {
            let sandbox = Sandbox::new();
            for sql in [before, now] {
                sandbox.write("s/a.test", expected(sql, value));
                sandbox.run("run --engine sqlite s");
            }
            let output = sandbox.run("compare --format json");
            let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            let records = &json["records"];
            assert_eq!((&records["fixed"], &records["regressed"]), (&0.into(), &0.into()), "{json:#}");
        }
    }
}

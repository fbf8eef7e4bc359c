//! The list of failures at the end of a run: the first difference of each, and the command that repeats it.

use insta::assert_snapshot;

use crate::sandbox::{Output, Sandbox};

/// The list, without the lines of files in front of it and the summary behind it.
fn list(output: &Output) -> String {
    let text = output.to_string();
    let start = text.find("\n\n").unwrap();
    text[start..text.find(" category").unwrap()].trim_matches('\n').to_owned()
}

#[test]
fn each_failure_has_its_first_difference_and_its_command() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(200);
    for (file, text) in [
        (
            "a_rows",
            "query II nosort\nrows 1 2 / 3 4 / 5 6\n----\n1\n2\n3\n5\n5\n7\n\nstatement ok\nerror no\n"
                .to_owned(),
        ),
        ("b_more_rows", "query I nosort\nrows 1 / 2\n----\n1\n".to_owned()),
        (
            "c_hash",
            "query I nosort\nrows 1\n----\n3 values hashing to 0123456789abcdef0123456789abcdef\n".to_owned(),
        ),
        ("d_error", "statement ok\nerror no such thing\n".to_owned()),
        ("e_success", "statement error\nok\n".to_owned()),
        ("f_long", format!("query T nosort\nrows {long}\n----\nshort\n")),
        ("g_control", "query T nosort\nrows \u{1b}[31m\n----\nred\n".to_owned()),
        ("h_dies", "statement ok\ncomplain out of luck\nexit 3\n".to_owned()),
        ("i_malformed", "nonsense\n".to_owned()),
        ("j_passes", "statement ok\nok\n".to_owned()),
    ] {
        sandbox.write(&format!("s/{file}.test"), text);
    }
    let output = sandbox.run("run --engine scripted --serial --order path --quiet s");
    assert_eq!(output.code, 5, "{output}");
    assert_snapshot!(list(&output), @"
    failed: 9 files
      FAIL    s/a_rows.test:1: values differ (6 expected, 6 found) (and 1 more record)
                - 3 | 5
                + 3 | 4
                again: vibesql-sqllogictest test --engine scripted s/a_rows.test:1
      FAIL    s/b_more_rows.test:1: 1 value expected, 2 found
                + 2
                again: vibesql-sqllogictest test --engine scripted s/b_more_rows.test:1
      FAIL    s/c_hash.test:1: 3 values expected, 1 found; compared by hash
                - 3 values hashing to 0123456789abcdef0123456789abcdef
                + 1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1
                again: vibesql-sqllogictest test --engine scripted s/c_hash.test:1
      FAIL    s/d_error.test:1: unexpected error: no such thing
                again: vibesql-sqllogictest test --engine scripted s/d_error.test:1
      FAIL    s/e_success.test:1: an error was expected, but the statement succeeded
                again: vibesql-sqllogictest test --engine scripted s/e_success.test:1
      FAIL    s/f_long.test:1: values differ (1 expected, 1 found)
                - short
                + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                again: vibesql-sqllogictest test --engine scripted s/f_long.test:1
      FAIL    s/g_control.test:1: values differ (1 expected, 1 found)
                - red
                + @[31m
                again: vibesql-sqllogictest test --engine scripted s/g_control.test:1
      CRASH   s/h_dies.test:1: the worker process exited with code 3 (out of luck)
                again: vibesql-sqllogictest test --engine scripted s/h_dies.test:1 --trace
      FAIL    s/i_malformed.test:1: malformed record: expected a record (statement, query, hash-threshold, halt), found `nonsense`
                again: vibesql-sqllogictest test --engine scripted s/i_malformed.test:1
    ");
    // The command repeats it.
    let repeated = sandbox.run("test --engine scripted s/a_rows.test:1");
    assert!(repeated.code == 1 && repeated.stdout.contains("- 3 | 5"), "{repeated}");
}

#[test]
fn an_expected_failure_is_not_shown_in_place_of_a_new_one() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "statement ok\nerror known\n\nstatement ok\nerror new\n");
    sandbox.write("s/b.test", "statement ok\nok\n");
    let known = "[[xfail]]\nfile = \"a.test\"\nrecords = [1]\nreason = \"known\"\n";
    sandbox.write("s/expectations.toml", known);
    let output = sandbox.run("run --engine scripted --serial --order path s");
    assert_eq!(output.code, 1, "{output}");
    assert!(list(&output).contains("s/a.test:4: unexpected error: new"), "{output}");
    assert!(
        list(&output).contains("again: vibesql-sqllogictest test --engine scripted s/a.test:4"),
        "{output}"
    );
}

#[test]
fn the_list_is_bounded() {
    let sandbox = Sandbox::new();
    for number in 10..40 {
        sandbox.write(&format!("s/{number}.test"), "query I nosort\nrows 1\n----\n2\n");
    }
    let output = sandbox.run("run --engine scripted --quiet s");
    let list = list(&output);
    assert_eq!(list.lines().filter(|line| line.starts_with("  FAIL ")).count(), 20, "{output}");
    assert_eq!(list.matches("again: ").count(), 10, "{output}");
    assert_eq!(list.matches("            - 2").count(), 10, "{output}");
}

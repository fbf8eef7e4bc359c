//! `update`: what a user sees, and what happens to files.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use insta::assert_snapshot;

use crate::sandbox::Sandbox;
use crate::support::wait_until;

const WRONG: &str = "\
statement ok
CREATE TABLE t(a INTEGER, b TEXT)

statement ok
INSERT INTO t VALUES (1,'x'),(2,'y'),(3,NULL)

query IT rowsort
SELECT a, b FROM t
----
1
x
2
z
3
NULL

query I nosort
SELECT a FROM t ORDER BY a
----
2
1
3

query I nosort
SELEKT 1
----
1

statement okay
SELECT 1

query II nosort
SELECT a FROM t
----
1

skipif sqlite
query I nosort
SELECT 1
----
7
";

#[test]
fn changes_are_shown_before_they_are_made() {
    let sandbox = Sandbox::with(WRONG);
    let dry = sandbox.run("update --from sqlite --dry-run t.test");
    assert_snapshot!(dry, @r#"
    exit code 2
    --- stdout
    t.test:7: would update the result
        - z
        + y
    t.test:17: would update the order
        + 1
        - 1
    t.test:24: not updated: unexpected error: near "SELEKT": syntax error (--change-kind)
    t.test:29: not updated: malformed record: expected `ok` or `error` after `statement`, found `okay`
    t.test:32: not updated: 2 columns expected by the type letters, 1 found
    would update 2 records in 1 of 1 file; not updated: 3
    "#);
    assert_eq!(sandbox.read("t.test"), WRONG);
    let real = sandbox.run("update --from sqlite t.test");
    assert_snapshot!(real, @r#"
    exit code 2
    --- stdout
    t.test:7: updated the result
    t.test:17: updated the order
    t.test:24: not updated: unexpected error: near "SELEKT": syntax error (--change-kind)
    t.test:29: not updated: malformed record: expected `ok` or `error` after `statement`, found `okay`
    t.test:32: not updated: 2 columns expected by the type letters, 1 found
    updated 2 records in 1 of 1 file; not updated: 3
    "#);
    let expected = WRONG.replace("\nz\n", "\ny\n").replace("\n2\n1\n3\n", "\n1\n2\n3\n");
    assert_eq!(sandbox.read("t.test"), expected);
    // Nothing is left to do, and the rest is not blessed.
    let again = sandbox.run("update --from sqlite t.test");
    assert_eq!(again.code, real.code);
    assert!(again.stdout.contains("updated 0 records in 0 of 1 file"), "{again}");
    assert_eq!(sandbox.read("t.test"), expected);
}

#[test]
fn single_records_are_updated_by_their_old_lines() {
    let sandbox = Sandbox::with(
        "query I nosort\nSELECT 1 UNION ALL SELECT 2\n----\n7\n\nquery I nosort\nSELECT 3\n----\n8\n\n\
         query I nosort\nSELECT 4\n----\n9\n",
    );
    let output = sandbox.run("update --engine sqlite t.test:2 t.test:11");
    assert_eq!(output.code, 0, "{output}");
    let expected = "query I nosort\nSELECT 1 UNION ALL SELECT 2\n----\n1\n2\n\nquery I nosort\nSELECT 3\n----\n8\n\n\
         query I nosort\nSELECT 4\n----\n4\n";
    assert_eq!(sandbox.read("t.test"), expected, "{output}");
    for (line, code, text) in [
        ("update --engine sqlite suite:joins/", 2, "cannot update `suite:joins/"),
        ("update --engine sqlite none.test", 2, "no such file"),
        ("update --engine sqlite t.test:100", 3, "no record on line 100"),
        ("update --engine sqlite --only all t.test", 2, "invalid value 'all'"),
        ("update", 2, "FILE[:LINE]"),
    ] {
        let output = sandbox.run(line);
        assert!(output.code == code && output.stderr.contains(text), "{line}: {output}");
    }
}

#[test]
fn a_file_stays_where_and_what_it_is() {
    let sandbox = Sandbox::new();
    let wrong = "query I nosort\r\nSELECT 1\r\n----\r\n2";
    sandbox.write("real/t.test", wrong);
    let real = sandbox.path().join("real/t.test");
    std::os::unix::fs::symlink("real/t.test", sandbox.path().join("link.test")).unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    let output = sandbox.run("update --engine sqlite link.test");
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(sandbox.read("real/t.test"), "query I nosort\r\nSELECT 1\r\n----\r\n1");
    assert!(sandbox.path().join("link.test").symlink_metadata().unwrap().is_symlink());
    let before = real.metadata().unwrap();
    assert_eq!(before.mode() & 0o7777, 0o640);
    let output = sandbox.run("update --engine sqlite real");
    assert_eq!(output.code, 0, "{output}");
    let after = real.metadata().unwrap();
    let times = [&before, &after].map(|file| (file.mtime(), file.mtime_nsec(), file.ino()));
    assert_eq!(times[0], times[1]);
}

#[test]
fn a_file_that_cannot_be_read_or_written_costs_only_itself() {
    let sandbox = Sandbox::new();
    let (wrong, right) = ("query I nosort\nSELECT 1\n----\n2\n", "query I nosort\nSELECT 1\n----\n1\n");
    for file in ["d/a.test", "d/b.test", "d/c.test"] {
        sandbox.write(file, wrong);
    }
    // Root reads everything, but no one writes a directory as a file: a dialect that does not exist serves as well.
    sandbox.write("d/b.test", format!("# slt-dialect: none\n\n{wrong}"));
    let output = sandbox.run("update --engine sqlite d");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stdout.contains("d/b.test: not updated: "), "{output}");
    assert!(
        output.stdout.ends_with("updated 2 records in 2 of 3 files; cannot be updated: 1 file\n"),
        "{output}"
    );
    assert_eq!([sandbox.read("d/a.test"), sandbox.read("d/c.test")], [right, right]);
    sandbox.write("d/a.test", right.replace("query I", "query  I"));
    let output = sandbox.run("format d");
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stdout.contains("not formatted: "), "{output}");
    assert!(output.stdout.ends_with("formatted 1 of 3 files; not formatted: 1\n"), "{output}");
    // Alone, it is an error with its hints.
    let output = sandbox.run("update --engine sqlite d/b.test");
    assert!(output.code == 2 && output.stderr.contains("none"), "{output}");
}

#[test]
fn a_file_that_cannot_be_replaced_stays() {
    let sandbox = Sandbox::new();
    let wrong = "query  I nosort\nSELECT 1\n----\n2\n";
    sandbox.write("d/t.test", wrong);
    let folder = sandbox.path().join("d");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::create(folder.join("probe")).is_ok() {
        // Root may write everywhere.
        std::fs::remove_file(folder.join("probe")).unwrap();
        return;
    }
    for line in ["update --engine sqlite d/t.test", "format d/t.test", "add --engine sqlite d/t.test SELECT"]
    {
        let output = sandbox.run(line);
        assert_eq!(sandbox.read("d/t.test"), wrong, "{output}");
        assert!(output.code == 2 && output.stderr.contains("make its directory writable"), "{output}");
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_named_record_that_is_skipped_has_a_reason() {
    let sandbox = Sandbox::with(WRONG);
    let output = sandbox.run("update --engine sqlite t.test:38");
    assert!(output.stdout.starts_with("t.test:38: not updated: it is skipped on this engine\n"), "{output}");
    assert_eq!(output.code, 1, "{output}");
}

#[test]
fn the_time_of_an_update_grows_with_the_lines_of_its_result() {
    let rows = 200_000;
    let sql = format!(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {rows}) SELECT x FROM c"
    );
    let head = format!("hash-threshold 0\n\nquery I nosort\n{sql}\n----\n");
    let sandbox = Sandbox::with(&format!("{head}1\n3\n"));
    let output = sandbox.run("update --engine sqlite --timeout 60 t.test");
    assert_eq!(output.code, 0, "{output}");
    let lines: String = (1..=rows).map(|row| format!("{row}\n")).collect();
    assert!(sandbox.read("t.test") == head + &lines, "{output}");
}

#[test]
fn crashes_and_timeouts_are_not_blessed() {
    let sandbox = Sandbox::new();
    let good = "query I nosort\nrows 1\n----\n1\n";
    for (name, order, code) in [
        ("abort", "abort", 5),
        ("hang", "hang", 1),
        ("unsupported", "unsupported x", 1),
        ("lost", "lost x", 5),
    ] {
        let file = format!("{name}.test");
        let bad = format!("\nquery I nosort\n{order}\n----\n1\n");
        sandbox.write(&file, format!("{}{bad}", good.replace("----\n1", "----\n2")));
        let output = sandbox.run(&format!("update --engine scripted --timeout 1 {file}"));
        assert_eq!(output.code, code, "{output}");
        assert!(output.stdout.contains(&format!("{file}:6: not updated:")), "{output}");
        // The first record was executed to its end, twice.
        assert_eq!(sandbox.read(&file), format!("{good}{bad}"), "{output}");
    }
}

#[test]
fn included_files_and_files_in_other_folders_are_found() {
    let sandbox = Sandbox::new();
    sandbox.write("a/common.slt.part", "query I\nSELECT 1\n----\n2\n");
    sandbox.write("a/t.slt", "include common.slt.part\n\nquery I\nSELECT 3\n----\n4\n");
    let output = sandbox.run("update --engine sqlite --dialect rs a/t.slt");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("it is in an included file"), "{output}");
    assert!(sandbox.read("a/t.slt").ends_with("----\n3\n"), "{output}");
    assert!(sandbox.read("a/common.slt.part").ends_with("----\n2\n"), "{output}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "kills come at random moments of the real clock")]
fn a_killed_update_leaves_the_old_file_or_the_new_one() {
    let record = |number: u32, result: u32| format!("query I nosort\nSELECT {number}\n----\n{result}\n\n");
    let old: String = (0..500).map(|number| record(number, 7)).collect();
    let new: String = (0..500).map(|number| record(number, number)).collect();
    let sandbox = Sandbox::with(&old);
    let start = std::time::Instant::now();
    let output = sandbox.run("update --engine sqlite t.test");
    let whole = start.elapsed() + Duration::from_millis(20);
    assert_eq!(output.code, 0, "{output}");
    assert!(sandbox.read("t.test") == new, "{output}");
    let mut found = [0, 0];
    for part in 1..=24 {
        sandbox.write("t.test", &old);
        let mut update = sandbox.command("update --engine sqlite t.test");
        update.stdout(std::process::Stdio::null());
        let start = std::time::Instant::now();
        let mut child = update.spawn().unwrap();
        wait_until(start + whole * part / 24, &mut child);
        child.kill().ok();
        child.wait().unwrap();
        let text = sandbox.read("t.test");
        assert!(text == old || text == new, "{}", text.len());
        found[usize::from(text == new)] += 1;
    }
    assert!(found[0] > 0, "{found:?}");
}

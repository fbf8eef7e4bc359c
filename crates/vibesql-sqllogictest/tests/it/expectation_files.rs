//! Which `expectations.toml` holds for which test file, in repositories, nested checkouts and links.

use std::os::unix::fs::symlink;

use crate::sandbox::Sandbox;

const GOOD: &str = "statement ok\nok\n";
const BAD: &str = "statement ok\nerror no such thing\n";

fn init(sandbox: &Sandbox, folder: &str, url: Option<&str>) {
    sandbox.git(&["init", "--quiet", folder]);
    if let Some(url) = url {
        sandbox.git(&["-C", folder, "remote", "add", "origin", url]);
    }
}

#[test]
fn a_nested_checkout_does_not_hide_expectations_of_the_repository_around_it() {
    let sandbox = Sandbox::new();
    init(&sandbox, "r", Some("https://h.org/x/r"));
    sandbox.write("r/t.test", BAD);
    sandbox.write("r/s.test", BAD);
    let text = "[[xfail]]\nfile = \"t.test\"\n[[skip]]\nfile = \"s.test\"\n";
    sandbox.write("r/expectations.toml", text);
    sandbox.git(&["-C", "r", "add", "--all"]);
    sandbox.git(&["-C", "r", "commit", "--quiet", "--message", "begin"]);
    assert_eq!(sandbox.run("run --engine scripted r").code, 0);
    // A repository of its own, another checkout of the same repository, and one in a folder that is sorted last.
    init(&sandbox, "r/a", None);
    sandbox.write("r/a/z.test", GOOD);
    sandbox.git(&["-C", "r", "worktree", "add", "--quiet", "b"]);
    init(&sandbox, "r/zzz", None);
    sandbox.write("r/zzz/z.test", GOOD);
    let run = sandbox.run("run --engine scripted r");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("AS EXPECTED"), "{run}");
    // The same without an origin.
    sandbox.git(&["-C", "r", "remote", "remove", "origin"]);
    let run = sandbox.run("run --engine scripted r");
    assert_eq!(run.code, 0, "{run}");
    // The files of nested checkouts are not those of the repository.
    sandbox.write("r/a/t.test", BAD);
    sandbox.write("r/expectations.toml", format!("{text}[[xfail]]\nfile = \"a/**\"\n"));
    let run = sandbox.run("run --engine scripted r");
    assert_eq!(run.code, 1, "{run}");
}

#[test]
fn expectations_above_the_root_of_a_suite_do_not_count() {
    let sandbox = Sandbox::new();
    init(&sandbox, "nameless", None);
    init(&sandbox, "named", Some("https://h.org/x/r"));
    sandbox.write("expectations.toml", "[[xfail]]\nfile = \"**\"\n");
    for suite in ["nameless", "named"] {
        sandbox.write(&format!("{suite}/t.test"), BAD);
        let run = sandbox.run(&format!("run --engine scripted {suite}"));
        assert_eq!(run.code, 1, "{suite}: {run}");
    }
    let run = sandbox.run("run --engine scripted --suite-name n nameless");
    assert_eq!(run.code, 1, "{run}");
    // A file that is not in a suite has no root.
    sandbox.write("loose/t.test", BAD);
    assert_eq!(sandbox.run("run --engine scripted loose").code, 0);
}

#[test]
fn expectations_are_not_written_where_no_run_reads_them() {
    let sandbox = Sandbox::new();
    for suite in ["r1", "r2"] {
        init(&sandbox, &format!("two/{suite}"), Some(&format!("https://h.org/x/{suite}")));
        sandbox.write(&format!("two/{suite}/t.test"), BAD);
    }
    sandbox.write("linked/a.test", GOOD);
    sandbox.write("other/real.test", BAD);
    symlink("../other/real.test", sandbox.path().join("linked/link.test")).unwrap();
    init(&sandbox, "outer", Some("https://h.org/x/outer"));
    init(&sandbox, "outer/in", None);
    sandbox.write("outer/t.test", GOOD);
    sandbox.write("outer/in/t.test", BAD);
    for (suite, file) in
        [("two", "two/r1/t.test"), ("linked", "other/real.test"), ("outer", "outer/in/t.test")]
    {
        assert_eq!(sandbox.run(&format!("run --engine scripted {suite}")).code, 1, "{suite}");
        let update = sandbox.run("expectations update");
        assert_eq!(update.code, 2, "{update}");
        assert!(update.stderr.contains(&format!("{file}` is of another suite")), "{update}");
        assert!(!sandbox.path().join(suite).join("expectations.toml").exists());
        // With the file named in both commands, it holds.
        let update = sandbox.run("expectations update --expectations e.toml");
        assert_eq!(update.code, 0, "{update}");
        let run = sandbox.run(&format!("run --engine scripted --expectations e.toml {suite}"));
        assert_eq!(run.code, 0, "{run}");
        std::fs::remove_file(sandbox.path().join("e.toml")).unwrap();
    }
    // Each suite by itself.
    assert_eq!(sandbox.run("run --engine scripted two/r1").code, 1);
    assert_eq!(sandbox.run("expectations update").code, 0);
    assert_eq!(sandbox.run("run --engine scripted two/r1").code, 0);
    assert_eq!(sandbox.run("expectations check").code, 0);
}

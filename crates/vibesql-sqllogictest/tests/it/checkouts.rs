//! The identities and categories of files in unusual checkouts.

use std::process::Command;

use crate::sandbox::{Output, Sandbox};

const GOOD: &str = "statement ok\nok\n";
const BAD: &str = "statement ok\nerror no such thing\n";

/// Facts of the files of the last run, as the JSON report has them: path, identity and category.
fn files(sandbox: &Sandbox) -> Vec<[String; 3]> {
    let output = sandbox.run("report --format json --output -");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let files = json["files"].as_array().unwrap().iter();
    files
        .map(|file| ["file", "id", "category"].map(|key| file[key].as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// An identity without the marks for the paths in reports.
fn key(id: &str) -> String {
    id.replace("://", ":").replace("//", "/")
}

/// The identity of the file of a run of `folder`, below the sandbox if it is a path.
fn identity(sandbox: &Sandbox, folder: &str) -> String {
    let run = sandbox.run(&format!("run --engine scripted {folder}"));
    assert_eq!(run.code, 0, "{run}");
    let root = sandbox.path().canonicalize().unwrap().display().to_string();
    let id = key(&files(sandbox)[0][1]);
    id.strip_prefix(&root).unwrap_or(&id).to_owned()
}

#[test]
fn two_files_of_a_named_suite_share_no_identity() {
    let sandbox = Sandbox::new();
    for (nested, is_checkout) in [("q/slow", false), ("c/module", true)] {
        let outer = nested.split_once('/').unwrap().0;
        for folder in [outer, nested] {
            if is_checkout {
                sandbox.git(&["init", "--quiet", folder]);
            } else {
                sandbox.write(&format!("{folder}/sqllogictest.toml"), "timeout = 9\n");
            }
        }
        sandbox.write(&format!("{outer}/a.test"), GOOD);
        sandbox.write(&format!("{nested}/a.test"), BAD);
        sandbox.run(&format!("run --engine scripted --suite-name q {outer}"));
        let all: Vec<_> = files(&sandbox).iter().map(|[_, id, _]| key(id)).collect();
        let below = nested.split_once('/').unwrap().1;
        assert_eq!(all, ["q:a.test".to_owned(), format!("q:{below}/a.test")]);
        sandbox.run(&format!("run --engine scripted --suite-name q {nested}"));
        assert_eq!(key(&files(&sandbox)[0][1]), all[1]);
        let compared = sandbox.run("compare");
        assert_eq!(compared.code, 0, "{compared}");
    }
}

#[test]
fn categories_do_not_depend_on_the_other_files_of_a_run() {
    let sandbox = Sandbox::new();
    for suite in ["a", "b"] {
        sandbox.write(&format!("{suite}/tests/joins/q.test"), BAD);
        sandbox.git(&["init", "--quiet", suite]);
        sandbox.git(&["-C", suite, "remote", "add", "origin", &format!("https://h.org/x/{suite}")]);
        sandbox.write(&format!("loose/{suite}/joins/q.test"), GOOD);
    }
    sandbox.git(&["clone", "--quiet", "a", "a/copy"]);
    sandbox.write("a/copy/tests/joins/q.test", GOOD);
    for (words, count) in [("a", 2), ("a b", 3), ("loose/a loose/b", 2), ("a b loose/a loose/b", 5)] {
        let list = sandbox.run(&format!("list --engine scripted --filter category:joins {words}"));
        assert_eq!(list.stdout.lines().count(), count, "{list}");
        sandbox.run(&format!("run --engine scripted {words}"));
        let files = files(&sandbox);
        assert!(files.iter().all(|[_, _, category]| category == "joins"), "{files:?}");
        let paths: std::collections::BTreeSet<_> = files.iter().map(|[path, ..]| path).collect();
        assert_eq!(paths.len(), count, "{files:?}");
        let junit = sandbox.run("report --format junit --output -");
        assert_eq!(junit.stdout.matches("<testsuite name=\"joins\"").count(), 1, "{junit}");
    }
}

#[test]
fn shipped_files_and_files_on_disk_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("s/joins/inner.test", "statement ok\nSELECT nothing\n");
    sandbox.run("run --engine sqlite --json c.json s suite:joins/inner.test");
    let facts = files(&sandbox);
    assert_ne!(facts[0][0], facts[1][0]);
    assert!(facts.iter().all(|[_, _, category]| category == "joins"), "{facts:?}");
    // Files of equal paths and different identities, as of a report that was put together.
    let text = sandbox.read("c.json");
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for file in json["files"].as_array_mut().unwrap() {
        file["file"] = "joins/inner.test".into();
    }
    sandbox.write("c.json", json.to_string());
    let import = sandbox.run("store import c.json");
    assert_eq!(import.code, 0, "{import}");
    assert_eq!(files(&sandbox).len(), 2);
}

#[test]
fn an_origin_is_read_as_git_reads_it() {
    let sandbox = Sandbox::new();
    sandbox.write("r/t.test", GOOD);
    sandbox.git(&["init", "--quiet", "r"]);
    sandbox.git(&["-C", "r", "remote", "add", "origin", "https://h.org/x/first"]);
    sandbox.git(&["-C", "r", "remote", "set-url", "--add", "origin", "https://h.org/x/second"]);
    assert_eq!(identity(&sandbox, "r"), "h.org/x/first:t.test");
    sandbox.write("r/.git/config", "[remote \"origin\"] url = https://h.org/x/line\n");
    assert_eq!(identity(&sandbox, "r"), "h.org/x/line:t.test");
    sandbox.git(&["init", "--quiet", "o p"]);
    let url = format!("file://{}/o%20p", sandbox.path().canonicalize().unwrap().display());
    sandbox.write("r/.git/config", format!("[remote \"origin\"]\nurl = {url}\n"));
    assert_eq!(identity(&sandbox, "r"), "/o p/t.test");
    // Without a host there is no name.
    for url in ["=h:a/b", "https:///p/q", ":a/b"] {
        sandbox.write("r/.git/config", format!("[remote \"origin\"]\nurl = {url}\n"));
        assert_eq!(identity(&sandbox, "r"), "/r/t.test", "{url}");
    }
}

#[test]
fn what_is_no_repository_is_no_checkout() {
    let sandbox = Sandbox::new();
    sandbox.git(&["init", "--quiet", "r"]);
    sandbox.git(&["-C", "r", "remote", "add", "origin", "https://h.org/x/r"]);
    sandbox.write("r/file/t.test", GOOD);
    sandbox.write("r/file/.git", "gitdir: /nowhere/at/all\n");
    sandbox.write("r/folder/t.test", GOOD);
    std::fs::create_dir(sandbox.path().join("r/folder/.git")).unwrap();
    sandbox.write("r/fifo/t.test", GOOD);
    for name in [".git", "expectations.toml"] {
        let mut mkfifo = Command::new("mkfifo");
        let made = Output::of(mkfifo.arg(sandbox.path().join("r/fifo").join(name)));
        assert_eq!(made.code, 0, "{made}");
    }
    for folder in ["file", "folder", "fifo"] {
        let id = identity(&sandbox, &format!("r/{folder}"));
        assert_eq!(id, format!("h.org/x/r:{folder}/t.test"));
    }
}

//! What results are compared by: the engine with its variant, and the suite with the path of the file there.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::sandbox::{Output, Sandbox};

/// Passes on `scripted`, and fails on `scripted:odd`.
const BY_VARIANT: &str = "statement ok\nok\n\nquery I nosort\nin odd error no such thing\nrows 1\n----\n1\n";

/// Runs the suite `s` on both variants in turn, `scripted:odd` last.
fn two_variants() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", BY_VARIANT);
    for engine in ["scripted", "scripted:odd", "scripted", "scripted:odd"] {
        sandbox.run(&format!("run --engine {engine} s"));
    }
    sandbox
}

#[test]
fn a_variant_is_an_engine_of_its_own_for_comparisons() {
    let sandbox = two_variants();
    let compared = sandbox.run("compare");
    assert_eq!(compared.code, 0, "{compared}");
    let run = sandbox.run("run --engine scripted --baseline previous s");
    assert_eq!(run.code, 0, "{run}");
    let run = sandbox.run("run --engine scripted:odd --baseline previous s");
    assert_eq!(run.code, 1, "{run}");
    assert!(!run.stdout.contains("REGRESSED"), "{run}");
    let status = sandbox.run("status");
    assert!(!status.stdout.contains("regressed") && !status.stdout.contains("engines"), "{status}");
}

#[test]
fn different_engines_are_compared_if_both_runs_are_named() {
    let sandbox = two_variants();
    let runs = sandbox.all_runs();
    let [first, second] =
        [&runs[0], &runs[1]].map(|run| run.file_name().unwrap().to_str().unwrap().to_owned());
    let compared = sandbox.run(&format!("compare {first} {second}"));
    assert_eq!(compared.code, 4, "{compared}");
    let words = "the runs are on different engines: `scripted` and now `scripted:odd`";
    assert!(compared.stdout.contains(words), "{compared}");
}

#[test]
fn a_variant_makes_no_file_flaky() {
    let sandbox = two_variants();
    // A colon without a variant names the same engine as none.
    assert_eq!(sandbox.run("flaky --engine scripted:").stdout, sandbox.run("flaky --engine scripted").stdout);
    for (engine, words) in [("scripted", "0 flaky, 0 broken"), ("scripted:odd", "0 flaky")] {
        let flaky = sandbox.run(&format!("flaky --engine {engine}"));
        assert!(flaky.stdout.contains(words), "{flaky}");
        assert!(flaky.stdout.contains(&format!("in 2 runs on {engine}\n")), "{flaky}");
    }
    let unknown = sandbox.run("flaky --engine scripted:even");
    assert!(unknown.stderr.contains("scripted, scripted:odd"), "{unknown}");
}

#[test]
fn a_variant_has_failures_of_its_own() {
    let sandbox = two_variants();
    let failed = sandbox.run("list --failed --engine scripted s");
    assert_eq!(failed.code, 3, "{failed}");
    let failed = sandbox.run("list --failed --engine scripted:odd s");
    assert_eq!((failed.code, failed.stdout.lines().count()), (0, 1), "{failed}");
}

#[test]
fn a_variant_has_expectations_of_its_own() {
    let sandbox = two_variants();
    let update = sandbox.run("expectations update");
    assert_eq!(update.code, 0, "{update}");
    assert!(sandbox.read("s/expectations.toml").contains("engine = \"scripted:odd\""));
    assert_eq!(sandbox.run("run --engine scripted:odd s").code, 0);
    let run = sandbox.run("run --engine scripted s");
    assert_eq!(run.code, 0, "nothing is expected to fail that passes: {run}");
}

#[test]
fn reports_show_the_variant() {
    let sandbox = two_variants();
    for line in [
        "runs",
        "show last",
        "report --format markdown",
        "report --format html --output -",
        "report --format junit --output -",
        "report --format comment",
        "analyze",
        "report --format summary --output -",
    ] {
        let output = sandbox.run(line);
        assert!(output.stdout.contains("scripted:odd"), "{line}: {output}");
    }
    let json = sandbox.run("report --format json --output -");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["engine"]["name"], &json["engine"]["variant"]), (&"scripted".into(), &"odd".into()));
    let runs = sandbox.run("runs").stdout;
    assert!(runs.contains("scripted 0") && runs.contains("scripted:odd 0"), "{runs}");
}

#[cfg(feature = "store")]
#[test]
fn queries_group_by_variant() {
    let sandbox = two_variants();
    let by_engine = sandbox.run("query --preset by-engine --format csv");
    assert!(by_engine.stdout.contains("scripted,1,2,2,0,"), "{by_engine}");
    assert!(by_engine.stdout.contains("scripted:odd,1,2,0,2,"), "{by_engine}");
    let flaky = sandbox.run("query --preset flakiest --format csv");
    assert!(!flaky.stdout.contains("a.test"), "{flaky}");
    let flaky = sandbox.run("query --preset flaky-tests --format csv");
    assert!(!flaky.stdout.contains("a.test"), "{flaky}");
}

const GOOD: &str = "statement ok\nok\n";
const BAD: &str = "statement ok\nerror no such thing\n";

/// Runs the program with the words of `line` in another directory.
fn run_in(sandbox: &Sandbox, folder: &str, line: &str) -> Output {
    Output::of(sandbox.command(line).current_dir(sandbox.path().join(folder)))
}

/// The identities of the files of the last run, by the paths that reports show.
fn ids(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let output = sandbox.run("report --format json --output -");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let files = json["files"].as_array().unwrap().iter();
    files.map(|file| (text(&file["file"]), text(&file["id"]))).collect()
}

/// The keys of the files of the last run.
fn keys(sandbox: &Sandbox) -> Vec<String> {
    ids(sandbox).into_values().map(|id| id.replace("//", "/")).collect()
}

/// The state of each file in a comparison of the last run with the one before it: `regressed`, `fixed` and so on.
fn changes(sandbox: &Sandbox) -> Vec<String> {
    let json = sandbox.run("compare --format json");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let files = json["files"].as_array().unwrap().iter();
    files
        .map(|file| format!("{} {}", file["file"].as_str().unwrap(), file["change"].as_str().unwrap()))
        .collect()
}

#[test]
fn two_suites_with_the_same_names_share_no_result() {
    let sandbox = Sandbox::new();
    sandbox.write("one/basic.test", GOOD);
    sandbox.write("two/basic.test", BAD);
    sandbox.run("run --engine scripted one");
    sandbox.run("run --engine scripted two");
    let compared = sandbox.run("compare");
    assert!(compared.stdout.contains("no file in common"), "{compared}");
    let flaky = sandbox.run("flaky");
    assert!(flaky.stdout.contains("0 flaky, 1 broken, 1 healthy of 2 files"), "{flaky}");
    assert_eq!(sandbox.run("list --engine scripted --failed one").code, 3);
    assert_eq!(sandbox.run("list --engine scripted --failed two").stdout, "two/basic.test\n");
    assert_eq!(sandbox.run("list --engine scripted --failed one two").stdout, "two/basic.test\n");
    #[cfg(feature = "store")]
    {
        let files = sandbox.run("query --preset failed-files --format csv");
        assert_eq!(files.stdout.matches("basic.test").count(), 1, "{files}");
        let slow = sandbox.run("query --preset slow-tests --format csv");
        assert_eq!(slow.stdout.matches("basic.test").count(), 2, "{slow}");
    }
}

#[test]
fn files_of_one_run_with_the_same_name_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("one/basic.test", GOOD);
    sandbox.write("two/basic.test", GOOD);
    sandbox.run("run --engine scripted one two");
    assert_eq!(ids(&sandbox).into_keys().collect::<Vec<_>>(), ["one/basic.test", "two/basic.test"]);
    let both = keys(&sandbox);
    sandbox.run("run --engine scripted two");
    assert_eq!(keys(&sandbox), both[1..]);
}

#[test]
fn a_file_has_one_identity_however_it_is_typed() {
    let sandbox = Sandbox::new();
    sandbox.write("dir/sub/a.test", GOOD);
    symlink("dir", sandbox.path().join("link")).unwrap();
    let root = sandbox.path().canonicalize().unwrap();
    let expected = [root.join("dir/sub/a.test").to_str().unwrap().to_owned()];
    let absolute = root.join("dir").to_str().unwrap().to_owned();
    for (folder, typed) in [
        (".", "dir"),
        (".", "dir/sub"),
        (".", "dir/sub/a.test"),
        (".", "dir/*/*.test"),
        (".", "."),
        (".", "link"),
        (".", "link/sub"),
        ("dir", "."),
        ("dir/sub", "a.test"),
        ("dir/sub", "../../link"),
        ("dir/sub", &absolute),
    ] {
        let run = run_in(&sandbox, folder, &format!("run --engine scripted {typed}"));
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(keys(&sandbox), expected, "{typed} in {folder}");
    }
    // Reports show the path below the directory that was named, as it was typed.
    assert_eq!(ids(&sandbox).into_keys().collect::<Vec<_>>(), ["sub/a.test"]);
}

#[test]
fn a_directory_and_its_subdirectory_are_compared() {
    let sandbox = Sandbox::new();
    sandbox.write("dir/sub/a.test", GOOD);
    sandbox.write("dir/b.test", GOOD);
    sandbox.run("run --engine scripted dir");
    sandbox.write("dir/sub/a.test", BAD);
    let run = sandbox.run("run --engine scripted --baseline previous dir/sub");
    assert!(run.stdout.contains("REGRESSED"), "{run}");
    assert_eq!(sandbox.run("list --engine scripted --failed dir").stdout, "dir/sub/a.test\n");
}

#[test]
fn checkouts_of_one_repository_have_the_same_identities() {
    let sandbox = Sandbox::new();
    sandbox.write("main/tests/x/a.test", GOOD);
    let main = sandbox.path().join("main");
    let git = |words: &[&str]| sandbox.git(&[&["-C", main.to_str().unwrap()], words].concat());
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "begin"]);
    sandbox.git(&["clone", "--quiet", "main", "clone"]);
    sandbox.git(&["clone", "--quiet", "clone", "clone of the clone"]);
    git(&["worktree", "add", "--quiet", "../worktree"]);
    let url = format!("file://{}", main.to_str().unwrap());
    sandbox.git(&["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    sandbox.git(&["clone", "--quiet", "--bare", "main", "bare.git"]);
    sandbox.git(&["clone", "--quiet", "bare.git", "of bare"]);
    let expected = [main.canonicalize().unwrap().join("tests/x/a.test").to_str().unwrap().to_owned()];
    for checkout in ["main", "clone", "clone of the clone", "worktree", "shallow", "of bare"] {
        let run = run_in(&sandbox, checkout, "run --engine scripted .");
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(keys(&sandbox), expected, "{checkout}");
        assert_eq!(ids(&sandbox).into_keys().collect::<Vec<_>>(), ["x/a.test"], "{checkout}");
    }
    // A checkout of a repository elsewhere has the name of that.
    git(&["remote", "add", "origin", "git@example.org:team/suite.git"]);
    for checkout in ["main", "clone", "worktree", "shallow"] {
        run_in(&sandbox, checkout, "run --engine scripted tests");
        assert_eq!(keys(&sandbox), ["example.org/team/suite:tests/x/a.test"], "{checkout}");
    }
    sandbox.git(&["-C", "clone", "remote", "set-url", "origin", "https://user@example.org/team/suite"]);
    run_in(&sandbox, "clone", "run --engine scripted tests/x/a.test");
    assert_eq!(keys(&sandbox), ["example.org/team/suite:tests/x/a.test"]);
}

#[test]
fn results_of_another_checkout_are_known() {
    let sandbox = Sandbox::new();
    sandbox.write("main/tests/a.test", BAD);
    sandbox.git(&["init", "--quiet", "main"]);
    sandbox.git(&["-C", "main", "add", "--all"]);
    sandbox.git(&["-C", "main", "commit", "--quiet", "--message", "begin"]);
    sandbox.git(&["clone", "--quiet", "main", "other"]);
    run_in(&sandbox, "main/tests", "run --engine scripted .");
    assert_eq!(sandbox.run("list --engine scripted --failed other").stdout, "other/tests/a.test\n");
    sandbox.write("other/tests/a.test", GOOD);
    sandbox.run("run --engine scripted other");
    assert_eq!(changes(&sandbox).len(), 1);
    assert_eq!(sandbox.run("list --engine scripted --failed main").code, 3);
}

#[test]
fn copies_in_one_run_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.write("main/tests/a.test", GOOD);
    sandbox.git(&["init", "--quiet", "main"]);
    sandbox.git(&["-C", "main", "add", "--all"]);
    sandbox.git(&["-C", "main", "commit", "--quiet", "--message", "begin"]);
    sandbox.git(&["-C", "main", "worktree", "add", "--quiet", "in/here"]);
    let run = sandbox.run("run --engine scripted main");
    assert_eq!(run.code, 0, "{run}");
    let words = "`main/in/here/tests/a.test` and `main/tests/a.test` are copies of one file";
    assert!(run.stderr.contains(words), "{run}");
    let keys = keys(&sandbox);
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().any(|key| key.ends_with("/main/tests/a.test")), "{keys:?}");
    assert!(keys.iter().any(|key| key.ends_with("/main/in/here/tests/a.test")), "{keys:?}");
}

#[test]
fn a_suite_without_version_control_can_be_named() {
    let sandbox = Sandbox::new();
    sandbox.write("here/suite/x/a.test", BAD);
    sandbox.run("run --engine scripted --suite-name mine here/suite");
    assert_eq!(keys(&sandbox), ["mine:x/a.test"]);
    std::fs::rename(sandbox.path().join("here/suite"), sandbox.path().join("there")).unwrap();
    let failed = sandbox.run("list --engine scripted --suite-name mine --failed there");
    assert_eq!(failed.stdout, "there/x/a.test\n");
    // The configuration of the suite gives the name to each of its files, wherever one is.
    sandbox.write("there/sqllogictest.toml", "suite-name = \"mine\"\n");
    for (folder, typed) in [(".", "there"), (".", "there/x"), ("there/x", "a.test"), ("there", ".")] {
        run_in(&sandbox, folder, &format!("run --engine scripted {typed}"));
        assert_eq!(keys(&sandbox), ["mine:x/a.test"], "{typed} in {folder}");
    }
    // It does not name files that are elsewhere.
    sandbox.write("other/a.test", GOOD);
    run_in(&sandbox, "there", "run --engine scripted ../other");
    assert!(keys(&sandbox)[0].ends_with("/other/a.test"));
}

#[test]
fn names_of_suites_are_checked() {
    let sandbox = Sandbox::with(GOOD);
    let run = sandbox.run("run --engine scripted --suite-name suite t.test");
    assert_eq!(run.code, 2, "{run}");
    sandbox.write("sqllogictest.toml", "suite-name = \"a b\"\n");
    let run = sandbox.run("run --engine scripted t.test");
    assert_eq!(run.code, 2, "{run}");
    let run = sandbox.run("run --engine scripted --no-config t.test");
    assert_eq!(run.code, 2, "the identity depends on no flag: {run}");
    assert!(run.stderr.contains("cannot tell the suite of `t.test`"), "{run}");
    sandbox.write("sqllogictest.toml", "[profile.x]\nsuite-name = \"a\"\n");
    let run = sandbox.run("run --engine scripted t.test");
    assert!(run.stderr.contains("`suite-name` cannot be set here"), "{run}");
}

#[test]
fn shipped_files_keep_their_prefix() {
    let sandbox = Sandbox::new();
    sandbox.run("run --engine sqlite suite:joins");
    let ids = ids(&sandbox);
    assert!(!ids.is_empty() && ids.iter().all(|(file, id)| *id == format!("suite:{file}")), "{ids:?}");
}

#[test]
fn expectations_are_found_from_the_file_upwards() {
    let sandbox = Sandbox::new();
    sandbox.write("dir/sub/a.test", BAD);
    sandbox.write("dir/sub/b.test", BAD);
    sandbox.write("dir/c.test", GOOD);
    sandbox
        .write("dir/expectations.toml", "[[xfail]]\nfile = \"sub/a.test\"\n[[xfail]]\nfile = \"x.test\"\n");
    sandbox.write("dir/sub/expectations.toml", "[[xfail]]\nfile = \"b.test\"\n");
    for (folder, typed) in
        [(".", "dir"), (".", "dir/sub"), ("dir/sub", "."), ("dir/sub", "a.test b.test"), (".", ".")]
    {
        let run = run_in(&sandbox, folder, &format!("run --engine scripted {typed}"));
        assert_eq!(run.code, 0, "{typed} in {folder}: {run}");
        // Only who has run all files that it is about knows that a file is missing.
        let is_named = run.stdout.contains("matching no file or record of this run");
        assert_eq!(is_named, ["dir", "."].contains(&typed) && folder == ".", "{typed} in {folder}: {run}");
    }
    let check = sandbox.run("expectations check");
    assert_eq!(check.code, 0, "{check}");
}

#[test]
fn expectations_are_not_about_another_suite() {
    let sandbox = Sandbox::new();
    sandbox.write("one/a.test", BAD);
    sandbox.write("two/a.test", BAD);
    sandbox.write("one/expectations.toml", "[[xfail]]\nfile = \"a.test\"\n");
    let run = sandbox.run("run --engine scripted one two");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("not expected:\n  two/a.test: line 1\n"), "{run}");
}

#[test]
fn results_of_other_programs_are_compared_by_path() {
    let sandbox = Sandbox::new();
    sandbox.write("s/x/a.test", BAD);
    sandbox.run("run --engine scripted s");
    let old = "<testsuites><testsuite name='s' timestamp='2025-11-22T10:00:00'>\
        <testcase name='x/a.test'/></testsuite></testsuites>";
    sandbox.write("old.xml", old);
    let compared = sandbox.run("compare old.xml last");
    assert_eq!(compared.code, 4, "{compared}");
    assert!(compared.stdout.contains("1 file that both runs have"), "{compared}");
}

#[test]
fn formats_of_the_past_are_refused_by_name() {
    let sandbox = Sandbox::with(GOOD);
    sandbox.run("run --engine scripted t.test");
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let entry = first.split_once("\"entry\":").unwrap().1.strip_suffix('}').unwrap();
    let entry = entry.replace("\"format\":2", "\"format\":1");
    let line = format!("{{\"crc32\":\"{:08x}\",\"entry\":{entry}}}", crc32fast::hash(entry.as_bytes()));
    assert!(Path::new(&journal).exists());
    std::fs::write(&journal, format!("{line}\n{rest}")).unwrap();
    let name = sandbox.last_run().unwrap();
    let show = sandbox.run(&format!("show {}", name.file_name().unwrap().to_str().unwrap()));
    assert_eq!(show.code, 2, "{show}");
    assert!(show.stderr.contains("has format 1 ") && show.stderr.contains("reads format 2"), "{show}");
}

//! The folder of results: what is in it by accident or after a kill is no run, runs are in the order in which they were
//! started, and journals say what has become of them.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use vibesql_sqllogictest::results::{Journal, ResultsFolder};

use crate::sandbox::{Output, Sandbox};
use crate::support::wait_for;

pub(crate) const GOOD: &str = "statement ok\nok\n";
pub(crate) const BAD: &str = "statement ok\nerror no\n";

/// Commands that read runs. Each ends without an error, with 1 where it says that tests failed.
const READING: [&str; 17] = [
    "status",
    "runs",
    "show",
    "report --format markdown",
    "report --format json",
    "report --format junit",
    "report --format html --output page.html",
    "compare",
    "flaky",
    "analyze",
    "punchlist",
    "expectations update --expectations e.toml",
    "store export --run --output run.zst --force",
    "store backup",
    "store prune --keep 50",
    "list",
    "run --engine scripted s",
];

pub(crate) fn results(sandbox: &Sandbox) -> PathBuf {
    Path::new(sandbox.home()).join(".vibesql/test_results")
}

pub(crate) fn runs(sandbox: &Sandbox) -> Vec<String> {
    ResultsFolder::new(results(sandbox)).runs().unwrap()
}

/// Two runs, with a file that fails.
pub(crate) fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", GOOD);
    sandbox.write("s/b.test", BAD);
    for _ in 0..2 {
        assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    }
    sandbox
}

/// Runs each command that reads runs, in a copy of the sandbox each, as a user if that is wanted.
fn all_commands_read(sandbox: &Sandbox, user: Option<u32>, when: &str) {
    for line in READING {
        let copy = Sandbox::new();
        copy_all(&sandbox.path().join("s"), &copy.path().join("s"));
        let mut command = copy.command(&format!("--results results {line}"));
        copy_all(&results(sandbox), &copy.path().join("results"));
        if let Some(user) = user {
            own(copy.path(), user);
            own(Path::new(copy.home()), user);
            command.uid(user).gid(user);
        }
        let output = Output::of(&mut command);
        // A run without a result has no file in common with another.
        assert!(matches!(output.code, 0 | 1 | 3), "{when}: `{line}`: {output}");
        assert!(!output.stderr.contains("error:"), "{when}: `{line}`: {output}");
    }
}

/// Copies a folder as it is: with links, and folders that nobody may read.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// Gives a folder to a user, but for what nobody may read.
fn own(path: &Path, user: u32) {
    let mut command = Command::new("chown");
    assert!(command.args(["-R", "-h", &format!("{user}:{user}")]).arg(path).status().unwrap().success());
}

/// Another user than root, for programs that root may start as anybody.
fn other_user() -> Option<u32> {
    is_root().then_some(65_534)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// What may lie among the runs, beside them.
fn put_strays(runs: &Path) {
    use std::os::unix::ffi::OsStrExt as _;
    // All of them would be the last run by their names.
    std::fs::write(runs.join("20990101-000000"), "a file").unwrap();
    std::fs::create_dir(runs.join("20990101-000001")).unwrap();
    std::fs::create_dir(runs.join("20990101-000002")).unwrap();
    std::fs::write(runs.join("20990101-000002/journal.jsonl"), "").unwrap();
    std::fs::create_dir(runs.join("20990101-000003")).unwrap();
    std::fs::write(runs.join("20990101-000003/journal.jsonl"), "{\"crc32\":\"00").unwrap();
    std::fs::create_dir_all(runs.join("20990101-000004/journal.jsonl")).unwrap();
    symlink("nowhere", runs.join("20990101-000005")).unwrap();
    std::fs::create_dir(runs.join("20990101-000006")).unwrap();
    symlink("nowhere", runs.join("20990101-000006/journal.jsonl")).unwrap();
    symlink("20990101-000007", runs.join("20990101-000007")).unwrap();
    std::fs::create_dir(runs.join("zzz foreign \u{1b}[31m\n")).unwrap();
    std::fs::create_dir(runs.join(std::ffi::OsStr::from_bytes(b"20990101-\xff\xfe"))).unwrap();
    std::fs::write(runs.join(".DS_Store"), "x").unwrap();
    let run = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
    let run = run.filter(|path| path.is_dir()).find(|path| path.join("lock").exists()).unwrap();
    symlink(run, runs.join("20990101-000010")).unwrap();
    std::fs::create_dir(runs.join("20990101-000008")).unwrap();
    std::fs::write(runs.join("20990101-000008/journal.jsonl"), "x\n").unwrap();
    let closed = std::fs::Permissions::from_mode(0o0);
    std::fs::set_permissions(runs.join("20990101-000008"), closed).unwrap();
}

#[test]
fn what_is_no_run_is_ignored_by_all_commands() {
    let sandbox = two_runs();
    let names = runs(&sandbox);
    let folder = results(&sandbox).join("runs");
    put_strays(&folder);
    if let Some(user) = other_user() {
        all_commands_read(&sandbox, Some(user), "strays, as a user");
        // Root may read the closed folder, and finds a journal that is none.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.join("20990101-000008"), open).unwrap();
        std::fs::remove_dir_all(folder.join("20990101-000008")).unwrap();
    }
    all_commands_read(&sandbox, None, "strays");
    let output = sandbox.run("show");
    assert!(output.stdout.starts_with(&format!("run      {}\n", names[1])), "{output}");
    let after = sandbox.run("run --engine scripted s");
    assert_eq!(after.code, 1, "{after}");
    assert!(!after.stderr.contains("the clock is behind"), "{after}");
    let last = ResultsFolder::new(results(&sandbox)).last().unwrap();
    assert!(!names.contains(&last) && !last.starts_with("2099"), "{last}");
    if folder.join("20990101-000008").exists() {
        std::fs::set_permissions(folder.join("20990101-000008"), std::fs::Permissions::from_mode(0o755))
            .unwrap();
    }
}

#[cfg(feature = "store")]
#[test]
fn store_verify_names_what_is_no_run() {
    let sandbox = two_runs();
    put_strays(&results(&sandbox).join("runs"));
    let closed = results(&sandbox).join("runs/20990101-000008");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_dir_all(closed).unwrap();
    let output = sandbox.run("store verify");
    assert_eq!(output.code, 0, "{output}");
    for (entry, why) in [
        ("20990101-000000", "Not a directory"),
        ("20990101-000001", "it has no journal"),
        ("20990101-000002", "it has no journal"),
        ("20990101-000003", "its journal ends before it says what the run is"),
        ("20990101-000004", "it has no journal"),
        ("20990101-000005", "it is a symbolic link"),
        ("20990101-000006", "it has no journal"),
        ("20990101-000007", "it is a symbolic link"),
        ("20990101-000010", "it is a symbolic link"),
        ("zzz foreign \\u{1b}[31m\\n", "it is not named as a run is"),
        ("20990101-\\xFF\\xFE", "it is not named as a run is"),
    ] {
        let line = output.stderr.lines().find(|line| line.contains(&format!("/{entry}\" is ignored: ")));
        assert!(line.is_some_and(|line| line.contains(why)), "{entry}: {output}");
    }
    assert!(!output.stderr.contains("DS_Store"), "{output}");
}

#[test]
fn a_run_that_is_killed_while_it_starts_is_no_run_or_one_that_can_be_read() {
    let sandbox = two_runs();
    let users: Vec<_> = [None].into_iter().chain(other_user().map(Some)).collect();
    for user in users {
        let mut seen = [false; 2];
        for step in 1.. {
            assert!(step < 50, "it does not end");
            let copy = Sandbox::new();
            copy_all(&sandbox.path().join("s"), &copy.path().join("s"));
            copy_all(&results(&sandbox), &results_in(&copy));
            let line = format!("run --engine scripted --die-at-step {step} s");
            let mut command = copy.command(&line);
            if let Some(user) = user {
                own(copy.path(), user);
                own(Path::new(copy.home()), user);
                command.uid(user).gid(user);
            }
            let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            let when = format!("killed at step {step} as {user:?}");
            if status.signal() != Some(9) {
                assert_eq!(status.code(), Some(1), "{when}");
                assert!(step > 8, "there are more steps than {step}");
                break;
            }
            let names = std::fs::read_dir(results(&copy).join("runs")).unwrap().count();
            assert_eq!(names, runs(&copy).len(), "{when}: an entry is no run");
            seen[usize::from(names == 3)] = true;
            for name in runs(&copy) {
                let journal = results(&copy).join("runs").join(name).join("journal.jsonl");
                assert!(Journal::read(&journal).unwrap().is_some(), "{when}");
            }
            // Few steps leave something that differs for those who read.
            if step % 3 == 0 || names == 3 {
                all_commands_read(&copy, user, &when);
            }
            let next = copy.run("run --engine scripted s");
            assert_eq!(next.code, 1, "{when}: {next}");
            let left: Vec<_> = std::fs::read_dir(results(&copy).join(".starting")).unwrap().collect();
            assert_eq!(left.len(), 1, "{when}: only the lock is left");
        }
        assert_eq!(seen, [true; 2], "some steps are before the run has its name, and some behind");
    }
}

fn results_in(sandbox: &Sandbox) -> PathBuf {
    std::fs::create_dir_all(Path::new(sandbox.home()).join(".vibesql")).unwrap();
    results(sandbox)
}

#[test]
fn a_run_that_cannot_be_written_when_it_starts_leaves_no_run() {
    let sandbox = two_runs();
    let long = "x".repeat(200);
    for file in 0..8 {
        sandbox.write(&format!("s/{long}{file}.test"), GOOD);
    }
    // Blocks of 512 bytes, in which more and more of the start finds room.
    let mut failed = 0;
    for blocks in 0..24 {
        let copy = Sandbox::new();
        copy_all(&sandbox.path().join("s"), &copy.path().join("s"));
        copy_all(&results(&sandbox), &results_in(&copy));
        let run = copy.command("run --engine scripted --serial s");
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
        limited.arg(run.get_program()).args(run.get_args()).current_dir(copy.path()).env_clear();
        limited.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = Output::of(&mut limited);
        let when = format!("{blocks} blocks");
        let entries = std::fs::read_dir(results(&copy).join("runs")).unwrap().count();
        assert_eq!(entries, runs(&copy).len(), "{when}: {output}");
        if entries == 2 {
            failed += 1;
            assert!(output.code != 0 && output.stderr.contains("error: cannot "), "{when}: {output}");
        }
        for line in ["status", "compare", "report --format markdown"] {
            let read = copy.run(line);
            // The earlier runs are of the suite in another place, and have no file in common with this one.
            assert!([0, 1, 3].contains(&read.code), "{when}: `{line}`: {read}");
        }
    }
    assert!((3..24).contains(&failed), "{failed}");
}

#[test]
fn the_last_run_is_the_one_that_was_started_last_whatever_the_clock_says() {
    let sandbox = two_runs();
    // A run that was made while the clock was ahead.
    let ahead = results(&sandbox).join("runs/20990101-000000");
    std::fs::rename(sandbox.last_run().unwrap(), &ahead).unwrap();
    sandbox.write("s/b.test", GOOD);
    let output = sandbox.run("run --engine scripted s");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stderr.contains("warning: the clock is behind an earlier run"), "{output}");
    assert_eq!(runs(&sandbox).last().unwrap(), "20990101-000000-2");
    let status = sandbox.run("status");
    assert!(status.stdout.contains("PASS: 2 of 2 files"), "{status}");
    let compare = sandbox.run("compare");
    assert!(compare.stdout.contains("  s/b.test  FAIL before, now PASS"), "{compare}");
    // It stays so, and the time that is told of a run is that of the clock.
    sandbox.write("s/a.test", BAD);
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    let show = sandbox.run("show");
    assert!(
        show.stdout.starts_with("run      20990101-000000-3\n") && show.stdout.contains("FAIL"),
        "{show}"
    );
}

#[test]
fn without_a_home_each_command_says_so_and_nothing_is_written() {
    let sandbox = two_runs();
    for line in ["run --engine scripted s", "status", "compare", "store prune --keep 1", "run --resume"] {
        let output = Output::of(sandbox.command(line).env_remove("HOME"));
        assert_eq!(output.code, 2, "{line}: {output}");
        assert!(
            output.stderr.contains("error: no folder for results: the variable HOME is not set"),
            "{line}: {output}"
        );
        assert!(
            output.stderr.contains("`--results DIR` or the variable VIBESQL_RESULTS_DIR"),
            "{line}: {output}"
        );
    }
    // A home in which nothing can be made.
    let file = sandbox.path().join("s/a.test");
    let output = Output::of(sandbox.command("run --engine scripted s").env("HOME", &file));
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stderr.contains("error: cannot make the folder `") && output.stderr.contains("--results DIR"),
        "{output}"
    );
    assert_eq!(sandbox.leftovers(), Vec::<PathBuf>::new());
    // What needs no results needs no home.
    for line in ["list s", "engines", "test --engine scripted s/a.test"] {
        let output = Output::of(sandbox.command(line).env_remove("HOME"));
        assert_eq!(output.code, 0, "{line}: {output}");
    }
    let output = Output::of(sandbox.command("--results here run --engine scripted s").env_remove("HOME"));
    assert_eq!(output.code, 1, "{output}");
    let output = Output::of(sandbox.command("status").env_remove("HOME").env("VIBESQL_RESULTS_DIR", "here"));
    assert_eq!(output.code, 0, "{output}");
}

#[test]
fn runs_that_cannot_be_read_are_passed_over() {
    let sandbox = two_runs();
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    let folder = results(&sandbox).join("runs");
    let names = runs(&sandbox);
    std::fs::create_dir(folder.join("20301231-235958")).unwrap();
    std::fs::write(folder.join("20301231-235958/journal.jsonl"), "garbage\n").unwrap();
    // A run without its header, which is the second line.
    let journal = folder.join(&names[1]).join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("RunStarted", "RunStartet", 1)).unwrap();
    let garbage = "warning: run `20301231-235958` is skipped: the journal `";
    let headless = format!("warning: run `{}` is skipped: the journal `", names[1]);
    for line in [
        "status",
        "show last",
        "show",
        "flaky",
        "analyze",
        "punchlist",
        "report --format markdown",
        "compare",
    ] {
        let output = sandbox.run(line);
        assert!(matches!(output.code, 0 | 1), "{line}: {output}");
        assert_eq!(output.stderr.matches(garbage).count(), 1, "{line}: {output}");
        assert!(output.stderr.contains("run `store verify`"), "{line}: {output}");
        let needs_previous = matches!(line, "status" | "compare");
        assert_eq!(output.stderr.matches(&headless).count(), usize::from(needs_previous), "{line}: {output}");
    }
    let status = sandbox.run("status");
    assert!(status.stdout.starts_with(&format!("run {}: completed", names[2])), "{status}");
    assert!(status.stdout.contains(&names[0]), "{status}");
    let named = sandbox.run("show 20301231-235958");
    assert_eq!(named.code, 2, "{named}");
    // A new run is not named behind it.
    sandbox.run("run --engine scripted s");
    assert!(!runs(&sandbox).iter().any(|name| name.starts_with("20301231-235958-")));
    let only = Sandbox::new();
    let folder = results(&only).join("runs/20301231-235958");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("journal.jsonl"), "garbage\n").unwrap();
    let output = only.run("status");
    assert_eq!((output.code, output.stderr.matches(garbage).count()), (3, 1), "{output}");
}

#[test]
fn a_damaged_first_line_is_not_taken_for_another_version() {
    let sandbox = two_runs();
    let name = runs(&sandbox)[1].clone();
    let journal = results(&sandbox).join("runs").join(&name).join("journal.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    let mut damaged = whole.clone();
    damaged[60] ^= 1;
    std::fs::write(&journal, &damaged).unwrap();
    let output = sandbox.run(&format!("show {name}"));
    assert_eq!(output.code, 2, "{output}");
    assert!(output.stderr.contains("is corrupt: its first line does not match its checksum"), "{output}");
    let listed = sandbox.run("runs");
    assert!(
        listed.code == 0 && listed.stderr.contains(&format!("run {name} is omitted: the journal")),
        "{listed}"
    );
    // A journal of a later version says so.
    let text = String::from_utf8(whole).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let entry = first[r#"{"crc32":"00000000","entry":"#.len()..first.len() - 1]
        .replace("\"format\":2", "\"format\":3");
    let entry = entry.replace("\"program\":\"0.1.0\"", "\"program\":\"7.8.9\"");
    let line =
        format!("{{\"crc32\":\"{:08x}\",\"entry\":{entry}}}\n{rest}", crc32fast::hash(entry.as_bytes()));
    std::fs::write(&journal, line).unwrap();
    let output = sandbox.run(&format!("show {name}"));
    assert_eq!(output.code, 2, "{output}");
    assert!(
        output.stderr.contains("has format 3 (written by version 7.8.9), and this program reads format 2"),
        "{output}"
    );
}

/// Waits until so many files of the last run have their result: the worker is ahead of the journal.
pub(crate) fn wait_for_results(sandbox: &Sandbox, count: usize) {
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    let found = || std::fs::read_to_string(&journal).unwrap().matches("\"FileFinished\"").count();
    wait_for("the results", || found() == count);
}

/// Waits until the lock of the last run is free: a process that was being started has it for another moment.
pub(crate) fn wait_until_ended(sandbox: &Sandbox) {
    let results = ResultsFolder::new(results(sandbox));
    wait_for("the end of the run", || results.running().is_err());
}

#[test]
fn the_time_of_a_killed_run_counts_when_it_is_resumed() {
    let sandbox = Sandbox::new();
    // Two files that take 300 ms each, and one that waits to be killed.
    for file in ["a", "b"] {
        sandbox.write(&format!("s/{file}.test"), "statement ok\nsleep 300\n");
    }
    sandbox.write("s/c.test", "statement ok\nonce at-it hang\n");
    let mut command = sandbox.command("run --engine scripted --serial --order path s");
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the file that hangs", || sandbox.path().join("at-it").exists());
    // The worker is ahead of the journal.
    let journal = sandbox.last_run().unwrap().join("journal.jsonl");
    wait_for("two results", || {
        std::fs::read_to_string(&journal).unwrap().matches("FileFinished").count() == 2
    });
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until_ended(&sandbox);
    let killed = Journal::read(&sandbox.last_run().unwrap().join("journal.jsonl")).unwrap().unwrap();
    assert!(killed.report.elapsed >= Duration::from_millis(600), "{:?}", killed.report.elapsed);
    let output = sandbox.run("run --resume --json out.json");
    assert_eq!(output.code, 0, "{output}");
    let json: serde_json::Value = serde_json::from_str(&sandbox.read("out.json")).unwrap();
    assert!(json["duration_ms"].as_f64().unwrap() >= 600.0, "{json}");
    let again = Journal::read(&sandbox.last_run().unwrap().join("journal.jsonl")).unwrap().unwrap();
    assert!(again.report.elapsed >= killed.report.elapsed, "{:?}", again.report.elapsed);
    for line in ["status", "show", "report --format markdown"] {
        let output = sandbox.run(line);
        assert!(!output.stdout.contains(" in 0.0"), "{line}: {}", output.stdout);
    }
}

#[test]
fn a_line_that_was_torn_before_a_resume_is_no_damage() {
    let sandbox = two_runs();
    let run = sandbox.last_run().unwrap();
    let journal = run.join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    // A disk that is full amid the second file.
    let torn = [&lines[..3].concat(), &lines[3][..lines[3].len() / 2]].concat();
    std::fs::write(&journal, torn).unwrap();
    std::fs::write(run.join("claims"), "").unwrap();
    std::fs::write(run.join("again"), "").unwrap();
    let output = sandbox.run("run --resume");
    assert_eq!(output.code, 1, "{output}");
    assert!(!output.stderr.contains("damaged"), "{output}");
    let read = Journal::read(&journal).unwrap().unwrap();
    assert_eq!((read.damaged, read.report.files.len()), (0, 2));
    for line in ["show", "store export --run --output x.zst", "store backup", "compare"] {
        let output = sandbox.run(line);
        assert!(output.code <= 1 && !output.stderr.contains("damaged"), "{line}: {output}");
    }
    if cfg!(feature = "store") {
        for _ in 0..2 {
            let output = sandbox.run("store verify");
            assert!(output.code == 0 && output.stdout.ends_with("no problems found\n"), "{output}");
            assert_eq!(sandbox.run("store seal").code, 0);
        }
    }
    // Damage elsewhere is still told of.
    let mut bytes = std::fs::read(&journal).unwrap();
    let place = lines[0].len() + lines[1].len() + 40;
    bytes[place] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    assert_eq!(Journal::read(&journal).unwrap().unwrap().damaged, 1);
}

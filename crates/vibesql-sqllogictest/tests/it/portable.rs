//! Runs that are carried elsewhere: what is exported comes back as it was, and nothing that is damaged is taken in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::outcome::{FileReport, FileStatus, FlakyResult, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::results::portable::{MergeOutcome, PortableError, merge, write};
use vibesql_sqllogictest::results::{Circumstances, Imported, Journal, Opened, ResultsFolder};

use crate::sandbox::Sandbox;

const GOOD: &str = "statement ok\nok\n\nquery I nosort\nrows 1\n----\n1\n";
const BAD: &str = "statement ok\nok\n\nquery I nosort\nrows 2\n----\n1\n";

fn opened(started: i64, from: &str) -> Opened {
    let imported = Imported { from: from.to_owned(), digest: from.to_owned(), untested: Vec::new() };
    Opened::from_import(started, imported, Circumstances::default())
}

fn report(files: Vec<FileReport>, text: &str) -> RunReport {
    let engine = EngineId::new(text, text);
    let header = RunHeader {
        engine,
        labels: vec![text.to_owned()],
        exact: false,
        files: files.len() + 1,
        flaky: FlakyResult::Pass,
    };
    RunReport { header, files, elapsed: Duration::from_nanos(1_234_567_890_123), end: RunEnd::BudgetSpent }
}

fn any_report() -> impl Strategy<Value = RunReport> {
    let text = "\\PC{0,12}|[\\\\'\";\n\r\0{}]{0,6}";
    let file = (0..FileStatus::ALL.len(), prop::option::of(text), any::<u32>());
    (prop::collection::btree_map(text, file, 0..6), text).prop_map(|(files, text)| {
        let files = files.into_iter().map(|(name, (status, message, elapsed))| {
            let elapsed = Duration::from_micros(elapsed.into());
            FileReport::of_whole(&name, FileStatus::ALL[status], message.as_deref(), elapsed)
        });
        report(files.collect(), &text)
    })
}

fn export(results: &ResultsFolder, names: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(results, names, &mut bytes, Path::new("bytes")).unwrap();
    bytes
}

fn reports(results: &ResultsFolder) -> Vec<RunReport> {
    let names = results.runs().unwrap();
    names.iter().map(|name| results.journal(Some(name)).unwrap().report).collect()
}

/// What journals say, but for the names of runs.
fn contents(results: &ResultsFolder) -> BTreeSet<String> {
    let names = results.runs().unwrap();
    let content = |name: &String| {
        let Journal { mut opened, report, damaged, .. } = results.journal(Some(name)).unwrap();
        assert_eq!((&opened.run, damaged), (name, 0));
        opened.run.clear();
        format!("{opened:?} {report:?}")
    };
    names.iter().map(content).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_run_that_is_carried_elsewhere_is_the_same(report in any_report(), text in "\\PC{0,8}") {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (here, there) = (ResultsFolder::new(here.path().join("a")), ResultsFolder::new(there.path().join("b")));
        let name = here.keep(&opened(1_000, &text), &report).unwrap();
        prop_assert_eq!(&reports(&here), std::slice::from_ref(&report));
        let file = here.path().join("file");
        std::fs::write(&file, export(&here, std::slice::from_ref(&name))).unwrap();
        let arrivals = merge(&there, &file).unwrap();
        prop_assert_eq!(&arrivals[0].became, &MergeOutcome::New(name));
        prop_assert_eq!(contents(&there), contents(&here));
        prop_assert_eq!(reports(&there), vec![report]);
        prop_assert!(matches!(merge(&there, &file).unwrap()[0].became, MergeOutcome::There(_)));
    }

    #[test]
    fn the_order_of_merging_does_not_matter(
        runs in prop::collection::vec((0_i64..3, 0_usize..3), 1..6),
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        for (at, (second, text)) in runs.iter().enumerate() {
            // Each on a machine of its own, so that names meet.
            let host = ResultsFolder::new(folder.path().join(at.to_string()));
            let files_of_run = vec![FileReport::of_whole("a", FileStatus::Passed, None, Duration::ZERO)];
            let name = host.keep(&opened(second * 1000, &text.to_string()), &report(files_of_run, "x")).unwrap();
            let file = folder.path().join(format!("{at}.file"));
            std::fs::write(&file, export(&host, &[name])).unwrap();
            files.push(file);
        }
        let merged = |files: &mut dyn Iterator<Item = &PathBuf>, name: &str| {
            let results = ResultsFolder::new(folder.path().join(name));
            files.for_each(|file| drop(merge(&results, file).unwrap()));
            contents(&results)
        };
        let straight = merged(&mut files.iter(), "straight");
        let shuffled = merged(&mut order.iter().filter_map(|&at| files.get(at)), "shuffled");
        let twice = merged(&mut files.iter().chain(&files), "twice");
        prop_assert_eq!(&straight, &shuffled);
        prop_assert_eq!(&straight, &twice);
        let different: BTreeSet<_> = runs.iter().collect();
        prop_assert_eq!(straight.len(), different.len());
    }
}

/// A file with two runs.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsFolder::new(folder.path());
    for (second, status) in [(1, FileStatus::Failed), (2, FileStatus::Passed)] {
        let file = FileReport::of_whole("a.test", status, Some("why"), Duration::ZERO);
        results.keep(&opened(second * 1000, "x"), &report(vec![file], "x")).unwrap();
    }
    export(&results, &results.runs().unwrap())
});

/// That a file is refused, and nothing is made of it.
fn check_refused(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, bytes).unwrap();
    let results = ResultsFolder::new(folder.path().join("results"));
    let error = merge(&results, &file).unwrap_err();
    assert!(matches!(error, PortableError::Damaged { .. } | PortableError::Foreign(_)), "{error:?}");
    assert!(!results.path().exists());
}

#[test]
fn a_file_that_is_cut_off_is_noticed_at_any_length() {
    (0..FILE.len()).for_each(|length| check_refused(&FILE[..length]));
    check_refused(&[FILE.as_slice(), b"\n"].concat());
    check_refused(&[FILE.as_slice(), FILE.as_slice()].concat());
}

proptest! {
    #[test]
    fn a_flipped_bit_is_noticed_anywhere(bit in any::<prop::sample::Index>()) {
        let mut bytes = FILE.clone();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        check_refused(&bytes);
    }
}

/// A sandbox with two runs of the scripted engine.
fn two_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    for text in [GOOD, BAD] {
        sandbox.write("s/a.test", text);
        sandbox.run("run --engine scripted s");
    }
    sandbox
}

fn masked(sandbox: &Sandbox, text: &str) -> String {
    let mut text = text.to_owned();
    for (number, run) in sandbox.all_runs().iter().enumerate().rev() {
        text = text.replace(run.file_name().unwrap().to_str().unwrap(), &format!("[run {number}]"));
    }
    // How well a journal is compressed depends on the times in it.
    let size = |line: &str| match line.rsplit_once(", ") {
        Some((start, end)) if end.ends_with("bytes") || end.ends_with("KiB") => format!("{start}, [size]"),
        _ => line.to_owned(),
    };
    text.replace(sandbox.home(), "[home]").lines().map(size).collect::<Vec<_>>().join("\n")
}

#[test]
fn export_and_merge() {
    let sandbox = two_runs();
    assert_snapshot!(masked(&sandbox, &sandbox.run("store export --run").to_string()), @"
    exit code 0
    --- stdout
    run [run 1] in [run 1].run.zst, [size]
    ");
    let name = sandbox.last_run().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let again = sandbox.run("store export --run");
    assert_snapshot!(masked(&sandbox, &again.to_string()), @"
    exit code 2
    --- stderr
    error: `[run 1].run.zst` already exists
      hint: use --force to replace it, or --output FILE to write elsewhere
    ");
    assert_eq!(sandbox.run("store export --run last --force").code, 0);
    let merged = sandbox.run(&format!("store merge --results other {name}.run.zst"));
    assert_snapshot!(masked(&sandbox, &merged.to_string()), @"
    exit code 0
    --- stdout
    run [run 1]
    [run 1].run.zst: 1 run imported, 0 runs already present
    ");
    let merged = sandbox.run(&format!("store merge --results other {name}.run.zst {name}.run.zst"));
    assert_snapshot!(masked(&sandbox, &merged.to_string()), @"
    exit code 0
    --- stdout
    [run 1].run.zst: 0 runs imported, 1 run already present
    [run 1].run.zst: 0 runs imported, 1 run already present
    ");
    let shown = sandbox.run("status --results other");
    assert!(shown.stdout.contains("FAIL: 0 of 1 file"), "{shown}");
    // What was run elsewhere cannot be gone on with here.
    assert_eq!(sandbox.run("run --results other --resume").code, 3);

    let first = sandbox.all_runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let output = sandbox.command(&format!("store export --run {first} --output -")).output().unwrap();
    sandbox.write("piped", output.stdout);
    assert_eq!(sandbox.run("store merge --results other piped").code, 0);
    assert_eq!(sandbox.run("runs --results other").code, 0);
    assert_eq!(std::fs::read_dir(sandbox.path().join("other/runs")).unwrap().count(), 2);
}

#[test]
fn mistakes_have_a_hint() {
    let sandbox = two_runs();
    sandbox.write("text", "no such file");
    let mut shown = String::new();
    // What else can be exported depends on the features.
    let nothing = sandbox.run("store export");
    assert!(nothing.stderr.contains("hint: use `store export --run` for the last run"), "{nothing}");
    for line in [
        "store export --run nowhere",
        "store export --run --output no/folder/file",
        "store merge text",
        "store merge nowhere",
        "--results empty store export --run",
        "--results empty store backup",
        "store backup --keep 0",
    ] {
        let output = sandbox.run(line);
        shown += &masked(&sandbox, &output.to_string());
        shown.push('\n');
    }
    assert_snapshot!(shown, @"
    exit code 2
    --- stderr
    error: no run, branch, commit or file matches `nowhere`
      hint: `runs` lists all runs; `last` and `previous` are valid, too; no stored run has a branch
    exit code 2
    --- stderr
    error: cannot write `no/folder/file`
      caused by: entity not found
    exit code 2
    --- stderr
    error: `text` is not a file of exported runs
      hint: `store export` and `store backup` create such files; `store import` imports results of other programs
    exit code 2
    --- stderr
    error: cannot read `nowhere`
      caused by: No such file or directory (os error 2)
      hint: check that the path exists, that you have permission, and that the disk is not full
    exit code 3
    --- stderr
    error: no run in `empty`
      hint: use --results DIR to select another results folder
    exit code 3
    --- stderr
    error: no run that has ended in `empty`
      hint: use --results DIR to select another results folder
    exit code 2
    --- stderr
    error: invalid value '0' for '--keep <N>': 0 is not in 1..=4294967295

    For more information, try '--help'.
    ");
    sandbox.run("store export --run --output file");
    let mut bytes = std::fs::read(sandbox.path().join("file")).unwrap();
    bytes[30] ^= 1;
    sandbox.write("flipped", &bytes);
    sandbox.write("cut", &bytes[..40]);
    assert_snapshot!(sandbox.run("store merge flipped cut"), @"
    exit code 2
    --- stderr
    error: `flipped` is damaged: its checksum is of another content
      hint: nothing was imported from it; copy the file again, or use another copy
    error: `cut` is damaged: its end is missing
      hint: nothing was imported from it; copy the file again, or use another copy
    ");
    assert_snapshot!(sandbox.run("store import file"), @"
    exit code 2
    --- stderr
    error: cannot import `file`: this is a file of exported runs
      hint: use `store merge` to import it
    ");
}

#[test]
fn a_run_that_goes_on_is_not_exported() {
    let sandbox = two_runs();
    let run = sandbox.last_run().unwrap();
    let lock = std::fs::File::open(run.join("lock")).unwrap();
    lock.lock().unwrap();
    assert_snapshot!(masked(&sandbox, &sandbox.run("store export --run").to_string()), @"
    exit code 2
    --- stderr
    error: run `[run 1]` is still in progress
      hint: wait until it has ended, or end it with Ctrl-C in its terminal
    ");
    let backup = sandbox.run("store backup --output b");
    assert!(backup.stderr.contains("is not in the backup: it is in progress"), "{backup}");
    assert!(backup.stdout.contains(": 1 run, "), "{backup}");
}

#[test]
fn another_run_of_the_same_name_gets_the_next() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, other) = (ResultsFolder::new(one.path()), ResultsFolder::new(other.path()));
    let passed = || vec![FileReport::of_whole("a", FileStatus::Passed, None, Duration::ZERO)];
    let mut names = Vec::new();
    for number in 0..99 {
        names.push(one.keep(&opened(0, &number.to_string()), &report(passed(), "x")).unwrap());
    }
    assert_eq!(names[98], "19700101-000000-99");
    let error = one.keep(&opened(0, "99"), &report(passed(), "x")).unwrap_err();
    assert!(error.to_string().starts_with("99 runs of the second `19700101-000000`"), "{error}");
    other.keep(&opened(0, "other"), &report(passed(), "x")).unwrap();
    let file = other.path().join("file");
    std::fs::write(&file, export(&one, &names[..2])).unwrap();
    let arrivals = merge(&other, &file).unwrap();
    let became: Vec<_> = arrivals.into_iter().map(|arrival| arrival.became).collect();
    let new = |name: &str| MergeOutcome::New(name.to_owned());
    assert_eq!(became, [new("19700101-000000-2"), new("19700101-000000-3")]);
    assert_eq!(contents(&other).len(), 3);
}

#[test]
fn the_beginning_of_a_run_is_not_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let host = ResultsFolder::new(folder.path().join("host"));
    let file = |name: &str| FileReport::of_whole(name, FileStatus::Passed, None, Duration::ZERO);
    let name = host.keep(&opened(0, "x"), &report(vec![file("a"), file("b")], "x")).unwrap();
    let journal = host.path_of(&name).unwrap().join("journal.jsonl");
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(folder.path().join("whole"), export(&host, std::slice::from_ref(&name))).unwrap();
    // As it was when it was killed.
    let lines: Vec<_> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    std::fs::write(&journal, lines[..3].concat()).unwrap();
    std::fs::write(folder.path().join("beginning"), export(&host, std::slice::from_ref(&name))).unwrap();
    for (number, order) in [["beginning", "whole"], ["whole", "beginning"]].into_iter().enumerate() {
        let results = ResultsFolder::new(folder.path().join(number.to_string()));
        let became: Vec<_> =
            order.map(|file| merge(&results, &folder.path().join(file)).unwrap().remove(0).became).into();
        let second =
            if number == 0 { MergeOutcome::Longer(name.clone()) } else { MergeOutcome::There(name.clone()) };
        assert_eq!(became, [MergeOutcome::New(name.clone()), second]);
        assert_eq!(std::fs::read(results.path_of(&name).unwrap().join("journal.jsonl")).unwrap(), whole);
    }
}

#[test]
fn names_are_data() {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsFolder::new(folder.path().join("results"));
    let hostile = ["../../x", "a'); DROP TABLE runs; --", "/etc/passwd", "", "CON", "a\nb"];
    let files = hostile.map(|name| FileReport::of_whole(name, FileStatus::Passed, None, Duration::ZERO));
    let name = results.keep(&opened(0, "../x'; --"), &report(files.to_vec(), "'; --")).unwrap();
    // The folder of a run may be renamed to whatever a file system takes.
    let renamed = "..'; DROP TABLE runs; --";
    std::fs::rename(
        results.path_of(&name).unwrap(),
        results.path().join("runs").join("x").with_file_name(renamed),
    )
    .unwrap();
    let file = folder.path().join("file");
    let path = results.path().join("runs").join(renamed).display().to_string();
    std::fs::write(&file, export(&results, &[path])).unwrap();
    let other = ResultsFolder::new(folder.path().join("other"));
    assert_eq!(merge(&other, &file).unwrap()[0].became, MergeOutcome::New(name));
    assert_eq!(reports(&other)[0].files.len(), hostile.len());
}

#[test]
fn half_of_a_run_is_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsFolder::new(folder.path());
    // What a process leaves that is killed while it takes a run in.
    let left = folder.path().join(".incoming/run");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("journal.jsonl"), "{\"crc32\":").unwrap();
    std::fs::write(left.with_file_name("0.jsonl"), "x").unwrap();
    assert_eq!(results.runs().unwrap(), Vec::<String>::new());
    results.keep(&opened(0, "x"), &report(Vec::new(), "x")).unwrap();
    assert_eq!(results.runs().unwrap(), ["19700101-000000"]);
    let rest: Vec<_> = std::fs::read_dir(folder.path().join(".incoming")).unwrap().collect();
    assert_eq!(rest.len(), 1, "only the lock");
}

#[test]
fn a_backup_restores_all_runs() {
    let sandbox = two_runs();
    let output = sandbox.run("store backup --output b");
    assert_eq!(output.code, 0, "{output}");
    let backups = || {
        let entries = std::fs::read_dir(sandbox.path().join("b")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let [name] = &backups()[..] else { panic!("{output}") };
    assert!(name.starts_with("results-") && name.ends_with(".runs.zst"), "{name}");
    assert_snapshot!(masked(&sandbox, &output.to_string().replace(name, "[backup]")), @"
    exit code 0
    --- stdout
    b/[backup]: 2 runs, verified, [size]
    ");
    let merged = sandbox.run(&format!("store restore --results other b/{name}"));
    assert!(merged.stdout.contains("2 runs imported, 0 runs already present"), "{merged}");
    let (here, there) = (sandbox.last_run().unwrap(), sandbox.path().join("other/runs"));
    let there = there.join(here.file_name().unwrap()).join("journal.jsonl");
    assert_eq!(std::fs::read(here.join("journal.jsonl")).unwrap(), std::fs::read(there).unwrap());
    assert!(
        sandbox
            .run(&format!("store merge b/{name}"))
            .stdout
            .contains("0 runs imported, 2 runs already present")
    );

    // Without a file, the newest backup of the results folder is restored.
    assert_eq!(sandbox.run("store restore").code, 3, "there is none");
    assert_eq!(sandbox.run("store backup").code, 0);
    let older = ".vibesql/test_results/backups/results-20200101-000000.runs.zst";
    std::fs::write(Path::new(sandbox.home()).join(older), "old").unwrap();
    std::fs::remove_dir_all(sandbox.last_run().unwrap()).unwrap();
    let restored = sandbox.run("store restore");
    assert!(restored.stdout.contains("1 run imported, 1 run already present"), "{restored}");

    // Only backups are removed, and the oldest first.
    sandbox.write("b/results-20200101-000000.runs.zst", "old");
    sandbox.write("b/results-20200101-000000-2.runs.zst", "old");
    sandbox.write("b/results-of-mine.txt", "mine");
    let output = sandbox.run("store backup --output b --keep 3");
    assert!(output.stdout.ends_with("removed b/results-20200101-000000.runs.zst\n"), "{output}");
    let left = backups();
    assert_eq!(left.len(), 4, "{left:?}");
    assert_eq!(
        (left[0].as_str(), left[3].as_str()),
        ("results-20200101-000000-2.runs.zst", "results-of-mine.txt")
    );
}

#[test]
fn a_backup_that_fails_leaves_the_older_ones() {
    let sandbox = Sandbox::new();
    (0..99).for_each(|file| sandbox.write(&format!("s/{file}.test"), BAD));
    sandbox.run("run --engine scripted s");
    sandbox.write("b/results-20200101-000000.runs.zst", "old");
    // No file may grow beyond one block, of 512 or 1024 bytes.
    let backup = sandbox.command("store backup --output b --keep 1");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).arg(backup.get_program());
    limited.args(backup.get_args()).current_dir(sandbox.path()).env_clear();
    limited.envs(backup.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = crate::sandbox::Output::of(&mut limited);
    assert_snapshot!(output, @"
    exit code 2
    --- stderr
    error: cannot write `b`
      caused by: File too large (os error 27)
      hint: check that the path exists, that you have permission, and that the disk is not full
    ");
    let left: Vec<_> = std::fs::read_dir(sandbox.path().join("b")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    // A file where the folder should be.
    sandbox.write("file", "");
    assert_snapshot!(sandbox.run("store backup --output file"), @"
    exit code 2
    --- stderr
    error: cannot write a backup into `file`
      caused by: File exists (os error 17)
      hint: check that the path exists, that you have permission, and that the disk is not full
    ");
}

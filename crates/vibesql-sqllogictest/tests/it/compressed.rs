//! Journals of old runs are compressed, and nothing that is read of them changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{FileReport, FileStatus, FlakyResult, RunEnd, RunHeader, RunReport};
use vibesql_sqllogictest::results::portable::{MergeOutcome, merge, write};
use vibesql_sqllogictest::results::store::schema::TABLES;
use vibesql_sqllogictest::results::store::{Extract, HistoryWindow, SealResult, Store, WantedColumns};
use vibesql_sqllogictest::results::{
    Circumstances, History, Imported, Opened, ResultsFolder, RunSummary, backup,
};

use crate::sandbox::Sandbox;

/// The newest runs, whose journals are left as they are.
const PLAIN: usize = 20;
/// In 2100.
const LATER: i64 = 4_102_444_800_000;

fn report(number: usize, end: RunEnd) -> RunReport {
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("e", "1") };
    let file = |name: usize| {
        let text = format!("it's\n{}", (number * name).to_string().repeat(50));
        FileReport::of_whole(&format!("d/{name}"), FileStatus::Failed, Some(&text), Duration::from_millis(7))
    };
    let files: Vec<_> = (0..20).map(file).collect();
    let missing = usize::from(end == RunEnd::Interrupted);
    let header = RunHeader {
        engine,
        labels: Vec::new(),
        exact: false,
        files: files.len() + missing,
        flaky: FlakyResult::Pass,
    };
    RunReport { header, files, elapsed: Duration::from_secs(1), end }
}

/// Keeps a run, and returns its name.
fn keep(results: &ResultsFolder, number: usize, end: RunEnd) -> String {
    let imported = Imported { from: "x".to_owned(), digest: number.to_string(), untested: Vec::new() };
    let started = LATER + 1000 * number as i64;
    let opened = Opened::from_import(started, imported, Circumstances::default());
    results.keep(&opened, &report(number, end)).unwrap()
}

fn seal(results: &ResultsFolder) -> SealResult {
    Store::new(results).catch_up(&mut |_, _| {}).unwrap()
}

fn load(results: &ResultsFolder) -> Extract {
    let store = Store::new(results);
    store.load(&store.pin().unwrap(), &TABLES.map(WantedColumns::all), HistoryWindow::All, None).unwrap()
}

fn problems(results: &ResultsFolder) -> Vec<String> {
    let found = Store::new(results).verify(&mut |_, _| {}).unwrap();
    [found.problems, found.journal_problems].concat()
}

fn exported(results: &ResultsFolder, names: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(results, names, &mut bytes, Path::new("bytes")).unwrap();
    bytes
}

/// All that readers of journals say, besides the store.
fn said(results: &ResultsFolder) -> String {
    let names = results.runs().unwrap();
    let run =
        |name: &String| (results.journal(Some(name)).unwrap(), RunSummary::read(results, name).unwrap());
    let runs: Vec<_> = names.iter().map(run).collect();
    let file = FileId::unknown("d/1");
    let history = History::read(results, "e", &[&file]).unwrap().of(&file);
    let imported: Vec<_> =
        (0..names.len()).map(|number| results.imported(&number.to_string()).unwrap()).collect();
    format!("{runs:?} {history:?} {imported:?} {:?}", exported(results, &names))
}

/// The files of a run, besides its lock.
fn files(results: &ResultsFolder, name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(results.path_of(name).unwrap()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // Only a plain journal has an index.
    assert!(
        names.iter().all(|name| name != "journal.index") || names.iter().any(|name| name == "journal.jsonl")
    );
    names.retain(|name| name != "lock" && name != "journal.index");
    names.sort();
    names
}

fn compressed(results: &ResultsFolder, name: &str) -> PathBuf {
    results.path_of(name).unwrap().join("journal.jsonl.zst")
}

/// A folder with so many runs more than are left as they are.
fn with_old(old: usize) -> (TempDir, ResultsFolder) {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsFolder::new(folder.path().join("results"));
    (0..PLAIN + old).for_each(|number| drop(keep(&results, number, RunEnd::Completed)));
    (folder, results)
}

#[test]
fn nothing_that_is_read_changes() {
    let (folder, results) = with_old(2);
    let interrupted = keep(&results, 22, RunEnd::Interrupted);
    (23..23 + PLAIN).for_each(|number| drop(keep(&results, number, RunEnd::Completed)));
    let before = said(&results);
    assert_eq!(seal(&results).notes, Vec::<String>::new());
    let names = results.runs().unwrap();
    // Some at a time.
    assert_eq!(files(&results, &names[3]), ["journal.jsonl.zst"]);
    assert_eq!(files(&results, &names[4]), ["journal.jsonl"]);
    assert_eq!(said(&results), before);
    let kept = load(&results);
    assert_eq!((kept.runs, &kept.notes), (names.len(), &Vec::new()));
    for number in 50..56 {
        keep(&results, number, RunEnd::Completed);
        let before = said(&results);
        assert_eq!(seal(&results).runs.len(), 1, "a compressed run is the same run");
        assert_eq!(said(&results), before);
    }
    let names = results.runs().unwrap();
    for (place, name) in names.iter().enumerate() {
        // What could be gone on with stays as it is.
        let is_plain = place >= names.len() - PLAIN || *name == interrupted;
        let expected = if is_plain { "journal.jsonl" } else { "journal.jsonl.zst" };
        assert_eq!(files(&results, name), [expected], "{place}");
    }
    assert_eq!(problems(&results), Vec::<String>::new());
    let loaded = load(&results);
    Store::new(&results).rebuild(&mut |_, _| {}).unwrap();
    assert_eq!(load(&results), loaded);
    assert_eq!(seal(&results), SealResult::default());

    let backup = backup::make(&results, &folder.path().join("backups"), LATER, 5).unwrap();
    assert_eq!((backup.written.runs, backup.written.damaged), (names.len() as u64, 0));
    let restored = ResultsFolder::new(folder.path().join("restored"));
    merge(&restored, &backup.path).unwrap();
    assert_eq!(exported(&restored, &names), exported(&results, &names));
    assert!(
        merge(&results, &backup.path).unwrap().iter().all(|run| matches!(run.became, MergeOutcome::There(_)))
    );
    results.remove(&names[0]).unwrap();
    assert_eq!(results.runs().unwrap(), names[1..]);
}

#[test]
fn killed_at_each_step_nothing_is_lost() {
    let (folder, results) = with_old(0);
    seal(&results);
    keep(&results, PLAIN, RunEnd::Completed);
    let before = said(&results);
    let oldest = results.runs().unwrap().remove(0);
    let sandbox = Sandbox::new();
    let mut seen = std::collections::BTreeSet::new();
    for step in 1.. {
        let copy = folder.path().join(step.to_string());
        for entry in walkdir(results.path()) {
            let to = copy.join(entry.strip_prefix(results.path()).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&entry, to).unwrap();
        }
        let output =
            sandbox.run(&format!("--results {} store seal --die-at-step {step}", copy.to_str().unwrap()));
        let copy = ResultsFolder::new(&copy);
        assert_eq!(said(&copy), before, "step {step}");
        seen.insert(files(&copy, &oldest));
        keep(&copy, PLAIN + 1, RunEnd::Completed);
        assert_eq!(seal(&copy).notes, Vec::<String>::new(), "step {step}");
        assert_eq!(files(&copy, &oldest), ["journal.jsonl.zst"], "step {step}");
        assert_eq!(problems(&copy), Vec::<String>::new(), "step {step}");
        if output.code == 0 {
            break;
        }
        assert_eq!(output.code, -1, "step {step}: {output}");
    }
    let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let both = of(&["journal.jsonl", "journal.jsonl.zst"]);
    let unfinished = of(&[".journal.unfinished", "journal.jsonl"]);
    let expected = [of(&["journal.jsonl"]), of(&["journal.jsonl.zst"]), both, unfinished];
    assert_eq!(seen, expected.into(), "each way that it may be left");
}

fn walkdir(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walkdir(&path) } else { vec![path] }).collect()
}

#[test]
fn a_flipped_bit_is_found_and_costs_nothing_else() {
    let (folder, results) = with_old(1);
    seal(&results);
    let (loaded, names) = (load(&results), results.runs().unwrap());
    let path = compressed(&results, &names[0]);
    let whole = std::fs::read(&path).unwrap();
    // Of its header, in which its length is, of the text, and of the checksum.
    for byte in [0, 5, 6, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let found = problems(&results);
        assert!(found.len() == 1 && found[0].contains("journal.jsonl.zst"), "{byte}: {found:?}");
        assert!(results.journal(Some(&names[0])).is_err(), "{byte}");
        // The store has it, and has no need of the journal.
        assert_eq!(load(&results), loaded, "{byte}");
        assert_eq!(seal(&results), SealResult::default(), "{byte}");
    }
    std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    assert_eq!(problems(&results).len(), 1);
    let backup = backup::make(&results, &folder.path().join("backups"), LATER, 5).unwrap();
    assert_eq!((backup.written.runs, backup.left_out.as_slice()), (PLAIN as u64, &names[..1]));
    // Without the store all others are there.
    std::fs::remove_dir_all(results.path().join("store")).unwrap();
    let sealed = seal(&results);
    assert_eq!((sealed.runs.len(), sealed.notes.len()), (PLAIN, 1), "{sealed:?}");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(seal(&results).runs, names[..1]);
    assert_eq!(problems(&results), Vec::<String>::new());
}

#[test]
fn a_run_that_is_compressed_does_not_go_on() {
    let (_folder, results) = with_old(4);
    let (sender, done) = std::sync::mpsc::channel();
    let looking = std::thread::spawn({
        let results = results.clone();
        move || {
            let mut found = 0;
            while done.try_recv().is_err() {
                found += usize::from(results.running().is_ok());
            }
            found
        }
    });
    seal(&results);
    sender.send(()).unwrap();
    assert_eq!(looking.join().unwrap(), 0);
    let names = results.runs().unwrap();
    assert_eq!(files(&results, &names[3]), ["journal.jsonl.zst"]);
}

/// A sandbox with one run of its own that is compressed, and the name of that.
fn with_compressed_run() -> (Sandbox, ResultsFolder, String) {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "query I nosort\nSELECT 1\n----\n2\n");
    sandbox.write("s/b.test", "query I nosort\nSELECT 1\n----\n1\n");
    sandbox.run("run --engine sqlite --quiet s");
    let results = ResultsFolder::new(Path::new(sandbox.home()).join(".vibesql/test_results"));
    (0..PLAIN).for_each(|number| drop(keep(&results, number, RunEnd::Completed)));
    let sealed = sandbox.run("store seal");
    assert_eq!((sealed.code, sealed.stderr.as_str()), (0, ""), "{sealed}");
    let name = results.runs().unwrap().remove(0);
    assert_eq!(files(&results, &name), ["journal.jsonl.zst", "run.json"]);
    (sandbox, results, name)
}

#[test]
fn a_compressed_run_can_be_shown_and_taken_up() {
    let (sandbox, results, name) = with_compressed_run();
    let shown = sandbox.run(&format!("show {name}"));
    assert!(shown.stdout.contains("FAIL: 1 of 2 files"), "{shown}");
    assert!(sandbox.run("runs --last 30").stdout.contains(&name));
    let nothing = sandbox.run("run --resume");
    assert_eq!(nothing.code, 3, "{nothing}");
    assert!(nothing.stderr.contains("no interrupted run"), "{nothing}");
    let report = format!("{:?}", results.journal(Some(&name)).unwrap().report.files);
    let before = exported(&results, std::slice::from_ref(&name));
    let resumed = sandbox.run(&format!("run --resume {name}"));
    assert_eq!(resumed.code, 1, "{resumed}");
    assert!(resumed.stdout.contains("FAIL: 1 of 2 files"), "{resumed}");
    assert_eq!(format!("{:?}", results.journal(Some(&name)).unwrap().report.files), report);
    // It was complete, so nothing was written.
    assert_eq!(files(&results, &name), ["journal.jsonl.zst", "run.json"]);
    let after = exported(&results, std::slice::from_ref(&name));
    assert_eq!(after, before);
    assert_eq!(problems(&results), Vec::<String>::new());
    let removed = sandbox.run("store prune --keep 20");
    assert!(removed.stdout.contains(&format!("removed {name}")), "{removed}");
    assert_eq!(results.runs().unwrap().len(), PLAIN);
}

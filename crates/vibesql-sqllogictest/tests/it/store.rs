//! The store: what the journals say, whatever way it has got there.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vibesql_sqllogictest::event::RunEvent;
use vibesql_sqllogictest::outcome::RunHeader;
use vibesql_sqllogictest::results::store::schema::TABLES;
use vibesql_sqllogictest::results::store::{
    Cell, Extract, HistoryWindow, RunId, SealResult, Store, StoreError, WantedColumns,
};
use vibesql_sqllogictest::results::{Opened, ResultsFolder};

use crate::histories::{self, DAY, Run, copy_tree};
use crate::sandbox::{Output, Sandbox};
use crate::store_model::{self, rows_of};

pub(crate) fn store(results: &Path) -> Store {
    Store::new(&ResultsFolder::new(results))
}

pub(crate) fn seal(results: &Path) -> SealResult {
    store(results).catch_up(&mut |_, _| ()).unwrap()
}

pub(crate) fn rebuild(results: &Path) -> SealResult {
    store(results).rebuild(&mut |_, _| ()).unwrap()
}

/// What `store verify` has to say, problems and notes.
pub(crate) fn problems(results: &Path) -> Vec<String> {
    let found = store(results).verify(&mut |_, _| ()).unwrap();
    [found.problems, found.journal_problems].concat()
}

pub(crate) fn load(results: &Path, window: HistoryWindow) -> Extract {
    let store = store(results);
    let wanted = TABLES.map(WantedColumns::all);
    store.load(&store.pin().unwrap(), &wanted, window, None).unwrap()
}

/// All rows of all tables.
pub(crate) fn everything(results: &Path) -> Extract {
    load(results, HistoryWindow::All)
}

/// Asserts that the rows of two extracts are the same.
pub(crate) fn assert_same(found: &Extract, healthy: &Extract, when: &str) {
    for (found, healthy) in found.tables.iter().zip(&healthy.tables) {
        let table = found.wanted.table.name;
        assert_eq!(found.rows.len(), healthy.rows.len(), "{when}: rows of {table}");
        for (found, healthy) in found.rows.iter().zip(&healthy.rows) {
            assert_eq!(found, healthy, "{when}: {table}");
        }
    }
    assert_eq!((found.runs, found.loaded), (healthy.runs, healthy.loaded), "{when}");
}

/// The entry of a line of JSON with a checksum.
pub(crate) fn manifest_of(results: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(results.join("store/manifest.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["entry"].take()
}

/// Writes a manifest as the store does it.
pub(crate) fn write_manifest(results: &Path, entry: &serde_json::Value) {
    let text = entry.to_string();
    let mut sum = !0_u32;
    for byte in text.bytes() {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    let line = format!("{{\"crc32\":\"{:08x}\",\"entry\":{text}}}\n", !sum);
    std::fs::write(results.join("store/manifest.json"), line).unwrap();
}

/// The names of the files that the manifest refers to, sorted.
pub(crate) fn files_of_manifest(results: &Path) -> Vec<String> {
    let manifest = manifest_of(results);
    let listed = ["runs", "outcomes"].map(|list| manifest[list].as_array().unwrap().clone());
    let files = listed.iter().flatten().map(|entry| &entry["file"]);
    let files = files.chain([&manifest["summary"], &manifest["known"]]);
    let mut names: Vec<_> = files.map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The names of the files in a folder, sorted; nothing if there is no such folder.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder of results with these runs, none of them sealed.
pub(crate) fn folder_with(runs: &[Run]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    runs.iter().for_each(|run| run.write(folder.path()));
    folder
}

fn copy_of(results: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(results, folder.path());
    folder
}

/// Brings a run into a folder, as if it had ended there now.
fn bring(run: &str, from: &Path, to: &Path) {
    let place = PathBuf::from("runs").join(run);
    copy_tree(&from.join(&place), &to.join(&place));
}

/// One journal after the other comes, in this order, and each is sealed.
fn sealed_in_order(names: &[&str], from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        bring(name, from, folder.path());
        assert_eq!(seal(folder.path()).runs, [*name]);
    }
    folder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_say_what_the_journals_say(
        seed in 0_u64..1_000_000,
        runs in 1_usize..9,
        files in 1_usize..24,
        order in any::<u64>(),
    ) {
        let runs = histories::runs(seed, runs, files);
        let folder = folder_with(&runs);
        let results = folder.path();
        let from_journals = everything(results);
        prop_assert!(from_journals.notes.is_empty() && !from_journals.damaged, "{:?}", from_journals.notes);
        store_model::check(&from_journals, results);
        // Sealed in any order of arrival, the rows are the same.
        let mut names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        let mut numbers = histories::Numbers::new(order);
        (0..names.len()).for_each(|at| names.swap(at, numbers.below(runs.len() as u64) as usize));
        let one_by_one = sealed_in_order(&names, results);
        assert_same(&everything(one_by_one.path()), &from_journals, &format!("sealed as {names:?}"));
        prop_assert_eq!(problems(one_by_one.path()), Vec::<String>::new());

        let all = runs.iter().map(|run| run.name.clone()).collect::<Vec<_>>();
        let mut sorted = all.clone();
        sorted.sort_by_key(|name| RunId::from_name(name).unwrap());
        prop_assert_eq!(seal(results).runs, sorted);
        let sealed = everything(results);
        assert_same(&sealed, &from_journals, "sealed at once");
        prop_assert!(sealed.notes.is_empty() && !sealed.damaged, "{:?}", sealed.notes);
        prop_assert_eq!(problems(results), Vec::<String>::new());
        prop_assert_eq!(names_in(&results.join("store/segments")), files_of_manifest(results));
        prop_assert_eq!(seal(results), SealResult::default());
        rebuild(one_by_one.path());
        assert_same(&everything(one_by_one.path()), &from_journals, "made again");
        check_windows(results, &sealed);
        check_columns(results, &sealed, seed);
    }
}

/// A window has the rows of its runs, and whole runs, files and counters.
fn check_windows(results: &Path, all: &Extract) {
    let runs = rows_of(all, "test_runs");
    let id = |row: &store_model::Row| row["run_id"].as_integer().unwrap();
    let started: Vec<_> = runs.iter().map(|run| run["started_at"].as_text().unwrap().to_owned()).collect();
    for last in 0..=runs.len() + 1 {
        let window = load(results, HistoryWindow::Last(last));
        let first = runs.len().saturating_sub(last);
        check_window(&window, all, &runs[first..].iter().map(id).collect::<Vec<_>>());
    }
    for at in 0..runs.len() {
        let clock = |from: usize| started[at][from..from + 2].parse::<i64>().unwrap();
        let rest: i64 = started[at][20..].parse().unwrap();
        let time = DAY + (clock(11) * 3600 + clock(14) * 60 + clock(17)) * 1000 + rest;
        for (since, later) in [(time, started[at].as_str()), (time + 1, &format!("{}!", started[at]))] {
            let chosen = runs.iter().zip(&started).filter(|(_, started)| started.as_str() >= later);
            let chosen: Vec<_> = chosen.map(|(run, _)| id(run)).collect();
            check_window(&load(results, HistoryWindow::Since(since)), all, &chosen);
        }
    }
}

fn check_window(window: &Extract, all: &Extract, chosen: &[i64]) {
    assert_eq!((window.runs, window.loaded), (all.runs, chosen.len()));
    let outcomes: Vec<_> =
        rows_of(window, "test_results").iter().map(|row| row["outcome_id"].clone()).collect();
    for loaded in &all.tables {
        let table = loaded.wanted.table.name;
        let mut rows = rows_of(all, table);
        match table {
            "test_results" | "failure_groups" | "slow_records" | "statement_times" => {
                rows.retain(|row| chosen.contains(&row["run_id"].as_integer().unwrap()));
            }
            "record_failures" => rows.retain(|row| outcomes.contains(&row["outcome_id"])),
            _ => {}
        }
        let mut found = rows_of(window, table);
        // Of the same outcomes, in the order in which the window meets them.
        let key = |row: &store_model::Row| format!("{row:?}");
        if table == "record_failures" {
            rows.sort_by_key(key);
            found.sort_by_key(key);
        }
        assert_eq!(found, rows, "{table} of {chosen:?}");
    }
}

/// Some of the columns have the same values as all of them.
fn check_columns(results: &Path, all: &Extract, seed: u64) {
    let mut numbers = histories::Numbers::new(seed);
    let store = store(results);
    let pin = store.pin().unwrap();
    for loaded in &all.tables {
        for _ in 0..3 {
            let mut wanted = loaded.wanted.clone();
            wanted.columns.retain(|_| numbers.below(3) == 0);
            let places: Vec<_> =
                wanted.columns.iter().map(|column| wanted.table.place(column.name).unwrap()).collect();
            let expected: Vec<Vec<_>> = loaded
                .rows
                .iter()
                .map(|row| places.iter().map(|&place| row[place].clone()).collect())
                .collect();
            let found = store.load(&pin, &[wanted], HistoryWindow::All, None).unwrap();
            assert_eq!(found.tables[0].rows, expected, "{:?}", found.tables[0].wanted);
        }
    }
}

#[test]
fn a_run_that_was_taken_up_again_is_sealed_again() {
    let runs = histories::runs(3, 4, 12);
    let folder = tempfile::tempdir().unwrap();
    for run in &runs {
        run.write_sessions(folder.path(), 1);
    }
    seal(folder.path());
    store_model::check(&everything(folder.path()), folder.path());
    let grown: Vec<_> = runs.iter().filter(|run| run.sessions.len() > 1).collect();
    assert_eq!(grown.len(), 1);
    let journal = folder.path().join("runs").join(&grown[0].name).join("journal.jsonl");
    std::fs::remove_file(&journal).unwrap();
    grown[0].write(folder.path());
    let live = everything(folder.path());
    store_model::check(&live, folder.path());
    assert_eq!(seal(folder.path()).runs, [grown[0].name.as_str()]);
    assert_same(&everything(folder.path()), &live, "sealed again");
    assert_eq!(problems(folder.path()), Vec::<String>::new());
}

#[test]
fn outcomes_know_their_first_run_whenever_it_is_sealed() {
    // They knew the run that was sealed first.
    let runs = histories::runs(11, 3, 10);
    let folder = folder_with(&runs);
    let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
    let late = sealed_in_order(&[names[2], names[0], names[1]], folder.path());
    let last = |results: &Path| rows_of(&load(results, HistoryWindow::Last(1)), "record_failures");
    let expected = last(folder.path());
    assert!(
        expected.iter().any(|row| row["first_run_id"] != Cell::from(RunId::from_name(names[2]).unwrap().0))
    );
    assert_eq!(last(late.path()), expected);
    // What one of them needs stays when the other goes.
    drop(store(late.path()).remove(&[names[0].to_owned()]).unwrap());
    std::fs::remove_dir_all(late.path().join("runs").join(names[0])).unwrap();
    assert_eq!(problems(late.path()), Vec::<String>::new());
    assert_eq!(rows_of(&everything(late.path()), "test_results").len(), {
        let results = rows_of(&everything(folder.path()), "test_results");
        results
            .iter()
            .filter(|row| row["run_id"] != Cell::from(RunId::from_name(names[0]).unwrap().0))
            .count()
    });
}

fn header_of(run: &Run) -> RunHeader {
    match &run.sessions[0][0] {
        RunEvent::RunStarted(header) => header.clone(),
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_run_that_goes_on_is_seen_as_far_as_it_has_come() {
    let runs = histories::runs(5, 3, 8);
    let folder = folder_with(&runs[..2]);
    seal(folder.path());
    let results = ResultsFolder::new(folder.path());
    let started = DAY + 50_000_000;
    let opened = |name: &str| Opened { run: name.to_owned(), started, ..runs[2].opened.clone() };
    let (running, _) = results.start_run().unwrap().publish(started, &header_of(&runs[2]), &opened).unwrap();
    let state = || rows_of(&everything(folder.path()), "test_runs").pop().unwrap()["state"].clone();
    assert_eq!((state(), everything(folder.path()).runs), ("RUNNING".into(), 3));
    std::fs::remove_file(running.journal()).unwrap();
    let again = Run { name: running.name.clone(), ..runs[2].clone() };
    again.write_sessions(folder.path(), 1);
    let live = everything(folder.path());
    let run = rows_of(&live, "test_runs").pop().unwrap();
    assert_eq!((&run["state"], &run["completed_at"], live.runs), (&"RUNNING".into(), &Cell::Null, 3));
    assert!(rows_of(&live, "test_results").iter().any(|row| row["run_id"] == run["run_id"]));
    assert_eq!(seal(folder.path()), SealResult::default());
    drop(running);
    assert_eq!(seal(folder.path()).runs, [again.name.as_str()]);
    assert_ne!(state(), "RUNNING".into());
    // Taken up again, it goes on before it has a new result.
    std::fs::write(folder.path().join("runs").join(&again.name).join("run.json"), "").unwrap();
    let running = results.take_up(Some(&again.name)).unwrap();
    assert_eq!(state(), "RUNNING".into());
    rebuild(folder.path());
    assert_eq!(state(), "RUNNING".into());
    drop(running);
    assert_ne!(state(), "RUNNING".into());
    assert_eq!(problems(folder.path()), Vec::<String>::new());
}

#[test]
fn looking_whether_a_run_goes_on_is_no_work_on_it() {
    // Who looked had the lock for a moment, and who looked then took the run for one that goes on.
    let folder = folder_with(&histories::runs(2, 3, 1));
    let looking = std::thread::spawn({
        let results = ResultsFolder::new(folder.path());
        move || (0..3_000).filter(|_| results.running().is_ok()).count()
    });
    let results = ResultsFolder::new(folder.path());
    let found = (0..3_000).filter(|_| results.running().is_ok()).count();
    assert_eq!((found, looking.join().unwrap()), (0, 0));
}

#[test]
fn what_is_pinned_is_loaded_whatever_is_written_meanwhile() {
    let runs = histories::runs(8, 4, 8);
    let folder = folder_with(&runs[..2]);
    seal(folder.path());
    let pinned = store(folder.path());
    let pin = pinned.pin().unwrap();
    let before = everything(folder.path());
    runs[2..].iter().for_each(|run| run.write(folder.path()));
    rebuild(folder.path());
    let wanted = TABLES.map(WantedColumns::all);
    let after = pinned.load(&pin, &wanted, HistoryWindow::All, None).unwrap();
    assert_same(&after, &before, "pinned");
    assert!(!after.damaged && after.notes.is_empty(), "{:?}", after.notes);
    // Of what is removed nothing is left, and that is no damage.
    drop(pinned.remove(&[runs[0].name.clone()]).unwrap());
    std::fs::remove_dir_all(folder.path().join("runs").join(&runs[0].name)).unwrap();
    let after = pinned.load(&pin, &wanted, HistoryWindow::All, None).unwrap();
    assert_eq!((after.runs, after.damaged), (1, false), "{:?}", after.notes);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let folder = folder_with(&histories::runs(1, 2, 4));
    seal(folder.path());
    let mut newer = manifest_of(folder.path());
    newer["schema"] = 1_000_000.into();
    newer["runs"] = "something else".into();
    write_manifest(folder.path(), &newer);
    histories::runs(1, 3, 4)[2].write(folder.path());
    let before = copy_of(folder.path());
    let store = store(folder.path());
    let errors = [
        store.catch_up(&mut |_, _| ()).map(drop),
        store.rebuild(&mut |_, _| ()).map(drop),
        store.verify(&mut |_, _| ()).map(drop),
        store.remove(&[histories::runs(1, 1, 1)[0].name.clone()]).map(drop),
        store.pin().map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::OtherVersion { found: 1_000_000, .. }), "{error}");
    }
    for place in ["store", "store/segments", "store/damaged"] {
        let (now, then) = (folder.path().join(place), before.path().join(place));
        assert_eq!(names_in(&now), names_in(&then));
        for name in names_in(&now).iter().filter(|name| now.join(name).is_file()) {
            assert_eq!(std::fs::read(now.join(name)).unwrap(), std::fs::read(then.join(name)).unwrap());
        }
    }
}

#[test]
fn the_tables_count_flaky_files_as_the_run_does() {
    for (flags, passed) in [("", 2), ("--flaky fail", 1)] {
        let sandbox = Sandbox::new();
        sandbox.write("s/a.test", "statement ok\nonce marker error no\n");
        sandbox.write("s/b.test", "statement ok\nok\n");
        let run = sandbox.run(&format!("run --engine scripted --retries 1 {flags} s"));
        assert!(run.stdout.contains(&format!(": {passed} of 2 files")), "{run}");
        let query = ["query", "SELECT passed, failed, flaky, pass_rate FROM test_runs", "--format", "csv"];
        let found = Output::of(sandbox.command("").args(query));
        let row = format!("{passed},{},1,{}.0", 2 - passed, 50 * passed);
        assert!(found.stdout.contains(&row), "{found}");
    }
}

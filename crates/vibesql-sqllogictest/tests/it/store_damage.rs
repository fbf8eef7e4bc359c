//! Damage: whatever becomes of a file of the store, it is found, costs nothing as long as the journals are there, and is
//! mended.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use vibesql_sqllogictest::results::store::{Extract, HistoryWindow};

use crate::histories::{self, Run, copy_tree};
use crate::sandbox::{Output, Sandbox};
use crate::store::{
    assert_same, everything, files_of_manifest, folder_with, load, manifest_of, names_in, problems, rebuild,
    seal, store,
};
use crate::store_model::rows_of;

/// A sealed store, the rows of it, and the runs.
struct Healthy {
    folder: tempfile::TempDir,
    rows: Extract,
    runs: Vec<Run>,
}

static HEALTHY: LazyLock<Healthy> = LazyLock::new(|| {
    let runs = histories::runs(31, 4, 8);
    let folder = folder_with(&runs);
    seal(folder.path());
    let rows = everything(folder.path());
    Healthy { folder, rows, runs }
});

fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(HEALTHY.folder.path(), folder.path());
    folder
}

/// The files of the store, the manifest first.
fn files(results: &Path) -> Vec<PathBuf> {
    let segments = files_of_manifest(results).into_iter().map(|name| Path::new("segments").join(name));
    [PathBuf::from("manifest.json")]
        .into_iter()
        .chain(segments)
        .map(|file| results.join("store").join(file))
        .collect()
}

/// What must hold when a file was damaged: it is found, the rows are right, and no problems found when it is mended. `kept`
/// says whether it is to be found among the damaged files then.
fn check_damage(results: &Path, file: &Path, kept: bool) {
    let shown = file.display().to_string();
    let found = problems(results);
    assert!(found.iter().any(|problem| problem.contains(&shown)), "{shown}: {found:?}");
    let all = everything(results);
    assert_same(&all, &HEALTHY.rows, &shown);
    // Nobody asks for it.
    if !shown.contains("/known.") {
        assert!(
            all.damaged && all.notes.iter().any(|note| note.contains(&shown)),
            "{shown}: {:?}",
            all.notes
        );
    }
    check_mended(results, file, kept);
}

fn check_mended(results: &Path, file: &Path, kept: bool) {
    let shown = file.display().to_string();
    // A new run is not kept out, whichever way it is taken in.
    let copy = tempfile::tempdir().unwrap();
    copy_tree(results, copy.path());
    histories::runs(31, 5, 8)[4].write(copy.path());
    assert_eq!(seal(copy.path()).runs.last(), Some(&histories::runs(31, 5, 8)[4].name), "{shown}");
    assert_eq!(everything(copy.path()).runs, 5, "{shown}");

    let done = store(results).rebuild(&mut |_, _| ()).unwrap();
    assert!(done.notes.iter().any(|note| note.contains(&shown)), "{shown}: {:?}", done.notes);
    assert_eq!(problems(results), Vec::<String>::new(), "{shown}");
    let all = everything(results);
    assert_same(&all, &HEALTHY.rows, &format!("{shown}, mended"));
    assert!(!all.damaged && all.notes.is_empty(), "{shown}: {:?}", all.notes);
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(names_in(&results.join("store/damaged")).contains(&name), kept, "{shown}");
    assert_eq!(names_in(&results.join("store/segments")), files_of_manifest(results), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_found_and_mended(
        file in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let folder = copy();
        let file = file.get(&files(folder.path())).clone();
        let mut bytes = std::fs::read(&file).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &bytes).unwrap();
        // A letter of the checksum in another case is the same number.
        let sum = b"{\"crc32\":\"".len()..b"{\"crc32\":\"".len() + 8;
        let letter = bytes[bit / 8].is_ascii_alphabetic() && bit % 8 == 5;
        if !(file.ends_with("manifest.json") && sum.contains(&(bit / 8)) && letter) {
            check_damage(folder.path(), &file, true);
        }
    }
}

#[test]
fn files_that_are_cut_off_empty_or_missing_are_mended() {
    let all = files(HEALTHY.folder.path());
    let kinds =
        ["manifest.json", "/summary.", "/known.", ".outcomes.", &format!("/{}.", HEALTHY.runs[1].name)];
    for kind in kinds {
        let file = all.iter().find(|file| file.display().to_string().contains(kind)).unwrap();
        let place = file.strip_prefix(HEALTHY.folder.path()).unwrap();
        let bytes = std::fs::read(file).unwrap();
        for (number, left) in [&bytes[..bytes.len() / 2], &[]].into_iter().enumerate() {
            let folder = copy();
            let file = folder.path().join(place);
            std::fs::write(&file, left).unwrap();
            match number {
                0 => check_damage(folder.path(), &file, true),
                _ => check_mended(folder.path(), &file, true),
            }
        }
        let folder = copy();
        let file = folder.path().join(place);
        std::fs::remove_file(&file).unwrap();
        if kind == "manifest.json" {
            // Without one there is nothing that could be damaged.
            assert_same(&everything(folder.path()), &HEALTHY.rows, "no manifest");
            seal(folder.path());
            assert_eq!(problems(folder.path()), Vec::<String>::new());
        } else {
            check_damage(folder.path(), &file, false);
        }
    }
}

#[test]
fn what_nobody_has_is_left_out_and_stops_nothing() {
    // Neither segment nor journal of the second run can be read; the outcomes that others share are whole.
    let folder = copy();
    let lost = &HEALTHY.runs[1].name;
    std::fs::remove_dir_all(folder.path().join("runs").join(lost)).unwrap();
    let file = files(folder.path())
        .into_iter()
        .find(|file| file.display().to_string().contains(&format!("/{lost}.")))
        .unwrap();
    std::fs::write(&file, "damaged").unwrap();
    let all = everything(folder.path());
    assert!(
        all.damaged && all.notes.iter().any(|note| note.contains(&format!("run {lost} is left out"))),
        "{:?}",
        all.notes
    );
    let without = |extract: &Extract| {
        let id = |row: &crate::store_model::Row| row["run_id"].clone();
        let runs = rows_of(extract, "test_runs");
        let lost = runs.iter().find(|run| run["name"].as_text() == Some(lost)).map(id);
        let rows = rows_of(extract, "test_results").into_iter();
        rows.filter(|row| Some(id(row)) != lost).collect::<Vec<_>>()
    };
    assert_eq!(without(&all), without(&HEALTHY.rows));
    // A damaged file that is the last of its kind is kept.
    let done = rebuild(folder.path());
    assert!(
        done.notes.iter().any(|note| note.contains(&format!("run {lost} is left out"))),
        "{:?}",
        done.notes
    );
    assert_eq!(names_in(&folder.path().join("store/damaged")).len(), 1);
    assert_eq!(problems(folder.path()), Vec::<String>::new());
    assert_eq!(everything(folder.path()).runs, 3);
}

#[test]
fn a_run_without_its_journal_stays_in_the_store() {
    let folder = copy();
    for run in &HEALTHY.runs[..3] {
        std::fs::remove_dir_all(folder.path().join("runs").join(&run.name)).unwrap();
    }
    for manifest in ["whole", "damaged", "missing"] {
        let path = folder.path().join("store/manifest.json");
        match manifest {
            "whole" => {}
            "damaged" => std::fs::write(&path, "{").unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        for again in 0..2 {
            seal(folder.path());
            let when = format!("manifest {manifest}, {again} times made again");
            let found = store(folder.path()).verify(&mut |_, _| ()).unwrap();
            assert_eq!((found.problems.len(), found.notes.len()), (0, 3), "{when}: {found:?}");
            assert_same(&everything(folder.path()), &HEALTHY.rows, &when);
            assert_eq!(rebuild(folder.path()).notes, Vec::<String>::new(), "{when}");
        }
    }
}

/// The journal of a run.
fn journal(results: &Path, run: &Run) -> PathBuf {
    results.join("runs").join(&run.name).join("journal.jsonl")
}

#[test]
fn a_damaged_journal_is_found_and_takes_nothing_away() {
    let run = &HEALTHY.runs[2];
    let name = &run.name;
    let bytes = std::fs::read(journal(HEALTHY.folder.path(), run)).unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let (first, last) = (flipped(60), flipped(bytes.len() - 30));
    for damaged in [&first, &last, &bytes[..bytes.len() / 2], &bytes[..7], &[]] {
        let folder = copy();
        std::fs::write(journal(folder.path(), run), damaged).unwrap();
        let when = format!("{} of {} bytes", damaged.len(), bytes.len());
        let found = problems(folder.path());
        assert!(
            found.iter().any(|problem| problem.starts_with(&format!("run {name}: "))),
            "{when}: {found:?}"
        );
        // What was sealed when the journal was whole is still there.
        assert_same(&everything(folder.path()), &HEALTHY.rows, &when);
        seal(folder.path());
        assert_same(&everything(folder.path()), &HEALTHY.rows, &when);
        rebuild(folder.path());
        assert_same(&everything(folder.path()), &HEALTHY.rows, &format!("{when}, made again"));
    }
    // Where it was not sealed before, what is lost is said.
    let folder = folder_with(&HEALTHY.runs);
    std::fs::write(journal(folder.path(), run), &last).unwrap();
    let all = everything(folder.path());
    assert!(all.notes.iter().any(|note| note.contains(name) && note.contains("damaged")), "{:?}", all.notes);
    assert_eq!(all.runs, 4);
    seal(folder.path());
    assert_same(&everything(folder.path()), &all, "sealed");
    assert!(problems(folder.path())[0].contains("1 line of its journal"));
}

#[test]
fn windows_do_not_read_what_is_damaged_elsewhere() {
    let folder = copy();
    let manifest = manifest_of(folder.path());
    let oldest = manifest["runs"][0]["file"]["name"].as_str().unwrap();
    std::fs::write(folder.path().join("store/segments").join(oldest), "").unwrap();
    let last = load(folder.path(), HistoryWindow::Last(1));
    assert!(!last.damaged && last.notes.is_empty(), "{:?}", last.notes);
    assert_same(&last, &load(HEALTHY.folder.path(), HistoryWindow::Last(1)), "the last run");
}

#[test]
fn a_question_is_answered_and_the_store_mended() {
    let sandbox = Sandbox::new();
    sandbox.write("s/a.test", "query I nosort\nSELECT 1\n----\n1\n");
    sandbox.run("run --engine sqlite --quiet s");
    assert_eq!(sandbox.run("store seal").code, 0);
    let store = Path::new(sandbox.home()).join(".vibesql/test_results/store");
    let segments = names_in(&store.join("segments"));
    let name = segments.iter().find(|name| name.starts_with("20") && !name.contains("outcomes")).unwrap();
    let mut bytes = std::fs::read(store.join("segments").join(name)).unwrap();
    bytes[20] ^= 1;
    std::fs::write(store.join("segments").join(name), bytes).unwrap();
    let ask = || Output::of(sandbox.command("query").arg("SELECT file_path, status FROM test_results"));
    let asked = ask();
    assert!(asked.stdout.contains("a.test") && asked.code == 0, "{asked}");
    assert!(asked.stderr.contains("is now in"), "{asked}");
    assert_eq!(names_in(&store.join("damaged")), [name.as_str()]);
    assert_eq!(sandbox.run("store verify").code, 0);
    let again = ask();
    assert_eq!((again.stdout, again.stderr.as_str()), (asked.stdout, ""));
}

#[test]
fn a_shortened_journal_is_a_problem_until_its_run_is_resumed() {
    for damaged in [false, true] {
        let sandbox = Sandbox::new();
        let good = "query I nosort\nSELECT 1\n----\n1\n";
        ["a", "b", "c"].iter().for_each(|file| sandbox.write(&format!("s/{file}.test"), good));
        sandbox.run("run --engine sqlite --quiet s");
        assert_eq!(sandbox.run("store seal").code, 0);
        let run = sandbox.last_run().unwrap();
        let text = std::fs::read_to_string(run.join("journal.jsonl")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let shorter = lines[..lines.len() - 2].join("\n") + "\n";
        let text = if damaged { text.replacen("FileFinished", "fileFinished", 2) } else { shorter };
        std::fs::write(run.join("journal.jsonl"), text).unwrap();
        for _ in 0..2 {
            let found = sandbox.run("store verify");
            assert_eq!(found.code, 1, "{found}");
            assert!(found.stderr.contains("run the lost files again with `run --resume RUN`"), "{found}");
            assert!(!found.stderr.contains("store rebuild"), "{found}");
            assert_eq!(sandbox.run("store rebuild").code, 0);
        }
        let resumed = sandbox.run(&format!("run --quiet --resume {}", run.display()));
        assert_eq!(resumed.code, 0, "{resumed}");
        assert_eq!(sandbox.run("store seal").code, 0);
        let found = sandbox.run("store verify");
        assert_eq!(found.code, 0, "{found}");
    }
}

//! Bugs put into a real engine, on the shipped suite: what became of each record is known, so `compare` has to name
//! just these records, and `analyze` has to put them together and promise the right files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use vibesql_sqllogictest::analysis::{Analysis, SourceTexts, TextError, WRONG_RESULT, analyze};
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, RowSink, Session, SingleSession, SqlError,
};
use vibesql_sqllogictest::executor::{Selection, run_script};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{
    FileReport, FileStatus, FlakyResult, RecordName, RunEnd, RunHeader, RunReport,
};
use vibesql_sqllogictest::parser::{self, RecordKind, parse};
use vibesql_sqllogictest::regression::{FileChange, Gate, RecordChange, compare};

use crate::support::{failing_lines, manifest, options, session, test_files};

#[path = "../../examples/broken/engine.rs"]
mod broken;
use broken::Broken;

/// Name and text of each file.
type Suite = BTreeMap<String, String>;

fn suite() -> Suite {
    let root = manifest().join("../../suites");
    let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
    let files = test_files(&root).into_iter();
    let suite: Suite = files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    assert!(suite.len() > 40);
    suite
}

/// Runs the suite without the records at these places.
fn run(engine: &dyn Engine, suite: &Suite, left_out: &BTreeSet<(String, u32)>) -> RunReport {
    let profile = parser::profile("sqlite", false).unwrap();
    let labels = engine.describe().unwrap().labels;
    let options = options(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    let file = |(name, text): (&String, &String)| {
        let names = left_out.iter().filter(|(file, _)| file == name);
        let names: Vec<_> = names.map(|(_, line)| RecordName::Line(*line)).collect();
        let source = Source::new(name.as_str(), text.as_str());
        run_script(&parse(&source, profile), engine, &options, Selection::AllBut(&names))
    };
    let files: Vec<_> = suite.iter().map(file).collect();
    let engine = engine.describe().unwrap();
    let header = RunHeader {
        labels: engine.labels.clone(),
        engine,
        exact: false,
        files: files.len(),
        flaky: FlakyResult::Pass,
    };
    RunReport { header, files, elapsed: Duration::ZERO, end: RunEnd::Completed }
}

struct InMemory<'s>(&'s Suite);

impl SourceTexts for InMemory<'_> {
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError> {
        let text = self.0.get(file.file.path()).ok_or(TextError::Unknown)?;
        Ok(Source::new(file.file.path(), text.as_str()))
    }
}

/// The records that a bug touches, as places in the suite: those whose SQL the engine has written into its log, and those
/// that have a label which such a record has had first, since they are held against its result.
fn touched(log: &str, suite: &Suite) -> BTreeSet<(String, u32)> {
    let spoiled: BTreeSet<_> = log.lines().collect();
    let mut places = BTreeSet::new();
    for (name, text) in suite {
        let profile = parser::profile("sqlite", false).unwrap();
        let mut first_of_label = BTreeMap::new();
        for record in parse(&Source::new(name.as_str(), text.as_str()), profile).records() {
            let RecordKind::Query(query) = &record.kind else { continue };
            let mut buffer = Vec::new();
            let sql = str::from_utf8(query.sql.text(&mut buffer)).unwrap();
            let is_spoiled = spoiled.contains(sql.split_whitespace().collect::<Vec<_>>().join(" ").as_str());
            let first = query.label.map(|label| *first_of_label.entry(label).or_insert(is_spoiled));
            if is_spoiled || first == Some(true) {
                places.insert((name.clone(), record.line));
            }
        }
    }
    places
}

fn failing(report: &RunReport) -> BTreeSet<(String, u32)> {
    let of = |file: &FileReport| {
        failing_lines(file).into_iter().map(|line| (file.file.path().to_owned(), line)).collect::<Vec<_>>()
    };
    report.files.iter().flat_map(of).collect()
}

/// The records of a cluster, as places in the suite.
fn records_of(report: &RunReport, analysis: &Analysis, cluster: usize) -> BTreeSet<(String, u32)> {
    let records = analysis.records.iter().filter(|record| record.cluster as usize == cluster);
    let of =
        |file: &FileReport, place: u32| (file.file.path().to_owned(), file.failures[place as usize].id.line);
    records.map(|record| of(&report.files[record.file as usize], record.place)).collect()
}

fn green(report: &RunReport) -> BTreeSet<&str> {
    let green = |file: &&FileReport| file.status() == FileStatus::Passed;
    report.files.iter().filter(green).map(|file| file.file.path()).collect()
}

#[test]
fn a_bug_in_one_feature_is_told_record_by_record() {
    let suite = suite();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let sound = run(&Sqlite, &suite, &BTreeSet::new());
    assert_eq!(failing(&sound), BTreeSet::new());
    let current = run(&Broken::new(Box::new(Sqlite), "between", Some(log.clone())), &suite, &BTreeSet::new());

    let touched = touched(&fs::read_to_string(&log).unwrap(), &suite);
    assert!(touched.len() > 100, "{}", touched.len());
    let diff = compare(&sound, &current);
    let place = |(file, record): (&str, u32)| (file.to_owned(), record);
    let regressed = diff.records_with(|change| change == RecordChange::Regressed);
    let regressed: BTreeSet<_> =
        regressed.map(|(file, record)| place((file.file.path(), record.id().unwrap().line))).collect();
    assert_eq!(regressed, touched);
    assert_eq!(diff.records_with(|change| change != RecordChange::Regressed).count(), 0);
    let files: BTreeSet<_> = touched.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(diff.with(FileChange::Regressed).map(|file| file.file.path()).collect::<BTreeSet<_>>(), files);
    assert!(diff.has_regressed(Gate::Files));
    // And the way back is the same with the words exchanged.
    let fixed = compare(&current, &sound);
    assert_eq!(fixed.records_with(|change| change == RecordChange::Fixed).count(), touched.len());
    assert!(!fixed.has_regressed(Gate::Records));
}

#[test]
fn what_fixing_a_bug_unlocks_is_what_it_unlocks() {
    let suite = suite();
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str| folder.path().join(name);
    let engine = |time: &str| {
        let one = Broken::new(Box::new(Sqlite), "between", Some(log(&format!("between {time}"))));
        Broken::new(Box::new(one), "exists", Some(log(&format!("exists {time}"))))
    };
    let current = run(&engine("first"), &suite, &BTreeSet::new());
    let analysis = analyze(&current, Some("sqlite"), &mut InMemory(&suite));
    let read = |name: &str| touched(&fs::read_to_string(log(name)).unwrap(), &suite);
    let (between, exists) = (read("between first"), read("exists first"));
    assert!(between.len() > exists.len() && !exists.is_empty());
    assert_eq!(failing(&current), between.union(&exists).cloned().collect());

    // The one with most records is the bug that touches most, and each is of one bug.
    let [first, second] = [0, 1].map(|cluster| records_of(&current, &analysis, cluster));
    assert!(first.is_subset(&between) && second.is_subset(&exists), "{:#?}", analysis.clusters);
    assert!(first.len() * 10 > between.len() * 6 && second.len() * 10 > exists.len() * 9);
    assert!(analysis.clusters[..2].iter().all(|cluster| cluster.symptom.kind == WRONG_RESULT));
    // Without its records, the files are green that fixing it would turn green.
    for cluster in [0, 1] {
        let left_out = records_of(&current, &analysis, cluster);
        let again = run(&engine("again"), &suite, &left_out);
        let unlocked = green(&again).difference(&green(&current)).count() as u64;
        assert!(unlocked > 3, "{unlocked}");
        assert_eq!(unlocked, analysis.clusters[cluster].only);
        assert_eq!(failing(&again).len(), failing(&current).len() - left_out.len());
    }
    assert_eq!(analysis.clusters[0].green_after, analysis.clusters[0].only);
}

/// SQLite that refuses to begin a transaction.
struct WithoutTransactions;

struct SessionWithoutTransactions(Box<dyn Session>);

impl Engine for WithoutTransactions {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Sqlite.describe()
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(SessionWithoutTransactions(session(&Sqlite)))))
    }
}

impl Session for SessionWithoutTransactions {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        if sql.trim_ascii_start().to_ascii_uppercase().starts_with(b"BEGIN") {
            return Err(ExecuteError::Sql(SqlError::new("transaction refused")));
        }
        self.0.execute(sql, rows)
    }
}

#[test]
fn a_transaction_that_does_not_begin_is_the_root_of_what_follows() {
    let suite = suite();
    let current = run(&WithoutTransactions, &suite, &BTreeSet::new());
    let analysis = analyze(&current, Some("sqlite"), &mut InMemory(&suite));
    let root = analysis.clusters.iter().position(|cluster| cluster.symptom.what == "transaction refused");
    let (root, failing) = (records_of(&current, &analysis, root.unwrap()), failing(&current));
    // Each failing record follows from it, since SQLite passes the suite; a single failure of a table is not attributed.
    assert!(failing.len() > 50, "{}", failing.len());
    assert!(
        root.len() * 5 >= failing.len() * 4,
        "{} of {}: {:#?}",
        root.len(),
        failing.len(),
        analysis.clusters
    );
}

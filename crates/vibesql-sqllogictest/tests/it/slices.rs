//! A file in slices, or shared: the merged report is that of the whole file, wherever a file may be split.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use proptest::prelude::*;
use vibesql_sqllogictest::engine::Engine;
use vibesql_sqllogictest::engine::sqlite::Sqlite;
use vibesql_sqllogictest::engines;
use vibesql_sqllogictest::executor::slice::{
    ClaimState, ClaimWord, ShareReport, ShareRole, Slice, SliceReport, WhyNot, may_split, merge,
};
use vibesql_sqllogictest::executor::{
    DetailLimits, Options, Selection, Surroundings, Unobserved, run_script, run_shared, run_slice,
};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::outcome::{Digest, FileEnd, FileReport, RecordId};
use vibesql_sqllogictest::parser::{self, Script, parse};

use crate::support::{manifest, options, shared, test_files, without_durations};

fn few_details(engine: &dyn Engine, records: usize) -> Options {
    let labels = engine.describe().unwrap().labels;
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    Options { details: DetailLimits { records, values: 3 }, ..options(&labels) }
}

fn slices(script: &Script<'_>, engine: &dyn Engine, options: &Options, count: u32) -> Vec<SliceReport> {
    let all = Slice::all(NonZeroU32::new(count).unwrap());
    all.map(|slice| run_slice(script, Surroundings::isolated(engine), options, slice, &mut Unobserved))
        .collect()
}

fn whole(script: &Script<'_>, engine: &dyn Engine, options: &Options) -> FileReport {
    untimed(run_script(script, engine, options, Selection::All))
}

/// What is the same each time.
fn untimed(report: FileReport) -> FileReport {
    FileReport { engine_time: None, slowest: Vec::new(), times: without_durations(&report.times), ..report }
}

/// Holds slices against the whole, in both dialects. Returns whether the file may be split.
fn check_file(path: &Path, root: &Path, counts: &[u32], alter: impl Fn(String) -> String) -> bool {
    let name = path.strip_prefix(root).unwrap().display().to_string();
    let text = alter(String::from_utf8(std::fs::read(path).unwrap()).unwrap());
    let source = Source::new(name.as_str(), text);
    let script = parse(&source, parser::profile("sqlite", false).unwrap());
    let options = few_details(&Sqlite, 5);
    if may_split(&script, &options).is_err() {
        return false;
    }
    let expected = whole(&script, &Sqlite, &options);
    for &count in counts {
        let mut found = slices(&script, &Sqlite, &options, count);
        found.reverse();
        assert_eq!(merge(found, options.details).map(untimed).as_ref(), Some(&expected), "{name} in {count}");
    }
    true
}

/// Makes every fifth expected value wrong, hashes and lists alike.
fn spoil(text: String) -> String {
    let mut values = false;
    let mut number = 0;
    let mut spoilt = String::with_capacity(text.len());
    for line in text.lines() {
        values = (values || line == "----") && !line.is_empty();
        number += usize::from(values && line != "----");
        spoilt += line;
        if values && line != "----" && number % 5 == 0 {
            spoilt.push('0');
        }
        spoilt.push('\n');
    }
    spoilt
}

/// Ends a file in front of the first statement that comes after a query, with a `halt`.
fn halt_early(text: String) -> String {
    let source = Source::new("t.test", text.as_str());
    let script = parse(&source, parser::profile("sqlite", false).unwrap());
    let Err(WhyNot::StatementAfterQuery { line }) = may_split(&script, &few_details(&Sqlite, 1)) else {
        return text;
    };
    let record = script.record_at(line).unwrap();
    let (before, after) = text.split_at(record.span.start);
    format!("{before}halt\n\n{after}")
}

#[test]
fn the_shipped_suite_in_slices_is_the_suite() {
    let root = manifest().join("suites");
    let mut split = 0;
    for path in test_files(&root) {
        split += u32::from(check_file(&path, &root, &[1, 2, 3, 5, 8], halt_early));
        check_file(&path, &root, &[1, 2, 7], |text| spoil(halt_early(text)));
    }
    // Each of the other files calls a function, or has a statement, that is not known to be harmless.
    assert!(split >= 20, "{split} files");
}

#[test]
fn the_corpus_in_slices_is_the_corpus() {
    // Only where the corpus is; the shipped suite above has the same kinds of records.
    let Some(shared) = shared() else { return };
    let root = shared.join("corpus/sqlite");
    let mut split = Vec::new();
    for (index, path) in test_files(&root).iter().enumerate() {
        // What takes the longest adds nothing to what the others show, but for the one that slices are made for.
        let large = std::fs::metadata(path).unwrap().len() > 1_000_000;
        let count = 2 + index as u32 % 7;
        if (!large || path.ends_with("select5.test")) && check_file(path, &root, &[count], |text| text) {
            check_file(path, &root, &[count], spoil);
            split.push(path.strip_prefix(&root).unwrap().display().to_string());
        }
    }
    assert!(split.contains(&"select5.test".to_owned()), "{split:?}");
}

/// The reports of a script that may be split, in so many slices.
fn some_slices(count: u32) -> Vec<SliceReport> {
    let text = "statement ok\nCREATE TABLE t(a)\n\n".to_owned() + &"query I\nSELECT 1\n----\n2\n\n".repeat(9);
    let source = Source::new("t.test", text);
    let script = parse(&source, parser::profile("sqlite", false).unwrap());
    let options = few_details(&Sqlite, 4);
    assert_eq!(may_split(&script, &options), Ok(()));
    slices(&script, &Sqlite, &options, count)
}

const LIMITS: DetailLimits = DetailLimits { records: 4, values: 3 };

#[test]
fn slices_that_do_not_fit_together_are_not_merged() {
    assert_eq!(merge(Vec::new(), LIMITS), None);
    assert!(merge(some_slices(3), LIMITS).is_some());
    assert_eq!(merge(some_slices(3)[..2].to_vec(), LIMITS), None);
    let mut twice = some_slices(2);
    twice[1] = twice[0].clone();
    assert_eq!(merge(twice, LIMITS), None);
    let mixed = [&some_slices(2)[..1], &some_slices(3)[1..2]].concat();
    assert_eq!(merge(mixed, LIMITS), None);

    let mut other = some_slices(3);
    other[2].set_up = Digest([0; 16]);
    assert_eq!(merge(other, LIMITS), None);

    let mut halted = some_slices(3);
    halted[1].report.end = FileEnd::Halted { id: RecordId::at(4) };
    assert_eq!(merge(halted.clone(), LIMITS), None);
    for slice in &mut halted {
        slice.report.end = FileEnd::TimedOut { id: None };
    }
    assert_eq!(merge(halted, LIMITS), None);
}

#[test]
fn set_up_is_the_text_and_what_the_statements_did() {
    let set_up = |text: &str, sql: &str| {
        let source = Source::new("t.test", format!("{text}query I\n{sql}\n----\n1\n"));
        let script = parse(&source, parser::profile("sqlite", false).unwrap());
        let engine = engines::builtin().make("scripted").unwrap();
        let found = slices(&script, engine.as_ref(), &few_details(engine.as_ref(), 9), 2);
        assert_eq!(found[0].set_up, found[1].set_up);
        found[0].set_up
    };
    assert_eq!(set_up("statement ok\nok\n\n", "rows 1"), set_up("statement ok\nok\n\n", "rows 1"));
    assert_ne!(set_up("statement ok\nok\n\n", "rows 1"), set_up("statement ok\nok\n\n", "rows 2"));
}

#[test]
fn a_statement_that_does_another_thing_in_each_slice_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let once = folder.path().join("once");
    let text = format!("statement ok\nonce {} error e\n\nquery I\nrows 1\n----\n1\n", once.display());
    let source = Source::new("t.test", text);
    let script = parse(&source, parser::profile("sqlite", false).unwrap());
    let engine = engines::builtin().make("scripted").unwrap();
    let found = slices(&script, engine.as_ref(), &few_details(engine.as_ref(), 9), 2);
    assert_ne!(found[0].set_up, found[1].set_up);
    assert_eq!(merge(found, LIMITS), None);
}

/// Scripts on SQLite that may be split: a set-up, and queries with everything that is judged.
fn sqlite_scripts() -> impl Strategy<Value = String> {
    let set_up = prop::collection::vec(
        prop::sample::select(vec![
            "statement ok\nINSERT INTO t VALUES (1, 'a')",
            "statement ok\nINSERT INTO t(a) SELECT a + 1 FROM t",
            "statement error\nINSERT INTO t VALUES (3, 'c')",
            "statement ok\nDELETE FROM missing",
            "skipif sqlite\nstatement ok\nPRAGMA x",
            "statement ok\nCREATE TABLE t(a)",
            "statement ok\nCREATE INDEX i ON t(a)",
            "hash-threshold 3",
        ]),
        0..6,
    );
    let condition =
        prop::sample::select(vec!["", "", "", "", "skipif sqlite\n", "onlyif mysql\n", "onlyif sqlite\n"]);
    let label = prop::sample::select(vec![
        "",
        "",
        "",
        " a",
        " b",
        " label-of-more-than-20-bytes-1",
        " label-of-more-than-20-bytes-2",
    ]);
    let sort = prop::sample::select(vec!["nosort", "rowsort", "valuesort"]);
    let body = prop::sample::select(vec![
        "SELECT 1\n----\n1",
        "SELECT 1\n----\n2",
        "SELECT 2\n----\n2",
        "SELECT a FROM t\n----\n1",
        "SELECT count(*) FROM t\n----\n1",
        "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4\n----\n1\n2\n3\n4",
        "SELECT 1\n----\n1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1",
        "SELECT 3\n----\n1 values hashing to b026324c6904b2a9cb4b88d6d61c81d1",
        "SELECT missing FROM t\n----",
        "SELECT abs(-9223372036854775807 - 1)\n----",
        "SELECT 1, 2\n----\n1\n2",
        // The parser has a note on it.
        "SELECT 1 WHERE 1 = 0",
    ]);
    let query = (condition, sort, label, body)
        .prop_map(|(condition, sort, label, body)| format!("{condition}query I {sort}{label}\n{body}\n\n"));
    let control = prop::sample::select(vec!["hash-threshold 0\n\n", "onlyif mysql\nhalt\n\n", "halt\n\n"]);
    let record = prop_oneof![30 => query, 1 => control.prop_map(str::to_owned)];
    (set_up, prop::collection::vec(record, 0..40)).prop_map(|(set_up, records)| {
        let begin = "statement ok\nCREATE TABLE t(a INTEGER, b TEXT)\n\n".to_owned();
        let set_up = set_up.iter().map(|record| format!("{record}\n\n"));
        begin + &set_up.collect::<String>() + &records.concat()
    })
}

/// Scripts for the scripted engine, whose queries leave nothing behind by nature.
fn scripted_scripts() -> impl Strategy<Value = String> {
    let record = prop_oneof![
        6 => Just("statement ok\nok"),
        2 => Just("statement ok\nerror e"),
        2 => Just("statement error\nok"),
        2 => Just("statement ok\nunsupported u"),
        1 => Just("statement ok\nlost l"),
        9 => Just("query I nosort a\nrows 1\n----\n1"),
        4 => Just("query I nosort a\nrows 2\n----\n2"),
        9 => Just("query I rowsort\nrows 2 / 1\n----\n1\n2"),
        4 => Just("query II valuesort\nragged\n----\n1"),
        4 => Just("query I nosort\nunsupported u\n----\n1"),
        1 => Just("query I nosort\nlost l\n----\n1"),
        2 => Just("skipif scripted\nquery I nosort a\nrows 3\n----\n3"),
        1 => Just("halt"),
    ];
    prop::collection::vec(record, 0..30)
        .prop_map(|records| records.iter().map(|record| format!("{record}\n\n")).collect())
}

/// The word of a script whose helpers start when the owner begins a certain query.
struct JoinedWord {
    state: Mutex<ClaimState>,
    joins_at: u64,
    start: Mutex<Option<Sender<()>>>,
}

impl ClaimWord for JoinedWord {
    fn load(&self) -> ClaimState {
        *self.state.lock().unwrap()
    }

    fn replace(&self, old: ClaimState, new: ClaimState) -> bool {
        let joins = old == ClaimState::Alone { begun: self.joins_at };
        if let Some(start) = self.start.lock().unwrap().take_if(|_| joins) {
            start.send(()).unwrap();
        }
        let mut state = self.state.lock().unwrap();
        let is_old = *state == old;
        *state = if is_old { new } else { *state };
        is_old
    }
}

/// Runs a script while others help from a query on, and merges what they report.
fn shared_run(script: &Script<'_>, options: &Options, helpers: u32, joins_at: u64) -> Option<FileReport> {
    let (start, started) = channel();
    let word = JoinedWord {
        state: Mutex::new(ClaimState::Alone { begun: 0 }),
        joins_at,
        start: Mutex::new(Some(start)),
    };
    let word = &word;
    let run =
        |role| run_shared(script, Surroundings::isolated(&Sqlite), options, (role, word), &mut Unobserved);
    let (owned, helped) = std::thread::scope(|scope| {
        let owner = scope.spawn(move || run(ShareRole::Owner));
        // An owner that never begins that query is not helped.
        while started.recv_timeout(std::time::Duration::from_millis(1)).is_err() && !owner.is_finished() {}
        let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(move || run(ShareRole::Helper))).collect();
        let helped: Vec<_> = helpers.into_iter().map(|helper| helper.join().unwrap()).collect();
        (owner.join().unwrap(), helped)
    });
    let Some(_) = owned.set_up else { return Some(owned.report) };
    let parts = std::iter::once(owned).chain(helped).zip(0..);
    let part = |(ShareReport { report, set_up }, index)| SliceReport {
        slice: Slice::new(index, helpers + 1).unwrap(),
        report,
        set_up: set_up.unwrap(),
    };
    merge(parts.map(part).collect(), options.details)
}

proptest! {
    #[test]
    fn a_shared_script_is_the_script(
        text in sqlite_scripts(), helpers in 1..4_u32, joins_at in 0..30_u64, records in 0..6_usize,
    ) {
        let source = Source::new("t.test", text);
        let script = parse(&source, parser::profile("sqlite", false).unwrap());
        let options = few_details(&Sqlite, records);
        let shared = shared_run(&script, &options, helpers, joins_at);
        prop_assert_eq!(shared.map(untimed), Some(whole(&script, &Sqlite, &options)));
    }

    #[test]
    fn slices_of_a_script_are_the_script(
        text in sqlite_scripts(), count in 1..=8_u32, records in 0..6_usize, exact: bool, turn in 0..8_usize,
    ) {
        let source = Source::new("t.test", text);
        let script = parse(&source, parser::profile("sqlite", exact).unwrap());
        let options = few_details(&Sqlite, records);
        match may_split(&script, &options) {
            Ok(()) => {}
            Err(WhyNot::FewQueries { found }) => prop_assert!(found < 8),
            Err(why) => prop_assert!(false, "{why}"),
        }
        let mut found = slices(&script, &Sqlite, &options, count);
        // In whichever order they come.
        found.rotate_left(turn % count as usize);
        prop_assert_eq!(merge(found, options.details).map(untimed), Some(whole(&script, &Sqlite, &options)));
    }

    #[test]
    fn slices_on_a_failing_engine_are_the_script_or_nothing(
        text in scripted_scripts(), count in 1..=8_u32, records in 0..6_usize,
    ) {
        let source = Source::new("t.test", text);
        let script = parse(&source, parser::profile("sqlite", false).unwrap());
        let engine = engines::builtin().make("scripted").unwrap();
        let options = few_details(engine.as_ref(), records);
        let expected = whole(&script, engine.as_ref(), &options);
        let found = slices(&script, engine.as_ref(), &options, count);
        match merge(found, options.details) {
            Some(merged) => prop_assert_eq!(untimed(merged), expected),
            None => {
                let faulted = matches!(expected.end, FileEnd::Faulted { .. });
                prop_assert!(faulted, "{:?}", expected.end);
            }
        }
    }
}

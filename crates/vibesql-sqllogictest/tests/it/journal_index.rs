//! The index of a journal says what the journal says: as it was written, made again, and whatever is wrong with it.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use vibesql_sqllogictest::engine::EngineId;
use vibesql_sqllogictest::event::{EventSink as _, RunEvent};
use vibesql_sqllogictest::location::FileId;
use vibesql_sqllogictest::outcome::{
    Attempt, FailingRecord, FileEnd, FileProblem, FileReport, FileStatus, FlakyResult, RecordId, RecordKey,
    RunEnd, RunHeader,
};
use vibesql_sqllogictest::parser::{Lint, LintKind};
use vibesql_sqllogictest::regression::compare;
use vibesql_sqllogictest::report::compare::write_brief;
use vibesql_sqllogictest::results::{
    Circumstances, Imported, JournalWriter, Opened, ResultsFolder, RunState, RunSummary,
};

use crate::kept::{results as results_of, two_runs};

const NOW: i64 = 1_795_383_850_000;

/// A file of a generated run.
#[derive(Debug, Clone)]
struct GeneratedFile {
    /// A file with a known suite, or none.
    is_known: bool,
    /// The result in each run; `None` if it has none, or is not in the run at all.
    results: [Option<FileReport>; 2],
    is_wanted: [bool; 2],
}

fn file_result() -> impl Strategy<Value = FileReport> {
    (0..8_u32, 1..3_u64, 1..3_u64, any::<bool>()).prop_map(|(kind, passed, records, tolerated)| {
        let end = match kind {
            5 => FileEnd::Halted { id: RecordId::at(records as u32) },
            6 => FileEnd::NotStarted(FileProblem::Reported),
            _ => FileEnd::Completed,
        };
        let mut report = FileReport::new("", end);
        report.records = Some(records);
        if kind != 6 {
            (report.counts.total, report.counts.executed, report.counts.passed) = (passed, passed, passed);
            report.dialect = Some(if records == 1 { "sqlite" } else { "duckdb" }.to_owned());
        }
        if kind == 3 || kind == 4 {
            report.counts.total += 1;
            report.counts.failed = 1;
            let failing = FailingRecord::from_other_tool(RecordId::at(9), None);
            report.failures = vec![FailingRecord { key: Some(RecordKey(records)), ..failing }];
        }
        if kind == 4 || kind == 7 {
            let status = FileStatus::Failed;
            report.attempts = vec![Attempt { status, elapsed: Duration::from_secs(1), first: None }];
        }
        if tolerated {
            report.lints = vec![Lint { line: 3, kind: LintKind::WithinTolerance }; records as usize];
        }
        report.elapsed = Duration::from_micros(passed);
        report.finished = Some(NOW + 5);
        report
    })
}

fn generated_files() -> impl Strategy<Value = Vec<GeneratedFile>> {
    let result = || prop::option::weighted(0.8, file_result());
    let one = (prop::bool::weighted(0.9), result(), result(), any::<bool>(), any::<[bool; 2]>());
    let file = one.prop_map(|(is_known, before, now, is_same, mut is_wanted)| {
        let now = if is_same { before.clone() } else { now };
        let results = [before, now];
        results.iter().zip(&mut is_wanted).for_each(|(result, wanted)| *wanted |= result.is_some());
        GeneratedFile { is_known, results, is_wanted }
    });
    prop::collection::vec(file, 1..9)
}

fn id(place: usize, is_known: bool) -> FileId {
    let path = format!("d{}/{place}.test", place % 2);
    if is_known { FileId::in_suite("s", &path) } else { FileId::unknown(&path) }
}

/// How a session of a run ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SessionEnd {
    Ended,
    Killed,
    /// The first session is killed, and the next one ends.
    Resumed,
}

/// Writes a run as a process does, and returns its name.
fn write(
    results: &ResultsFolder,
    files: &[GeneratedFile],
    run: usize,
    is_part: bool,
    flaky: FlakyResult,
    how: SessionEnd,
) -> String {
    let wanted = files.iter().enumerate().filter(|(_, file)| file.is_wanted[run]);
    let places: BTreeMap<_, _> =
        wanted.map(|(place, file)| (id(place, file.is_known), PathBuf::from("/x"))).collect();
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("e", "1") };
    let header = RunHeader { engine, labels: vec!["e".to_owned()], exact: false, files: places.len(), flaky };
    let opened = |name: &str| {
        let imported = Imported { from: String::new(), digest: String::new(), untested: Vec::new() };
        let circumstances = Circumstances { is_part, ..Circumstances::default() };
        let (run, places) = (name.to_owned(), places.clone());
        Opened { run, imported: None, places, ..Opened::from_import(NOW, imported, circumstances) }
    };
    let starting = results.start_run().unwrap();
    let (folder, mut journal) = starting.publish(NOW + 1000 * run as i64, &header, &opened).unwrap();
    let send = |journal: &mut JournalWriter, event| journal.on_event(&event).unwrap();
    send(&mut journal, RunEvent::RunStarted(header.clone()));
    for (number, (place, file)) in files.iter().enumerate().rev().enumerate() {
        if number == 2 && how == SessionEnd::Resumed {
            journal = JournalWriter::resume(&folder.journal(), NOW + 100).unwrap();
            send(&mut journal, RunEvent::RunStarted(header.clone()));
        }
        let Some(report) = &file.results[run] else { continue };
        let file = id(place, file.is_known);
        let report = FileReport { shown: format!("x/{file}"), file, ..report.clone() };
        send(&mut journal, RunEvent::FileFinished(Box::new(report)));
    }
    if how != SessionEnd::Killed {
        let end = RunEnd::Interrupted;
        send(&mut journal, RunEvent::RunFinished { elapsed: Duration::from_secs(2), end });
    }
    folder.name.clone()
}

/// Everything that the index says.
fn said(results: &ResultsFolder, names: &[String; 2]) -> String {
    let overviews = names.each_ref().map(|name| results.overview_of(name).unwrap());
    format!("{overviews:?} {:?}", results.changed_files(&names[0], &names[1]).unwrap())
}

fn remove_indexes(results: &ResultsFolder, names: &[String; 2]) {
    for name in names {
        drop(std::fs::remove_file(results.run_path(name).join("journal.index")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_index_says_what_the_journal_says(
        files in generated_files(),
        is_part in any::<bool>(),
        flaky in prop_oneof![Just(FlakyResult::Pass), Just(FlakyResult::Fail)],
        how in prop::sample::select(vec![SessionEnd::Ended, SessionEnd::Killed, SessionEnd::Resumed]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let results = ResultsFolder::new(folder.path());
        let names = [
            write(&results, &files, 0, false, flaky, SessionEnd::Ended),
            write(&results, &files, 1, is_part, flaky, how),
        ];
        let [before, now] = names.each_ref().map(|name| results.journal(Some(name)).unwrap());
        for (name, journal) in names.iter().zip([&before, &now]) {
            let (summary, overview) = results.overview_of(name).unwrap();
            prop_assert_eq!(&overview, &journal.report.overview());
            prop_assert_eq!(overview.totals(), journal.report.totals());
            prop_assert_eq!(overview.untested(), journal.report.untested());
            let all_good = journal.report.files.iter().all(|file| journal.report.header.is_good(file));
            prop_assert_eq!(overview.good == journal.report.files.len() as u64, all_good);
            let state = if journal.ended { RunState::Ended(journal.report.end) } else { RunState::Killed };
            let (name, started) = (name.clone(), journal.opened.started);
            let expected = RunSummary {
                name,
                started,
                header: journal.report.header.clone(),
                circumstances: journal.opened.circumstances.clone(),
                totals: journal.report.totals(),
                elapsed: journal.report.elapsed,
                state,
            };
            prop_assert_eq!(summary, expected);
        }
        // The changes are those of a full comparison.
        let mut earlier = before.report.clone();
        let wanted: HashSet<_> = now.opened.wanted_files().collect();
        if is_part && wanted.iter().all(|file| file.is_known()) {
            earlier.files.retain(|file| !file.file.is_known() || wanted.contains(&file.file));
        }
        let changed = results.changed_files(&names[0], &names[1]).unwrap();
        let brief = |before, now, equal| {
            let mut text = String::new();
            write_brief(&mut text, "it", &compare(before, now), equal).unwrap();
            text
        };
        let expected = brief(&earlier, &now.report, 0);
        prop_assert_eq!(brief(&changed.before, &changed.now, changed.equal), expected);
        // Made again, it is the same.
        let said_before = said(&results, &names);
        remove_indexes(&results, &names);
        prop_assert_eq!(said(&results, &names), said_before.as_str());
        prop_assert_eq!(said(&results, &names), said_before.as_str(), "from the index that was made again");
    }
}

#[test]
fn a_damaged_index_is_made_again_and_a_damaged_journal_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let results = ResultsFolder::new(folder.path());
    let report = |passed: u64| {
        let mut report = FileReport::new("", FileEnd::Completed);
        (report.counts.total, report.counts.executed, report.counts.passed) = (passed, passed, passed);
        Some(FileReport { records: Some(1), ..report })
    };
    let file = |before, now| GeneratedFile {
        is_known: true,
        results: [report(before), report(now)],
        is_wanted: [true; 2],
    };
    let files = [file(1, 1), file(1, 2), file(3, 3)];
    let names = [0, 1].map(|run| write(&results, &files, run, false, FlakyResult::Pass, SessionEnd::Ended));
    let expected = said(&results, &names);
    let index = results.run_path(&names[1]).join("journal.index");
    let whole = std::fs::read(&index).unwrap();
    for place in (0..whole.len()).step_by(5) {
        let mut damaged = whole.clone();
        damaged[place] ^= 4;
        std::fs::write(&index, &damaged).unwrap();
        assert_eq!(said(&results, &names), expected, "byte {place}");
        assert_eq!(std::fs::read(&index).unwrap(), whole, "byte {place}: it is kept again");
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(said(&results, &names), expected, "cut at {length}");
    }
    // A line that was not written to its end changes nothing, and a result that is lost is not told.
    let journal = results.run_path(&names[1]).join("journal.jsonl");
    let text = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, [&text[..], b"{\"crc32\":"].concat()).unwrap();
    assert_eq!(said(&results, &names), expected);
    let mut damaged = text.clone();
    let place = text.windows(8).position(|bytes| bytes == b"d1/1.tes").unwrap();
    let place = place + text[place..].windows(8).skip(1).position(|bytes| bytes == b"d1/1.tes").unwrap() + 1;
    damaged[place] ^= 4;
    std::fs::write(&journal, &damaged).unwrap();
    assert_ne!(said(&results, &names), expected, "the journal has the same length, but not the same results");
    let changed = results.changed_files(&names[0], &names[1]).unwrap();
    assert_eq!((changed.before.files.len(), changed.now.files.len(), changed.equal), (1, 0, 2));
    assert_eq!(results.overview_of(&names[1]).unwrap().1.totals().files, 2);
    // Without its beginning, a run is unreadable, whatever the index says.
    std::fs::write(&journal, &text).unwrap();
    remove_indexes(&results, &names);
    assert_eq!(said(&results, &names), expected);
    let mut damaged = text;
    damaged[30] ^= 4;
    std::fs::write(&journal, damaged).unwrap();
    assert!(results.overview_of(&names[1]).is_err());
    assert_eq!(results.last().unwrap(), names[0]);
}

#[test]
fn commands_say_the_same_without_the_index() {
    let sandbox = two_runs();
    sandbox.write("s/b.test", "statement ok\nok\n");
    sandbox.write("s/c.test", "statement ok\nerror no\n");
    assert_eq!(sandbox.run("run --engine scripted s").code, 1);
    let results = ResultsFolder::new(results_of(&sandbox));
    let said = || ["status", "runs"].map(|command| sandbox.run(command).stdout);
    let expected = said();
    assert!(expected[0].contains("disappeared failures: files: 1"), "{}", expected[0]);
    for name in results.runs().unwrap() {
        std::fs::remove_file(results.run_path(&name).join("journal.index")).unwrap();
    }
    assert_eq!(said(), expected);
    // It was made again.
    assert!(results.run_path(&results.last().unwrap()).join("journal.index").exists());
}

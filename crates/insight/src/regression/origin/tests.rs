//! Checks each claimed origin against the history that it was made from.

use proptest::prelude::*;

use super::*;
use slt_core::engine::EngineId;
use slt_core::outcome::{
    Attempt, Counts, FailingRecord, Fault, FileReport, FileSummary, FlakyResult, RecordId, RecordRef, Totals,
};
use slt_runner::results::{Circumstances, RunState, RunSummary};

fn run(number: usize, commit: Option<(&str, bool)>, file: Option<FileReport>) -> PastRun {
    let commit = commit.map(|(hash, dirty)| Commit { hash: hash.to_owned(), branch: None, dirty });
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("scripted", "0.1.0") };
    let files: Vec<_> = file.iter().map(FileSummary::from).collect();
    let run = RunSummary {
        name: format!("run-{number}"),
        started: 0,
        header: RunHeader { engine, labels: Vec::new(), exact: false, files: 1, flaky: FlakyResult::Pass },
        circumstances: Some(Circumstances { commit, ..Circumstances::default() }),
        totals: Totals::from_summaries(&files),
        elapsed: std::time::Duration::ZERO,
        state: RunState::Killed,
    };
    PastRun { run, places: BTreeMap::new(), files }
}

/// The place of a run among others, by its name.
fn place(sighting: &Sighting<'_>) -> usize {
    sighting.run.run.name["run-".len()..].parse().unwrap()
}

/// Letters are commits: capitals are good results, small letters bad ones; a star after a letter makes it both.
fn runs_of(history: &str) -> Vec<(PastRun, SightingResult)> {
    let letters = history.chars().filter(|letter| *letter != '*').enumerate();
    let mut runs: Vec<_> = letters
        .map(|(number, letter)| {
            let word = if letter.is_uppercase() { SightingResult::Good } else { SightingResult::Bad };
            (run(number, Some((&letter.to_lowercase().to_string(), false)), None), word)
        })
        .collect();
    for (star, _) in history.match_indices('*') {
        let number = history[..star].chars().filter(|letter| *letter != '*').count() - 1;
        runs[number].1 = SightingResult::Both;
    }
    runs
}

fn sightings(runs: &[(PastRun, SightingResult)]) -> Vec<Sighting<'_>> {
    runs.iter().map(|(run, word)| Sighting { run, commit: commit_of(run).unwrap(), word: *word }).collect()
}

fn check(history: &str) -> String {
    let runs = runs_of(history);
    let of = |one: &Sighting<'_>| format!("{}{}", one.commit.hash, place(one));
    match origin(&sightings(&runs)) {
        FailureOrigin::Between { good, bad, mixed_before } => {
            format!("between {} and {}, {mixed_before} mixed", of(&good), of(&bad))
        }
        FailureOrigin::Mixed { good, bad } => format!("mixed: {} and {}", of(&good), of(&bad)),
        FailureOrigin::NeverPassed { first } => format!("never passed, first {}", of(&first)),
        FailureOrigin::Passes { last } => format!("passes, last {}", of(&last)),
        FailureOrigin::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn origins() {
    assert_eq!(check(""), "unknown");
    assert_eq!(check("A"), "passes, last a0");
    assert_eq!(check("abA"), "mixed: a2 and a0", "a commit that comes back is the same one");
    assert_eq!(check("aab"), "never passed, first a0");
    assert_eq!(check("ABcd"), "between b1 and c2, 0 mixed");
    assert_eq!(check("AbCde"), "between c2 and d3, 0 mixed", "an older stretch does not count");
    assert_eq!(check("AABBcc"), "between b3 and c4, 0 mixed", "the last good run and the first bad one");
    assert_eq!(check("AabB"), "mixed: b3 and b2");
    assert_eq!(check("ABbcd"), "mixed: b1 and b2", "whether it began there nobody knows");
    assert_eq!(check("AaBc"), "between b2 and c3, 1 mixed");
    assert_eq!(check("AB*"), "mixed: b1 and b1", "one run tells both");
}

proptest! {
    /// Each claim is in the history, nothing contradicts it, and every possible claim is made.
    #[test]
    fn claims_are_true(history in prop::collection::vec((0_usize..6, 0_usize..5), 0..24)) {
        // In the order of commits. Most results are not both.
        let mut history = history;
        history.sort_by_key(|(commit, _)| *commit);
        let words = [SightingResult::Good, SightingResult::Good, SightingResult::Bad, SightingResult::Bad, SightingResult::Both];
        let runs: Vec<_> = history
            .iter()
            .enumerate()
            .map(|(number, &(commit, word))| (run(number, Some((&commit.to_string(), false)), None), words[word]))
            .collect();
        let all = sightings(&runs);
        let any = |commit: &str, what: fn(SightingResult) -> bool| {
            all.iter().any(|one| one.commit.hash == commit && what(one.word))
        };
        let was_good = |commit: &str| any(commit, |word| word != SightingResult::Bad);
        let was_bad = |commit: &str| any(commit, |word| word != SightingResult::Good);
        let last = all.last().map(|one| one.commit.hash.as_str());
        match origin(&all) {
            FailureOrigin::Unknown => prop_assert!(all.is_empty()),
            FailureOrigin::Passes { last: one } => {
                prop_assert_eq!(Some(one.commit.hash.as_str()), last);
                prop_assert!(!was_bad(&one.commit.hash));
            }
            FailureOrigin::NeverPassed { first } => {
                prop_assert!(all.iter().all(|one| one.word == SightingResult::Bad));
                prop_assert_eq!(place(&first), 0);
            }
            FailureOrigin::Between { good, bad, mixed_before } => {
                prop_assert_eq!(place(&good) + 1, place(&bad), "nothing between them tells anything");
                prop_assert!(!was_bad(&good.commit.hash) && !was_good(&bad.commit.hash));
                prop_assert!(all[place(&bad)..].iter().all(|one| one.word == SightingResult::Bad));
                let mixed = |commit: usize| was_good(&commit.to_string()) && was_bad(&commit.to_string());
                prop_assert_eq!(mixed_before, (0..6).filter(|&commit| mixed(commit)).count() as u64);
            }
            FailureOrigin::Mixed { good, bad } => {
                prop_assert_eq!(good.commit, bad.commit);
                prop_assert!(good.word != SightingResult::Bad && bad.word != SightingResult::Good);
                let behind = all.iter().filter(|one| one.commit.hash > good.commit.hash);
                prop_assert!(behind.into_iter().all(|one| one.word == SightingResult::Bad));
            }
        }
    }
}

const KEY: RecordKey = RecordKey(7);

/// A file with records on the lines 1, 4, 7 and 10, of which some fail; the key of one is that of its line.
fn file(failing: &[u32], not_reached: u64, end: FileEnd) -> FileReport {
    let failed = failing.len() as u64;
    let executed = 4 - not_reached;
    let counts =
        Counts { total: 4, executed, passed: executed - failed, failed, not_reached, ..Counts::default() };
    let record = |&line| {
        let (id, key) = (RecordId::at(line), Some(RecordKey(u64::from(line))));
        FailingRecord { id, key, group: None, detail: None }
    };
    FileReport { counts, failures: failing.iter().map(record).collect(), ..FileReport::new("a.test", end) }
}

#[test]
fn what_a_run_tells_of_a_record() {
    let tells = |file: FileReport, text: TextMatch| {
        let run = run(0, Some(("c", false)), Some(file));
        FileInRun::new(&run.files[0]).record(WantedRecord { key: KEY, line: 7, total: 4 }, text)
    };
    let whole = |failing: &[u32]| file(failing, 0, FileEnd::Completed);
    assert_eq!(tells(whole(&[4]), TextMatch::Unknown), Ok(SightingResult::Good));
    assert_eq!(tells(whole(&[4, 7]), TextMatch::Unknown), Ok(SightingResult::Bad));
    // The text knows better than the number of records.
    let mut grown = whole(&[]);
    (grown.counts.total, grown.counts.executed, grown.counts.passed) = (5, 5, 5);
    assert_eq!(tells(grown.clone(), TextMatch::Unknown), Err(IgnoredReason::FileChanged));
    assert_eq!(tells(grown.clone(), TextMatch::Same(12)), Ok(SightingResult::Good));
    assert_eq!(tells(grown.clone(), TextMatch::Absent), Err(IgnoredReason::Absent));
    assert_eq!(tells(grown, TextMatch::Other), Err(IgnoredReason::OtherText));
    assert_eq!(
        tells(whole(&[7]), TextMatch::Other),
        Err(IgnoredReason::OtherText),
        "it failed by other words"
    );
    // Lines are those of the run's own text.
    let lost =
        |line| FileEnd::Faulted { id: Some(RecordId::at(line)), fault: Fault::Lost("gone".to_owned()) };
    assert_eq!(tells(file(&[4], 2, lost(4)), TextMatch::Unknown), Err(IgnoredReason::NotReached));
    assert_eq!(tells(file(&[4], 2, lost(4)), TextMatch::Same(1)), Ok(SightingResult::Good));
    assert_eq!(tells(file(&[10], 0, lost(10)), TextMatch::Same(12)), Err(IgnoredReason::NotReached));
    assert_eq!(tells(file(&[7], 1, lost(7)), TextMatch::Unknown), Ok(SightingResult::Bad));
    // An excluded record has not passed.
    let left_out = vec![RecordRef { id: RecordId::at(7), key: Some(KEY) }];
    assert_eq!(tells(FileReport { left_out, ..whole(&[]) }, TextMatch::Unknown), Err(IgnoredReason::LeftOut));
    // In a flaky file only the records that failed last are known.
    let attempt = Attempt { status: FileStatus::Passed, elapsed: std::time::Duration::ZERO, first: None };
    let flaky = FileReport { attempts: vec![attempt.clone()], ..whole(&[7]) };
    assert_eq!(tells(flaky, TextMatch::Unknown), Ok(SightingResult::Both));
    let failed = Attempt { status: FileStatus::Failed, ..attempt };
    assert_eq!(
        tells(FileReport { attempts: vec![failed], ..whole(&[]) }, TextMatch::Unknown),
        Err(IgnoredReason::Flaky)
    );
    let mut unnamed = whole(&[4]);
    unnamed.failures[0].key = None;
    assert_eq!(tells(unnamed, TextMatch::Unknown), Err(IgnoredReason::Unnamed));
    let unreadable = FileEnd::NotStarted(FileProblem::Unreadable("no".to_owned()));
    assert_eq!(tells(FileReport::new("a.test", unreadable), TextMatch::Unknown), Err(IgnoredReason::NotRun));
}

#[test]
fn runs_that_tell_nothing_are_counted_by_their_reasons() {
    let good = || file(&[], 0, FileEnd::Completed);
    let bad = || file(&[7], 0, FileEnd::Completed);
    let runs = [
        run(0, Some(("a", false)), Some(good())),
        run(1, None, Some(bad())),
        run(2, Some(("b", true)), Some(bad())),
        run(3, Some(("b", false)), None),
        run(4, Some(("c", false)), Some(bad())),
    ];
    let past = FilePast::new(&runs.iter().collect::<Vec<_>>(), &"a.test".into());
    let record = WantedRecord { key: KEY, line: 7, total: 4 };
    for wanted in [Some(record), None] {
        let FailureTrace { origin, silent } = past.trace(wanted, |_| TextMatch::Unknown);
        let FailureOrigin::Between { good, bad, mixed_before: 0 } = origin else { panic!("{origin:?}") };
        assert_eq!((place(&good), place(&bad)), (0, 4));
        let expected =
            [(IgnoredReason::NoCommit, 1), (IgnoredReason::Changes, 1), (IgnoredReason::NotRun, 1)];
        assert_eq!(silent, BTreeMap::from(expected));
    }
}

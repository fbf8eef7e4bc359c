//! Compares comparisons with a model that knows the outcome of each record.

mod model;

use std::time::Duration;

use proptest::prelude::*;

use self::model::{Ending, fates_of_choice, model, model_of};
use super::*;
use slt_core::engine::EngineId;
use slt_core::outcome::{
    Counts, FailingRecord, FailureGroup, Fault, FileEnd, FileProblem, FileReport, FlakyResult, RecordId,
    RecordKey, RunEnd, RunHeader, RunReport,
};

fn run(file: Option<FileReport>, labels: &[&str]) -> RunReport {
    let engine = EngineId { labels: Vec::new(), ..EngineId::new("e", "1") };
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    let files: Vec<_> = file.into_iter().collect();
    RunReport {
        header: RunHeader { engine, labels, exact: false, files: 1, flaky: FlakyResult::Pass },
        files,
        elapsed: Duration::ZERO,
        end: RunEnd::Completed,
    }
}

/// Any report, even an impossible one.
fn anything() -> impl Strategy<Value = FileReport> {
    let failing = prop::collection::btree_map(0_u32..20, 0_u64..20, 0..8);
    let counts = (0_u64..9, 0_u64..9, 0_u64..3, 0_u64..3);
    (failing, counts, any::<bool>(), 0..4).prop_map(
        |(failing, (total, passed, skipped, unreached), keyed, end)| {
            let end = match end {
                0 => FileEnd::Completed,
                1 => FileEnd::Halted { id: RecordId::at(7) },
                2 => FileEnd::TimedOut { id: None },
                _ => FileEnd::NotStarted(FileProblem::Reported),
            };
            let mut report = FileReport::new("a.test", end);
            report.counts = Counts { total, passed, skipped, not_reached: unreached, ..Counts::default() };
            report.failures = failing.keys().map(|&line| failing_at(line)).collect();
            if keyed {
                let mut keys: Vec<_> = failing.into_values().collect();
                keys.sort_unstable();
                keys.dedup();
                report.failures.truncate(keys.len());
                let records = report.failures.iter_mut().zip(keys);
                records.for_each(|(record, key)| record.key = Some(RecordKey(key)));
            }
            report
        },
    )
}

fn failing_at(line: u32) -> FailingRecord {
    FailingRecord::from_other_tool(RecordId::at(line), None)
}

fn line_of(record: &RecordDiff<'_>) -> u32 {
    record.id().unwrap().line
}

fn mirrored(change: RecordChange) -> RecordChange {
    match change {
        RecordChange::Regressed => RecordChange::Fixed,
        RecordChange::Fixed => RecordChange::Regressed,
        RecordChange::NewFailure(why) => RecordChange::Disappeared(why),
        RecordChange::Disappeared(why) => RecordChange::NewFailure(why),
        RecordChange::StillFailing => RecordChange::StillFailing,
    }
}

fn reversed<'r>(record: &RecordDiff<'r>) -> RecordDiff<'r> {
    RecordDiff { change: mirrored(record.change), before: record.now, now: record.before }
}

/// Each comparison with itself reversed, and the counts of both sides.
fn check_laws(before: &RunReport, now: &RunReport) -> Result<(), TestCaseError> {
    let (there, back) = (compare(before, now), compare(now, before));
    prop_assert_eq!(there.files.len(), back.files.len());
    for (one, other) in there.files.iter().zip(&back.files) {
        let (a, b) = (one.account, other.account);
        prop_assert_eq!(
            a,
            ChangeCounts {
                regressed: b.fixed,
                fixed: b.regressed,
                new_failures: b.disappeared,
                disappeared: b.new_failures,
                still_failing: b.still_failing,
                otherwise: b.otherwise,
                still_passing: b.still_passing,
                newly_untested: b.newly_tested,
                newly_tested: b.newly_untested,
                unmatched_before: b.unmatched_now,
                unmatched_now: b.unmatched_before,
            }
        );
        prop_assert_eq!(one.doubt, other.doubt);
        prop_assert_eq!(one.change == FileChange::Regressed, other.change == FileChange::Fixed);
        prop_assert_eq!(one.change == FileChange::NewFailure, other.change == FileChange::Disappeared);
        prop_assert_eq!(one.change == FileChange::NewlyTested, other.change == FileChange::NewlyUntested);
        prop_assert_eq!(one.change == FileChange::NewlyFlaky, other.change == FileChange::NoLongerFlaky);
        let sorted = |mut records: Vec<RecordDiff<'_>>| {
            let line = |failing: Option<FailureInRun<'_>>| failing.map(|failing| failing.id.clone());
            records.sort_by_key(|record| (line(record.before), line(record.now)));
            records.iter().map(|record| format!("{record:?}")).collect::<Vec<_>>()
        };
        let reversed: Vec<_> = other.records.iter().map(reversed).collect();
        prop_assert_eq!(sorted(one.records.clone()), sorted(reversed));

        let passed = |state: Option<FileState>| state.map_or(0, |state| state.counts.passed);
        prop_assert_eq!(
            passed(one.before),
            a.still_passing + a.regressed + a.newly_untested + a.unmatched_before
        );
        prop_assert_eq!(passed(one.now), a.still_passing + a.fixed + a.newly_tested + a.unmatched_now);
        let failing = |side: fn(&RecordDiff<'_>) -> bool| one.records.iter().filter(|one| side(one)).count();
        prop_assert_eq!(
            failing(|record| record.before.is_some()) as u64,
            a.still_failing + a.fixed + a.disappeared
        );
        prop_assert_eq!(
            failing(|record| record.now.is_some()) as u64,
            a.still_failing + a.regressed + a.new_failures
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_said_of_an_unchanged_file_is_true(model in model(0)) {
        let (before, now) = (run(model.report(0), &["e"]), run(model.report(1), &["e"]));
        let diff = compare(&before, &now);
        check_laws(&before, &now)?;
        for file in &diff.files {
            for (key, _) in &model.records {
                let line = model.records(0).iter().find(|(_, of, _)| of == key).map(|(line, ..)| *line);
                let record = file.records.iter().find(|record| Some(line_of(record)) == line);
                let change = record.map(|record| record.change);
                let expected = match (model.passes(0, *key), model.passes(1, *key)) {
                    (Some(true), Some(false)) => Some(RecordChange::Regressed),
                    (Some(false), Some(true)) => Some(RecordChange::Fixed),
                    (Some(false), Some(false)) => Some(RecordChange::StillFailing),
                    (None, Some(false)) => Some(RecordChange::NewFailure(model.why(0, *key))),
                    (Some(false), None) => Some(RecordChange::Disappeared(model.why(1, *key))),
                    (Some(true) | None, Some(true) | None) => None,
                };
                prop_assert_eq!(change, expected, "record {} of {:?}", key, file);
            }
            let both = model.records.iter().filter(|(key, _)| {
                (model.passes(0, *key), model.passes(1, *key)) == (Some(true), Some(true))
            });
            prop_assert_eq!(file.account.still_passing, both.count() as u64);
        }
    }

    #[test]
    fn what_is_left_out_is_neither_better_nor_worse(model in model_of(fates_of_choice(), 0)) {
        let (before, now) = (run(model.report(0), &["e"]), run(model.report(1), &["e"]));
        check_laws(&before, &now)?;
        for file in &compare(&before, &now).files {
            for record in &file.records {
                let side = usize::from(record.now.is_some());
                let key = model.records(side).iter().find(|(line, ..)| *line == line_of(record)).map(|(_, key, _)| *key);
                let key = key.unwrap_or_default();
                let known = (model.passes(0, key), model.passes(1, key));
                match record.change {
                    RecordChange::Regressed => prop_assert_eq!(known, (Some(true), Some(false))),
                    RecordChange::Fixed => prop_assert_eq!(known, (Some(false), Some(true))),
                    RecordChange::StillFailing => prop_assert_eq!(known, (Some(false), Some(false))),
                    RecordChange::NewFailure(why) if file.doubt.is_none() => {
                        prop_assert_eq!((known.0, why), (None, model.why(0, key)));
                    }
                    RecordChange::Disappeared(why) if file.doubt.is_none() => {
                        prop_assert_eq!((known.1, why), (None, model.why(1, key)));
                    }
                    RecordChange::NewFailure(_) | RecordChange::Disappeared(_) => {}
                }
            }
            prop_assert!(file.doubt != Some(MissingReason::FileChanged), "{:?}", file);
            // Nothing is fixed by leaving it out.
            if file.change == FileChange::Fixed && file.left_out > 0 {
                prop_assert!(file.account.fixed > 0, "{:?}", file);
            }
            // A run that excludes records does not lose them.
            let whole = |run: usize| matches!(model.endings[run], Ending::Whole);
            if whole(0) && whole(1) {
                prop_assert_eq!(file.lost(), 0);
            }
        }
    }

    #[test]
    fn of_a_changed_file_nothing_is_claimed_that_is_not_so(model in model(3)) {
        let (before, now) = (run(model.report(0), &["e"]), run(model.report(1), &["e"]));
        check_laws(&before, &now)?;
        for file in &compare(&before, &now).files {
            for record in file.with(|change| change == RecordChange::Regressed) {
                let records = model.records(1);
                let key = records.iter().find(|(line, ..)| *line == line_of(record)).map(|(_, key, _)| *key);
                // If the end of the file was not seen, nothing shows that it has grown.
                let seen = [0, 1].into_iter().filter_map(|run| model.report(run)).all(|file| {
                    file.end == FileEnd::Completed || file.counts.not_reached > 0
                });
                if seen {
                    prop_assert_eq!(key.and_then(|key| model.passes(0, key)), Some(true));
                }
            }
        }
    }

    #[test]
    fn the_laws_hold_for_whatever_a_report_says(
        before in prop::option::of(anything()),
        now in prop::option::of(anything()),
        same in any::<bool>(),
    ) {
        let labels: &[&str] = if same { &["e"] } else { &["f"] };
        check_laws(&run(before, &["e"]), &run(now, labels))?;
    }

    #[test]
    fn nothing_has_changed_since_itself(model in model(0)) {
        let one = run(model.report(0), &["e"]);
        let diff = compare(&one, &one);
        prop_assert!(!diff.has_regressed(Gate::Records));
        for file in &diff.files {
            prop_assert!(file.records.iter().all(|record| record.change == RecordChange::StillFailing));
            prop_assert_eq!(file.account.otherwise, 0);
        }
    }
}

/// A run of one file with `total` records, of which those on the lines `failing` fail.
fn simple(total: u64, failing: &[u32]) -> RunReport {
    let mut report = FileReport::new("a.test", FileEnd::Completed);
    let failed = failing.len() as u64;
    report.counts = Counts { total, executed: total, passed: total - failed, failed, ..Counts::default() };
    let keyed =
        |&line| FailingRecord { key: Some(RecordKey(u64::from(line))), group: Some(0), ..failing_at(line) };
    report.failures = failing.iter().map(keyed).collect();
    run(Some(report), &["e"])
}

#[test]
fn gates() {
    let check = |before: &RunReport, now: &RunReport, files: bool, records: bool| {
        let diff = compare(before, now);
        assert!(!diff.has_regressed(Gate::Never));
        assert_eq!(
            (diff.has_regressed(Gate::Files), diff.has_regressed(Gate::Records)),
            (files, records),
            "{diff:?}"
        );
    };
    check(&simple(9, &[]), &simple(9, &[1]), true, true);
    check(&simple(9, &[1]), &simple(9, &[1, 4]), false, true);
    check(&simple(9, &[1]), &simple(9, &[4]), false, true);
    check(&simple(9, &[1, 4]), &simple(9, &[1]), false, false);
    // A new record fails.
    check(&simple(9, &[1]), &simple(10, &[1, 4]), false, false);
    // One more record, and two fewer that pass.
    check(&simple(9, &[1]), &simple(10, &[1, 4, 7, 10]), false, true);
    // A record was removed.
    check(&simple(9, &[1]), &simple(8, &[1]), false, false);
    check(&simple(9, &[]), &run(None, &["e"]), false, false);
    check(&run(None, &["e"]), &simple(9, &[1]), false, false);
    check(&simple(9, &[]), &simple(0, &[]), true, true);
    // Records skipped under other labels are not lost.
    let mut other = simple(9, &[]);
    other.header.labels = vec!["f".to_owned()];
    other.files[0].counts.passed = 4;
    other.files[0].counts.skipped = 5;
    check(&simple(9, &[1]), &other, false, false);
}

#[test]
fn a_record_that_kills_is_worse_than_one_that_fails() {
    let before = simple(9, &[7]);
    let mut now = simple(9, &[7]);
    let file = &mut now.files[0];
    file.groups = vec![FailureGroup {
        kind: "process_died".to_owned(),
        what: String::new(),
        records: 1,
        first: RecordId::at(7),
    }];
    file.end = FileEnd::Faulted { id: Some(RecordId::at(7)), fault: Fault::Lost(String::new()) };
    file.counts =
        Counts { total: 9, executed: 3, passed: 2, faulted: 1, not_reached: 6, ..Counts::default() };
    let mut before_kind = before.clone();
    before_kind.files[0].groups = vec![FailureGroup {
        kind: "rows_differ".to_owned(),
        what: String::new(),
        records: 1,
        first: RecordId::at(7),
    }];
    let diff = compare(&before_kind, &now);
    let file = &diff.files[0];
    assert!(file.records[0].is_graver() && file.records[0].fails_otherwise());
    assert!(file.ends_otherwise());
    assert_eq!((file.account.still_passing, file.account.newly_untested, file.lost()), (2, 6, 6));
    assert!(diff.has_regressed(Gate::Records) && !diff.has_regressed(Gate::Files));
}

#[test]
fn records_are_known_by_their_lines_where_there_are_no_keys() {
    let mut old = simple(9, &[1, 4]);
    old.files[0].failures.iter_mut().for_each(|record| record.key = None);
    let new = simple(9, &[4, 7]);
    let diff = compare(&old, &new);
    let changes: Vec<_> =
        diff.files[0].records.iter().map(|record| (line_of(record), record.change)).collect();
    assert_eq!(
        changes,
        [(1, RecordChange::Fixed), (4, RecordChange::StillFailing), (7, RecordChange::Regressed)]
    );
    assert_eq!(diff.by_lines(), 1);
}

#[test]
fn a_run_that_knows_wholes_only_says_nothing_of_records() {
    let mut old = run(
        Some(FileReport::of_whole("a.test", slt_core::outcome::FileStatus::Failed, None, Duration::ZERO)),
        &[],
    );
    old.header.engine.version.clear();
    let new = simple(9, &[4, 7]);
    let diff = compare(&old, &new);
    assert_eq!(diff.files[0].doubt, Some(MissingReason::WholeOnly));
    assert_eq!(diff.files[0].change, FileChange::StillFailing);
    assert!(!diff.has_regressed(Gate::Records));
    let passed = run(
        Some(FileReport::of_whole("a.test", slt_core::outcome::FileStatus::Passed, None, Duration::ZERO)),
        &[],
    );
    assert!(compare(&passed, &new).has_regressed(Gate::Files));
}

#[test]
fn a_flaky_file_has_not_regressed() {
    let before = simple(9, &[]);
    let mut now = simple(9, &[4]);
    let good = slt_core::outcome::Attempt {
        status: slt_core::outcome::FileStatus::Passed,
        elapsed: Duration::ZERO,
        first: None,
    };
    now.files[0].attempts = vec![good];
    let diff = compare(&before, &now);
    assert_eq!(diff.files[0].change, FileChange::NewlyFlaky);
    assert_eq!(diff.files[0].records[0].change, RecordChange::NewFailure(MissingReason::Flaky));
    assert!(!diff.has_regressed(Gate::Records));
}

//! A model of a file in two runs, with the true fate of each record.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::regression::MissingReason;
use slt_core::outcome::{
    FailingRecord, FailureGroup, Fault, FileEnd, FileProblem, FileReport, RecordId, RecordKey, RecordRef,
};

/// The outcome of a record, if it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    Fails,
    FailsOtherwise,
    Skipped,
    /// The user has left it out.
    LeftOut,
}

/// How a file ends.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    Whole,
    /// Its worker dies in the midst of a record.
    Dies(Index),
    /// It times out during a record, and the number of records is unknown.
    TimesOut(Index),
    CannotStart,
    IsNotThere,
}

/// A file in two runs, whose text is the same or not.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// The key of each record, and its outcomes in the runs.
    pub(super) records: Vec<(u64, [Fate; 2])>,
    pub(super) endings: [Ending; 2],
    /// Records that are in the file of the current run only, in front of the others.
    pub(super) added: Vec<Fate>,
}

const LINES: u32 = 3;

impl Model {
    /// The records of a run, with their lines.
    pub(super) fn records(&self, run: usize) -> Vec<(u32, u64, Fate)> {
        let added = self.added.iter().enumerate().map(|(place, &fate)| (1_000_000 + place as u64, fate));
        let added: Vec<_> = if run == 1 { added.collect() } else { Vec::new() };
        let own = self.records.iter().map(|&(key, fates)| (key, fates[run]));
        let all = added.into_iter().chain(own);
        (0..).zip(all).map(|(place, (key, fate))| (1 + LINES * place, key, fate)).collect()
    }

    pub(super) fn report(&self, run: usize) -> Option<FileReport> {
        let records = self.records(run);
        // An excluded record ends nothing.
        let executed = records.iter().filter(|(.., fate)| !matches!(fate, Fate::Skipped | Fate::LeftOut));
        let lines: Vec<_> = executed.map(|(line, ..)| *line).collect();
        let (stop, end) = match &self.endings[run] {
            Ending::Dies(_) | Ending::TimesOut(_) if lines.is_empty() => (None, FileEnd::Completed),
            Ending::IsNotThere => return None,
            Ending::Whole => (None, FileEnd::Completed),
            Ending::CannotStart => {
                let mut report = FileReport::new("a.test", FileEnd::NotStarted(FileProblem::Reported));
                report.counts.total = records.len() as u64;
                report.counts.not_reached = report.counts.total;
                return Some(report);
            }
            Ending::Dies(place) => {
                let line = *place.get(&lines);
                let fault = Fault::Lost("gone".to_owned());
                (Some(line), FileEnd::Faulted { id: Some(RecordId::at(line)), fault })
            }
            Ending::TimesOut(place) => {
                let line = *place.get(&lines);
                (Some(line), FileEnd::TimedOut { id: Some(RecordId::at(line)) })
            }
        };
        let mut report = FileReport::new("a.test", end);
        let group = |kind: &str| FailureGroup {
            kind: kind.to_owned(),
            what: String::new(),
            records: 1,
            first: RecordId::at(1),
        };
        report.groups = vec![group("rows_differ"), group("unexpected_error"), group("timed_out")];
        let counts = &mut report.counts;
        for &(line, key, fate) in &records {
            if stop.is_some_and(|stop| line > stop) {
                // For a file that timed out the number of records may be unknown.
                if matches!(self.endings[run], Ending::Dies(_)) {
                    counts.total += 1;
                    counts.not_reached += 1;
                }
                continue;
            }
            counts.total += 1;
            let group = match fate {
                _ if stop == Some(line) => 2,
                Fate::Passes => {
                    counts.passed += 1;
                    continue;
                }
                Fate::Skipped => {
                    counts.skipped += 1;
                    continue;
                }
                Fate::LeftOut => {
                    counts.skipped += 1;
                    report.left_out.push(RecordRef { id: RecordId::at(line), key: Some(RecordKey(key)) });
                    continue;
                }
                Fate::Fails => 0,
                Fate::FailsOtherwise => 1,
            };
            *if group == 2 { &mut counts.timed_out } else { &mut counts.failed } += 1;
            let (id, key) = (RecordId::at(line), Some(RecordKey(key)));
            report.failures.push(FailingRecord { id, key, group: Some(group), detail: None });
        }
        Some(report)
    }

    /// Returns the reason why a record is unknown in this run.
    pub(super) fn why(&self, run: usize, key: u64) -> MissingReason {
        let left_out = self.report(run).map_or(Vec::new(), |report| report.left_out);
        let left_out = left_out.iter().any(|left_out| left_out.key == Some(RecordKey(key)));
        match self.endings[run] {
            Ending::CannotStart | Ending::IsNotThere => MissingReason::NotRun,
            _ if left_out => MissingReason::LeftOut,
            _ => MissingReason::NotReached,
        }
    }

    /// Returns whether the record with this key passes; `None` if it is missing or not reached.
    pub(super) fn passes(&self, run: usize, key: u64) -> Option<bool> {
        let report = self.report(run)?;
        let stop = match report.end {
            FileEnd::NotStarted(_) => return None,
            FileEnd::TimedOut { id } | FileEnd::Faulted { id, .. } => id.map_or(0, |id| id.line),
            _ => u32::MAX,
        };
        let (line, _, fate) = *self.records(run).iter().find(|(_, of, _)| *of == key)?;
        match fate {
            _ if line > stop => None,
            _ if line == stop => Some(false),
            Fate::Skipped | Fate::LeftOut => None,
            fate => Some(fate == Fate::Passes),
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Passes),
        2 => Just(Fate::Fails),
        1 => Just(Fate::FailsOtherwise),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        5 => Just(Ending::Whole),
        2 => any::<Index>().prop_map(Ending::Dies),
        2 => any::<Index>().prop_map(Ending::TimesOut),
        1 => Just(Ending::CannotStart),
        1 => Just(Ending::IsNotThere),
    ]
}

/// A record is skipped in both runs or in neither, if the engine's labels are the same.
pub(super) fn fates() -> impl Strategy<Value = [Fate; 2]> {
    prop_oneof![6 => [fate(), fate()], 1 => Just([Fate::Skipped; 2])]
}

/// The same, and the user may leave any record out in any run.
pub(super) fn fates_of_choice() -> impl Strategy<Value = [Fate; 2]> {
    let choice = || prop_oneof![3 => fate(), 1 => Just(Fate::LeftOut)];
    prop_oneof![3 => fates(), 1 => [choice(), choice()]]
}

pub(super) fn model(added: usize) -> impl Strategy<Value = Model> {
    model_of(fates(), added)
}

pub(super) fn model_of(
    fates: impl Strategy<Value = [Fate; 2]>,
    added: usize,
) -> impl Strategy<Value = Model> {
    let records = prop::collection::vec(fates, 1..12);
    let added = prop::collection::vec(fate(), 0..=added);
    (records, [ending(), ending()], added).prop_map(|(fates, endings, added)| Model {
        records: (1..).zip(fates).collect(),
        endings,
        added,
    })
}

//! Splits one file into slices, if it would outlast the rest of a run.
//!
//! A slice executes every statement of a script, in order, and judges its share of the queries
//! ([`run_slice`](super::run_slice)). [`may_split`] decides for which scripts this gives the same results as a run of
//! the whole file; [`merge()`] combines the reports of all slices, and refuses if they do not fit together. Both refuse
//! when in doubt: running the whole file is slower, but never wrong.

mod merge;
mod permission;
mod sharing;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use std::collections::HashMap;
use std::num::NonZeroU32;

use md5::{Digest as _, Md5};

pub use self::merge::merge;
pub(super) use self::permission::only_reads;
pub use self::permission::{WhyNot, may_split};
pub use self::sharing::{ClaimState, ClaimWord, ShareReport, ShareRole};
pub(super) use self::sharing::{QueryShare, ScriptPart};
use super::record_processor::StatementEffect;
use super::step::{Step, StepRole};
use crate::engine::SqlError;
use crate::outcome::{Digest, FileReport, Problem};
use crate::parser::{Control, Query, RecordKind, Script, first_refusal};

/// One of several slices of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    index: u32,
    count: NonZeroU32,
}

/// The result of one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceReport {
    /// The slice.
    pub slice: Slice,
    /// The outcomes of the records that the slice accounts for.
    pub report: FileReport,
    /// A digest of the text and of the statements' results. Only slices with the same digest fit together.
    pub set_up: Digest,
}

impl Slice {
    /// Returns all slices of a file that is split into `count`.
    pub fn all(count: NonZeroU32) -> impl Iterator<Item = Self> {
        (0..count.get()).map(move |index| Self { index, count })
    }

    /// Returns the slice with this index, counted from 0, of `count`, if there is one.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        let count = NonZeroU32::new(count)?;
        (index < count.get()).then_some(Self { index, count })
    }

    /// Returns its index, counted from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns the number of slices.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Returns whether this slice accounts for all records except queries.
    pub(super) fn is_first(self) -> bool {
        self.index == 0
    }

    /// Returns the steps of the slice. Queries of other slices are not among them.
    pub(super) fn steps<'r>(self, script: &'r Script<'r>, labels: &[String]) -> Vec<Step<'r>> {
        let owners = owners(script, labels, self.count);
        let steps = script.records().zip(owners).filter_map(|(record, owner)| {
            let role = match owner {
                Owner::Everyone if self.is_first() => StepRole::Judged,
                Owner::Everyone => StepRole::Replayed,
                Owner::Slice(index) if index == self.index => StepRole::Judged,
                Owner::Slice(_) => return None,
            };
            Some(Step { record, role })
        });
        steps.collect()
    }
}

/// The slice that executes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Everyone,
    Slice(u32),
}

/// Assigns the records of a script to slices.
///
/// Queries that share a label form a unit, since each is compared with the first of them; any other query is a unit of
/// its own. Each unit goes to the slice with the fewest queries to execute so far, in file order, so similar units
/// alternate between slices: the cost of a query often grows along a file, and contiguous blocks would give one slice
/// all the expensive ones. Records that are not executed have no weight; otherwise a file with every other query for
/// another engine would be unbalanced.
fn owners(script: &Script<'_>, labels: &[String], count: NonZeroU32) -> Vec<Owner> {
    let units = QueryUnits::new(script, labels);
    let mut loads = vec![0_u64; count.get() as usize];
    let mut dealt: Vec<Option<u32>> = vec![None; units.weights.len()];
    let owners = units.of_record.iter().map(|unit| {
        let Some(unit) = *unit else { return Owner::Everyone };
        let owner = *dealt[unit].get_or_insert_with(|| {
            let (least, _) = (0..).zip(&loads).min_by_key(|(_, load)| **load).unwrap_or((0, &0));
            loads[least as usize] += units.weights[unit];
            least
        });
        Owner::Slice(owner)
    });
    owners.collect()
}

/// The queries of a script in units that cannot be taken apart.
struct QueryUnits {
    /// The unit of each record; `None` for records other than queries.
    of_record: Vec<Option<usize>>,
    /// The number of executed queries of each unit.
    weights: Vec<u64>,
}

impl QueryUnits {
    fn new(script: &Script<'_>, labels: &[String]) -> Self {
        let mut units = Self { of_record: Vec::new(), weights: Vec::new() };
        let mut labelled = HashMap::new();
        let mut halted = false;
        for record in script.records() {
            let executed = !halted && first_refusal(&record.conditions, labels).is_none();
            let RecordKind::Query(query) = &record.kind else {
                halted |= executed && matches!(record.kind, RecordKind::Control(Control::Halt));
                units.of_record.push(None);
                continue;
            };
            let new = units.weights.len();
            let unit = match label_key(script, query) {
                Some(key) => *labelled.entry(key).or_insert(new),
                None => new,
            };
            if unit == new {
                units.weights.push(0);
            }
            units.weights[unit] += u64::from(executed);
            units.of_record.push(Some(unit));
        }
        units
    }

    /// Returns the number of units that have something to execute.
    fn executed(&self) -> usize {
        self.weights.iter().filter(|weight| **weight > 0).count()
    }
}

/// Returns the part of a label that decides which queries may be compared. Executed and skipped queries may count
/// different lengths of it; by the shorter one, all that meet in either way are together.
fn label_key<'s>(script: &Script<'s>, query: &Query<'s>) -> Option<&'s [u8]> {
    let limits = script.profile.label_limits;
    let limit = limits.executed.min(limits.skipped);
    query.label.map(|label| &label[..label.len().min(limit)])
}

/// Digests the replayed set-up: the text of the file, and the result of each executed statement.
///
/// A statement that succeeds costs no more than a counter, because every whole file may be joined by a helper.
#[derive(Default)]
pub(super) struct SetUp {
    succeeded: u64,
    others: Md5,
}

impl SetUp {
    /// Adds the result of the statement on `line`.
    pub(super) fn enter(&mut self, line: u32, result: &Result<Result<StatementEffect, SqlError>, Problem>) {
        if let Ok(Ok(_)) = result {
            self.succeeded += 1;
            return;
        }
        self.others.update(line.to_le_bytes());
        match result {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                self.word(1, &error.message);
                self.word(1, error.code.as_deref().unwrap_or(""));
            }
            Err(Problem::Unsupported(why)) => self.word(2, why),
            Err(Problem::Fault(fault)) => self.word(3, &fault.to_string()),
            Err(problem) => self.word(4, problem.word()),
        }
    }

    /// Adds a word with its length, so that different lists of words differ as bytes.
    fn word(&mut self, kind: u8, word: &str) {
        self.others.update([kind]);
        self.others.update((word.len() as u64).to_le_bytes());
        self.others.update(word);
    }

    /// Ends with the text, so that parts of different versions of a file do not fit together.
    pub(super) fn digest(mut self, script: &Script<'_>) -> Digest {
        self.others.update(self.succeeded.to_le_bytes());
        self.others.update(script.source.bytes());
        Digest(self.others.finalize().into())
    }
}

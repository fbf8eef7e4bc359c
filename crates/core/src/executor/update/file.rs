//! The update of one file, execution by execution.
//!
//! A change stays only if the record passes with it in the next execution. So a result that differs each time, or that
//! the dialect cannot express, never gets into a file, and a second update finds nothing to do.

use std::collections::{BTreeMap, HashMap};

use super::check::NewExpectation;
use super::{
    RecordProblem, RecordUpdate, UpdateRefusal, UpdateScope, apply_edits, corrected_lines, update_record,
};
use crate::location::Source;
use crate::outcome::{Correction, FileEnd, FileReport, Problem, RecordId};
use crate::parser::{Record, Script, parse};

/// The update of a file: which records change, and which fail and stay as they are.
#[derive(Debug)]
pub struct FileUpdate<'u, 's> {
    /// The file before the update.
    script: &'u Script<'s>,
    records: Vec<&'u Record<'s>>,
    scope: &'u UpdateScope,
    /// The changes, by the index of the record.
    changes: BTreeMap<usize, Change>,
    /// The records that stay, by their index.
    refused: BTreeMap<usize, RefusedRecord>,
    /// Failing records of included files.
    included: Vec<RecordId>,
}

#[derive(Debug, Clone)]
struct Change {
    update: RecordUpdate,
    /// What the record is meant to expect.
    expects: NewExpectation,
}

/// A failing record whose expectation stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedRecord {
    /// Its place; the line is that before the update.
    pub id: RecordId,
    /// The reason.
    pub refusal: UpdateRefusal,
    /// Its problem, if it is known.
    pub problem: Option<Problem>,
}

/// A changed record.
#[derive(Debug, Clone, Copy)]
pub struct ChangedRecord<'u> {
    /// The line of its header before the update.
    pub line: u32,
    /// The change.
    pub update: &'u RecordUpdate,
}

/// A failing record in the current text.
#[derive(Debug, Default)]
struct FailingIterations<'r> {
    id: Option<&'r RecordId>,
    problems: Vec<RecordProblem<'r>>,
    /// Whether the problem of an iteration is not known.
    is_unknown: bool,
}

impl<'u, 's> FileUpdate<'u, 's> {
    /// Returns the update of a file of which nothing has been executed yet.
    pub fn new(script: &'u Script<'s>, scope: &'u UpdateScope) -> Self {
        let (changes, refused) = (BTreeMap::new(), BTreeMap::new());
        let records = script.records().collect();
        Self { script, records, scope, changes, refused, included: Vec::new() }
    }

    /// Returns the text with all changes.
    pub fn text(&self) -> Vec<u8> {
        apply_edits(self.script.source.bytes(), self.changes.values().flat_map(|change| &change.update.edits))
    }

    /// Returns the line in the text with all changes of the header on `line` of the file before the update.
    pub fn new_line(&self, line: u32) -> u32 {
        let Some(index) = self.records.iter().position(|record| record.line == line) else { return line };
        let source = Source::new(self.script.source.name(), self.text());
        parse(&source, self.script.profile).records().nth(index).map_or(line, |record| record.line)
    }

    /// Returns the changed records, in order.
    pub fn changed(&self) -> impl Iterator<Item = ChangedRecord<'_>> {
        let line = |index: usize| self.records[index].line;
        self.changes
            .iter()
            .map(move |(index, change)| ChangedRecord { line: line(*index), update: &change.update })
    }

    /// Returns the failing records that stay: those of the file in their order, then those of included files.
    pub fn refused(&self) -> impl Iterator<Item = RefusedRecord> {
        let included = self.included.iter().map(|id| RefusedRecord {
            id: id.clone(),
            refusal: UpdateRefusal::OtherFile,
            problem: None,
        });
        self.refused.values().cloned().chain(included)
    }

    /// Takes the result of an execution of [`Self::text`]. Returns whether the text is another one now, which is to be
    /// executed again.
    pub fn take(&mut self, report: &FileReport, corrections: &[(RecordId, Correction)]) -> bool {
        let source = Source::new(self.script.source.name(), self.text());
        let current = parse(&source, self.script.profile);
        let records: Vec<_> = current.records().collect();
        let failing = self.failing(&records, report, corrections);
        let (mut new, mut is_changed) = (BTreeMap::new(), false);
        for (index, found) in failing {
            if let Some(change) = self.changes.remove(&index) {
                is_changed = true;
                let refusal = refusal_of_change(&change, &current, records[index], &found);
                self.refuse(index, refusal, &found);
            } else if !self.refused.contains_key(&index) {
                match self.plan(index, &found) {
                    Ok(change) => drop(new.insert(index, (change, found))),
                    Err(refusal) => self.refuse(index, refusal, &found),
                }
            }
        }
        is_changed |= self.drop_unverified(&records, &report.end);
        self.accept(new) || is_changed
    }

    /// Returns the failing records of the file itself by their index, and notes those of included files.
    fn failing<'r>(
        &mut self,
        records: &[&Record<'_>],
        report: &'r FileReport,
        corrections: &'r [(RecordId, Correction)],
    ) -> BTreeMap<usize, FailingIterations<'r>> {
        let indices: BTreeMap<u32, usize> =
            records.iter().enumerate().map(|(index, record)| (record.line, index)).collect();
        let corrections: HashMap<_, _> =
            corrections.iter().map(|(id, correction)| (id, correction)).collect();
        let mut failing: BTreeMap<usize, FailingIterations<'r>> = BTreeMap::new();
        for failure in &report.failures {
            let id = &failure.id;
            if id.source.is_some() {
                if !self.included.contains(id) {
                    self.included.push(id.clone());
                }
                continue;
            }
            let Some(index) = indices.get(&id.line) else { continue };
            let found = failing.entry(*index).or_default();
            found.id.get_or_insert(id);
            match &failure.detail {
                Some(detail) => {
                    let correction = corrections.get(id).copied();
                    found.problems.push(RecordProblem { problem: &detail.problem, correction });
                }
                None => found.is_unknown = true,
            }
        }
        failing
    }

    /// Takes back the changes of records that have not been executed with them.
    fn drop_unverified(&mut self, records: &[&Record<'_>], end: &FileEnd) -> bool {
        let at = match end {
            FileEnd::Completed | FileEnd::Halted { .. } => return false,
            FileEnd::NotStarted(_) => None,
            FileEnd::AtFailure { id } | FileEnd::Malformed { id } => Some(id),
            FileEnd::TimedOut { id } | FileEnd::Faulted { id, .. } => id.as_ref(),
        };
        let place = |id: &RecordId| records.iter().position(|record| record.line >= id.line);
        let last = at.filter(|id| id.source.is_none()).map_or(0, |id| place(id).unwrap_or(records.len()));
        let unverified: Vec<usize> = self.changes.range(last..).map(|(index, _)| *index).collect();
        for index in &unverified {
            self.changes.remove(index);
            let id = RecordId::at(self.records[*index].line);
            let refusal = UpdateRefusal::NotConfirmed;
            self.refused.insert(*index, RefusedRecord { id, refusal, problem: None });
        }
        !unverified.is_empty()
    }

    fn plan(&self, index: usize, found: &FailingIterations<'_>) -> Result<Change, UpdateRefusal> {
        let record = self.records[index];
        if found.is_unknown {
            return Err(UpdateRefusal::Problem);
        }
        let update = update_record(self.script, record, &found.problems, self.scope)?;
        let correction = found.problems.iter().find_map(|one| one.correction);
        let lines = |correction| corrected_lines(self.script, record, correction);
        let expects = match correction {
            Some(hash @ Correction::Lines { is_hash: true, .. }) => {
                NewExpectation::Hash(lines(hash).concat())
            }
            Some(list) => NewExpectation::Lines(lines(list)),
            None => NewExpectation::Other,
        };
        Ok(Change { update, expects })
    }

    fn refuse(&mut self, index: usize, refusal: UpdateRefusal, found: &FailingIterations<'_>) {
        let line = self.records[index].line;
        let iteration = found.id.and_then(|id| id.iteration.clone());
        let id = RecordId { iteration, ..RecordId::at(line) };
        let problem = found.problems.first().map(|one| one.problem.clone());
        self.refused.insert(index, RefusedRecord { id, refusal, problem });
    }

    /// Adds changes after which the file still has the same records. Returns whether there are any.
    fn accept(&mut self, new: BTreeMap<usize, (Change, FailingIterations<'_>)>) -> bool {
        if new.is_empty() {
            return false;
        }
        let before = self.changes.len();
        let mut groups = vec![Vec::from_iter(new)];
        // Only a group with a wrong change is divided, so that few of them cost little.
        while let Some(mut group) = groups.pop() {
            for (index, (change, _)) in &group {
                self.changes.insert(*index, change.clone());
            }
            if self.keeps_records() {
                continue;
            }
            for (index, _) in &group {
                self.changes.remove(index);
            }
            if group.len() > 1 {
                let second = group.split_off(group.len() / 2);
                groups.extend([second, group]);
            } else if let Some((index, (_, found))) = group.first() {
                self.refuse(*index, UpdateRefusal::NotWritable, found);
            }
        }
        self.changes.len() > before
    }

    /// Returns whether all records are still there after the changes: those that change are read as they are meant, and
    /// all others are unchanged.
    fn keeps_records(&self) -> bool {
        let source = Source::new(self.script.source.name(), self.text());
        let changed = parse(&source, self.script.profile);
        if changed.records().count() != self.records.len() {
            return false;
        }
        let mut pairs = self.records.iter().zip(changed.records()).enumerate();
        pairs.all(|(index, (before, after))| {
            let sql = |record: &Record<'_>| record.sql().map(|sql| sql.joined().into_owned());
            match self.changes.get(&index) {
                Some(change) => {
                    after.defect.is_none()
                        && sql(before) == sql(after)
                        && change.expects.is_read(&changed, after, before)
                }
                None => {
                    self.script.source.bytes()[before.span.clone()]
                        == changed.source.bytes()[after.span.clone()]
                }
            }
        })
    }
}

/// Returns why a record that fails with its new expectation gets the old one back.
fn refusal_of_change(
    change: &Change,
    current: &Script<'_>,
    record: &Record<'_>,
    found: &FailingIterations<'_>,
) -> UpdateRefusal {
    if found.id.is_some_and(|id| id.iteration.is_some()) {
        return UpdateRefusal::Iterations;
    }
    match found.problems.first() {
        Some(RecordProblem { correction: Some(correction), .. })
            if !change.expects.has_lines(corrected_lines(current, record, correction)) =>
        {
            UpdateRefusal::Unstable
        }
        Some(RecordProblem { correction: Some(_), .. }) => UpdateRefusal::NotWritable,
        // The problem says the rest, like another result of its label.
        _ => UpdateRefusal::StillFails,
    }
}

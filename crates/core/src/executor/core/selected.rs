//! Which records of a script are executed, and which of them are judged.

use super::{Also, FileRunner, hidden_text};
use crate::executor::keys::records_named;
use crate::outcome::{Counts, GroupBook, RecordName, RecordOutcome, SkipReason};
use crate::parser::{Record, RecordKind};

impl<'r, 's> FileRunner<'r, 's> {
    pub(super) fn run_all_but(&mut self, names: &[RecordName]) {
        let mut named = records_named(self.script, names).into_iter().peekable();
        for record in self.script.records() {
            let left_out = named.next_if(|named| named.line == record.line);
            match left_out.filter(|_| hidden_text(record).is_none()) {
                _ if self.has_ended() => self.settle_unreached(record),
                Some(left_out) => {
                    self.report.left_out.push(left_out);
                    self.settle(record, RecordOutcome::Skipped(SkipReason::LeftOut), Also::Nothing);
                }
                None => self.step(record),
            }
        }
    }

    /// Runs what the record at `line` builds on, and judges only that record: the statements before it, and
    /// the queries with its label, whose result it must have.
    pub(super) fn run_only(&mut self, line: u32) {
        let label = self.script.records().find(|record| record.line == line).and_then(Record::label);
        for record in self.script.records() {
            let target = record.line == line;
            if self.has_ended() {
                if target {
                    self.settle_unreached(record);
                }
            } else if target {
                self.step(record);
            } else {
                let needed = match record.kind {
                    RecordKind::Query(_) => label.is_some() && record.label() == label,
                    _ => true,
                };
                if needed {
                    self.prepare(record);
                }
            }
            if target {
                break;
            }
        }
        self.report.lints.retain(|lint| lint.line == line);
    }

    /// Executes a record that the judged one builds on; it is in no count, but what it did wrong is kept.
    fn prepare(&mut self, record: &'r Record<'s>) {
        self.step(record);
        self.report.counts = Counts::default();
        self.report.failing.clear();
        self.report.marks.clear();
        self.report.groups.clear();
        self.groups = GroupBook::default();
        self.report.setup_failures.append(&mut self.report.details);
        self.observer.record_settled(&self.report.counts);
    }
}

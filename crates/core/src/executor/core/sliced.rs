//! One slice of a script: every statement executed, and some of the queries judged.

use super::{FileRunner, Options, Selection, run_with};
use crate::engine::Engine;
use crate::executor::observer::Observer;
use crate::executor::slice::{Part, SetUp, Slice, SliceReport};
use crate::outcome::RecordOutcome;
use crate::parser::{Record, Script};

/// Executes all statements of a script on a fresh database of `engine`, and judges one slice of its queries.
///
/// The reports of all slices make the report of the file, see [`merge`](crate::executor::slice::merge()). Statements, and
/// whatever else is no query, are accounted for by the first slice only. Where
/// [`may_split`](crate::executor::slice::may_split) says no, slices may find something else than a run of the whole file.
pub fn run_slice(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    slice: Slice,
    observer: &mut dyn Observer,
) -> SliceReport {
    let mut set_up = SetUp::of(script);
    let selection = Selection::Slice(slice);
    let report = run_with(script, engine, options, selection, observer, Some(&mut set_up));
    SliceReport { slice, report, set_up: set_up.digest() }
}

impl<'r, 's> FileRunner<'r, 's> {
    pub(super) fn run_slice(&mut self, slice: Slice) {
        if !slice.is_first() {
            self.report.lints.clear();
        }
        for (record, part) in slice.parts(self.script, &self.options.labels) {
            match (part, self.has_ended()) {
                (Part::Judged, false) => self.step(record),
                (Part::Judged, true) => self.settle_unreached(record),
                (Part::Replayed, false) => self.replay(record),
                (Part::Replayed, true) | (Part::Left, _) => {}
            }
        }
    }

    /// Executes a record that another slice accounts for.
    fn replay(&mut self, record: &'r Record<'s>) {
        self.observer.record_started(record.line);
        if self.allows(record)
            && let Some(RecordOutcome::Faulted(fault)) = self.execute(record)
        {
            self.end_by(record.line, &fault);
        }
        self.observer.record_settled(&self.report.counts);
    }
}

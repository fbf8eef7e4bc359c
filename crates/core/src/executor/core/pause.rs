//! Executes a file step by step: pauses before its records, where the database can be looked at and changed.

use std::borrow::Cow;

use super::{FileRunner, Surroundings, run_with};
use crate::engine::{RowSink, SqlError};
use crate::executor::observer::Observer;
use crate::executor::program::Selection;
use crate::executor::settings::Options;
use crate::executor::slice::ScriptPart;
use crate::location::text_of;
use crate::outcome::{FileEnd, FileReport, Problem, RecordId, RecordOutcome};
use crate::parser::{Record, RecordKind, Script};

/// Decides at each pause how the file continues.
pub trait Stepper {
    /// Called before each record that is judged, and once at the end of the file.
    fn pause(&mut self, file: &mut PausedFile<'_, '_>) -> PauseEnd;

    /// Called with the outcome of each record that is judged. A failing record has been passed to the observer before.
    fn settled(&mut self, outcome: &RecordOutcome);
}

/// How a pause ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseEnd {
    /// Execute the record.
    GoOn,
    /// End the file here. It does not pause again.
    Leave,
}

/// A file that pauses before a record, or at its end.
pub struct PausedFile<'p, 'r> {
    runner: &'p mut FileRunner<'r>,
    record: Option<&'r Record<'r>>,
}

/// Runs a script as [`run_observed`](super::run_observed) does, with a pause before each record that is judged.
pub fn run_stepwise(
    script: &Script<'_>,
    surroundings: Surroundings<'_>,
    options: &Options,
    selection: Selection<'_>,
    observer: &mut dyn Observer,
    stepper: &mut dyn Stepper,
) -> FileReport {
    run_with(script, surroundings, options, selection, observer, Some(stepper), ScriptPart::default()).0
}

impl<'r> PausedFile<'_, 'r> {
    /// Returns the place of the record; `None` at the end of the file.
    pub fn place(&self) -> Option<RecordId> {
        self.record.map(|record| self.runner.place(record))
    }

    /// Returns the record as it stands in its file.
    pub fn text(&self) -> &'r [u8] {
        self.record.map_or(&[], |record| &self.runner.script.source.bytes()[record.span.clone()])
    }

    /// Returns the SQL of the record with the variables replaced, if it contains any.
    pub fn replaced_sql(&self) -> Option<String> {
        let sql = self.record?.sql()?;
        let replaced = self.runner.replaced_sql(sql).ok()?;
        (replaced != sql.joined()).then(|| text_of(&replaced))
    }

    /// Returns the name of the connection that executes the record, unless it is the default one.
    pub fn connection(&mut self) -> Option<String> {
        let named = self.record.and_then(Record::connection);
        self.runner.state.session(named).0.map(|connection| text_of(connection.name))
    }

    /// Returns whether the record is a query whose result is judged.
    pub fn is_query(&self) -> bool {
        self.record
            .is_some_and(|record| record.defect.is_none() && matches!(record.kind, RecordKind::Query(_)))
    }

    /// Returns how the file has ended; [`FileEnd::Completed`] if it has not.
    pub fn end(&self) -> &FileEnd {
        &self.runner.report.end
    }

    /// Executes SQL on the connection of the record, with its variables replaced.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of SQL that has no result.
    pub fn execute(&mut self, sql: &[u8], sink: &mut dyn RowSink) -> Result<Result<(), SqlError>, Problem> {
        let sql: Cow<'_, [u8]> = self.runner.replaced(sql)?;
        let named = self.record.and_then(Record::connection);
        let (connection, processor) = self.runner.state.session(named);
        processor.execute(connection.as_ref(), &sql, sink)
    }

    /// Executes and judges the record without an effect on the report, and without going on.
    pub fn try_record(&mut self) -> Option<RecordOutcome> {
        let record = self.record?;
        let runner = &mut *self.runner;
        let labels = runner.state.labels.copied();
        let (skips, end) = (runner.skips, runner.report.end.clone());
        let set_up = runner.report.setup_failures.len();
        runner.stepping = Stepping::Paused { tried: None };
        runner.prepare(record);
        runner.report.setup_failures.truncate(set_up);
        runner.state.labels = labels;
        runner.skips = skips;
        // A lost session stays lost.
        if !matches!(runner.report.end, FileEnd::Faulted { .. }) {
            runner.report.end = end;
        }
        match &mut runner.stepping {
            Stepping::Paused { tried } => tried.take(),
            Stepping::Off | Stepping::On(_) => None,
        }
    }
}

/// Whether a file is executed step by step.
pub(super) enum Stepping<'r> {
    /// It is executed without pauses.
    Off,
    /// It pauses before the next record.
    On(&'r mut dyn Stepper),
    /// It has paused.
    Paused {
        /// The outcome of the record, if it was tried.
        tried: Option<RecordOutcome>,
    },
}

impl Stepping<'_> {
    /// Takes the outcome of a record.
    pub(super) fn settled(&mut self, outcome: &RecordOutcome) {
        match self {
            Self::Off => {}
            Self::On(stepper) => stepper.settled(outcome),
            Self::Paused { tried } => *tried = Some(outcome.clone()),
        }
    }
}

impl<'r> FileRunner<'r> {
    /// Pauses before a record, or at the end of the file, if the file is executed step by step.
    pub(super) fn pause(&mut self, record: Option<&'r Record<'r>>) {
        if matches!(self.stepping, Stepping::Off) || record.is_some_and(|record| !record.is_counted()) {
            return;
        }
        let paused = Stepping::Paused { tried: None };
        let Stepping::On(stepper) = std::mem::replace(&mut self.stepping, paused) else { return };
        match stepper.pause(&mut PausedFile { runner: self, record }) {
            PauseEnd::GoOn => self.stepping = Stepping::On(stepper),
            PauseEnd::Leave => {
                self.stepping = Stepping::Off;
                if let Some(record) = record.filter(|_| !self.has_ended()) {
                    self.report.end = FileEnd::Halted { id: self.place(record) };
                }
            }
        }
    }
}

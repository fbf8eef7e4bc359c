//! One script against one engine, record by record.

mod concurrent;
mod control;
mod flow;
mod foreign;
mod in_flight;
mod meter;
pub mod pause;
mod records;
pub(super) mod slow;

use std::sync::Arc;

use self::concurrent::LoopSignal;
use self::flow::ListedIterations;
use self::meter::Meter;
use self::pause::{Stepper, Stepping};
use super::canonical::KeptValues;
use super::environment::ExecutionState;
use super::evidence::header_text;
use super::host::{Host, NoHost};
use super::keys::{record_keys, records_digest};
use super::observer::{Observer, Unobserved};
use super::program::{Program, Selection, hidden_text};
use super::record_processor::RecordProcessor;
use super::settings::{DetailLimits, Options};
use super::slice::{ClaimWord, QueryShare, ScriptPart, ShareReport, ShareRole, Slice, SliceReport};
use super::step::{Step, StepRole};
use crate::engine::Engine;
use crate::location::text_of;
use crate::outcome::{
    Correction, FailingRecord, FailureDetail, Fault, FileEnd, FilePart, FileProblem, FileReport, GroupBook,
    Problem, RecordId, RecordOutcome, SkipReason, StatementKind, VALUES_OF_GROUP,
};
use crate::parser::{Matcher, Query, QueryExpectation, Record, RecordKind, Script};

/// The engine and everything else that an execution uses.
#[derive(Clone, Copy)]
pub struct Surroundings<'e> {
    /// The engine.
    pub engine: &'e dyn Engine,
    /// What records may use besides the engine.
    pub host: &'e dyn Host,
}

impl<'e> Surroundings<'e> {
    /// Returns an engine on a host that refuses everything.
    pub fn isolated(engine: &'e dyn Engine) -> Self {
        Self { engine, host: &NoHost }
    }
}

/// Runs a script on a fresh database of `engine`, without access to anything else.
///
/// Every record of the script that `selection` covers ends in exactly one outcome. The report calls the file by
/// the name of its source and has no time.
pub fn run_script(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    selection: Selection<'_>,
) -> FileReport {
    run_observed(script, Surroundings::isolated(engine), options, selection, &mut Unobserved)
}

/// Runs a script as [`run_script`] does, under the eyes of `observer`.
pub fn run_observed(
    script: &Script<'_>,
    surroundings: Surroundings<'_>,
    options: &Options,
    selection: Selection<'_>,
    observer: &mut dyn Observer,
) -> FileReport {
    run_with(script, surroundings, options, selection, observer, None, ScriptPart::default()).0
}

/// Executes all statements of a script on a fresh database of `engine`, and judges one slice of its queries.
///
/// The reports of all slices make the report of the file, see [`merge`](crate::executor::slice::merge()). Statements,
/// and everything else except queries, are accounted for by the first slice only. Where
/// [`may_split`](crate::executor::slice::may_split) says no, slices may find something else than a run of the whole
/// file.
pub fn run_slice(
    script: &Script<'_>,
    surroundings: Surroundings<'_>,
    options: &Options,
    slice: Slice,
    observer: &mut dyn Observer,
) -> SliceReport {
    let (selection, part) = (Selection::Slice(slice), ScriptPart::default());
    let (report, part) = run_with(script, surroundings, options, selection, observer, None, part);
    SliceReport { slice, report, set_up: part.set_up.digest(script) }
}

/// Runs a script that other processes may help with, or helps with it. `word` is common to all of them.
///
/// The reports of all make the report of the file, like those of slices. A helper must only be started where
/// [`may_split`](crate::executor::slice::may_split) agrees.
pub fn run_shared(
    script: &Script<'_>,
    surroundings: Surroundings<'_>,
    options: &Options,
    (role, word): (ShareRole, &dyn ClaimWord),
    observer: &mut dyn Observer,
) -> ShareReport {
    let part = ScriptPart { queries: Some(QueryShare::new(word, role)), ..ScriptPart::default() };
    let selection = match role {
        ShareRole::Owner => Selection::All,
        ShareRole::Helper => Selection::Queries,
    };
    let (report, part) = run_with(script, surroundings, options, selection, observer, None, part);
    ShareReport { report, set_up: part.digest(script) }
}

fn run_with<'r>(
    script: &'r Script<'r>,
    surroundings: Surroundings<'r>,
    options: &'r Options,
    selection: Selection<'_>,
    observer: &'r mut dyn Observer,
    stepper: Option<&'r mut dyn Stepper>,
    part: ScriptPart<'r>,
) -> (FileReport, ScriptPart<'r>) {
    let program = Program::new(script, selection, &options.labels);
    let mut report = FileReport::new(script.source.name(), FileEnd::Completed);
    report.lints.clone_from(&program.lints);
    let mut meter = Meter::new(observer.wants_times());
    let watch = meter.watch();
    match RecordProcessor::open(surroundings.engine, script.profile.renderer, options.record_timeout) {
        Ok(mut processor) => {
            meter.opened(watch, &mut processor);
            let state = ExecutionState::new(processor, script.profile, options);
            let groups = GroupBook::default();
            let (source, iteration, skips) = (None, None, None);
            let (listed_iterations, signal) = (ListedIterations::default(), None);
            let runner = FileRunner {
                script,
                surroundings,
                options,
                state,
                report,
                groups,
                observer,
                stepping: stepper.map_or(Stepping::Off, Stepping::On),
                part,
                source,
                iteration,
                listed_iterations,
                skips,
                signal,
                correction: None,
                meter,
            };
            runner.run(&program)
        }
        Err(error) => {
            report.counts.total = program.total();
            report.counts.not_reached = report.counts.total;
            report.end = FileEnd::NotStarted(FileProblem::Engine(error.to_string()));
            (report, part)
        }
    }
}

struct FileRunner<'r> {
    /// The script that is executed: the file's own, or one that it includes.
    script: &'r Script<'r>,
    surroundings: Surroundings<'r>,
    options: &'r Options,
    state: ExecutionState,
    report: FileReport,
    groups: GroupBook,
    observer: &'r mut dyn Observer,
    stepping: Stepping<'r>,
    /// What is done of the file, when others do the rest.
    part: ScriptPart<'r>,
    /// The included file that is executed.
    source: Option<Arc<str>>,
    /// The variables of the loops around the record.
    iteration: Option<Arc<str>>,
    listed_iterations: ListedIterations,
    /// Why records are skipped up to the end of an iteration, or of the file.
    skips: Option<SkipReason>,
    /// Connects the iterations of a concurrent loop.
    signal: Option<&'r LoopSignal>,
    /// What would make the record that is executed right, if the observer asks for it.
    correction: Option<Correction>,
    /// Measures the parts of the time of the file, if the observer asks for them.
    meter: Meter,
}

/// A contribution of a record to the counts besides its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExtraCount {
    Nothing,
    /// The record was skipped, and is in the count of skips as well.
    Skipped,
}

impl<'r> FileRunner<'r> {
    fn run(mut self, program: &Program<'r>) -> (FileReport, ScriptPart<'r>) {
        if self.script.profile.rejects_whole_file
            && let Some(id) = first_defect(self.script, None)
        {
            self.report.end = FileEnd::Malformed { id };
        }
        match self.set_up_connection() {
            Ok(()) => {
                self.run_steps(&program.steps);
                self.pause(None);
            }
            Err(problem) => self.not_set_up(problem, program),
        }
        // The parser's come first, and then those of the records.
        self.report.lints.sort_by_key(|lint| lint.line);
        self.name_failures();
        self.report.records = Some(records_digest(self.script));
        self.report.engine_time = Some(self.state.processor.time().total);
        debug_assert!(self.report.counts.add_up(), "{:?}", self.report.counts);
        self.meter.executed(&self.state.processor);
        let watch = self.meter.watch();
        if let Err(error) = self.state.processor.close() {
            self.observer.database_not_closed(&error);
        }
        self.meter.add(FilePart::Close, watch);
        self.meter.times().inspect(|times| self.observer.file_timed(times));
        (self.report, self.part)
    }

    /// Reports that no record was reached.
    fn not_set_up(&mut self, problem: Problem, program: &Program<'_>) {
        self.report.counts.total = program.total();
        self.report.counts.not_reached = self.report.counts.total;
        let why = match problem {
            Problem::UnexpectedError { error, .. } => error.message,
            other => other.word().to_owned(),
        };
        let why = format!("cannot set `integer_division`, which SQLite's own files need: {why}");
        self.report.end = FileEnd::NotStarted(FileProblem::Engine(why));
    }

    /// Adds the keys of failing records, which need the whole script.
    fn name_failures(&mut self) {
        let places: Vec<_> = self.report.failures.iter().map(|record| &record.id).collect();
        let keys = record_keys(self.script, &places);
        self.report.failures.iter_mut().zip(keys).for_each(|(record, key)| record.key = key);
    }

    /// Returns the place of a record of the current script and iteration.
    fn place(&self, record: &Record<'_>) -> RecordId {
        RecordId { source: self.source.clone(), line: record.line, iteration: self.iteration.clone() }
    }

    fn has_ended(&self) -> bool {
        self.report.end != FileEnd::Completed || self.signal.is_some_and(LoopSignal::has_ended)
    }

    /// Accounts for a record behind the end of the file, or for the one that has rejected it.
    fn settle_unreached(&mut self, record: &Record<'_>) {
        let id = self.place(record);
        let rejects = self.script.profile.rejects_whole_file
            && matches!(&self.report.end, FileEnd::Malformed { id: end } if *end == id);
        if let Some(defect) = record.defect.as_ref().filter(|_| rejects) {
            let problem = Problem::Malformed { error: defect.error.clone(), executed: false };
            self.settle(record, RecordOutcome::Failed(problem), ExtraCount::Nothing);
        } else if record.is_counted() {
            self.settle(record, RecordOutcome::NotReached, ExtraCount::Nothing);
        }
    }

    fn step(&mut self, step: &Step<'r>) {
        let record = step.record;
        if matches!(record.kind, RecordKind::Query(_)) && !self.takes_query() {
            return;
        }
        if step.role == StepRole::Judged && !self.has_ended() {
            self.pause(Some(record));
        }
        match (&step.role, self.has_ended()) {
            (StepRole::Judged | StepRole::LeftOut(_), true) => self.settle_unreached(record),
            (StepRole::SetUp | StepRole::Replayed, true) => {}
            (StepRole::Judged, false) => self.judge(record),
            (StepRole::LeftOut(left_out), false) => {
                self.report.left_out.push(left_out.clone());
                self.settle(record, RecordOutcome::Skipped(SkipReason::LeftOut), ExtraCount::Nothing);
            }
            (StepRole::SetUp, false) => self.prepare(record),
            (StepRole::Replayed, false) => self.replay(record),
        }
        if let Some(signal) = self.signal {
            if self.report.end != FileEnd::Completed {
                signal.end();
            }
            if self.skips == Some(SkipReason::Requirement) {
                signal.skip_rest();
            }
        }
    }

    /// Returns whether the next query is executed here, and not by another process.
    fn takes_query(&mut self) -> bool {
        let ended = self.has_ended();
        match &mut self.part.queries {
            Some(queries) => queries.takes(self.script, &self.options.labels, ended),
            None => true,
        }
    }

    fn judge(&mut self, record: &'r Record<'r>) {
        self.observer.record_started(&self.place(record));
        if let Some(reason) = self.skip_reason(record) {
            if record.is_counted() {
                self.settle(record, RecordOutcome::Skipped(reason), ExtraCount::Nothing);
            } else {
                self.observer.record_settled(&self.report.counts);
            }
            return;
        }
        match self.allows(record) {
            Ok(true) => {}
            Ok(false) => {
                return match hidden_text(record) {
                    Some(error) => {
                        let outcome = RecordOutcome::Failed(Problem::Malformed {
                            error: error.clone(),
                            executed: false,
                        });
                        self.settle(record, outcome, ExtraCount::Nothing);
                    }
                    None => self.skip(record),
                };
            }
            Err(problem) => return self.settle(record, RecordOutcome::Failed(problem), ExtraCount::Nothing),
        }
        if let Some(outcome) = self.execute(record) {
            let elapsed = self.state.processor.time().last;
            // The last time is that of another record, if this one was not executed.
            if outcome.was_executed() && record.sql().is_some() {
                let place = self.place(record);
                slow::enter(&mut self.report.slowest, record, place, elapsed);
                let kind = StatementKind::from_sql(sql_of(record, &mut Vec::new()));
                self.report.times.add(kind, elapsed);
            }
            self.settle(record, outcome, ExtraCount::Nothing);
        }
    }

    /// Executes a record for the judged one. It is not counted, but its failures are kept.
    fn prepare(&mut self, record: &'r Record<'r>) {
        let lints = self.report.lints.len();
        // The judged record may have been counted before, in an earlier iteration.
        let (counts, groups) = (self.report.counts, self.report.groups.clone());
        let book = std::mem::take(&mut self.groups);
        let failures = self.report.failures.len();
        self.judge(record);
        self.report.lints.truncate(lints);
        self.report.counts = counts;
        self.report.groups = groups;
        self.groups = book;
        let failures =
            self.report.failures.drain(failures..).map(|record| FailingRecord { group: None, ..record });
        self.report.setup_failures.extend(failures);
        self.observer.record_settled(&self.report.counts);
    }

    /// Executes a record that another slice accounts for.
    fn replay(&mut self, record: &'r Record<'r>) {
        self.observer.record_started(&self.place(record));
        if self.allows(record) == Ok(true)
            && let Some(RecordOutcome::Failed(Problem::Fault(fault))) = self.execute(record)
        {
            self.end_by(record, &fault);
        }
        self.observer.record_settled(&self.report.counts);
    }

    /// Leaves a record out. The expectation of a skipped query still speaks for its label.
    fn skip(&mut self, record: &'r Record<'r>) {
        if !record.is_counted() {
            self.report.counts.skipped += 1;
            self.report.counts.skipped_besides += 1;
            return self.observer.record_settled(&self.report.counts);
        }
        match self.skipped_label(record) {
            Some(mismatch) => {
                let outcome = RecordOutcome::Failed(Problem::Mismatch(mismatch));
                self.settle(record, outcome, ExtraCount::Skipped);
            }
            None => self.settle(record, RecordOutcome::Skipped(SkipReason::Condition), ExtraCount::Nothing),
        }
    }

    /// Adds the outcome of a record to the counts.
    fn settle(&mut self, record: &Record<'_>, outcome: RecordOutcome, also: ExtraCount) {
        self.stepping.settled(&outcome);
        let counts = &mut self.report.counts;
        counts.count(&outcome, outcome.was_executed() && also == ExtraCount::Nothing);
        if also == ExtraCount::Skipped {
            counts.skipped += 1;
            counts.skipped_besides += 1;
        }
        let correction = self.correction.take();
        if let RecordOutcome::Failed(problem) = outcome {
            if let Problem::Fault(fault) = &problem {
                self.end_by(record, fault);
            }
            let id = RecordId { line: self.line_of(record, &problem), ..self.place(record) };
            if self.script.profile.ends_at_failure && !self.has_ended() {
                self.report.end = FileEnd::AtFailure { id: id.clone() };
            }
            let group = self.groups.enter(&mut self.report.groups, &id, &problem);
            if id.iteration.is_some() && !self.listed_iterations.lists(&self.source, record.line) {
                return self.observer.record_settled(&self.report.counts);
            }
            let detail = (self.report.failures.len() < self.options.details.records)
                .then(|| Box::new(detail_of(self.script, record, problem)));
            let failure = FailingRecord { id, key: None, group: Some(group), detail };
            if let Some(correction) = correction {
                self.observer.correction_found(&failure.id, &correction);
            }
            self.observer.record_not_passed(&failure);
            self.report.failures.push(failure);
        }
        self.observer.record_settled(&self.report.counts);
    }

    /// Returns the line of a failing record in reports. DuckDB's runner names the line that it has read a malformed record
    /// up to.
    fn line_of(&self, record: &Record<'_>, problem: &Problem) -> u32 {
        let profile = self.script.profile;
        match problem {
            Problem::Malformed { error, .. } if profile.exact && profile.matcher == Matcher::Duckdb => {
                error.location.line
            }
            _ => record.line,
        }
    }

    /// Returns how many values of an unsorted result the verdict looks at: those that it compares one by one, and those
    /// that a mismatch shows.
    fn kept_values(&self, query: &Query<'r>) -> KeptValues {
        if self.observer.wants_corrections() {
            return KeptValues::All;
        }
        let listed = match &query.expected {
            QueryExpectation::Rows(listed) => listed.most_lines(),
            _ => 1,
        };
        let shown = values_to_keep(self.options.details, &self.report) as u64;
        KeptValues::First(listed.saturating_add(shown).saturating_add(1))
    }

    /// Ends the file after a fault, unless the session remains usable.
    fn end_by(&mut self, record: &Record<'_>, fault: &Fault) {
        if !matches!(fault, Fault::Adapter(_)) {
            self.report.end = FileEnd::Faulted { id: Some(self.place(record)), fault: fault.clone() };
        }
    }
}

/// Returns the place of the first record with a defect: first in the file itself, then in those that it includes.
fn first_defect(script: &Script<'_>, source: Option<&Arc<str>>) -> Option<RecordId> {
    let own = script.records().find(|record| record.defect.is_some());
    if let Some(record) = own {
        return Some(RecordId { source: source.cloned(), line: record.line, iteration: None });
    }
    let mut included = script.included.iter().flat_map(|included| &included.scripts);
    included.find_map(|script| first_defect(script, Some(&Arc::from(script.source.name()))))
}

/// Returns the SQL of a record, if it has any.
fn sql_of<'b>(record: &'b Record<'_>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
    record.sql().map_or(&[], |sql| sql.text(buffer))
}

/// Builds the details of a failing record.
pub fn detail_of(script: &Script<'_>, record: &Record<'_>, problem: Problem) -> FailureDetail {
    let mut buffer = Vec::new();
    let sql = sql_of(record, &mut buffer);
    FailureDetail {
        header: header_text(script.source.bytes(), record),
        sql: text_of(sql),
        problem,
        unhashed: None,
    }
}

/// Returns the number of values to keep: enough for the details of a record, or to classify the difference.
fn values_to_keep(limits: DetailLimits, report: &FileReport) -> usize {
    if report.failures.len() < limits.records { limits.values } else { limits.values.min(VALUES_OF_GROUP) }
}

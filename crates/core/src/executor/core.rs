//! One script against one engine, record by record.

pub(super) mod slow;

use super::environment::ExecutionState;
use super::evidence::{excerpt, expected_excerpt, header_text};
use super::keys::{record_keys, records_digest};
use super::label::{expected_digest, label_mismatch};
use super::observer::{Observer, Unobserved};
use super::program::{Program, Selection, hidden_text};
use super::record_processor::{QueryRun, RecordProcessor};
use super::settings::{DetailLimits, Options};
use super::slice::{SetUp, Slice, SliceReport};
use super::step::{Step, StepRole};
use super::verdict::{EvidenceLimits, judge, judge_statement};
use crate::engine::Engine;
use crate::location::text_of;
use crate::outcome::{
    Counts, FailingRecord, FailureDetail, Fault, FileEnd, FileProblem, FileReport, GroupBook, Mismatch,
    Problem, RecordId, RecordOutcome, SkipReason, VALUES_OF_GROUP,
};
use crate::parser::{
    Control, DefectEffect, Lint, ParseError, ParseErrorKind, Query, Record, RecordKind, Script, Statement,
    StepError, first_refusal,
};

/// Runs a script on a fresh database of `engine`.
///
/// Every record of the script that `selection` covers ends in exactly one outcome. The report calls the file by
/// the name of its source and has no time.
pub fn run_script(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    selection: Selection<'_>,
) -> FileReport {
    run_observed(script, engine, options, selection, &mut Unobserved)
}

/// Runs a script as [`run_script`] does, under the eyes of `observer`.
pub fn run_observed(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    selection: Selection<'_>,
    observer: &mut dyn Observer,
) -> FileReport {
    run_with(script, engine, options, selection, observer, None)
}

/// Executes all statements of a script on a fresh database of `engine`, and judges one slice of its queries.
///
/// The reports of all slices make the report of the file, see [`merge`](crate::executor::slice::merge()). Statements,
/// and everything else except queries, are accounted for by the first slice only. Where
/// [`may_split`](crate::executor::slice::may_split) says no, slices may find something else than a run of the whole
/// file.
pub fn run_slice(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    slice: Slice,
    observer: &mut dyn Observer,
) -> SliceReport {
    let mut set_up = SetUp::new(script);
    let selection = Selection::Slice(slice);
    let report = run_with(script, engine, options, selection, observer, Some(&mut set_up));
    SliceReport { slice, report, set_up: set_up.digest() }
}

fn run_with(
    script: &Script<'_>,
    engine: &dyn Engine,
    options: &Options,
    selection: Selection<'_>,
    observer: &mut dyn Observer,
    set_up: Option<&mut SetUp>,
) -> FileReport {
    let program = Program::new(script, selection, &options.labels);
    let mut report = FileReport::new(script.source.name(), FileEnd::Completed);
    report.lints.clone_from(&program.lints);
    match RecordProcessor::open(engine, script.profile.renderer, options.record_timeout) {
        Ok(processor) => {
            let environment = ExecutionState::new(processor, script.profile, options);
            let groups = GroupBook::default();
            let runner = FileRunner { script, options, environment, report, groups, observer, set_up };
            runner.run(&program)
        }
        Err(error) => {
            report.counts.total = program.total();
            report.counts.not_reached = report.counts.total;
            report.end = FileEnd::NotStarted(FileProblem::Engine(error.to_string()));
            report
        }
    }
}

struct FileRunner<'r, 's> {
    script: &'r Script<'s>,
    options: &'r Options,
    environment: ExecutionState<'s>,
    report: FileReport,
    groups: GroupBook,
    observer: &'r mut dyn Observer,
    /// Digests the results of statements, when a slice is run.
    set_up: Option<&'r mut SetUp>,
}

/// A contribution of a record to the counts besides its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExtraCount {
    Nothing,
    /// The record was skipped, and is in the count of skips as well.
    Skipped,
}

impl<'r, 's> FileRunner<'r, 's> {
    fn run(mut self, program: &Program<'r, 's>) -> FileReport {
        program.steps.iter().for_each(|step| self.step(step));
        // The parser's come first, and then those of the records.
        self.report.lints.sort_by_key(|lint| lint.line);
        self.name_failures();
        self.report.records = Some(records_digest(self.script));
        self.report.engine_time = Some(self.environment.processor.time().total);
        slow::write_sql(&mut self.report.slowest, self.script);
        debug_assert!(self.report.counts.add_up(), "{:?}", self.report.counts);
        if let Err(error) = self.environment.processor.close() {
            self.observer.database_not_closed(&error);
        }
        self.report
    }

    /// Adds the keys of failing records, which need the whole script.
    fn name_failures(&mut self) {
        let lines: Vec<_> = self.report.failures.iter().map(|record| record.id.line).collect();
        let keys = record_keys(self.script, &lines);
        self.report.failures.iter_mut().zip(keys).for_each(|(record, key)| record.key = key);
    }

    fn has_ended(&self) -> bool {
        self.report.end != FileEnd::Completed
    }

    fn settle_unreached(&mut self, record: &Record<'s>) {
        if record.is_counted() {
            self.settle(record, RecordOutcome::NotReached, ExtraCount::Nothing);
        }
    }

    fn step(&mut self, step: &Step<'r, 's>) {
        let record = step.record;
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
    }

    fn judge(&mut self, record: &'r Record<'s>) {
        self.observer.record_started(&RecordId::at(record.line));
        if !self.allows(record) {
            return match hidden_text(record) {
                Some(error) => {
                    let outcome =
                        RecordOutcome::Failed(Problem::Malformed { error: error.clone(), executed: false });
                    self.settle(record, outcome, ExtraCount::Nothing);
                }
                None => self.skip(record),
            };
        }
        if let Some(outcome) = self.execute(record) {
            slow::enter(&mut self.report.slowest, record, self.environment.processor.time().last);
            self.settle(record, outcome, ExtraCount::Nothing);
        }
    }

    /// Executes a record for the judged one. It is not counted, but its failures are kept.
    fn prepare(&mut self, record: &'r Record<'s>) {
        let lints = self.report.lints.len();
        self.judge(record);
        self.report.lints.truncate(lints);
        self.report.counts = Counts::default();
        self.report.groups.clear();
        self.groups = GroupBook::default();
        let failures = self.report.failures.drain(..).map(|record| FailingRecord { group: None, ..record });
        self.report.setup_failures.extend(failures);
        self.observer.record_settled(&self.report.counts);
    }

    /// Executes a record that another slice accounts for.
    fn replay(&mut self, record: &'r Record<'s>) {
        self.observer.record_started(&RecordId::at(record.line));
        if self.allows(record)
            && let Some(RecordOutcome::Failed(Problem::Fault(fault))) = self.execute(record)
        {
            self.end_by(record.line, &fault);
        }
        self.observer.record_settled(&self.report.counts);
    }

    /// Returns whether the conditions of a record let it run.
    fn allows(&self, record: &Record<'_>) -> bool {
        first_refusal(&record.conditions, &self.options.labels).is_none()
    }

    /// Executes a record. A valid control record has no outcome.
    fn execute(&mut self, record: &'r Record<'s>) -> Option<RecordOutcome> {
        Some(match (&record.defect, &record.kind) {
            (Some(defect), _) => self.malformed(record, defect.effect),
            (None, RecordKind::Statement(statement)) => self.statement(record.line, statement),
            (None, RecordKind::Query(query)) => self.query(record, query),
            (None, RecordKind::Control(control)) => {
                self.control(record.line, *control);
                return None;
            }
            // Unknown text always has a defect.
            (None, RecordKind::Unknown) => return None,
        })
    }

    fn control(&mut self, line: u32, control: Control) {
        match control {
            Control::HashThreshold(threshold) => {
                self.environment.set_threshold(threshold);
            }
            Control::Halt => self.report.end = FileEnd::Halted { id: RecordId::at(line) },
        }
    }

    /// Leaves a record out. The expectation of a skipped query still speaks for its label.
    fn skip(&mut self, record: &'r Record<'s>) {
        if !record.is_counted() {
            self.report.counts.skipped += 1;
            self.report.counts.skipped_besides += 1;
            return self.observer.record_settled(&self.report.counts);
        }
        if let (RecordKind::Query(query), None) = (&record.kind, &record.defect)
            && let Some(label) = query.label
            && let Some(digest) = expected_digest(query)
        {
            let limit = self.script.profile.label_limits.skipped;
            if let Some(first) = self.environment.labels.enter(label, limit, digest, record.line) {
                let kept = values_to_keep(self.options.details, &self.report);
                let rows = expected_excerpt(&query.expected, 0, kept);
                let mismatch = label_mismatch(query, label, first, digest, rows);
                let outcome = RecordOutcome::Failed(Problem::Mismatch(mismatch));
                return self.settle(record, outcome, ExtraCount::Skipped);
            }
        }
        self.settle(record, RecordOutcome::Skipped(SkipReason::Condition), ExtraCount::Nothing);
    }

    fn malformed(&mut self, record: &'r Record<'s>, effect: DefectEffect) -> RecordOutcome {
        let mut executed = false;
        match effect {
            DefectEffect::Dropped => {}
            DefectEffect::EndsFile => self.report.end = FileEnd::Malformed { id: RecordId::at(record.line) },
            DefectEffect::SqlRuns => {
                let outcome = match &record.kind {
                    RecordKind::Statement(statement) => self.statement(record.line, statement),
                    RecordKind::Query(query) => self.query(record, query),
                    _ => RecordOutcome::NotReached,
                };
                if let RecordOutcome::Failed(Problem::Fault(_) | Problem::TimedOut { .. }) = outcome {
                    return outcome;
                }
                executed = outcome.was_executed();
            }
        }
        match &record.defect {
            Some(defect) => {
                RecordOutcome::Failed(Problem::Malformed { error: defect.error.clone(), executed })
            }
            None => RecordOutcome::NotReached,
        }
    }

    fn statement(&mut self, line: u32, statement: &Statement<'s>) -> RecordOutcome {
        let result = self.environment.processor.statement(&statement.sql);
        if let Some(set_up) = &mut self.set_up {
            set_up.enter(line, &result);
        }
        let result = match result {
            Ok(result) => result,
            Err(problem) => return RecordOutcome::Failed(problem),
        };
        match judge_statement(&statement.expected, result) {
            Ok(()) => RecordOutcome::Passed,
            Err(problem) => RecordOutcome::Failed(problem),
        }
    }

    fn query(&mut self, record: &Record<'s>, query: &Query<'s>) -> RecordOutcome {
        let strict = self.script.profile.refuses_unused_text;
        let run = match self.environment.processor.query(query, strict) {
            Ok(run) => run,
            Err(problem) => return RecordOutcome::Failed(problem),
        };
        let has_more_sql = run.has_more_sql;
        match self.judge_query(record, query, run) {
            Ok(()) if has_more_sql => {
                let location = self.script.source.at(record.line);
                let error = ParseError { location, kind: ParseErrorKind::MoreThanOneStatement };
                RecordOutcome::Failed(Problem::Malformed { error, executed: true })
            }
            Ok(()) => RecordOutcome::Passed,
            Err(problem) => RecordOutcome::Failed(problem),
        }
    }

    fn judge_query(&mut self, record: &Record<'s>, query: &Query<'s>, run: QueryRun) -> Result<(), Problem> {
        let profile = self.script.profile;
        let columns = query.types.len();
        if let Some(error) = run.error {
            match (run.columns == Some(columns), profile.step_error) {
                (true, StepError::EndsRows) => {}
                (true, StepError::Fails) => return Err(Problem::UnexpectedError { error, after_rows: true }),
                (false, _) => return Err(Problem::UnexpectedError { error, after_rows: false }),
            }
        }
        // Text without a statement in it has no columns either.
        let actual = run.columns.unwrap_or(0);
        if actual != columns {
            return Err(Problem::Mismatch(Mismatch::ColumnCount { expected: columns, actual }));
        }
        let threshold = self.environment.threshold();
        let output = self.environment.processor.output(query);
        let limit = values_to_keep(self.options.details, &self.report);
        let evidence = EvidenceLimits { columns, values: limit };
        let verdict = judge(profile.matcher, &query.expected, &output, threshold, evidence);
        // The label gets the result independently of the verdict on the values.
        let contradiction = query.label.and_then(|label| {
            let digest = output.digest();
            let first =
                self.environment.labels.enter(label, profile.label_limits.executed, digest, record.line)?;
            Some(label_mismatch(query, label, first, digest, excerpt(output.lines(), 0, limit)))
        });
        if let Some(kind) = verdict.map_err(Problem::Mismatch)? {
            self.report.lints.push(Lint { line: record.line, kind });
        }
        contradiction.map_or(Ok(()), |mismatch| Err(Problem::Mismatch(mismatch)))
    }

    /// Adds the outcome of a record to the counts.
    fn settle(&mut self, record: &Record<'s>, outcome: RecordOutcome, also: ExtraCount) {
        let counts = &mut self.report.counts;
        counts.count(&outcome, outcome.was_executed() && also == ExtraCount::Nothing);
        if also == ExtraCount::Skipped {
            counts.skipped += 1;
            counts.skipped_besides += 1;
        }
        if let RecordOutcome::Failed(problem) = outcome {
            if let Problem::Fault(fault) = &problem {
                self.end_by(record.line, fault);
            }
            let id = RecordId::at(record.line);
            let group = self.groups.enter(&mut self.report.groups, &id, &problem);
            let detail = (self.report.failures.len() < self.options.details.records)
                .then(|| Box::new(detail_of(self.script, record, problem)));
            let failure = FailingRecord { id, key: None, group: Some(group), detail };
            self.observer.record_not_passed(&failure);
            self.report.failures.push(failure);
        }
        self.observer.record_settled(&self.report.counts);
    }

    /// Ends the file after a fault, unless the session remains usable.
    fn end_by(&mut self, line: u32, fault: &Fault) {
        if !matches!(fault, Fault::Adapter(_)) {
            self.report.end = FileEnd::Faulted { id: Some(RecordId::at(line)), fault: fault.clone() };
        }
    }
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

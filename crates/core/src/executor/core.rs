//! One script against one engine, record by record.

pub(super) mod slow;

use std::time::Duration;

use super::environment::Environment;
use super::evidence::{excerpt, expected_excerpt, failure, header_text};
use super::keys::{record_keys, records_digest};
use super::label::{expected_digest, label_failure};
use super::observer::{Observer, Unobserved};
use super::program::{Program, Role, Selection, Step, hidden_text};
use super::record_processor::{NotJudged, QueryRun, RecordProcessor};
use super::slice::{SetUp, Slice, SliceReport};
use super::verdict::{judge, judge_statement};
use crate::engine::Engine;
use crate::location::text_of;
use crate::outcome::{
    Counts, Failure, FailureDetail, Fault, FileEnd, FileProblem, FileReport, GroupBook, Mark, NotPassed,
    RecordKey, RecordOutcome, SkipReason, VALUES_OF_GROUP,
};
use crate::parser::{
    Control, DefectEffect, Lint, ParseError, ParseErrorKind, Query, Record, RecordKind, Script, Statement,
    StepError, first_refusal,
};

/// How scripts are executed.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Options {
    /// The labels for `skipif` and `onlyif`.
    pub labels: Vec<String>,
    /// A hash threshold that wins over the files' own.
    pub threshold: Option<u64>,
    /// How long a record may take. An engine that can be interrupted continues with the next record then.
    pub record_timeout: Option<Duration>,
    /// How much of a failing record is kept.
    pub details: DetailLimits,
}

/// The limits of details about failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DetailLimits {
    /// Records of a file with details; further ones are listed by their line.
    pub records: usize,
    /// Values of a result.
    pub values: usize,
}

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
/// and whatever else is not a query, are accounted for by the first slice only. Where
/// [`may_split`](crate::executor::slice::may_split) says no, slices may find something else than a run of the whole
/// file.
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
            let environment = Environment::new(processor, script.profile, options);
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
    environment: Environment<'s>,
    report: FileReport,
    groups: GroupBook,
    observer: &'r mut dyn Observer,
    /// Digests the results of statements, when a slice is run.
    set_up: Option<&'r mut SetUp>,
}

/// A contribution of a record to the counts besides its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Also {
    Nothing,
    /// The record was skipped, and is in the count of skips as well.
    Skipped,
}

impl<'r, 's> FileRunner<'r, 's> {
    fn run(mut self, program: &Program<'r, 's>) -> FileReport {
        program.steps.iter().for_each(|step| self.step(step));
        // The parser's come first, and then those of the records.
        self.report.lints.sort_by_key(|lint| lint.line);
        self.name_marks();
        self.report.records = Some(records_digest(self.script));
        self.report.engine_time = Some(self.environment.processor.time().total);
        slow::write_sql(&mut self.report.slowest, self.script);
        debug_assert!(self.report.counts.add_up(), "{:?}", self.report.counts);
        if let Err(error) = self.environment.processor.close() {
            self.observer.database_not_closed(&error);
        }
        self.report
    }

    /// Keys need the whole script, and are only wanted where something has failed.
    fn name_marks(&mut self) {
        let keys = record_keys(self.script, &self.report.failing);
        self.report.marks.iter_mut().zip(keys).for_each(|(mark, key)| mark.key = key);
    }

    fn has_ended(&self) -> bool {
        self.report.end != FileEnd::Completed
    }

    fn settle_unreached(&mut self, record: &Record<'s>) {
        if record.is_counted() {
            self.settle(record, RecordOutcome::NotReached, Also::Nothing);
        }
    }

    fn step(&mut self, step: &Step<'r, 's>) {
        let record = step.record;
        match (step.role, self.has_ended()) {
            (Role::Judged | Role::LeftOut(_), true) => self.settle_unreached(record),
            (Role::SetUp | Role::Replayed, true) => {}
            (Role::Judged, false) => self.judge(record),
            (Role::LeftOut(left_out), false) => {
                self.report.left_out.push(left_out);
                self.settle(record, RecordOutcome::Skipped(SkipReason::LeftOut), Also::Nothing);
            }
            (Role::SetUp, false) => self.prepare(record),
            (Role::Replayed, false) => self.replay(record),
        }
    }

    fn judge(&mut self, record: &'r Record<'s>) {
        self.observer.record_started(record.line);
        if !self.allows(record) {
            return match hidden_text(record) {
                Some(error) => {
                    let outcome = RecordOutcome::Malformed { error: error.clone(), executed: false };
                    self.settle(record, outcome, Also::Nothing);
                }
                None => self.skip(record),
            };
        }
        if let Some(outcome) = self.execute(record) {
            slow::enter(&mut self.report.slowest, record, self.environment.processor.time().last);
            self.settle(record, outcome, Also::Nothing);
        }
    }

    /// Executes a record for the judged one. It is not counted, but its failures are kept.
    fn prepare(&mut self, record: &'r Record<'s>) {
        let lints = self.report.lints.len();
        self.judge(record);
        self.report.lints.truncate(lints);
        self.report.counts = Counts::default();
        self.report.failing.clear();
        self.report.marks.clear();
        self.report.groups.clear();
        self.groups = GroupBook::default();
        self.report.setup_failures.append(&mut self.report.details);
        self.observer.record_settled(&self.report.counts);
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
            Control::Halt => self.report.end = FileEnd::Halted { line },
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
                let failure = label_failure(query, label, first, digest, rows);
                return self.settle(record, RecordOutcome::Failed(failure), Also::Skipped);
            }
        }
        self.settle(record, RecordOutcome::Skipped(SkipReason::Condition), Also::Nothing);
    }

    fn malformed(&mut self, record: &'r Record<'s>, effect: DefectEffect) -> RecordOutcome {
        let mut executed = false;
        match effect {
            DefectEffect::Dropped => {}
            DefectEffect::EndsFile => self.report.end = FileEnd::Malformed { line: record.line },
            DefectEffect::SqlRuns => {
                let outcome = match &record.kind {
                    RecordKind::Statement(statement) => self.statement(record.line, statement),
                    RecordKind::Query(query) => self.query(record, query),
                    _ => RecordOutcome::NotReached,
                };
                if let RecordOutcome::Faulted(_) | RecordOutcome::TimedOut { .. } = outcome {
                    return outcome;
                }
                executed = matches!(outcome, RecordOutcome::Passed | RecordOutcome::Failed(_));
            }
        }
        match &record.defect {
            Some(defect) => RecordOutcome::Malformed { error: defect.error.clone(), executed },
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
            Err(not_judged) => return outcome_of(not_judged),
        };
        match judge_statement(&statement.expected, result) {
            Ok(()) => RecordOutcome::Passed,
            Err(failure) => RecordOutcome::Failed(failure),
        }
    }

    fn query(&mut self, record: &Record<'s>, query: &Query<'s>) -> RecordOutcome {
        let strict = self.script.profile.refuses_unused_text;
        let run = match self.environment.processor.query(query, strict) {
            Ok(run) => run,
            Err(not_judged) => return outcome_of(not_judged),
        };
        let has_more_sql = run.has_more_sql;
        match self.judge_query(record, query, run) {
            Ok(()) if has_more_sql => {
                let location = self.script.source.at(record.line);
                let error = ParseError { location, kind: ParseErrorKind::MoreThanOneStatement };
                RecordOutcome::Malformed { error, executed: true }
            }
            Ok(()) => RecordOutcome::Passed,
            Err(failure) => RecordOutcome::Failed(failure),
        }
    }

    fn judge_query(&mut self, record: &Record<'s>, query: &Query<'s>, run: QueryRun) -> Result<(), Failure> {
        let profile = self.script.profile;
        let columns = query.types.len();
        if let Some(error) = run.error {
            match (run.columns == Some(columns), profile.step_error) {
                (true, StepError::EndsRows) => {}
                (true, StepError::Fails) => return Err(Failure::ErrorAmidRows(error)),
                (false, _) => return Err(Failure::UnexpectedError(error)),
            }
        }
        // Text without a statement in it has no columns either.
        let actual = run.columns.unwrap_or(0);
        if actual != columns {
            return Err(Failure::ColumnCountDiffers { expected: columns, actual });
        }
        let threshold = self.environment.threshold();
        let output = self.environment.processor.output(query);
        let verdict = judge(profile.matcher, &query.expected, &output, threshold);
        let limit = values_to_keep(self.options.details, &self.report);
        let verdict = verdict.map_err(|mismatch| failure(mismatch, &query.expected, &output, columns, limit));
        // The label gets the result independently of the verdict on the values.
        let contradiction = query.label.and_then(|label| {
            let digest = output.digest();
            let first =
                self.environment.labels.enter(label, profile.label_limits.executed, digest, record.line)?;
            Some(label_failure(query, label, first, digest, excerpt(output.lines(), 0, limit)))
        });
        if let Some(kind) = verdict? {
            self.report.lints.push(Lint { line: record.line, kind });
        }
        contradiction.map_or(Ok(()), Err)
    }

    /// Adds the outcome of a record to the counts.
    fn settle(&mut self, record: &Record<'s>, outcome: RecordOutcome, also: Also) {
        if let Some(what) = self.count(record, outcome, also) {
            self.report.failing.push(record.line);
            let group = self.groups.enter(&mut self.report.groups, record.line, &what);
            self.report.marks.push(Mark { key: RecordKey::default(), group });
            let detail = (self.report.details.len() < self.options.details.records)
                .then(|| detail_of(self.script, record, what));
            self.observer.record_not_passed(record.line, detail.as_ref());
            self.report.details.extend(detail);
        }
        self.observer.record_settled(&self.report.counts);
    }

    fn count(&mut self, record: &Record<'s>, outcome: RecordOutcome, also: Also) -> Option<NotPassed> {
        let counts = &mut self.report.counts;
        counts.total += 1;
        if also == Also::Skipped {
            counts.skipped += 1;
            counts.skipped_besides += 1;
        }
        Some(match outcome {
            RecordOutcome::Passed => {
                counts.executed += 1;
                counts.passed += 1;
                return None;
            }
            RecordOutcome::Skipped(_) => {
                counts.skipped += 1;
                return None;
            }
            RecordOutcome::NotReached => {
                counts.not_reached += 1;
                return None;
            }
            RecordOutcome::Failed(failure) => {
                counts.executed += u64::from(also == Also::Nothing);
                counts.failed += 1;
                NotPassed::Failed(failure)
            }
            RecordOutcome::Unsupported(why) => {
                counts.unsupported += 1;
                NotPassed::Unsupported(why)
            }
            RecordOutcome::TimedOut { after } => {
                counts.executed += 1;
                counts.timed_out += 1;
                NotPassed::TimedOut { after }
            }
            RecordOutcome::Malformed { error, executed } => {
                counts.executed += u64::from(executed);
                counts.malformed += 1;
                NotPassed::Malformed(error)
            }
            RecordOutcome::Faulted(fault) => {
                counts.executed += 1;
                counts.faulted += 1;
                self.end_by(record.line, &fault);
                NotPassed::Faulted(fault)
            }
        })
    }

    /// After most faults the session is of no further use.
    fn end_by(&mut self, line: u32, fault: &Fault) {
        if !matches!(fault, Fault::Adapter(_)) {
            self.report.end = FileEnd::Faulted { line: Some(line), fault: fault.clone() };
        }
    }
}

/// Returns the SQL of a record, if it has any.
fn sql_of<'b>(record: &'b Record<'_>, buffer: &'b mut Vec<u8>) -> &'b [u8] {
    record.sql().map_or(&[], |sql| sql.text(buffer))
}

/// Builds the details of a failing record.
pub fn detail_of(script: &Script<'_>, record: &Record<'_>, what: NotPassed) -> FailureDetail {
    let mut buffer = Vec::new();
    let sql = sql_of(record, &mut buffer);
    FailureDetail {
        line: record.line,
        header: header_text(script.source.bytes(), record),
        sql: text_of(sql),
        what,
        unhashed: None,
    }
}

/// Values are kept only for a record with details; for others, enough to classify the difference.
fn values_to_keep(limits: DetailLimits, report: &FileReport) -> usize {
    if report.details.len() < limits.records { limits.values } else { limits.values.min(VALUES_OF_GROUP) }
}

fn outcome_of(not_judged: NotJudged) -> RecordOutcome {
    match not_judged {
        NotJudged::Unsupported(why) => RecordOutcome::Unsupported(why),
        NotJudged::Fault(fault) => RecordOutcome::Faulted(fault),
        NotJudged::TimedOut(after) => RecordOutcome::TimedOut { after },
    }
}

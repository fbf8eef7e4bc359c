//! The order of execution: loops, included files, skipped parts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::concurrent::{LoopSignal, session_name};
use super::{ExtraCount, FileRunner};
use crate::executor::program::included_steps;
use crate::executor::step::{Step, StepRole};
use crate::location::text_of;
use crate::outcome::{Problem, RecordOutcome, SkipReason};
use crate::parser::{
    Comparison, ComparisonOperator, Condition, ConditionKind, Control, Loop, LoopValues, ParseErrorKind,
    Record, RecordKind,
};

/// A loop in execution.
pub(super) struct LoopFrame<'r> {
    /// The step after the one that begins it.
    body: usize,
    variables: &'r [&'r [u8]],
    values: Arc<FrameValues<'r>>,
    /// The next iteration, counted from 0.
    next: u64,
    /// The number of iterations.
    pub(super) count: u64,
    /// The number of variables that the iteration has.
    pub(super) entered: usize,
    /// Whether each iteration has a connection of its own.
    pub(super) concurrent: bool,
    /// Why records were skipped outside of the loop.
    skips: Option<SkipReason>,
}

/// The values of a loop in execution.
enum FrameValues<'r> {
    /// This many numbers, from the first one on.
    Numbers { first: i64, count: u64 },
    /// Those in the text.
    Tuples(&'r [Vec<Cow<'r, [u8]>>]),
    /// Those of a variable of the engine.
    List(Vec<Vec<u8>>),
}

impl<'r> LoopFrame<'r> {
    /// Returns a loop with only one of the iterations, which has a session of its own already.
    pub(super) fn only(&self, iteration: u64) -> Self {
        Self {
            body: self.body,
            variables: self.variables,
            values: Arc::clone(&self.values),
            next: iteration,
            count: iteration + 1,
            entered: 0,
            concurrent: false,
            skips: None,
        }
    }
}

impl FrameValues<'_> {
    fn count(&self) -> u64 {
        match self {
            Self::Numbers { count, .. } => *count,
            Self::Tuples(tuples) => tuples.len() as u64,
            Self::List(values) => values.len() as u64,
        }
    }

    /// Returns the values of an iteration, one for each variable.
    fn of(&self, iteration: u64) -> Vec<Cow<'_, [u8]>> {
        let index = usize::try_from(iteration).unwrap_or(usize::MAX);
        match self {
            Self::Numbers { first, .. } => {
                vec![Cow::Owned(first.saturating_add_unsigned(iteration).to_string().into_bytes())]
            }
            Self::Tuples(tuples) => tuples.get(index).cloned().unwrap_or_default(),
            Self::List(values) => {
                values.get(index).map(|value| Cow::Borrowed(value.as_slice())).into_iter().collect()
            }
        }
    }
}

/// The failing iterations of one record that are listed. A loop may have millions.
const MOST_ITERATIONS: u32 = 1_000;

/// The number of failing iterations, by source and line of the record.
#[derive(Default)]
pub(super) struct ListedIterations(HashMap<(Option<Arc<str>>, u32), u32>);

impl ListedIterations {
    /// Returns whether another failing iteration of the record on `line` is listed. All are counted.
    pub(super) fn lists(&mut self, source: &Option<Arc<str>>, line: u32) -> bool {
        let listed = self.0.entry((source.clone(), line)).or_insert(0);
        *listed += 1;
        *listed <= MOST_ITERATIONS
    }
}

impl<'r> FileRunner<'r> {
    /// Executes the steps of a script, or of the scripts that it includes.
    pub(super) fn run_steps(&mut self, steps: &[Step<'r>]) {
        self.run_from(steps, 0, Vec::new());
    }

    /// Executes one iteration of a concurrent loop; returns the step behind the loop.
    pub(super) fn run_iteration(&mut self, steps: &[Step<'r>], frame: LoopFrame<'r>) -> usize {
        let mut frames = vec![frame];
        let body = self.begin_iteration(&mut frames);
        self.run_from(steps, body, frames)
    }

    /// Executes steps up to the end of the outermost loop in `frames`, or all. Returns the step behind the last.
    fn run_from(&mut self, steps: &[Step<'r>], mut at: usize, mut frames: Vec<LoopFrame<'r>>) -> usize {
        let is_in_loop = !frames.is_empty();
        while let Some(step) = steps.get(at) {
            at += 1;
            let record = step.record;
            match &record.kind {
                RecordKind::Control(Control::Loop(_) | Control::EndLoop) if self.skips_by_mode() => {}
                RecordKind::Control(Control::Loop(_)) if record.defect.is_some() => {
                    self.step(step);
                    at = self.pass_over(steps, at);
                }
                RecordKind::Control(control) if record.defect.is_none() => match control {
                    Control::Loop(one) => match self.begin_loop(step, one, at, &mut frames) {
                        Ok(_) if frames.len() == 1 && self.stops_at_reading(steps, at) => return steps.len(),
                        Ok(body) => at = self.run_at_once(steps, record.line, &mut frames).unwrap_or(body),
                        Err(problem) => {
                            self.settle(record, RecordOutcome::Failed(problem), ExtraCount::Nothing);
                            at = self.pass_over(steps, at);
                        }
                    },
                    Control::EndLoop => {
                        at = self.end_iteration(at, &mut frames);
                        if is_in_loop && frames.is_empty() {
                            return at;
                        }
                    }
                    Control::Continue if self.runs(step) => {
                        // The records up to the end of the iteration are skipped.
                        self.skips = self.skips.or(Some(SkipReason::Condition));
                    }
                    Control::Include(_) => self.include(step),
                    _ => self.step(step),
                },
                _ => self.step(step),
            }
        }
        at
    }

    /// Returns whether a control record that has no outcome takes effect.
    fn runs(&mut self, step: &Step<'r>) -> bool {
        !self.has_ended() && self.skip_reason(step.record).is_none() && self.allows(step.record) == Ok(true)
    }

    fn begin_loop(
        &mut self,
        step: &Step<'r>,
        one: &'r Loop<'r>,
        body: usize,
        frames: &mut Vec<LoopFrame<'r>>,
    ) -> Result<usize, Problem> {
        let skips = self.skips;
        if !self.has_ended() && skips.is_none() && !self.runs(step) {
            self.skips = Some(SkipReason::Condition);
        }
        let values = match &one.values {
            LoopValues::Range { start, end } => FrameValues::Numbers {
                first: *start,
                count: end.saturating_sub(*start).max(1).unsigned_abs(),
            },
            LoopValues::Tuples(tuples) => FrameValues::Tuples(tuples),
            // What is skipped has no values, and its records have one outcome each.
            LoopValues::EngineVariable { .. } if self.has_ended() || self.skips.is_some() => {
                FrameValues::List(Vec::new())
            }
            LoopValues::EngineVariable { connection, name } => {
                FrameValues::List(self.engine_list(*connection, name)?)
            }
        };
        let (variables, concurrent) = (one.variables.as_slice(), one.concurrent);
        let (count, values) = (values.count(), Arc::new(values));
        frames.push(LoopFrame { body, variables, values, next: 0, count, entered: 0, concurrent, skips });
        Ok(self.begin_iteration(frames))
    }

    /// Enters the next iteration of the innermost loop.
    fn begin_iteration(&mut self, frames: &mut Vec<LoopFrame<'r>>) -> usize {
        let Some(frame) = frames.last_mut() else { return 0 };
        let values = frame.values.of(frame.next);
        frame.entered = frame.variables.len().min(values.len());
        for (name, value) in frame.variables.iter().zip(&values) {
            self.state.rules.variables.enter_loop(name, value);
        }
        if frame.concurrent {
            self.state.rules.own_connection = Some(session_name(frame.next));
        }
        frame.next += 1;
        self.enter_scope();
        frame.body
    }

    /// Ends an iteration; returns the next step.
    fn end_iteration(&mut self, behind: usize, frames: &mut Vec<LoopFrame<'r>>) -> usize {
        let Some(frame) = frames.last() else { return behind };
        self.state.rules.variables.leave_loop(frame.entered);
        let is_last = frame.next >= frame.count;
        // A `continue` reaches to the end of its iteration only, but a missing requirement to the end of the file.
        if self.skips == Some(SkipReason::Condition) && (is_last || frame.skips.is_none()) {
            self.skips = frame.skips;
        }
        if frame.concurrent {
            // A later iteration with this name, of another loop, has a session of its own.
            self.state.processor.end_connection(&session_name(frame.next - 1));
        }
        if !is_last {
            return self.begin_iteration(frames);
        }
        if frame.concurrent {
            self.state.rules.own_connection = None;
        }
        frames.pop();
        self.enter_scope();
        behind
    }

    /// Leaves out the records of a loop that cannot be executed; returns the step behind it.
    fn pass_over(&mut self, steps: &[Step<'r>], body: usize) -> usize {
        let mut depth = 1;
        let mut at = body;
        while let Some(step) = steps.get(at).filter(|_| depth > 0) {
            at += 1;
            match step.record.kind {
                RecordKind::Control(Control::Loop(_)) => depth += 1,
                RecordKind::Control(Control::EndLoop) => depth -= 1,
                _ => {}
            }
            if step.role == StepRole::Judged {
                self.settle_unreached(step.record);
            }
        }
        at
    }

    /// Ends the file at the first malformed record of an outermost loop: DuckDB's runner reads a loop as a whole before
    /// it executes anything of it. Returns whether there is one.
    fn stops_at_reading(&mut self, steps: &[Step<'r>], body: usize) -> bool {
        if !self.script.profile.exact || self.has_ended() || self.skips.is_some() {
            return false;
        }
        let (mut depth, mut at, mut skips) = (1, body, 0_u32);
        while let Some(step) = steps.get(at).filter(|_| depth > 0) {
            let record = step.record;
            let is_hidden = skips > 0 && !hides_text(record);
            if record.defect.is_some() && !is_hidden && self.allows(record) == Ok(true) {
                steps[body..at].iter().for_each(|step| self.settle_unreached(step.record));
                self.run_steps(&steps[at..]);
                return true;
            }
            at += 1;
            match record.kind {
                RecordKind::Control(Control::BeginSkip) => skips += 1,
                RecordKind::Control(Control::EndSkip) => skips = skips.saturating_sub(1),
                RecordKind::Control(Control::Loop(_)) if skips == 0 => depth += 1,
                RecordKind::Control(Control::EndLoop) if skips == 0 => depth -= 1,
                _ => {}
            }
        }
        false
    }

    pub(super) fn skips_by_mode(&self) -> bool {
        self.state.rules.skips > 0
    }

    /// Tells the observer where the following records are.
    pub(super) fn enter_scope(&mut self) {
        self.iteration = self.state.rules.variables.iteration().map(Arc::from);
        self.observer.scope_entered(self.source.as_ref(), self.iteration.as_ref());
    }

    /// Executes the files that a record includes.
    fn include(&mut self, step: &Step<'r>) {
        let record = step.record;
        let skips = self.skips;
        if matches!(step.role, StepRole::LeftOut(_)) || !self.has_ended() && !self.runs(step) {
            self.skips = self.skips.or(Some(SkipReason::Condition));
        }
        let (script, source) = (self.script, self.source.clone());
        let found = script.included.iter().filter(|included| included.line == record.line);
        for included in found.flat_map(|included| &included.scripts) {
            self.script = included;
            self.source = Some(Arc::from(included.source.name()));
            self.enter_scope();
            self.run_steps(&included_steps(included, &step.role));
        }
        (self.script, self.source) = (script, source);
        self.enter_scope();
        if self.skips == Some(SkipReason::Condition) {
            self.skips = skips;
        }
    }

    /// Returns why a record is skipped, apart from its conditions.
    pub(super) fn skip_reason(&self, record: &Record<'_>) -> Option<SkipReason> {
        let ends_skip = matches!(record.kind, RecordKind::Control(Control::BeginSkip | Control::EndSkip));
        let by_mode = (self.skips_by_mode() && !ends_skip && !hides_text(record)).then_some(SkipReason::Mode);
        let by_others = self.signal.is_some_and(LoopSignal::skips_rest).then_some(SkipReason::Requirement);
        self.skips.or(by_mode).or(by_others)
    }

    /// Returns whether the conditions of a record let it run.
    pub(super) fn allows(&self, record: &Record<'r>) -> Result<bool, Problem> {
        let has_gaps = self.script.profile.has_gaps_of_rs();
        if has_gaps && self.cannot_replace(record) {
            return Ok(true);
        }
        for condition in &record.conditions {
            let allowed = match &condition.comparison {
                None if has_gaps => condition.allows_exactly(self.labels_of_rs(record)),
                None => condition.allows(&self.script.profile.own_labels(&self.options.labels)),
                Some(comparison) => self.compares(condition, comparison)?,
            };
            if !allowed {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether the SQL of a record has a variable without a value. In sqllogictest-rs it fails then, even if its
    /// conditions leave it out.
    fn cannot_replace(&self, record: &Record<'r>) -> bool {
        !record.conditions.is_empty() && record.sql().is_some_and(|sql| self.replaced_sql(sql).is_err())
    }

    /// Returns the labels that the conditions of a record see in sqllogictest-rs: those of commands do not see the
    /// engine's own ones.
    fn labels_of_rs(&self, record: &Record<'r>) -> &'r [String] {
        let labels = &self.options.labels;
        let are_own = || self.surroundings.engine.describe().is_ok_and(|engine| engine.labels == *labels);
        if matches!(record.kind, RecordKind::System(_)) && are_own() { &[] } else { labels }
    }

    fn compares(&self, condition: &Condition<'_>, comparison: &Comparison<'_>) -> Result<bool, Problem> {
        // DuckDB's runner reads conditions in lower case, but not the names and values of loops.
        let (name, wanted) = (condition.name.to_ascii_lowercase(), comparison.value.to_ascii_lowercase());
        let Some(value) = self.state.rules.variables.in_loop(&name) else {
            let name = text_of(&name);
            return Err(
                self.malformed_at(condition.line, format!("expected the variable of a loop, found `{name}`"))
            );
        };
        let holds = match comparison.operator {
            ComparisonOperator::Equal => value == wanted,
            ComparisonOperator::NotEqual => value != wanted,
            operator => {
                let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
                let (Some(one), Some(other)) = (number(value), number(&wanted)) else {
                    let (one, other) = (text_of(value), text_of(&wanted));
                    let text = format!("expected numbers to compare, found `{one}` and `{other}`");
                    return Err(self.malformed_at(condition.line, text));
                };
                match operator {
                    ComparisonOperator::Less => one < other,
                    ComparisonOperator::LessOrEqual => one <= other,
                    ComparisonOperator::Greater => one > other,
                    _ => one >= other,
                }
            }
        };
        Ok(holds == (condition.kind == ConditionKind::OnlyIf))
    }
}

/// Returns whether the defect of a record counts although the record is skipped.
fn hides_text(record: &Record<'_>) -> bool {
    record
        .defect
        .as_ref()
        .is_some_and(|defect| matches!(defect.error.kind, ParseErrorKind::HiddenText { .. }))
}

/// Returns an outcome for a record that has none unless something is wrong.
pub(super) fn only_problems(result: Result<(), Problem>) -> Option<RecordOutcome> {
    result.err().map(RecordOutcome::Failed)
}

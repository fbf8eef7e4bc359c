//! The program of a script: its records as steps, with their roles in the run.

use std::collections::HashSet;

use super::keys::records_named;
use super::slice::{Slice, only_reads};
use super::step::{Step, StepRole};
use crate::outcome::RecordName;
use crate::parser::{Control, DefectEffect, Lint, ParseError, Record, RecordKind, Script};

/// The selection of records to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'n> {
    /// All.
    All,
    /// All records except those with these names, which are not executed. A record that would hide other text is not
    /// left out.
    AllBut(&'n [RecordName]),
    /// The record with its header on this line, after the statements before it.
    Only(u32),
    /// The records from this line on, after the statements before it. If the line is in a loop, the loop is judged as a
    /// whole.
    From(u32),
    /// The queries of a slice after all statements, as in [`run_slice`](super::run_slice).
    Slice(Slice),
    /// The queries after all statements, which another process accounts for.
    Queries,
}

/// The steps of a run, in order.
pub(super) struct Program<'r> {
    pub(super) steps: Vec<Step<'r>>,
    /// The lints of the parser that the run reports.
    pub(super) lints: Vec<Lint>,
}

impl<'r> Program<'r> {
    /// Returns the program of a `selection` on an engine with these `labels`.
    pub(super) fn new(script: &'r Script<'r>, selection: Selection<'_>, labels: &[String]) -> Self {
        let lints =
            |kept: &dyn Fn(&Lint) -> bool| script.lints.iter().filter(|lint| kept(lint)).cloned().collect();
        match selection {
            Selection::All => Self { steps: all_but(script, &[]), lints: lints(&|_| true) },
            Selection::AllBut(names) => Self { steps: all_but(script, names), lints: lints(&|_| true) },
            Selection::Only(line) => {
                Self { steps: only(script, line), lints: lints(&|lint| lint.line == line) }
            }
            Selection::From(line) => {
                Self { steps: from(script, line), lints: lints(&|lint| lint.line >= line) }
            }
            Selection::Slice(slice) => {
                Self { steps: slice.steps(script, labels), lints: lints(&|_| slice.is_first()) }
            }
            Selection::Queries => Self { steps: queries(script), lints: Vec::new() },
        }
    }

    /// Returns the number of outcomes, as far as the text tells: a loop over a variable of the engine counts once.
    pub(super) fn total(&self) -> u64 {
        total_of(&self.steps)
    }
}

/// Returns the number of outcomes of all records of a script, in each iteration of their loops and with those of
/// included files, as far as the text tells.
pub fn outcomes(script: &Script<'_>) -> u64 {
    total_of(&all_but(script, &[])) + included_outcomes(script)
}

fn included_outcomes(script: &Script<'_>) -> u64 {
    script.included.iter().flat_map(|included| &included.scripts).map(outcomes).sum()
}

fn total_of(steps: &[Step<'_>]) -> u64 {
    let (mut total, mut times) = (0_u64, vec![1_u64]);
    for step in steps {
        let now = times.last().copied().unwrap_or(1);
        match &step.record.kind {
            RecordKind::Control(Control::Loop(one)) => {
                times.push(now.saturating_mul(one.values.count().unwrap_or(1)));
            }
            RecordKind::Control(Control::EndLoop) if times.len() > 1 => drop(times.pop()),
            _ => {}
        }
        let counts = match step.role {
            StepRole::Judged | StepRole::LeftOut(_) => step.record.is_counted(),
            StepRole::SetUp | StepRole::Replayed => false,
        };
        total = total.saturating_add(if counts { now } else { 0 });
    }
    total
}

/// Returns the steps of an included script, all in the role of the record that includes it.
pub(super) fn included_steps<'r>(script: &'r Script<'r>, role: &StepRole) -> Vec<Step<'r>> {
    // A record that is left out makes its file skipped as a whole.
    let role = if let StepRole::LeftOut(_) = role { &StepRole::Judged } else { role };
    script.records().map(|record| Step { record, role: role.clone() }).collect()
}

fn all_but<'r>(script: &'r Script<'r>, names: &[RecordName]) -> Vec<Step<'r>> {
    let mut named = records_named(script, names).into_iter().peekable();
    let steps = script.records().map(|record| {
        let left_out = named.next_if(|named| named.id.line == record.line);
        let left_out = left_out.filter(|_| hidden_text(record).is_none());
        Step { record, role: left_out.map_or(StepRole::Judged, StepRole::LeftOut) }
    });
    steps.collect()
}

/// Selects the record at `line` and its dependencies: the statements and control records before it, the queries that may
/// change something, and those with its label, with which its result is compared.
///
/// In a loop the record is judged in each iteration, so the steps go on to the end of the outermost loop.
fn only<'r>(script: &'r Script<'r>, line: u32) -> Vec<Step<'r>> {
    let label = script.records().find(|record| record.line == line).and_then(Record::label);
    let has_label = |record: &Record<'_>| label.is_some() && record.label() == label;
    let is_needed = |record: &Record<'_>| has_label(record) || has_effect(record);
    let (mut steps, mut depth, mut found) = (Vec::new(), 0_u32, false);
    for record in script.records() {
        match record.kind {
            RecordKind::Control(Control::Loop(_)) => depth += 1,
            RecordKind::Control(Control::EndLoop) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if record.line == line {
            steps.push(Step { record, role: StepRole::Judged });
            found = true;
        } else if is_needed(record) {
            steps.push(Step { record, role: StepRole::SetUp });
        }
        if found && depth == 0 {
            break;
        }
    }
    steps
}

/// Selects the records from `line` on, and the dependencies of all of them.
///
/// Each iteration of a loop has the same steps, so a loop around the line is judged from its start.
fn from<'r>(script: &'r Script<'r>, line: u32) -> Vec<Step<'r>> {
    let (mut depth, mut start, mut loop_start) = (0_u32, script.records().count(), 0);
    for (index, record) in script.records().enumerate() {
        match record.kind {
            RecordKind::Control(Control::Loop(_)) => {
                loop_start = if depth == 0 { index } else { loop_start };
                depth += 1;
            }
            RecordKind::Control(Control::EndLoop) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if record.line >= line {
            start = if depth > 0 { loop_start } else { index };
            break;
        }
    }
    let labels: HashSet<_> = script.records().skip(start).filter_map(Record::label).collect();
    let has_label = |record: &Record<'_>| record.label().is_some_and(|label| labels.contains(label));
    let steps = script.records().enumerate().filter_map(|(index, record)| {
        let role = if index >= start { StepRole::Judged } else { StepRole::SetUp };
        let is_needed = index >= start || has_label(record) || has_effect(record);
        is_needed.then_some(Step { record, role })
    });
    steps.collect()
}

fn queries<'r>(script: &'r Script<'r>) -> Vec<Step<'r>> {
    let role = |record: &Record<'_>| match record.kind {
        RecordKind::Query(_) => StepRole::Judged,
        _ => StepRole::Replayed,
    };
    script.records().map(|record| Step { record, role: role(record) }).collect()
}

/// Returns whether executing a record may have an effect on later ones.
fn has_effect(record: &Record<'_>) -> bool {
    match &record.kind {
        RecordKind::Query(query) => !only_reads(&query.sql),
        _ => true,
    }
}

/// Returns the defect of a record that applies even when it is left out, because other text would silently be left out
/// with it. Dialects that reproduce the reference's gaps have no such defect.
pub(super) fn hidden_text<'r>(record: &'r Record<'_>) -> Option<&'r ParseError> {
    let defect = record.defect.as_ref()?;
    (defect.effect != DefectEffect::EndsFile && defect.error.kind.hides_other_text()).then_some(&defect.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Source;
    use crate::parser::{SQLITE, parse};

    const TEXT: &str = "hash-threshold 8\n\nstatement ok\nCREATE\n\nquery I nosort a\nSELECT 1\n----\n1\n\n\
        query I\nSELECT 2\n----\n2\n\nstatement ok\nINSERT\n\nquery I nosort a\nSELECT 1\n----\n1\n";

    fn check(selection: Selection<'_>, expected: &[(u32, StepRole)], total: u64) {
        let source = Source::new("t.test", TEXT);
        let script = parse(&source, &SQLITE);
        let program = Program::new(&script, selection, &[]);
        let steps: Vec<_> = program.steps.iter().map(|step| (step.record.line, step.role.clone())).collect();
        assert_eq!((steps.as_slice(), program.total()), (expected, total), "{selection:?}");
    }

    #[test]
    fn a_query_with_an_effect_is_set_up() {
        let text = "query I\nINSERT INTO t VALUES (1) RETURNING a\n----\n1\n\n\
            query I\nSELECT nextval('s')\n----\n1\n\nquery I\nSELECT a, COUNT(*) FROM t\n----\n\nquery I\nSELECT 1\n----\n1\n";
        let source = Source::new("t.test", text);
        let script = parse(&source, &SQLITE);
        for selection in [Selection::Only(15), Selection::From(15)] {
            let steps = Program::new(&script, selection, &[]).steps;
            let lines: Vec<_> = steps.iter().map(|step| step.record.line).collect();
            assert_eq!(lines, [1, 6, 15], "{selection:?}");
        }
    }

    #[test]
    fn a_selection_decides_what_is_done_with_each_record() {
        use StepRole::{Judged, LeftOut as Out, Replayed, SetUp};
        let judged = [1, 3, 6, 11, 16, 19].map(|line| (line, Judged));
        check(Selection::All, &judged, 5);
        let names = [RecordName::Line(11)];
        let source = Source::new("t.test", TEXT);
        let left_out = records_named(&parse(&source, &SQLITE), &names).remove(0);
        let steps = judged.map(|(line, role)| (line, if line == 11 { Out(left_out.clone()) } else { role }));
        check(Selection::AllBut(&names), &steps, 5);
        // The query on line 19 does not depend on the one on line 11.
        check(Selection::Only(19), &[(1, SetUp), (3, SetUp), (6, SetUp), (16, SetUp), (19, Judged)], 1);
        check(Selection::Only(11), &[(1, SetUp), (3, SetUp), (11, Judged)], 1);
        let set_up = [(1, SetUp), (3, SetUp)];
        // The query on line 6 has the label of the one on line 19.
        check(Selection::From(12), &[&set_up[..], &[(6, SetUp), (16, Judged), (19, Judged)]].concat(), 2);
        check(Selection::From(20), &[&set_up[..], &[(16, SetUp)]].concat(), 0);
        let slices: Vec<_> = (0..2).filter_map(|index| Slice::new(index, 2)).map(Selection::Slice).collect();
        check(slices[0], &[(1, Judged), (3, Judged), (6, Judged), (16, Judged), (19, Judged)], 4);
        check(slices[1], &[(1, Replayed), (3, Replayed), (11, Judged), (16, Replayed)], 1);
    }
}

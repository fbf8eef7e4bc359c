//! Finds the rows behind a hash with a reference engine, and accepts them only if they match the hash in the file.

use super::canonical::{KeptValues, Output};
use super::evidence::{excerpt, window_start};
use super::program::{Program, Selection};
use super::record_processor::{ExpectedShape, RecordProcessor};
use super::rendering::CellForm;
use super::settings::Options;
use super::step::Step;
use crate::engine::Engine;
use crate::outcome::{Excerpt, FileReport, Mismatch, Problem, UnhashedRows};
use crate::parser::{Control, HashLine, Query, RecordKind, Renderer, Script, SortMode, first_refusal};

/// The number of values of each side in a row diff.
const DIFF_VALUES: usize = 4_000;

/// Runs the script on `reference` and adds the rows of both sides to each detail of `report` with a wrong hash.
///
/// The reference's rows must have the expected digest. Other details stay unchanged.
pub fn unhash(report: &mut FileReport, script: &Script<'_>, reference: &dyn Engine, options: &Options) {
    let details = report.failures.iter_mut().filter_map(|record| Some((&record.id, record.detail.as_mut()?)));
    let mut wanted = details.filter(|(_, detail)| hash_of(&detail.problem).is_some()).peekable();
    if wanted.peek().is_none() {
        return;
    }
    // The other dialects show values as their engine does.
    if script.profile.renderer != Renderer::SqliteLetters {
        return;
    }
    let Ok(engine) = reference.describe() else { return };
    let opened = RecordProcessor::open(reference, script.profile.renderer, options.record_timeout);
    let Ok(mut processor) = opened else { return };
    for Step { record, .. } in Program::new(script, Selection::All, &options.labels).steps {
        let Some((id, _)) = wanted.peek() else { break };
        if first_refusal(&record.conditions, &options.labels).is_some() || record.defect.is_some() {
            continue;
        }
        match &record.kind {
            // A wrong result of a statement shows in the digest later.
            RecordKind::Statement(statement) => {
                drop(processor.statement(None, &statement.sql.joined()));
            }
            RecordKind::Query(query) if id.is_on(record.line) => {
                let Some((_, detail)) = wanted.next() else { break };
                detail.unhashed = hash_of(&detail.problem).and_then(|(expected, actual)| {
                    let (expected, actual) = rows(&mut processor, query, expected, actual)?;
                    Some(UnhashedRows { engine: engine.name.clone(), expected, actual })
                });
            }
            RecordKind::Control(Control::Halt) => break,
            _ => {}
        }
    }
    // Failing to close the reference's database does not concern this report.
    processor.close().ok();
}

fn hash_of(problem: &Problem) -> Option<(HashLine, &Excerpt)> {
    match problem {
        Problem::Mismatch(Mismatch::Hash { expected, rows, .. }) => Some((*expected, rows)),
        _ => None,
    }
}

fn rows(
    processor: &mut RecordProcessor,
    query: &Query<'_>,
    expected: HashLine,
    actual: &Excerpt,
) -> Option<(Excerpt, Excerpt)> {
    let (types, columns) = (query.types, Some(query.types.len()));
    let shape = ExpectedShape {
        types,
        columns,
        names: false,
        looks_further: false,
        counts_changes: false,
        form: CellForm::default(),
        order: query.sort.unwrap_or(SortMode::NoSort),
        kept: KeptValues::All,
    };
    processor.query(None, &query.sql.joined(), shape).ok()?;
    let output = processor.output();
    if output.hash_line() != expected {
        return None;
    }
    let from = window_start(first_difference(&output, actual)?, query.types.len());
    let known = actual.values.iter().map(String::as_bytes);
    let mut found = excerpt(known, from, DIFF_VALUES);
    found.omitted_after += actual.omitted_after;
    Some((excerpt(output.lines(), from, DIFF_VALUES), found))
}

/// Returns the first value in which the two differ, as far as the excerpt goes.
fn first_difference(expected: &Output<'_>, actual: &Excerpt) -> Option<u64> {
    let mut found = actual.values.iter().map(String::as_bytes);
    let mut wanted = expected.lines();
    let mut at = 0;
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return None,
            (Some(_), None) if actual.omitted_after > 0 => return None,
            (wanted, found) if wanted == found => at += 1,
            _ => return Some(at),
        }
    }
}

//! Records that are never executed, and settings that apply to nothing.

use super::{LintFinding, LintRule};
use crate::parser::control::Control;
use crate::parser::record::{DefectEffect, Record, RecordKind, Script};

pub(super) fn find(script: &Script<'_>, found: &mut Vec<LintFinding>) {
    unreachable(script, found);
    dangling(script, found);
}

fn unreachable(script: &Script<'_>, found: &mut Vec<LintFinding>) {
    let (mut loops, mut skips) = (0_u32, 0_u32);
    let mut end = None;
    let mut records = script.records();
    for record in records.by_ref() {
        let ends_file = record.defect.as_ref().is_some_and(|defect| defect.effect == DefectEffect::EndsFile);
        match &record.kind {
            RecordKind::Control(Control::Loop(_)) => loops += 1,
            RecordKind::Control(Control::EndLoop) => loops = loops.saturating_sub(1),
            RecordKind::Control(Control::BeginSkip) => skips += 1,
            RecordKind::Control(Control::EndSkip) => skips = skips.saturating_sub(1),
            RecordKind::Control(Control::Halt) if record.conditions.is_empty() && loops + skips == 0 => {
                end = Some(("the `halt`", record.line));
            }
            _ if ends_file => end = Some(("the malformed record", record.line)),
            _ => {}
        }
        if end.is_some() {
            break;
        }
    }
    let Some((what, line)) = end else { return };
    let mut after = records.filter(|record| record.is_counted());
    let Some(first) = after.next() else { return };
    let text = match 1 + after.count() {
        1 => format!("the record after {what} on line {line} is never executed"),
        count => format!("{count} records after {what} on line {line} are never executed"),
    };
    found.push(LintFinding::new(first.line, LintRule::Unreachable, text));
}

/// Finds settings behind the last record. A file without any other record consists of settings for files that include it.
fn dangling(script: &Script<'_>, found: &mut Vec<LintFinding>) {
    let records: Vec<_> = script.records().collect();
    let Some(last) = records.iter().rposition(|record| uses_settings(record)) else { return };
    for record in &records[last + 1..] {
        if let RecordKind::Control(control) = &record.kind
            && let Some(what) = setting(control)
        {
            let text = format!("{what} after the last record of the file");
            found.push(LintFinding::new(record.line, LintRule::DanglingSetting, text));
        }
    }
}

fn uses_settings(record: &Record<'_>) -> bool {
    record.is_counted() || matches!(record.kind, RecordKind::Control(Control::Include(_)))
}

fn setting(control: &Control<'_>) -> Option<&'static str> {
    Some(match control {
        Control::HashThreshold(_) => "a hash threshold",
        Control::SortMode(_) => "a sort mode",
        Control::ResultLayout(_) => "a layout of results",
        Control::Substitution(_) => "a switch of substitution",
        Control::ShowColumnNames(_) => "a switch of column names",
        Control::IgnoreErrors(_) | Control::AlwaysFailErrors(_) => "a list of errors",
        Control::SetVariable { .. } | Control::TestEnvironment { .. } => "a variable",
        Control::User(_) => "a user",
        Control::EngineMode(_) => "a mode of the engine",
        Control::BeginSkip => "the start of skipped records",
        _ => return None,
    })
}

//! Formats the coverage map: SQL constructs with the records that pass and fail.

use std::fmt::{self, Write as _};

use super::AnalysisView;
use crate::analysis::{ConstructCoverage, CoverageMap};
use slt_core::outcome::RecordId;
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::failure::place_of;
use slt_runner::text::markdown::{cell, code};
use slt_runner::text::object::{Object, object};
use slt_runner::text::style::Role;
use slt_runner::text::table::table;

/// The number of constructs on the screen, and of files that were left out.
const MOST: usize = 50;
const MOST_LEFT_OUT: usize = 5;

const HEADERS: [&str; 7] = ["construct", "kind", "records", "passed", "failed", "rate", "example"];

/// Describes the whole map.
fn sentences(map: &CoverageMap) -> Vec<String> {
    let records = plural(map.passed + map.failed, "record");
    let mut lines = vec![
        format!(
            "coverage: {records} of {}, {} passed, {} failed",
            plural(map.files, "file"),
            thousands(map.passed),
            thousands(map.failed)
        ),
        format!(
            "{} of {} occur only in failing records",
            map.only_failing(),
            plural(map.constructs.len() as u64, "construct")
        ),
    ];
    if map.consequences > 0 {
        let records = plural(map.consequences, "failing record");
        lines.push(format!("{records} not counted: earlier failures caused them"));
    }
    lines
}

/// Returns a line for each of the first files that were left out.
fn left_out(map: &CoverageMap) -> Vec<String> {
    let first = map.left_out.iter().take(MOST_LEFT_OUT);
    let mut lines: Vec<_> = first.map(|(file, why)| format!("{file} is not counted: {why}")).collect();
    if map.left_out.len() > MOST_LEFT_OUT {
        let more = plural((map.left_out.len() - MOST_LEFT_OUT) as u64, "more file");
        lines.push(format!("{more} not counted"));
    }
    lines
}

fn columns(construct: &ConstructCoverage, view: &AnalysisView<'_>) -> [String; 7] {
    [
        construct.name.clone(),
        construct.kind.as_str().to_owned(),
        thousands(construct.records()),
        thousands(construct.passed),
        thousands(construct.failed),
        percent(Some(construct.pass_rate())),
        place(construct, view),
    ]
}

fn place(construct: &ConstructCoverage, view: &AnalysisView<'_>) -> String {
    let example = &construct.example;
    place_of(&view.report.files[example.file], &RecordId::at(example.line))
}

/// Writes the map for the screen.
pub(super) fn text(out: &mut String, map: &CoverageMap, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out)?;
    sentences(map).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    let rows = map.constructs.iter().take(MOST).map(|construct| columns(construct, view).to_vec());
    writeln!(out, "\n{}", table(&HEADERS, rows, |column| (2..6).contains(&column)))?;
    if let Some(more) = map.constructs.get(MOST..).filter(|more| !more.is_empty()) {
        let failing = more.iter().filter(|construct| construct.failed > 0).count();
        let more = plural(more.len() as u64, "more construct");
        writeln!(out, "… and {more}, {failing} of them with failures; --format markdown shows all")?;
    }
    writeln!(out)?;
    left_out(map).iter().try_for_each(|line| writeln!(out, "{} {line}", Role::Warn.paint("note:")))
}

/// Writes the whole map in Markdown.
pub(super) fn markdown(out: &mut String, map: &CoverageMap, view: &AnalysisView<'_>) -> fmt::Result {
    writeln!(out, "\n## Coverage of SQL constructs\n")?;
    sentences(map).iter().try_for_each(|line| writeln!(out, "{line}  "))?;
    writeln!(out, "\n| {} |\n|---|---|---:|---:|---:|---:|---|", HEADERS.join(" | "))?;
    for construct in &map.constructs {
        let [name, kind, records, passed, failed, rate, place] = columns(construct, view);
        let (name, place) = (cell(&name), cell(&place));
        writeln!(out, "| {name} | {kind} | {records} | {passed} | {failed} | {rate} | {place} |")?;
    }
    let lines = left_out(map);
    lines.iter().try_for_each(|line| writeln!(out, "\n> {}", code(line)))
}

/// Makes the whole map for programs.
pub(super) fn json<'v>(map: &'v CoverageMap, view: &'v AnalysisView<'v>) -> Object<'v> {
    let constructs = map.constructs.iter().map(|construct| {
        object! {
            "construct": &construct.name,
            "kind": construct.kind.as_str(),
            "passed": construct.passed,
            "failed": construct.failed,
            "pass_rate": construct.pass_rate() * 100.0,
            "file": view.report.files[construct.example.file].file.path(),
            "line": construct.example.line,
        }
    });
    let left_out = map.left_out.iter().map(|(file, why)| object! { "file": file, "why": why });
    object! {
        "passed": map.passed,
        "failed": map.failed,
        "consequences": map.consequences,
        "files": map.files,
        "constructs": constructs.collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
    }
}

//! The end of a run on the screen: a table by category, and the sums in a sentence.

use std::fmt::{self, Write as _};

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::outcome::{RunEnd, RunReport, Totals};
use crate::text::count::{duration, percent, plural, thousands};
use crate::text::style::Role;
use crate::text::visible;

/// Writes the table and the sums.
pub(crate) fn write(out: &mut String, run: &RunReport) -> fmt::Result {
    let totals = run.totals();
    let categories = run.by_category();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(HEADERS.iter().enumerate().map(|(column, header)| cell(column, (*header).to_owned())));
    for (name, totals) in &categories {
        table.add_row(row(name, totals));
    }
    if categories.len() != 1 {
        table.add_row(row("total", &totals));
    }
    writeln!(out, "\n{}\n", table.trim_fmt())?;
    sentence(out, run, &totals)
}

const HEADERS: &[&str] = &[
    "category", "files", "passed", "failed", "other", "rate", "records", "passed", "failed", "skipped",
    "other", "rate",
];

fn row(name: &str, totals: &Totals) -> Vec<Cell> {
    let records = &totals.records;
    let other_files = totals.files - totals.passed - totals.failed;
    let other_records = records.not_passed() - records.failed + records.not_reached;
    [
        visible::line(name).into_owned(),
        thousands(totals.files),
        thousands(totals.passed),
        thousands(totals.failed),
        thousands(other_files),
        percent(totals.pass_rate()),
        thousands(records.total),
        thousands(records.passed),
        thousands(records.failed),
        thousands(records.skipped),
        thousands(other_records),
        percent(records.pass_rate()),
    ]
    .into_iter()
    .enumerate()
    .map(|(column, text)| cell(column, text))
    .collect()
}

fn cell(column: usize, text: String) -> Cell {
    Cell::new(text).set_alignment(if column == 0 { CellAlignment::Left } else { CellAlignment::Right })
}

fn sentence(out: &mut String, run: &RunReport, totals: &Totals) -> fmt::Result {
    let records = &totals.records;
    // A file that passed in the end is named below, if it is flaky.
    let good = run.files.iter().filter(|file| file.last_status().is_good()).count();
    let all_good = good == run.header.files && records.passed > 0;
    let word = if all_good { Role::Pass.paint("PASS") } else { Role::Fail.paint("FAIL") };
    writeln!(
        out,
        "{word}: {} of {} and {} of {} passed on {} in {}",
        thousands(totals.passed),
        plural(totals.files - totals.empty, "file"),
        thousands(records.passed),
        plural(records.total - (records.skipped - records.skipped_besides), "record"),
        run.header.engine,
        duration(run.elapsed)
    )?;
    let untested = run.header.files as u64 - totals.files;
    if untested > 0 {
        let why = match run.end {
            RunEnd::EnoughFailed => "enough failed",
            RunEnd::BudgetSpent => "time is over",
            RunEnd::Interrupted | RunEnd::Completed => "interrupted",
        };
        writeln!(out, "{why}: {} untested", plural(untested, "file"))?;
    }
    for (count, what) in [
        (totals.timed_out, "over the time limit (TIMEOUT)"),
        (totals.empty, "in which nothing was executed (EMPTY)"),
        (totals.flaky, "that passed once and failed once (FLAKY)"),
        (totals.out_of_memory, "over the memory limit (OOM)"),
        (totals.crashed, "in whose midst the engine was lost (CRASH)"),
        (totals.errors, "that could not be started (ERROR)"),
    ] {
        if count > 0 {
            writeln!(out, "besides: {} {what}", plural(count, "file"))?;
        }
    }
    Ok(())
}

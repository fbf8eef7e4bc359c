//! Formats the end of a run for the screen: a table by category, and the totals in a sentence.

use std::fmt::{self, Write as _};
use std::num::NonZero;

use super::subject::{state_with, sums};
use slt_core::outcome::{FlakyResult, RecordId, RunOverview, RunVerdict, Totals};
use slt_runner::results::{Circumstances, RunState};
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::failure::place;
use slt_runner::text::style::Role;
use slt_runner::text::table::table;

/// Writes the table and the totals. With `fail_on_empty`, files without executed records count as failed. `circumstances`
/// are those of the run, if known.
pub fn write(
    out: &mut String,
    run: &RunOverview,
    circumstances: Option<&Circumstances>,
    fail_on_empty: bool,
) -> fmt::Result {
    let totals = run.totals();
    let categories = &run.categories;
    let total = "total".to_owned();
    let all = (categories.len() != 1).then_some((&total, &totals));
    let rows = categories.iter().chain(all).map(|(name, totals)| row(name, totals, run.header.flaky));
    writeln!(out, "\n{}\n", table(HEADERS, rows, |column| column > 0))?;
    let why = state_with(RunState::Ended(run.end), circumstances);
    sentence(out, run, &totals, &why, fail_on_empty)
}

const HEADERS: &[&str] = &[
    "category", "files", "passed", "failed", "other", "rate", "records", "passed", "failed", "skipped",
    "other", "rate",
];

fn row(name: &str, totals: &Totals, flaky: FlakyResult) -> Vec<String> {
    let records = &totals.records;
    let passed = totals.passed_with(flaky);
    let other_files = totals.files - passed - totals.failed;
    // Skipped control records are in no other column.
    let skipped = records.skipped - records.skipped_besides;
    let other_records = records.not_passed() - records.failed + records.not_reached;
    vec![
        name.to_owned(),
        thousands(totals.files),
        thousands(passed),
        thousands(totals.failed),
        thousands(other_files),
        percent(totals.pass_rate_with(flaky)),
        thousands(records.total),
        thousands(records.passed),
        thousands(records.failed),
        thousands(skipped),
        thousands(other_records),
        percent(records.pass_rate()),
    ]
}

fn sentence(
    out: &mut String,
    run: &RunOverview,
    totals: &Totals,
    why: &str,
    fail_on_empty: bool,
) -> fmt::Result {
    let verdict = match run.verdict() {
        RunVerdict::Pass if fail_on_empty && totals.empty > 0 => RunVerdict::Fail,
        verdict => verdict,
    };
    let role = match verdict {
        RunVerdict::Pass => Role::Pass,
        RunVerdict::Fail => Role::Fail,
        RunVerdict::Incomplete => Role::Warn,
    };
    writeln!(out, "{}: {}", role.paint(verdict.as_str()), sums(run, totals, why))?;
    for (count, what) in [
        (totals.timed_out, "over the time limit (TIMEOUT)"),
        (totals.empty, "in which nothing was executed (EMPTY)"),
        (totals.flaky, flaky(run.header.flaky)),
        (totals.out_of_memory, "over the memory limit (OOM)"),
        (totals.crashed, "during which the engine was lost (CRASH)"),
        (totals.errors, "that could not be started (ERROR)"),
    ] {
        if count > 0 {
            writeln!(out, "also: {} {what}", plural(count, "file"))?;
        }
    }
    within_tolerance(out, run)
}

fn within_tolerance(out: &mut String, run: &RunOverview) -> fmt::Result {
    let Some(count) = NonZero::new(run.tolerated) else { return Ok(()) };
    let shown = &run.tolerated_places;
    let more = run.tolerated - shown.len() as u64;
    let places = shown.iter().map(|at| place(&at.shown, Some(&RecordId::at(at.line))));
    let places = places.chain((more > 0).then(|| format!("and {more} more"))).collect::<Vec<_>>().join(", ");
    let records = plural(count.get(), "record");
    writeln!(out, "also: {records} that passed only within the tolerance of the dialect: {places}")
}

fn flaky(result: FlakyResult) -> &'static str {
    match result {
        FlakyResult::Pass => "that passed once and failed once (FLAKY)",
        FlakyResult::Fail => {
            "that passed once and failed once (FLAKY), which counts as failed (--flaky fail)"
        }
    }
}

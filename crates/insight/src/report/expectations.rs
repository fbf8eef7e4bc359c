//! What a run is worth in the light of what is expected, in words.

use std::fmt::{self, Write};

use super::expected::{LINES, described, place, what_passes};
use crate::expectations::{Expectations, Judgement};
use slt_core::outcome::RunReport;
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

/// So many of each are listed.
const LISTED: usize = 10;
/// Writes what is expected and what is not, and what has to be done about the entries.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    out: &mut impl Write,
    run: &RunReport,
    expectations: &Expectations,
    judgement: &Judgement,
) -> fmt::Result {
    if judgement.expected > 0 || !judgement.expected_files.is_empty() {
        let records = plural(judgement.expected, "record");
        let files = match judgement.expected_files.len() as u64 {
            0 => String::new(),
            files => format!(", and nothing else in {}", plural(files, "file")),
        };
        writeln!(out, "expected to fail: {records}{files}")?;
    }
    let unexpected = judgement.unexpected.iter().map(|one| {
        let file = &run.files[one.file];
        let failing = one.records.iter().map(|&place| file.failures[place].id.to_string());
        let lines: Vec<_> = failing.take(LINES).collect();
        let more = one.records.len().saturating_sub(LINES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        match lines.as_slice() {
            [] => one_line(&file.shown).into_owned(),
            lines => format!("{}: line {}{more}", one_line(&file.shown), lines.join(", ")),
        }
    });
    list(out, "not expected", unexpected)?;
    let passes = judgement.passes.iter().map(|passes| {
        let entry = &expectations.entries[passes.entry];
        format!("{} ({})", what_passes(passes), place(entry))
    });
    list(out, "expected to fail, but passes", passes)?;
    let about = |places: &[usize]| {
        places.iter().map(|place| described(&expectations.entries[*place])).collect::<Vec<_>>()
    };
    list(out, "expired", about(&judgement.expired).into_iter())?;
    list(out, "matching no file or record of this run", about(&judgement.unused).into_iter())?;
    let verdict = match judgement.is_good() {
        true if run.untested() > 0 => Role::Warn.paint("INCOMPLETE, as expected so far"),
        true => Role::Pass.paint("AS EXPECTED"),
        false => Role::Fail.paint("NOT AS EXPECTED"),
    };
    writeln!(out, "{verdict}")
}

fn list(out: &mut impl Write, title: &str, entries: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let count = entries.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "{title}:")?;
    entries.take(LISTED).try_for_each(|entry| writeln!(out, "  {entry}"))?;
    match count.saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

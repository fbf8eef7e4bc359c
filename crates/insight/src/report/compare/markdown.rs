//! A comparison as Markdown, in the order of VibeSQL's earlier script: rates, a table, fixes and regressions, unchanged
//! counts.

use std::fmt::{self, Write as _};

use super::{Comparison, verdict};
use crate::regression::FileChange;
use crate::report::changes::{ChangeSection, points, rows};
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::markdown::code;

/// Writes the document.
pub fn write(out: &mut String, comparison: &Comparison<'_>) -> fmt::Result {
    let diff = comparison.diff;
    let (regressed, sentence) = verdict(comparison);
    writeln!(out, "# {}\n", if regressed { "Regressed" } else { "Comparison of two runs" })?;
    writeln!(out, "{}.\n", capitalised(&sentence))?;
    for (word, named, side) in comparison.sides() {
        let state = named.state().map_or_else(String::new, |state| format!(", {}", code(&state)));
        writeln!(out, "* {word}: {}, {}{state}", code(named.name), code(&side.engine.to_string()))?;
    }
    let (before, now) = (&diff.baseline, &diff.current);
    writeln!(out)?;
    rate(out, "Pass rate", before.pass_rate(), now.pass_rate())?;
    rate(out, "Coverage", before.coverage(), now.coverage())?;
    writeln!(out, "\n| metric | baseline | current | change |\n|---|---:|---:|---:|")?;
    for [what, then, today, change] in rows(diff) {
        writeln!(out, "| {what} | {then} | {today} | {change} |")?;
    }
    writeln!(out)?;
    for caveat in comparison.caveats() {
        writeln!(out, "> Note: {caveat}.\n")?;
    }
    comparison.sections().iter().try_for_each(|section| write_section(out, section, comparison.limit))?;
    let files = |change| plural(diff.with(change).count() as u64, "file");
    let records = |count| plural(count, "record");
    let account = diff.account();
    writeln!(out, "## Unchanged\n")?;
    writeln!(
        out,
        "* Still failing: {}, {}",
        files(FileChange::StillFailing),
        records(account.still_failing)
    )?;
    writeln!(
        out,
        "* Still passing: {}, {}",
        files(FileChange::StillPassing),
        records(account.still_passing)
    )?;
    if account.unmatched_before + account.unmatched_now > 0 {
        let (then, now) = (records(account.unmatched_before), thousands(account.unmatched_now));
        writeln!(out, "* In files that cannot be matched: {then} passed before, {now} now")?;
    }
    match &comparison.again {
        Some(command) => writeln!(out, "\nLook at the first regression:\n\n```sh\n{command}\n```"),
        None => Ok(()),
    }
}

fn rate(out: &mut String, what: &str, before: Option<f64>, now: Option<f64>) -> fmt::Result {
    let word = match before.zip(now) {
        Some((before, now)) if now > before => " (better)",
        Some((before, now)) if now < before => " (worse)",
        _ => "",
    };
    writeln!(out, "**{what}**: {} → {}, {}{word}  ", percent(before), percent(now), points(before, now))
}

fn write_section(out: &mut String, section: &ChangeSection<'_>, limit: usize) -> fmt::Result {
    writeln!(out, "## {} ({})\n", capitalised(section.title), thousands(section.entries.len() as u64))?;
    for entry in section.entries.iter().take(limit) {
        writeln!(out, "* {}: {}", code(&entry.place()), entry.what())?;
    }
    match section.entries.len().saturating_sub(limit) {
        0 => writeln!(out),
        more => writeln!(out, "* … and {} more\n", thousands(more as u64)),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

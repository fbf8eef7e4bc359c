//! Formats a comparison for the screen.

use std::fmt::{self, Write as _};

use super::{Comparison, verdict};
use crate::regression::RunDiff;
use crate::report::changes::{ChangeSection, ChangeTone, rows, sections};
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::style::Role;
use slt_runner::text::table::table;

/// The maximum number of files named in brief.
const MOST_NAMES: usize = 10;

/// Writes the whole comparison.
pub fn write(out: &mut String, comparison: &Comparison<'_>) -> fmt::Result {
    let diff = comparison.diff;
    for (word, named, side) in comparison.sides() {
        let state = named.state().map_or_else(String::new, |state| format!("  {state}"));
        writeln!(out, "{word:<8}  {}  {}{state}", Role::Strong.paint(named.name), side.engine)?;
    }
    writeln!(out)?;
    let headers = ["", "baseline", "current", "change"];
    writeln!(out, "{}\n", table(&headers, rows(diff).into_iter().map(Into::into), |column| column > 0))?;
    comparison.sections().iter().try_for_each(|section| write_section(out, section, comparison.limit))?;
    counts(out, diff)?;
    for caveat in comparison.caveats() {
        writeln!(out, "{} {caveat}", Role::Warn.paint("note:"))?;
    }
    let (regressed, sentence) = verdict(comparison);
    let word = if regressed { Role::Fail.paint("REGRESSED") } else { Role::Strong.paint("compared") };
    writeln!(out, "{word}: {sentence}")?;
    match &comparison.again {
        Some(command) => writeln!(out, "{} {command}", Role::Hint.paint("look at the first regression:")),
        None => Ok(()),
    }
}

/// Writes the changes since the run named `before` in a few lines. Files with equal results need not be in `diff`; `equal`
/// is the number of those that are not.
pub fn write_brief(out: &mut String, before: &str, diff: &RunDiff<'_>, equal: u64) -> fmt::Result {
    let sections = sections(diff);
    let common = plural(diff.common() + equal, "file");
    if sections.is_empty() {
        return writeln!(out, "since {before}: no change in {common} that both runs have");
    }
    let part = |one: &ChangeSection<'_>| format!("{}: {}", one.title, thousands(one.entries.len() as u64));
    let parts: Vec<_> = sections.iter().map(part).collect();
    writeln!(out, "since {before}: {}", parts.join(", "))?;
    // Changes of whole files are named; the others are counted.
    for section in sections.iter().filter(|one| one.of_files && one.tone != ChangeTone::Plain) {
        for entry in section.entries.iter().take(MOST_NAMES) {
            writeln!(out, "  {}  {}", role(section.tone).paint(entry.place()), entry.what())?;
        }
        let more = section.entries.len().saturating_sub(MOST_NAMES);
        if more > 0 {
            writeln!(out, "  … and {} more {}", thousands(more as u64), section.title)?;
        }
    }
    writeln!(out, "{} `compare` shows each record", Role::Hint.paint("hint:"))
}

fn role(tone: ChangeTone) -> Role {
    match tone {
        ChangeTone::Bad => Role::Fail,
        ChangeTone::Odd => Role::Warn,
        ChangeTone::Good => Role::Pass,
        ChangeTone::Plain => Role::Hint,
    }
}

fn write_section(out: &mut String, section: &ChangeSection<'_>, limit: usize) -> fmt::Result {
    let count = thousands(section.entries.len() as u64);
    writeln!(out, "{}: {count}", role(section.tone).paint(section.title))?;
    for entry in section.entries.iter().take(limit) {
        writeln!(out, "  {}  {}", entry.place(), entry.what())?;
    }
    match section.entries.len().saturating_sub(limit) {
        0 => writeln!(out),
        more => writeln!(out, "  … and {} more; --limit 0 shows all\n", thousands(more as u64)),
    }
}

fn counts(out: &mut String, diff: &RunDiff<'_>) -> fmt::Result {
    let account = diff.account();
    let parts = [
        (account.still_passing, "pass in both"),
        (account.still_failing, "fail in both"),
        (account.newly_tested, "pass and were not reached or run before"),
        (account.newly_untested, "passed and are not reached or run now"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, what)| format!("{} {what}", thousands(count))).collect();
    if !parts.is_empty() {
        writeln!(out, "records: {}", parts.join(", "))?;
    }
    if account.unmatched_before + account.unmatched_now > 0 {
        let (then, now) = (thousands(account.unmatched_before), thousands(account.unmatched_now));
        writeln!(out, "records of files that cannot be matched: {then} passed before, {now} now")?;
    }
    Ok(())
}

//! The changes since another run.

use std::fmt::{self, Write as _};

use super::LIMITS;
use crate::regression::RunDiff;
use crate::report::changes::{ChangeTone, caveats, points, sections, sums};
use crate::report::subject::{Baseline, clipped};
use slt_runner::text::count::{percent, plural, thousands};
use slt_runner::text::markdown::{code, html};

/// Writes the number of changes, and the changes, regressions first.
pub(super) fn since(out: &mut String, baseline: &Baseline<'_>, most: usize) -> fmt::Result {
    let diff = baseline.diff;
    let commit = baseline.commit.map(|commit| commit.hash.chars().take(10).collect::<String>());
    let commit = commit.map_or_else(String::new, |hash| format!(", commit {}", code(&hash)));
    writeln!(out, "\n### Since run {}{commit}\n", code(&clipped(baseline.name, LIMITS.values)))?;
    let sums = sums(diff).into_iter().map(|sum| match sum.tone {
        ChangeTone::Bad => format!("**{} {}**", thousands(sum.count), sum.words),
        _ => format!("{} {}", thousands(sum.count), sum.words),
    });
    let sums: Vec<_> = sums.collect();
    let sums = if sums.is_empty() { "none".to_owned() } else { sums.join(", ") };
    writeln!(out, "Records: {sums}. In both runs: {}.\n", plural(diff.common(), "file"))?;
    writeln!(out, "{}.", rates(diff))?;
    for caveat in caveats(diff) {
        writeln!(out, "\n> Note: {}.", html(&clipped(&caveat, LIMITS.characters)))?;
    }
    for section in sections(diff) {
        writeln!(out, "\n{} ({}):\n", section.title, thousands(section.entries.len() as u64))?;
        for entry in section.entries.iter().take(most) {
            let place = code(&clipped(&entry.place(), LIMITS.values));
            writeln!(out, "- {place}: {}", html(&entry.what()))?;
        }
        match section.entries.len().saturating_sub(most) {
            0 => {}
            more => writeln!(out, "- … and {} more", thousands(more as u64))?,
        }
    }
    Ok(())
}

fn rates(diff: &RunDiff<'_>) -> String {
    let (before, now) = (&diff.baseline, &diff.current);
    let rate = |what: &str, then: Option<f64>, today: Option<f64>| match points(then, today).as_str() {
        "=" => format!("{what} {} as before", percent(today)),
        points => format!("{what} {} → {} ({points})", percent(then), percent(today)),
    };
    let passed = rate("Pass rate", before.totals.records.pass_rate(), now.totals.records.pass_rate());
    format!("{passed}, {}", rate("coverage", before.coverage(), now.coverage()))
}

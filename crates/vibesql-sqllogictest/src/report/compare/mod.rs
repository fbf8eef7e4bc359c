//! What has changed between two runs, as documents: text for a screen, Markdown, JSON.
//!
//! What is worth naming is decided once, in `sections`, and text and Markdown show it.

mod json;
mod markdown;
mod sections;
mod text;

pub(crate) use json::write as write_json;
pub(crate) use markdown::write as write_markdown;
pub(crate) use text::{write, write_brief};

use std::time::Duration;

use crate::regression::timing::Slowdown;
use crate::regression::{Gate, RunDiff, Side};
use crate::results::Commit;
use crate::text::count::{percent, plural, thousands};

/// A comparison, with what its documents tell besides.
pub(crate) struct Comparison<'c> {
    pub(crate) diff: &'c RunDiff<'c>,
    pub(crate) baseline: Named<'c>,
    pub(crate) current: Named<'c>,
    pub(crate) gate: Gate,
    /// So many entries of each section are named.
    pub(crate) limit: usize,
    /// What takes longer than it did.
    pub(crate) slower: Vec<Slow<'c>>,
    /// How many times as long as usual the current run took as a whole, where that is known.
    pub(crate) load: Option<f64>,
    /// The command that looks at the first record that has regressed.
    pub(crate) again: Option<String>,
}

/// What takes longer than it did, by the history of runs and not by the baseline alone.
pub(crate) struct Slow<'c> {
    pub(crate) slowdown: Slowdown<'c>,
    /// How long it took when it was run once more, which shows it; else three passes in a row do.
    pub(crate) again: Option<Duration>,
}

/// What a run is called.
pub(crate) struct Named<'c> {
    pub(crate) name: &'c str,
    pub(crate) commit: Option<&'c Commit>,
}

/// A run that takes so many times as long as usual is worth a word.
const LOADED: f64 = 1.5;

impl Comparison<'_> {
    fn sides(&self) -> [(&'static str, &Named<'_>, &Side<'_>); 2] {
        [("baseline", &self.baseline, &self.diff.baseline), ("current", &self.current, &self.diff.current)]
    }

    /// What stands in the way of comparing all of it, in sentences.
    fn caveats(&self) -> Vec<String> {
        let (before, now) = (&self.diff.baseline, &self.diff.current);
        let mut caveats = Vec::new();
        let of_wholes = before.wholes || now.wholes;
        if before.engine.name != now.engine.name && !of_wholes {
            caveats.push("the runs are of two engines".to_owned());
        }
        if before.labels != now.labels && !of_wholes {
            let (then, today) = (before.labels.join(", "), now.labels.join(", "));
            caveats.push(format!("conditions were held against `{then}`, and now against `{today}`"));
        }
        if before.exact != now.exact && !of_wholes {
            caveats.push("one of the runs is strict, and one exact".to_owned());
        }
        for (word, _, side) in self.sides() {
            if !side.is_complete() {
                let missing = plural(side.wanted - side.totals.files, "file");
                caveats.push(format!("the {word} run is incomplete: {missing} without a result"));
            }
            if side.is_partial() {
                caveats.push(format!("the {word} run is incomplete: nothing says how many files there were"));
            }
            if side.wholes {
                caveats.push(format!("the {word} run knows files as wholes only, not their records"));
            }
        }
        if let Some(load) = self.load.filter(|&load| load >= LOADED) {
            caveats.push(format!(
                "the current run took {load:.1} times as long as usual, nearly all files alike"
            ));
        }
        let by_lines = self.diff.by_lines();
        if by_lines > 0 && !of_wholes {
            let files = plural(by_lines, "file");
            caveats.push(format!("records of {files} are known by their lines only, which may have moved"));
        }
        if self.diff.common() == 0 {
            caveats.push("the runs have no file in common".to_owned());
        }
        caveats
    }
}

impl Named<'_> {
    /// `4f1c2d3e on main, with changes`.
    fn state(&self) -> Option<String> {
        let commit = self.commit?;
        let short = commit.hash.get(..10).unwrap_or(&commit.hash);
        let branch = commit.branch.as_ref().map_or_else(String::new, |branch| format!(" on {branch}"));
        let dirty = if commit.dirty { ", with changes" } else { "" };
        Some(format!("{short}{branch}{dirty}"))
    }
}

/// The change of a share, in percentage points: `+1.25`.
fn points(before: Option<f64>, now: Option<f64>) -> String {
    match before.zip(now) {
        Some((before, now)) if before == now => "=".to_owned(),
        Some((before, now)) => format!("{:+.2}", (now - before) * 100.0),
        None => "-".to_owned(),
    }
}

/// The change of a count: `+3`.
fn more(before: u64, now: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Equal => "=".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", thousands(now - before)),
        std::cmp::Ordering::Less => format!("-{}", thousands(before - now)),
    }
}

/// The rows of the table of both runs: what, then, now, change.
fn rows(diff: &RunDiff<'_>) -> Vec<[String; 4]> {
    let (before, now) = (&diff.baseline, &diff.current);
    let (then, today) = (&before.totals, &now.totals);
    let count = |what: &str, then: u64, today: u64| {
        [what.to_owned(), thousands(then), thousands(today), more(then, today)]
    };
    let share = |what: &str, then: Option<f64>, today: Option<f64>| {
        [what.to_owned(), percent(then), percent(today), points(then, today)]
    };
    vec![
        share("pass rate of records", then.records.pass_rate(), today.records.pass_rate()),
        count("records passed", then.records.passed, today.records.passed),
        count("records not passed", then.records.not_passed(), today.records.not_passed()),
        count("records not reached", then.records.not_reached, today.records.not_reached),
        share("pass rate of files", then.pass_rate(), today.pass_rate()),
        count("files passed", then.passed, today.passed),
        share("coverage", before.coverage(), now.coverage()),
    ]
}

/// The last sentence.
fn verdict(comparison: &Comparison<'_>) -> (bool, String) {
    let diff = comparison.diff;
    let what = match comparison.gate {
        Gate::Never => {
            return (false, "no gate: whatever has regressed, the exit code does not say so".to_owned());
        }
        Gate::Files => "file",
        Gate::Records => "record or file",
    };
    let files = plural(diff.common(), "file");
    match diff.has_regressed(comparison.gate) {
        true => (true, format!("at least one {what} has regressed, in {files} that both runs have")),
        false => (false, format!("no {what} has regressed, in {files} that both runs have")),
    }
}

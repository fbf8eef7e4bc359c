//! The comparison of two runs as documents: text for a screen, Markdown, JSON.
//!
//! `changes` decides on the changes worth naming; text and Markdown show them.

mod json;
mod markdown;
mod text;

pub use json::document as json;
pub use markdown::write as write_markdown;
pub use text::{write, write_brief};

use std::time::Duration;

use super::changes::{self, ChangeEntry, ChangeSection, ChangeTone};
use crate::regression::timing::{RECENT, Slowdown};
use crate::regression::{ComparedRun, Gate, RunDiff};
use slt_runner::results::Commit;
use slt_runner::text::count::{duration, plural};

/// A comparison and its context.
pub struct Comparison<'c> {
    /// The changes.
    pub diff: &'c RunDiff<'c>,
    /// The baseline.
    pub baseline: NamedRun<'c>,
    /// The current run.
    pub current: NamedRun<'c>,
    /// The criterion for failure.
    pub gate: Gate,
    /// The maximum number of entries in each section.
    pub limit: usize,
    /// Slower files and records.
    pub slower: Vec<ConfirmedSlowdown<'c>>,
    /// The load of the current run relative to the usual, if known.
    pub load: Option<f64>,
    /// The command that shows the first regressed record.
    pub again: Option<String>,
}

/// A slower file or record, by the history of runs and not only by the baseline.
pub struct ConfirmedSlowdown<'c> {
    /// The slowdown.
    pub slowdown: Slowdown<'c>,
    /// The time of the confirming rerun; `None` if three passes in a row confirm the slowdown.
    pub again: Option<Duration>,
}

/// A run and its name.
pub struct NamedRun<'c> {
    /// Its name.
    pub name: &'c str,
    /// The tested commit, if known.
    pub commit: Option<&'c Commit>,
    /// The shards that it lacks, as a sentence.
    pub defect: Option<String>,
}

/// The minimum load of a run that is mentioned.
const LOADED: f64 = 1.5;

impl Comparison<'_> {
    fn sides(&self) -> [(&'static str, &NamedRun<'_>, &ComparedRun<'_>); 2] {
        [("baseline", &self.baseline, &self.diff.baseline), ("current", &self.current, &self.diff.current)]
    }

    /// Returns the obstacles to a complete comparison, as sentences.
    fn caveats(&self) -> Vec<String> {
        let load = self.load.filter(|&load| load >= LOADED);
        let load = load.map(|load| {
            format!("the current run took {load:.1} times as long as usual, nearly all files alike")
        });
        let sides = [("baseline", &self.baseline), ("current run", &self.current)];
        let defects = sides.into_iter().filter_map(|(side, run)| Some((side, run.defect.as_ref()?)));
        let defects = defects.map(|(side, defect)| format!("the {side} is INCOMPLETE: {defect}"));
        defects.chain(changes::caveats(self.diff)).chain(load).collect()
    }

    /// Returns all changes and slowdowns, regressions first.
    fn sections(&self) -> Vec<ChangeSection<'_>> {
        let mut sections = changes::sections(self.diff);
        if !self.slower.is_empty() {
            let is_better =
                |section: &ChangeSection<'_>| matches!(section.tone, ChangeTone::Good | ChangeTone::Plain);
            let place = sections.iter().position(is_better).unwrap_or(sections.len());
            sections.insert(place, slower_section(self.diff, &self.slower));
        }
        sections
    }
}

impl NamedRun<'_> {
    /// Formats the commit, like `4f1c2d3e on main, with changes`.
    fn state(&self) -> Option<String> {
        let commit = self.commit?;
        let short = commit.hash.get(..10).unwrap_or(&commit.hash);
        let branch = commit.branch.as_ref().map_or_else(String::new, |branch| format!(" on {branch}"));
        let dirty = if commit.dirty { ", with changes" } else { "" };
        Some(format!("{short}{branch}{dirty}"))
    }
}

fn slower_section<'d>(diff: &'d RunDiff<'d>, slower: &'d [ConfirmedSlowdown<'d>]) -> ChangeSection<'d> {
    let entries = slower.iter().map(|slow| slower_entry(diff, slow)).collect();
    ChangeSection { tone: ChangeTone::Odd, title: "slower", of_files: false, entries }
}

fn slower_entry<'d>(diff: &'d RunDiff<'d>, slow: &'d ConfirmedSlowdown<'d>) -> ChangeEntry<'d> {
    let ConfirmedSlowdown { slowdown, again } = slow;
    let known = diff.files.iter().find(|file| file.file == slowdown.file);
    let (before, now) = (duration(slowdown.before), duration(slowdown.now));
    let passes = slowdown.passes;
    let shown_by = match again {
        Some(again) => format!("and {} when it was run once more", duration(*again)),
        None => format!("in each of the last {RECENT} passes"),
    };
    let shown = known.map_or(slowdown.file.path(), |file| file.shown);
    let id = slowdown.record.map(|record| &record.id);
    let what = format!("{before} before, the median of {passes} passes; now {now}, {shown_by}");
    ChangeEntry::told(slowdown.file, shown, id, what)
}

/// Returns whether the comparison failed, and the last sentence.
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

//! What has changed between two runs, as documents: text for a screen, Markdown, JSON.
//!
//! What is worth naming is decided once, in `changes`, and text and Markdown show it.

mod json;
mod markdown;
mod slower;
mod text;

pub use json::document as json;
pub use markdown::write as write_markdown;
pub use slower::Slow;
pub use text::{write, write_brief};

use super::changes::{self, ChangeSection, Tone};
use crate::regression::{Gate, RunDiff, Side};
use slt_runner::results::Commit;
use slt_runner::text::count::plural;

/// A comparison, with what its documents tell besides.
pub struct Comparison<'c> {
    /// What has changed.
    pub diff: &'c RunDiff<'c>,
    /// The run that is compared with.
    pub baseline: Named<'c>,
    /// The run that is looked at.
    pub current: Named<'c>,
    /// What makes the comparison fail.
    pub gate: Gate,
    /// So many entries of each section are named.
    pub limit: usize,
    /// What takes longer than it did.
    pub slower: Vec<Slow<'c>>,
    /// How many times as long as usual the current run took as a whole, where that is known.
    pub load: Option<f64>,
    /// The command that looks at the first record that has regressed.
    pub again: Option<String>,
}

/// What a run is called.
pub struct Named<'c> {
    /// Its name.
    pub name: &'c str,
    /// The commit that it tested, if it is known.
    pub commit: Option<&'c Commit>,
}

/// A run that takes so many times as long as usual is worth a word.
const LOADED: f64 = 1.5;

impl Comparison<'_> {
    fn sides(&self) -> [(&'static str, &Named<'_>, &Side<'_>); 2] {
        [("baseline", &self.baseline, &self.diff.baseline), ("current", &self.current, &self.diff.current)]
    }

    /// What stands in the way of comparing all of it, in sentences.
    fn caveats(&self) -> Vec<String> {
        let load = self.load.filter(|&load| load >= LOADED);
        let load = load.map(|load| {
            format!("the current run took {load:.1} times as long as usual, nearly all files alike")
        });
        changes::caveats(self.diff).into_iter().chain(load).collect()
    }

    /// All changes, and what became slower, behind what became worse.
    fn sections(&self) -> Vec<ChangeSection<'_>> {
        let mut sections = changes::sections(self.diff);
        if !self.slower.is_empty() {
            let is_better = |section: &ChangeSection<'_>| matches!(section.tone, Tone::Good | Tone::Plain);
            let place = sections.iter().position(is_better).unwrap_or(sections.len());
            sections.insert(place, slower::section(self.diff, &self.slower));
        }
        sections
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

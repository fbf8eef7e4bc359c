//! What an analysis says, for people and programs: its words, and the documents made of it.

mod json;
mod markdown;
mod members;
mod punchlist;
mod text;
mod words;

use super::cluster::Sample;
use crate::analysis::{Analysis, Cluster};
use slt_core::outcome::{FileReport, RecordId, RunReport};
use slt_runner::results::RunSummary;

pub use self::punchlist::{
    Punchlist, csv as punchlist_csv, json as punchlist_json, markdown as punchlist_markdown,
};
pub use json::document as json;
pub use markdown::write as markdown;
pub use members::{json as members_json, text as members_text, toml as members_toml};
pub use text::write as text;

/// A part of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The clusters in the order of fixes.
    Fixes,
    /// The clusters by their records, with all that is known of each.
    Patterns,
    /// The smallest record of each cluster.
    Examples,
    /// How the pass rate went.
    Trend,
}

/// All that the documents are made of.
pub struct View<'v> {
    /// The name of the run.
    pub run: &'v str,
    /// The run.
    pub report: &'v RunReport,
    /// What was found.
    pub analysis: &'v Analysis,
    /// The command that runs a record of a file; empty if there is none.
    pub again: &'v dyn Fn(&FileReport, &RecordId) -> String,
    /// Complete runs of the same engine, the oldest first, up to this one.
    pub history: &'v [RunSummary],
}

impl<'v> View<'v> {
    fn sample(&self, cluster: &'v Cluster) -> Option<Sample<'v>> {
        Sample::of(cluster, self.report)
    }

    /// The command that runs it; empty if there is none.
    fn again(&self, sample: &Sample<'_>) -> String {
        (self.again)(sample.file, &sample.id)
    }

    /// How many fixes make half of the files green that are not: enough to begin with.
    fn first_fixes(&self) -> usize {
        const MOST: usize = 10;
        let red = self.analysis.files.len() as u64;
        let half = self.analysis.clusters.iter().position(|cluster| cluster.green_after * 2 >= red);
        half.map_or(MOST, |place| place + 1).min(MOST).min(self.analysis.clusters.len())
    }

    /// The clusters by their records, with their places in the order of fixes.
    fn by_records(&self) -> Vec<(usize, &'v Cluster)> {
        let mut clusters: Vec<_> = self.analysis.clusters.iter().enumerate().collect();
        clusters.sort_by_key(|(place, cluster)| (std::cmp::Reverse(cluster.records), *place));
        clusters
    }
}

//! What an analysis says, for people and programs: its words, and the documents made of it.

mod json;
mod markdown;
mod members;
mod punchlist;
mod text;
mod words;

use crate::analysis::{Analysis, Cluster};
use crate::outcome::{FailureDetail, FileReport, RunReport};
use crate::results::RunOverview;

pub(crate) use self::punchlist::{Punchlist, csv as punchlist_csv};
pub(crate) use self::punchlist::{json as punchlist_json, markdown as punchlist_markdown};
pub(crate) use json::write as json;
pub(crate) use markdown::write as markdown;
pub(crate) use members::{json as members_json, text as members_text, toml as members_toml};
pub(crate) use text::write as text;

/// A part of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
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
pub(crate) struct View<'v> {
    /// The name of the run.
    pub(crate) run: &'v str,
    /// The run.
    pub(crate) report: &'v RunReport,
    /// What was found.
    pub(crate) analysis: &'v Analysis,
    /// The command that runs a record of a file; empty if there is none.
    pub(crate) again: &'v dyn Fn(&FileReport, u32) -> String,
    /// Complete runs of the same engine, the oldest first, up to this one.
    pub(crate) history: &'v [RunOverview],
}

/// The smallest record of a cluster, with what is known of it.
struct Sample<'v> {
    /// The file, with the line if it is a record.
    place: String,
    sql: Option<&'v str>,
    detail: Option<&'v FailureDetail>,
    again: String,
}

impl<'v> View<'v> {
    fn sample(&self, cluster: &'v Cluster) -> Option<Sample<'v>> {
        let example = cluster.example.as_ref()?;
        let file = &self.report.files[example.file];
        let line = example.now.unwrap_or(example.line);
        Some(Sample {
            place: format!("{}:{line}", file.shown),
            sql: example.sql.as_deref(),
            detail: file.details.iter().find(|detail| detail.line == example.line),
            again: (self.again)(file, line),
        })
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

//! Formats an analysis for people and programs.

mod coverage;
mod json;
mod markdown;
mod members;
mod punchlist;
mod text;
mod trend;
mod words;

use std::cmp::Reverse;

use super::cluster::ClusterSample;
use crate::analysis::{Analysis, Cluster, CoverageMap};
use slt_core::outcome::{FileReport, RecordId, RunReport};
use slt_runner::text::count::{percent, thousands};

pub use self::punchlist::{
    Punchlist, csv as punchlist_csv, json as punchlist_json, markdown as punchlist_markdown,
};
pub use json::document as json;
pub use markdown::write as markdown;
pub use members::{json as members_json, text as members_text, toml as members_toml};
pub use text::write as text;
pub use trend::PassRateTrend;

/// A part of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalysisSection {
    /// The clusters in the order of fixes.
    Fixes,
    /// The clusters by their records, with notes.
    Patterns,
    /// The smallest record of each cluster.
    Examples,
    /// The trend of the pass rate.
    Trend,
    /// The coverage map.
    Coverage,
}

/// The input of the documents.
pub struct AnalysisView<'v> {
    /// The name of the run.
    pub run: &'v str,
    /// The run.
    pub report: &'v RunReport,
    /// The analysis.
    pub analysis: &'v Analysis,
    /// Returns the command that runs a record of a file; empty if unknown.
    pub again: &'v dyn Fn(&FileReport, &RecordId) -> String,
    /// Complete runs of the same engine up to this one.
    pub trend: &'v PassRateTrend,
    /// The coverage map, if it is wanted.
    pub coverage: Option<&'v CoverageMap>,
    /// The selection of files, if only a part of the run is analyzed.
    pub selection: Option<&'v ResultSelection>,
}

/// The part of a run that is analyzed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultSelection {
    /// The filters, as typed.
    pub filters: String,
    /// The number of selected files.
    pub files: u64,
    /// The number of files of the whole run.
    pub files_of_run: u64,
    /// The number of failing records of the whole run.
    pub failing_of_run: u64,
}

impl<'v> AnalysisView<'v> {
    fn sample(&self, cluster: &'v Cluster) -> Option<ClusterSample<'v>> {
        ClusterSample::new(cluster, self.report)
    }

    /// Returns the command that runs the sample; empty if unknown.
    fn again(&self, sample: &ClusterSample<'_>) -> String {
        (self.again)(sample.file, &sample.id)
    }

    /// Returns the number of fixes that turn half of the failing files green.
    fn first_fixes(&self) -> usize {
        const MOST: usize = 10;
        let red = self.analysis.files.len() as u64;
        let half = self.analysis.clusters.iter().position(|cluster| cluster.green_after * 2 >= red);
        half.map_or(MOST, |place| place + 1).min(MOST).min(self.analysis.clusters.len())
    }

    /// Returns the clusters by their records: the columns of the table, the place in the order of fixes, the cluster.
    fn by_records(&self) -> Vec<([String; 4], usize, &'v Cluster)> {
        let mut clusters: Vec<_> = self.analysis.clusters.iter().enumerate().collect();
        clusters.sort_by_key(|(place, cluster)| (Reverse(cluster.records), *place));
        let all = self.analysis.failing;
        let columns = |cluster: &Cluster, place: usize| {
            [
                thousands(cluster.records),
                percent((all > 0).then(|| cluster.records as f64 / all as f64)),
                thousands(cluster.files.len() as u64),
                (place + 1).to_string(),
            ]
        };
        clusters.into_iter().map(|(place, cluster)| (columns(cluster, place), place, cluster)).collect()
    }
}

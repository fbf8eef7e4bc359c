//! The clusters of the page.

use serde::Serialize;

use super::choice::{LONGEST_SQL, LONGEST_VALUE};
use crate::analysis::{self, Analysis};
use crate::report::cluster::{Sample, gaps, notes, title, wrong};
use crate::report::subject::{Subject, clipped};

/// Clusters of higher places are summed up.
pub(super) const MOST_CLUSTERS: usize = 200;

/// What the failures come from.
#[derive(Serialize)]
pub(super) struct Causes {
    /// In the order of fixes.
    clusters: Vec<Cluster>,
    /// How many clusters are left out.
    left_out: usize,
    /// How many records they have.
    left_out_records: u64,
    /// How many files have not passed.
    files: usize,
    /// Records that were not reached.
    not_reached: u64,
    /// What could not be seen.
    gaps: Option<String>,
}

#[derive(Serialize)]
struct Cluster {
    title: String,
    kind: String,
    features: Vec<String>,
    records: u64,
    consequences: u64,
    files: usize,
    alone: u64,
    green: u64,
    notes: Vec<String>,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Example>,
}

/// The smallest record.
#[derive(Serialize)]
struct Example {
    file: usize,
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
}

impl Causes {
    pub(super) fn of(subject: &Subject<'_>, analysis: &Analysis) -> Self {
        let shown = analysis.clusters.len().min(MOST_CLUSTERS);
        let (shown, others) = analysis.clusters.split_at(shown);
        Self {
            clusters: shown.iter().map(|cluster| Cluster::of(subject, cluster)).collect(),
            left_out: others.len(),
            left_out_records: others.iter().map(|cluster| cluster.records).sum(),
            files: analysis.files.len(),
            not_reached: analysis.not_reached,
            gaps: gaps(&analysis.gaps).map(|text| clipped(&text, LONGEST_SQL)),
        }
    }
}

impl Cluster {
    fn of(subject: &Subject<'_>, cluster: &analysis::Cluster) -> Self {
        let clipped = |text: &String| clipped(text, LONGEST_VALUE);
        Self {
            title: clipped(&title(cluster)),
            kind: cluster.symptom.kind.clone(),
            features: cluster.features.iter().map(clipped).collect(),
            records: cluster.records,
            consequences: cluster.consequences,
            files: cluster.files.len(),
            alone: cluster.only,
            green: cluster.green_after,
            notes: notes(cluster).iter().map(clipped).collect(),
            fingerprint: format!("{:016x}", cluster.fingerprint),
            example: Example::of(subject, cluster),
        }
    }
}

impl Example {
    fn of(subject: &Subject<'_>, cluster: &analysis::Cluster) -> Option<Self> {
        let (example, sample) = cluster.example.as_ref().zip(Sample::of(cluster, subject.report))?;
        Some(Self {
            file: example.file,
            line: sample.file.failures[example.place].id.line,
            sql: sample.sql.map(|sql| clipped(sql, LONGEST_SQL)),
            message: sample.detail.map(|detail| clipped(&wrong(detail), LONGEST_VALUE)),
            again: (subject.again)(sample.file, &sample.id),
        })
    }
}

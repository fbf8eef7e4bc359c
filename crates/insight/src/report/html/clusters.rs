//! The clusters of the page.

use super::choice::{LONGEST_SQL, LONGEST_VALUE};
use crate::analysis::{Analysis, Cluster};
use crate::report::cluster::{ClusterSample, gaps, notes, title, wrong};
use crate::report::subject::{Subject, clipped};
use slt_runner::text::object::{Object, object};

/// The maximum number of shown clusters; the page counts the others.
pub(super) const MOST_CLUSTERS: usize = 200;

/// Returns the causes of failures: clusters in the order of fixes, and the limits of the analysis.
pub(super) fn causes<'s>(subject: &Subject<'_>, analysis: &'s Analysis) -> Object<'s> {
    let (shown, others) = analysis.clusters.split_at(analysis.clusters.len().min(MOST_CLUSTERS));
    object! {
        "clusters": shown.iter().map(|one| cluster(subject, one)).collect::<Vec<_>>(),
        "left_out": others.len(),
        "left_out_records": others.iter().map(|cluster| cluster.records).sum::<u64>(),
        "files": analysis.files.len(),
        "not_reached": analysis.not_reached,
        "gaps": gaps(&analysis.gaps).map(|text| clipped(&text, LONGEST_SQL)),
    }
}

fn cluster<'s>(subject: &Subject<'_>, cluster: &'s Cluster) -> Object<'s> {
    let clipped = |text: &String| clipped(text, LONGEST_VALUE);
    let document = object! {
        "title": clipped(&title(cluster)),
        "kind": &cluster.symptom.kind,
        "features": cluster.features.iter().map(clipped).collect::<Vec<_>>(),
        "records": cluster.records,
        "consequences": cluster.consequences,
        "files": cluster.files.len(),
        "alone": cluster.only,
        "green": cluster.green_after,
        "notes": notes(cluster).iter().map(clipped).collect::<Vec<_>>(),
        "fingerprint": format!("{:016x}", cluster.fingerprint),
    };
    document.with_some("example", example(subject, cluster))
}

/// Returns the smallest record.
fn example(subject: &Subject<'_>, cluster: &Cluster) -> Option<Object<'static>> {
    let (example, sample) = cluster.example.as_ref().zip(ClusterSample::new(cluster, subject.report))?;
    let document = object! { "file": example.file, "line": sample.file.failures[example.place].id.line }
        .with_some("sql", sample.sql.map(|sql| clipped(sql, LONGEST_SQL)))
        .with_some("message", sample.detail.map(|detail| clipped(&wrong(detail), LONGEST_VALUE)))
        .with_some("again", (subject.again)(sample.file, &sample.id));
    Some(document)
}

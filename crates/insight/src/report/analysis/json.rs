//! An analysis as JSON. docs/analysis.md has its fields.

use serde::Serialize;

use super::View;
use crate::analysis::Cluster;
use crate::report::cluster::{title, wrong};
use slt_runner::text::document::milliseconds;

/// The version of the document: it grows when a field changes its meaning or goes away.
pub(super) const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'v> {
    format: u32,
    run: &'v str,
    engine: String,
    failing_records: u64,
    failing_files: usize,
    not_reached: u64,
    clusters: Vec<ClusterDocument<'v>>,
    files: Vec<FileDocument<'v>>,
    gaps: Vec<GapDocument<'v>>,
    trend: Vec<RunDocument<'v>>,
}

#[derive(Serialize)]
struct ClusterDocument<'v> {
    fix: usize,
    fingerprint: String,
    title: String,
    kind: &'v str,
    what: &'v str,
    features: &'v [String],
    share_of_features: Option<f64>,
    classes: Vec<ClassDocument>,
    records: u64,
    consequences: u64,
    files: Vec<&'v str>,
    files_alone: u64,
    green_after: u64,
    example: Option<ExampleDocument<'v>>,
}

#[derive(Serialize)]
struct ClassDocument {
    class: &'static str,
    records: u64,
}

#[derive(Serialize)]
struct ExampleDocument<'v> {
    file: &'v str,
    line: u32,
    sql: Option<&'v str>,
    message: Option<String>,
    command: Option<String>,
}

#[derive(Serialize)]
struct FileDocument<'v> {
    file: &'v str,
    records: u64,
    fixes: Vec<usize>,
}

#[derive(Serialize)]
struct GapDocument<'v> {
    file: &'v str,
    why: Option<String>,
    records: u64,
}

#[derive(Serialize)]
struct RunDocument<'v> {
    run: &'v str,
    started_ms: i64,
    duration_ms: u64,
    pass_rate: Option<f64>,
}

/// Writes the whole analysis.
///
/// # Errors
///
/// None but those of the writer.
pub fn write(view: &View<'_>) -> serde_json::Result<String> {
    let analysis = view.analysis;
    let path = |file: usize| view.report.files[file].file.as_str();
    let document = Document {
        format: FORMAT,
        run: view.run,
        engine: view.report.header.engine.to_string(),
        failing_records: analysis.failing,
        failing_files: analysis.files.len(),
        not_reached: analysis.not_reached,
        clusters: analysis
            .clusters
            .iter()
            .enumerate()
            .map(|(place, one)| cluster(view, place, one))
            .collect(),
        files: analysis
            .files
            .iter()
            .map(|red| FileDocument {
                file: path(red.file),
                records: red.records,
                fixes: red.clusters.iter().map(|place| place + 1).collect(),
            })
            .collect(),
        gaps: analysis
            .gaps
            .iter()
            .map(|gap| GapDocument {
                file: &gap.file,
                why: gap.why.as_ref().map(ToString::to_string),
                records: gap.records,
            })
            .collect(),
        trend: view
            .history
            .iter()
            .map(|run| RunDocument {
                run: &run.name,
                started_ms: run.started,
                duration_ms: milliseconds(run.elapsed),
                pass_rate: run.totals.records.pass_rate().map(|rate| rate * 100.0),
            })
            .collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn cluster<'v>(view: &View<'v>, place: usize, cluster: &'v Cluster) -> ClusterDocument<'v> {
    let example =
        cluster.example.as_ref().zip(view.sample(cluster)).map(|(example, sample)| ExampleDocument {
            file: view.report.files[example.file].file.as_str(),
            line: sample.id.line,
            sql: sample.sql,
            message: sample.detail.map(wrong),
            command: Some(view.again(&sample)).filter(|again| !again.is_empty()),
        });
    let classes = cluster.classes.iter();
    ClusterDocument {
        fix: place + 1,
        fingerprint: format!("{:016x}", cluster.fingerprint),
        title: title(cluster),
        kind: &cluster.symptom.kind,
        what: &cluster.symptom.what,
        features: &cluster.features,
        share_of_features: cluster.share,
        classes: classes.map(|&(class, records)| ClassDocument { class: class.word(), records }).collect(),
        records: cluster.records,
        consequences: cluster.consequences,
        files: cluster.files.iter().map(|&file| view.report.files[file].file.as_str()).collect(),
        files_alone: cluster.only,
        green_after: cluster.green_after,
        example,
    }
}

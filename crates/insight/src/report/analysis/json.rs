//! Formats an analysis as JSON. docs/analysis.md lists the fields.

use super::{AnalysisView, ResultSelection, coverage};
use crate::analysis::Cluster;
use crate::report::cluster::{title, wrong};
use slt_runner::text::document::milliseconds;
use slt_runner::text::object::{Object, object};

/// The version of the document, incremented when a field changes its meaning or is removed.
pub(super) const FORMAT: u32 = 1;

/// Makes the document of the whole analysis.
pub fn document<'v>(view: &'v AnalysisView<'v>) -> Object<'v> {
    let analysis = view.analysis;
    let clusters = analysis.clusters.iter().enumerate().map(|(place, one)| cluster(view, place, one));
    let files = analysis.files.iter().map(|red| {
        let fixes: Vec<_> = red.clusters.iter().map(|place| place + 1).collect();
        object! { "file": path(view, red.file), "records": red.records, "fixes": fixes }
    });
    let gaps = analysis.gaps.iter().map(|gap| {
        let why = gap.why.as_ref().map(ToString::to_string);
        object! { "file": &gap.file, "why": why, "records": gap.records }
    });
    let trend = view.trend.runs.iter().map(|run| {
        object! {
            "run": &run.name,
            "started_ms": run.started,
            "duration_ms": milliseconds(run.elapsed),
            "pass_rate": run.totals.records.pass_rate().map(|rate| rate * 100.0),
        }
    });
    object! {
        "format": FORMAT,
        "run": view.run,
        "engine": view.report.header.engine.to_string(),
        "failing_records": analysis.failing,
        "failing_files": analysis.files.len(),
        "not_reached": analysis.not_reached,
        "clusters": clusters.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "trend": trend.collect::<Vec<_>>(),
        "trend_by_category": view.trend.json(),
    }
    .with_some("coverage", view.coverage.map(|map| coverage::json(map, view)))
    .with_some("selection", view.selection.map(selection))
}

fn selection(selection: &ResultSelection) -> Object<'_> {
    object! {
        "filters": &selection.filters,
        "files": selection.files,
        "files_of_run": selection.files_of_run,
        "failing_records_of_run": selection.failing_of_run,
    }
}

fn path<'v>(view: &AnalysisView<'v>, file: usize) -> &'v str {
    view.report.files[file].file.path()
}

fn cluster<'v>(view: &AnalysisView<'v>, place: usize, cluster: &'v Cluster) -> Object<'v> {
    let classes = cluster.classes.iter();
    let classes = classes.map(|(class, records)| object! { "class": class.word(), "records": records });
    let example = cluster.example.as_ref().zip(view.sample(cluster)).map(|(example, sample)| {
        object! {
            "file": path(view, example.file),
            "line": sample.id.line,
            "sql": sample.sql,
            "message": sample.detail.map(wrong),
            "command": Some(view.again(&sample)).filter(|again| !again.is_empty()),
        }
    });
    object! {
        "fix": place + 1,
        "fingerprint": format!("{:016x}", cluster.fingerprint),
        "title": title(cluster),
        "kind": &cluster.symptom.kind,
        "what": &cluster.symptom.what,
        "features": &cluster.features,
        "share_of_features": cluster.share,
        "classes": classes.collect::<Vec<_>>(),
        "records": cluster.records,
        "consequences": cluster.consequences,
        "files": cluster.files.iter().map(|&file| path(view, file)).collect::<Vec<_>>(),
        "files_alone": cluster.only,
        "green_after": cluster.green_after,
        "example": example,
    }
}

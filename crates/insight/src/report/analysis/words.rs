//! Formats an analysis in sentences.

use super::{AnalysisView, ResultSelection};
use crate::report::cluster::gaps;
use slt_core::outcome::FileStatus;
use slt_runner::text::count::{percent, plural, thousands};

/// Returns the first sentences of the document.
pub(super) fn punchline(view: &AnalysisView<'_>) -> Vec<String> {
    let analysis = view.analysis;
    let (clusters, red) = (analysis.clusters.len() as u64, analysis.files.len() as u64);
    if clusters == 0 {
        let files = plural(view.report.files.len() as u64, "file");
        let flaky = view.report.files.iter().filter(|file| file.status() == FileStatus::Flaky).count();
        return vec![match flaky {
            0 => format!("no failing records in {files}"),
            flaky => format!("no failing records in {files}, {} flaky", thousands(flaky as u64)),
        }];
    }
    let (records, files) = (plural(analysis.failing, "failing record"), plural(red, "file"));
    let mut lines = vec![format!("{records} in {files}: {}", plural(clusters, "cluster"))];
    let first = view.first_fixes();
    if let Some(cluster) = first.checked_sub(1).and_then(|last| analysis.clusters.get(last)) {
        let what = if first == 1 {
            "the first fix turns".to_owned()
        } else {
            format!("the first {first} fixes turn")
        };
        lines.push(format!("{what} {} of {files} green", thousands(cluster.green_after)));
    }
    lines
}

/// Describes the part of the run that is analyzed.
pub(super) fn selected(selection: &ResultSelection, view: &AnalysisView<'_>) -> String {
    format!(
        "filtered by {}: {} of {}, {} of {}",
        selection.filters,
        thousands(selection.files),
        plural(selection.files_of_run, "file"),
        thousands(view.analysis.failing),
        plural(selection.failing_of_run, "failing record"),
    )
}

/// Returns the limits of the analysis, in sentences.
pub(super) fn limits(view: &AnalysisView<'_>) -> Vec<String> {
    let analysis = view.analysis;
    let mut lines = Vec::new();
    if analysis.not_reached > 0 {
        let records = plural(analysis.not_reached, "record");
        lines.push(format!("{records} not reached; the outcome is unknown"));
    }
    let untested = (view.report.header.files as u64).saturating_sub(view.report.files.len() as u64);
    if untested > 0 {
        lines.push(format!("INCOMPLETE: {} untested", plural(untested, "file")));
    }
    lines.extend(gaps(&analysis.gaps));
    lines
}

/// Returns the trend of the pass rate, if there is more than one run.
pub(super) fn trend(view: &AnalysisView<'_>) -> Option<String> {
    let rates = view.trend.rates();
    let [.., before, last] = rates.as_slice() else { return None };
    let line = crate::report::runs::sparkline(&rates);
    let change = (last - before) * 100.0;
    Some(format!(
        "pass rate {line} {} of the records, {change:+.2} since the run before",
        percent(Some(*last))
    ))
}

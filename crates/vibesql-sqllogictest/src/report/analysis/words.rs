//! How clusters, and what could not be seen, are worded.

use super::View;
use crate::analysis::{Cluster, Gap, WRONG_RESULT, WRONG_VALUES, explain};
use crate::outcome::FailureDetail;
use crate::text::count::{percent, plural, thousands};
use crate::text::failure::{NOT_WHY, headline};

/// What a cluster is, in one line.
pub(super) fn title(cluster: &Cluster) -> String {
    let what = cluster.symptom.what.as_str();
    let seen = match cluster.symptom.kind.as_str() {
        WRONG_RESULT => match cluster.classes.as_slice() {
            // One class that says little is better than none.
            [(class, _)] if what == WRONG_VALUES => format!("{what} ({})", class.word()),
            _ => what.to_owned(),
        },
        "unexpected_error" => format!("error: {what}"),
        "unexpected_success" => "no error where one was expected".to_owned(),
        "unsupported" => format!("not supported: {what}"),
        "malformed" => format!("malformed record: {what}"),
        "engine_panicked" => format!("panic: {what}"),
        "engine_lost" => format!("engine lost: {what}"),
        "process_died" => format!("process died: {what}"),
        // Another tool has said that a file failed, and nothing else.
        "reported" if what.is_empty() => NOT_WHY.to_owned(),
        "unknown" => format!("not known: {what}"),
        _ => what.to_owned(),
    };
    match cluster.features.as_slice() {
        [] => seen,
        features => format!("{seen}, with {}", features.join(" and ")),
    }
}

/// What else is known of a cluster: the classes of its values, its consequences, how many records with its features
/// fail.
pub(super) fn notes(cluster: &Cluster) -> Vec<String> {
    let mut notes = Vec::new();
    if cluster.consequences > 0 {
        let (roots, follow) = (cluster.records - cluster.consequences, cluster.consequences);
        notes.push(format!("{} and {} that follow", plural(roots, "root"), thousands(follow)));
    }
    if let Some(share) = cluster.share.filter(|share| *share < 0.995) {
        let features = cluster.features.join(" and ");
        notes.push(format!("about {} of the records with {features} fail so", rounded(share)));
    }
    if cluster.classes.len() > 1 {
        let classes =
            cluster.classes.iter().map(|(class, count)| format!("{} {}", class.word(), thousands(*count)));
        notes.push(classes.collect::<Vec<_>>().join(", "));
    }
    notes
}

fn rounded(share: f64) -> String {
    match (share * 100.0).round() {
        percent if percent < 1.0 => "less than 1 %".to_owned(),
        percent => format!("{} %", percent.min(99.0)),
    }
}

/// What is wrong with a record, in one line.
pub(super) fn wrong(detail: &FailureDetail) -> String {
    match explain(detail) {
        Some(explanation) => format!("{}: {}", headline(&detail.what), explanation),
        None => headline(&detail.what),
    }
}

/// The sentences in front of everything.
pub(super) fn punchline(view: &View<'_>) -> Vec<String> {
    let analysis = view.analysis;
    let (clusters, red) = (analysis.clusters.len() as u64, analysis.files.len() as u64);
    if clusters == 0 {
        return vec![format!("nothing has failed in {}", plural(view.report.files.len() as u64, "file"))];
    }
    let (records, files) = (plural(analysis.failing, "failing record"), plural(red, "file"));
    let mut lines = vec![format!("{records} in {files} are {}", plural(clusters, "cluster"))];
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

/// What could not be seen, and what that means.
pub(super) fn limits(view: &View<'_>) -> Vec<String> {
    let analysis = view.analysis;
    let mut lines = Vec::new();
    if analysis.not_reached > 0 {
        let records = plural(analysis.not_reached, "record");
        lines.push(format!("{records} were not reached; nobody knows what they would have done"));
    }
    let untested = (view.report.header.files as u64).saturating_sub(view.report.files.len() as u64);
    if untested > 0 {
        lines.push(format!("{} untested", plural(untested, "file")));
    }
    lines.extend(gaps(&analysis.gaps));
    lines
}

/// So many files are named.
const MOST_NAMES: usize = 3;

fn gaps(gaps: &[Gap]) -> Option<String> {
    if gaps.is_empty() {
        return None;
    }
    let records: u64 = gaps.iter().map(|gap| gap.records).sum();
    let mut files: Vec<_> = gaps
        .iter()
        .take(MOST_NAMES)
        .map(|gap| match &gap.why {
            Some(why) => format!("{} ({why})", gap.file),
            None => format!("{} (it has changed)", gap.file),
        })
        .collect();
    if gaps.len() > MOST_NAMES {
        files.push(format!("and {} more", gaps.len() - MOST_NAMES));
    }
    let records = plural(records, "failing record");
    Some(format!(
        "{records} known without their SQL, of {}: {}",
        plural(gaps.len() as u64, "file"),
        files.join(", ")
    ))
}

/// How the pass rate went, if there is more than one run.
pub(super) fn trend(view: &View<'_>) -> Option<String> {
    let rates: Vec<f64> = view.history.iter().filter_map(|run| run.totals.records.pass_rate()).collect();
    let [.., before, last] = rates.as_slice() else { return None };
    let line = crate::report::runs::sparkline(&rates);
    let change = (last - before) * 100.0;
    Some(format!(
        "pass rate {line} {} of the records, {change:+.2} since the run before",
        percent(Some(*last))
    ))
}

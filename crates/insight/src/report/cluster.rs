//! Formats clusters and gaps of the analysis.

use crate::analysis::{Cluster, MissingSql, WRONG_RESULT, WRONG_VALUES, explain};
use slt_core::outcome::{DetailedFailure, FileReport, RecordId, RunReport};
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::failure::{NOT_WHY, headline};
use slt_runner::text::visible::one_line;

/// The smallest record of a cluster, with its details.
pub struct ClusterSample<'v> {
    /// The file that contains it.
    pub file: &'v FileReport,
    /// Its present place, as far as it is known.
    pub id: RecordId,
    /// Its SQL, if the file can still be read.
    pub sql: Option<&'v str>,
    /// Its details, if the run recorded them.
    pub detail: Option<DetailedFailure<'v>>,
}

impl<'v> ClusterSample<'v> {
    /// Returns the example of a cluster; `None` for files that fail as a whole.
    pub fn new(cluster: &'v Cluster, report: &'v RunReport) -> Option<Self> {
        let example = cluster.example.as_ref()?;
        let file = &report.files[example.file];
        let record = &file.failures[example.place];
        let line = example.now.unwrap_or(record.id.line);
        Some(Self {
            file,
            id: RecordId { line, ..record.id.clone() },
            sql: example.sql.as_deref(),
            detail: record.detailed(),
        })
    }

    /// Returns the displayed path of the file, with the line.
    pub fn place(&self) -> String {
        format!("{}:{}", one_line(&self.file.shown), self.id)
    }
}

/// Describes a cluster in one line.
pub fn title(cluster: &Cluster) -> String {
    let what = cluster.symptom.what.as_str();
    let seen = match cluster.symptom.kind.as_str() {
        WRONG_RESULT => match cluster.classes.as_slice() {
            // A single vague class is better than none.
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
        // Another tool has reported only the failure of the file.
        _ if cluster.symptom.is_unknown() => NOT_WHY.to_owned(),
        "unknown" => format!("not known: {what}"),
        _ => what.to_owned(),
    };
    match cluster.features.as_slice() {
        [] => seen,
        features => format!("{seen}, with {}", features.join(" and ")),
    }
}

/// Returns further facts about a cluster: classes of values, consequences, failure rate of its features.
pub fn notes(cluster: &Cluster) -> Vec<String> {
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

/// Returns the columns of a cluster in the table of fixes, without its title.
pub fn fix_columns(place: usize, cluster: &Cluster) -> [String; 5] {
    [
        (place + 1).to_string(),
        thousands(cluster.records),
        thousands(cluster.files.len() as u64),
        thousands(cluster.only),
        thousands(cluster.green_after),
    ]
}

fn rounded(share: f64) -> String {
    match (share * 100.0).round() {
        percent if percent < 1.0 => "less than 1 %".to_owned(),
        percent => format!("{} %", percent.min(99.0)),
    }
}

/// Describes the problem of a record in one line.
pub fn wrong(detail: DetailedFailure<'_>) -> String {
    match explain(detail) {
        Some(explanation) => format!("{}: {}", headline(detail.problem), explanation),
        None => headline(detail.problem),
    }
}

/// The maximum number of named files.
const MOST_NAMES: usize = 3;

/// Describes the files that could not be analysed completely.
pub fn gaps(gaps: &[MissingSql]) -> Option<String> {
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

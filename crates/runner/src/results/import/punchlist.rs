//! Reads `sqllogictest_punchlist.json`: lists of passed, failed and untested files.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::files::ImportedFiles;
use super::sql::moment;
use super::status::status_of_file;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning};
use slt_core::outcome::{FileReport, FileStatus};

#[derive(Deserialize)]
struct PunchlistDocument {
    timestamp: Option<String>,
    passed_files: Option<Vec<String>>,
    failed_files: Option<Vec<String>>,
    untested_files: Option<Vec<String>>,
    /// More precise statuses than the lists; the earlier scripts did not have it.
    #[serde(default)]
    statuses: BTreeMap<String, String>,
    total_files: Option<u64>,
    summary: Option<PunchlistTotals>,
}

#[derive(Deserialize)]
struct PunchlistTotals {
    passed: Option<u64>,
    failed: Option<u64>,
    untested: Option<u64>,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let document: PunchlistDocument = serde_json::from_str(text).map_err(ImportError::Json)?;
    let mut oddities = Vec::new();
    let started = document.timestamp.as_deref().and_then(moment);
    if started.is_none() {
        oddities.push(ImportWarning::Undated);
    }
    let [passed, failed, untested] =
        [&document.passed_files, &document.failed_files, &document.untested_files]
            .map(|list| list.as_deref().unwrap_or_default());
    let listed = [passed, failed, untested].map(|list| list.len() as u64);
    let sums = document.summary.as_ref();
    let counts = [
        ("passed files", sums.and_then(|sums| sums.passed), listed[0]),
        ("failed files", sums.and_then(|sums| sums.failed), listed[1]),
        ("untested files", sums.and_then(|sums| sums.untested), listed[2]),
        ("files", document.total_files, listed.iter().sum()),
    ];
    oddities.extend(ImportWarning::wrong_counts("the summary", counts));
    let mut files = ImportedFiles::default();
    for (list, status) in
        [(passed, Some(FileStatus::Passed)), (failed, Some(FileStatus::Failed)), (untested, None)]
    {
        for file in list {
            let other = document.statuses.get(file);
            match other.map_or(status, |word| status_of_file(file, word, &mut oddities)) {
                Some(status) => {
                    files.add(FileReport::of_whole(file, status, None, Duration::ZERO), &mut oddities);
                }
                None => files.add_untested(file, &mut oddities),
            }
        }
    }
    if files.len() == 0 {
        return Err(ImportError::Nothing("file in its lists"));
    }
    let wanted = document.total_files.unwrap_or(0);
    let run = ForeignRun::from_files(text, files, started.unwrap_or(changed), wanted);
    Ok(ImportResult { runs: vec![run], oddities })
}

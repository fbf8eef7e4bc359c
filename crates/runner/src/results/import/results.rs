//! Imports JSON results of VibeSQL's earlier scripts: `sqllogictest_results.json`, those of workers, and the cumulative
//! ones.
//!
//! Their sums count files. The merged ones have no files over their time; files that crashed are in no list at all.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Deserialize;

use super::files::ImportedFiles;
use super::sql::moment;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning};
use slt_core::outcome::{FileReport, FileStatus, RecordId};

#[derive(Deserialize)]
struct ResultsDocument {
    timestamp: Option<String>,
    summary: Option<ResultsTotals>,
    tested_files: Option<ResultsLists>,
    categories: Option<BTreeMap<String, Option<ResultsTotals>>>,
    detailed_failures: Option<Vec<FailureList>>,
}

#[derive(Deserialize)]
struct ResultsTotals {
    total: Option<u64>,
    passed: Option<u64>,
    failed: Option<u64>,
    timed_out: Option<u64>,
}

#[derive(Deserialize)]
struct ResultsLists {
    passed: Option<Vec<String>>,
    failed: Option<Vec<String>>,
    timed_out: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FailureList {
    file_path: String,
    failures: Option<Vec<ListedFailure>>,
}

#[derive(Deserialize)]
struct ListedFailure {
    sql_statement: Option<String>,
    expected_result: Option<String>,
    actual_result: Option<String>,
    error_message: Option<String>,
    line_number: Option<u32>,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let document: ResultsDocument = serde_json::from_str(text).map_err(ImportError::Json)?;
    let Some(lists) = document.tested_files else { return Err(ImportError::Nothing("`tested_files`")) };
    let failures: HashMap<_, _> = document.detailed_failures.iter().flatten().map(by_file).collect();
    let [passed, failed, timed_out] =
        [lists.passed, lists.failed, lists.timed_out].map(Option::unwrap_or_default);
    let said = document.timestamp.as_deref().and_then(moment);
    let mut oddities: Vec<_> = said.is_none().then_some(ImportWarning::Undated).into_iter().collect();
    if let Some(sums) = &document.summary {
        let listed = [&passed, &failed, &timed_out].map(|list| list.len() as u64);
        let counts = [
            ("passed files", sums.passed, listed[0]),
            ("failed files", sums.failed, listed[1]),
            ("files over their time", sums.timed_out, listed[2]),
            ("files", sums.total, listed.iter().sum()),
        ];
        oddities.extend(ImportWarning::wrong_counts("the summary", counts));
    }
    let mut files = ImportedFiles::default();
    for file in &passed {
        let status = match failures.get(file.as_str()) {
            Some(failures) if !failures.is_empty() => {
                oddities.push(ImportWarning::Contradiction(file.clone()));
                FileStatus::Failed
            }
            _ => FileStatus::Passed,
        };
        files.add(report(file, status, &failures), &mut oddities);
    }
    let rest = failed.iter().map(|file| (file, FileStatus::Failed));
    for (file, status) in rest.chain(timed_out.iter().map(|file| (file, FileStatus::TimedOut))) {
        files.add(report(file, status, &failures), &mut oddities);
    }
    for of_file in document.detailed_failures.iter().flatten() {
        let (file, failing) = by_file(of_file);
        if !failing.is_empty() && !files.contains(file) {
            oddities.push(ImportWarning::Unlisted(file.to_owned()));
            files.add(report(file, FileStatus::Failed, &failures), &mut oddities);
        }
    }
    let total = document.summary.as_ref().and_then(|sums| sums.total);
    if let (Some(says), Some(categories)) = (total, &document.categories) {
        let totals = categories.values().flatten().filter_map(|sums| sums.total);
        let found = totals.fold(0, u64::saturating_add);
        let count = (found > 0).then_some(("files in all categories", Some(says), found));
        oddities.extend(ImportWarning::wrong_counts("the summary", count));
    }
    let run = ForeignRun::from_files(text, files, said.unwrap_or(changed), total.unwrap_or(0));
    Ok(ImportResult { runs: vec![run], oddities })
}

fn by_file(of_file: &FailureList) -> (&str, &[ListedFailure]) {
    (&of_file.file_path, of_file.failures.as_deref().unwrap_or_default())
}

fn report(file: &str, status: FileStatus, failures: &HashMap<&str, &[ListedFailure]>) -> FileReport {
    let failures = failures.get(file).copied().unwrap_or_default();
    let texts: Vec<_> = failures.iter().filter_map(text_of).collect();
    let message = (!texts.is_empty()).then(|| texts.join("\n"));
    let mut report = FileReport::of_whole(file, status, message.as_deref(), Duration::ZERO);
    if let (Some(record), Some(failure)) = (report.failures.first_mut(), failures.first()) {
        record.id = RecordId::at(failure.line_number.unwrap_or(0));
        if let Some(detail) = &mut record.detail {
            detail.sql = failure.sql_statement.clone().unwrap_or_default();
        }
    }
    report
}

fn text_of(failure: &ListedFailure) -> Option<String> {
    let sides = [failure.expected_result.as_deref(), failure.actual_result.as_deref()];
    joined(failure.error_message.clone(), sides)
}

/// Joins a message, the expected and the actual result, as far as known.
pub(super) fn joined(message: Option<String>, sides: [Option<&str>; 2]) -> Option<String> {
    ["expected", "actual"].into_iter().zip(sides).fold(message, |text, (word, side)| {
        let Some(side) = side else { return text };
        let before = text.map_or_else(String::new, |text| text + "\n");
        Some(format!("{before}{word}: {side}"))
    })
}

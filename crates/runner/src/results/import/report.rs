//! The JSON report of this program: `run --json`, `report --json`.
//!
//! It has all facts about a file except the headers and keys of its records. A file whose facts do not give the same
//! status and counts again is read like one of another tool: only its status and messages count.

use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer};

use super::failures::{ReportedFailure, what_of};
use super::files::ImportedFiles;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning, RunOrigin, known_time};
use crate::text::document::{FORMAT, end_from_word};
use crate::wire::{CountsForm, EngineIdForm, FileIdForm, Maybe, RemoteForm as _};
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, Counts, FailingRecord, FailureDetail, Fault, FileEnd, FileProblem, FileReport, FileStatus,
    FlakyResult, Problem, RecordId, RecordRef,
};

#[derive(Deserialize)]
struct ReportedFormat {
    format: serde_json::Value,
}

#[derive(Deserialize)]
struct ReportedRun {
    #[serde(with = "EngineIdForm")]
    engine: EngineId,
    #[serde(default)]
    exact: bool,
    duration_ms: Option<u64>,
    end: Option<String>,
    flaky: Option<String>,
    summary: ReportedSums,
    tested_files: ReportedLists,
    files: Vec<ReportedFile>,
}

#[derive(Deserialize)]
struct ReportedSums {
    total_available_files: Option<u64>,
    total: Option<u64>,
    passed: Option<u64>,
    failed: Option<u64>,
    timed_out: Option<u64>,
    errors: Option<u64>,
    skipped: Option<u64>,
    flaky: Option<u64>,
    out_of_memory: Option<u64>,
}

#[derive(Deserialize)]
struct ReportedLists {
    #[serde(default)]
    untested: Vec<String>,
}

#[derive(Deserialize)]
struct ReportedFile {
    file: String,
    #[serde(default, with = "Maybe::<FileIdForm>")]
    id: Option<FileId>,
    status: String,
    dialect: Option<String>,
    duration_ms: Option<u64>,
    peak_memory: Option<u64>,
    stderr: Option<String>,
    #[serde(default)]
    attempts: Vec<ReportedAttempt>,
    #[serde(deserialize_with = "counts")]
    records: Counts,
    end: ReportedEnd,
    failures: Vec<ReportedFailure>,
    #[serde(default)]
    left_out: Vec<u32>,
}

#[derive(Deserialize)]
struct ReportedAttempt {
    status: String,
    duration_ms: Option<u64>,
    failure: Option<ReportedFailure>,
}

#[derive(Deserialize)]
struct ReportedEnd {
    how: String,
    line: Option<u32>,
    message: Option<String>,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let ReportedFormat { format } = serde_json::from_str(text).map_err(ImportError::Json)?;
    if format.as_u64() != Some(FORMAT.into()) {
        return Err(ImportError::Format { found: format.to_string(), expected: FORMAT });
    }
    let document: ReportedRun = serde_json::from_str(text).map_err(ImportError::Json)?;
    let mut oddities = vec![ImportWarning::Undated];
    let mut files = ImportedFiles::default();
    for file in &document.files {
        match file.report(&mut oddities) {
            Some(report) => files.add(FileReport { file: file.identity(), ..report }, &mut oddities),
            None => files.add_untested(&file.file, &mut oddities),
        }
    }
    oddities.extend(document.summary.wrong_sums(&document.files));
    document.tested_files.untested.iter().for_each(|file| files.add_untested(file, &mut oddities));
    let wanted = document.summary.total_available_files.unwrap_or(0);
    let mut run = ForeignRun::from_files(text, files, changed, wanted);
    run.elapsed = document.duration_ms.map_or(Duration::ZERO, Duration::from_millis);
    run.origin = RunOrigin {
        labels: document.engine.labels.clone(),
        engine: Some(document.engine).filter(|engine| !engine.name.is_empty()),
        exact: document.exact,
        flaky: match document.flaky.as_deref() {
            Some("fail") => FlakyResult::Fail,
            _ => FlakyResult::Pass,
        },
        end: document.end.as_deref().and_then(end_from_word),
    };
    Ok(ImportResult { runs: vec![run], oddities })
}

impl ReportedSums {
    /// Returns the sums that are not those of the files.
    fn wrong_sums(&self, files: &[ReportedFile]) -> Vec<ImportWarning> {
        let with =
            |wanted: &[&str]| files.iter().filter(|file| wanted.contains(&file.status.as_str())).count();
        let sums = [
            ("files", self.total, files.len()),
            ("passed files", self.passed, with(&["passed"])),
            ("failed files", self.failed, with(&["failed"])),
            ("timed out files", self.timed_out, with(&["timed_out"])),
            ("files with errors", self.errors, with(&["error", "crashed"])),
            ("skipped files", self.skipped, with(&["empty"])),
            ("flaky files", self.flaky, with(&["flaky"])),
            ("files out of memory", self.out_of_memory, with(&["out_of_memory"])),
        ];
        let place = || "the summary".to_owned();
        let sums = sums.into_iter().filter_map(|(what, says, found)| Some((what, says?, found as u64)));
        let wrong = sums.filter(|(_, says, found)| says != found);
        wrong.map(|(what, says, found)| ImportWarning::Count { place: place(), what, says, found }).collect()
    }
}

impl ReportedFile {
    fn identity(&self) -> FileId {
        let id = self.id.clone().filter(|id| !id.path().is_empty());
        id.unwrap_or_else(|| FileId::unknown(&self.file))
    }

    /// Builds the report; if its parts contradict each other, only from the status and the messages.
    fn report(&self, oddities: &mut Vec<ImportWarning>) -> Option<FileReport> {
        let known = FileStatus::from_word(&self.status);
        let status = match known {
            Some(status) => status,
            None => super::status::status_of_file(&self.file, &self.status, oddities)?,
        };
        let report = self.whole();
        let (says, found) = (report.counts.not_passed(), report.failures.len() as u64);
        if says != found {
            let (place, what) = (format!("`{}`", self.file), "failing records");
            oddities.push(ImportWarning::Count { place, what, says, found });
        }
        if report.status() == status && report.counts.add_up() {
            return Some(report);
        }
        let texts: Vec<_> = self.failures.iter().filter_map(|failure| failure.message.as_deref()).collect();
        let message = (!texts.is_empty()).then(|| texts.join("\n"));
        let known = FileReport::of_whole(&self.file, status, message.as_deref(), report.elapsed);
        let (peak_memory, stderr) = (self.peak_memory, self.stderr.clone());
        Some(FileReport { peak_memory, stderr, dialect: self.dialect.clone(), ..known })
    }

    fn whole(&self) -> FileReport {
        let attempts = self.attempts.iter().filter_map(ReportedAttempt::attempt);
        let left_out = self.left_out.iter().map(|&line| RecordRef { id: RecordId::at(line), key: None });
        FileReport {
            dialect: self.dialect.clone(),
            counts: self.records,
            failures: self.failures.iter().map(record_of).collect(),
            left_out: left_out.collect(),
            elapsed: known_time(self.duration_ms),
            peak_memory: self.peak_memory,
            stderr: self.stderr.clone(),
            attempts: attempts.collect(),
            ..FileReport::new(&self.file, self.end(FileStatus::from_word(&self.status)))
        }
    }

    fn end(&self, status: Option<FileStatus>) -> FileEnd {
        let ReportedEnd { how, line, message } = &self.end;
        let text = message.as_deref().unwrap_or_default();
        match (how.as_str(), *line) {
            ("halted", Some(line)) => FileEnd::Halted { id: RecordId::at(line) },
            ("malformed", Some(line)) => FileEnd::Malformed { id: RecordId::at(line) },
            ("timed_out", line) => FileEnd::TimedOut { id: line.map(RecordId::at) },
            ("faulted", line) => {
                let fault = Fault::from_text(text).with_time(self.time_of(line));
                FileEnd::Faulted { id: line.map(RecordId::at), fault }
            }
            ("not_started", _) if status == Some(FileStatus::Error) && text.is_empty() => {
                FileEnd::NotStarted(FileProblem::Reported)
            }
            ("not_started", _) => FileEnd::NotStarted(FileProblem::from_text(text)),
            _ => FileEnd::Completed,
        }
    }

    /// Returns the elapsed time of the stopped record on a line.
    fn time_of(&self, line: Option<u32>) -> Option<Duration> {
        let failure = self.failures.iter().find(|failure| Some(failure.line) == line)?;
        failure.duration_ms.map(Duration::from_millis)
    }
}

impl ReportedAttempt {
    fn attempt(&self) -> Option<Attempt> {
        let status = FileStatus::from_word(&self.status)?;
        let first = self.failure.as_ref().map(record_of);
        Some(Attempt { status, elapsed: known_time(self.duration_ms), first })
    }
}

fn record_of(failure: &ReportedFailure) -> FailingRecord {
    let detail = (!failure.details_omitted).then(|| FailureDetail {
        header: String::new(),
        sql: failure.sql.clone().unwrap_or_default(),
        problem: what_of(failure).unwrap_or_else(|| Problem::Reported(failure.text())),
        unhashed: None,
    });
    FailingRecord::from_other_tool(RecordId::at(failure.line), detail)
}

/// Reads counts that can be added up without overflow.
fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
    let counts = CountsForm::deserialize(deserializer)?;
    match counts.fields().into_iter().find(|&count| count > u64::from(u32::MAX)) {
        Some(count) => Err(D::Error::invalid_value(Unexpected::Unsigned(count), &"u32")),
        None => Ok(counts),
    }
}

//! The JSON report of this program: `run --json`, `report --json`.
//!
//! It has all facts about a file except the headers and keys of its records. A report that would not be written in the
//! same way again is read like one of another tool.

use std::time::Duration;

use serde::Deserialize;

use super::failures::{ReportedFailure, what_of};
use super::files::ImportedFiles;
use super::{ForeignRun, ImportError, ImportResult, ImportWarning, RunOrigin, known_time};
use crate::text::document::end_from_word;
use crate::wire::{FileIdForm, Maybe};
use slt_core::engine::EngineId;
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, Counts, FailingRecord, FailureDetail, Fault, FileEnd, FileProblem, FileReport, FileStatus,
    FlakyResult, LeftOut, Problem, RecordId,
};

#[derive(Deserialize)]
struct ReportedRun {
    engine: ReportedEngine,
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
struct ReportedEngine {
    name: String,
    variant: Option<String>,
    #[serde(default)]
    version: String,
    build: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct ReportedSums {
    total_available_files: Option<u64>,
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
    duration_ms: Option<u64>,
    peak_memory: Option<u64>,
    #[serde(default)]
    attempts: Vec<ReportedAttempt>,
    records: ReportedCounts,
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

/// The counts of a file, which fit into these types.
#[derive(Deserialize)]
struct ReportedCounts {
    total: u32,
    executed: u32,
    passed: u32,
    failed: u32,
    skipped: u32,
    skipped_besides: u32,
    unsupported: u32,
    timed_out: u32,
    not_reached: u32,
    malformed: u32,
    faulted: u32,
}

#[derive(Deserialize)]
struct ReportedEnd {
    how: String,
    line: Option<u32>,
    message: Option<String>,
}

pub(super) fn read(text: &str, changed: i64) -> Result<ImportResult, ImportError> {
    let document: ReportedRun = serde_json::from_str(text).map_err(ImportError::Json)?;
    let mut oddities = vec![ImportWarning::Undated];
    let mut files = ImportedFiles::default();
    for file in &document.files {
        match file.report(&mut oddities) {
            Some(report) => files.add(FileReport { file: file.identity(), ..report }, &mut oddities),
            None => files.add_untested(&file.file, &mut oddities),
        }
    }
    document.tested_files.untested.iter().for_each(|file| files.add_untested(file, &mut oddities));
    let wanted = document.summary.total_available_files.unwrap_or(0);
    let mut run = ForeignRun::of_files(text, files, changed, wanted);
    run.elapsed = document.duration_ms.map_or(Duration::ZERO, Duration::from_millis);
    let ReportedEngine { name, variant, version, build, labels } = document.engine;
    run.origin = RunOrigin {
        engine: Some(EngineId { name, variant, version, build, labels: labels.clone() }),
        labels,
        exact: document.exact,
        flaky: match document.flaky.as_deref() {
            Some("fail") => FlakyResult::Fail,
            _ => FlakyResult::Pass,
        },
        end: document.end.as_deref().and_then(end_from_word),
    };
    Ok(ImportResult { runs: vec![run], oddities })
}

impl ReportedFile {
    fn identity(&self) -> FileId {
        self.id.clone().unwrap_or_else(|| FileId::unknown(&self.file))
    }

    /// Makes the report; of a file whose parts do not fit, only the status and the messages.
    fn report(&self, oddities: &mut Vec<ImportWarning>) -> Option<FileReport> {
        let known = FileStatus::from_word(&self.status);
        let status = match known {
            Some(status) => status,
            None => super::status::status_of_file(&self.file, &self.status, oddities)?,
        };
        let report = self.whole();
        if report.status() == status && report.counts.add_up() {
            return Some(report);
        }
        let texts: Vec<_> = self.failures.iter().filter_map(|failure| failure.message.as_deref()).collect();
        let message = (!texts.is_empty()).then(|| texts.join("\n"));
        let known = FileReport::of_whole(&self.file, status, message.as_deref(), report.elapsed);
        Some(FileReport { peak_memory: self.peak_memory, ..known })
    }

    fn whole(&self) -> FileReport {
        let attempts = self.attempts.iter().filter_map(ReportedAttempt::attempt);
        let left_out = self.left_out.iter().map(|&line| LeftOut { id: RecordId::at(line), key: None });
        FileReport {
            counts: self.records.counts(),
            failures: self.failures.iter().map(record_of).collect(),
            left_out: left_out.collect(),
            elapsed: known_time(self.duration_ms),
            peak_memory: self.peak_memory,
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

    /// How long the record on a line had been running when it was ended.
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
    FailingRecord::of_other_tool(RecordId::at(failure.line), detail)
}

impl ReportedCounts {
    fn counts(&self) -> Counts {
        Counts {
            total: self.total.into(),
            executed: self.executed.into(),
            passed: self.passed.into(),
            failed: self.failed.into(),
            skipped: self.skipped.into(),
            skipped_besides: self.skipped_besides.into(),
            unsupported: self.unsupported.into(),
            timed_out: self.timed_out.into(),
            not_reached: self.not_reached.into(),
            malformed: self.malformed.into(),
            faulted: self.faulted.into(),
        }
    }
}

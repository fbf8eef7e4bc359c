//! The forms of files and runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::form::{BorrowedForm, List, Maybe, RemoteForm as _, forms};
use super::path::FileIdForm;
use super::record::{
    ExitHowForm, FailingRecordForm, FailureGroupForm, FaultForm, LintForm, RecordIdForm, RecordRefForm,
    SlowRecordForm,
};
use super::times::StatementTimesForm;
use slt_core::engine::EngineId;
use slt_core::executor::slice::Slice;
use slt_core::executor::{DetailLimits, Options, Permissions, Settings};
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, Counts, ExitHow, FailingRecord, FailureGroup, Fault, FileEnd, FileProblem, FileReport,
    FileStatus, FlakyResult, MissingRequirement, RecordId, RecordRef, RunEnd, RunHeader, SlowRecord,
    StatementTimes,
};
use slt_core::parser::Lint;

#[derive(Serialize, Deserialize)]
#[serde(remote = "EngineId")]
pub(crate) struct EngineIdForm {
    name: String,
    variant: Option<String>,
    #[serde(default)]
    version: String,
    build: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunHeader")]
pub(crate) struct RunHeaderForm {
    #[serde(with = "EngineIdForm")]
    engine: EngineId,
    labels: Vec<String>,
    exact: bool,
    files: usize,
    #[serde(with = "FlakyResultForm")]
    flaky: FlakyResult,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FlakyResult", rename_all = "snake_case")]
pub(crate) enum FlakyResultForm {
    Pass,
    Fail,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunEnd", rename_all = "snake_case")]
pub(crate) enum RunEndForm {
    Completed,
    Interrupted,
    EnoughFailed,
    BudgetSpent,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Counts")]
pub(crate) struct CountsForm {
    total: u64,
    executed: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    skipped_besides: u64,
    unsupported: u64,
    timed_out: u64,
    malformed: u64,
    not_reached: u64,
    faulted: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FileReport")]
pub(crate) struct FileReportForm {
    #[serde(with = "FileIdForm")]
    file: FileId,
    shown: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
    #[serde(with = "CountsForm")]
    counts: Counts,
    #[serde(with = "List::<FailingRecordForm>")]
    failures: Vec<FailingRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<FailureGroupForm>")]
    groups: Vec<FailureGroup>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<FailingRecordForm>")]
    setup_failures: Vec<FailingRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<RecordRefForm>")]
    left_out: Vec<RecordRef>,
    // Under the name `records` earlier versions wrote a digest of another kind, which is not comparable.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "records_hash")]
    records: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<LintForm>")]
    lints: Vec<Lint>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<MissingRequirementForm>")]
    missing: Option<MissingRequirement>,
    #[serde(with = "FileEndForm")]
    end: FileEnd,
    elapsed: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peak_memory: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    engine_time: Option<Duration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<SlowRecordForm>")]
    slowest: Vec<SlowRecord>,
    #[serde(default, skip_serializing_if = "StatementTimes::is_empty", with = "StatementTimesForm")]
    times: StatementTimes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "List::<AttemptForm>")]
    attempts: Vec<Attempt>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MissingRequirement")]
pub(crate) struct MissingRequirementForm {
    #[serde(with = "RecordIdForm")]
    id: RecordId,
    what: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Attempt")]
pub(crate) struct AttemptForm {
    #[serde(with = "FileStatusForm")]
    status: FileStatus,
    elapsed: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<FailingRecordForm>")]
    first: Option<FailingRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FileStatus", rename_all = "snake_case")]
pub(crate) enum FileStatusForm {
    Passed,
    Failed,
    TimedOut,
    Empty,
    Flaky,
    Crashed,
    OutOfMemory,
    Error,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FileEnd", rename_all = "snake_case")]
pub(crate) enum FileEndForm {
    Completed,
    Halted {
        #[serde(with = "RecordIdForm")]
        id: RecordId,
    },
    AtFailure {
        #[serde(with = "RecordIdForm")]
        id: RecordId,
    },
    Malformed {
        #[serde(with = "RecordIdForm")]
        id: RecordId,
    },
    TimedOut {
        #[serde(with = "Maybe::<RecordIdForm>")]
        id: Option<RecordId>,
    },
    Faulted {
        #[serde(with = "Maybe::<RecordIdForm>")]
        id: Option<RecordId>,
        #[serde(with = "FaultForm")]
        fault: Fault,
    },
    NotStarted(#[serde(with = "FileProblemForm")] FileProblem),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FileProblem", rename_all = "snake_case")]
pub(crate) enum FileProblemForm {
    Unreadable(String),
    Dialect(String),
    Died(#[serde(with = "ExitHowForm")] ExitHow),
    TimedOut,
    OutOfMemory { used: u64, limit: u64 },
    Engine(String),
    Reported,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Options")]
pub(crate) struct OptionsForm {
    labels: Vec<String>,
    threshold: Option<u64>,
    record_timeout: Option<Duration>,
    #[serde(with = "DetailLimitsForm")]
    details: DetailLimits,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DetailLimits")]
pub(crate) struct DetailLimitsForm {
    records: usize,
    values: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Settings")]
pub(crate) struct SettingsForm {
    engine: String,
    #[serde(with = "OptionsForm")]
    options: Options,
    dialect: Option<String>,
    exact: bool,
    #[serde(default, with = "PermissionsForm")]
    permissions: Permissions,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Permissions")]
pub(crate) struct PermissionsForm {
    shell: bool,
    outside: bool,
}

/// A slice, which is one of at least one.
#[derive(Serialize, Deserialize)]
pub(crate) struct SliceForm {
    index: u32,
    count: u32,
}

impl SliceForm {
    pub(crate) fn serialize<S: serde::Serializer>(slice: &Slice, serializer: S) -> Result<S::Ok, S::Error> {
        Serialize::serialize(&Self { index: slice.index(), count: slice.count() }, serializer)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Slice, D::Error> {
        let Self { index, count } = Deserialize::deserialize(deserializer)?;
        let error = || serde::de::Error::custom(format_args!("expected a slice of {count}, found {index}"));
        Slice::new(index, count).ok_or_else(error)
    }
}

/// Returns reports as bytes that are the same for the same reports.
pub(crate) fn bytes_of_reports(reports: &[FileReport]) -> Vec<u8> {
    let reports: Vec<_> = reports.iter().map(BorrowedForm::<_, FileReportForm>::new).collect();
    // Writing to memory cannot fail.
    serde_json::to_vec(&reports).unwrap_or_default()
}

forms! {
    AttemptForm => Attempt,
    CountsForm => Counts,
    EngineIdForm => EngineId,
    FileReportForm => FileReport,
    FileStatusForm => FileStatus,
    RunEndForm => RunEnd,
    RunHeaderForm => RunHeader,
    SettingsForm => Settings,
    MissingRequirementForm => MissingRequirement,
    SliceForm => Slice,
}

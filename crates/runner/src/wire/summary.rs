//! The summary of a file, read from its whole report without the details.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::form::{List, Maybe, RemoteForm as _};
use super::path::FileIdForm;
use super::record::{RecordRefForm, SlowRecordForm};
use super::run::{CountsForm, FileEndForm, FileStatusForm, MissingRequirementForm};
use slt_core::location::FileId;
use slt_core::outcome::{
    Counts, FileEnd, FileStatus, FileSummary, MissingRequirement, RecordRef, SlowRecord,
};

/// The part of a report that a summary needs.
#[derive(Deserialize)]
pub(crate) struct FileSummaryForm {
    #[serde(with = "FileIdForm")]
    file: FileId,
    elapsed: Duration,
    #[serde(with = "CountsForm")]
    counts: Counts,
    #[serde(default, with = "Maybe::<MissingRequirementForm>")]
    missing: Option<MissingRequirement>,
    #[serde(with = "FileEndForm")]
    end: FileEnd,
    #[serde(with = "List::<RecordRefForm>")]
    failures: Vec<RecordRef>,
    #[serde(default, with = "List::<RecordRefForm>")]
    left_out: Vec<RecordRef>,
    engine_time: Option<Duration>,
    #[serde(default, with = "List::<SlowRecordForm>")]
    slowest: Vec<SlowRecord>,
    finished: Option<i64>,
    #[serde(default)]
    attempts: Vec<AttemptSummaryForm>,
}

#[derive(Deserialize)]
struct AttemptSummaryForm {
    #[serde(with = "FileStatusForm")]
    status: FileStatus,
}

impl FileSummaryForm {
    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<FileSummary>, D::Error> {
        let Self {
            file,
            elapsed,
            counts,
            missing,
            end,
            failures,
            left_out,
            engine_time,
            slowest,
            finished,
            attempts,
        } = Self::deserialize(deserializer)?;
        Ok(Box::new(FileSummary {
            file,
            elapsed,
            counts,
            missing,
            end,
            failures,
            left_out,
            engine_time,
            slowest,
            finished,
            attempts: attempts.into_iter().map(|attempt| attempt.status).collect(),
        }))
    }
}

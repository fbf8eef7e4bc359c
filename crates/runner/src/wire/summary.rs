//! A file in brief, read from its whole report: the details, which may be long, are passed over.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::form::{List, Maybe};
use super::path::FileIdForm;
use super::record::{LeftOutForm, RecordIdForm, RecordKeyForm, SlowRecordForm};
use super::run::{CountsForm, FileEndForm, FileStatusForm};
use slt_core::location::FileId;
use slt_core::outcome::{
    Counts, FailureSummary, FileEnd, FileStatus, FileSummary, LeftOut, RecordId, RecordKey, SlowRecord,
};

/// What a summary reads of the form of a report.
#[derive(Deserialize)]
pub(crate) struct FileSummaryForm {
    #[serde(with = "FileIdForm")]
    file: FileId,
    elapsed: Duration,
    #[serde(with = "CountsForm")]
    counts: Counts,
    #[serde(with = "FileEndForm")]
    end: FileEnd,
    failures: Vec<FailureSummaryForm>,
    #[serde(default, with = "List::<LeftOutForm>")]
    left_out: Vec<LeftOut>,
    engine_time: Option<Duration>,
    #[serde(default, with = "List::<SlowRecordForm>")]
    slowest: Vec<SlowRecord>,
    finished: Option<i64>,
    #[serde(default)]
    attempts: Vec<AttemptSummaryForm>,
}

#[derive(Deserialize)]
struct FailureSummaryForm {
    #[serde(with = "RecordIdForm")]
    id: RecordId,
    #[serde(default, with = "Maybe::<RecordKeyForm>")]
    key: Option<RecordKey>,
}

#[derive(Deserialize)]
struct AttemptSummaryForm {
    #[serde(with = "FileStatusForm")]
    status: FileStatus,
}

impl FileSummaryForm {
    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<FileSummary>, D::Error> {
        let Self { file, elapsed, counts, end, failures, left_out, engine_time, slowest, finished, attempts } =
            Self::deserialize(deserializer)?;
        let failures = failures.into_iter().map(|FailureSummaryForm { id, key }| FailureSummary { id, key });
        Ok(Box::new(FileSummary {
            file,
            elapsed,
            counts,
            end,
            failures: failures.collect(),
            left_out,
            engine_time,
            slowest,
            finished,
            attempts: attempts.into_iter().map(|attempt| attempt.status).collect(),
        }))
    }
}

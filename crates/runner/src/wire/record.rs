//! The forms of records and their problems.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::form::{Boxed, Maybe, RemoteForm as _, forms};
use slt_core::engine::SqlError;
use slt_core::location::Location;
use slt_core::outcome::{
    Digest, Excerpt, ExitHow, FailingRecord, FailureDetail, FailureGroup, Fault, LabelMismatch, Mismatch,
    Problem, RecordId, RecordKey, RecordName, RecordRef, SlowRecord, UnhashedRows,
};
use slt_core::parser::{HashLine, Lint, LintKind, ParseError, ParseErrorKind};

#[derive(Serialize, Deserialize)]
#[serde(remote = "RecordId")]
pub(crate) struct RecordIdForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Arc<str>>,
    line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iteration: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RecordKey")]
pub(crate) struct RecordKeyForm(u64);

#[derive(Serialize, Deserialize)]
#[serde(remote = "RecordName", rename_all = "snake_case")]
pub(crate) enum RecordNameForm {
    Key(u64),
    Line(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RecordRef")]
pub(crate) struct RecordRefForm {
    #[serde(with = "RecordIdForm")]
    id: RecordId,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordKeyForm>")]
    key: Option<RecordKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SlowRecord")]
pub(crate) struct SlowRecordForm {
    #[serde(with = "RecordIdForm")]
    id: RecordId,
    elapsed: Duration,
    sql: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FailureGroup")]
pub(crate) struct FailureGroupForm {
    kind: String,
    what: String,
    records: u64,
    #[serde(with = "RecordIdForm")]
    first: RecordId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FailingRecord")]
pub(crate) struct FailingRecordForm {
    #[serde(with = "RecordIdForm")]
    id: RecordId,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordKeyForm>")]
    key: Option<RecordKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<Boxed<FailureDetailForm>>")]
    detail: Option<Box<FailureDetail>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FailureDetail")]
pub(crate) struct FailureDetailForm {
    header: String,
    sql: String,
    #[serde(with = "ProblemForm")]
    problem: Problem,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<UnhashedRowsForm>")]
    unhashed: Option<UnhashedRows>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Problem", rename_all = "snake_case")]
pub(crate) enum ProblemForm {
    Mismatch(#[serde(with = "MismatchForm")] Mismatch),
    UnexpectedError {
        #[serde(with = "SqlErrorForm")]
        error: SqlError,
        after_rows: bool,
    },
    UnexpectedSuccess,
    Malformed {
        #[serde(with = "ParseErrorForm")]
        error: ParseError,
        executed: bool,
    },
    Unsupported(String),
    NotAllowed(String),
    TimedOut {
        after: Duration,
    },
    Fault(#[serde(with = "FaultForm")] Fault),
    Reported(String),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Mismatch", rename_all = "snake_case")]
pub(crate) enum MismatchForm {
    Rows {
        #[serde(with = "ExcerptForm")]
        expected: Excerpt,
        #[serde(with = "ExcerptForm")]
        actual: Excerpt,
        columns: usize,
    },
    Hash {
        #[serde(with = "HashLineForm")]
        expected: HashLine,
        #[serde(with = "HashLineForm")]
        actual: HashLine,
        #[serde(with = "ExcerptForm")]
        rows: Excerpt,
        columns: usize,
    },
    Presentation {
        wanted: String,
    },
    ColumnCount {
        expected: usize,
        actual: usize,
    },
    RowCount {
        expected: u64,
        actual: u64,
        #[serde(with = "ExcerptForm")]
        rows: Excerpt,
        columns: usize,
    },
    AffectedRows {
        expected: u64,
        actual: u64,
    },
    ColumnType {
        column: usize,
        expected: char,
        actual: String,
    },
    UncertainOrder,
    Error {
        expected: String,
        #[serde(with = "SqlErrorForm")]
        actual: SqlError,
    },
    Label(#[serde(with = "Boxed::<LabelMismatchForm>")] Box<LabelMismatch>),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "LabelMismatch")]
pub(crate) struct LabelMismatchForm {
    label: String,
    #[serde(with = "RecordIdForm")]
    first: RecordId,
    #[serde(with = "DigestForm")]
    first_digest: Digest,
    #[serde(with = "DigestForm")]
    digest: Digest,
    #[serde(with = "ExcerptForm")]
    rows: Excerpt,
    columns: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Excerpt")]
pub(crate) struct ExcerptForm {
    #[serde(default, skip_serializing_if = "is_zero")]
    omitted_before: u64,
    values: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    omitted_after: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "UnhashedRows")]
pub(crate) struct UnhashedRowsForm {
    engine: String,
    #[serde(with = "ExcerptForm")]
    expected: Excerpt,
    #[serde(with = "ExcerptForm")]
    actual: Excerpt,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "HashLine")]
pub(crate) struct HashLineForm {
    values: u64,
    digest: [u8; 16],
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Digest")]
pub(crate) struct DigestForm([u8; 16]);

#[derive(Serialize, Deserialize)]
#[serde(remote = "SqlError")]
pub(crate) struct SqlErrorForm {
    message: String,
    code: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fault", rename_all = "snake_case")]
pub(crate) enum FaultForm {
    Panicked(String),
    Lost(String),
    Died {
        #[serde(with = "ExitHowForm")]
        how: ExitHow,
        message: Option<String>,
        after: Option<Duration>,
    },
    OutOfMemory {
        used: u64,
        limit: u64,
        after: Option<Duration>,
    },
    Adapter(String),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ExitHow", rename_all = "snake_case")]
pub(crate) enum ExitHowForm {
    Code(i32),
    Signal(i32),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ParseError")]
pub(crate) struct ParseErrorForm {
    #[serde(with = "LocationForm")]
    location: Location,
    #[serde(with = "ParseErrorKindForm")]
    kind: ParseErrorKind,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Location")]
pub(crate) struct LocationForm {
    file: Arc<str>,
    line: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ParseErrorKind", rename_all = "snake_case")]
pub(crate) enum ParseErrorKindForm {
    UnknownRecord { found: String, expected: String },
    MissingConditionName { found: String },
    ConditionWithoutRecord { found: Cow<'static, str> },
    StatementExpectation { found: String },
    MissingTypes,
    TypeLetter { letter: char, found: String },
    SortMode { found: String },
    Threshold { found: String },
    MissingSql { found: Cow<'static, str> },
    GluedText { after: String, found: String },
    UnusedWords { after: String, found: String },
    SeparatorInStatement,
    BlanksAroundSeparator { found: String },
    HeaderInSql { found: String },
    NulInSql,
    MoreThanOneStatement,
    TextAfterHash { found: String },
    Other { text: String },
    HiddenText { text: String },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Lint")]
pub(crate) struct LintForm {
    line: u32,
    #[serde(with = "LintKindForm")]
    kind: LintKind,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "LintKind", rename_all = "snake_case")]
pub(crate) enum LintKindForm {
    HeaderInSql,
    HeaderInValues,
    NoSeparator,
    HashBelowThreshold,
    ValuesAboveThreshold,
    MisplacedSortMode,
    SeparatorInSql,
    UncheckedOption,
    ExecutedInOrder,
    WhiteSpaceFolded,
    WithoutEffect,
    OptionAsLabel,
    SeparatorWithoutResult,
    WithinTolerance,
    AnyError,
    Unchecked,
    ConnectionLikeSortMode,
    EmptyCells,
    LoopWithoutValues,
    LoopInOrder,
}

forms! {
    RecordIdForm => RecordId,
    RecordKeyForm => RecordKey,
    RecordNameForm => RecordName,
    ProblemForm => Problem,
    SqlErrorForm => SqlError,
    LabelMismatchForm => LabelMismatch,
    RecordRefForm => RecordRef,
    SlowRecordForm => SlowRecord,
    FailureGroupForm => FailureGroup,
    FailingRecordForm => FailingRecord,
    FailureDetailForm => FailureDetail,
    UnhashedRowsForm => UnhashedRows,
    DigestForm => Digest,
    LintForm => Lint,
}

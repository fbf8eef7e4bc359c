//! The forms of journals and of messages between processes.
//!
//! A *form* defines the serialisation of a type of another crate: serde derives it from a separate definition
//! (`#[serde(remote = "…")]`), so it writes borrowed values, and does not compile if the type and its form differ. Each
//! change of a form must change [`FORMAT`]: journals and messages of another format are refused.

mod correction;
mod form;
mod overview;
mod path;
mod record;
mod run;
mod summary;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use correction::CorrectionForm;
pub(crate) use form::{Lent, List, Maybe, RemoteForm};
pub(crate) use overview::RunOverviewForm;
pub(crate) use path::{FileIdForm, path_field, path_map};
pub(crate) use record::{
    DigestForm, ExitHowForm, FailingRecordForm, ProblemForm, RecordIdForm, RecordKeyForm, RecordNameForm,
    SqlErrorForm,
};
pub(crate) use run::{
    AttemptForm, CountsForm, EngineIdForm, FileEndForm, FileReportForm, FlakyResultForm, RunEndForm,
    RunHeaderForm, SettingsForm, SliceForm, bytes_of_reports,
};
pub(crate) use summary::FileSummaryForm;
pub(crate) use times::FileTimesForm;

/// The version of all forms.
pub(crate) const FORMAT: u32 = 2;

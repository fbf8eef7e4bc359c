//! What is kept in journals and said between the processes of a run.
//!
//! A *form* says how a type of another crate is written: serde derives it from a definition of its own
//! (`#[serde(remote = "…")]`), so it writes from borrowed values, and does not compile when the type and its form differ.
//! Whoever changes a form changes [`FORMAT`]: journals and messages of another format are refused.

mod form;
mod path;
mod record;
mod run;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use form::{Lent, List, Maybe};
pub(crate) use path::{FileIdForm, path_field, path_map};
pub(crate) use record::{
    DigestForm, ExitHowForm, FailingRecordForm, RecordIdForm, RecordKeyForm, RecordNameForm,
};
pub(crate) use run::{
    AttemptForm, EngineIdForm, FileReportForm, FlakyResultForm, RunEndForm, RunHeaderForm, SettingsForm,
    SliceForm, bytes_of_reports,
};
pub(crate) use summary::FileSummaryForm;

/// The version of all forms.
pub(crate) const FORMAT: u32 = 2;

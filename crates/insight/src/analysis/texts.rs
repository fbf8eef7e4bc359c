//! The interface for reading the texts of files.

use slt_core::location::Source;
use slt_core::outcome::FileReport;

/// The current texts of the files of a run.
pub trait SourceTexts {
    /// Returns the text of a file.
    ///
    /// # Errors
    ///
    /// [`TextError`]; the analysis then uses only the report.
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError>;
}

/// A reason for a missing text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Its location is unknown.
    #[error("the run does not say where it is")]
    Unknown,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Its dialect is unknown.
    #[error("{0}")]
    Dialect(String),
}

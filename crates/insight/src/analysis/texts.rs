//! Where the texts of files are had from.

use slt_core::location::Source;
use slt_core::outcome::FileReport;

/// The texts of the files of a run, as they are now.
pub trait Texts {
    /// Returns the text of a file.
    ///
    /// # Errors
    ///
    /// [`NoText`], and the analysis does with what the report has.
    fn text(&mut self, file: &FileReport) -> Result<Source, NoText>;
}

/// Why there is no text of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// Nobody knows where it is.
    #[error("the run does not say where it is")]
    Unknown,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Nobody can say how to read it.
    #[error("{0}")]
    Dialect(String),
}

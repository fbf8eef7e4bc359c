//! Errors that prevent a run, or joining one.

use std::io;

use super::wire::AssignmentError;
use crate::event::SinkError;
use slt_core::outcome::ExitHow;

/// Why a run could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder of the run cannot be used, or a process cannot be started.
    #[error("cannot {what}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Workers end before they take a file.
    #[error("no worker can be started: the last one {how}{}", words.as_ref().map(|words| format!(" ({words})")).unwrap_or_default())]
    NoWorker {
        /// How the last one ended.
        how: ExitHow,
        /// The last that it wrote to its standard error.
        words: Option<String>,
    },
    /// The document of the run cannot be used.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The run that is to be helped is over.
    #[error("the run has ended, so there is nothing to join")]
    Over,
    /// A sink cannot go on.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

pub(super) fn io_error(what: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { what, source }
}

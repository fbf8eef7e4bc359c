//! Errors that prevent a run, or joining one.

use std::io;

use super::wire::AssignmentError;
use crate::event::SinkError;
use slt_core::outcome::ExitHow;

/// An error that prevents a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run folder is unusable, or a process cannot be started.
    #[error("cannot {what}")]
    Io {
        /// The failed action.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Workers exit before they claim a file.
    #[error("no worker can be started: the last one {how}{}", words.as_ref().map(|words| format!(" ({words})")).unwrap_or_default())]
    NoWorker {
        /// The end of the last worker.
        how: ExitHow,
        /// The last line of its standard error.
        words: Option<String>,
    },
    /// The assignment of the run is unusable.
    #[error(transparent)]
    Assignment(#[from] AssignmentError),
    /// The run to join has ended.
    #[error("the run has ended, so there is nothing to join")]
    Ended,
    /// A sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

pub(super) fn io_error(what: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { what, source }
}

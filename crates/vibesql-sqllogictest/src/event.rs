//! What happens in a run, as a stream: everything visible or stored is a sink of it.

use std::time::Duration;

use crate::outcome::{ExitHow, FileReport, RunEnd, RunHeader, RunReport};

/// Something that happened, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The run begins.
    RunStarted(RunHeader),
    /// A file is taken up.
    FileStarted {
        /// What messages call the file.
        shown: String,
    },
    /// A worker process has ended amid a file.
    WorkerLost {
        /// What messages call the file.
        shown: String,
        /// The line of the record that it was at.
        line: Option<u32>,
        /// How it ended.
        how: ExitHow,
        /// Whether the file is given to another worker; if not, this is its result.
        again: bool,
    },
    /// The run is to end, and waits for the files that are running.
    Stopping {
        /// How many there are.
        running: usize,
    },
    /// A file is done.
    FileFinished(Box<FileReport>),
    /// The run is over.
    RunFinished {
        /// How long it took.
        elapsed: Duration,
        /// How it ended.
        end: RunEnd,
    },
}

/// Takes the events of a run.
pub trait EventSink {
    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// [`SinkError`] when the sink can do its job no more, which ends the run.
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError>;
}

/// A sink that cannot go on, for instance because the disk is full.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what}")]
pub struct SinkError {
    /// What the sink writes.
    pub what: &'static str,
    /// Why not.
    #[source]
    pub source: std::io::Error,
}

/// Makes the report of a run from its events, live or replayed.
///
/// Nothing comes of a stream that does not begin with [`RunEvent::RunStarted`]; one that does not end with
/// [`RunEvent::RunFinished`] is a run that was interrupted.
pub fn fold(events: impl IntoIterator<Item = RunEvent>) -> Option<RunReport> {
    let mut events = events.into_iter();
    let RunEvent::RunStarted(header) = events.next()? else { return None };
    let mut report =
        RunReport { header, files: Vec::new(), elapsed: Duration::ZERO, end: RunEnd::Interrupted };
    for event in events {
        match event {
            RunEvent::FileFinished(file) => report.files.push(*file),
            RunEvent::RunFinished { elapsed, end } => (report.elapsed, report.end) = (elapsed, end),
            RunEvent::RunStarted(_)
            | RunEvent::FileStarted { .. }
            | RunEvent::Stopping { .. }
            | RunEvent::WorkerLost { .. } => {}
        }
    }
    report.files.sort_by(|a, b| (&a.file, &a.shown).cmp(&(&b.file, &b.shown)));
    Some(report)
}

//! The events of a run as a stream; everything visible or stored is a sink of it.

use std::time::Duration;

use slt_core::executor::slice::Slice;
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, ExitHow, FileReport, FileStatus, RecordId, RunEnd, RunHeader, RunReport, Totals,
};

/// Something that happened, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The run begins.
    RunStarted(RunHeader),
    /// The run was resumed with its earlier results.
    Resumed {
        /// The files that have their result.
        done: Totals,
    },
    /// A worker has started a file, or a slice of it.
    TaskStarted {
        /// Tells this task from the others of the run.
        task: usize,
        /// What messages call the file.
        shown: String,
        /// The part, if it is not the whole file.
        slice: Option<Slice>,
    },
    /// A worker finished a task, failed or died.
    TaskEnded {
        /// The task.
        task: usize,
    },
    /// A file takes long.
    Slow {
        /// What messages call the file.
        shown: String,
        /// The record that is running.
        record: Option<RecordId>,
        /// How long the file has been running.
        elapsed: Duration,
        /// How long it may.
        limit: Option<Duration>,
    },
    /// A worker process ended while it was running a file.
    WorkerLost {
        /// What messages call the file.
        shown: String,
        /// The record that it was at.
        record: Option<RecordId>,
        /// How it ended.
        how: ExitHow,
        /// Whether the file is given to another worker; if not, this is its result.
        again: bool,
    },
    /// A file has not passed, and is run once more.
    Retried {
        /// What messages call the file.
        shown: String,
        /// How it ended.
        status: FileStatus,
        /// The number of times that it is run again after this.
        left: u32,
    },
    /// An attempt at a file has ended, and others follow: it will be part of the report of the file.
    AttemptEnded {
        /// The identity of the file.
        file: FileId,
        /// What messages call the file.
        shown: String,
        /// How it ended.
        attempt: Box<Attempt>,
    },
    /// The slices of a file make no report, and it is run whole.
    NotSplit {
        /// What messages call the file.
        shown: String,
    },
    /// Another process helps, or has ceased to.
    Helper {
        /// Its number in this run, from 1.
        number: usize,
        /// Whether it has joined; otherwise it has left.
        came: bool,
    },
    /// The run is to end, and waits for the files that are running.
    Stopping {
        /// The number of there that are.
        running: usize,
        /// The reason.
        why: RunEnd,
    },
    /// The process and its workers are about to be stopped, by Ctrl-Z.
    Suspended,
    /// They continue.
    Continued,
    /// The user asked for the running files.
    Asked {
        /// The files that are running.
        running: Vec<RunningFile>,
        /// The number of have that their result.
        done: usize,
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

/// A file that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningFile {
    /// What messages call the file.
    pub shown: String,
    /// The record that is running, and for how long.
    pub record: Option<(RecordId, Duration)>,
    /// How long the file has been running.
    pub elapsed: Duration,
    /// The records that have their outcome.
    pub settled: u64,
    /// The records of the file, once they are known.
    pub total: Option<u64>,
    /// The memory that its process has in use, in bytes.
    pub memory: Option<u64>,
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

/// Two sinks in one; an event that fails in the first does not reach the second.
pub struct Tee<'s>(
    /// The first.
    pub &'s mut dyn EventSink,
    /// The second.
    pub &'s mut dyn EventSink,
);

impl EventSink for Tee<'_> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.0.on_event(event)?;
        self.1.on_event(event)
    }
}

/// A sink that may not be there.
impl<S: EventSink> EventSink for Option<S> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.as_mut().map_or(Ok(()), |sink| sink.on_event(event))
    }
}

/// A sink that cannot continue, for instance because the disk is full.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what}")]
pub struct SinkError {
    /// The destination of the sink.
    pub what: &'static str,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

impl RunEvent {
    /// The report of the file that is done.
    pub(crate) fn into_report(self) -> Option<FileReport> {
        if let Self::FileFinished(report) = self { Some(*report) } else { None }
    }
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
            _ => {}
        }
    }
    report.files.sort_by(|a, b| (a.file.path(), &a.shown).cmp(&(b.file.path(), &b.shown)));
    Some(report)
}

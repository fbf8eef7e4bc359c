//! The events of a run. Displays and journals are sinks of them.

pub mod timings;

use std::time::Duration;

use self::timings::WorkerSpan;
use slt_core::executor::slice::Slice;
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, ExitHow, FileReport, FileStatus, RecordId, RunEnd, RunHeader, RunReport, Totals,
};

/// An event of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The run begins.
    RunStarted(RunHeader),
    /// The run was resumed with its earlier results.
    Resumed {
        /// The totals of the finished files.
        done: Totals,
    },
    /// A worker has started a file, or a slice of it.
    TaskStarted {
        /// The number of the task in the run.
        task: usize,
        /// The displayed path.
        shown: String,
        /// The slice, if it is not the whole file.
        slice: Option<Slice>,
    },
    /// A worker finished a task, failed or died.
    TaskEnded {
        /// The task.
        task: usize,
    },
    /// A file is slow.
    Slow {
        /// The displayed path.
        shown: String,
        /// The running record.
        record: Option<RecordId>,
        /// The elapsed time of the file.
        elapsed: Duration,
        /// The time limit of the file.
        limit: Option<Duration>,
    },
    /// A worker process ended while it was running a file.
    WorkerLost {
        /// The displayed path.
        shown: String,
        /// The running record.
        record: Option<RecordId>,
        /// The end of the process.
        how: ExitHow,
        /// Whether another worker retries the file; otherwise this is its result.
        again: bool,
    },
    /// A failed file is retried.
    Retried {
        /// The displayed path.
        shown: String,
        /// Its status.
        status: FileStatus,
        /// The number of retries left after this one.
        left: u32,
    },
    /// An attempt of a file has ended, and others follow.
    AttemptEnded {
        /// The identity of the file.
        file: FileId,
        /// The displayed path.
        shown: String,
        /// The result of the attempt.
        attempt: Box<Attempt>,
    },
    /// The slices of a file cannot be merged, so it is run as a whole.
    NotSplit {
        /// The displayed path.
        shown: String,
    },
    /// A helper process has joined or left.
    Helper {
        /// Its number in this run, from 1.
        number: usize,
        /// Whether it has joined; otherwise it has left.
        came: bool,
    },
    /// The run stops, and waits for the running files.
    Stopping {
        /// The number of running files.
        running: usize,
        /// The reason.
        why: RunEnd,
    },
    /// The process and its workers are about to be suspended by Ctrl-Z.
    Suspended,
    /// They continue.
    Continued,
    /// The user asked for the running files.
    Asked {
        /// The running files.
        running: Vec<RunningFile>,
        /// The number of finished files.
        done: usize,
    },
    /// From here on the run tells what each of its workers does, if that is asked for.
    TimingsStarted {
        /// The number of workers that may run at once.
        workers: usize,
    },
    /// A worker has done something, which precedes other events about it.
    WorkerTimed(WorkerSpan),
    /// A file is done.
    FileFinished(Box<FileReport>),
    /// The run is over.
    RunFinished {
        /// The duration.
        elapsed: Duration,
        /// The end of the run.
        end: RunEnd,
    },
}

/// A running file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningFile {
    /// The displayed path.
    pub shown: String,
    /// The running record and its elapsed time.
    pub record: Option<(RecordId, Duration)>,
    /// The elapsed time of the file.
    pub elapsed: Duration,
    /// The number of records with an outcome.
    pub settled: u64,
    /// The number of records of the file, once known.
    pub total: Option<u64>,
    /// The memory use of its process, in bytes.
    pub memory: Option<u64>,
}

/// Receives the events of a run.
pub trait EventSink {
    /// Receives the next event.
    ///
    /// # Errors
    ///
    /// [`SinkError`] when the sink cannot continue, which ends the run.
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError>;

    /// Receives the next events at once, for a sink that can handle them together at a lower cost.
    ///
    /// # Errors
    ///
    /// [`SinkError`], as for [`Self::on_event`]. Then some of the events may have been handled.
    fn on_events(&mut self, events: &[RunEvent]) -> Result<(), SinkError> {
        events.iter().try_for_each(|event| self.on_event(event))
    }
}

/// Forwards events to two sinks; an event that fails in the first, or a group of them, does not reach the second.
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

    fn on_events(&mut self, events: &[RunEvent]) -> Result<(), SinkError> {
        self.0.on_events(events)?;
        self.1.on_events(events)
    }
}

/// An optional sink.
impl<S: EventSink> EventSink for Option<S> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.as_mut().map_or(Ok(()), |sink| sink.on_event(event))
    }

    fn on_events(&mut self, events: &[RunEvent]) -> Result<(), SinkError> {
        self.as_mut().map_or(Ok(()), |sink| sink.on_events(events))
    }
}

/// A sink that cannot continue, for instance because the disk is full.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what}")]
pub struct SinkError {
    /// What the sink writes, as in "cannot write the progress".
    pub what: &'static str,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// Builds the report of a run from its events, live or replayed.
///
/// Returns `None` if the first event is not [`RunEvent::RunStarted`]. Without [`RunEvent::RunFinished`], the run counts as
/// interrupted.
pub fn fold(events: impl IntoIterator<Item = RunEvent>) -> Option<RunReport> {
    let mut events = events.into_iter();
    let RunEvent::RunStarted(header) = events.next()? else { return None };
    let (mut files, mut elapsed, mut end) = (Vec::new(), Duration::ZERO, RunEnd::Interrupted);
    for event in events {
        match event {
            RunEvent::FileFinished(file) => files.push(*file),
            RunEvent::RunFinished { elapsed: found, end: why } => (elapsed, end) = (found, why),
            _ => {}
        }
    }
    sort(&mut files);
    Some(RunReport { header, files, elapsed, end })
}

/// Sorts the files of a run into the order of its report.
pub(crate) fn sort(files: &mut [FileReport]) {
    // In place, because there may be many.
    files.sort_unstable_by(|a, b| (a.file.path(), &a.shown).cmp(&(b.file.path(), &b.shown)));
}

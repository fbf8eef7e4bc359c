//! Where the time of a run went: what each worker did, from the events of a run that measures it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EventSink, RunEvent, SinkError};
use crate::wire::{FileIdForm, FileTimesForm, Maybe, RemoteForm as _, SliceForm};
use slt_core::executor::slice::Slice;
use slt_core::location::FileId;
use slt_core::outcome::FileTimes;

/// What a worker did for a while. All times are since the session of the run began, without suspended time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSpan {
    /// The place of the worker among those that run at once, from 0. A worker takes the place of one that has exited.
    pub place: usize,
    /// The start.
    pub from: Duration,
    /// The end.
    pub to: Duration,
    /// What it did.
    pub work: SpanWork,
}

/// What a worker did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpanWork {
    /// It started, up to its first file.
    Start,
    /// It executed a file, or a slice of it.
    File {
        /// The file.
        #[serde(with = "FileIdForm")]
        file: FileId,
        /// The slice, if it was not the whole file.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<SliceForm>")]
        slice: Option<Slice>,
        /// Whether it executed queries of a file that another worker had begun.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        helps: bool,
        /// The parts, which add up to the length of the span.
        #[serde(with = "FileTimesForm")]
        times: FileTimes,
    },
}

impl WorkerSpan {
    /// Returns its length.
    pub fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

/// What the workers of this process did in one session of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTimings {
    /// The number of workers that may run at once.
    pub workers: usize,
    /// The duration of the session; of one that was killed, up to the last known span.
    pub elapsed: Duration,
    /// What they did. The spans of a place do not overlap; between them, it waits.
    pub spans: Vec<WorkerSpan>,
}

/// Where the time of a run went. A sink that collects it from the events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunTimings {
    /// The sessions that were measured: a resumed run has several.
    pub sessions: Vec<SessionTimings>,
    /// Whether the last session is in progress.
    is_open: bool,
}

impl RunTimings {
    /// Returns the timings, if any session was measured.
    pub fn measured(&self) -> Option<&Self> {
        (!self.sessions.is_empty()).then_some(self)
    }

    /// Takes the start of a session, which may not be measured.
    pub(crate) fn session_begins(&mut self) {
        self.is_open = false;
    }

    /// Takes the next event.
    pub(crate) fn enter(&mut self, event: &RunEvent) {
        match event {
            RunEvent::TimingsStarted { workers } => {
                let (workers, elapsed) = (*workers, Duration::ZERO);
                self.sessions.push(SessionTimings { workers, elapsed, spans: Vec::new() });
                self.is_open = true;
            }
            RunEvent::WorkerTimed(span) => {
                if let Some(session) = self.current() {
                    session.elapsed = session.elapsed.max(span.to);
                    session.spans.push(span.clone());
                }
            }
            RunEvent::RunFinished { elapsed, .. } => {
                if let Some(session) = self.current() {
                    session.elapsed = *elapsed;
                }
                self.is_open = false;
            }
            _ => {}
        }
    }

    fn current(&mut self) -> Option<&mut SessionTimings> {
        self.sessions.last_mut().filter(|_| self.is_open)
    }
}

impl EventSink for RunTimings {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.enter(event);
        Ok(())
    }
}

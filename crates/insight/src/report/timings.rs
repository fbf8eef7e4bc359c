//! Where the time of a run went: sums over what its workers did.
//!
//! The parts of all files, the start of workers, their waiting and their idleness at the end add up to the duration of the
//! run times the number of workers.

mod json;
mod text;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use slt_core::executor::slice::Slice;
use slt_core::location::FileId;
use slt_core::outcome::FileTimes;
use slt_runner::event::timings::{RunTimings, SessionTimings, SpanWork, WorkerSpan};

pub use self::json::{object, span};
pub use self::text::write;
pub(super) use self::text::{meaning, next_steps, short_or_dash};

/// Sums of the time of all workers of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingsSummary<'t> {
    /// The most workers that may have run at once.
    pub workers: usize,
    /// The duration of all measured sessions.
    pub elapsed: Duration,
    /// That duration times the number of workers.
    pub worker_time: Duration,
    /// The parts of the executions of all files.
    pub times: FileTimes,
    /// The starts of workers, up to their first file.
    pub start: Duration,
    /// Waiting before and between files, other than at the end.
    pub wait: Duration,
    /// Waiting for the end of the run, behind the last file of a worker.
    pub idle: Duration,
    /// The files, the one with the most time first.
    pub files: Vec<FileTotal<'t>>,
    /// The end of the session in which workers were idle for the longest.
    pub ending: Option<RunEnding<'t>>,
}

/// The time of all executions of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTotal<'t> {
    /// The file.
    pub file: &'t FileId,
    /// The number of executions, each of the file, of a slice, or of a share of its queries by a helper.
    pub executions: u64,
    /// The time of executions of what was executed again later, by a retry, a repetition, or after a crash.
    pub repeated: Duration,
    /// The parts of all executions.
    pub times: FileTimes,
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnding<'t> {
    /// The file that ended last.
    pub file: &'t FileId,
    /// Whether a slice of it ended last, or several workers shared its queries.
    pub is_slice: bool,
    /// Whether it was the first file of its worker.
    pub is_first: bool,
    /// The number of workers of the session.
    pub workers: usize,
    /// The number of workers that waited for it, other than for a moment.
    pub waiting: usize,
    /// The longest of these waits.
    pub longest: Duration,
    /// The sum of the waits of all workers.
    pub idle: Duration,
}

/// Waits at the end that are a smaller share of the duration do not count as idleness of a worker.
const LEAST_WAIT: u32 = 100;

impl<'t> TimingsSummary<'t> {
    /// Adds up the measurements of a run.
    pub fn new(timings: &'t RunTimings) -> Self {
        let mut summary = Self::default();
        let mut files = FileBook::default();
        for session in &timings.sessions {
            summary.add(session, &mut files);
        }
        summary.files = files.totals.into_values().collect();
        // The name of a file decides between equal times.
        summary.files.sort_by_key(|file| Reverse(file.times.total()));
        summary
    }

    fn add(&mut self, session: &'t SessionTimings, files: &mut FileBook<'t>) {
        let workers = u32::try_from(session.workers).unwrap_or(u32::MAX);
        let worker_time = session.elapsed * workers;
        let mut lasts = vec![Duration::ZERO; session.workers];
        let mut busy = Duration::ZERO;
        let mut last: Option<(&WorkerSpan, &FileId, [bool; 2])> = None;
        let mut has_had_file = vec![false; session.workers];
        for span in &session.spans {
            busy += span.length();
            match &span.work {
                SpanWork::Start => self.start += span.length(),
                SpanWork::File { file, slice, helps, times } => {
                    self.times.merge(times);
                    files.add(file, *slice, *helps, times);
                    if last.is_none_or(|(last, ..)| span.to >= last.to) {
                        let has_had = has_had_file.get(span.place).copied().unwrap_or(false);
                        last = Some((span, file, [slice.is_some(), !has_had]));
                    }
                    has_had_file.get_mut(span.place).into_iter().for_each(|has_had| *has_had = true);
                }
            }
            if let Some(last) = lasts.get_mut(span.place) {
                *last = (*last).max(span.to);
            }
        }
        let idle = lasts.iter().map(|last| session.elapsed.saturating_sub(*last)).sum();
        self.workers = self.workers.max(session.workers);
        self.elapsed += session.elapsed;
        self.worker_time += worker_time;
        self.idle += idle;
        self.wait += worker_time.saturating_sub(busy).saturating_sub(idle);
        if let Some((span, file, [is_slice, is_first])) = last {
            let helps_with_it = |span: &WorkerSpan| matches!(&span.work, SpanWork::File { file: of, helps: true, .. } if of == file);
            let waits = lasts.iter().map(|last| span.to.saturating_sub(*last));
            let waits: Vec<_> = waits.filter(|wait| *wait > session.elapsed / LEAST_WAIT).collect();
            let ending = RunEnding {
                file,
                is_slice: is_slice || session.spans.iter().any(helps_with_it),
                is_first,
                workers: session.workers,
                waiting: waits.len(),
                longest: waits.iter().max().copied().unwrap_or_default(),
                idle,
            };
            self.ending = self.ending.filter(|other| other.idle >= idle).or(Some(ending));
        }
    }

    /// Returns all parts with their names: those of files, and those of workers without a file. They add up to
    /// [`Self::worker_time`].
    pub fn parts(&self) -> Vec<(&'static str, Duration)> {
        let of_files = self.times.iter().map(|(part, time)| (part.as_str(), time));
        of_files.chain([("start", self.start), ("wait", self.wait), ("idle", self.idle)]).collect()
    }
}

/// The files of a run, in the order of their names, and the latest execution of each slice; a whole file is one of one.
#[derive(Default)]
struct FileBook<'t> {
    totals: BTreeMap<&'t FileId, FileTotal<'t>>,
    latest: HashMap<(&'t FileId, (u32, u32)), Duration>,
}

impl<'t> FileBook<'t> {
    fn add(&mut self, file: &'t FileId, slice: Option<Slice>, helps: bool, times: &FileTimes) {
        let new = || FileTotal { file, executions: 0, repeated: Duration::ZERO, times: FileTimes::default() };
        let total = self.totals.entry(file).or_insert_with(new);
        total.executions += 1;
        total.times.merge(times);
        if helps {
            return;
        }
        let slice = slice.map_or((0, 1), |slice| (slice.index(), slice.count()));
        let earlier = self.latest.insert((file, slice), times.total());
        total.repeated += earlier.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;

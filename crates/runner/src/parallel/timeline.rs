//! Follows what each worker of this process does, for a run that measures where its time goes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::WorkerEvent;
use super::wire::WorkerMessage;
use crate::wire::FileTimesForm;
use slt_core::outcome::FileTimes;

/// What a worker has measured of a task, in times of the clock that all processes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskTimes {
    pub(super) from: Duration,
    pub(super) to: Duration,
    #[serde(with = "FileTimesForm")]
    pub(super) times: FileTimes,
}

/// What a worker did for a while, in times of the clock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClockSpan {
    pub(super) place: usize,
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) work: ClockWork,
    /// Whether the worker is a helper.
    pub(super) helps: bool,
}

/// What a worker did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClockWork {
    Start,
    /// A task; its parts are unknown if the worker did not finish it.
    Task(usize, Option<FileTimes>),
}

/// The workers of this process, each in one of the places for workers.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    workers: BTreeMap<usize, TimedWorker>,
    /// The number of workers that were started.
    started: usize,
}

#[derive(Debug)]
struct TimedWorker {
    place: usize,
    helps: bool,
    /// What it does, since when.
    state: Option<(Duration, CurrentWork)>,
}

#[derive(Debug, Clone, Copy)]
enum CurrentWork {
    Start,
    Task(usize),
}

impl Timeline {
    /// Takes the start, at `at`, of all workers up to this number; the new ones are helpers or not.
    pub(super) fn started(&mut self, workers: usize, at: Duration, helps: bool) {
        let new: Range<usize> = self.started..workers;
        for worker in new {
            let is_free = |place: &usize| self.workers.values().all(|other| other.place != *place);
            let place = (0..).find(is_free).unwrap_or(worker);
            self.workers.insert(worker, TimedWorker { place, helps, state: Some((at, CurrentWork::Start)) });
        }
        self.started = self.started.max(workers);
    }

    /// Takes an event of a worker that arrives at `now`; returns what it did until then, if that has ended.
    ///
    /// The event is not checked yet: a worker with damaged memory may send any task and any time.
    pub(super) fn hear(&mut self, worker: usize, event: &WorkerEvent, now: Duration) -> Option<ClockSpan> {
        let timed = self.workers.get_mut(&worker)?;
        let (place, helps, before) = (timed.place, timed.helps, timed.state);
        let span = |to: Duration| {
            let (from, work) = before?;
            let work = match work {
                CurrentWork::Start => ClockWork::Start,
                CurrentWork::Task(task) => ClockWork::Task(task, None),
            };
            Some(ClockSpan { place, from, to: to.min(now).max(from), work, helps })
        };
        match event {
            WorkerEvent::Message(WorkerMessage::Claimed { task, at, .. }) => {
                timed.state = Some((*at, CurrentWork::Task(*task)));
                span(*at)
            }
            WorkerEvent::Message(WorkerMessage::Finished { task, times, .. }) => {
                timed.state = None;
                let (since, _) =
                    before.filter(|(_, work)| matches!(work, CurrentWork::Task(at) if at == task))?;
                let TaskTimes { from, to, times } = times.as_deref().copied()?;
                let from = from.max(since).min(now);
                let to = to.min(now).max(from);
                Some(ClockSpan { place, from, to, work: ClockWork::Task(*task, Some(times)), helps })
            }
            // It found nothing to do.
            WorkerEvent::Message(WorkerMessage::Done) => {
                timed.state = None;
                span(now)
            }
            WorkerEvent::Message(_) | WorkerEvent::InvalidMessage => None,
            WorkerEvent::Ended(_) => {
                self.workers.remove(&worker);
                span(now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slt_core::outcome::ExitHow;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn claimed(task: usize, seconds: u64) -> WorkerEvent {
        WorkerEvent::Message(WorkerMessage::Claimed { task, at: at(seconds), stderr: 0 })
    }

    #[test]
    fn a_worker_takes_the_place_of_one_that_has_exited() {
        let mut timeline = Timeline::default();
        timeline.started(2, at(0), false);
        let start = ClockSpan { place: 1, from: at(0), to: at(2), work: ClockWork::Start, helps: false };
        assert_eq!(timeline.hear(1, &claimed(7, 2), at(3)), Some(start));
        let lost =
            ClockSpan { place: 1, from: at(2), to: at(5), work: ClockWork::Task(7, None), helps: false };
        let died = WorkerEvent::Ended(ExitHow::Signal(9));
        assert_eq!(timeline.hear(1, &died, at(5)), Some(lost));
        assert_eq!(timeline.hear(1, &died, at(6)), None, "it is gone");
        // The same number again is no other worker.
        timeline.started(2, at(6), true);
        timeline.started(4, at(7), true);
        let places = timeline.workers.values().map(|worker| worker.place);
        assert_eq!(places.collect::<Vec<_>>(), [0, 1, 2]);
        let done = WorkerEvent::Message(WorkerMessage::Done);
        let start = ClockSpan { place: 0, from: at(0), to: at(9), work: ClockWork::Start, helps: false };
        assert_eq!(timeline.hear(0, &done, at(9)), Some(start), "it found nothing to do");
        assert_eq!(timeline.hear(0, &died, at(10)), None, "it did nothing any more");
        let help = ClockSpan { place: 1, from: at(7), to: at(8), work: ClockWork::Start, helps: true };
        assert_eq!(timeline.hear(2, &claimed(7, 8), at(8)), Some(help));
    }
}

//! The periods in which processes of the run were stopped, excluded from all limits and durations.
//!
//! Ctrl-Z stops the main process together with its workers. SIGSTOP, a debugger or a frozen container stops the main
//! process alone, or everything. The main process detects that only afterwards, by a late tick, and cannot know whether
//! its workers kept running. So the workers' own measurements stand, but limits exclude that period.

use std::cmp::Reverse;
use std::time::Duration;

use slt_core::executor::LEAST_SLOW;
use slt_core::outcome::{FileReport, RecordId, StatementKind};

/// The pauses of this process, in the time of the clock.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    spans: Vec<Pause>,
    ticked: Option<Duration>,
}

#[derive(Debug)]
struct Pause {
    from: Duration,
    to: Duration,
    /// Whether the workers were stopped as well.
    workers: bool,
}

/// A longer interval between ticks means that this process was stopped.
const LONGEST_TICK: Duration = Duration::from_millis(500);

impl Pauses {
    /// Records that this process is running; called every few milliseconds. Returns whether it was stopped before.
    pub(super) fn tick(&mut self, now: Duration) -> bool {
        let last = self.ticked.replace(now);
        let Some(from) = last.filter(|&last| now > last + LONGEST_TICK) else { return false };
        self.spans.push(Pause { from, to: now, workers: false });
        true
    }

    /// Records that this process and its workers were stopped.
    pub(super) fn stopped(&mut self, from: Duration, to: Duration) {
        self.spans.push(Pause { from, to, workers: true });
        self.ticked = Some(to);
    }

    /// Returns the time in which this process was running, for comparison with limits.
    pub(super) fn elapsed(&self, from: Duration, to: Duration) -> Duration {
        // A message can be read before the tick that is late.
        let unseen = self.ticked.filter(|&last| to > last + LONGEST_TICK);
        let unseen = unseen.map(|from| Pause { from, to, workers: false });
        without(self.spans.iter().chain(&unseen), from, to)
    }

    /// Subtracts the time in which a worker was stopped from its measurements of a file.
    ///
    /// `began` is the start of the file; `stopped` has the records that were running during a stop, with its length.
    pub(super) fn take_from(
        &self,
        report: &mut FileReport,
        began: Duration,
        stopped: &[(RecordId, Duration)],
    ) {
        report.elapsed = self.worked(began, began + report.elapsed);
        report.engine_time = report.engine_time.map(|time| time.min(report.elapsed));
        if stopped.is_empty() {
            return;
        }
        for slow in &mut report.slowest {
            let stops = stopped.iter().filter(|(id, _)| *id == slow.id).map(|(_, time)| *time);
            let running = slow.elapsed.saturating_sub(stops.sum());
            report.times.shorten(StatementKind::from_sql(slow.sql.as_bytes()), slow.elapsed, running);
            slow.elapsed = running;
        }
        report.slowest.retain(|slow| slow.elapsed >= LEAST_SLOW);
        report.slowest.sort_by_key(|slow| Reverse(slow.elapsed));
    }

    /// Returns the time in which the workers were running, as far as known.
    fn worked(&self, from: Duration, to: Duration) -> Duration {
        without(self.spans.iter().filter(|pause| pause.workers), from, to)
    }
}

fn without<'p>(pauses: impl Iterator<Item = &'p Pause>, from: Duration, to: Duration) -> Duration {
    let within = |pause: &Pause| pause.to.min(to).saturating_sub(pause.from.max(from));
    to.saturating_sub(from).saturating_sub(pauses.map(within).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn stopped_time_does_not_count() {
        let mut pauses = Pauses::default();
        assert!(!pauses.tick(at(10)), "the first");
        assert!(!pauses.tick(at(10) + LONGEST_TICK));
        pauses.stopped(at(20), at(50));
        assert!(!pauses.tick(at(50) + LONGEST_TICK), "counted once");
        assert_eq!(pauses.elapsed(at(15), at(51)), at(6));
        assert_eq!(pauses.elapsed(at(30), at(40)), at(0));
        assert_eq!(pauses.worked(at(15), at(55)), at(10));
    }

    #[test]
    fn workers_may_have_gone_on_while_a_tick_was_late() {
        let mut pauses = Pauses::default();
        pauses.tick(at(10));
        assert_eq!(pauses.elapsed(at(5), at(70)), at(5), "the late tick was not seen yet");
        assert!(pauses.tick(at(70)));
        let until = at(70) + LONGEST_TICK;
        assert_eq!(
            (pauses.elapsed(at(5), until), pauses.worked(at(5), at(71))),
            (at(5) + LONGEST_TICK, at(66))
        );
    }
}

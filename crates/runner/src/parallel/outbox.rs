//! Events on their way to the sinks. Results are committed in groups.
//!
//! The journal syncs the disk before anybody learns of a result, which takes longer than a small file. So the results of
//! files that finish quickly wait a moment for each other, and share one sync. Events keep their order: an event
//! behind a result waits with it, so nothing is shown before it is on the disk.

use std::time::Duration;

use crate::clock;
use crate::event::{EventSink, RunEvent, SinkError};
use slt_core::outcome::FileReport;

/// The time between the end of a commit of results and the next one.
///
/// It bounds both the delay of a result and the number of commits per second. Nobody sees a delay of this length.
const GROUP: Duration = Duration::from_millis(10);

/// The events that the sinks do not have yet.
pub(super) struct Outbox<'s> {
    sink: &'s mut dyn EventSink,
    waiting: Vec<RunEvent>,
    /// Whether a result is among the waiting events.
    has_result: bool,
    /// The end of the last commit of results.
    last: Option<Duration>,
    /// The results that the sinks have, and those of earlier sessions.
    reports: Vec<FileReport>,
}

impl<'s> Outbox<'s> {
    /// Sends events to `sink`. `reports` has the results of earlier sessions, which are not sent again.
    pub(super) fn new(sink: &'s mut dyn EventSink, reports: Vec<FileReport>) -> Self {
        Self { sink, waiting: Vec::new(), has_result: false, last: None, reports }
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: RunEvent) {
        self.has_result |= matches!(event, RunEvent::FileFinished(_));
        self.waiting.push(event);
    }

    /// Returns whether the sinks have all events.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the time until the waiting events are due; `None` if nothing is waiting.
    pub(super) fn due_in(&self, now: Duration) -> Option<Duration> {
        (!self.waiting.is_empty()).then(|| delay(self.has_result, self.last, now))
    }

    /// Sends the waiting events.
    ///
    /// # Errors
    ///
    /// [`SinkError`], when a sink cannot continue. Then some of the events may not have been sent.
    pub(super) fn commit(&mut self) -> Result<(), SinkError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.sink.on_events(&waiting)?;
        if std::mem::take(&mut self.has_result) {
            self.last = Some(clock::now());
        }
        self.reports.extend(waiting.into_iter().filter_map(|event| match event {
            RunEvent::FileFinished(report) => Some(*report),
            _ => None,
        }));
        Ok(())
    }

    /// Returns all results that the sinks have.
    pub(super) fn into_reports(self) -> Vec<FileReport> {
        self.reports
    }
}

/// Decides how long waiting events wait at `now`, after a commit of results that ended at `last`.
///
/// | a result waits | last commit | delay |
/// |---|---|---|
/// | no | | none: nothing has to be synced |
/// | yes | never, or long ago | none: files finish slowly |
/// | yes | a moment ago | until [`GROUP`] after it |
fn delay(has_result: bool, last: Option<Duration>, now: Duration) -> Duration {
    let due = last.filter(|_| has_result).map_or(Duration::ZERO, |last| last + GROUP);
    due.saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use slt_core::outcome::FileEnd;

    #[test]
    fn only_results_after_results_wait() {
        let at = Duration::from_millis;
        for (has_result, last, now, expected) in [
            (false, None, 0, 0),
            (false, Some(at(100)), 101, 0),
            (true, None, 0, 0),
            (true, Some(at(100)), 100, 10),
            (true, Some(at(100)), 104, 6),
            (true, Some(at(100)), 500, 0),
        ] {
            assert_eq!(delay(has_result, last, at(now)), at(expected), "{has_result} {last:?} {now}");
        }
    }

    /// Keeps the sizes of the groups, and fails with the group of this number.
    #[derive(Default)]
    struct GroupCounter {
        groups: Vec<usize>,
        fails_at: Option<usize>,
    }

    impl EventSink for GroupCounter {
        fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
            self.on_events(std::slice::from_ref(event))
        }

        fn on_events(&mut self, events: &[RunEvent]) -> Result<(), SinkError> {
            if self.fails_at == Some(self.groups.len()) {
                return Err(SinkError { what: "groups", source: io::Error::other("full") });
            }
            self.groups.push(events.len());
            Ok(())
        }
    }

    fn finished(file: &str) -> RunEvent {
        RunEvent::FileFinished(Box::new(FileReport::new(file, FileEnd::Completed)))
    }

    #[test]
    fn a_group_is_sent_whole_and_only_then_counts() {
        let mut sink = GroupCounter { fails_at: Some(2), ..GroupCounter::default() };
        let mut outbox = Outbox::new(&mut sink, Vec::new());
        assert_eq!(outbox.due_in(clock::now()), None);
        outbox.push(RunEvent::TaskStarted { task: 0, shown: String::new(), slice: None });
        assert_eq!(outbox.due_in(clock::now()), Some(Duration::ZERO));
        outbox.push(finished("a"));
        outbox.commit().unwrap();
        // Nothing is sent twice.
        outbox.commit().unwrap();
        ["b", "c"].into_iter().for_each(|file| outbox.push(finished(file)));
        assert!(outbox.due_in(clock::now()).is_some_and(|due| due <= GROUP));
        outbox.commit().unwrap();
        outbox.push(finished("d"));
        assert!(outbox.commit().is_err());
        let reports = outbox.into_reports();
        assert_eq!(reports.iter().map(|report| report.file.path()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(sink.groups, [2, 2]);
    }
}

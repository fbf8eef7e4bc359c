//! The resource limits of a file. The decision is made here and carried out by [`super::worker_pool`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::filter::Pattern;
use super::plan::WorkItem;

/// The limits of a worker.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WorkerLimits {
    /// The maximum memory in use, in bytes. Measured on Linux only.
    pub memory: Option<u64>,
    /// The time until a file is reported as slow; repeated each time that it has doubled.
    pub slow: Option<Duration>,
    /// The time between asking a worker to exit and killing it.
    pub grace: Duration,
}

/// The time limits of files; `None` means no limit.
#[derive(Debug, Clone, Default)]
pub struct Timeouts {
    /// The limit of files without one of their own.
    pub usual: Option<Duration>,
    /// Limits by pattern; the last matching pattern applies.
    pub own: Vec<(Pattern, Option<Duration>)>,
}

impl Timeouts {
    /// Returns the time limit of the file.
    pub fn of(&self, item: &WorkItem) -> Option<Duration> {
        let own = self.own.iter().rev().find(|(pattern, _)| pattern.chooses(item));
        own.map_or(self.usual, |(_, timeout)| *timeout)
    }
}

/// An exceeded limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExceededLimit {
    /// The time of the file, or of a record of an engine that cannot be interrupted.
    Time,
    /// The memory, with the bytes in use.
    Memory { used: u64 },
}

/// The state of a worker that is running a file. Excludes the time while it was stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorkerStatus {
    /// The time since the start of the file.
    pub(super) elapsed: Duration,
    /// The time since the start of the record, if one is running.
    pub(super) record: Option<Duration>,
    /// The memory in use.
    pub(super) memory: Option<u64>,
    /// The time since it was asked to exit.
    pub(super) asked: Option<Duration>,
    /// The elapsed time of the file at the last slow notice.
    pub(super) said_slow: Option<Duration>,
    /// The time limit of the file.
    pub(super) timeout: Option<Duration>,
    /// The time limit of a record.
    pub(super) record_timeout: Option<Duration>,
}

/// The reaction to the state of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LimitAction {
    Nothing,
    /// Report the file as slow.
    Say,
    /// Ask the worker to exit.
    Ask,
    /// Kill the worker.
    Kill(Option<ExceededLimit>),
}

/// The time for interrupting a record until its worker is ended instead.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

impl WorkerLimits {
    /// Decides on the reaction to the state of a worker.
    ///
    /// | the worker                                         | reaction |
    /// |----------------------------------------------------|--------------|
    /// | exceeds its memory limit                           | kill: it would only use more |
    /// | was asked to exit, and the grace period is over    | kill |
    /// | was asked to exit                                  | none |
    /// | exceeds the time limit of the file                 | ask |
    /// | exceeds the time limit of the record, and was not interrupted | ask |
    /// | has reached the time of the next slow notice       | report |
    /// | otherwise                                          | none |
    pub(super) fn decide(&self, look: &WorkerStatus) -> LimitAction {
        if let (Some(used), Some(limit)) = (look.memory, self.memory)
            && used > limit
        {
            return LimitAction::Kill(look.asked.is_none().then_some(ExceededLimit::Memory { used }));
        }
        if let Some(asked) = look.asked {
            return if asked >= self.grace { LimitAction::Kill(None) } else { LimitAction::Nothing };
        }
        let over_file = look.timeout.is_some_and(|timeout| look.elapsed >= timeout);
        let over_record = look.record.zip(look.record_timeout).is_some_and(|(elapsed, limit)| {
            // The worker interrupts engines that support it; this engine does not.
            elapsed >= limit + INTERRUPT_GRACE
        });
        if over_file || over_record {
            return LimitAction::Ask;
        }
        let due = look.said_slow.map_or_else(|| self.first_notice(look.timeout), |said| Some(said * 2));
        if due.is_some_and(|due| look.elapsed >= due) { LimitAction::Say } else { LimitAction::Nothing }
    }

    /// Returns the time of the first notice: at most half of the limit.
    fn first_notice(&self, timeout: Option<Duration>) -> Option<Duration> {
        self.slow.map(|slow| timeout.map_or(slow, |timeout| slow.min(timeout / 2)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::plan::file_of_path;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn look(elapsed: u32) -> WorkerStatus {
        WorkerStatus {
            elapsed: SECOND * elapsed,
            record: None,
            memory: Some(10),
            asked: None,
            said_slow: None,
            timeout: Some(SECOND * 50),
            record_timeout: Some(SECOND * 5),
        }
    }

    #[test]
    fn the_last_pattern_that_matches_says_how_long_a_file_may_take() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let own = [("select", seconds(9)), ("select5.test", None), ("index/**", seconds(1))];
        let own = own.map(|(word, timeout)| (word.parse().unwrap(), timeout)).to_vec();
        let timeouts = Timeouts { usual: seconds(500), own };
        let cases = [
            ("x.test", seconds(500)),
            ("select1.test", seconds(9)),
            ("select5.test", None),
            ("index/select.test", seconds(1)),
        ];
        for (file, expected) in cases {
            let item = file_of_path(Path::new(file));
            assert_eq!(
                timeouts.of(&WorkItem {
                    below: item.shown.clone(),
                    file: item.shown.as_str().into(),
                    ..item
                }),
                expected,
                "{file}"
            );
        }
    }

    #[test]
    fn each_limit_has_its_action() {
        let limits = WorkerLimits { memory: Some(100), slow: Some(SECOND * 60), grace: SECOND * 2 };
        let seconds = |count| Some(SECOND * count);
        let cases = [
            ("early", look(1), LimitAction::Nothing),
            ("half of the time", look(25), LimitAction::Say),
            ("said", WorkerStatus { said_slow: Some(SECOND * 25), ..look(49) }, LimitAction::Nothing),
            ("over the file's time", look(50), LimitAction::Ask),
            ("without a limit", WorkerStatus { timeout: None, ..look(59) }, LimitAction::Nothing),
            ("slow without a limit", WorkerStatus { timeout: None, ..look(60) }, LimitAction::Say),
            (
                "said once",
                WorkerStatus { timeout: None, said_slow: Some(SECOND * 60), ..look(119) },
                LimitAction::Nothing,
            ),
            (
                "said twice",
                WorkerStatus { timeout: None, said_slow: Some(SECOND * 60), ..look(120) },
                LimitAction::Say,
            ),
            (
                "a record that may be interrupted",
                WorkerStatus { record: seconds(5), ..look(5) },
                LimitAction::Nothing,
            ),
            ("a record that was not", WorkerStatus { record: seconds(6), ..look(6) }, LimitAction::Ask),
            ("asked", WorkerStatus { asked: seconds(1), ..look(51) }, LimitAction::Nothing),
            ("deaf", WorkerStatus { asked: seconds(2), ..look(52) }, LimitAction::Kill(None)),
            ("all of the memory", WorkerStatus { memory: Some(100), ..look(1) }, LimitAction::Nothing),
            (
                "too much",
                WorkerStatus { memory: Some(101), ..look(60) },
                LimitAction::Kill(Some(ExceededLimit::Memory { used: 101 })),
            ),
            (
                "too much while it ends",
                WorkerStatus { memory: Some(101), asked: seconds(0), ..look(50) },
                LimitAction::Kill(None),
            ),
            ("not known", WorkerStatus { memory: None, ..look(1) }, LimitAction::Nothing),
        ];
        for (what, look, expected) in cases {
            assert_eq!(limits.decide(&look), expected, "{what}");
        }
    }
}

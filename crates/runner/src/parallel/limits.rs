//! The resource limits of a file and the reaction to exceeding them: decided here, carried out by [`super::crew`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::filter::Pattern;
use super::plan::WorkItem;

/// What a worker may use.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// How much memory its process may have in use, in bytes. Known on Linux only.
    pub memory: Option<u64>,
    /// After how long a file is said to be slow; again each time that this has doubled.
    pub slow: Option<Duration>,
    /// How long a worker that is asked to end may take until it is killed.
    pub grace: Duration,
}

/// How long a file may take; nothing for as long as it likes.
#[derive(Debug, Clone, Default)]
pub struct Timeouts {
    /// A file of which nothing else is said.
    pub usual: Option<Duration>,
    /// The files that a pattern chooses; the last one that does holds.
    pub own: Vec<(Pattern, Option<Duration>)>,
}

impl Timeouts {
    /// How long this file may take.
    pub fn of(&self, item: &WorkItem) -> Option<Duration> {
        let own = self.own.iter().rev().find(|(pattern, _)| pattern.chooses(item));
        own.map_or(self.usual, |(_, timeout)| *timeout)
    }
}

/// A limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The time of the file, or of a record of an engine that cannot be interrupted.
    Time,
    /// The memory, with so many bytes in use.
    Memory { used: u64 },
}

/// The state of a worker that is running a file. Time while it was stopped is not counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// How long it has been at the file.
    pub(super) elapsed: Duration,
    /// How long it has been at the record, if it is at one.
    pub(super) record: Option<Duration>,
    /// The memory in use.
    pub(super) memory: Option<u64>,
    /// How long ago it was asked to end.
    pub(super) asked: Option<Duration>,
    /// How long the file had been running when it was said to be slow.
    pub(super) said_slow: Option<Duration>,
    /// How long the file may take.
    pub(super) timeout: Option<Duration>,
    /// How long a record may take.
    pub(super) record_timeout: Option<Duration>,
}

/// What is to be done about a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// Say that the file is slow.
    Say,
    /// Ask the worker to end.
    Ask,
    /// End the worker without asking.
    Kill(Option<Over>),
}

/// How long the interrupt of a record may take until its worker is ended instead.
const INTERRUPT_GRACE: Duration = Duration::from_secs(1);

impl Limits {
    /// | the worker                                         | what is done |
    /// |----------------------------------------------------|--------------|
    /// | has more memory than it may                        | killed: it would only take more |
    /// | was asked to end, and the grace is over            | killed |
    /// | was asked to end                                   | nothing |
    /// | is over the time of the file                       | asked |
    /// | is over the time of the record, and has not been interrupted | asked |
    /// | has been at the file for a time not said yet       | said |
    /// | else                                               | nothing |
    pub(super) fn decide(&self, look: &Look) -> Action {
        if let (Some(used), Some(limit)) = (look.memory, self.memory)
            && used > limit
        {
            return Action::Kill(look.asked.is_none().then_some(Over::Memory { used }));
        }
        if let Some(asked) = look.asked {
            return if asked >= self.grace { Action::Kill(None) } else { Action::Nothing };
        }
        let over_file = look.timeout.is_some_and(|timeout| look.elapsed >= timeout);
        let over_record = look.record.zip(look.record_timeout).is_some_and(|(elapsed, limit)| {
            // An engine that can be interrupted is, by its worker; this one cannot.
            elapsed >= limit + INTERRUPT_GRACE
        });
        if over_file || over_record {
            return Action::Ask;
        }
        let due = look.said_slow.map_or_else(|| self.first_notice(look.timeout), |said| Some(said * 2));
        if due.is_some_and(|due| look.elapsed >= due) { Action::Say } else { Action::Nothing }
    }

    /// The notice precedes the limit: it comes after half of the time at the latest.
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

    fn look(elapsed: u32) -> Look {
        Look {
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
            assert_eq!(timeouts.of(&WorkItem { file: item.shown.clone(), ..item }), expected, "{file}");
        }
    }

    #[test]
    fn each_limit_has_its_action() {
        let limits = Limits { memory: Some(100), slow: Some(SECOND * 60), grace: SECOND * 2 };
        let seconds = |count| Some(SECOND * count);
        let cases = [
            ("early", look(1), Action::Nothing),
            ("half of the time", look(25), Action::Say),
            ("said", Look { said_slow: Some(SECOND * 25), ..look(49) }, Action::Nothing),
            ("over the file's time", look(50), Action::Ask),
            ("without a limit", Look { timeout: None, ..look(59) }, Action::Nothing),
            ("slow without a limit", Look { timeout: None, ..look(60) }, Action::Say),
            ("said once", Look { timeout: None, said_slow: Some(SECOND * 60), ..look(119) }, Action::Nothing),
            ("said twice", Look { timeout: None, said_slow: Some(SECOND * 60), ..look(120) }, Action::Say),
            ("a record that may be interrupted", Look { record: seconds(5), ..look(5) }, Action::Nothing),
            ("a record that was not", Look { record: seconds(6), ..look(6) }, Action::Ask),
            ("asked", Look { asked: seconds(1), ..look(51) }, Action::Nothing),
            ("deaf", Look { asked: seconds(2), ..look(52) }, Action::Kill(None)),
            ("all of the memory", Look { memory: Some(100), ..look(1) }, Action::Nothing),
            (
                "too much",
                Look { memory: Some(101), ..look(60) },
                Action::Kill(Some(Over::Memory { used: 101 })),
            ),
            (
                "too much while it ends",
                Look { memory: Some(101), asked: seconds(0), ..look(50) },
                Action::Kill(None),
            ),
            ("not known", Look { memory: None, ..look(1) }, Action::Nothing),
        ];
        for (what, look, expected) in cases {
            assert_eq!(limits.decide(&look), expected, "{what}");
        }
    }
}

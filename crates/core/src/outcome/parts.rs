//! The parts of the time that the execution of a file takes.

use std::time::Duration;

/// A part of the time that a worker spends on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilePart {
    /// Reading and parsing the file and those that it includes.
    Parse,
    /// Creating the database and its first session.
    Open,
    /// Executing SQL, without [`Self::Render`]. A concurrent loop counts with the time that passes.
    Engine,
    /// Making text of the rows of queries while the engine returns them; an estimate from some of the rows.
    Render,
    /// Sorting and comparing the results of queries, with the excerpts of those that differ.
    Judge,
    /// Shell commands, and pauses that the file asks for.
    Host,
    /// Closing the database.
    Close,
    /// Everything else: the steps of the file, messages about failing records, and unmeasured time.
    Other,
    /// An execution whose worker was stopped or died, so that its parts are unknown.
    Lost,
}

impl FilePart {
    /// All parts.
    pub const ALL: [Self; 9] = [
        Self::Parse,
        Self::Open,
        Self::Engine,
        Self::Render,
        Self::Judge,
        Self::Host,
        Self::Close,
        Self::Other,
        Self::Lost,
    ];

    /// Returns its name in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Open => "open",
            Self::Engine => "engine",
            Self::Render => "render",
            Self::Judge => "judge",
            Self::Host => "host",
            Self::Close => "close",
            Self::Other => "other",
            Self::Lost => "lost",
        }
    }
}

/// The time of each part of the execution of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileTimes([Duration; FilePart::ALL.len()]);

impl FileTimes {
    /// Returns the times of an execution whose parts are unknown.
    pub fn lost(total: Duration) -> Self {
        let mut times = Self::default();
        times.add(FilePart::Lost, total);
        times
    }

    /// Returns the times with these parts, in the order of [`FilePart::ALL`]; missing ones are zero.
    pub fn from_parts(parts: impl IntoIterator<Item = Duration>) -> Self {
        let mut times = Self::default();
        times.0.iter_mut().zip(parts).for_each(|(time, part)| *time = part);
        times
    }

    /// Returns the time of a part.
    pub fn get(&self, part: FilePart) -> Duration {
        self.0[part as usize]
    }

    /// Adds to a part.
    pub fn add(&mut self, part: FilePart, more: Duration) {
        self.0[part as usize] += more;
    }

    /// Adds the parts of another execution.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(time, more)| *time += more);
    }

    /// Returns each part with its time.
    pub fn iter(&self) -> impl Iterator<Item = (FilePart, Duration)> {
        FilePart::ALL.into_iter().zip(self.0)
    }

    /// Returns the sum of all parts.
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Returns times whose sum is `total`: what is missing is [`FilePart::Other`], and what was measured beyond it is taken
    /// from the longest parts. That happens to estimates, and to threads that overlap.
    #[must_use]
    pub fn filled_up(mut self, total: Duration) -> Self {
        let mut surplus = self.total().saturating_sub(total);
        while !surplus.is_zero() {
            let Some(longest) = self.0.iter_mut().max() else { break };
            let taken = surplus.min(*longest);
            *longest -= taken;
            surplus -= taken;
        }
        self.add(FilePart::Other, total.saturating_sub(self.total()));
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_to_any_total(parts in prop::collection::vec(0_u64..1_000, 0..12), total in 0_u64..5_000) {
            let measured = FileTimes::from_parts(parts.into_iter().map(Duration::from_nanos));
            let total = Duration::from_nanos(total);
            let filled = measured.filled_up(total);
            prop_assert_eq!(filled.total(), total);
            // Nothing is invented: only the rest grows.
            for (part, time) in filled.iter().filter(|(part, _)| *part != FilePart::Other) {
                prop_assert!(time <= measured.get(part));
            }
            let read = FileTimes::from_parts(filled.iter().map(|(_, time)| time));
            prop_assert_eq!(read, filled);
        }
    }

    #[test]
    fn each_part_has_its_place() {
        for (place, part) in FilePart::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, place, "{}", part.as_str());
        }
    }
}

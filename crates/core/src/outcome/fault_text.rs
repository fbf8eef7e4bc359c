//! Faults and problems of files, read back from the text of a report.

use std::time::Duration;

use super::fault::{ExitHow, Fault, SIGNALS};
use super::file::FileProblem;

impl Fault {
    /// Parses the text of a fault. Any other text is that of a lost engine.
    pub fn from_text(text: &str) -> Self {
        if let Some(message) = text.strip_prefix("the engine panicked: ") {
            Self::Panicked(message.to_owned())
        } else if let Some(message) = text.strip_prefix("the engine's adapter is wrong: ") {
            Self::Adapter(message.to_owned())
        } else if let Some([used, limit]) =
            between(text, ["the worker process was stopped with ", " in use, and ", " allowed"])
        {
            Self::OutOfMemory { used, limit, after: None }
        } else if let Some((how, rest)) = text.strip_prefix("the worker process ").and_then(exit) {
            let message = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
            Self::Died { how, message: message.map(str::to_owned), after: None }
        } else {
            let message = text.strip_prefix("the engine was lost: ").unwrap_or(text);
            Self::Lost(message.to_owned())
        }
    }

    /// Sets the elapsed time of the record, if the fault has one.
    pub fn with_time(mut self, time: Option<Duration>) -> Self {
        if let Self::Died { after, .. } | Self::OutOfMemory { after, .. } = &mut self {
            *after = time;
        }
        self
    }
}

impl FileProblem {
    /// Parses the text of a problem. Any other text is that of a dialect.
    pub fn from_text(text: &str) -> Self {
        let died = || match exit(text.strip_prefix("the worker process ")?)? {
            (how, " before the first record") => Some(Self::Died(how)),
            _ => None,
        };
        let memory = ["", " of memory in use before the first record, and ", " allowed"];
        if let Some(why) = text.strip_prefix("cannot read the file: ") {
            Self::Unreadable(why.to_owned())
        } else if let Some(why) = text.strip_prefix("the engine cannot be opened: ") {
            Self::Engine(why.to_owned())
        } else if text == Self::TimedOut.to_string() {
            Self::TimedOut
        } else if text == Self::Reported.to_string() {
            Self::Reported
        } else if let Some(died) = died() {
            died
        } else if let Some([used, limit]) = between(text, memory) {
            Self::OutOfMemory { used, limit }
        } else {
            Self::Dialect(text.to_owned())
        }
    }
}

/// Parses the end of a process, and returns the rest of the text.
fn exit(text: &str) -> Option<(ExitHow, &str)> {
    let number =
        |text: &str| text.find(|next: char| next != '-' && !next.is_ascii_digit()).unwrap_or(text.len());
    if let Some(text) = text.strip_prefix("exited with code ") {
        let (code, rest) = text.split_at(number(text));
        return Some((ExitHow::Code(code.parse().ok()?), rest));
    }
    let text = text.strip_prefix("was killed by ")?;
    if let Some(text) = text.strip_prefix("signal ") {
        let (signal, rest) = text.split_at(number(text));
        return Some((ExitHow::Signal(signal.parse().ok()?), rest));
    }
    let (name, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let (signal, _) = SIGNALS.iter().find(|(_, known)| *known == name)?;
    Some((ExitHow::Signal(*signal), rest))
}

/// Parses two numbers of bytes between these words.
fn between(text: &str, [before, amid, behind]: [&str; 3]) -> Option<[u64; 2]> {
    let (one, other) = text.strip_prefix(before)?.strip_suffix(behind)?.split_once(amid)?;
    Some([count_of(one)?, count_of(other)?])
}

/// Parses a number of bytes as formatted by [`super::bytes`].
fn count_of(text: &str) -> Option<u64> {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (value, unit) = text.split_once(' ')?;
    let power = UNITS.iter().position(|known| *known == unit)?;
    let value: f64 = value.parse().ok().filter(|value| *value >= 0.0)?;
    Some((value * 1024_f64.powi(i32::try_from(power).ok()?)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::fault::bytes;

    const EXITS: [ExitHow; 4] =
        [ExitHow::Code(0), ExitHow::Code(-1), ExitHow::Signal(6), ExitHow::Signal(99)];

    #[test]
    fn faults_are_read_back() {
        let text = || "a (b): c".to_owned();
        let memory = Fault::OutOfMemory { used: 3 << 29, limit: 1 << 29, after: None };
        let mut faults = vec![Fault::Panicked(text()), Fault::Lost(text()), Fault::Adapter(text()), memory];
        for how in EXITS {
            faults.extend([None, Some(text())].map(|message| Fault::Died { how, message, after: None }));
        }
        for fault in faults {
            assert_eq!(Fault::from_text(&fault.to_string()), fault, "{fault}");
        }
        assert_eq!(Fault::from_text("gone"), Fault::Lost("gone".to_owned()));
    }

    #[test]
    fn problems_are_read_back() {
        let text = || "the worker process: c".to_owned();
        let mut problems = vec![
            FileProblem::Unreadable(text()),
            FileProblem::Dialect(text()),
            FileProblem::Engine(text()),
            FileProblem::TimedOut,
            FileProblem::Reported,
            FileProblem::OutOfMemory { used: 1023, limit: 5 << 20 },
        ];
        problems.extend(EXITS.map(FileProblem::Died));
        for problem in problems {
            assert_eq!(FileProblem::from_text(&problem.to_string()), problem, "{problem}");
        }
    }

    #[test]
    fn numbers_of_bytes_are_shown_as_before() {
        for count in [0, 1, 1000, 1024, 123_456, 98_765_432, 1 << 40, u64::MAX] {
            let shown = bytes(count);
            assert_eq!(count_of(&shown).map(bytes), Some(shown));
        }
    }
}

//! Faults of the engine or the runner, and ends of processes.

use std::fmt;
use std::time::Duration;

/// A fault of the engine or the runner, which says nothing about the SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The engine panicked, which ends the file.
    #[error("the engine panicked: {0}")]
    Panicked(String),
    /// The connection to the engine was lost, which ends the file.
    #[error("the engine was lost: {0}")]
    Lost(String),
    /// The worker process exited during the record, which ends the file.
    #[error("the worker process {how}{}", said(.message))]
    Died {
        /// The end of the process.
        how: ExitHow,
        /// The last line of its standard error.
        message: Option<String>,
        /// The elapsed time of the running record.
        after: Option<Duration>,
    },
    /// The worker process exceeded its memory limit and was stopped.
    #[error("the worker process was stopped with {} in use, and {} allowed", bytes(*.used), bytes(*.limit))]
    OutOfMemory {
        /// The bytes in use.
        used: u64,
        /// The limit in bytes.
        limit: u64,
        /// The elapsed time of the running record.
        after: Option<Duration>,
    },
    /// The engine broke the contract of its trait.
    #[error("the engine's adapter is wrong: {0}")]
    Adapter(String),
}

/// Formats a number of bytes: `512 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut shown = "bytes";
    for unit in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        shown = unit;
    }
    let digits = usize::from(value < 10.0 && value.fract() > 0.0);
    format!("{value:.digits$} {shown}")
}

fn said(message: &Option<String>) -> String {
    message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default()
}

/// The unexpected end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitHow {
    /// It exited with this code.
    Code(i32),
    /// It was killed by this signal.
    Signal(i32),
}

impl fmt::Display for ExitHow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => match SIGNALS.iter().find(|(number, _)| *number == signal) {
                Some((_, name)) => write!(f, "was killed by {name}"),
                None => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}

/// Common fatal signals, with their numbers on Linux.
pub(super) const SIGNALS: [(i32, &str); 9] = [
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (15, "SIGTERM"),
    (24, "SIGXCPU"),
    (31, "SIGSYS"),
];

//! What became of one record.

use std::fmt;
use std::time::Duration;

use md5::{Digest as _, Md5};

use crate::engine::SqlError;
use crate::parser::{HashLine, ParseError};

/// What became of a record: exactly one of these.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// The expectation was met.
    Passed,
    /// The expectation was not met.
    Failed(Failure),
    /// A condition left the record out.
    Skipped(SkipReason),
    /// The engine's adapter has no way to execute it.
    Unsupported(String),
    /// The record took longer than it may.
    TimedOut {
        /// How long it had been running when it was stopped.
        after: Duration,
    },
    /// The text of the record is wrong. `executed` says whether its SQL ran all the same.
    Malformed {
        /// What is wrong.
        error: ParseError,
        /// Whether the SQL was executed.
        executed: bool,
    },
    /// The file ended before it.
    NotReached,
    /// Runner or engine broke while executing it.
    Faulted(Fault),
}

/// Why a record was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// A `skipif` or `onlyif`.
    Condition,
    /// The user has left it out.
    LeftOut,
}

/// A fault of the engine or the runner: no fact about the SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Fault {
    /// The engine panicked, which ends the file.
    #[error("the engine panicked: {0}")]
    Panicked(String),
    /// The connection to the engine was lost, which ends the file.
    #[error("the engine was lost: {0}")]
    Lost(String),
    /// The process that the engine runs in came to an end amid the record, which ends the file.
    #[error("the worker process {how}{}", said(.message))]
    Died {
        /// How it ended.
        how: ExitHow,
        /// The last that it wrote to its standard error.
        message: Option<String>,
        /// How long the record had been running, if one was.
        #[cfg_attr(feature = "serde", serde(default))]
        after: Option<Duration>,
    },
    /// The process that the engine runs in took more memory than it may, and was stopped.
    #[error("the worker process was stopped with {} in use, and {} allowed", bytes(*.used), bytes(*.limit))]
    OutOfMemory {
        /// The bytes that it had in memory.
        used: u64,
        /// The bytes that it may have.
        limit: u64,
        /// How long the record had been running, if one was.
        #[cfg_attr(feature = "serde", serde(default))]
        after: Option<Duration>,
    },
    /// The engine broke the contract of its trait.
    #[error("the engine's adapter is wrong: {0}")]
    Adapter(String),
}

/// A number of bytes as it is read best: `512 MiB`.
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

/// How a process ended that should not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ExitHow {
    /// By itself, with this code, before its work was done.
    Code(i32),
    /// By this signal.
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

/// The signals that processes usually die by, as Linux numbers them.
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

/// How an expectation was not met.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Failure {
    /// Other values, or another number of them, than the file lists.
    RowsDiffer {
        /// The expected values.
        expected: Excerpt,
        /// The values of the engine.
        actual: Excerpt,
        /// The values that make a row.
        columns: usize,
    },
    /// Another digest or another number of values than the file says.
    HashDiffers {
        /// The line of the file.
        expected: HashLine,
        /// The line that the engine's values make.
        actual: HashLine,
        /// The engine's values.
        rows: Excerpt,
        /// The values that make a row.
        columns: usize,
    },
    /// The values fit, but the file lists what the threshold hashes, or the reverse (`--exact` only).
    PresentationDiffers {
        /// What the reference runner would want to read.
        wanted: String,
    },
    /// Another number of columns than there are type letters.
    ColumnCountDiffers {
        /// The number of type letters.
        expected: usize,
        /// The number of columns; 0 for SQL that has no result.
        actual: usize,
    },
    /// Another result than an earlier query with the same label.
    LabelDiffers {
        /// The label.
        label: String,
        /// The line of the query that had the label first.
        first_line: u32,
        /// The digest of that query's values.
        first_digest: Digest,
        /// The digest of this query's values.
        digest: Digest,
        /// The values of this query.
        rows: Excerpt,
        /// The values that make a row.
        columns: usize,
    },
    /// An error where success, or a result, was expected.
    UnexpectedError(SqlError),
    /// An error after the engine began to return rows, which the SQLite runner takes for the end of the rows.
    ErrorAmidRows(SqlError),
    /// Success where an error was expected.
    UnexpectedSuccess,
}

/// The MD5 of a result's values, each followed by one LF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest of words; where one ends and the next begins makes a difference.
    pub fn of_words<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> Self {
        let mut digest = Md5::new();
        for word in words {
            digest.update((word.len() as u64).to_le_bytes());
            digest.update(word);
        }
        Self(digest.finalize().into())
    }

    /// Its first half.
    pub fn short(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Some of the values of a result, owned, for showing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Excerpt {
    /// How many values there are in front of the ones given.
    pub omitted_before: u64,
    /// Values in order.
    pub values: Vec<String>,
    /// How many values there are behind the ones given.
    pub omitted_after: u64,
}

impl Excerpt {
    /// How many values the whole result has.
    pub fn total(&self) -> u64 {
        self.omitted_before + self.values.len() as u64 + self.omitted_after
    }
}

/// The rows behind a hash, had from the reference engine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnhashedRows {
    /// Who gave them.
    pub engine: String,
    /// The rows, which hash to the expected digest.
    pub expected: Excerpt,
    /// The rows of the engine under test, from the same place on.
    pub actual: Excerpt,
}

/// The outcomes that keep a record from having passed, with what is known about them.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum NotPassed {
    /// The expectation was not met.
    Failed(Failure),
    /// The adapter does not execute it.
    Unsupported(String),
    /// It took too long.
    TimedOut {
        /// How long it had been running when it was stopped.
        after: Duration,
    },
    /// The text is wrong.
    Malformed(ParseError),
    /// Runner or engine broke.
    Faulted(Fault),
    /// Another tool says that it has not passed, and this; nothing else is known.
    Reported(String),
}

impl NotPassed {
    /// How long the record had been running when it was ended, where it did not end by itself.
    pub fn in_flight(&self) -> Option<Duration> {
        match self {
            Self::TimedOut { after } => Some(*after),
            Self::Faulted(Fault::Died { after, .. } | Fault::OutOfMemory { after, .. }) => *after,
            _ => None,
        }
    }

    /// The word for it in reports for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Failed(failure) => match failure {
                Failure::RowsDiffer { .. } => "rows_differ",
                Failure::HashDiffers { .. } => "hash_differs",
                Failure::PresentationDiffers { .. } => "presentation_differs",
                Failure::ColumnCountDiffers { .. } => "column_count_differs",
                Failure::LabelDiffers { .. } => "label_differs",
                Failure::UnexpectedError(_) | Failure::ErrorAmidRows(_) => "unexpected_error",
                Failure::UnexpectedSuccess => "unexpected_success",
            },
            Self::Unsupported(_) => "unsupported",
            Self::TimedOut { .. } => "timed_out",
            Self::Malformed(_) => "malformed",
            Self::Faulted(Fault::Panicked(_)) => "engine_panicked",
            Self::Faulted(Fault::Lost(_)) => "engine_lost",
            Self::Faulted(Fault::Died { .. }) => "process_died",
            Self::Faulted(Fault::OutOfMemory { .. }) => "out_of_memory",
            Self::Faulted(Fault::Adapter(_)) => "adapter_fault",
            Self::Reported(_) => "reported",
        }
    }
}

/// A record that has not passed, with everything needed to show and repeat it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FailureDetail {
    /// The line of the record's header; 0 where another tool has told of the file as a whole.
    pub line: u32,
    /// The header line as it stands in the file.
    pub header: String,
    /// The SQL.
    pub sql: String,
    /// What happened.
    pub what: NotPassed,
    /// For a hash that differs: the rows, where another engine could give the expected ones.
    pub unhashed: Option<UnhashedRows>,
}

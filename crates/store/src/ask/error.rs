//! Faults of VibeSQL, and reasons for a missing answer.

use std::io;
use std::time::Duration;

use super::compare::AnswerDifference;
use super::wire::EngineName;
use slt_core::outcome::ExitHow;

/// A fault of VibeSQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VibeSqlFault {
    /// Its answer differs from SQLite's.
    #[error("gives another answer: {0}")]
    Differs(AnswerDifference),
    /// It rejects the statement.
    #[error("fails: {0}")]
    Refuses(String),
    /// It panics.
    #[error("panics: {0}")]
    Panics(String),
    /// Its process dies.
    #[error("breaks: its process {0}")]
    Dies(ExitHow),
    /// It exceeds the time limit.
    #[error("takes longer than {} s", .0.as_secs())]
    TimesOut(Duration),
    /// It exceeds the memory limit.
    #[error("takes more than {} MiB of memory", .0 >> 20)]
    OutOfMemory(u64),
}

impl VibeSqlFault {
    /// Returns whether both are the same kind of fault, perhaps with another number of rows.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let has_other_columns =
            |fault: &Self| matches!(fault, Self::Differs(AnswerDifference::Columns { .. }));
        self.as_str() == other.as_str() && has_other_columns(self) == has_other_columns(other)
    }

    /// Returns its name.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Differs(AnswerDifference::Order) => "order",
            Self::Differs(_) => "answer",
            Self::Refuses(_) => "error",
            Self::Panics(_) => "panic",
            Self::Dies(_) => "crash",
            Self::TimesOut(_) => "timeout",
            Self::OutOfMemory(_) => "memory",
        }
    }
}

/// A reason for a missing answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The engine rejects the statement.
    #[error("{0}")]
    Sql(String),
    /// The engine is lost, or exceeds a limit.
    #[error("{} {kind}", match .engine { EngineName::VibeSql => "VibeSQL", EngineName::Sqlite => "SQLite" })]
    Engine {
        /// The engine.
        engine: EngineName,
        /// The kind of fault.
        kind: VibeSqlFault,
    },
    /// The results are unreadable.
    #[error("the results cannot be read: {0}")]
    Results(String),
    /// A child process could not be started.
    #[error("cannot start a process for the question")]
    Start(#[source] io::Error),
    /// The user interrupted the query.
    #[error("interrupted")]
    Interrupted,
}

impl AskError {
    /// Creates the error for the fault of an engine.
    pub(super) fn from_fault(engine: EngineName, kind: VibeSqlFault) -> Self {
        match kind {
            VibeSqlFault::Refuses(message) => Self::Sql(message),
            kind => Self::Engine { engine, kind },
        }
    }
}

//! Compares runs: pure functions over their reports and their history.
//!
//! [`compare`] compares one run with another, record by record. A report lists the records that have not passed and
//! only counts the others, so each statement about a record that only one side lists needs a reason; if there is none,
//! the class says so ([`MissingReason`]).

mod diff;
mod file;
pub mod flaky;
pub mod origin;
pub mod past;
mod records;
pub mod timing;

pub use diff::{ComparedRun, Gate, RunDiff, compare};
pub use file::{FileChange, FileDiff, FileState};
pub use records::{ChangeCounts, FailureInRun, MatchedBy, MissingReason, RecordChange, RecordDiff};

#[cfg(test)]
mod tests;

//! Compares runs: pure functions over their reports and their history.
//!
//! [`compare`] compares one run with another, record by record. A report lists the records that have not passed and
//! only counts the others. A record that only one report lists is therefore classified by what else is known of it, and
//! if that is not enough, its class has the reason ([`MissingReason`]).

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

//! What has changed between runs: pure functions over their reports and over their history.
//!
//! [`compare`] holds one run against another, record by record. A report lists the records that have not passed and only
//! counts the others, so each statement about a record that is on one side's list alone needs a reason; where there is
//! none, the class says so ([`Why`]).

mod diff;
mod file;
pub mod flaky;
pub mod origin;
pub mod past;
mod records;
pub mod timing;

pub use diff::{Gate, RunDiff, Side, compare};
pub use file::{FileChange, FileDiff, FileState, Standing};
pub use records::{Account, Failing, Identity, RecordChange, RecordDiff, Why};

#[cfg(test)]
mod tests;

//! Runs many files in worker processes and keeps a journal of their results.
//!
//! [`parallel`] finds files and runs them in worker processes; [`event`] defines the events of a run; [`results`] keeps
//! runs on disk; [`text`] formats outcomes for all outputs.

pub mod clock;
pub mod jsonl;

pub mod event;
pub mod text;

pub mod parallel;
pub mod results;

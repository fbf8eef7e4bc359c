//! Runs many files in worker processes and keeps a journal of their results.
//!
//! [`parallel`] finds files and runs them in worker processes; [`event`] defines the events of a run; [`results`] keeps
//! runs on disk; [`text`] formats outcomes for all outputs.

pub mod atomic_file;
pub mod clock;
pub mod jsonl;
mod wire;

pub mod event;
pub mod text;

pub mod parallel;
pub mod results;

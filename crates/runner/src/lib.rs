//! Runs many files in worker processes and keeps a journal of what became of each.
//!
//! [`parallel`] finds files and runs them in worker processes; [`event`] is what happens in a run; [`results`] keeps
//! runs on disk; [`text`] words outcomes for all audiences.

pub mod atomic_file;
pub mod clock;
pub mod jsonl;
mod wire;

pub mod event;
pub mod text;

pub mod parallel;
pub mod results;

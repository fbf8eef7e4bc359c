//! Many files over many processes.
//!
//! [`run`] is the orchestrator: it starts worker processes of the same program, which claim files from a queue
//! on disk, and turns what they say, and how they end, into one stream of events. An engine that hangs, crashes
//! or leaves takes down its worker and one file, and nothing else. [`join()`] helps with a run from another process.

mod berth;
mod crew;
mod error;
pub mod family;
mod filter;
mod helpers;
mod join;
mod ledger;
mod limits;
mod lost;
mod orchestrator;
mod pauses;
mod plan;
mod prepare;
mod process;
pub mod procfs;
pub mod queue;
pub mod schedule;
mod slot;
pub mod stdio;
mod wire;
mod worker;

pub use error::RunError;
pub use filter::{Filters, Pattern, PatternError, Shard, ShardError};
pub use join::join;
pub use ledger::Attempts;
pub use limits::{Limits, Timeouts};
pub use orchestrator::{Policy, run};
pub use plan::has_test_ending;
pub use plan::{Origin, PlanError, SkippedPath, WorkItem, discover, file_of_path};
pub use prepare::{Plan, Prepared, time_limit};
pub use process::{WorkerCommand, WorkerStderr};
pub use wire::{AssignmentError, WorkKind};
pub use worker::{WorkerError, work};

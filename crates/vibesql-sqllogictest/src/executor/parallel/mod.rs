//! Many files over many processes.
//!
//! [`run`] is the orchestrator: it starts worker processes of the same program, which claim files from a queue
//! on disk, and turns what they say, and how they end, into one stream of events. An engine that hangs, crashes
//! or leaves takes down its worker and one file, and nothing else.

mod filter;
mod lost;
mod orchestrator;
mod plan;
mod process;
mod queue;
pub mod schedule;
mod slot;
mod wire;
mod worker;

pub use filter::{Filters, Pattern, PatternError, Shard, ShardError};
pub use orchestrator::{Limits, RunError, run};
pub use plan::{Origin, PlanError, WorkItem, discover, file_of_path};
pub use process::WorkerCommand;
pub use wire::Settings;
pub use worker::{WorkerError, work};

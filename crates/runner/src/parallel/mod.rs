//! Runs many files over many processes.
//!
//! [`run`] is the orchestrator. It starts worker processes of the same program, which claim files from a queue on disk.
//! It turns their messages and exits into one stream of events. An engine that hangs, crashes or exits takes down its
//! worker and one file only. [`join()`] helps with a run from another process.

mod canonical;
mod checkout;
mod error;
pub mod family;
mod filter;
mod helpers;
mod host;
mod join;
mod limits;
mod lost;
mod orchestrator;
mod outbox;
mod pauses;
mod plan;
mod prepare;
mod process;
mod process_dir;
pub mod procfs;
pub mod queue;
pub mod schedule;
mod sharing;
mod slot;
mod stderr;
pub mod stdio;
mod step;
mod stepping;
mod suites;
mod task_tracker;
mod timed_host;
mod timeline;
mod update_folder;
mod wire;
mod worker;
mod worker_pool;

pub use canonical::CanonicalPaths;
pub use error::RunError;
pub use filter::{Filters, Pattern, PatternError, Shard, ShardError};
pub use host::SuiteHost;
pub use join::join;
pub use limits::{Timeouts, WorkerLimits};
pub use orchestrator::{RunPolicy, run};
pub use plan::has_test_ending;
pub use plan::{DiscoverError, FileSource, PathNote, WorkItem, discover, file_of_path};
pub use prepare::{PreparedRun, RunPlan, time_limit};
pub use process::{WorkerCommand, WorkerStderr};
pub use step::{PausePoint, SessionAnswer, StatementAnswer, StepOrder, StepVerdict};
pub use stepping::{StepControl, StepEnd, StepReply, SteppedFile};
pub use suites::{SuiteConfig, SuiteResolver, tell_apart};
pub use update_folder::{read_corrections, write_updated_text};
pub use wire::{AssignmentError, Attempts, WorkKind};
pub use worker::{WorkerError, work};

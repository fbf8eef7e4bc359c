//! Stored runs: a folder for each, with the journal as the source of truth.
mod circumstances;
pub mod combine;
mod digest;
pub mod folder;
mod folder_error;
mod history;
mod index;
mod journal;
pub mod journal_file;
mod last;
mod part;
mod run_ref;
pub mod sequence;
mod shards;
mod staging;
mod start;
mod starting;
pub mod steps;
mod summary;
mod time_worked;

pub mod backup;
pub mod import;
pub mod portable;
pub mod prune;

pub use circumstances::{CiRun, Circumstances, Commit, Imported};
pub use folder::{ResultsFolder, RunFolder};
pub use folder_error::FolderError;
pub use history::{History, PastResult};
pub use journal::{Journal, JournalWriter, Opened};
pub use last::LastRun;
pub use part::RunBeginning;
pub use run_ref::{KnownRun, RunRef, run_refs};
pub use shards::{CombinedShards, RunShard, ShardPart};
pub use starting::StartingRun;
pub use summary::{PastRun, RunState, RunSummary};

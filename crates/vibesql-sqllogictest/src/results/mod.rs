//! What is kept of runs: a folder for each, and in it the journal, which is the truth of the run.

#[cfg(feature = "store")]
pub mod ask;
mod folder;
mod history;
mod journal;
mod overview;
pub mod prune;
#[cfg(feature = "store")]
pub mod store;

pub use folder::{FolderError, ResultsFolder, RunFolder};
pub use history::{History, Past};
pub use journal::{CiRun, Circumstances, Commit, Journal, JournalWriter, Opened};
pub use overview::{RunOverview, RunState};

//! What is kept of runs: a folder for each, and in it the journal, which is the truth of the run.

mod folder;
mod history;
mod journal;

pub use folder::{FolderError, ResultsFolder, RunFolder};
pub use history::{History, Past};
pub use journal::{Journal, JournalWriter, Opened};

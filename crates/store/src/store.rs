//! The store of a results folder.

use super::disk::Disk;
use slt_runner::results::ResultsFolder;

/// The store of a results folder.
///
/// Runs are written to journals, and the store is derived from them. It holds a lock only while it changes its files,
/// for some milliseconds per run; reading needs no lock.
#[derive(Debug)]
pub struct Store {
    pub(super) results: ResultsFolder,
    pub(super) disk: Disk,
}

/// The result of an update of the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SealResult {
    /// The runs that were sealed.
    pub runs: Vec<String>,
    /// Failures, as sentences for the user.
    pub notes: Vec<String>,
}

/// Reports progress: runs done, and all runs.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

impl Store {
    /// Creates the store of a results folder; its files need not exist.
    pub fn new(results: &ResultsFolder) -> Self {
        Self::dying_at(results, None)
    }

    /// Creates a store whose process is killed at a step of its writing, for tests of recovery.
    #[doc(hidden)]
    pub fn dying_at(results: &ResultsFolder, step: Option<u64>) -> Self {
        let disk = Disk::new(results.path().join("store"), step);
        Self { results: results.clone(), disk }
    }
}

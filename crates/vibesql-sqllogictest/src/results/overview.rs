//! Runs in brief: what a list of runs tells of each.

use std::time::Duration;

use super::folder::{FolderError, ResultsFolder, is_running};
use super::journal::{Brief, Commit};
use super::journal_file::journal_path;
use crate::outcome::{RunEnd, RunHeader, Totals};

/// A run in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOverview {
    /// Its name.
    pub name: String,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// What was known before.
    pub header: RunHeader,
    /// The files that have their result.
    pub totals: Totals,
    /// How long it took, as far as it says.
    pub elapsed: Duration,
    /// Whether it goes on.
    pub state: RunState,
    /// The state of the project that it was made in, where that is known.
    pub commit: Option<Commit>,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It goes on.
    Going,
    /// It ended so.
    Ended(RunEnd),
    /// It ended without a word.
    Killed,
}

impl RunOverview {
    /// Reads what the journal of a run says in brief; nothing if there is no journal of this version.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Option<Self>, FolderError> {
        let path = results.path_of(name)?;
        // In this order: a run that ends between the two is then one that has ended.
        let going = is_running(&path);
        let journal = journal_path(&path);
        let read =
            Brief::read(&journal).map_err(|source| FolderError::Io { what: "read", path: journal, source });
        Ok(read?.map(|brief| Self::of(name, brief, going)))
    }

    fn of(name: &str, brief: Brief, going: bool) -> Self {
        let mut totals = Totals::default();
        brief.files.iter().for_each(|file| totals.add_parts(file.status(), file.counts, file.elapsed));
        let state = match brief.end {
            Some(end) => RunState::Ended(end),
            None if going => RunState::Going,
            None => RunState::Killed,
        };
        Self {
            name: name.to_owned(),
            started: brief.opened.started,
            header: brief.header,
            totals,
            elapsed: brief.elapsed,
            state,
            commit: brief.opened.circumstances.and_then(|circumstances| circumstances.commit),
        }
    }

    /// The branch of Git that it was made on, where that is known.
    pub fn branch(&self) -> Option<&str> {
        self.commit.as_ref()?.branch.as_deref()
    }

    /// Whether every file has its result.
    pub fn is_complete(&self) -> bool {
        self.totals.files == self.header.files as u64
    }
}

//! Runs in brief.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::circumstances::{Circumstances, Commit};
use super::folder::{FolderError, ResultsFolder, io_error, is_running, why_unreadable};
use super::journal::read_brief;
use super::journal_file::journal_path;
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, FileSummary, RunEnd, RunHeader, Totals, category_of};

/// A run in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its name.
    pub name: String,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// What was known before.
    pub header: RunHeader,
    /// Where and with what it was made, where that is known.
    pub circumstances: Option<Circumstances>,
    /// The files that have their result.
    pub totals: Totals,
    /// How long it took, as far as it says.
    pub elapsed: Duration,
    /// Whether it goes on.
    pub state: RunState,
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

/// A run of which each file is known in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRun {
    /// The run.
    pub run: RunSummary,
    /// Its files by the names that reports call them, and where they are.
    pub places: BTreeMap<FileId, PathBuf>,
    /// The files that have their result.
    pub files: Vec<FileSummary>,
}

impl RunSummary {
    /// Reads what the journal of a run says in brief.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        PastRun::read(results, name).map(|past| past.run)
    }

    /// The state of the project that it was made in, where that is known.
    pub fn commit(&self) -> Option<&Commit> {
        self.circumstances.as_ref()?.commit.as_ref()
    }

    /// The branch of Git that it was made on, where that is known.
    pub fn branch(&self) -> Option<&str> {
        self.commit()?.branch.as_deref()
    }

    /// Whether every file has its result.
    pub fn is_complete(&self) -> bool {
        self.totals.files == self.header.files as u64
    }
}

impl PastRun {
    /// Reads what the journal of a run says in brief, file by file.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        let path = results.path_of(name)?;
        // In this order: a run that ends between the two is then one that has ended.
        let going = is_running(&path);
        let journal = journal_path(&path);
        let read = read_brief(&journal).map_err(io_error("read", &journal))?;
        let mut past = read.ok_or_else(|| why_unreadable(journal))?;
        name.clone_into(&mut past.run.name);
        if going && past.run.state == RunState::Killed {
            past.run.state = RunState::Going;
        }
        Ok(past)
    }

    /// Sums its files up by category.
    pub fn by_category(&self) -> BTreeMap<&str, Totals> {
        let mut categories = BTreeMap::<&str, Totals>::new();
        for file in &self.files {
            categories.entry(category_of(file.file.path())).or_default().add_summary(file);
        }
        categories
    }

    /// How each file ended, without regard to attempts besides.
    pub fn statuses(&self) -> BTreeMap<&FileId, FileStatus> {
        self.files.iter().map(|file| (&file.file, file.last_status())).collect()
    }
}

//! Runs in brief: what a list of runs tells of each.

use std::collections::BTreeMap;
use std::time::Duration;

use super::circumstances::Commit;
use super::folder::{FolderError, ResultsFolder, io_error, is_running, why_unreadable};
use super::journal::Brief;
use super::journal_file::journal_path;
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, RunEnd, RunHeader, Totals, category_of};

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

/// A run of which each file is known in brief.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFiles {
    /// The run.
    pub run: RunOverview,
    /// Sums over its files, by category.
    pub categories: BTreeMap<String, Totals>,
    /// How each file ended, without regard to attempts besides.
    pub files: BTreeMap<FileId, FileStatus>,
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
    /// Reads what the journal of a run says in brief.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        let (brief, going) = read(results, name)?;
        Ok(Self::of(name, &brief, going))
    }

    fn of(name: &str, brief: &Brief, going: bool) -> Self {
        let mut totals = Totals::default();
        brief.files.iter().for_each(|file| {
            totals.add_parts([file.status(), file.last_status()], file.counts, file.elapsed);
        });
        let state = match brief.end {
            Some(end) => RunState::Ended(end),
            None if going => RunState::Going,
            None => RunState::Killed,
        };
        Self {
            name: name.to_owned(),
            started: brief.opened.started,
            header: brief.header.clone(),
            totals,
            elapsed: brief.elapsed,
            state,
            commit: brief
                .opened
                .circumstances
                .as_ref()
                .and_then(|circumstances| circumstances.commit.clone()),
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

impl RunFiles {
    /// Reads what the journal of a run says in brief, file by file.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        let (brief, going) = read(results, name)?;
        Ok(Self::of(name, &brief, going))
    }

    fn of(name: &str, brief: &Brief, going: bool) -> Self {
        let mut categories = BTreeMap::<String, Totals>::new();
        for file in &brief.files {
            let totals = categories.entry(category_of(file.file.path()).to_owned()).or_default();
            totals.add_parts([file.status(), file.last_status()], file.counts, file.elapsed);
        }
        let files = brief.files.iter().map(|file| (file.file.clone(), file.last_status())).collect();
        Self { run: RunOverview::of(name, brief, going), categories, files }
    }
}

/// Reads a run, and whether it goes on.
fn read(results: &ResultsFolder, name: &str) -> Result<(Brief, bool), FolderError> {
    let path = results.path_of(name)?;
    // In this order: a run that ends between the two is then one that has ended.
    let going = is_running(&path);
    let journal = journal_path(&path);
    let read = Brief::read(&journal).map_err(io_error("read", &journal))?;
    Ok((read.ok_or_else(|| why_unreadable(journal))?, going))
}

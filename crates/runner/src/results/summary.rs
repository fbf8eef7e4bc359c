//! Summaries of runs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::circumstances::{Circumstances, Commit};
use super::folder::{ResultsFolder, is_running, why_unreadable};
use super::folder_error::{FolderError, io_error};
use super::journal::Opened;
use super::journal_file::{journal_path, lines};
use super::time_worked::TimeWorked;
use crate::jsonl::entry_of;
use crate::wire::{FORMAT, FileSummaryForm, RunEndForm, RunHeaderForm};
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, FileSummary, RunEnd, RunHeader, Totals, category_of};

/// The summary of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its name.
    pub name: String,
    /// The start time, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// The properties of the run.
    pub header: RunHeader,
    /// The circumstances, if known.
    pub circumstances: Option<Circumstances>,
    /// The totals of the finished files.
    pub totals: Totals,
    /// The recorded duration.
    pub elapsed: Duration,
    /// The state of the run.
    pub state: RunState,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It is in progress.
    Going,
    /// It ended.
    Ended(RunEnd),
    /// It was killed.
    Killed,
}

/// A run with the summaries of its files.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRun {
    /// The run.
    pub run: RunSummary,
    /// The files with their paths.
    pub places: BTreeMap<FileId, PathBuf>,
    /// The summaries of the finished files.
    pub files: Vec<FileSummary>,
}

impl RunSummary {
    /// Reads the summary of a run from the index of its journal.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        results.overview_of(name).map(|(summary, _)| summary)
    }

    /// Returns the commit of the project, if known.
    pub fn commit(&self) -> Option<&Commit> {
        self.circumstances.as_ref()?.commit.as_ref()
    }

    /// Returns the Git branch, if known.
    pub fn branch(&self) -> Option<&str> {
        self.commit()?.branch.as_deref()
    }

    /// Returns whether every file has a result.
    pub fn is_complete(&self) -> bool {
        self.totals.files == self.header.files as u64
    }
}

impl PastRun {
    /// Reads the summaries of a run and its files from its journal.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn read(results: &ResultsFolder, name: &str) -> Result<Self, FolderError> {
        let path = results.path_of(name)?;
        // In this order: a run that ends between the two calls counts as ended.
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

    /// Returns the totals of each category.
    pub fn by_category(&self) -> BTreeMap<&str, Totals> {
        let mut categories = BTreeMap::<&str, Totals>::new();
        for file in &self.files {
            categories.entry(category_of(file.file.own_path())).or_default().add_summary(file);
        }
        categories
    }

    /// Returns the last status of each file, without other attempts.
    pub fn statuses(&self) -> BTreeMap<&FileId, FileStatus> {
        self.files.iter().map(|file| (&file.file, file.last_status())).collect()
    }
}

/// A journal entry without the details of files.
#[derive(Debug, Deserialize)]
enum JournalEntrySummary {
    Opened(Box<Opened>),
    RunStarted(#[serde(with = "RunHeaderForm")] RunHeader),
    Resumed {
        at: i64,
    },
    WorkerLost(IgnoredAny),
    AttemptEnded(IgnoredAny),
    FileFinished(#[serde(deserialize_with = "FileSummaryForm::read")] Box<FileSummary>),
    RunFinished {
        elapsed: Duration,
        #[serde(with = "RunEndForm")]
        end: RunEnd,
    },
}

/// Reads the summaries of a journal; `None` if its first entries are unreadable. A run without an end counts as killed.
pub(super) fn read_brief(path: &Path) -> io::Result<Option<PastRun>> {
    let (mut first, mut header, mut files) = (None::<Opened>, None, Vec::new());
    let (mut worked, mut state) = (TimeWorked::default(), RunState::Killed);
    let mut lines = lines(path)?;
    while let Some(line) = lines.next_line()? {
        let Some(entry) = entry_of::<JournalEntrySummary>(line) else { continue };
        match entry {
            JournalEntrySummary::Opened(opened) => {
                worked.session_begins(opened.started);
                first = first.or(Some(*opened));
            }
            // Once for each session.
            JournalEntrySummary::RunStarted(found) => (header, state) = (Some(found), RunState::Killed),
            JournalEntrySummary::Resumed { at } => worked.session_begins(at),
            JournalEntrySummary::FileFinished(file) => {
                worked.file_finishes(file.finished);
                files.push(*file);
            }
            JournalEntrySummary::RunFinished { elapsed, end } => {
                worked.session_ends(elapsed);
                state = RunState::Ended(end);
            }
            JournalEntrySummary::WorkerLost(_) | JournalEntrySummary::AttemptEnded(_) => {}
        }
    }
    let known = first.filter(|opened| opened.format == FORMAT).zip(header);
    Ok(known.map(|(opened, header)| {
        let Opened { run: name, started, circumstances, places, .. } = opened;
        let (elapsed, totals) = (worked.sum(), Totals::from_summaries(&files));
        let run = RunSummary { name, started, header, circumstances, totals, elapsed, state };
        PastRun { run, places, files }
    }))
}

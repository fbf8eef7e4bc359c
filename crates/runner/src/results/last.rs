//! The last run, which is the newest one that can be read.

use std::io;
use std::path::Path;

use super::folder::{ResultsFolder, why_unreadable};
use super::folder_error::{FolderError, io_error};
use super::journal::begins_session;
use super::journal_file::{is_sound, journal_path, lines};
use super::journal_index::IndexHead;
use super::start::check_start;
use super::summary::read_brief;

/// The last run.
#[derive(Debug)]
pub struct LastRun {
    /// Its name, if a run can be read.
    pub name: Option<String>,
    /// Later runs that cannot be read, each with the reason.
    pub unreadable: Vec<(String, FolderError)>,
}

impl ResultsFolder {
    /// Finds the last run.
    ///
    /// # Errors
    ///
    /// [`FolderError::Io`] when the folder cannot be listed.
    pub fn last_run(&self) -> Result<LastRun, FolderError> {
        let mut unreadable = Vec::new();
        for name in self.runs()?.into_iter().rev() {
            match check_readable(&self.runs_path().join(&name)) {
                Ok(()) => return Ok(LastRun { name: Some(name), unreadable }),
                // It was killed before it began.
                Err(FolderError::NoJournal(_)) => {}
                Err(error) => unreadable.push((name, error)),
            }
        }
        Ok(LastRun { name: None, unreadable })
    }

    /// Returns the name of the last run.
    ///
    /// # Errors
    ///
    /// [`FolderError::Nothing`] if there is none.
    pub fn last(&self) -> Result<String, FolderError> {
        self.last_run()?.name.ok_or_else(|| self.no_run())
    }

    /// Returns the error for a missing run.
    pub fn no_run(&self) -> FolderError {
        FolderError::Nothing { what: "run", results: self.path().to_owned() }
    }
}

/// Checks whether a run is readable. The whole journal is read only if its beginning is inconclusive.
fn check_readable(run: &Path) -> Result<(), FolderError> {
    // It was readable when its index was made, and has the same beginning.
    if IndexHead::load(run).is_some() {
        return Ok(());
    }
    let path = journal_path(run);
    let is_whole = check_start(&path).is_ok() && is_sound(&path);
    if is_whole && has_header(&path).unwrap_or(false) {
        return Ok(());
    }
    let brief = read_brief(&path).map_err(io_error("read", &path))?;
    brief.map(drop).ok_or_else(|| why_unreadable(path))
}

/// Returns whether the second whole line of a journal is its header.
fn has_header(path: &Path) -> io::Result<bool> {
    let mut lines = lines(path)?;
    lines.next_line()?;
    Ok(lines.next_line()?.is_some_and(begins_session))
}

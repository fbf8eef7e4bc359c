//! Reads how a run began.
//!
//! The first line of a journal has the paths of all files, which are not parsed.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::circumstances::Circumstances;
use super::folder::ResultsFolder;
use super::folder_error::FolderError;
use super::journal_file::{is_sound, journal_path, lines};
use super::journal_index::IndexHead;
use super::summary::RunSummary;
use crate::jsonl::entry_of;
use crate::wire::{FORMAT, RunHeaderForm};
use slt_core::outcome::RunHeader;

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunBeginning {
    /// The properties of the run.
    pub header: RunHeader,
    /// The circumstances, if known.
    pub circumstances: Option<Circumstances>,
}

impl ResultsFolder {
    /// Reads the beginning of a run from the index of its journal, or from the first lines; from the whole journal only
    /// if they are damaged.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn beginning_of(&self, name: &str) -> Result<RunBeginning, FolderError> {
        let run = self.path_of(name)?;
        let path = journal_path(&run);
        if IndexHead::load(&run).is_none()
            && is_sound(&path)
            && let Ok(Some(beginning)) = read_beginning(&path)
        {
            return Ok(beginning);
        }
        let RunSummary { header, circumstances, .. } = RunSummary::read(self, name)?;
        Ok(RunBeginning { header, circumstances })
    }
}

/// One of the first two entries of a journal.
#[derive(Debug, Deserialize)]
enum FirstEntry {
    Opened(OpenedPart),
    RunStarted(#[serde(with = "RunHeaderForm")] RunHeader),
}

#[derive(Debug, Deserialize)]
struct OpenedPart {
    format: u32,
    #[serde(default)]
    circumstances: Option<Box<Circumstances>>,
}

/// Returns the beginning of a run; `None` if the first two lines do not have it.
fn read_beginning(path: &Path) -> io::Result<Option<RunBeginning>> {
    let mut lines = lines(path)?;
    let Some(FirstEntry::Opened(OpenedPart { format: FORMAT, circumstances })) =
        lines.next_line()?.and_then(entry_of)
    else {
        return Ok(None);
    };
    let Some(FirstEntry::RunStarted(header)) = lines.next_line()?.and_then(entry_of) else {
        return Ok(None);
    };
    Ok(Some(RunBeginning { header, circumstances: circumstances.map(|circumstances| *circumstances) }))
}

//! Checks the beginning of a journal: whether it identifies its run.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::folder_error::{FolderError, io_error};
use super::journal_file::open;
use crate::jsonl::text_of;
use crate::wire::FORMAT;

/// Checks whether the first two lines of a journal are complete, and the first one is of this version.
pub(super) fn check_start(path: &Path) -> Result<(), FolderError> {
    /// The part of the first entry that all versions share.
    #[derive(Deserialize)]
    enum JournalVersion {
        Opened { format: u32, program: String },
    }
    let [first, second] = first_lines(path).map_err(io_error("read", path))?;
    if !first.ends_with(b"\n") {
        return Err(FolderError::NoJournal(path.to_owned()));
    }
    match text_of(&first).and_then(|text| serde_json::from_slice(text).ok()) {
        Some(JournalVersion::Opened { format: FORMAT, .. }) if second.ends_with(b"\n") => Ok(()),
        Some(JournalVersion::Opened { format: FORMAT, .. }) => Err(FolderError::NoJournal(path.to_owned())),
        Some(JournalVersion::Opened { format, program }) => {
            Err(FolderError::OtherVersion { path: path.to_owned(), format, program, known: FORMAT })
        }
        None => Err(FolderError::Corrupt(path.to_owned())),
    }
}

fn first_lines(path: &Path) -> io::Result<[Vec<u8>; 2]> {
    let mut lines = BufReader::new(open(path)?);
    let mut found = [Vec::new(), Vec::new()];
    for line in &mut found {
        lines.read_until(b'\n', line)?;
    }
    Ok(found)
}

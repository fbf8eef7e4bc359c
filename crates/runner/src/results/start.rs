//! Checks the beginning of a journal: whether it identifies its run.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::journal_file::open;
use crate::jsonl::text_of;
use crate::wire::FORMAT;

/// The kind of a journal, by its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JournalStart {
    /// It identifies its run.
    Whole,
    /// It ends before the header is complete.
    Missing,
    /// The first line is corrupt.
    Corrupt,
    /// Another version of this program has written it.
    OtherVersion { format: u32, program: String, known: u32 },
}

impl JournalStart {
    /// Reads the first lines of a journal.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        /// The part of the first entry that all versions share.
        #[derive(Deserialize)]
        enum JournalVersion {
            Opened { format: u32, program: String },
        }
        let mut lines = BufReader::new(open(path)?);
        let mut line = Vec::new();
        lines.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(Self::Missing);
        }
        let Some(text) = text_of(&line) else { return Ok(Self::Corrupt) };
        match serde_json::from_slice(text) {
            Ok(JournalVersion::Opened { format: FORMAT, .. }) => {}
            Ok(JournalVersion::Opened { format, program }) => {
                return Ok(Self::OtherVersion { format, program, known: FORMAT });
            }
            Err(_) => return Ok(Self::Corrupt),
        }
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        Ok(if line.ends_with(b"\n") { Self::Whole } else { Self::Missing })
    }
}

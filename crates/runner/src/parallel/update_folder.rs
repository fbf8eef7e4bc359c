//! What the executions for an update exchange besides messages, in the folder of the run: the text of the file, which may
//! differ from the one on disk, and what would make its failing records right.
//!
//! Corrections are whole results, a JSON line for each record. A worker that dies leaves those of earlier records, and
//! perhaps a part of a line.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::wire::{CorrectionForm, Lent, RecordIdForm, RemoteForm as _};
use slt_core::outcome::{Correction, RecordId};

const TEXT: &str = "updated.test";
const CORRECTIONS: &str = "corrections.jsonl";

#[derive(Serialize, Deserialize)]
struct CorrectionEntry<'c> {
    #[serde(with = "Lent::<RecordIdForm>")]
    id: Cow<'c, RecordId>,
    #[serde(with = "Lent::<CorrectionForm>")]
    correction: Cow<'c, Correction>,
}

/// Writes the text that is executed in place of the file's own.
///
/// # Errors
///
/// Returns the error of the file system.
pub fn write_updated_text(folder: &Path, text: &[u8]) -> io::Result<()> {
    std::fs::write(folder.join(TEXT), text)
}

/// Reads the text that is executed.
pub(super) fn read_updated_text(folder: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(folder.join(TEXT))
}

/// Returns what the worker has found.
///
/// # Errors
///
/// Returns the error of the file system.
pub fn read_corrections(folder: &Path) -> io::Result<Vec<(RecordId, Correction)>> {
    let text = match std::fs::read(folder.join(CORRECTIONS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let entries = text.split(|&byte| byte == b'\n').map_while(|line| {
        let entry: CorrectionEntry<'_> = serde_json::from_slice(line).ok()?;
        Some((entry.id.into_owned(), entry.correction.into_owned()))
    });
    Ok(entries.collect())
}

/// Writes corrections one by one.
pub(super) struct CorrectionWriter(File);

impl CorrectionWriter {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        File::create(folder.join(CORRECTIONS)).map(Self)
    }

    pub(super) fn write(&mut self, id: &RecordId, correction: &Correction) -> io::Result<()> {
        let entry = CorrectionEntry { id: Cow::Borrowed(id), correction: Cow::Borrowed(correction) };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }
}

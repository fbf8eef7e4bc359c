//! The index of a journal: the overview of the run, and of each file its status, and where its result is.
//!
//! It says what the journal says, so that a question about a run or about some of its files does not read the results
//! of all files. `journal.index` is beside `journal.jsonl`:
//!
//! ```text
//! {"crc32":…,"entry":{"version":1,"journal":LENGTH,…}}    the journal that it is of, and the overview of the run
//! N records of one width, sorted by the keys of files
//! ```
//!
//! The process that writes the journal writes the index when the run ends. If it is missing or damaged, or of a journal
//! with another length or another beginning, because the process was killed or the run was resumed, it is made from the
//! journal again. A run in progress and a compressed journal have none.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circumstances::Circumstances;
use super::file_key::FileKey;
use super::folder::{ResultsFolder, is_running, why_unreadable};
use super::folder_error::{FolderError, io_error};
use super::index_builder::IndexBuilder;
use super::journal::JournalEntry;
use super::journal_file::{journal_path, lines_up_to, plain_path};
use super::summary::{RunState, RunSummary};
use crate::atomic_file;
use crate::jsonl::{entry_of, line_of};
use crate::wire::{FORMAT, Maybe, RemoteForm as _, RunEndForm, RunOverviewForm};
use slt_core::outcome::{FileStatus, RunEnd, RunOverview};

const NAME: &str = "journal.index";
const VERSION: u32 = 1;
/// The width of a record: two keys, place and length of the line, microseconds, likeness, two statuses, and whether the
/// suite is known; then a checksum.
const FIELDS: usize = 16 + 16 + 8 + 8 + 8 + 8 + 1 + 1 + 1;
const WIDTH: usize = FIELDS + 4;
/// In a record, no duration.
const UNTIMED: u64 = u64::MAX;
/// In a record, no status.
const UNTESTED: u8 = u8::MAX;

/// The index of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalIndex {
    pub(super) head: IndexHead,
    /// The files of the run, sorted by their keys.
    pub(super) files: Vec<IndexedFile>,
}

/// The first line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct IndexHead {
    pub(super) version: u32,
    /// The version of the journal.
    pub(super) format: u32,
    /// The length of the journal.
    pub(super) journal: u64,
    /// The length and the checksum of its lines up to the header of the run.
    pub(super) beginning: (u64, u32),
    /// The number of records.
    pub(super) files: u64,
    pub(super) run: String,
    pub(super) started: i64,
    pub(super) circumstances: Option<Circumstances>,
    /// Whether another program made the run.
    pub(super) is_imported: bool,
    /// The end, if the last session has ended.
    #[serde(with = "Maybe::<RunEndForm>")]
    pub(super) ended: Option<RunEnd>,
    #[serde(with = "RunOverviewForm")]
    pub(super) overview: RunOverview,
}

/// What the index knows of a file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexedFile {
    pub(super) file: FileKey,
    pub(super) path: FileKey,
    /// Whether the suite of the file is known.
    pub(super) is_known: bool,
    /// The result; `None` if the file has none.
    pub(super) result: Option<IndexedResult>,
}

/// What the index knows of the result of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexedResult {
    /// The place of its line in the journal.
    pub(super) start: u64,
    /// The length of its line.
    pub(super) length: u64,
    /// The status over all attempts.
    pub(super) status: FileStatus,
    /// The status of the last attempt.
    pub(super) last: FileStatus,
    /// The duration; `None` if another program made the run without it.
    pub(super) elapsed: Option<Duration>,
    /// A digest of what comparisons look at, if all of the file passed; equal digests mean that nothing has changed.
    pub(super) likeness: Option<u64>,
}

impl ResultsFolder {
    /// Returns the index of the journal of a run.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn journal_index(&self, name: &str) -> Result<JournalIndex, FolderError> {
        let run = self.path_of(name)?;
        JournalIndex::of_run(&run).map(|index| index.named(name, &run))
    }
}

impl JournalIndex {
    /// Returns the index of the journal in this folder.
    pub(super) fn of_run(run: &Path) -> Result<Self, FolderError> {
        if let Some(index) = Self::load(run) {
            return Ok(index);
        }
        Self::rebuild(run)
    }

    /// Makes the index from the journal.
    pub(super) fn rebuild(run: &Path) -> Result<Self, FolderError> {
        // In this order: a journal that ends between the two calls is read to its end.
        let going = is_running(run);
        let path = journal_path(run);
        let index = Self::from_journal(&path).map_err(io_error("read", &path))?;
        let Some(mut index) = index else { return Err(why_unreadable(path)) };
        if !going && path == plain_path(run) && index.head.pin(&path).is_ok() {
            // Where it cannot be kept, the next command reads the journal again.
            let _ = index.save(run);
        }
        Ok(index)
    }

    /// Reads a whole journal; `None` if its first entries are unreadable.
    fn from_journal(path: &Path) -> io::Result<Option<Self>> {
        let mut builder = None;
        let mut lines = lines_up_to(path, u64::MAX)?;
        while let Some(line) = lines.next_line()? {
            let length = line.len() as u64;
            let Some(entry) = entry_of::<JournalEntry<'_>>(line) else { continue };
            let start = lines.position() - length;
            match (&mut builder, &entry) {
                (Some(builder), entry) => IndexBuilder::add(builder, entry, start, length),
                (None, JournalEntry::Opened(opened)) if opened.format == FORMAT => {
                    builder = Some(IndexBuilder::new(opened));
                }
                (None, _) => {}
            }
        }
        Ok(builder.and_then(|builder| builder.finish(lines.position())))
    }

    /// Reads the kept index; `None` if there is none for the journal as it is.
    fn load(run: &Path) -> Option<Self> {
        let (head, mut file) = open(run)?;
        let count = usize::try_from(head.files).ok()?;
        let mut files = Vec::with_capacity(count);
        let mut record = [0; WIDTH];
        for _ in 0..count {
            file.read_exact(&mut record).ok()?;
            files.push(IndexedFile::from_record(&record)?);
        }
        Some(Self { head, files })
    }

    /// Replaces the kept index.
    pub(super) fn save(&self, run: &Path) -> io::Result<()> {
        atomic_file::replace(&run.join(NAME), |out| {
            out.write_all(&line_of(&self.head)?)?;
            self.files.iter().try_for_each(|file| out.write_all(&file.to_record()))
        })
    }

    /// Names the run by its folder, and finds out whether it is in progress.
    fn named(mut self, name: &str, run: &Path) -> Self {
        self.head.name(name);
        self.head.is_going = self.head.ended.is_none() && is_running(run);
        self
    }
}

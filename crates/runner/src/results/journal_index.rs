//! The index of a journal: the overview of its run, and of each file the status and the place of the result.
//!
//! It says what the journal says, so that a question about a run, or about some of its files, does not read the results
//! of all files. `journal.index` is beside `journal.jsonl`:
//!
//! ```text
//! {"crc32":…,"entry":{"version":1,"journal":{…},…}}    the state of the journal, and the overview of the run
//! N records of one width, sorted by the keys of the files
//! ```
//!
//! The process that writes the journal writes the index when the run ends. If the index is missing or damaged, or the
//! journal has changed since, because the run was resumed or somebody has written into it, it is made from the journal
//! again. A run in progress has none, and a compressed journal has none.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZero;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circumstances::Circumstances;
use super::file_key::{FILE_KEY, FileKey};
use super::folder::{ResultsFolder, is_running, why_unreadable};
use super::folder_error::{FolderError, io_error};
use super::index_builder::read_journal;
use super::journal_file::{INDEX, journal_path, plain_path};
use super::summary::{RunState, RunSummary};
use crate::atomic_file;
use crate::jsonl::{entry_of, line_of};
use crate::wire::{FORMAT, Maybe, RemoteForm as _, RunEndForm, RunOverviewForm};
use slt_core::outcome::{FileStatus, RunEnd, RunOverview};

const VERSION: u32 = 1;
/// The width of a record without its checksum: two keys, four numbers, two statuses, and whether the suite is known.
const FIELDS: usize = 2 * FILE_KEY + 4 * 8 + 3;
/// The width of a record.
const WIDTH: usize = FIELDS + 4;
/// In a record, the status of a file without a result.
const UNTESTED: u8 = u8::MAX;

/// The index of a journal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JournalIndex {
    pub(super) head: IndexHead,
    /// The files of the run with their keys, sorted.
    pub(super) files: Vec<(FileKey, IndexedFile)>,
}

/// The first line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct IndexHead {
    version: u32,
    /// The version of the journal.
    format: u32,
    journal: JournalState,
    /// The number of records.
    records: usize,
    pub(super) run: RunFacts,
    /// The end, if the last session has ended.
    #[serde(with = "Maybe::<RunEndForm>")]
    pub(super) ended: Option<RunEnd>,
    #[serde(with = "RunOverviewForm")]
    pub(super) overview: RunOverview,
}

/// What changes whenever somebody writes into a journal, or puts another one in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JournalState {
    length: u64,
    inode: u64,
    /// The time of the last change, which no program can set, in seconds and nanoseconds.
    changed: (i64, i64),
}

/// What the first entry of a journal says of its run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunFacts {
    pub(super) started: i64,
    pub(super) circumstances: Option<Circumstances>,
    /// Whether another program made the run.
    pub(super) is_imported: bool,
}

/// A file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexedFile {
    /// The key of its path in reports.
    pub(super) path: FileKey,
    /// Whether its suite is known.
    pub(super) is_known: bool,
    /// Its result, if it has one.
    pub(super) result: Option<IndexedResult>,
}

/// The result of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexedResult {
    pub(super) line: LinePlace,
    /// The status over all attempts.
    pub(super) status: FileStatus,
    /// The status of the last attempt.
    pub(super) last: FileStatus,
    /// The duration in microseconds, if it is known.
    pub(super) elapsed: Option<NonZero<u64>>,
    /// A digest of what a comparison looks at, if all of the file passed: with equal digests, nothing has changed.
    pub(super) likeness: Option<NonZero<u64>>,
}

/// The place of a line in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinePlace {
    pub(super) start: u64,
    pub(super) length: u64,
}

impl ResultsFolder {
    /// Reads the overview of a run from the index of its journal.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when there is no such run, or its journal cannot be read.
    pub fn overview_of(&self, name: &str) -> Result<(RunSummary, RunOverview), FolderError> {
        let run = self.path_of(name)?;
        // In this order: a run that ends between the two calls counts as ended.
        let going = is_running(&run);
        let head =
            IndexHead::load(&run).map_or_else(|| JournalIndex::rebuild(&run).map(|index| index.head), Ok)?;
        let overview = head.overview.clone();
        Ok((head.into_summary(name, going), overview))
    }
}

impl JournalIndex {
    pub(super) fn new(head: IndexHead, files: Vec<(FileKey, IndexedFile)>) -> Self {
        Self { head, files }
    }

    /// Returns the overview of the run.
    pub(super) fn overview(&self) -> &RunOverview {
        &self.head.overview
    }

    /// Returns the index of the journal in this folder.
    pub(super) fn of_run(run: &Path) -> Result<Self, FolderError> {
        Self::load(run).map_or_else(|| Self::rebuild(run), Ok)
    }

    /// Makes the index from the journal.
    pub(super) fn rebuild(run: &Path) -> Result<Self, FolderError> {
        // In this order: the journal of a run that ends between the two calls is read to its end.
        let going = is_running(run);
        let path = journal_path(run);
        let index = read_journal(&path).map_err(io_error("read", &path))?;
        let Some(index) = index else { return Err(why_unreadable(path)) };
        if !going && path == plain_path(run) {
            // Where it cannot be kept, the next command reads the journal again.
            let _ = index.save(run);
        }
        Ok(index)
    }

    /// Reads the kept index; `None` if there is none of the journal as it is.
    fn load(run: &Path) -> Option<Self> {
        let (head, mut records) = open(run)?;
        let mut files = Vec::with_capacity(head.records);
        let mut record = [0; WIDTH];
        for _ in 0..head.records {
            records.read_exact(&mut record).ok()?;
            files.push(from_record(&record)?);
        }
        Some(Self { head, files })
    }

    /// Keeps the index. It need not reach the disk, because a damaged one is made again.
    pub(super) fn save(&self, run: &Path) -> io::Result<()> {
        atomic_file::replace(&run.join(INDEX), |out| {
            out.write_all(&line_of(&self.head)?)?;
            self.files.iter().try_for_each(|(key, file)| out.write_all(&to_record(key, file)))
        })
    }
}

impl IndexHead {
    pub(super) fn new(
        journal: JournalState,
        records: usize,
        run: RunFacts,
        ended: Option<RunEnd>,
        overview: RunOverview,
    ) -> Self {
        Self { version: VERSION, format: FORMAT, journal, records, run, ended, overview }
    }

    /// Reads the head of the kept index; `None` if there is none of the journal as it is.
    pub(super) fn load(run: &Path) -> Option<Self> {
        open(run).map(|(head, _)| head)
    }

    pub(super) fn into_summary(self, name: &str, going: bool) -> RunSummary {
        let Self { run: RunFacts { started, circumstances, .. }, ended, overview, .. } = self;
        let state = match ended {
            Some(end) => RunState::Ended(end),
            None if going => RunState::Going,
            None => RunState::Killed,
        };
        RunSummary {
            name: name.to_owned(),
            started,
            totals: overview.totals(),
            elapsed: overview.elapsed,
            header: overview.header,
            circumstances,
            state,
        }
    }
}

impl JournalState {
    /// Returns the state of a journal.
    pub(super) fn of(journal: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(journal)?;
        Ok(Self { length: file.len(), inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()) })
    }

    pub(super) fn length(self) -> u64 {
        self.length
    }
}

impl IndexedResult {
    pub(super) fn new(
        line: LinePlace,
        [status, last]: [FileStatus; 2],
        elapsed: Duration,
        likeness: Option<NonZero<u64>>,
    ) -> Self {
        let elapsed = NonZero::new(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        Self { line, status, last, elapsed, likeness }
    }
}

/// Opens the kept index of a journal, behind its head; `None` if there is none of the journal as it is.
fn open(run: &Path) -> Option<(IndexHead, BufReader<File>)> {
    let journal = JournalState::of(&plain_path(run)).ok()?;
    let mut index = BufReader::with_capacity(64 << 10, File::open(run.join(INDEX)).ok()?);
    let mut line = Vec::new();
    index.read_until(b'\n', &mut line).ok()?;
    let head: IndexHead = entry_of(&line)?;
    if (head.version, head.format, head.journal) != (VERSION, FORMAT, journal) {
        return None;
    }
    let records = index.get_ref().metadata().ok()?.len().checked_sub(line.len() as u64)?;
    (records == (head.records as u64).checked_mul(WIDTH as u64)?).then_some((head, index))
}

fn to_record(key: &FileKey, file: &IndexedFile) -> [u8; WIDTH] {
    let number = |number: Option<NonZero<u64>>| number.map_or(0, NonZero::get).to_le_bytes();
    let result = file.result;
    let line = result.map_or(LinePlace { start: 0, length: 0 }, |result| result.line);
    let [status, last] = match result {
        Some(result) => [result.status, result.last].map(byte_of),
        None => [UNTESTED; 2],
    };
    let mut record = [0; WIDTH];
    let mut rest = &mut record[..];
    for field in [
        &key[..],
        &file.path,
        &line.start.to_le_bytes(),
        &line.length.to_le_bytes(),
        &number(result.and_then(|result| result.elapsed)),
        &number(result.and_then(|result| result.likeness)),
        &[status, last, u8::from(file.is_known)],
    ] {
        let (own, others) = rest.split_at_mut(field.len());
        own.copy_from_slice(field);
        rest = others;
    }
    let sum = crc32fast::hash(&record[..FIELDS]);
    record[FIELDS..].copy_from_slice(&sum.to_le_bytes());
    record
}

/// Reads what [`to_record`] writes; `None` if it is damaged.
fn from_record(record: &[u8; WIDTH]) -> Option<(FileKey, IndexedFile)> {
    let (fields, sum) = record.split_at(FIELDS);
    if sum != crc32fast::hash(fields).to_le_bytes() {
        return None;
    }
    let (key, rest) = fields.split_first_chunk()?;
    let (path, rest) = rest.split_first_chunk()?;
    let (numbers, rest) = rest.split_at_checked(4 * 8)?;
    let (numbers, _) = numbers.as_chunks();
    let &[start, length, elapsed, likeness] = numbers else { return None };
    let [start, length, elapsed, likeness] = [start, length, elapsed, likeness].map(u64::from_le_bytes);
    let &[status, last, is_known] = rest else { return None };
    let result = match status {
        UNTESTED => None,
        _ => Some(IndexedResult {
            line: LinePlace { start, length },
            status: status_of(status)?,
            last: status_of(last)?,
            elapsed: NonZero::new(elapsed),
            likeness: NonZero::new(likeness),
        }),
    };
    Some((*key, IndexedFile { path: *path, is_known: is_known != 0, result }))
}

/// Returns the byte that stands for a status in an index.
pub(super) fn byte_of(status: FileStatus) -> u8 {
    let place = FileStatus::ALL.iter().position(|&one| one == status);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(UNTESTED)
}

/// Returns the status that [`byte_of`] writes so.
pub(super) fn status_of(byte: u8) -> Option<FileStatus> {
    FileStatus::ALL.get(usize::from(byte)).copied()
}

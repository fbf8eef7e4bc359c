//! The index of last outcomes: how each file ended last on each engine and how long it took, whichever run that was.
//!
//! It is made of the journals, and says the same as all of them together, but a question about a few files costs the
//! same however many runs and files there are. One file, `outcomes.index` beside the runs:
//!
//! ```text
//! {"crc32":…,"entry":{"version":4,"records":N,"runs":{NAME:LENGTH,…}}}    which runs are in it, with the lengths of their journals
//! N records of one width, sorted by their keys
//! {"crc32":…,"entry":{"records":N,"runs":{NAME:LENGTH}}}    what has come since: such a line for each run
//! N records of one width, in any order
//! ```
//!
//! A key is a digest of an engine and the identity of a file, or of an engine and the path of a file in reports, for
//! copies of a suite without a name. Of two records with one key, that of the later run is used. New records are
//! appended in one piece. When the file has become long, it is recreated and replaces the old one. Checksums detect
//! damage, and then the index is made from the indexes of the journals again (see `results::journal_index`). Runs that
//! are missing, because their process was killed or because they were imported, are added when the index is read.
//!
//! Where `prune` has removed a run, what the run said of files still holds, and its length is null here. Where a run
//! has gone in another way, the index is made again without it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::num::NonZero;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::file_key::{FILE_KEY, FileKey, combined, key_of_engine};
use super::folder::{HeldLock, ResultsFolder, is_running, lock_with_patience};
use super::folder_error::{FolderError, io_error};
use super::journal_file::plain_path;
use super::journal_index::{JournalIndex, byte_of, status_of};
use super::sequence::number_of;
use crate::atomic_file;
use crate::jsonl::{entry_of, line_of};
use slt_core::outcome::{FileStatus, FlakyResult};

const VERSION: u32 = 4;
/// The width of a record without its checksum: key, microseconds, number of the run, status.
const FIELDS: usize = FILE_KEY + 8 + 8 + 1;
/// The width of a record.
const WIDTH: usize = FIELDS + 4;
/// When this many bytes have been appended, the file is rewritten.
const MOST_APPENDED: u64 = 256 << 10;
/// Above this number of keys, all records are read at once.
const FEW: usize = 64;
/// The time to wait for a lock held by another process. Without the lock, missing runs are read, but not written to the
/// index.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last outcome of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexRecord {
    pub(super) status: FileStatus,
    /// The duration in microseconds; `None` if another program made the run without it.
    elapsed: Option<NonZero<u64>>,
    /// The number of the run.
    run: i64,
}

impl IndexRecord {
    /// Returns the duration, if it is known.
    pub(super) fn elapsed(&self) -> Option<Duration> {
        self.elapsed.map(|elapsed| Duration::from_micros(elapsed.get()))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct IndexHeader {
    version: u32,
    records: u64,
    runs: IndexedRuns,
}

/// The runs that are in the index, with the lengths of their journals; `None` for one that was pruned.
type IndexedRuns = BTreeMap<String, Option<u64>>;

/// The line before records that were added.
#[derive(Debug, Serialize, Deserialize)]
struct AdditionHeader {
    records: usize,
    runs: IndexedRuns,
}

/// What a run says of its files.
#[derive(Debug)]
struct IndexAddition {
    runs: IndexedRuns,
    records: Vec<(FileKey, IndexRecord)>,
}

/// A reason why an index is unusable.
#[derive(Debug)]
enum UnusableIndex {
    /// It is not there, of another version, or not as it was written.
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for UnusableIndex {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Io(error),
        }
    }
}

/// The index, as far as it has been read.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    runs: IndexedRuns,
    /// The sorted records; `None` for an index that is being rebuilt.
    sorted: Option<SortedRecords>,
    /// Later additions.
    later: HashMap<FileKey, IndexRecord>,
    /// How long the file is as far as its lines are whole.
    length: u64,
}

#[derive(Debug)]
struct SortedRecords {
    file: File,
    start: u64,
    count: u64,
}

impl ResultsFolder {
    /// Marks these runs as about to be removed; the last outcomes of their files stay.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when the index of last outcomes cannot be written.
    pub fn keep_outcomes_of(&self, names: &[String]) -> Result<(), FolderError> {
        if names.is_empty() {
            return Ok(());
        }
        let mut index = Index::read(self)?;
        let _lock = lock(&index.path)?;
        let runs = names.iter().map(|name| (name.clone(), None)).collect();
        index.add(IndexAddition { runs, records: Vec::new() });
        index.write_anew().map_err(|error| index.failed(error))
    }
}

impl Index {
    /// Reads the index and adds the runs that are not in it.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when neither the index nor the runs can be read.
    pub(super) fn read(results: &ResultsFolder) -> Result<Self, FolderError> {
        let path = results.path().join("outcomes.index");
        if let Ok(index) = Self::load(&path)
            && index.is_current(results)?
        {
            return Ok(index);
        }
        Self::update(results, &path, None)
    }

    /// Returns the last outcomes with these keys, in their order.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when neither the index nor the runs can be read.
    pub(super) fn find(
        results: &ResultsFolder,
        keys: &[FileKey],
    ) -> Result<Vec<Option<IndexRecord>>, FolderError> {
        let index = Self::read(results)?;
        match index.records(keys) {
            Ok(found) => Ok(found),
            Err(_) => {
                // Damage is detected only by callers that ask for the damaged records.
                let made = Self::update(results, &index.path, Some(&index))?;
                made.records(keys).map_err(|error| made.failed(error))
            }
        }
    }

    fn failed(&self, error: UnusableIndex) -> FolderError {
        let error = match error {
            UnusableIndex::Damaged => io::ErrorKind::InvalidData.into(),
            UnusableIndex::Io(error) => error,
        };
        io_error("use the index", &self.path)(error)
    }

    fn load(path: &Path) -> Result<Self, UnusableIndex> {
        let file = File::open(path)?;
        let whole = file.metadata()?.len();
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        let start = lines.read_until(b'\n', &mut line)? as u64;
        let header: IndexHeader = entry_of(&line).ok_or(UnusableIndex::Damaged)?;
        if header.version != VERSION {
            return Err(UnusableIndex::Damaged);
        }
        let sorted = header.records.checked_mul(WIDTH as u64).ok_or(UnusableIndex::Damaged)?;
        if whole < start + sorted {
            return Err(UnusableIndex::Damaged);
        }
        let mut index = Self {
            path: path.to_owned(),
            runs: header.runs,
            sorted: None,
            later: HashMap::new(),
            length: start + sorted,
        };
        lines.seek(SeekFrom::Start(index.length))?;
        loop {
            line.clear();
            let mut length = lines.read_until(b'\n', &mut line)?;
            // An addition that was not written to its end is not in the index.
            if !line.ends_with(b"\n") {
                break;
            }
            let header: AdditionHeader = entry_of(&line).ok_or(UnusableIndex::Damaged)?;
            let size = header.records.checked_mul(WIDTH).ok_or(UnusableIndex::Damaged)?;
            line.clear();
            length += lines.by_ref().take(size as u64).read_to_end(&mut line)?;
            if line.len() < size {
                break;
            }
            let (records, _) = line.as_chunks();
            let records = records.iter().map(from_record).collect::<Option<_>>();
            index.add(IndexAddition { runs: header.runs, records: records.ok_or(UnusableIndex::Damaged)? });
            index.length += length as u64;
        }
        drop(lines);
        index.sorted = Some(SortedRecords { file, start, count: header.records });
        Ok(index)
    }

    fn add(&mut self, addition: IndexAddition) {
        for (key, record) in addition.records {
            keep_later(&mut self.later, key, record);
        }
        self.runs.extend(addition.runs);
    }

    fn is_current(&self, results: &ResultsFolder) -> Result<bool, FolderError> {
        let names = results.runs()?;
        Ok(self.missing(results, &names).is_empty() && !self.has_lost_a_run(&names))
    }

    /// Returns the runs whose journals are new or changed. Running ones are added by their own process.
    fn missing(&self, results: &ResultsFolder, names: &[String]) -> Vec<(String, u64)> {
        let missing = names.iter().filter_map(|name| {
            let run = results.runs_path().join(name);
            let known = self.runs.get(name).copied();
            let length = match std::fs::metadata(plain_path(&run)) {
                Ok(journal) => journal.len(),
                // It is compressed, which only journals are that do not change any more.
                Err(_) => known.flatten().unwrap_or(0),
            };
            let is_known = known.is_some_and(|known| known.is_none_or(|known| known == length));
            (!is_known && !is_running(&run)).then(|| (name.clone(), length))
        });
        missing.collect()
    }

    /// Returns whether a run is missing that was not pruned.
    fn has_lost_a_run(&self, names: &[String]) -> bool {
        let there: HashSet<&String> = names.iter().collect();
        self.runs.iter().any(|(name, length)| length.is_some() && !there.contains(name))
    }

    /// Adds new runs, and rebuilds an unusable index.
    fn update(results: &ResultsFolder, path: &Path, damaged: Option<&Self>) -> Result<Self, FolderError> {
        let names = results.runs()?;
        // Without runs there is nothing to index.
        if names.is_empty() && !path.exists() {
            return Ok(Self::empty(path));
        }
        let lock = lock(path);
        let mut index = match (damaged, Self::load(path)) {
            (Some(damaged), _) => Self::of_pruned(damaged),
            (None, Ok(index)) if index.has_lost_a_run(&names) => Self::of_pruned(&index),
            (None, Ok(index)) => index,
            (None, Err(_)) => Self::empty(path),
        };
        let mut lines = Vec::new();
        for (name, length) in index.missing(results, &names) {
            let addition = addition(results, &name, length);
            let header = AdditionHeader { records: addition.records.len(), runs: addition.runs.clone() };
            lines.extend(line_of(&header).map_err(|error| io_error("write", path)(error.into()))?);
            lines.extend(addition.records.iter().flat_map(|(key, record)| to_record(key, record)));
            index.add(addition);
        }
        // Where it cannot be kept, the next run reads the same journals again.
        if lock.is_ok() {
            let _ = index.keep(&lines);
        }
        Ok(index)
    }

    fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            runs: IndexedRuns::new(),
            sorted: None,
            later: HashMap::new(),
            length: 0,
        }
    }

    /// What is known from pruned runs alone, as far as it can be read.
    fn of_pruned(index: &Self) -> Self {
        let pruned = index.runs.iter().filter(|(_, length)| length.is_none());
        let numbers: Vec<_> = pruned.clone().filter_map(|(name, _)| number_of(name)).collect();
        let mut made = Self::empty(&index.path);
        made.runs = pruned.map(|(name, length)| (name.clone(), *length)).collect();
        let sorted = index.sorted.iter().flat_map(|sorted| sorted.all().unwrap_or_default());
        let all = sorted.chain(index.later.iter().map(|(key, record)| (*key, *record)));
        for (key, record) in all.filter(|(_, record)| numbers.contains(&record.run)) {
            keep_later(&mut made.later, key, record);
        }
        made
    }

    /// Brings what was added to the disk: in one piece at the end of the file, or as a new file.
    fn keep(&mut self, lines: &[u8]) -> Result<(), UnusableIndex> {
        let Some(sorted) = &self.sorted else { return self.write_anew() };
        let appended = self.length - sorted.start - sorted.count * WIDTH as u64 + lines.len() as u64;
        if appended > MOST_APPENDED {
            return self.write_anew();
        }
        let file = File::options().write(true).open(&self.path)?;
        // What was not written to its end is written over.
        file.set_len(self.length)?;
        // When it reaches the disk does not matter: what a power failure takes away is missed, and read again.
        file.write_all_at(lines, self.length)?;
        self.length += lines.len() as u64;
        Ok(())
    }

    fn write_anew(&self) -> Result<(), UnusableIndex> {
        let mut records = self.sorted.as_ref().map_or_else(|| Ok(Vec::new()), SortedRecords::all)?;
        records.extend(self.later.iter().map(|(key, record)| (*key, *record)));
        // Stable, so the kept record of a key stays before the later one.
        records.sort_by_key(|(key, _)| *key);
        records.dedup_by(|(key, record), (kept_key, kept)| {
            let is_same = key == kept_key;
            if is_same {
                *kept = later_of(*kept, *record);
            }
            is_same
        });
        let header = IndexHeader { version: VERSION, records: records.len() as u64, runs: self.runs.clone() };
        atomic_file::replace(&self.path, |out| {
            out.write_all(&line_of(&header)?)?;
            records.iter().try_for_each(|(key, record)| out.write_all(&to_record(key, record)))
        })?;
        Ok(())
    }

    fn records(&self, keys: &[FileKey]) -> Result<Vec<Option<IndexRecord>>, UnusableIndex> {
        let records = match &self.sorted {
            Some(sorted) if keys.len() > FEW => Some(sorted.all()?),
            _ => None,
        };
        let find = |key: &FileKey| {
            let kept = match (&records, &self.sorted) {
                (Some(records), _) => {
                    records.binary_search_by_key(key, |(key, _)| *key).ok().map(|place| records[place].1)
                }
                (None, Some(sorted)) => sorted.search(key)?,
                (None, None) => None,
            };
            let later = self.later.get(key).copied();
            Ok(match (kept, later) {
                (Some(kept), Some(later)) => Some(later_of(kept, later)),
                (kept, later) => kept.or(later),
            })
        };
        keys.iter().map(find).collect()
    }
}

impl SortedRecords {
    /// Reads all records.
    fn all(&self) -> Result<Vec<(FileKey, IndexRecord)>, UnusableIndex> {
        let mut file = BufReader::with_capacity(64 << 10, &self.file);
        file.seek(SeekFrom::Start(self.start))?;
        let mut record = [0; WIDTH];
        let mut read = || {
            file.read_exact(&mut record)?;
            from_record(&record).ok_or(UnusableIndex::Damaged)
        };
        (0..self.count).map(|_| read()).collect()
    }

    /// Reads only the records on the way to a key.
    fn search(&self, key: &FileKey) -> Result<Option<IndexRecord>, UnusableIndex> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            let mut bytes = [0; WIDTH];
            self.file.read_exact_at(&mut bytes, self.start + middle * WIDTH as u64)?;
            let (found, record) = from_record(&bytes).ok_or(UnusableIndex::Damaged)?;
            match found.cmp(key) {
                std::cmp::Ordering::Equal => return Ok(Some(record)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}

fn later_of(one: IndexRecord, other: IndexRecord) -> IndexRecord {
    if other.run >= one.run { other } else { one }
}

fn keep_later(records: &mut HashMap<FileKey, IndexRecord>, key: FileKey, record: IndexRecord) {
    let known = records.entry(key).or_insert(record);
    *known = later_of(*known, record);
}

/// What a run says of its files. One that cannot be read says nothing.
fn addition(results: &ResultsFolder, name: &str, length: u64) -> IndexAddition {
    let mut addition = IndexAddition { runs: [(name.to_owned(), Some(length))].into(), records: Vec::new() };
    let journal = JournalIndex::of_run(&results.run_path(name));
    let (Some(run), Ok(journal)) = (number_of(name), journal) else { return addition };
    let header = &journal.overview().header;
    let engine = key_of_engine(&header.engine.qualified_name());
    for (key, file) in &journal.files {
        let Some(result) = file.result else { continue };
        let status = match header.flaky {
            FlakyResult::Pass => result.last,
            FlakyResult::Fail => result.status,
        };
        let record = IndexRecord { status, elapsed: result.elapsed, run };
        addition.records.push((combined(engine, *key), record));
        addition.records.push((combined(engine, file.path), record));
    }
    addition
}

fn to_record(key: &FileKey, record: &IndexRecord) -> [u8; WIDTH] {
    let elapsed = record.elapsed.map_or(0, NonZero::get).to_le_bytes();
    let (run, status) = (record.run.to_le_bytes(), [byte_of(record.status)]);
    let mut bytes = [0; WIDTH];
    let fields = key.iter().chain(&elapsed).chain(&run).chain(&status).copied();
    bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = field);
    let sum = crc32fast::hash(&bytes[..FIELDS]);
    bytes[FIELDS..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Reads what [`to_record`] writes; `None` if it is damaged.
fn from_record(bytes: &[u8; WIDTH]) -> Option<(FileKey, IndexRecord)> {
    let (fields, sum) = bytes.split_at(FIELDS);
    if sum != crc32fast::hash(fields).to_le_bytes() {
        return None;
    }
    let (key, rest) = fields.split_first_chunk()?;
    let (elapsed, rest) = rest.split_first_chunk()?;
    let (run, status) = rest.split_first_chunk()?;
    let elapsed = NonZero::new(u64::from_le_bytes(*elapsed));
    Some((*key, IndexRecord { status: status_of(*status.first()?)?, elapsed, run: i64::from_le_bytes(*run) }))
}

fn lock(index: &Path) -> Result<HeldLock, FolderError> {
    let path = index.with_extension("lock");
    let file = File::create(&path).map_err(io_error("make", &path))?;
    match lock_with_patience(&file, PATIENCE) {
        Ok(()) => Ok(HeldLock(file)),
        Err(error) => Err(io_error("lock", &path)(error.into())),
    }
}

//! The index of last outcomes: how each file ended last on each engine and how long it took, whichever run that was.
//!
//! It is made of the journals, and says the same as all of them together, but a question about a few files costs the
//! same however many runs and files there are. One file, `outcomes.index` beside the runs:
//!
//! ```text
//! {"crc32":…,"entry":{"version":3,"records":N,"runs":{NAME:LENGTH,…}}}    which runs are in it, with the lengths of their journals
//! 6f1ed002ab5595859014ebf0951522d9 passed               1234    179538385001 0c2f5f9a
//! …                                                       N records of one width, sorted by their keys
//! {"crc32":…,"entry":{"runs":{NAME:LENGTH},"records":[…]}}    what has come since, a line for each run
//! ```
//!
//! A key is a digest of an engine and the identity of a file, or of an engine and the path of a file in reports, for
//! copies of a suite without a name. Of two records with one key, that of the later run is used. New records are
//! appended in one piece. When the file has become long, it is recreated and replaces the old one. Checksums detect
//! damage, and then the index is made from the journals again. Runs that are missing, because their process was killed
//! or because they were imported, are added when the index is read.
//!
//! Where `prune` has removed a run, what the run said of files still holds, and its length is null here. Where a run
//! has gone in another way, the index is made again without it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::digest::hexadecimal;
use super::folder::{HeldLock, ResultsFolder, is_running, lock_with_patience};
use super::folder_error::{FolderError, io_error};
use super::journal_file::{journal_path, plain_path};
use super::sequence::number_of;
use super::summary::read_brief;
use crate::atomic_file;
use crate::jsonl::{entry_of, line_of};
use slt_core::location::FileId;
use slt_core::outcome::{FileStatus, FlakyResult};

const VERSION: u32 = 3;
/// The width of a key: an MD5 in hexadecimal digits.
const KEY: usize = 32;
/// The width of a record without its checksum: key, status, microseconds, number of the run.
const FIELDS: usize = KEY + 1 + 13 + 1 + 15 + 1 + 15;
/// The width of a record: also a checksum, and the line end.
const WIDTH: usize = FIELDS + 1 + 8 + 1;
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
    /// The duration; `None` if another program made the run without it.
    pub(super) elapsed: Option<Duration>,
    /// The number of the run.
    run: i64,
}

/// A key of the index: a digest.
type IndexKey = String;

/// Returns the key of a file, on an engine.
pub(super) fn file_key(engine: &str, file: &FileId) -> IndexKey {
    key(&[b"file", engine.as_bytes(), file.key().as_bytes()])
}

/// Returns the key of files that reports call so, on an engine.
pub(super) fn name_key(engine: &str, file: &str) -> IndexKey {
    key(&[b"name", engine.as_bytes(), file.as_bytes()])
}

fn key(parts: &[&[u8]]) -> IndexKey {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update((part.len() as u64).to_le_bytes());
        md5.update(part);
    }
    hexadecimal(md5)
}

#[derive(Debug, Serialize, Deserialize)]
struct IndexHeader {
    version: u32,
    records: u64,
    runs: IndexedRuns,
}

/// The runs that are in the index, with the lengths of their journals; `None` for one that was pruned.
type IndexedRuns = BTreeMap<String, Option<u64>>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct IndexAddition {
    runs: IndexedRuns,
    records: Vec<String>,
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
    later: HashMap<IndexKey, IndexRecord>,
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
        keys: &[IndexKey],
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
            let length = lines.read_until(b'\n', &mut line)?;
            // A last line without an end was not written to its end, and its run is not in the index.
            if !line.ends_with(b"\n") {
                break;
            }
            index.add(entry_of(&line).ok_or(UnusableIndex::Damaged)?);
            index.length += length as u64;
        }
        drop(lines);
        index.sorted = Some(SortedRecords { file, start, count: header.records });
        Ok(index)
    }

    fn add(&mut self, addition: IndexAddition) {
        for record in addition.records {
            if let Some((key, record)) = parse(record.as_bytes()) {
                keep_later(&mut self.later, key, record);
            }
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
            lines.extend(line_of(&addition).map_err(|error| io_error("write", path)(error.into()))?);
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
        let all = sorted.chain(index.later.iter().map(|(key, record)| (key.clone(), *record)));
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
        let mut records: BTreeMap<IndexKey, IndexRecord> = BTreeMap::new();
        for (key, record) in
            self.sorted.iter().map(SortedRecords::all).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            records.insert(key, record);
        }
        for (key, record) in &self.later {
            let known = records.entry(key.clone()).or_insert(*record);
            *known = later_of(*known, *record);
        }
        let header = IndexHeader { version: VERSION, records: records.len() as u64, runs: self.runs.clone() };
        atomic_file::replace(&self.path, |out| {
            out.write_all(&line_of(&header)?)?;
            records.iter().try_for_each(|(key, record)| writeln!(out, "{}", text_of(key, record)))
        })?;
        Ok(())
    }

    fn records(&self, keys: &[IndexKey]) -> Result<Vec<Option<IndexRecord>>, UnusableIndex> {
        let records = match &self.sorted {
            Some(sorted) if keys.len() > FEW => Some(sorted.checked()?),
            _ => None,
        };
        let find = |key: &IndexKey| {
            let kept = match (&records, &self.sorted) {
                (Some(records), _) => {
                    match records.binary_search_by(|record| record[..KEY].cmp(key.as_bytes())) {
                        Ok(place) => Some(parse_at(&records[place], 0)?.1),
                        Err(_) => None,
                    }
                }
                (None, Some(sorted)) => search(key, sorted.count as usize, |place| sorted.record(place))?,
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
    fn bytes(&self) -> Result<Vec<u8>, UnusableIndex> {
        let mut bytes = vec![0; self.count as usize * WIDTH];
        self.file.read_exact_at(&mut bytes, self.start)?;
        Ok(bytes)
    }

    /// Reads all records, and checks each, so that a search can compare the keys alone.
    fn checked(&self) -> Result<Vec<[u8; WIDTH]>, UnusableIndex> {
        let mut records = vec![[0; WIDTH]; self.count as usize];
        self.file.read_exact_at(records.as_flattened_mut(), self.start)?;
        let is_whole = |record: &[u8; WIDTH]| fields_of(&record[..WIDTH - 1]).is_some();
        if records.iter().all(is_whole) { Ok(records) } else { Err(UnusableIndex::Damaged) }
    }

    fn all(&self) -> Result<Vec<(IndexKey, IndexRecord)>, UnusableIndex> {
        let bytes = self.bytes()?;
        (0..self.count as usize).map(|place| parse_at(&bytes, place)).collect()
    }

    fn record(&self, place: usize) -> Result<(IndexKey, IndexRecord), UnusableIndex> {
        let mut bytes = [0; WIDTH];
        self.file.read_exact_at(&mut bytes, self.start + (place * WIDTH) as u64)?;
        parse_at(&bytes, 0)
    }
}

/// Finds a key among so many sorted records.
fn search(
    key: &IndexKey,
    count: usize,
    at: impl Fn(usize) -> Result<(IndexKey, IndexRecord), UnusableIndex>,
) -> Result<Option<IndexRecord>, UnusableIndex> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        let (found, record) = at(middle)?;
        match found.cmp(key) {
            std::cmp::Ordering::Equal => return Ok(Some(record)),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(None)
}

fn later_of(one: IndexRecord, other: IndexRecord) -> IndexRecord {
    if other.run >= one.run { other } else { one }
}

fn keep_later(records: &mut HashMap<IndexKey, IndexRecord>, key: IndexKey, record: IndexRecord) {
    let known = records.entry(key).or_insert(record);
    *known = later_of(*known, record);
}

/// What a run says of its files. One that cannot be read says nothing.
fn addition(results: &ResultsFolder, name: &str, length: u64) -> IndexAddition {
    let mut addition = IndexAddition { runs: [(name.to_owned(), Some(length))].into(), records: Vec::new() };
    let journal = journal_path(&results.runs_path().join(name));
    let (Some(run), Ok(Some(past))) = (number_of(name), read_brief(&journal)) else { return addition };
    let engine = &past.run.header.engine.qualified_name();
    for file in &past.files {
        let elapsed = Some(file.elapsed).filter(|elapsed| !elapsed.is_zero());
        let status = match past.run.header.flaky {
            FlakyResult::Pass => file.last_status(),
            FlakyResult::Fail => file.status(),
        };
        let record = IndexRecord { status, elapsed, run };
        addition.records.push(text_of(&file_key(engine, &file.file), &record));
        addition.records.push(text_of(&name_key(engine, file.file.path()), &record));
    }
    addition
}

fn text_of(key: &IndexKey, record: &IndexRecord) -> String {
    let elapsed = record.elapsed.map_or_else(|| "-".to_owned(), |elapsed| elapsed.as_micros().to_string());
    let fields = format!("{key} {:<13} {elapsed:>15} {:>15}", record.status.word(), record.run);
    format!("{fields} {:08x}", crc32fast::hash(fields.as_bytes()))
}

fn parse_at(bytes: &[u8], place: usize) -> Result<(IndexKey, IndexRecord), UnusableIndex> {
    let start = place * WIDTH;
    bytes.get(start..start + WIDTH - 1).and_then(parse).ok_or(UnusableIndex::Damaged)
}

/// Returns a record without its checksum; `None` if it is damaged.
fn fields_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (fields, sum) = text.split_at_checked(FIELDS)?;
    let sum = u32::from_str_radix(sum.strip_prefix(' ')?, 16).ok()?;
    (sum == crc32fast::hash(fields.as_bytes())).then_some(fields)
}

fn parse(bytes: &[u8]) -> Option<(IndexKey, IndexRecord)> {
    let mut words = fields_of(bytes)?.split_whitespace();
    let (key, status, elapsed, run) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let status = FileStatus::from_word(status)?;
    let elapsed = if elapsed == "-" { None } else { Some(Duration::from_micros(elapsed.parse().ok()?)) };
    Some((key.to_owned(), IndexRecord { status, elapsed, run: run.parse().ok()? }))
}

fn lock(index: &Path) -> Result<HeldLock, FolderError> {
    let path = index.with_extension("lock");
    let file = File::create(&path).map_err(io_error("make", &path))?;
    match lock_with_patience(&file, PATIENCE) {
        Ok(()) => Ok(HeldLock(file)),
        Err(error) => Err(io_error("lock", &path)(error.into())),
    }
}

//! The index of last outcomes: how each file ended last on each engine and how long it took, whichever run that was.
//!
//! It is made of the journals, and says the same as all of them together, but a question about a few files costs the same
//! however many runs and files there are. One file, `outcomes.index` beside the runs:
//!
//! ```text
//! {"crc32":…,"entry":{"version":3,"records":N,"runs":{NAME:LENGTH,…}}}    which runs are in it, with the lengths of their journals
//! 6f1ed002ab5595859014ebf0951522d9 passed               1234    179538385001 0c2f5f9a
//! …                                                       N records of one width, sorted by their keys
//! {"crc32":…,"entry":{"runs":{NAME:LENGTH},"records":[…]}}    what has come since, a line for each run
//! ```
//!
//! A key is a digest of what is known: an engine with the identity of a file, or with its path in reports, for copies of a
//! suite without a name. Of two records with one key, that of the later run holds. What comes is appended in one piece, and when that has
//! become long, the whole file is made anew and takes the place of the old one. Whatever is wrong with the file is found by
//! checksums, and then it is made of the journals again. Runs that are not in it, because their process was killed or because
//! they arrived from elsewhere, are added when the index is read.
//!
//! Where `prune` has removed a run, what the run said of files still holds, and its length is null here. Where a run has gone
//! in another way, the index is made again without it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::digest::hexadecimal;
use super::folder::{FolderError, Held, ResultsFolder, io_error, is_running, lock_with_patience};
use super::journal::read_brief;
use super::journal_file::{journal_path, plain_path};
use super::sequence::number_of;
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
/// How long another process may hold the lock. Without it, what is found is used, and not kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last outcome of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) status: FileStatus,
    /// How long the file took; nothing if another program made the run and did not say it.
    pub(super) elapsed: Option<Duration>,
    /// The number of the run.
    run: i64,
}

/// A key of the index: a digest.
type Key = String;

/// The key of a file, on an engine.
pub(super) fn file_key(engine: &str, file: &FileId) -> Key {
    key(&[b"file", engine.as_bytes(), file.key().as_bytes()])
}

/// The key of files that reports call so, on an engine.
pub(super) fn name_key(engine: &str, file: &str) -> Key {
    key(&[b"name", engine.as_bytes(), file.as_bytes()])
}

fn key(parts: &[&[u8]]) -> Key {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update((part.len() as u64).to_le_bytes());
        md5.update(part);
    }
    hexadecimal(md5)
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    version: u32,
    records: u64,
    runs: Runs,
}

/// The runs that are in the index, with the lengths of their journals; nothing for one that was pruned.
type Runs = BTreeMap<String, Option<u64>>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Addition {
    runs: Runs,
    records: Vec<String>,
}

/// Why an index cannot be used.
#[derive(Debug)]
enum Unusable {
    /// It is not there, of another version, or not as it was written.
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for Unusable {
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
    runs: Runs,
    /// The sorted records; nothing of an index that is made anew.
    sorted: Option<Sorted>,
    /// What has come since.
    later: HashMap<Key, Record>,
    /// How long the file is as far as its lines are whole.
    length: u64,
}

#[derive(Debug)]
struct Sorted {
    file: File,
    start: u64,
    count: u64,
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

    /// The last outcomes with these keys, in their order.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when neither the index nor the runs can be read.
    pub(super) fn find(results: &ResultsFolder, keys: &[Key]) -> Result<Vec<Option<Record>>, FolderError> {
        let index = Self::read(results)?;
        match index.records(keys) {
            Ok(found) => Ok(found),
            Err(_) => {
                // Damage is seen only by those who ask for what is damaged.
                let made = Self::update(results, &index.path, Some(&index))?;
                made.records(keys).map_err(|error| made.failed(error))
            }
        }
    }

    /// Says that these runs are removed, and that what they have said still holds.
    ///
    /// # Errors
    ///
    /// [`FolderError`], when the index cannot be written.
    pub(super) fn prune(results: &ResultsFolder, names: &[String]) -> Result<(), FolderError> {
        let mut index = Self::read(results)?;
        let _lock = lock(&index.path)?;
        let runs = names.iter().map(|name| (name.clone(), None)).collect();
        index.add(Addition { runs, records: Vec::new() });
        index.write_anew().map_err(|error| index.failed(error))
    }

    fn failed(&self, error: Unusable) -> FolderError {
        let error = match error {
            Unusable::Damaged => io::ErrorKind::InvalidData.into(),
            Unusable::Io(error) => error,
        };
        io_error("use the index", &self.path)(error)
    }

    fn load(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path)?;
        let whole = file.metadata()?.len();
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        let start = lines.read_until(b'\n', &mut line)? as u64;
        let header: Header = entry_of(&line).ok_or(Unusable::Damaged)?;
        if header.version != VERSION {
            return Err(Unusable::Damaged);
        }
        let sorted = header.records.checked_mul(WIDTH as u64).ok_or(Unusable::Damaged)?;
        if whole < start + sorted {
            return Err(Unusable::Damaged);
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
            index.add(entry_of(&line).ok_or(Unusable::Damaged)?);
            index.length += length as u64;
        }
        drop(lines);
        index.sorted = Some(Sorted { file, start, count: header.records });
        Ok(index)
    }

    fn add(&mut self, addition: Addition) {
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

    /// The runs whose journals are not in the index as they are. Those that go on are added by their own process.
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

    /// Whether a run has gone that was not pruned.
    fn has_lost_a_run(&self, names: &[String]) -> bool {
        let there: HashSet<&String> = names.iter().collect();
        self.runs.iter().any(|(name, length)| length.is_some() && !there.contains(name))
    }

    /// Adds the runs that are not in the index, and makes it anew where it cannot be used.
    fn update(results: &ResultsFolder, path: &Path, damaged: Option<&Self>) -> Result<Self, FolderError> {
        let names = results.runs()?;
        // Where there is no run, there is nothing to be kept either.
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
        Self { path: path.to_owned(), runs: Runs::new(), sorted: None, later: HashMap::new(), length: 0 }
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
    fn keep(&mut self, lines: &[u8]) -> Result<(), Unusable> {
        let Some(sorted) = &self.sorted else { return self.write_anew() };
        let appended = self.length - sorted.start - sorted.count * WIDTH as u64 + lines.len() as u64;
        if appended > MOST_APPENDED {
            return self.write_anew();
        }
        let file = File::options().write(true).open(&self.path)?;
        // What was not written to its end is written over.
        file.set_len(self.length)?;
        // When it reaches the disk does not matter: what a power cut takes away is missed, and read again.
        file.write_all_at(lines, self.length)?;
        self.length += lines.len() as u64;
        Ok(())
    }

    fn write_anew(&self) -> Result<(), Unusable> {
        let mut records: BTreeMap<Key, Record> = BTreeMap::new();
        for (key, record) in
            self.sorted.iter().map(Sorted::all).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            records.insert(key, record);
        }
        for (key, record) in &self.later {
            let known = records.entry(key.clone()).or_insert(*record);
            *known = later_of(*known, *record);
        }
        let header = Header { version: VERSION, records: records.len() as u64, runs: self.runs.clone() };
        atomic_file::replace(&self.path, |out| {
            out.write_all(&line_of(&header)?)?;
            records.iter().try_for_each(|(key, record)| writeln!(out, "{}", text_of(key, record)))
        })?;
        Ok(())
    }

    fn records(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unusable> {
        let bytes = match &self.sorted {
            Some(sorted) if keys.len() > FEW => Some(sorted.bytes()?),
            _ => None,
        };
        let find = |key: &Key| {
            let kept = match (&bytes, &self.sorted) {
                (Some(bytes), _) => search(key, bytes.len() / WIDTH, |place| parse_at(bytes, place))?,
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

impl Sorted {
    fn bytes(&self) -> Result<Vec<u8>, Unusable> {
        let mut bytes = vec![0; self.count as usize * WIDTH];
        self.file.read_exact_at(&mut bytes, self.start)?;
        Ok(bytes)
    }

    fn all(&self) -> Result<Vec<(Key, Record)>, Unusable> {
        let bytes = self.bytes()?;
        (0..self.count as usize).map(|place| parse_at(&bytes, place)).collect()
    }

    fn record(&self, place: usize) -> Result<(Key, Record), Unusable> {
        let mut bytes = [0; WIDTH];
        self.file.read_exact_at(&mut bytes, self.start + (place * WIDTH) as u64)?;
        parse_at(&bytes, 0)
    }
}

/// Finds a key among so many sorted records.
fn search(
    key: &Key,
    count: usize,
    at: impl Fn(usize) -> Result<(Key, Record), Unusable>,
) -> Result<Option<Record>, Unusable> {
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

fn later_of(one: Record, other: Record) -> Record {
    if other.run >= one.run { other } else { one }
}

fn keep_later(records: &mut HashMap<Key, Record>, key: Key, record: Record) {
    let known = records.entry(key).or_insert(record);
    *known = later_of(*known, record);
}

/// What a run says of its files. One that cannot be read says nothing.
fn addition(results: &ResultsFolder, name: &str, length: u64) -> Addition {
    let mut addition = Addition { runs: [(name.to_owned(), Some(length))].into(), records: Vec::new() };
    let journal = journal_path(&results.runs_path().join(name));
    let (Some(run), Ok(Some(past))) = (number_of(name), read_brief(&journal)) else { return addition };
    let engine = &past.run.header.engine.qualified_name();
    for file in &past.files {
        let elapsed = Some(file.elapsed).filter(|elapsed| !elapsed.is_zero());
        let status = match past.run.header.flaky {
            FlakyResult::Pass => file.last_status(),
            FlakyResult::Fail => file.status(),
        };
        let record = Record { status, elapsed, run };
        addition.records.push(text_of(&file_key(engine, &file.file), &record));
        addition.records.push(text_of(&name_key(engine, file.file.path()), &record));
    }
    addition
}

fn text_of(key: &Key, record: &Record) -> String {
    let elapsed = record.elapsed.map_or_else(|| "-".to_owned(), |elapsed| elapsed.as_micros().to_string());
    let fields = format!("{key} {:<13} {elapsed:>15} {:>15}", record.status.word(), record.run);
    format!("{fields} {:08x}", crc32fast::hash(fields.as_bytes()))
}

fn parse_at(bytes: &[u8], place: usize) -> Result<(Key, Record), Unusable> {
    let start = place * WIDTH;
    bytes.get(start..start + WIDTH - 1).and_then(parse).ok_or(Unusable::Damaged)
}

fn parse(bytes: &[u8]) -> Option<(Key, Record)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (fields, sum) = text.split_at_checked(FIELDS)?;
    if u32::from_str_radix(sum.strip_prefix(' ')?, 16).ok()? != crc32fast::hash(fields.as_bytes()) {
        return None;
    }
    let mut words = fields.split_whitespace();
    let (key, status, elapsed, run) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let status = FileStatus::from_word(status)?;
    let elapsed = if elapsed == "-" { None } else { Some(Duration::from_micros(elapsed.parse().ok()?)) };
    Some((key.to_owned(), Record { status, elapsed, run: run.parse().ok()? }))
}

fn lock(index: &Path) -> Result<Held, FolderError> {
    let path = index.with_extension("lock");
    let file = File::create(&path).map_err(io_error("make", &path))?;
    match lock_with_patience(&file, PATIENCE) {
        Ok(()) => Ok(Held(file)),
        Err(error) => Err(io_error("lock", &path)(error.into())),
    }
}

//! The journal of a run: what became of each file, appended the moment it is known.
//!
//! One JSON line for each entry (see [`crate::jsonl`]), on the disk before anything else hears of it. Replaying a
//! journal gives the report of the run. The entries hold the types of [`crate::outcome`] in their own form; a journal
//! that another version of this program has written is read as long as [`FORMAT`] is the same, which a test holds
//! against a journal of the past.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::folder::sync_folder;
use super::journal_file::{beginning, lines, make_plain, open};
use crate::event::{EventSink, RunEvent, SinkError, fold};
use crate::executor::Settings;
use crate::jsonl::{Appender, Follower, entry_of, line_of};
use crate::location::path_text;
use crate::outcome::{
    Counts, ExitHow, FileEnd, FileReport, FileStatus, LeftOut, Mark, RunEnd, RunHeader, RunReport, SlowRecord,
};

/// The version of the entries.
const FORMAT: u32 = 1;

/// The first entry of a journal: what is known of the run besides its header.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The version of the journal.
    pub format: u32,
    /// The name of the run.
    pub run: String,
    /// When it began, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// The version of this program.
    pub program: String,
    /// The words of the command line.
    pub command: Vec<String>,
    /// Where it was started.
    #[serde(with = "path_text::field")]
    pub folder: PathBuf,
    /// How files were read and executed; unknown of the first runs.
    #[serde(default)]
    pub settings: Option<Settings>,
    /// Where and with what the run was made; unknown of the first runs.
    #[serde(default)]
    pub circumstances: Option<Circumstances>,
    /// Where the run comes from, if another program made it.
    #[serde(default)]
    pub imported: Option<Imported>,
    /// The files by the names that reports call them, and where they are; files inside of the program by their name
    /// there.
    #[serde(with = "path_text::map")]
    pub places: BTreeMap<String, PathBuf>,
}

impl Opened {
    /// The files that were to be run, by the names that reports call them. Of a run of another program these are the ones
    /// that it names and has no result of.
    pub fn wanted_files(&self) -> impl Iterator<Item = &str> {
        let untested = self.imported.iter().flat_map(|imported| &imported.untested);
        self.places.keys().chain(untested).map(String::as_str)
    }

    /// Whether files of the suite were left out of the run, as far as that is known.
    pub fn is_part(&self) -> bool {
        self.circumstances.as_ref().is_some_and(|circumstances| circumstances.is_part)
    }

    /// Makes the entry of a run of this program.
    pub fn new(
        run: &str,
        started: i64,
        command: Vec<String>,
        folder: PathBuf,
        settings: Settings,
        circumstances: Circumstances,
        places: BTreeMap<String, PathBuf>,
    ) -> Self {
        let (format, program) = (FORMAT, env!("CARGO_PKG_VERSION").to_owned());
        let (settings, circumstances) = (Some(settings), Some(circumstances));
        Self {
            format,
            run: run.to_owned(),
            started,
            program,
            command,
            folder,
            settings,
            circumstances,
            imported: None,
            places,
        }
    }

    /// Makes the entry of a run that another program made. Nothing is known of its command and its settings.
    pub fn of_import(started: i64, imported: Imported, circumstances: Circumstances) -> Self {
        Self {
            format: FORMAT,
            run: String::new(),
            started,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: Vec::new(),
            folder: PathBuf::new(),
            settings: None,
            circumstances: Some(circumstances),
            imported: Some(imported),
            places: BTreeMap::new(),
        }
    }

    /// Reads what a journal says first; nothing if it does not say which run it is of.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut lines = lines(path)?;
        let first = lines.next()?.and_then(entry_of::<Entry>);
        let Some(Entry::Opened(opened)) = first else { return Ok(None) };
        Ok(Some(*opened).filter(|opened| opened.format == FORMAT))
    }
}

/// Where a run comes from that another program made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The name of the file.
    pub from: String,
    /// The MD5 of what was taken in, in hexadecimal digits: the same again is recognised.
    pub digest: String,
    /// The files that it names and has no result of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untested: Vec<String>,
}

/// Where and with what a run was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The name of the machine.
    pub host: String,
    /// The operating system, with its version.
    pub system: String,
    /// How many processors this program may use.
    pub cpus: usize,
    /// How many workers run at once.
    pub workers: usize,
    /// The time that the run may take.
    pub budget: Option<Duration>,
    /// The seed of a random order.
    pub seed: Option<u64>,
    /// What Git says of the folder in which the run was started.
    pub commit: Option<Commit>,
    /// The run of a CI that this is part of.
    pub ci: Option<CiRun>,
    /// What was to be run, as it was typed: paths, or nothing for the shipped suite.
    #[serde(default)]
    pub suite: Vec<String>,
    /// Whether files of the suite were left out: by filters, by a shard, or because single files were named.
    #[serde(default)]
    pub is_part: bool,
    /// The commit of the repository that the first file is in.
    #[serde(default)]
    pub corpus_commit: Option<String>,
    /// A checksum of the program that held the engine.
    #[serde(default)]
    pub engine_hash: Option<String>,
}

/// A state of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The hash.
    pub hash: String,
    /// The branch; nothing if it is none.
    pub branch: Option<String>,
    /// Whether tracked files differ from the commit.
    pub dirty: bool,
}

/// A run of a CI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiRun {
    /// What the system calls it.
    pub id: String,
    /// Where it can be looked at.
    pub url: Option<String>,
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
enum Entry {
    Opened(Box<Opened>),
    RunStarted(RunHeader),
    WorkerLost { shown: String, line: Option<u32>, how: ExitHow, again: bool },
    FileFinished(Box<FileReport>),
    RunFinished { elapsed: Duration, end: RunEnd },
}

/// The same line for who wants to know of each file only how it ended and how long it took: what it leaves out, which
/// may be long, is passed over.
#[derive(Debug, Deserialize)]
enum BriefEntry {
    Opened(Box<Opened>),
    RunStarted(RunHeader),
    WorkerLost(IgnoredAny),
    FileFinished(Box<PastFile>),
    RunFinished { elapsed: Duration, end: RunEnd },
}

/// A file in a run of the past: how it ended and how long it took, without what was wrong in detail.
#[derive(Debug, Clone, Deserialize)]
pub struct PastFile {
    /// The path below the root.
    pub file: String,
    /// How long it took.
    pub elapsed: Duration,
    /// The account.
    pub counts: Counts,
    /// How the file ended.
    pub end: FileEnd,
    /// The lines of all records that have not passed.
    #[serde(default)]
    pub failing: Vec<u32>,
    /// Their keys, in the same order; none in old journals.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// The records that the user has left out.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// The part of the time that the engine took; unknown in old journals, which have no slowest records either.
    #[serde(default)]
    pub engine_time: Option<Duration>,
    /// The slowest records, the slowest first.
    #[serde(default)]
    pub slowest: Vec<SlowRecord>,
    attempts: Vec<PastAttempt>,
}

#[derive(Debug, Clone, Deserialize)]
struct PastAttempt {
    status: FileStatus,
}

impl PastFile {
    /// How the file ended at the time that is told of.
    pub fn last_status(&self) -> FileStatus {
        self.end.status(&self.counts)
    }

    /// How the file ended, all times together.
    pub fn status(&self) -> FileStatus {
        self.last_status().among(self.attempts())
    }

    /// How it ended at other times of the same run.
    pub fn attempts(&self) -> impl Iterator<Item = FileStatus> {
        self.attempts.iter().map(|attempt| attempt.status)
    }
}

/// A run in brief.
pub(super) struct Brief {
    pub(super) opened: Opened,
    pub(super) header: RunHeader,
    pub(super) files: Vec<PastFile>,
    pub(super) elapsed: Duration,
    /// How it ended last; nothing if it goes on or was killed.
    pub(super) end: Option<RunEnd>,
}

impl Brief {
    /// Reads a journal; nothing if it does not say which run it is of.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let (mut first, mut header, mut files) = (None, None, Vec::new());
        let (mut elapsed, mut end) = (Duration::ZERO, None);
        for entry in Follower::of(open(path)?).more::<BriefEntry>()?.into_iter().flatten() {
            match entry {
                BriefEntry::Opened(opened) => first = first.or(Some(*opened)),
                // Once for each time that the run was taken up.
                BriefEntry::RunStarted(found) => (header, end) = (Some(found), None),
                BriefEntry::FileFinished(report) => files.push(*report),
                BriefEntry::RunFinished { elapsed: more, end: found } => {
                    elapsed += more;
                    end = Some(found);
                }
                BriefEntry::WorkerLost(_) => {}
            }
        }
        let known = first.filter(|opened| opened.format == FORMAT).zip(header);
        Ok(known.map(|(opened, header)| Self { opened, header, files, elapsed, end }))
    }
}

/// Appends what happens in a run to its journal.
#[derive(Debug)]
pub struct JournalWriter {
    lines: Appender,
}

impl JournalWriter {
    /// Begins a journal.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn create(path: &Path, opened: Opened) -> io::Result<Self> {
        let mut lines = Appender::open(path)?;
        lines.append(&Entry::Opened(Box::new(opened)))?;
        lines.sync()?;
        path.parent().map_or(Ok(()), sync_folder)?;
        Ok(Self { lines })
    }

    /// Goes on with a journal, which is no longer compressed then.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        make_plain(path)?;
        Ok(Self { lines: Appender::open(path)? })
    }

    fn write(&mut self, event: &RunEvent) -> io::Result<()> {
        let (entry, durable) = match event {
            RunEvent::RunStarted(header) => (Entry::RunStarted(header.clone()), true),
            RunEvent::WorkerLost { shown, line, how, again } => {
                (Entry::WorkerLost { shown: shown.clone(), line: *line, how: *how, again: *again }, false)
            }
            RunEvent::FileFinished(report) => (Entry::FileFinished(report.clone()), true),
            RunEvent::RunFinished { elapsed, end } => {
                (Entry::RunFinished { elapsed: *elapsed, end: *end }, true)
            }
            _ => return Ok(()),
        };
        self.lines.append(&entry)?;
        if durable { self.lines.sync() } else { Ok(()) }
    }
}

impl EventSink for JournalWriter {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.write(event).map_err(|source| SinkError { what: "journal of the run", source })
    }
}

/// Writes the journal of a run that has ended.
pub(super) fn write_whole(out: &mut impl Write, opened: Opened, report: &RunReport) -> io::Result<()> {
    out.write_all(&line_of(&Entry::Opened(Box::new(opened)))?)?;
    out.write_all(&line_of(&Entry::RunStarted(report.header.clone()))?)?;
    for file in &report.files {
        out.write_all(&line_of(&Entry::FileFinished(Box::new(file.clone())))?)?;
    }
    // The last entry says that the others are all.
    out.write_all(&line_of(&Entry::RunFinished { elapsed: report.elapsed, end: report.end })?)
}

/// A journal that was read.
#[derive(Debug)]
pub struct Journal {
    /// What it says of the run.
    pub opened: Opened,
    /// The report, as far as the run has come.
    pub report: RunReport,
    /// How many lines are damaged, and tell nothing.
    pub damaged: usize,
    /// Whether the run has ended; if not, it goes on or was killed.
    pub ended: bool,
}

impl Journal {
    /// Reads a journal; nothing if it does not say which run it is of.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        Self::read_up_to(path, u64::MAX)
    }

    /// Reads what was there when the file had this length.
    pub(super) fn read_up_to(path: &Path, length: u64) -> io::Result<Option<Self>> {
        Self::of_bytes(&beginning(path, length)?)
    }

    /// Reads a journal that is in memory.
    pub(super) fn of_bytes(bytes: &[u8]) -> io::Result<Option<Self>> {
        let entries = Follower::of(bytes).more::<Entry>()?;
        let damaged = entries.iter().filter(|entry| entry.is_none()).count();
        let mut opened = None;
        let mut ended = false;
        let mut events = Vec::with_capacity(entries.len());
        let mut files = HashSet::new();
        let mut elapsed = Duration::ZERO;
        for entry in entries.into_iter().flatten() {
            ended = matches!(entry, Entry::RunFinished { .. });
            match entry {
                Entry::Opened(found) => opened = opened.or(Some(*found)),
                Entry::RunStarted(header) => events.push(RunEvent::RunStarted(header)),
                Entry::WorkerLost { shown, line, how, again } => {
                    events.push(RunEvent::WorkerLost { shown, line, how, again });
                }
                // The first result of a file is the one that was told.
                Entry::FileFinished(report) => {
                    if files.insert((report.file.clone(), report.shown.clone())) {
                        events.push(RunEvent::FileFinished(report));
                    }
                }
                // One for each time that the run was taken up.
                Entry::RunFinished { elapsed: more, end } => {
                    elapsed += more;
                    events.push(RunEvent::RunFinished { elapsed, end });
                }
            }
        }
        let known = opened.filter(|opened| opened.format == FORMAT).zip(fold(events));
        Ok(known.map(|(opened, report)| Self { opened, report, damaged, ended }))
    }
}

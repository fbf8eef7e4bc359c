//! The journal of a run: the result of each file, appended the moment it is known.
//!
//! One JSON line for each entry (see [`crate::jsonl`]), on the disk before other sinks get the event. Replaying a
//! journal gives the report of the run. The entries are written in the forms of [`crate::wire`]. A journal of another
//! version of this program is read if [`FORMAT`] is the same, which a test checks with an old journal.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::circumstances::{Circumstances, Imported};
use super::index_builder::IndexBuilder;
use super::journal_file::{beginning, lines, make_plain, plain_path};
use super::journal_index::{JournalState, LinePlace};
use super::time_worked::TimeWorked;
use crate::atomic_file::folder_of;
use crate::event::timings::{RunTimings, WorkerSpan};
use crate::event::{EventSink, RunEvent, SinkError, fold};
use crate::jsonl::{Appender, Follower, entry_of, line_of, text_of};
use crate::wire::{
    AttemptForm, ExitHowForm, FORMAT, FileIdForm, FileReportForm, Lent, Maybe, RecordIdForm, RemoteForm as _,
    RunEndForm, RunHeaderForm, SettingsForm, path_field, path_map,
};
use slt_core::executor::Settings;
use slt_core::location::FileId;
use slt_core::outcome::{Attempt, ExitHow, FileAttempts, FileReport, RecordId, RunEnd, RunHeader, RunReport};

/// The first entry of a journal: properties of the run besides its header.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The version of the journal.
    pub format: u32,
    /// The name of the run.
    pub run: String,
    /// The start time, in milliseconds since 1970 in UTC.
    pub started: i64,
    /// The version of this program.
    pub program: String,
    /// The arguments of the command line.
    pub command: Vec<String>,
    /// The working directory.
    #[serde(with = "path_field")]
    pub folder: PathBuf,
    /// The settings for reading and executing files, if known.
    #[serde(default, with = "Maybe::<SettingsForm>")]
    pub settings: Option<Settings>,
    /// The circumstances, if known.
    #[serde(default)]
    pub circumstances: Option<Circumstances>,
    /// The source of an imported run.
    #[serde(default)]
    pub imported: Option<Imported>,
    /// The files with their paths at the start of the run; embedded files with their names.
    #[serde(with = "path_map")]
    pub places: BTreeMap<FileId, PathBuf>,
}

impl Opened {
    /// Returns the files of the run. For an imported run these are the files without a result.
    pub fn wanted_files(&self) -> impl Iterator<Item = &FileId> {
        let untested = self.imported.iter().flat_map(|imported| &imported.untested);
        let combined = self.circumstances.iter().flat_map(|of| &of.combined);
        self.places.keys().chain(untested).chain(combined.flat_map(|shards| &shards.missing_files))
    }

    /// Returns the files with their paths.
    pub fn places(&self) -> impl Iterator<Item = (&FileId, &Path)> {
        self.places.iter().map(|(file, place)| (file, place.as_path()))
    }

    /// Returns whether files of the suite were excluded, as far as known.
    pub fn is_part(&self) -> bool {
        self.circumstances.as_ref().is_some_and(|circumstances| circumstances.is_part)
    }

    /// Creates the entry of a run of this program.
    pub fn new(
        run: &str,
        started: i64,
        command: Vec<String>,
        folder: PathBuf,
        settings: Settings,
        circumstances: Circumstances,
        places: BTreeMap<FileId, PathBuf>,
    ) -> Self {
        let run = run.to_owned();
        let settings = Some(settings);
        Self { run, command, folder, settings, places, ..Self::unnamed(started, circumstances) }
    }

    /// Creates the entry of a run of another program, with unknown command and settings.
    pub fn from_import(started: i64, imported: Imported, circumstances: Circumstances) -> Self {
        Self { imported: Some(imported), ..Self::unnamed(started, circumstances) }
    }

    fn unnamed(started: i64, circumstances: Circumstances) -> Self {
        Self {
            format: FORMAT,
            run: String::new(),
            started,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: Vec::new(),
            folder: PathBuf::new(),
            settings: None,
            circumstances: Some(circumstances),
            imported: None,
            places: BTreeMap::new(),
        }
    }

    /// Reads the first entry of a journal; `None` if it is unreadable.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut lines = lines(path)?;
        let first = lines.next_line()?.and_then(entry_of::<JournalEntry<'_>>);
        let Some(JournalEntry::Opened(opened)) = first else { return Ok(None) };
        Ok(Some(*opened).filter(|opened| opened.format == FORMAT))
    }
}

/// A journal entry, with borrowed contents for writing.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are of the largest kinds")]
pub(super) enum JournalEntry<'e> {
    Opened(Box<Opened>),
    RunStarted(#[serde(with = "Lent::<RunHeaderForm>")] Cow<'e, RunHeader>),
    /// The run was resumed, at a time in milliseconds since 1970 in UTC.
    Resumed {
        at: i64,
    },
    WorkerLost {
        shown: Cow<'e, str>,
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordIdForm>")]
        record: Option<RecordId>,
        #[serde(with = "ExitHowForm")]
        how: ExitHow,
        again: bool,
    },
    AttemptEnded {
        #[serde(with = "Lent::<FileIdForm>")]
        file: Cow<'e, FileId>,
        shown: Cow<'e, str>,
        #[serde(with = "Lent::<AttemptForm>")]
        attempt: Cow<'e, Attempt>,
    },
    /// The session tells what its workers do.
    TimingsStarted {
        workers: usize,
    },
    WorkerTimed(Cow<'e, WorkerSpan>),
    FileFinished(#[serde(with = "Lent::<FileReportForm>")] Cow<'e, FileReport>),
    RunFinished {
        elapsed: Duration,
        #[serde(with = "RunEndForm")]
        end: RunEnd,
    },
}

/// Appends the events of a run to its journal.
#[derive(Debug)]
pub struct JournalWriter {
    lines: Appender,
    /// Whether the header was written, so that it is not repeated.
    has_begun: bool,
    /// The thread that syncs the folder of the run. No result is reported before it has ended.
    behind: Option<JoinHandle<io::Result<()>>>,
    /// The index of the journal; that of a resumed run is made later.
    index: Option<GrowingIndex>,
}

/// The index of a journal that is being written.
#[derive(Debug)]
struct GrowingIndex {
    /// The folder of the run.
    run: PathBuf,
    builder: IndexBuilder,
    /// The length of the journal.
    length: u64,
}

impl JournalWriter {
    /// Begins a journal with its first entry and its header. A later event with the header is not written again.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn begin(path: &Path, opened: Opened, header: &RunHeader) -> io::Result<Self> {
        let mut lines = Appender::open(path)?;
        let mut builder = IndexBuilder::new(&opened);
        let mut text = line_of(&JournalEntry::Opened(Box::new(opened)))?;
        let started = JournalEntry::RunStarted(Cow::Borrowed(header));
        let line = line_of(&started)?;
        builder.add(&started, LinePlace { start: text.len() as u64, length: line.len() as u64 });
        text.extend(line);
        lines.append_lines(&text)?;
        let run = folder_of(path).to_owned();
        let index = Some(GrowingIndex { run, builder, length: text.len() as u64 });
        Ok(Self { lines, has_begun: true, behind: None, index })
    }

    /// Says where the folder of the run is now.
    pub(super) fn moved_to(&mut self, run: &Path) {
        if let Some(index) = &mut self.index {
            run.clone_into(&mut index.run);
        }
    }

    /// Syncs files and folders in the background while the workers start.
    pub(super) fn sync_behind(&mut self, files: Vec<File>) -> io::Result<()> {
        let files = Arc::new(files);
        let of_thread = files.clone();
        let sync = |files: &[File]| files.iter().try_for_each(File::sync_all);
        match std::thread::Builder::new().spawn(move || sync(&of_thread)) {
            Ok(thread) => self.behind = Some(thread),
            // No thread is available.
            Err(_) => sync(&files)?,
        }
        Ok(())
    }

    /// Opens a journal to resume its run at a time in milliseconds since 1970, and decompresses it if necessary.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn resume(path: &Path, at: i64) -> io::Result<Self> {
        make_plain(path)?;
        let mut lines = Appender::open(path)?;
        lines.append(&JournalEntry::Resumed { at })?;
        Ok(Self { lines, has_begun: false, behind: None, index: None })
    }

    /// Writes the entries of the events with one call, and waits for the disk if one of them must be durable.
    fn write(&mut self, events: &[RunEvent]) -> io::Result<()> {
        let mut lines = Vec::new();
        let (mut is_durable, mut has_ended) = (false, false);
        for event in events {
            let Some((entry, durable)) = self.entry(event) else { continue };
            let line = line_of(&entry)?;
            if let Some(index) = &mut self.index {
                let length = line.len() as u64;
                index.builder.add(&entry, LinePlace { start: index.length, length });
                index.length += length;
            }
            lines.extend(line);
            is_durable |= durable;
            has_ended = matches!(entry, JournalEntry::RunFinished { .. });
        }
        self.lines.append_lines(&lines)?;
        if !is_durable {
            return Ok(());
        }
        if let Some(behind) = self.behind.take() {
            behind.join().map_err(|_| io::Error::other("a thread has died"))??;
        }
        self.lines.sync()?;
        if has_ended
            && let Some(GrowingIndex { run, builder, length }) = self.index.take()
            && let Some(journal) =
                JournalState::of(&plain_path(&run)).ok().filter(|file| file.length() == length)
        {
            // Where it cannot be kept, it is made from the journal when it is needed.
            builder.finish(journal).map(|index| index.save(&run));
        }
        Ok(())
    }

    /// Returns the entry of an event, if it has one, and whether it must be durable before others learn of the event.
    fn entry<'e>(&mut self, event: &'e RunEvent) -> Option<(JournalEntry<'e>, bool)> {
        Some(match event {
            RunEvent::RunStarted(_) if std::mem::take(&mut self.has_begun) => return None,
            RunEvent::RunStarted(header) => (JournalEntry::RunStarted(Cow::Borrowed(header)), true),
            RunEvent::WorkerLost { shown, record, how, again } => {
                let (shown, record) = (Cow::Borrowed(shown.as_str()), record.clone());
                (JournalEntry::WorkerLost { shown, record, how: *how, again: *again }, false)
            }
            RunEvent::AttemptEnded { file, shown, attempt } => {
                let (file, shown) = (Cow::Borrowed(file), Cow::Borrowed(shown.as_str()));
                (JournalEntry::AttemptEnded { file, shown, attempt: Cow::Borrowed(attempt) }, false)
            }
            RunEvent::TimingsStarted { workers } => {
                (JournalEntry::TimingsStarted { workers: *workers }, false)
            }
            RunEvent::WorkerTimed(span) => (JournalEntry::WorkerTimed(Cow::Borrowed(span)), false),
            RunEvent::FileFinished(report) => (JournalEntry::FileFinished(Cow::Borrowed(report)), true),
            RunEvent::RunFinished { elapsed, end } => {
                (JournalEntry::RunFinished { elapsed: *elapsed, end: *end }, true)
            }
            _ => return None,
        })
    }
}

impl EventSink for JournalWriter {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.on_events(std::slice::from_ref(event))
    }

    fn on_events(&mut self, events: &[RunEvent]) -> Result<(), SinkError> {
        self.write(events).map_err(|source| SinkError { what: "journal of the run", source })
    }
}

/// Writes the journal of a finished run.
pub(super) fn write_whole(out: &mut impl Write, opened: Opened, report: &RunReport) -> io::Result<()> {
    out.write_all(&line_of(&JournalEntry::Opened(Box::new(opened)))?)?;
    out.write_all(&line_of(&JournalEntry::RunStarted(Cow::Borrowed(&report.header)))?)?;
    for file in &report.files {
        out.write_all(&line_of(&JournalEntry::FileFinished(Cow::Borrowed(file)))?)?;
    }
    // The last entry marks the journal as complete.
    out.write_all(&line_of(&JournalEntry::RunFinished { elapsed: report.elapsed, end: report.end })?)
}

/// Returns the number of damaged lines. A damaged line before the start of a session does not count: the session before
/// it was killed while writing the line, and the next one repeats its contents.
fn damaged(entries: &[Option<JournalEntry<'_>>]) -> usize {
    let is_torn = |place: usize| {
        matches!(
            entries.get(place + 1),
            Some(Some(JournalEntry::Resumed { .. } | JournalEntry::RunStarted(_)))
        )
    };
    (1..entries.len().max(1)).filter(|&place| entries[place].is_none() && !is_torn(place)).count()
        + usize::from(entries.first().is_some_and(Option::is_none))
}

/// Returns whether a line is the beginning of a session.
pub(super) fn begins_session(line: &[u8]) -> bool {
    let starts = [&b"{\"Resumed\""[..], b"{\"RunStarted\""];
    text_of(line).is_some_and(|text| starts.iter().any(|start| text.starts_with(start)))
}

/// The contents of a journal.
#[derive(Debug)]
pub struct Journal {
    /// The first entry.
    pub opened: Opened,
    /// The results so far.
    pub report: RunReport,
    /// The attempts of files without a result.
    pub attempts: FileAttempts,
    /// Where the time went in the sessions that measured it.
    pub timings: RunTimings,
    /// The number of damaged lines.
    pub damaged: usize,
    /// Whether the run has ended; otherwise it is in progress or was killed.
    pub ended: bool,
}

impl Journal {
    /// Reads a journal; `None` if its first entries are unreadable.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        Self::read_up_to(path, u64::MAX)
    }

    /// Returns the files of the run without a result.
    pub fn untested(&self) -> Vec<&str> {
        let tested: HashSet<_> = self.report.files.iter().map(|file| &file.file).collect();
        self.opened.wanted_files().filter(|file| !tested.contains(file)).map(FileId::path).collect()
    }

    /// Reads the beginning of a journal with this length.
    pub(super) fn read_up_to(path: &Path, length: u64) -> io::Result<Option<Self>> {
        Self::from_bytes(&beginning(path, length)?)
    }

    /// Reads a journal that is in memory.
    pub(super) fn from_bytes(bytes: &[u8]) -> io::Result<Option<Self>> {
        let entries = Follower::new(bytes).more::<JournalEntry<'_>>()?;
        let damaged = damaged(&entries);
        let mut opened = None;
        let mut ended = false;
        let mut events = Vec::with_capacity(entries.len());
        let mut files = HashSet::new();
        let mut attempts = FileAttempts::new();
        let mut worked = TimeWorked::default();
        let mut timings = RunTimings::default();
        for entry in entries.into_iter().flatten() {
            ended = matches!(entry, JournalEntry::RunFinished { .. });
            match entry {
                JournalEntry::Opened(found) => {
                    worked.session_begins(found.started);
                    opened = opened.or(Some(*found));
                }
                JournalEntry::RunStarted(header) => events.push(RunEvent::RunStarted(header.into_owned())),
                JournalEntry::Resumed { at } => {
                    worked.session_begins(at);
                    timings.session_begins();
                }
                JournalEntry::TimingsStarted { workers } => {
                    timings.enter(&RunEvent::TimingsStarted { workers });
                }
                JournalEntry::WorkerTimed(span) => {
                    timings.enter(&RunEvent::WorkerTimed(span.into_owned()));
                }
                JournalEntry::WorkerLost { shown, record, how, again } => {
                    let shown = shown.into_owned();
                    events.push(RunEvent::WorkerLost { shown, record, how, again });
                }
                JournalEntry::AttemptEnded { file, attempt, .. } => {
                    attempts.entry(file.into_owned()).or_default().push(attempt.into_owned());
                }
                // The first result of a file is the one that was reported.
                JournalEntry::FileFinished(report) => {
                    worked.file_finishes(report.finished);
                    attempts.remove(&report.file);
                    if files.insert(report.file.clone()) {
                        events.push(RunEvent::FileFinished(Box::new(report.into_owned())));
                    }
                }
                // One for each session: the run was started once, and perhaps resumed.
                JournalEntry::RunFinished { elapsed, end } => {
                    worked.session_ends(elapsed);
                    let event = RunEvent::RunFinished { elapsed, end };
                    timings.enter(&event);
                    events.push(event);
                }
            }
        }
        let known = opened.filter(|opened: &Opened| opened.format == FORMAT).zip(fold(events));
        let read = |(opened, report)| Self {
            opened,
            report: RunReport { elapsed: worked.sum(), ..report },
            attempts,
            timings,
            damaged,
            ended,
        };
        Ok(known.map(read))
    }
}

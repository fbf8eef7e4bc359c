//! The journal of a run: the result of each file, appended the moment it is known.
//!
//! One JSON line for each entry (see [`crate::jsonl`]), on the disk before anything else hears of it. Replaying a
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

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::circumstances::{Circumstances, Imported};
use super::journal_file::{beginning, lines, make_plain, open};
use super::summary::{PastRun, RunState, RunSummary};
use super::time_worked::TimeWorked;
use crate::atomic_file::{folder_of, sync_folder};
use crate::event::{EventSink, RunEvent, SinkError, fold};
use crate::jsonl::{Appender, Follower, entry_of, line_of, text_of};
use crate::wire::{
    AttemptForm, ExitHowForm, FORMAT, FileIdForm, FileReportForm, FileSummaryForm, Lent, Maybe, RecordIdForm,
    RunEndForm, RunHeaderForm, SettingsForm, path_field, path_map,
};
use slt_core::executor::Settings;
use slt_core::location::FileId;
use slt_core::outcome::{
    Attempt, ExitHow, FileAttempts, FileReport, FileSummary, RecordId, RunEnd, RunHeader, RunReport, Totals,
};

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
    #[serde(with = "path_field")]
    pub folder: PathBuf,
    /// How files were read and executed; unknown of the first runs.
    #[serde(default, with = "Maybe::<SettingsForm>")]
    pub settings: Option<Settings>,
    /// Where and with what the run was made; unknown of the first runs.
    #[serde(default)]
    pub circumstances: Option<Circumstances>,
    /// Where the run comes from, if another program made it.
    #[serde(default)]
    pub imported: Option<Imported>,
    /// The files, and where they were when the run began; files inside of the program by their name there.
    #[serde(with = "path_map")]
    pub places: BTreeMap<FileId, PathBuf>,
}

impl Opened {
    /// Returns the files that were to be run. Of a run of another program these
    /// are the ones that it names and has no result of.
    pub fn wanted_files(&self) -> impl Iterator<Item = &FileId> {
        let untested = self.imported.iter().flat_map(|imported| &imported.untested);
        self.places.keys().chain(untested)
    }

    /// The files with the places where they were.
    pub fn places(&self) -> impl Iterator<Item = (&FileId, &Path)> {
        self.places.iter().map(|(file, place)| (file, place.as_path()))
    }

    /// Returns whether files of the suite were left out of the run, as far as that is known.
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
        places: BTreeMap<FileId, PathBuf>,
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

    /// Reads what a journal says first; `None` if it does not say which run it is of.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut lines = lines(path)?;
        let first = lines.next_line()?.and_then(entry_of::<Entry<'_>>);
        let Some(Entry::Opened(opened)) = first else { return Ok(None) };
        Ok(Some(opened.into_owned()).filter(|opened| opened.format == FORMAT))
    }
}

/// One line. What is written is borrowed.
#[derive(Debug, Serialize, Deserialize)]
enum Entry<'e> {
    Opened(Cow<'e, Opened>),
    RunStarted(#[serde(with = "Lent::<RunHeaderForm>")] Cow<'e, RunHeader>),
    /// The run is resumed, at so many milliseconds since 1970 in UTC.
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
    FileFinished(#[serde(with = "Lent::<FileReportForm>")] Cow<'e, FileReport>),
    RunFinished {
        elapsed: Duration,
        #[serde(with = "RunEndForm")]
        end: RunEnd,
    },
}

/// The same line for who wants to know of each file only how it ended and how long it took.
#[derive(Debug, Deserialize)]
enum BriefEntry {
    Opened(Box<Opened>),
    RunStarted(#[serde(with = "RunHeaderForm")] RunHeader),
    Resumed {
        at: i64,
    },
    WorkerLost(IgnoredAny),
    AttemptEnded(IgnoredAny),
    FileFinished(#[serde(deserialize_with = "FileSummaryForm::read")] Box<FileSummary>),
    RunFinished {
        elapsed: Duration,
        #[serde(with = "RunEndForm")]
        end: RunEnd,
    },
}

/// Reads a journal in brief; `None` if it does not say which run it is of. A run without an end counts as killed.
pub(super) fn read_brief(path: &Path) -> io::Result<Option<PastRun>> {
    let (mut first, mut header, mut files) = (None::<Opened>, None, Vec::new());
    let (mut worked, mut state) = (TimeWorked::default(), RunState::Killed);
    for entry in Follower::of(open(path)?).more::<BriefEntry>()?.into_iter().flatten() {
        match entry {
            BriefEntry::Opened(opened) => {
                worked.session_begins(opened.started);
                first = first.or(Some(*opened));
            }
            // Once for each time that the run was taken up.
            BriefEntry::RunStarted(found) => (header, state) = (Some(found), RunState::Killed),
            BriefEntry::Resumed { at } => worked.session_begins(at),
            BriefEntry::FileFinished(file) => {
                worked.file_finishes(file.finished);
                files.push(*file);
            }
            BriefEntry::RunFinished { elapsed, end } => {
                worked.session_ends(elapsed);
                state = RunState::Ended(end);
            }
            BriefEntry::WorkerLost(_) | BriefEntry::AttemptEnded(_) => {}
        }
    }
    let known = first.filter(|opened| opened.format == FORMAT).zip(header);
    Ok(known.map(|(opened, header)| {
        let Opened { run: name, started, circumstances, places, .. } = opened;
        let (elapsed, totals) = (worked.sum(), Totals::of_summaries(&files));
        let run = RunSummary { name, started, header, circumstances, totals, elapsed, state };
        PastRun { run, places, files }
    }))
}

/// Appends what happens in a run to its journal.
#[derive(Debug)]
pub struct JournalWriter {
    lines: Appender,
    /// The header is there already, and is not repeated.
    has_begun: bool,
    /// What brings the folder of the run to the disk. No result is reported before that.
    behind: Option<JoinHandle<io::Result<()>>>,
}

impl JournalWriter {
    /// Begins a journal.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn create(path: &Path, opened: Opened) -> io::Result<Self> {
        let mut lines = Appender::open(path)?;
        lines.append(&Entry::Opened(Cow::Owned(opened)))?;
        lines.sync()?;
        sync_folder(folder_of(path))?;
        Ok(Self { lines, has_begun: false, behind: None })
    }

    /// Begins a journal that can be read from then on: what the run is, and its header, which the run does not have to tell
    /// again.
    pub(super) fn begin(path: &Path, opened: Opened, header: &RunHeader) -> io::Result<Self> {
        let mut lines = Appender::open(path)?;
        lines.append(&Entry::Opened(Cow::Owned(opened)))?;
        lines.append(&Entry::RunStarted(Cow::Borrowed(header)))?;
        Ok(Self { lines, has_begun: true, behind: None })
    }

    /// Brings these files and folders to the disk while the workers start: that takes about as long.
    pub(super) fn sync_behind(&mut self, files: Vec<File>) -> io::Result<()> {
        let files = Arc::new(files);
        let of_thread = files.clone();
        let sync = |files: &[File]| files.iter().try_for_each(File::sync_all);
        match std::thread::Builder::new().spawn(move || sync(&of_thread)) {
            Ok(thread) => self.behind = Some(thread),
            // There is no room for a thread.
            Err(_) => sync(&files)?,
        }
        Ok(())
    }

    /// Goes on with a journal, which is no longer compressed then, at so many milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Returns the error of the file system.
    pub fn resume(path: &Path, at: i64) -> io::Result<Self> {
        make_plain(path)?;
        let mut lines = Appender::open(path)?;
        lines.append(&Entry::Resumed { at })?;
        Ok(Self { lines, has_begun: false, behind: None })
    }

    fn write(&mut self, event: &RunEvent) -> io::Result<()> {
        let (entry, durable) = match event {
            RunEvent::RunStarted(_) if std::mem::take(&mut self.has_begun) => return Ok(()),
            RunEvent::RunStarted(header) => (Entry::RunStarted(Cow::Borrowed(header)), true),
            RunEvent::WorkerLost { shown, record, how, again } => {
                let (shown, record) = (Cow::Borrowed(shown.as_str()), record.clone());
                (Entry::WorkerLost { shown, record, how: *how, again: *again }, false)
            }
            RunEvent::AttemptEnded { file, shown, attempt } => {
                let (file, shown) = (Cow::Borrowed(file), Cow::Borrowed(shown.as_str()));
                (Entry::AttemptEnded { file, shown, attempt: Cow::Borrowed(attempt) }, false)
            }
            RunEvent::FileFinished(report) => (Entry::FileFinished(Cow::Borrowed(report)), true),
            RunEvent::RunFinished { elapsed, end } => {
                (Entry::RunFinished { elapsed: *elapsed, end: *end }, true)
            }
            _ => return Ok(()),
        };
        self.lines.append(&entry)?;
        if !durable {
            return Ok(());
        }
        if let Some(behind) = self.behind.take() {
            behind.join().map_err(|_| io::Error::other("a thread has died"))??;
        }
        self.lines.sync()
    }
}

impl EventSink for JournalWriter {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        self.write(event).map_err(|source| SinkError { what: "journal of the run", source })
    }
}

/// Writes the journal of a run that has ended.
pub(super) fn write_whole(out: &mut impl Write, opened: Opened, report: &RunReport) -> io::Result<()> {
    out.write_all(&line_of(&Entry::Opened(Cow::Owned(opened)))?)?;
    out.write_all(&line_of(&Entry::RunStarted(Cow::Borrowed(&report.header)))?)?;
    for file in &report.files {
        out.write_all(&line_of(&Entry::FileFinished(Cow::Borrowed(file)))?)?;
    }
    // The last entry says that the others are all.
    out.write_all(&line_of(&Entry::RunFinished { elapsed: report.elapsed, end: report.end })?)
}

/// Returns the number of lines that are damaged. One in front of the beginning of a session is none: the session before
/// it was killed, or its disk was full, while it wrote that line, and whatever was to be in it is reported again.
fn damaged(entries: &[Option<Entry<'_>>]) -> usize {
    let is_torn = |place: usize| {
        matches!(entries.get(place + 1), Some(Some(Entry::Resumed { .. } | Entry::RunStarted(_))))
    };
    (1..entries.len().max(1)).filter(|&place| entries[place].is_none() && !is_torn(place)).count()
        + usize::from(entries.first().is_some_and(Option::is_none))
}

/// Returns whether a line is the beginning of a session.
pub(super) fn begins_session(line: &[u8]) -> bool {
    let starts = [&b"{\"Resumed\""[..], b"{\"RunStarted\""];
    text_of(line).is_some_and(|text| starts.iter().any(|start| text.starts_with(start)))
}

/// A journal that was read.
#[derive(Debug)]
pub struct Journal {
    /// What it says of the run.
    pub opened: Opened,
    /// The report, as far as the run has come.
    pub report: RunReport,
    /// The attempts at files that have no result yet.
    pub attempts: FileAttempts,
    /// The number of lines that are damaged, and tell nothing.
    pub damaged: usize,
    /// Whether the run has ended; if not, it continues or was killed.
    pub ended: bool,
}

impl Journal {
    /// Reads a journal; `None` if it does not say which run it is of.
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

    /// Reads what was there when the file had this length.
    pub(super) fn read_up_to(path: &Path, length: u64) -> io::Result<Option<Self>> {
        Self::of_bytes(&beginning(path, length)?)
    }

    /// Reads a journal that is in memory.
    pub(super) fn of_bytes(bytes: &[u8]) -> io::Result<Option<Self>> {
        let entries = Follower::of(bytes).more::<Entry<'_>>()?;
        let damaged = damaged(&entries);
        let mut opened = None;
        let mut ended = false;
        let mut events = Vec::with_capacity(entries.len());
        let mut files = HashSet::new();
        let mut attempts = FileAttempts::new();
        let mut worked = TimeWorked::default();
        for entry in entries.into_iter().flatten() {
            ended = matches!(entry, Entry::RunFinished { .. });
            match entry {
                Entry::Opened(found) => {
                    worked.session_begins(found.started);
                    opened = opened.or_else(|| Some(found.into_owned()));
                }
                Entry::RunStarted(header) => events.push(RunEvent::RunStarted(header.into_owned())),
                Entry::Resumed { at } => worked.session_begins(at),
                Entry::WorkerLost { shown, record, how, again } => {
                    let shown = shown.into_owned();
                    events.push(RunEvent::WorkerLost { shown, record, how, again });
                }
                Entry::AttemptEnded { file, attempt, .. } => {
                    attempts.entry(file.into_owned()).or_default().push(attempt.into_owned());
                }
                // The first result of a file is the one that was reported.
                Entry::FileFinished(report) => {
                    worked.file_finishes(report.finished);
                    attempts.remove(&report.file);
                    if files.insert(report.file.clone()) {
                        events.push(RunEvent::FileFinished(Box::new(report.into_owned())));
                    }
                }
                // One for each time that the run was started.
                Entry::RunFinished { elapsed, end } => {
                    worked.session_ends(elapsed);
                    events.push(RunEvent::RunFinished { elapsed, end });
                }
            }
        }
        let known = opened.filter(|opened: &Opened| opened.format == FORMAT).zip(fold(events));
        let read = |(opened, report)| Self {
            opened,
            report: RunReport { elapsed: worked.sum(), ..report },
            attempts,
            damaged,
            ended,
        };
        Ok(known.map(read))
    }
}

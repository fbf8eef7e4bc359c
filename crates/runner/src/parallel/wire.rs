//! The messages between the processes of a run.
//!
//! The orchestrator writes one document for all workers; each worker answers on a pipe with one message a line, framed as
//! RFC 7464 has it: a record separator, JSON, a line feed. The pipe is the worker's standard output only until the worker
//! has started ([`super::stdio`]), so an engine cannot write to it. The frame tells messages from what an embedding
//! program may have printed before. Both ends are one program in one version, which the first message makes sure of; what
//! is said of files and records has the forms of [`crate::wire`].

use std::borrow::Cow;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::ledger::Attempts;
use super::limits::Limits;
use crate::wire::{
    DigestForm, EngineIdentityForm, FailingRecordForm, FileReportForm, Lent, List, Maybe, RecordKeyForm,
    RecordNameForm, SettingsForm, SliceForm,
};
use slt_core::engine::{EngineError, EngineIdentity, RegistryError};
use slt_core::executor::Settings;
use slt_core::executor::slice::Slice;
use slt_core::location::path_text;
use slt_core::outcome::{Digest, FailingRecord, FileReport, RecordKey, RecordName};

/// What both ends must agree on: the version of the messages and of the program.
pub(super) const PROTOCOL: &str = concat!("5/", env!("CARGO_PKG_VERSION"));

/// The document that all processes of a run read: written once, before the first of them starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) protocol: String,
    #[serde(with = "EngineIdentityForm")]
    pub(super) engine: EngineIdentity,
    #[serde(with = "SettingsForm")]
    pub(super) settings: Settings,
    pub(super) limits: Limits,
    pub(super) attempts: Attempts,
    pub(super) kind: WorkKind,
    pub(super) items: Vec<AssignedItem>,
    /// In the order in which they are given out; see [`Self::given`].
    pub(super) tasks: Vec<Task>,
    /// How many of the tasks are given out from the beginning. The others are whole files, whose slices are given out
    /// instead as long as these make one report.
    pub(super) given: usize,
}

/// What workers do with each file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum WorkKind {
    /// They judge all of its records, and drop what the engine prints.
    Run,
    /// They do what `test` wants: what the engine prints goes to standard error.
    Test {
        /// The line of the only record to judge, after the statements before it.
        only: Option<u32>,
        /// Whether each record is named on standard error before it runs.
        trace: bool,
    },
    /// They judge nothing, and look for the rows behind the hashes of these records.
    Unhash(#[serde(with = "List::<FailingRecordForm>")] Vec<FailingRecord>),
}

impl WorkKind {
    /// The line of the only record that is judged.
    pub(super) fn only(&self) -> Option<u32> {
        if let Self::Test { only, .. } = self { *only } else { None }
    }

    pub(super) fn is_traced(&self) -> bool {
        matches!(self, Self::Test { trace: true, .. })
    }

    pub(super) fn shows_output(&self) -> bool {
        matches!(self, Self::Test { .. })
    }
}

/// A file of the run; one without a path is in the program itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AssignedItem {
    pub(super) file: String,
    pub(super) shown: String,
    /// The text of an absolute path, so that a process that was started elsewhere finds the file.
    pub(super) path: Option<String>,
    /// How long the file may take.
    pub(super) timeout: Option<Duration>,
    /// The records that are not to be executed.
    #[serde(with = "List::<RecordNameForm>")]
    pub(super) left_out: Vec<RecordName>,
    /// Shows whether the file has changed since the run began; `None` for an embedded file and for one that could not be
    /// read.
    pub(super) stamp: Option<Stamp>,
}

/// What changes when a file does: its length, and when it was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    length: u64,
    written: Option<SystemTime>,
}

impl Stamp {
    /// The stamp of the file as it is now.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { length: file.len(), written: file.modified().ok() })
    }
}

/// What a worker takes up at once: a file, or a slice of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) item: usize,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<SliceForm>")]
    pub(super) slice: Option<Slice>,
}

/// What a task came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(with = "FileReportForm")]
    pub(super) report: FileReport,
    /// Of a slice that came to its end: what the statements did.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<DigestForm>")]
    pub(super) set_up: Option<Digest>,
}

impl Task {
    /// The whole file.
    pub(super) fn whole(item: usize) -> Self {
        Self { item, slice: None }
    }
}

impl Part {
    /// What became of a whole file, or of a slice that did not come to its end.
    pub(super) fn of(report: FileReport) -> Self {
        Self { report, set_up: None }
    }
}

impl Assignment {
    /// Writes the document whole, or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        // What the user's umask leaves of it, as for any file: others may help.
        let mode = std::fs::Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().prefix(".run-").permissions(mode).tempfile_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        // Whoever gives the run its name brings it to the disk with the rest.
        Ok(file.persist(assignment_path(folder)).map(drop)?)
    }

    /// Reads the document of the run in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, AssignmentError> {
        let text = std::fs::read(assignment_path(folder)).map_err(AssignmentError::Io)?;
        // First of all, and whatever else may have changed: for which version it was written.
        let version: Version =
            serde_json::from_slice(&text).map_err(|error| AssignmentError::Io(error.into()))?;
        if version.protocol != PROTOCOL {
            return Err(AssignmentError::Protocol { found: version.protocol });
        }
        let mut assignment: Self =
            serde_json::from_slice(&text).map_err(|error| AssignmentError::Io(error.into()))?;
        for path in assignment.items.iter_mut().filter_map(|item| item.path.as_mut()) {
            // A path that is absolute stays as it is.
            *path = path_text::of(&folder.join(path_text::path(path)));
        }
        Ok(assignment)
    }
}

#[derive(Deserialize)]
struct Version {
    protocol: String,
}

/// Why the document of a run cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AssignmentError {
    /// It cannot be read.
    #[error("cannot read `run.json` of the run")]
    Io(#[source] io::Error),
    /// It is that of another program.
    #[error("the run uses protocol `{found}`, this program uses `{PROTOCOL}`")]
    Protocol {
        /// What the document says.
        found: String,
    },
    /// The engine of this program is another one.
    #[error("the run is on {expected}, and this program has {found}")]
    OtherEngine {
        /// The engine of the run.
        expected: String,
        /// The engine of this program.
        found: String,
    },
    /// There is no such engine here.
    #[error(transparent)]
    Engine(#[from] RegistryError),
    /// The engine is not available here.
    #[error(transparent)]
    Unavailable(#[from] EngineError),
}

fn assignment_path(folder: &Path) -> PathBuf {
    folder.join("run.json")
}

/// What a worker says. A record is borrowed where it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerMessage<'m> {
    /// The first message.
    Hello { protocol: String },
    /// A task was claimed, at a time of the clock that processes share.
    Claimed { task: usize, at: Duration },
    /// The file of the task was read and has this many records.
    Counted { task: usize, total: u64 },
    /// A record of the task has not passed.
    NotPassed {
        task: usize,
        #[serde(with = "Lent::<FailingRecordForm>")]
        record: Cow<'m, FailingRecord>,
    },
    /// The task is done. The records that have not passed are not repeated; their keys are known now.
    Finished {
        task: usize,
        part: Box<Part>,
        #[serde(with = "List::<Maybe<RecordKeyForm>>")]
        keys: Vec<Option<RecordKey>>,
    },
    /// There is nothing left to claim.
    Done,
}

const RECORD_SEPARATOR: u8 = 0x1e;

impl WorkerMessage<'_> {
    /// Writes the message in its frame, in one piece.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut frame = vec![RECORD_SEPARATOR];
        serde_json::to_writer(&mut frame, self)?;
        frame.push(b'\n');
        out.write_all(&frame)?;
        out.flush()
    }

    /// Whether a worker that is at `current` of `tasks` tasks can say this. Only a worker whose memory is damaged says
    /// anything else.
    pub(super) fn makes_sense(&self, current: Option<usize>, tasks: usize) -> bool {
        match self {
            Self::Hello { protocol } => protocol == PROTOCOL,
            Self::Claimed { task, .. } => current.is_none() && *task < tasks,
            Self::Counted { task, .. } | Self::NotPassed { task, .. } => current == Some(*task),
            Self::Finished { task, part, .. } => current == Some(*task) && part.report.counts.add_up(),
            Self::Done => current.is_none(),
        }
    }

    /// Reads the message of a line; nothing if the line is no message but something else that was printed.
    pub(super) fn read(line: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        // What was printed without a line feed stands in front of the frame.
        let start = memchr::memrchr(RECORD_SEPARATOR, line)? + 1;
        Some(serde_json::from_slice(&line[start..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_what_is_printed_before_them() {
        let mut stream = b"printed without end".to_vec();
        WorkerMessage::Claimed { task: 3, at: Duration::ZERO }.write(&mut stream).unwrap();
        stream.extend_from_slice(b"a whole line\n");
        WorkerMessage::Done.write(&mut stream).unwrap();
        let messages: Vec<_> =
            stream.split_inclusive(|&byte| byte == b'\n').filter_map(WorkerMessage::read).collect();
        assert!(matches!(
            messages.as_slice(),
            [Ok(WorkerMessage::Claimed { task: 3, .. }), Ok(WorkerMessage::Done)]
        ));
    }
}

//! The messages between the processes of a run.
//!
//! The orchestrator writes one assignment for all workers. Each worker answers on a pipe with one message a line,
//! framed as in RFC 7464: a record separator, JSON, a line feed. The pipe is the worker's standard output only until
//! the worker has started ([`super::stdio`]), so an engine cannot write to it. The frame separates messages from
//! earlier output of an embedding program. Both ends are the same version of one program, which the first message
//! checks; files and records have the forms of [`crate::wire`].

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::limits::WorkerLimits;
use super::step::{PausePoint, SessionAnswer, StepVerdict};
use super::timeline::TaskTimes;
use crate::atomic_file;
use crate::wire::{
    DigestForm, EngineIdForm, ExitHowForm, FailingRecordForm, FileIdForm, FileReportForm, FlakyResultForm,
    Lent, List, Maybe, RecordIdForm, RecordKeyForm, RecordNameForm, RemoteForm as _, SettingsForm, SliceForm,
};
use slt_core::engine::{EngineError, EngineId, RegistryError};
use slt_core::executor::Settings;
use slt_core::executor::slice::Slice;
use slt_core::location::{FileId, path_text};
use slt_core::outcome::{
    Digest, ExitHow, FailingRecord, FileReport, FlakyResult, RecordId, RecordKey, RecordName,
};

/// The version of the messages and of the program, which must be equal on both ends.
pub(super) const PROTOCOL: &str = concat!("10/", env!("CARGO_PKG_VERSION"));

/// The assignment that all processes of a run read: written once, before the first of them starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Assignment {
    pub(super) protocol: String,
    #[serde(with = "EngineIdForm")]
    pub(super) engine: EngineId,
    #[serde(with = "SettingsForm")]
    pub(super) settings: Settings,
    pub(super) limits: WorkerLimits,
    pub(super) attempts: Attempts,
    pub(super) kind: WorkKind,
    pub(super) items: Vec<AssignedItem>,
    /// The tasks in the order of the queue; see [`Self::given`].
    pub(super) tasks: Vec<Task>,
    /// The number of tasks that are queued at the start.
    ///
    /// The others are whole files that are run in slices, queued only if their slices cannot be merged.
    pub(super) given: usize,
    /// Whether idle workers may help with running files.
    pub(super) shares: bool,
}

/// The number of times that a file is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The number of retries if it has not passed.
    pub retries: u32,
    /// The number of runs in any case; at least one.
    pub repeat: u32,
    /// Whether a flaky file counts as passed or failed.
    #[serde(with = "FlakyResultForm")]
    pub flaky: FlakyResult,
    /// Whether another worker retries it after its first crash.
    pub after_crash: bool,
}

/// The work to do with each file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum WorkKind {
    /// Judge all records, and discard the engine's output.
    Run,
    /// Run as the command `test` does: the engine's output goes to standard error.
    Test {
        /// The line of the only record to judge, after the statements before it.
        only: Option<u32>,
        /// Whether each record is named on standard error before it runs.
        trace: bool,
    },
    /// Run as `test` does, but step by step, as the main process says.
    Step {
        /// The record before which it pauses first; `None` for the end of the file.
        #[serde(with = "Maybe::<RecordIdForm>")]
        target: Option<RecordId>,
    },
    /// Run the text in the folder of the run in place of the file, and find what would make failing records right.
    Update {
        /// The line of the only record to judge, after the statements before it.
        only: Option<u32>,
    },
    /// Judge nothing, and find the rows after the hashes of these records.
    Unhash(#[serde(with = "List::<FailingRecordForm>")] Vec<FailingRecord>),
}

impl WorkKind {
    /// Returns the line of the only record to judge.
    pub(super) fn only(&self) -> Option<u32> {
        match self {
            Self::Test { only, .. } | Self::Update { only } => *only,
            Self::Run | Self::Step { .. } | Self::Unhash(_) => None,
        }
    }

    pub(super) fn is_traced(&self) -> bool {
        matches!(self, Self::Test { trace: true, .. })
    }

    pub(super) fn shows_output(&self) -> bool {
        matches!(self, Self::Test { .. } | Self::Step { .. })
    }
}

/// A file of the run; one without a path is embedded in the program.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AssignedItem {
    #[serde(with = "FileIdForm")]
    pub(super) file: FileId,
    pub(super) shown: String,
    /// An absolute path, so that processes with other working directories find the file.
    pub(super) path: Option<String>,
    /// The time limit of the file.
    pub(super) timeout: Option<Duration>,
    /// The records to leave out.
    #[serde(with = "List::<RecordNameForm>")]
    pub(super) left_out: Vec<RecordName>,
    /// The dialect that a setting for files with this path requests.
    pub(super) dialect: Option<String>,
    /// Detects changes of the file since the run began; `None` for embedded and unreadable files.
    pub(super) stamp: Option<FileStamp>,
}

/// The attributes that change with a file: its length and modification time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStamp {
    length: u64,
    written: Option<SystemTime>,
}

impl FileStamp {
    /// Returns the current stamp of the file.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self { length: file.len(), written: file.modified().ok() })
    }
}

/// The unit of a claim: a file, or a slice of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) item: usize,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<SliceForm>")]
    pub(super) slice: Option<Slice>,
}

/// The result of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TaskResult {
    #[serde(with = "FileReportForm")]
    pub(super) report: FileReport,
    /// For a completed slice, or one of the workers of a shared file: a digest of the statements' results.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<DigestForm>")]
    pub(super) set_up: Option<Digest>,
    /// Whether it is of only one of the workers that shared the file, and cannot be merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_part: bool,
}

/// The end of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TaskEnd {
    /// Its worker completed it.
    Finished,
    /// Its worker was stopped because of a limit.
    Stopped,
    /// Its worker died, possibly while a record was running.
    Died {
        #[serde(default, skip_serializing_if = "Option::is_none", with = "Maybe::<RecordIdForm>")]
        record: Option<RecordId>,
        #[serde(with = "ExitHowForm")]
        how: ExitHow,
    },
    /// Its worker was stopped because of an earlier task.
    Bystander,
}

impl Task {
    /// Creates the task for a whole file.
    pub(super) fn whole(item: usize) -> Self {
        Self { item, slice: None }
    }
}

impl TaskResult {
    /// Creates the result of a whole file, or of an incomplete slice.
    pub(super) fn new(report: FileReport) -> Self {
        Self { report, set_up: None, is_part: false }
    }
}

impl Assignment {
    /// Writes the assignment atomically.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        // The file is synced when the run gets its name.
        atomic_file::replace(&assignment_path(folder), |out| Ok(serde_json::to_writer(out, self)?))
    }

    /// Reads the assignment of the run in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, AssignmentError> {
        let text = std::fs::read(assignment_path(folder)).map_err(AssignmentError::Io)?;
        // The version comes first, because everything else may differ between versions.
        let version: AssignmentVersion =
            serde_json::from_slice(&text).map_err(|error| AssignmentError::Io(error.into()))?;
        if version.protocol != PROTOCOL {
            return Err(AssignmentError::Protocol { found: version.protocol });
        }
        let mut assignment: Self =
            serde_json::from_slice(&text).map_err(|error| AssignmentError::Io(error.into()))?;
        for path in assignment.items.iter_mut().filter_map(|item| item.path.as_mut()) {
            // An absolute path stays as it is.
            *path = path_text::of(&folder.join(path_text::path(path)));
        }
        Ok(assignment)
    }
}

#[derive(Deserialize)]
struct AssignmentVersion {
    protocol: String,
}

/// A reason why the assignment of a run is unusable.
#[derive(Debug, thiserror::Error)]
pub enum AssignmentError {
    /// It cannot be read.
    #[error("cannot read `run.json` of the run")]
    Io(#[source] io::Error),
    /// It belongs to another program version.
    #[error("the run uses protocol `{found}`, this program uses `{PROTOCOL}`")]
    Protocol {
        /// The version in the assignment.
        found: String,
    },
    /// This program has another engine.
    #[error("the run is on {expected}, and this program has {found}")]
    OtherEngine {
        /// The engine of the run.
        expected: String,
        /// The engine of this program.
        found: String,
    },
    /// The engine is unknown here.
    #[error(transparent)]
    Engine(#[from] RegistryError),
    /// The engine is not available here.
    #[error(transparent)]
    Unavailable(#[from] EngineError),
}

fn assignment_path(folder: &Path) -> PathBuf {
    folder.join("run.json")
}

/// A message from a worker. A record is borrowed for writing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WorkerMessage<'m> {
    /// The first message.
    Hello { protocol: String },
    /// A task was claimed. `at` is the time on the clock that all processes share, `stderr` the length of the file of
    /// standard error, in bytes.
    Claimed { task: usize, at: Duration, stderr: u64 },
    /// The file of the task was read and has this many records.
    Counted { task: usize, total: u64 },
    /// The following records are in this included file and iteration; the line has no meaning.
    Entered {
        task: usize,
        #[serde(with = "RecordIdForm")]
        scope: RecordId,
    },
    /// A record of the task has not passed.
    NotPassed {
        task: usize,
        #[serde(with = "Lent::<FailingRecordForm>")]
        record: Cow<'m, FailingRecord>,
    },
    /// The task is done. Failing records are not repeated; their keys are known now.
    Finished {
        task: usize,
        result: Box<TaskResult>,
        #[serde(with = "List::<Maybe<RecordKeyForm>>")]
        keys: Vec<Option<RecordKey>>,
        /// The parts of its time, if the worker measures them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<Box<TaskTimes>>,
    },
    /// The task has paused.
    Paused { task: usize, point: Box<PausePoint> },
    /// A record has an outcome.
    Settled { task: usize, verdict: StepVerdict, elapsed: Duration },
    /// The results of SQL.
    Answered { task: usize, answer: Box<SessionAnswer> },
    /// The queue is empty.
    Done,
}

const RECORD_SEPARATOR: u8 = 0x1e;

impl WorkerMessage<'_> {
    /// Writes the framed message with one call.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut frame = vec![RECORD_SEPARATOR];
        serde_json::to_writer(&mut frame, self)?;
        frame.push(b'\n');
        out.write_all(&frame)?;
        out.flush()
    }

    /// Returns whether a worker at task `current` of `tasks` tasks can send this. Only a worker with damaged memory
    /// sends anything else.
    pub(super) fn makes_sense(&self, current: Option<usize>, tasks: usize) -> bool {
        match self {
            Self::Hello { protocol } => protocol == PROTOCOL,
            Self::Claimed { task, .. } => current.is_none() && *task < tasks,
            Self::Counted { task, .. } | Self::Entered { task, .. } | Self::NotPassed { task, .. } => {
                current == Some(*task)
            }
            Self::Finished { task, result, .. } => current == Some(*task) && result.report.counts.add_up(),
            // A worker of a run does not step.
            Self::Paused { .. } | Self::Settled { .. } | Self::Answered { .. } => false,
            Self::Done => current.is_none(),
        }
    }

    /// Parses the message of a line; `None` for other output.
    pub(super) fn read(line: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        // Output without a line feed precedes the frame.
        let start = memchr::memrchr(RECORD_SEPARATOR, line)? + 1;
        Some(serde_json::from_slice(&line[start..]))
    }
}

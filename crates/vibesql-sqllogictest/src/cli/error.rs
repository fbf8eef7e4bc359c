//! Errors of the command line, and the exit code that stands for each.

use std::error::Error;

use super::config::Mistake;
use crate::engine::{EngineError, RegistryError};
use crate::executor::parallel::{AssignmentError, PlanError, RunError, WorkerError};
use crate::parser::{DIALECTS, UnknownDialect};
use crate::results::FolderError;
use crate::results::backup::BackupError;
use crate::results::import::ImportError;
use crate::results::portable::PortableError;
#[cfg(feature = "store")]
use crate::results::store::StoreError;
use crate::text::visible;

/// Why the process ends, as its exit code; documented in docs/exit-codes.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitReason {
    /// All good.
    Success,
    /// A record has not passed.
    TestsFailed,
    /// Wrong arguments, or input that cannot be read as what it should be.
    Usage,
    /// There was nothing to do.
    NothingSelected,
    /// What was good is not any more.
    Regressed,
    /// The run did not come to its end.
    Incomplete,
    /// The engine cannot be had.
    EngineUnavailable,
    /// A bug of ours.
    Internal,
}

impl ExitReason {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::TestsFailed => 1,
            Self::Usage => 2,
            Self::NothingSelected => 3,
            Self::Regressed => 4,
            Self::Incomplete => 5,
            Self::EngineUnavailable => 6,
            Self::Internal => 70,
        }
    }

    /// The graver of two reasons: 70, 6, 5, 2, 4, 1, then 3, then 0.
    pub(super) fn or_graver(self, other: Self) -> Self {
        if other.gravity() > self.gravity() { other } else { self }
    }

    fn gravity(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::NothingSelected => 1,
            Self::TestsFailed => 2,
            Self::Regressed => 3,
            Self::Usage => 4,
            Self::Incomplete => 5,
            Self::EngineUnavailable => 6,
            Self::Internal => 7,
        }
    }
}

/// An error as the user gets it: what, because of what, and the way out.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) reason: ExitReason,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hints: Vec<String>,
    /// The reader of standard output has left, as `head` does: nothing is printed.
    pub(super) reader_gone: bool,
}

impl CliError {
    fn new(reason: ExitReason, error: &dyn Error, hints: Vec<String>) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self { reason, message: error.to_string(), causes, hints, reader_gone: false }
    }

    fn plain(reason: ExitReason, message: String, hints: Vec<String>) -> Self {
        Self { reason, message, causes: Vec::new(), hints, reader_gone: false }
    }

    /// A wrong argument, or wrong input.
    pub(super) fn usage(message: String, hints: Vec<String>) -> Self {
        Self::plain(ExitReason::Usage, message, hints)
    }

    /// Something that is left without anything to do.
    pub(super) fn nothing_selected(message: String, hints: Vec<String>) -> Self {
        Self::plain(ExitReason::NothingSelected, message, hints)
    }

    /// A file that cannot be read or written.
    pub(super) fn io(action: &str, path: &str, error: &std::io::Error) -> Self {
        let message = format!("cannot {action} `{}`", visible::line(path));
        Self { causes: vec![error.to_string()], ..Self::plain(ExitReason::Usage, message, Vec::new()) }
    }

    /// Standard output that cannot be written to; if its reader has left, this is the quiet end of a command.
    pub(super) fn output(error: &std::io::Error) -> Self {
        let failed = Self::io("write to", "standard output", error);
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => {
                Self { reason: ExitReason::Success, reader_gone: true, ..failed }
            }
            _ => failed,
        }
    }

    /// A program without a single engine.
    pub(super) fn no_engine() -> Self {
        let hint = "build with `--features engine-vibesql,engine-sqlite`".to_owned();
        Self::plain(ExitReason::EngineUnavailable, "this build has no engine".to_owned(), vec![hint])
    }

    /// A bug of ours.
    pub(super) fn internal(cause: String) -> Self {
        let message = "this is a bug of vibesql-sqllogictest".to_owned();
        let hint = "please report it with the command line and the test file".to_owned();
        Self { causes: vec![cause], ..Self::plain(ExitReason::Internal, message, vec![hint]) }
    }
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        let (reason, hint) = match &error {
            PlanError::NotFound(_) => (
                ExitReason::Usage,
                "a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`",
            ),
            PlanError::Glob { .. } => (ExitReason::Usage, "in a glob, [ ] and { } come in pairs"),
            PlanError::NothingMatches(_) => (
                ExitReason::NothingSelected,
                "directories are searched for *.test and *.slt; in a glob * stays within a folder, ** does not",
            ),
            PlanError::Unreadable { .. } => (ExitReason::Usage, "check the permissions of the directory"),
        };
        Self::new(reason, &error, vec![hint.to_owned()])
    }
}

impl From<Mistake> for CliError {
    fn from(mistake: Mistake) -> Self {
        let hint = match &mistake {
            Mistake::Unreadable { .. } => Some("--no-config does without a file".to_owned()),
            Mistake::UnknownKey { nearest: Some(nearest), .. } => {
                Some(format!("perhaps `{nearest}` is meant"))
            }
            Mistake::UnknownKey { nearest: None, .. } => {
                Some("keys are the long flags without `--`; docs/configuration.md has the others".to_owned())
            }
            Mistake::Selector { key, .. } => Some(match key.as_str() {
                "suite" => {
                    "use --suite, SQLLOGICTEST_SUITE, or `default-suite` in front of all tables".to_owned()
                }
                "profile" => {
                    "use --profile or SQLLOGICTEST_PROFILE; without them [profile.default] holds".to_owned()
                }
                _ => "this says where the file is; use the flag or its variable".to_owned(),
            }),
            Mistake::Value { .. } => Some("`--help` of the command says what the flag takes".to_owned()),
            Mistake::Variable { variable, .. } if variable.contains("WORKER_ID") => {
                Some("workers are counted from 1 to the number of all of them".to_owned())
            }
            Mistake::Variable { .. } => Some(
                "`--help` of the command says what the flag takes; unset the variable to do without"
                    .to_owned(),
            ),
            Mistake::Incomplete { .. } => {
                Some("an override has `files`, patterns as of --filter, and `timeout` in seconds".to_owned())
            }
            Mistake::UnknownName { kind, known, .. } if known.is_empty() => {
                Some(format!("the file has no {kind}"))
            }
            Mistake::UnknownName { kind, known, .. } => {
                Some(format!("{kind}s of the file: {}", known.join(", ")))
            }
            Mistake::NoFile { .. } => {
                Some("the file is looked for here and in the folders above; see --config".to_owned())
            }
            Mistake::Contradiction { .. } => Some("leave out one of them".to_owned()),
            Mistake::Circle { .. } | Mistake::Syntax { .. } => None,
        };
        Self::new(ExitReason::Usage, &mistake, hint.into_iter().collect())
    }
}

impl From<RegistryError> for CliError {
    fn from(error: RegistryError) -> Self {
        let (reason, hint) = match &error {
            RegistryError::Unknown { known, .. } => {
                (ExitReason::Usage, format!("engines of this build: {}", known.join(", ")))
            }
            RegistryError::NotBuilt { feature, .. } => (
                ExitReason::EngineUnavailable,
                format!("rebuild with `--features {feature}`, or choose another with --engine"),
            ),
            RegistryError::Argument { name, .. } => {
                (ExitReason::Usage, format!("write for instance `--engine {name}`"))
            }
        };
        Self::new(reason, &error, vec![hint])
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::new(ExitReason::EngineUnavailable, &error, Vec::new())
    }
}

impl From<UnknownDialect> for CliError {
    fn from(error: UnknownDialect) -> Self {
        let hint = format!("dialects: {}", DIALECTS.join(", "));
        Self::new(ExitReason::Usage, &error, vec![hint])
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let reason = match error {
            RunError::Assignment(error) => return error.into(),
            RunError::NoWorker { .. } => ExitReason::EngineUnavailable,
            RunError::Over => ExitReason::NothingSelected,
            RunError::Io { .. } | RunError::Sink(_) => ExitReason::Incomplete,
        };
        Self::new(reason, &error, Vec::new())
    }
}

impl From<AssignmentError> for CliError {
    fn from(error: AssignmentError) -> Self {
        let hint = match &error {
            AssignmentError::Io(_) => return Self::new(ExitReason::Incomplete, &error, Vec::new()),
            AssignmentError::Protocol { .. } => {
                "use the version that the run was started with, or start a new one"
            }
            AssignmentError::OtherEngine { .. } => {
                "use the build that the run was started with, or start a new one"
            }
            AssignmentError::Engine(_) => "use a build with the engine that the run was started with",
        };
        Self::new(ExitReason::Usage, &error, vec![hint.to_owned()])
    }
}

impl From<FolderError> for CliError {
    fn from(error: FolderError) -> Self {
        let (reason, hint) = match &error {
            FolderError::Io { .. } => (ExitReason::Usage, "--results DIR names another place for results"),
            FolderError::Unknown { .. } | FolderError::NoJournal(_) => {
                (ExitReason::Usage, "a run is named by the folder that it has in `runs`, or by its path")
            }
            FolderError::Nothing { .. } => {
                (ExitReason::NothingSelected, "--results DIR names another place for results")
            }
            FolderError::NoName { .. } => {
                (ExitReason::Usage, "--results DIR names another place for results")
            }
            FolderError::NoPlan(_) => (ExitReason::Usage, "`show` shows it, and `run` begins a new one"),
            FolderError::Busy(_) => (ExitReason::Usage, "`worker --join` helps with a run that is going on"),
        };
        Self::new(reason, &error, vec![hint.to_owned()])
    }
}

#[cfg(feature = "store")]
impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let hint = match error {
            StoreError::Folder(error) => return error.into(),
            StoreError::Io { .. } => {
                "--results DIR names another place for results; `show` and `status` read journals"
            }
            StoreError::Damaged(_) => "`store rebuild` makes the store again from the journals",
            StoreError::Newer { .. } => "use the newer program, or another place for results: --results DIR",
            StoreError::VibeSql { .. } => "the journals have everything: `show` and `status` read them",
            StoreError::Busy(_) => "wait for it, or look which process has the file `store/lock` open",
            StoreError::Twice(_) => "a run has one result of each file",
            StoreError::NoNumber(_) => "give its folder the name that it had",
        };
        Self::new(ExitReason::Usage, &error, vec![hint.to_owned()])
    }
}

impl From<PortableError> for CliError {
    fn from(error: PortableError) -> Self {
        let (reason, hint) = match error {
            PortableError::Folder(error) => return error.into(),
            PortableError::Running(_) => {
                (ExitReason::Usage, "wait until it has ended, or end it with Ctrl-C in its terminal")
            }
            PortableError::Io { .. } => {
                (ExitReason::Usage, "check that the place exists, may be written to, and is not full")
            }
            PortableError::Foreign(_) => (
                ExitReason::Usage,
                "`export` and `backup` make such files; `import` takes results of other programs",
            ),
            PortableError::Version { .. } => {
                (ExitReason::Usage, "use the version of this program that made it")
            }
            PortableError::Damaged { .. } => {
                (ExitReason::Usage, "nothing of it was taken in; carry it over again, or take another copy")
            }
        };
        Self::new(reason, &error, vec![hint.to_owned()])
    }
}

impl From<BackupError> for CliError {
    fn from(error: BackupError) -> Self {
        let hint = match error {
            BackupError::Portable(error) => return error.into(),
            BackupError::Different { .. } => {
                "older backups are as they were; look at the disk, and try again"
            }
            BackupError::NotRemoved { .. } => "check the permissions of the folder",
        };
        Self::new(ExitReason::Usage, &error, vec![hint.to_owned()])
    }
}

impl CliError {
    /// A file of another program that cannot be taken in.
    pub(super) fn import(error: &ImportError, file: &str) -> Self {
        let hint = match error {
            ImportError::Portable => "`merge` takes it in".to_owned(),
            ImportError::Unknown | ImportError::NotText { .. } => {
                "`import` takes JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports".to_owned()
            }
            ImportError::Sums(_) => "import what it was made of: sqllogictest_results.json, sqllogictest_cumulative.json, \
                sqllogictest_punchlist.json or .csv, or the dump sqllogictest_results.sql"
                .to_owned(),
            _ => "nothing of it was taken in; --format says what it is, if it is something else".to_owned(),
        };
        let error = Self::new(ExitReason::Usage, error, vec![hint]);
        Self { message: format!("cannot import `{file}`: {}", error.message), ..error }
    }
}

impl From<WorkerError> for CliError {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Engine(error) => error.into(),
            WorkerError::Assignment(error) => error.into(),
            error => Self::new(ExitReason::Incomplete, &error, Vec::new()),
        }
    }
}

//! Errors of the command line, with the exit code and the hints of each.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use super::exit::ExitReason;
use slt_core::engine::{EngineError, RegistryError};
use slt_core::outcome::ExitHow;
use slt_core::parser::{DIALECTS, UnknownDialect};
use slt_runner::parallel::{AssignmentError, PlanError, RunError, WorkerError};
use slt_runner::results::FolderError;
use slt_runner::results::backup::BackupError;
use slt_runner::results::import::ImportError;
use slt_runner::results::portable::PortableError;
#[cfg(feature = "store")]
use slt_store::StoreError;

/// What to do about it.
const SYSTEM_HINT: &str = "a system limit is reached; `ulimit -a` shows the limits: -v memory, -u processes and threads, -n \
     open files";

/// Whether the system refused something because a limit is reached.
fn is_refusal(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE))
}

/// The result of a command.
pub(super) type CommandResult = Result<ExitReason, CliError>;

/// An error as the user gets it: what, because of what, and the way out.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) reason: ExitReason,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hints: Vec<String>,
}

impl CliError {
    pub(super) fn new(reason: ExitReason, error: &dyn Error, hints: Vec<String>) -> Self {
        let mut causes = Vec::new();
        let mut refused = false;
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            refused |= error.downcast_ref().is_some_and(is_refusal);
            cause = error.source();
        }
        let error = Self { reason, message: error.to_string(), causes, hints };
        if refused { error.of_system() } else { error }
    }

    /// The same, where it comes of a limit of the system.
    fn of_system(self) -> Self {
        Self { reason: ExitReason::System, hints: vec![SYSTEM_HINT.to_owned()], ..self }
    }

    /// A thread that the system refused.
    pub(super) fn no_thread(cause: String) -> Self {
        let message = "cannot start a thread".to_owned();
        Self { causes: vec![cause], ..Self::plain(ExitReason::System, message, Vec::new()) }.of_system()
    }

    /// What a panic comes of: a bug of ours, or a library that cannot do without what the system refused.
    pub(super) fn panic(panic: String) -> Self {
        let code = panic.split_once("Os { code: ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        if code.is_some_and(|code| is_refusal(&std::io::Error::from_raw_os_error(code))) {
            let message = "the system refused a resource that this program needs".to_owned();
            let refused = Self::plain(ExitReason::System, message, Vec::new()).of_system();
            return Self { causes: vec![panic], ..refused };
        }
        Self::internal(panic)
    }

    fn plain(reason: ExitReason, message: String, hints: Vec<String>) -> Self {
        Self { reason, message, causes: Vec::new(), hints }
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
        let message = format!("cannot {action} `{path}`");
        let causes = vec![error.to_string()];
        let found = Self { causes, ..Self::plain(ExitReason::Usage, message, Vec::new()) };
        if is_refusal(error) { found.of_system() } else { found }
    }

    /// A temporary folder that cannot be used.
    pub(super) fn temporary_folder(error: &std::io::Error) -> Self {
        let folder = std::env::temp_dir();
        let hint = "the environment variable TMPDIR names another folder for temporary files".to_owned();
        Self {
            hints: vec![hint],
            ..Self::io("use a temporary folder in", &folder.display().to_string(), error)
        }
    }

    /// A name of an engine that none of the runs in `folder` is of; these are `known`.
    pub(super) fn no_run_on_engine(engine: &str, known: &BTreeSet<String>, folder: &Path) -> Self {
        if known.is_empty() {
            let message = format!("no run in `{}`", folder.display());
            return Self::nothing_selected(message, vec!["`run` makes one".to_owned()]);
        }
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let hint = format!("engines with runs: {}", known.join(", "));
        Self::nothing_selected(format!("no run on engine `{engine}`"), vec![hint])
    }

    /// A program without a single engine.
    pub(super) fn no_engine() -> Self {
        let hint = "build with `--features engine-vibesql,engine-sqlite`".to_owned();
        Self::plain(ExitReason::EngineUnavailable, "this build has no engine".to_owned(), vec![hint])
    }

    /// A bug of ours.
    pub(super) fn internal(cause: String) -> Self {
        let message = "this is a bug in vibesql-sqllogictest".to_owned();
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
            PlanError::Unreachable { is_link: true, .. } => {
                (ExitReason::Usage, "check where the link points to: `readlink -f` follows it")
            }
            PlanError::Unreachable { .. } => {
                (ExitReason::Usage, "check the permissions of its parent directories")
            }
            PlanError::InvalidGlob { .. } => (ExitReason::Usage, "in a glob, [ ] and { } come in pairs"),
            PlanError::NothingMatches(_) => (
                ExitReason::NothingSelected,
                "directories are searched for *.test and *.slt; in a glob * stays within a folder, ** does not",
            ),
            PlanError::Unreadable { .. } => (ExitReason::Usage, "check the permissions of the directory"),
            PlanError::Suite { .. } => {
                (ExitReason::Usage, "correct the file; docs/identity.md says what it is read for")
            }
        };
        Self::new(reason, &error, vec![hint.to_owned()])
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
            RunError::NoWorker { how: ExitHow::Code(code), .. }
                if code == i32::from(ExitReason::System.code()) =>
            {
                return Self::new(ExitReason::System, &error, Vec::new()).of_system();
            }
            RunError::NoWorker { .. } => ExitReason::EngineUnavailable,
            RunError::Ended => ExitReason::NothingSelected,
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
            AssignmentError::Unavailable(_) => {
                return Self::new(ExitReason::EngineUnavailable, &error, Vec::new());
            }
        };
        Self::new(ExitReason::Usage, &error, vec![hint.to_owned()])
    }
}

impl From<FolderError> for CliError {
    fn from(error: FolderError) -> Self {
        let (reason, hint) = match &error {
            FolderError::Io { .. } => {
                (ExitReason::Usage, "use --results DIR to select another results folder")
            }
            FolderError::Unknown { .. } | FolderError::NoJournal(_) => {
                (ExitReason::Usage, "name a run by its folder in `runs`, or by its path")
            }
            FolderError::Corrupt(_) | FolderError::NoHeader(_) => (
                ExitReason::Usage,
                "choose another run (see `runs`), or move its folder away and restore it with `store restore`",
            ),
            FolderError::OtherVersion { .. } => {
                (ExitReason::Usage, "name another run, see `runs`, or use the version that wrote it")
            }
            FolderError::Nothing { .. } => {
                (ExitReason::NothingSelected, "use --results DIR to select another results folder")
            }
            FolderError::NoName { .. } => {
                (ExitReason::Usage, "use --results DIR to select another results folder")
            }
            FolderError::NoPlan(_) => {
                (ExitReason::Usage, "use `show` to display it, or `run` to start a new run")
            }
            FolderError::Busy(_) => {
                (ExitReason::Usage, "use `worker --join` to add workers to a run in progress")
            }
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
                "use --results DIR to select another results folder; `show` and `status` need only the journals"
            }
            StoreError::Damaged(_) => "run `store rebuild` to recreate the store from the journals",
            StoreError::OtherVersion { .. } => {
                "use that version of this program, or move the folder of the file away and run `store rebuild`"
            }
            StoreError::VibeSql { .. } => "no results are lost: `show` and `status` read the journals",
            StoreError::Busy(_) => "wait for it, or find the process that has `store/lock` open",
            StoreError::Twice(_) => "a run must have one result per file",
            StoreError::NoNumber(_) => "restore the original name of its folder",
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
            PortableError::Io { .. } => (
                ExitReason::Usage,
                "check that the path exists, that you have permission, and that the disk is not full",
            ),
            PortableError::Foreign(_) => (
                ExitReason::Usage,
                "`store export` and `store backup` make such files; `store import` takes results of other programs",
            ),
            PortableError::Version { .. } => {
                (ExitReason::Usage, "use the version of this program that made it")
            }
            PortableError::Damaged { .. } => {
                (ExitReason::Usage, "nothing was imported from it; copy the file again, or use another copy")
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
            ImportError::Portable => "use `store merge` to import it".to_owned(),
            ImportError::Unknown | ImportError::NotText { .. } => {
                "`store import` takes JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports".to_owned()
            }
            ImportError::Sums(_) => "import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, \
                sqllogictest_punchlist.json, or the dump sqllogictest_results.sql"
                .to_owned(),
            _ => "nothing was imported from it; use --format if the format was detected incorrectly".to_owned(),
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

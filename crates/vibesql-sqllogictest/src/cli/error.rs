//! Errors of the command line, with the exit code and the hints of each.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use super::exit::ExitReason;
use super::repeat::shell_word;
use slt_core::engine::{EngineError, RegistryError};
use slt_core::outcome::ExitHow;
use slt_core::parser::{DIALECTS, DialectError, UnknownDialect};
use slt_runner::parallel::{AssignmentError, DiscoverError, RunError, WorkerError};
use slt_runner::results::FolderError;
use slt_runner::results::import::ImportError;
use slt_runner::results::portable::PortableError;
#[cfg(feature = "store")]
use slt_store::StoreError;

const SYSTEM_HINT: &str = "a system limit is reached; `ulimit -a` shows the limits: -v memory, -u processes and threads, -n \
     open files";

/// Whether the system refused something because a limit is reached.
fn is_refusal(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE))
}

/// The dump in which VibeSQL's earlier scripts kept results, in the folder that this program uses as well.
const OLD_DUMP: &str = "sqllogictest_results.sql";

/// Returns a hint about a dump of the earlier scripts in a results folder.
pub(super) fn old_dump_hint(folder: &Path) -> Option<String> {
    let dump = folder.join(OLD_DUMP);
    let command = || shell_word(&dump.display().to_string());
    dump.is_file().then(|| {
        format!(
            "run `store import --engine vibesql:mysql {}` for the results of VibeSQL's scripts",
            command()
        )
    })
}

/// The result of a command.
pub(super) type CommandResult<T = ExitReason> = Result<T, CliError>;

/// An error as it is printed: the message, its causes, and hints.
#[derive(Debug)]
pub(super) struct CliError {
    pub(super) reason: ExitReason,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hints: Vec<String>,
}

impl CliError {
    /// Returns the error with its causes.
    pub(super) fn new(reason: ExitReason, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut refused = false;
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            refused |= error.downcast_ref().is_some_and(is_refusal);
            cause = error.source();
        }
        let error = Self { causes, ..Self::plain(reason, error.to_string()) };
        if refused { error.caused_by_system() } else { error }
    }

    /// Marks the error as caused by a limit of the system.
    fn caused_by_system(self) -> Self {
        Self { reason: ExitReason::System, hints: vec![SYSTEM_HINT.to_owned()], ..self }
    }

    /// The system refused a thread.
    pub(super) fn no_thread(cause: String) -> Self {
        Self { causes: vec![cause], ..Self::plain(ExitReason::System, "cannot start a thread") }
            .caused_by_system()
    }

    /// Returns the error of a panic: a bug, or a library that panics when the system refuses a resource.
    pub(super) fn panic(panic: String) -> Self {
        let code = panic.split_once("Os { code: ").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
        if code.is_some_and(|code| is_refusal(&std::io::Error::from_raw_os_error(code))) {
            let message = "the system refused a resource that this program needs";
            return Self { causes: vec![panic], ..Self::plain(ExitReason::System, message) }
                .caused_by_system();
        }
        Self::internal(panic)
    }

    fn plain(reason: ExitReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A wrong argument, or wrong input.
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::plain(ExitReason::Usage, message).hint(hint)
    }

    /// Nothing is left to do.
    pub(super) fn nothing_selected(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::plain(ExitReason::NothingSelected, message).hint(hint)
    }

    /// Adds a hint, unless it is empty. A limit of the system has its own hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into()).filter(|hint| !hint.is_empty() && self.reason != ExitReason::System);
        self.hints.extend(hint);
        self
    }

    /// Returns the message with its causes.
    pub(super) fn in_one_line(&self) -> String {
        [&self.message].into_iter().chain(&self.causes).map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// A file that cannot be read or written.
    pub(super) fn io(action: &str, path: &str, error: &std::io::Error) -> Self {
        let plain = Self::plain(ExitReason::Usage, format!("cannot {action} `{path}`"));
        let found = Self { causes: vec![error.to_string()], ..plain };
        if is_refusal(error) { found.caused_by_system() } else { found }
    }

    /// A file of which the dialect cannot be chosen.
    pub(super) fn dialect(file: &str, error: &DialectError) -> Self {
        match error {
            DialectError::Unknown(error) => error.clone().into(),
            DialectError::Mixed { .. } => {
                let hint = "a line `# slt-dialect: NAME` at its top decides, and so does --dialect";
                Self::usage(format!("cannot read `{file}`: {error}"), hint)
            }
        }
    }

    /// A temporary folder that cannot be used.
    pub(super) fn temporary_folder(error: &std::io::Error) -> Self {
        let folder = std::env::temp_dir().display().to_string();
        let hint = "the environment variable TMPDIR names another folder for temporary files";
        Self { hints: vec![hint.to_owned()], ..Self::io("use a temporary folder in", &folder, error) }
    }

    /// No run in `folder` is on `engine`; runs are on the engines `known`.
    pub(super) fn no_run_on_engine(engine: &str, known: &BTreeSet<String>, folder: &Path) -> Self {
        if known.is_empty() {
            return Self::no_run(folder);
        }
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let hint = format!("engines with runs: {}", known.join(", "));
        Self::nothing_selected(format!("no run on engine `{engine}`"), hint)
    }

    /// A results folder without runs.
    pub(super) fn no_run(folder: &Path) -> Self {
        let message = format!("no run in `{}`", folder.display());
        Self::nothing_selected(message, old_dump_hint(folder).unwrap_or_default()).hint("`run` creates one")
    }

    /// A build without engines.
    pub(super) fn no_engine() -> Self {
        let hint = "build with `--features engine-vibesql,engine-sqlite`";
        Self::plain(ExitReason::EngineUnavailable, "this build has no engine").hint(hint)
    }

    /// A bug of this program.
    pub(super) fn internal(cause: String) -> Self {
        let hint = "please report it with the command line and the test file";
        let plain = Self::plain(ExitReason::Internal, "this is a bug in vibesql-sqllogictest");
        Self { causes: vec![cause], ..plain.hint(hint) }
    }

    /// A file of another program that cannot be imported.
    pub(super) fn import(error: &ImportError, file: &str) -> Self {
        let hint = match error {
            ImportError::Portable => "use `store merge` to import it",
            ImportError::Unknown | ImportError::NotText { .. } => {
                "`store import` accepts JSON results, punchlists and SQL dumps of VibeSQL's scripts, and JUnit reports"
            }
            ImportError::Sums(_) => {
                "import its source files: sqllogictest_results.json, sqllogictest_cumulative.json, \
                 sqllogictest_punchlist.json, or the dump sqllogictest_results.sql"
            }
            ImportError::Format { .. } => "import it with the version of this program that wrote it",
            _ => "nothing was imported from it; use --format if the format was detected incorrectly",
        };
        let error = Self::new(ExitReason::Usage, error).hint(hint);
        Self { message: format!("cannot import `{file}`: {}", error.message), ..error }
    }
}

impl From<DiscoverError> for CliError {
    fn from(error: DiscoverError) -> Self {
        let reason = match &error {
            DiscoverError::NothingMatches(_) => ExitReason::NothingSelected,
            _ => ExitReason::Usage,
        };
        let hint = match &error {
            DiscoverError::NotFound(_) => {
                "a path is a file, a directory or a glob; shipped files are called suite:PATH, see `list`"
            }
            DiscoverError::Unreachable { is_link: true, .. } => {
                "check where the link points to: `readlink -f` follows it"
            }
            DiscoverError::Unreachable { .. } => "check the permissions of its parent directories",
            DiscoverError::InvalidGlob { .. } => "in a glob, [ ] and { } come in pairs",
            DiscoverError::NothingMatches(_) => {
                "directories are searched for *.test and *.slt; in a glob * stays within a folder, ** does not"
            }
            DiscoverError::Unreadable { .. } => "check the permissions of the directory",
            DiscoverError::Suite { .. } => "correct the file; docs/identity.md describes how it is used",
        };
        Self::new(reason, &error).hint(hint)
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
            RegistryError::Variable { variable, .. } => (
                ExitReason::Usage,
                format!("set it, for example `{variable}=postgres://user:password@host/database`"),
            ),
            RegistryError::Address { name, .. } => {
                (ExitReason::Usage, format!("use for example `--engine {name}://user@host:port/database`"))
            }
            RegistryError::Password { .. } => (
                ExitReason::Usage,
                "remove it and set PGPASSWORD or MYSQL_PWD, or put the address into an environment variable and use \
                 `--engine env:VARIABLE`"
                    .to_owned(),
            ),
            RegistryError::Argument { name, found, .. } if found.trim().is_empty() => {
                (ExitReason::Usage, format!("add it after a colon: `--engine '{name}:…'`"))
            }
            RegistryError::Argument { name, .. } => {
                (ExitReason::Usage, format!("use for example `--engine {name}`"))
            }
        };
        Self::new(reason, &error).hint(hint)
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::new(ExitReason::EngineUnavailable, &error)
    }
}

impl From<UnknownDialect> for CliError {
    fn from(error: UnknownDialect) -> Self {
        Self::new(ExitReason::Usage, &error).hint(format!("dialects: {}", DIALECTS.join(", ")))
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let reason = match error {
            RunError::Assignment(error) => return error.into(),
            RunError::NoWorker { how: ExitHow::Code(code), .. }
                if code == i32::from(ExitReason::System.code()) =>
            {
                return Self::new(ExitReason::System, &error).caused_by_system();
            }
            RunError::NoWorker { .. } => ExitReason::EngineUnavailable,
            RunError::Ended => ExitReason::NothingSelected,
            RunError::Io { .. } | RunError::Sink(_) => ExitReason::Incomplete,
        };
        Self::new(reason, &error)
    }
}

impl From<AssignmentError> for CliError {
    fn from(error: AssignmentError) -> Self {
        let (reason, hint) = match &error {
            AssignmentError::Io(_) => (ExitReason::Incomplete, ""),
            AssignmentError::Unavailable(_) => (ExitReason::EngineUnavailable, ""),
            AssignmentError::Protocol { .. } => {
                (ExitReason::Usage, "use the version that the run was started with, or start a new one")
            }
            AssignmentError::OtherEngine { .. } => {
                (ExitReason::Usage, "use the build that the run was started with, or start a new one")
            }
            AssignmentError::Engine(_) => {
                (ExitReason::Usage, "use a build with the engine that the run was started with")
            }
        };
        Self::new(reason, &error).hint(hint)
    }
}

impl From<FolderError> for CliError {
    fn from(error: FolderError) -> Self {
        let reason = match &error {
            FolderError::Nothing { .. } => ExitReason::NothingSelected,
            _ => ExitReason::Usage,
        };
        let old_dump = match &error {
            FolderError::Nothing { what: "run", results } => old_dump_hint(results),
            _ => None,
        };
        let hint = match &error {
            FolderError::Io { .. } | FolderError::Nothing { .. } | FolderError::NoName { .. } => {
                "use --results DIR to select another results folder"
            }
            FolderError::Unknown { .. } | FolderError::NoJournal(_) => {
                "name a run as listed by `runs`, or by its path"
            }
            FolderError::Corrupt(_) | FolderError::NoHeader(_) => {
                "choose another run (see `runs`), or move its folder away and restore it with `store restore`"
            }
            FolderError::OtherVersion { .. } => {
                "name another run, see `runs`, or use the version that wrote it"
            }
            FolderError::NoPlan(_) => "use `show` to display it, or `run` to start a new run",
            FolderError::Busy(_) => "use `worker --join` to add workers to a run in progress",
        };
        Self::new(reason, &error).hint(old_dump.unwrap_or_default()).hint(hint)
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
        Self::new(ExitReason::Usage, &error).hint(hint)
    }
}

impl From<PortableError> for CliError {
    fn from(error: PortableError) -> Self {
        let hint = match error {
            PortableError::Folder(error) => return error.into(),
            PortableError::Running(_) => "wait until it has ended, or end it with Ctrl-C in its terminal",
            PortableError::Io { .. } => {
                "check that the path exists, that you have permission, and that the disk is not full"
            }
            PortableError::Foreign(_) => {
                "`store export` and `store backup` create such files; `store import` imports results of other programs"
            }
            PortableError::Version { .. } => "use the version of this program that made it",
            PortableError::Damaged { .. } => {
                "nothing was imported from it; copy the file again, or use another copy"
            }
            PortableError::Different { .. } => "older backups are unchanged; check the disk, and try again",
            PortableError::NotRemoved { .. } => "check the permissions of the folder",
        };
        Self::new(ExitReason::Usage, &error).hint(hint)
    }
}

impl From<WorkerError> for CliError {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Engine(error) => error.into(),
            WorkerError::Assignment(error) => error.into(),
            error => Self::new(ExitReason::Incomplete, &error),
        }
    }
}

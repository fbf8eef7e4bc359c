//! The settings for reading and executing files, shared by a run, its workers and its journal.

use std::time::Duration;

use crate::parser::{DialectRequest, RequestOrigin};

/// The settings of a run besides its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engine, as the command line names it.
    pub engine: String,
    /// How scripts are executed.
    pub options: Options,
    /// The dialect of all files that have no own setting, overriding the one that a file names.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
    /// What records may do besides using the engine.
    pub permissions: Permissions,
}

/// What records may do besides using the engine. The default allows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// Run shell commands.
    pub shell: bool,
    /// Use files outside of the suite, the working directory and the temporary directory of their file.
    pub outside: bool,
}

impl Settings {
    /// Returns the requested dialect of a file; `own` is the setting for files with its path.
    pub fn dialect_of<'r>(&'r self, own: Option<&'r str>) -> Option<DialectRequest<'r>> {
        let request = |by| move |name| DialectRequest { name, by };
        let own = own.map(request(RequestOrigin::Override));
        own.or_else(|| self.dialect.as_deref().map(request(RequestOrigin::Setting)))
    }

    /// Returns the settings for reading a file again that was read in this dialect, if it is known.
    pub fn as_read(&self, dialect: Option<&str>) -> Self {
        let dialect = dialect.map(str::to_owned).or_else(|| self.dialect.clone());
        Self { dialect, ..self.clone() }
    }
}

/// How scripts are executed.
#[derive(Debug, Clone)]
pub struct Options {
    /// The labels for `skipif` and `onlyif`.
    pub labels: Vec<String>,
    /// A hash threshold that wins over the files' own.
    pub threshold: Option<u64>,
    /// How long a record may take. An engine that can be interrupted continues with the next record then.
    pub record_timeout: Option<Duration>,
    /// How much of a failing record is kept.
    pub details: DetailLimits,
}

/// The limits of details about failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetailLimits {
    /// Records of a file with details; further ones are listed by their line.
    pub records: usize,
    /// Values of a result.
    pub values: usize,
}

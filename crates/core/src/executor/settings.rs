//! The settings for reading and executing files, shared by a run, its workers and its journal.

use std::time::Duration;

/// The settings of a run besides its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engine, as the command line names it.
    pub engine: String,
    /// How scripts are executed.
    pub options: Options,
    /// The dialect of all files, overriding the one that a file names.
    pub dialect: Option<String>,
    /// Whether the reference runner's holes are reproduced.
    pub exact: bool,
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

//! Errors about a folder of runs.

use std::io;
use std::path::{Path, PathBuf};

/// An error about a folder of runs.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system reports an error.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// The failed action.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No run has this name.
    #[error("no run `{name}` in `{}`", results.display())]
    Unknown {
        /// The name.
        name: String,
        /// The folder of runs.
        results: PathBuf,
    },
    /// There is no run of this kind.
    #[error("no {what} in `{}`", results.display())]
    Nothing {
        /// The run that was searched for.
        what: &'static str,
        /// The folder of runs.
        results: PathBuf,
    },
    /// All names for runs of one second are taken.
    #[error("99 runs of the second `{second}` in `{}`, and no name for one more", results.display())]
    NoName {
        /// The second.
        second: String,
        /// The folder of runs.
        results: PathBuf,
    },
    /// The run is in progress.
    #[error("run `{0}` is still in progress")]
    Busy(String),
    /// The run has no assignment, so it cannot be resumed.
    #[error("run `{0}` was made elsewhere and cannot be resumed here")]
    NoPlan(String),
    /// The journal has no header.
    #[error("the journal `{}` ends before it says what the run is", .0.display())]
    NoJournal(PathBuf),
    /// The header, which is the second line of the journal, is corrupt.
    #[error("the journal `{}` is corrupt: its header cannot be read", .0.display())]
    NoHeader(PathBuf),
    /// The first line of the journal is corrupt.
    #[error("the journal `{}` is corrupt: its first line does not match its checksum", .0.display())]
    Corrupt(PathBuf),
    /// Another version of this program has written the journal.
    #[error("the journal `{}` has format {format} (written by version {program}), and this program reads format {known}", path.display())]
    OtherVersion {
        /// The journal.
        path: PathBuf,
        /// The format that it has.
        format: u32,
        /// The version of the program that wrote it.
        program: String,
        /// The format that this program reads.
        known: u32,
    },
}

pub(super) fn io_error<'p>(what: &'static str, path: &'p Path) -> impl Fn(io::Error) -> FolderError + 'p {
    move |source| FolderError::Io { what, path: path.to_owned(), source }
}

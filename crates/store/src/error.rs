//! Errors of the store.

use std::io;
use std::path::{Path, PathBuf};

use slt_runner::results::FolderError;

/// An error of the store. Journals stay intact in any case, and contain everything.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder is unusable.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// The failed action.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A corrupt file.
    #[error("`{}` is damaged", .0.display())]
    Damaged(PathBuf),
    /// A store that another version of this program has made.
    #[error("`{}` has version {found} of the schema, expected {expected}", path.display())]
    OtherVersion {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// VibeSQL failed.
    #[error("VibeSQL cannot {what}: {message}")]
    VibeSql {
        /// The failed action.
        what: &'static str,
        /// The message of its error or panic.
        message: String,
    },
    /// Another process has held the lock for too long.
    #[error("another process has been changing the store for {0} seconds")]
    Busy(u64),
    /// A run whose name does not contain its start time.
    #[error("run `{0}` has no name of the form YYYYMMDD-HHMMSS, so the store has no number for it")]
    NoNumber(String),
    /// Two results of one file in one run.
    #[error("two results of `{0}` in one run")]
    Twice(String),
    /// The folder of runs.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

pub(super) fn io_error<'p>(what: &'static str, path: &'p Path) -> impl Fn(io::Error) -> StoreError + 'p {
    move |source| StoreError::Io { what, path: path.to_owned(), source }
}

impl StoreError {
    /// Returns whether a file of the store is damaged or missing.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Io { what: "read", source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Formats the error with its cause.
    pub fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Returns whether permission was denied, as in a read-only folder.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::Folder(FolderError::Io { source, .. }) => {
                matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            }
            _ => false,
        }
    }
}

//! What can go wrong with the store.

use std::io;
use std::path::{Path, PathBuf};

use slt_runner::results::FolderError;

/// Why the store cannot do what it should. Journals are whole in any case, and hold everything.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder that cannot be used.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is not as it was written.
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
    /// VibeSQL could not do what was asked of it.
    #[error("VibeSQL cannot {what}: {message}")]
    VibeSql {
        /// What was asked.
        what: &'static str,
        /// What it says, or what its panic said.
        message: String,
    },
    /// Another process has held the lock for too long.
    #[error("another process has been changing the store for {0} seconds")]
    Busy(u64),
    /// A run whose name does not say when it began.
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
    /// Whether a file of the store is damaged or missing.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Io { what: "read", source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// The error with what has caused it.
    pub fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Whether it is for want of permission, as in a folder that is for reading only.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::Folder(FolderError::Io { source, .. }) => {
                matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            }
            _ => false,
        }
    }
}

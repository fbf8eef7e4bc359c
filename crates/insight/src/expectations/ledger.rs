//! Which files a ledger is about, and by which paths it names them.

use std::sync::Arc;

use slt_core::location::FileId;

/// The files that a ledger is about.
///
/// A ledger that was found lies in a directory above the files that it is about, and names them by their paths below it. One
/// that the user names may lie anywhere: it may also name files by the paths that reports show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFiles {
    /// What the keys of files in the directory of the ledger begin with; nothing if no such file is known.
    prefix: Option<Arc<str>>,
    is_named: bool,
}

impl LedgerFiles {
    /// Returns the files of a ledger that was found in the directory of these files; `prefix` is what their keys begin with.
    pub fn found(prefix: &str) -> Self {
        Self { prefix: Some(prefix.into()), is_named: false }
    }

    /// Returns the files of a ledger that the user names; files whose keys begin with `prefix` are in its directory.
    pub fn named(prefix: Option<&str>) -> Self {
        Self { prefix: prefix.map(Arc::from), is_named: true }
    }

    /// Returns the path of a file below the directory of the ledger, if it is there.
    pub fn below<'f>(&self, file: &'f FileId) -> Option<&'f str> {
        file.key().strip_prefix(&**self.prefix.as_ref()?)
    }

    /// Returns the path that the ledger should name a file by.
    pub(super) fn name<'f>(&self, file: &'f FileId) -> &'f str {
        self.below(file).unwrap_or(file.path())
    }

    /// Returns whether the file is one that `is_meant` by a path that the ledger may name it by.
    pub(super) fn any(&self, file: &FileId, is_meant: impl Fn(&str) -> bool) -> bool {
        self.below(file).is_some_and(&is_meant) || (self.is_named && is_meant(file.path()))
    }
}

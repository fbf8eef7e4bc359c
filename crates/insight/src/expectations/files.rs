//! The test files that an expectations file applies to, and the paths by which it names them.

use std::collections::BTreeMap;
use std::sync::Arc;

use slt_core::location::FileId;

/// The test files that an expectations file is about.
///
/// An expectations file that was found is in a directory above its test files, and names them by their paths below that
/// directory. One that the user names may be anywhere: it may also name test files by the paths that reports show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFiles {
    /// The test files below the directory of the expectations file, with their paths below it.
    below: Arc<BTreeMap<FileId, String>>,
    is_named: bool,
}

impl DocumentFiles {
    /// Returns the test files of an expectations file that was found, with their paths below its directory.
    pub fn found(below: BTreeMap<FileId, String>) -> Self {
        Self { below: Arc::new(below), is_named: false }
    }

    /// Returns the test files of an expectations file that the user names; `below` are those below its directory.
    pub fn named(below: BTreeMap<FileId, String>) -> Self {
        Self { below: Arc::new(below), is_named: true }
    }

    /// Returns the path of a test file below the directory of the expectations file.
    pub fn below(&self, file: &FileId) -> Option<&str> {
        self.below.get(file).map(String::as_str)
    }

    /// Returns the path that the expectations file should name a test file by.
    pub(super) fn name<'f>(&'f self, file: &'f FileId) -> &'f str {
        self.below(file).unwrap_or(file.path())
    }

    /// Returns whether one of the paths that the expectations file may name a test file by `is_meant`.
    pub(super) fn any(&self, file: &FileId, is_meant: impl Fn(&str) -> bool) -> bool {
        self.below(file).is_some_and(&is_meant) || (self.is_named && is_meant(file.path()))
    }
}

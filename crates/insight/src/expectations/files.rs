//! The test files that an expectations file applies to, and the paths by which it names them.

use std::sync::Arc;

use slt_core::location::FileId;

/// The test files that an expectations file is about.
///
/// An expectations file that was found is in a directory above its test files, and names them by their paths below that
/// directory. One that the user names may be anywhere: it may also name test files by the paths that reports show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFiles {
    /// The prefix of the keys of files in the directory of the expectations file; `None` if no such file is known.
    prefix: Option<Arc<str>>,
    is_named: bool,
}

impl DocumentFiles {
    /// Returns the test files of an expectations file that was discovered; `prefix` is the prefix of the keys in its
    /// directory.
    pub fn found(prefix: &str) -> Self {
        Self { prefix: Some(prefix.into()), is_named: false }
    }

    /// Returns the test files of an expectations file that the user names; `prefix` is the prefix of the keys in its
    /// directory, if it has test files.
    pub fn named(prefix: Option<&str>) -> Self {
        Self { prefix: prefix.map(Arc::from), is_named: true }
    }

    /// Returns the path of a test file below the directory of the expectations file.
    pub fn below<'f>(&self, file: &'f FileId) -> Option<&'f str> {
        file.key().strip_prefix(&**self.prefix.as_ref()?)
    }

    /// Returns the path that the expectations file should name a test file by.
    pub(super) fn name<'f>(&self, file: &'f FileId) -> &'f str {
        self.below(file).unwrap_or(file.path())
    }

    /// Returns whether one of the paths that the expectations file may name a test file by `is_meant`.
    pub(super) fn any(&self, file: &FileId, is_meant: impl Fn(&str) -> bool) -> bool {
        self.below(file).is_some_and(&is_meant) || (self.is_named && is_meant(file.path()))
    }
}

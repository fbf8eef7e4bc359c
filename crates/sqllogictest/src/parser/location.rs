//! Places in test files.

use std::fmt;
use std::sync::Arc;

/// A line of a file. In an included file, also the line of the `include`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    file: Arc<str>,
    line: u32,
    upper: Option<Arc<Self>>,
}

impl Location {
    pub(crate) fn new(file: Arc<str>, line: u32, upper: Option<Arc<Self>>) -> Self {
        Self { file, line, upper }
    }

    /// Returns the path of the file, or the name of the script.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the number of the line, counted from 1.
    pub fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.upper.iter().try_for_each(|upper| write!(f, "\nat {upper}"))
    }
}

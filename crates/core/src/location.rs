//! Locations of text: a source and a line in it.

pub mod file_id;
pub mod path_text;

use std::fmt;
use std::sync::Arc;

pub use file_id::FileId;

/// The bytes of one test file, and the name it goes by in messages.
#[derive(Debug, Clone)]
pub struct Source {
    name: Arc<str>,
    bytes: Vec<u8>,
}

impl Source {
    /// Makes a source of `bytes` that messages call `name`, which is usually a path.
    pub fn new(name: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }

    /// Returns the name used in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the whole text; any bytes are legal.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the place that `line` of this source is, counted from 1.
    pub fn at(&self, line: u32) -> Location {
        Location { file: Arc::clone(&self.name), line }
    }
}

/// Returns bytes as text, in which each byte of invalid UTF-8 is written as `\xff`, so that different bytes stay
/// different.
pub fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// A line of a source; shown as `path:line`, which terminals and editors make clickable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The name of the source.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

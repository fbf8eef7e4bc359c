//! Names of records: their place, or a key that is stable when lines move.

use std::fmt;
use std::sync::Arc;

/// The place of a record among all that a file executes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    /// The included file that contains the record; none for the file itself.
    pub source: Option<Arc<str>>,
    /// The line of its header, counted from 1; 0 is the file as a whole, where another program has made the report.
    pub line: u32,
    /// The variables of the loops around it, as `i=1, j=2`; none outside of loops.
    pub iteration: Option<Arc<str>>,
}

impl RecordId {
    /// The place of the whole file.
    pub const WHOLE_FILE: Self = Self { source: None, line: 0, iteration: None };

    /// Returns the place of the record on this line of the file itself, outside of loops.
    pub const fn at(line: u32) -> Self {
        Self { source: None, line, iteration: None }
    }

    /// Returns whether the record is on this line of the file itself, in any iteration.
    pub fn is_on(&self, line: u32) -> bool {
        self.source.is_none() && self.line == line
    }

    /// Returns whether it is the whole file.
    pub fn is_whole_file(&self) -> bool {
        self.line == 0
    }
}

/// The line, with the source and the iteration where there are any: `7`, `common.test:7 (i=1)`.
impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            write!(f, "{source}:")?;
        }
        write!(f, "{}", self.line)?;
        self.iteration.as_ref().map_or(Ok(()), |iteration| write!(f, " ({iteration})"))
    }
}

/// A name of a record that is stable when the records before it change: a digest of its SQL, and its number among the
/// records of the file with the same SQL. White space counts only in literals, quoted names and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey(pub u64);

/// A record of a file, as a user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordName {
    /// By its key, which stays when lines move.
    Key(u64),
    /// By its line in the file itself.
    Line(u32),
}

impl RecordName {
    /// Returns whether it names the record with this place and key. A line names all its iterations.
    pub fn means(self, id: &RecordId, key: Option<RecordKey>) -> bool {
        match self {
            Self::Key(name) => key == Some(RecordKey(name)),
            Self::Line(name) => id.is_on(name),
        }
    }
}

/// A record of a file, by its place and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRef {
    /// Its place.
    pub id: RecordId,
    /// Its key; unknown where another program has made the report.
    pub key: Option<RecordKey>,
}

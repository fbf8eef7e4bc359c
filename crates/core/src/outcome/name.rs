//! What a record is called: by its line, or by a key that stays when lines move.

/// A name for a record that stays when the records in front of it change: a digest of its SQL, and its
/// number among the records of the file with the same SQL. White space counts only in literals, quoted names and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RecordKey(pub u64);

/// A record of a file, as a user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum RecordName {
    /// By its key, which stays when lines move.
    Key(u64),
    /// By its line.
    Line(u32),
}

impl RecordName {
    /// Whether it means the record on this line with this key.
    pub fn means(self, line: u32, key: RecordKey) -> bool {
        match self {
            Self::Key(name) => name == key.0,
            Self::Line(name) => name == line,
        }
    }
}

/// A record that the user has left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LeftOut {
    /// Its line.
    pub line: u32,
    /// Its key.
    pub key: RecordKey,
}

//! The type letters of columns.

use std::fmt::Debug;

/// A column type of a database, written as one character in the header of a query.
pub trait ColumnType: Debug + PartialEq + Eq + Clone + Send + Sync {
    /// Returns the type of a letter, or `None` if the letter has no type.
    fn from_char(value: char) -> Option<Self>;

    /// Returns the letter of the type.
    fn to_char(&self) -> char;
}

/// The column types of the format, for databases without types of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultColumnType {
    /// `T`: text.
    Text,
    /// `I`: integers.
    Integer,
    /// `R`: numbers with a fraction.
    FloatingPoint,
    /// `?`: anything; also each letter without a type of its own.
    Any,
}

impl ColumnType for DefaultColumnType {
    fn from_char(value: char) -> Option<Self> {
        Some(match value {
            'T' => Self::Text,
            'I' => Self::Integer,
            'R' => Self::FloatingPoint,
            _ => Self::Any,
        })
    }

    fn to_char(&self) -> char {
        match self {
            Self::Text => 'T',
            Self::Integer => 'I',
            Self::FloatingPoint => 'R',
            Self::Any => '?',
        }
    }
}

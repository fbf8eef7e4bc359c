//! A value of a row, for both databases.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A value that both databases can represent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Cell {
    /// NULL.
    #[serde(rename = "n")]
    Null,
    /// An integer.
    #[serde(rename = "i")]
    Integer(i64),
    /// A real number. In a table of results it is finite; an answer may also contain infinity.
    #[serde(rename = "r", with = "bits")]
    Real(f64),
    /// Text, shared between rows.
    #[serde(rename = "t")]
    Text(Arc<str>),
    /// Bytes, or text that is not UTF-8. Only answers contain them.
    #[serde(rename = "b")]
    Blob(Vec<u8>),
}

/// Sends a number as its bits: JSON lacks infinity, and the received number must equal the sent one.
mod bits {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(number.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl Cell {
    /// Creates unshared text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// Returns the text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Cell {
    /// Numbers above the maximum of a database are capped.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<bool> for Cell {
    /// 1 or 0, as in SQLite.
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Real(number) } else { Self::Null }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<Arc<str>> for Cell {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_arrive_as_they_were_sent() {
        let values = [
            Cell::Null,
            Cell::Integer(i64::MIN),
            Cell::Real(f64::INFINITY),
            Cell::Real(0.1 + 0.2),
            Cell::text("a\0\u{1e}\n"),
            Cell::Blob(vec![0, 255]),
        ];
        let sent = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<[Cell; 6]>(&sent).unwrap(), values);
    }
}

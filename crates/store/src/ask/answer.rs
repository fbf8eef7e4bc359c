//! The answer of a database: names of columns, and rows of values.

use serde::{Deserialize, Serialize};

use crate::Cell;

/// A value of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum AnswerValue {
    /// Nothing known.
    #[serde(rename = "n")]
    Null,
    /// A whole number.
    #[serde(rename = "i")]
    Integer(i64),
    /// A number; SQL can also make infinity of one.
    #[serde(rename = "r", with = "bits")]
    Real(f64),
    /// Text.
    #[serde(rename = "t")]
    Text(String),
    /// Bytes, or text that is not UTF-8.
    #[serde(rename = "b")]
    Blob(Vec<u8>),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The names of the columns. Several may have the same.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<AnswerValue>>,
}

impl From<&Cell> for AnswerValue {
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(*number),
            Cell::Real(number) => Self::Real(*number),
            Cell::Text(text) => Self::Text(text.as_ref().to_owned()),
        }
    }
}

impl From<AnswerValue> for Cell {
    fn from(value: AnswerValue) -> Self {
        match value {
            AnswerValue::Null => Self::Null,
            AnswerValue::Integer(number) => Self::Integer(number),
            AnswerValue::Real(number) => Self::Real(number),
            AnswerValue::Text(text) => Self::text(text),
            AnswerValue::Blob(bytes) => Self::text(String::from_utf8_lossy(&bytes)),
        }
    }
}

/// JSON has no infinity, and a number must arrive as the one that was sent.
mod bits {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(number.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_as_they_were_sent() {
        let values = [
            AnswerValue::Null,
            AnswerValue::Integer(i64::MIN),
            AnswerValue::Real(f64::INFINITY),
            AnswerValue::Real(0.1 + 0.2),
            AnswerValue::Text("a\0\u{1e}\n".to_owned()),
            AnswerValue::Blob(vec![0, 255]),
        ];
        let sent = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<[AnswerValue; 6]>(&sent).unwrap(), values);
    }
}

//! From a value as the server writes it, with the type of its column, to a value of the runner.

use mysql::Column;
use mysql::consts::{ColumnFlags, ColumnType};
use slt_core::value::{TypeTag, ValueRef};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// NULL only.
    Null,
    /// Whole numbers.
    Integer,
    /// Floating-point numbers.
    Real,
    /// Exact numbers.
    Decimal,
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// Dates, times, JSON.
    Other,
}

/// The number of the character set of bytes that are not text.
const BINARY: u16 = 63;

impl ColumnKind {
    /// Returns the kind of a column.
    pub fn of(column: &Column) -> Self {
        use ColumnType as T;
        match column.column_type() {
            T::MYSQL_TYPE_NULL => Self::Null,
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_YEAR => Self::Integer,
            T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Self::Real,
            T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => Self::Decimal,
            T::MYSQL_TYPE_DATE
            | T::MYSQL_TYPE_NEWDATE
            | T::MYSQL_TYPE_TIME
            | T::MYSQL_TYPE_TIME2
            | T::MYSQL_TYPE_DATETIME
            | T::MYSQL_TYPE_DATETIME2
            | T::MYSQL_TYPE_TIMESTAMP
            | T::MYSQL_TYPE_TIMESTAMP2
            | T::MYSQL_TYPE_JSON => Self::Other,
            // The bits of BIT(8) and the coordinates of a point are bytes without a text.
            T::MYSQL_TYPE_BIT | T::MYSQL_TYPE_GEOMETRY | T::MYSQL_TYPE_VECTOR => Self::Blob,
            _ if column.character_set() == BINARY && !column.flags().contains(ColumnFlags::ENUM_FLAG) => {
                Self::Blob
            }
            _ => Self::Text,
        }
    }

    /// Returns the type of the column for the runner.
    pub fn type_tag(self) -> TypeTag {
        match self {
            Self::Null => TypeTag::Unknown,
            Self::Integer => TypeTag::Integer,
            Self::Real | Self::Decimal => TypeTag::Real,
            Self::Text => TypeTag::Text,
            Self::Blob => TypeTag::Blob,
            Self::Other => TypeTag::Other,
        }
    }

    /// Returns a value that the server has written as `bytes`.
    pub fn value(self, bytes: &[u8]) -> ValueRef<'_> {
        let text = || std::str::from_utf8(bytes).ok();
        let typed = match self {
            // Unsigned numbers can exceed the range.
            Self::Integer => {
                text().map(|text| text.parse().map_or(ValueRef::Decimal(text), ValueRef::Integer))
            }
            Self::Real => text().map(ValueRef::RealText),
            Self::Decimal => text().map(ValueRef::Decimal),
            Self::Blob => Some(ValueRef::Blob(bytes)),
            Self::Other => text().map(ValueRef::Other),
            Self::Text | Self::Null => None,
        };
        typed.unwrap_or(ValueRef::Text(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_type_of_their_column() {
        let cases: [(ColumnKind, &[u8], ValueRef<'_>); 10] = [
            (ColumnKind::Integer, b"-1", ValueRef::Integer(-1)),
            (ColumnKind::Integer, b"007", ValueRef::Integer(7)),
            (ColumnKind::Integer, b"18446744073709551615", ValueRef::Decimal("18446744073709551615")),
            (ColumnKind::Real, b"1e+300", ValueRef::RealText("1e+300")),
            (ColumnKind::Decimal, b"1.10", ValueRef::Decimal("1.10")),
            (ColumnKind::Text, b"NULL", ValueRef::Text(b"NULL")),
            (ColumnKind::Text, b"\xff", ValueRef::Text(b"\xff")),
            (ColumnKind::Blob, b"1", ValueRef::Blob(b"1")),
            (ColumnKind::Other, b"2024-02-29", ValueRef::Other("2024-02-29")),
            (ColumnKind::Other, b"\xff", ValueRef::Text(b"\xff")),
        ];
        for (kind, bytes, expected) in cases {
            assert_eq!(kind.value(bytes), expected, "{kind:?}");
        }
    }

    #[test]
    fn the_character_set_tells_text_from_bytes() {
        let kind = |kind, set| ColumnKind::of(&Column::new(kind).with_character_set(set));
        assert_eq!(kind(ColumnType::MYSQL_TYPE_BLOB, BINARY), ColumnKind::Blob);
        assert_eq!(kind(ColumnType::MYSQL_TYPE_BLOB, 45), ColumnKind::Text);
        assert_eq!(kind(ColumnType::MYSQL_TYPE_VAR_STRING, 45), ColumnKind::Text);
        assert_eq!(kind(ColumnType::MYSQL_TYPE_JSON, BINARY), ColumnKind::Other);
        assert_eq!(kind(ColumnType::MYSQL_TYPE_LONGLONG, BINARY), ColumnKind::Integer);
    }
}

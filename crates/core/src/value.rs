//! The values that engines return, before any formatting.
//!
//! An engine returns typed values, and one place of the executor formats them for comparison with a test file. So a
//! NULL is never mistaken for the text `NULL`, and no adapter formats a number.

/// One value of a result row, borrowed from the engine for the time of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'v> {
    /// The SQL NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A binary floating-point number.
    Real(f64),
    /// A binary floating-point number in the digits of the server, which the dialect `rs` shows.
    RealText(&'v str),
    /// An exact number outside the range of the two above, in decimal digits.
    Decimal(&'v str),
    /// Text of any bytes, since engines may return invalid UTF-8.
    Text(&'v [u8]),
    /// Uninterpreted bytes.
    Blob(&'v [u8]),
    /// A truth value.
    Boolean(bool),
    /// A value of another type (dates, intervals …), as formatted by the engine.
    Other(&'v str),
}

impl ValueRef<'_> {
    /// Returns the name of its kind, as messages have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "an integer",
            Self::Real(_) | Self::RealText(_) => "a floating-point number",
            Self::Decimal(_) => "a decimal number",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
            Self::Boolean(_) => "a truth value",
            Self::Other(_) => "a value of another type",
        }
    }

    /// Reads the digits of a server; any other value stays as it is, and so does a text that is no number.
    pub fn parsed(self) -> Self {
        match self {
            Self::RealText(text) => text.parse().map_or(Self::Other(text), Self::Real),
            value => value,
        }
    }
}

/// A column of a result, as the engine describes it before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'c> {
    /// The name; `None` if unknown or not requested.
    pub name: Option<&'c str>,
    /// The type.
    pub type_tag: TypeTag,
}

impl<'c> Column<'c> {
    /// A column of which nothing is known.
    pub const UNKNOWN: Self = Self { name: None, type_tag: TypeTag::Unknown };

    /// Returns a column with this name and type.
    pub fn new(name: &'c str, type_tag: TypeTag) -> Self {
        Self { name: Some(name), type_tag }
    }
}

/// The type of a column, as far as the engine knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeTag {
    /// The engine does not know, or decides value by value.
    Unknown,
    /// Whole numbers.
    Integer,
    /// Floating-point or exact numbers.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// Truth values.
    Boolean,
    /// Anything else.
    Other,
}

/// Empties a vector of borrowed values and keeps its memory for the values of the next row.
pub fn recycle<'b>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'b>> {
    values.clear();
    // Collecting in place keeps the allocation; nothing is left that would have to be converted.
    values.into_iter().map(|_| ValueRef::Null).collect()
}

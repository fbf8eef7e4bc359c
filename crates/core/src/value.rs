//! What engines return, before any formatting.
//!
//! An engine hands over typed values; how a value looks in a test file is decided in one place of the
//! executor. So a NULL can never be mistaken for the text `NULL`, and no adapter formats a number.

/// One value of a result row, borrowed from the engine for the time of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'v> {
    /// The SQL NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A binary floating-point number.
    Real(f64),
    /// An exact number outside the range of the two above, in decimal digits.
    Decimal(&'v str),
    /// Text; any bytes, since engines may return what is not UTF-8.
    Text(&'v [u8]),
    /// Uninterpreted bytes.
    Blob(&'v [u8]),
    /// A truth value.
    Boolean(bool),
    /// A value of a type without a variant of its own (dates, intervals …), as the engine writes it.
    Other(&'v str),
}

/// A column of a result, as the engine describes it before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'c> {
    /// The name; `None` where the engine does not know it, or nobody has asked for it.
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

/// What an engine says of the type of a column.
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

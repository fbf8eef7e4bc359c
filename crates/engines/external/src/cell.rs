//! The values of a result.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use slt_core::value::ValueRef;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonCell<'m> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// An exact number in decimal digits.
    Decimal(String),
    /// Any other number.
    Real(f64),
    /// A string.
    Text(Cow<'m, str>),
    /// Bytes.
    Blob(Vec<u8>),
    /// A value of another type, as the engine writes it.
    Other(String),
}

impl JsonCell<'_> {
    /// Returns the value.
    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Boolean(truth) => ValueRef::Boolean(*truth),
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Decimal(digits) => ValueRef::Decimal(digits),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Other(text) => ValueRef::Other(text),
        }
    }
}

impl<'de: 'm, 'm> Deserialize<'de> for JsonCell<'m> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = JsonCell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a row")
    }

    fn visit_unit<E: Error>(self) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Boolean(truth))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<JsonCell<'de>, E> {
        Ok(i64::try_from(integer).map_or_else(|_| JsonCell::Decimal(integer.to_string()), JsonCell::Integer))
    }

    fn visit_f64<E: Error>(self, real: f64) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Real(real))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<JsonCell<'de>, A::Error> {
        const KINDS: &[&str] = &["decimal", "real", "blob", "other"];
        let Some((kind, text)) = fields.next_entry::<Cow<'de, str>, String>()? else {
            return Err(Error::custom("a value that is an object must have its type"));
        };
        let invalid = |expected: &str| Error::custom(format_args!("expected {expected}, found `{text}`"));
        let cell = match kind.as_ref() {
            "decimal" if is_decimal(&text) => JsonCell::Decimal(text),
            "decimal" => return Err(invalid("decimal digits")),
            "real" => JsonCell::Real(real(&text).ok_or_else(|| invalid("a number, `inf`, `-inf` or `nan`"))?),
            "blob" => JsonCell::Blob(bytes(&text).ok_or_else(|| invalid("pairs of hexadecimal digits"))?),
            "other" => JsonCell::Other(text),
            kind => return Err(Error::unknown_field(kind, KINDS)),
        };
        match fields.next_key::<Cow<'de, str>>()? {
            None => Ok(cell),
            Some(_) => Err(Error::custom("a value must have one type")),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn real(text: &str) -> Option<f64> {
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" => Some(f64::NAN),
        _ => text.parse().ok().filter(|real: &f64| real.is_finite()),
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

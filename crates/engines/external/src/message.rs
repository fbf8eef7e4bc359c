//! The messages of a driver.

use serde::{Deserialize, Serialize};
use slt_core::value::{TypeTag, ValueRef};

/// The version of the protocol with a greeting.
pub const VERSION: u32 = 2;

/// Asks a driver to execute SQL.
#[derive(Debug, Serialize)]
pub struct Request<'r> {
    /// The number of the request, which the answer repeats. Version 1 has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The SQL.
    pub sql: &'r str,
}

/// Asks a driver to cancel the SQL that it is executing. It has no answer of its own.
pub const CANCEL: &[u8] = b"{\"cancel\":true}\n";

/// The first message of a driver that speaks version 2, sent without being asked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Hello {
    /// The version of the protocol.
    pub hello: u32,
    /// The name of the engine.
    pub name: String,
    /// The mode of the engine, if it has several with different results.
    pub variant: Option<String>,
    /// The version of the engine.
    #[serde(default)]
    pub version: String,
    /// The build of the engine.
    pub build: Option<String>,
    /// The names for `skipif` and `onlyif`; the name alone if they are missing.
    pub labels: Option<Vec<String>>,
    /// The optional abilities.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub enum DriverAnswer {
    /// The SQL was executed.
    Result(ResultSet),
    /// The engine reported an error.
    Error {
        /// Its message.
        message: String,
        /// The SQLSTATE or another code.
        code: Option<String>,
    },
    /// The driver cannot execute this SQL, for this reason.
    Unsupported(String),
}

/// The result of a statement.
#[derive(Debug, PartialEq)]
pub struct ResultSet {
    /// The columns, if the driver knows them; empty for a statement without a result.
    pub columns: Option<Vec<ColumnMessage>>,
    /// The rows.
    pub rows: Vec<Vec<JsonCell>>,
    /// The number of changed rows, if the driver counts them.
    pub affected: Option<u64>,
}

/// A column of a result.
#[derive(Debug, PartialEq, Deserialize)]
pub struct ColumnMessage {
    /// The name.
    pub name: Option<String>,
    /// The type.
    #[serde(default, rename = "type")]
    pub kind: ColumnKind,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// Truth values.
    Boolean,
    /// Any other type, or none.
    #[default]
    #[serde(other)]
    Other,
}

impl From<ColumnKind> for TypeTag {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Real => Self::Real,
            ColumnKind::Text => Self::Text,
            ColumnKind::Blob => Self::Blob,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Other => Self::Unknown,
        }
    }
}

/// A value of a row.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum JsonCell {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number above the range of `i64`.
    Large(#[serde(deserialize_with = "unsigned")] String),
    /// Any other number.
    Real(f64),
    /// A string.
    Text(String),
    /// An object with the type of its value.
    Typed(TypedJsonCell),
}

/// A value that JSON has no form for.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum TypedJsonCell {
    /// An exact number in decimal digits.
    Decimal(String),
    /// Bytes in hexadecimal digits.
    Blob(#[serde(deserialize_with = "hexadecimal")] Vec<u8>),
    /// `inf`, `-inf` or `nan`.
    Real(#[serde(deserialize_with = "special")] f64),
    /// A value of another type, as the engine writes it.
    Other(String),
}

impl JsonCell {
    /// Returns the value.
    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Boolean(truth) => ValueRef::Boolean(*truth),
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(real) | Self::Typed(TypedJsonCell::Real(real)) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Large(digits) | Self::Typed(TypedJsonCell::Decimal(digits)) => ValueRef::Decimal(digits),
            Self::Typed(TypedJsonCell::Blob(bytes)) => ValueRef::Blob(bytes),
            Self::Typed(TypedJsonCell::Other(text)) => ValueRef::Other(text),
        }
    }
}

fn unsigned<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    u64::deserialize(deserializer).map(|integer| integer.to_string())
}

fn hexadecimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let byte = |place: usize| u8::from_str_radix(digits.get(place..place + 2)?, 16).ok();
    let is_whole = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes: Option<Vec<u8>> = is_whole.then(|| (0..digits.len()).step_by(2).map(byte).collect()).flatten();
    bytes.ok_or_else(|| {
        serde::de::Error::custom(format_args!("expected pairs of hexadecimal digits, found `{digits}`"))
    })
}

fn special<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "inf" => Ok(f64::INFINITY),
        "-inf" => Ok(f64::NEG_INFINITY),
        "nan" => Ok(f64::NAN),
        found => {
            Err(serde::de::Error::custom(format_args!("expected `inf`, `-inf` or `nan`, found `{found}`")))
        }
    }
}

/// All fields of a message.
#[derive(Debug, Deserialize)]
struct Fields {
    id: Option<u64>,
    result: Option<Vec<Vec<JsonCell>>>,
    columns: Option<Vec<ColumnMessage>>,
    affected: Option<u64>,
    err: Option<String>,
    sqlstate: Option<String>,
    unsupported: Option<String>,
}

/// A message of a driver.
#[derive(Debug, PartialEq)]
pub enum Message {
    /// The greeting.
    Hello(Hello),
    /// An answer, with the number of its request in version 2.
    Answer(Option<u64>, DriverAnswer),
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// What was expected and found.
    pub fn from_json(value: serde_json::Value) -> Result<Self, String> {
        if value.get("hello").is_some() {
            let hello: Hello =
                serde_json::from_value(value).map_err(|error| format!("its greeting is invalid: {error}"))?;
            if hello.hello != VERSION {
                return Err(format!("it speaks version {} of the protocol, expected {VERSION}", hello.hello));
            }
            return Ok(Self::Hello(hello));
        }
        let fields: Fields =
            serde_json::from_value(value).map_err(|error| format!("its answer is invalid: {error}"))?;
        let Fields { id, result, columns, affected, err, sqlstate, unsupported } = fields;
        let answer = match (result, err, unsupported) {
            (Some(rows), None, None) => DriverAnswer::Result(ResultSet { columns, rows, affected }),
            (None, Some(message), None) => DriverAnswer::Error { message, code: sqlstate },
            (None, None, Some(reason)) => DriverAnswer::Unsupported(reason),
            _ => return Err("its answer must have one of `result`, `err` and `unsupported`".to_owned()),
        };
        Ok(Self::Answer(id, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> Result<Message, String> {
        Message::from_json(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn values_have_types() {
        let json = r#"{"result":[[null,true,-1,18446744073709551615,0.5,"x",{"decimal":"1.10"},{"blob":"00fF"},
            {"real":"-inf"},{"other":"2020-01-01"}]]}"#;
        let Ok(Message::Answer(None, DriverAnswer::Result(result))) = message(json) else { panic!() };
        let values: Vec<_> = result.rows[0].iter().map(JsonCell::value).collect();
        let expected = [
            ValueRef::Null,
            ValueRef::Boolean(true),
            ValueRef::Integer(-1),
            ValueRef::Decimal("18446744073709551615"),
            ValueRef::Real(0.5),
            ValueRef::Text(b"x"),
            ValueRef::Decimal("1.10"),
            ValueRef::Blob(&[0, 255]),
            ValueRef::Real(f64::NEG_INFINITY),
            ValueRef::Other("2020-01-01"),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn an_answer_is_exactly_one_of_three() {
        assert!(matches!(
            message(r#"{"err":"no","sqlstate":"42P01"}"#),
            Ok(Message::Answer(None, DriverAnswer::Error { .. }))
        ));
        assert!(matches!(
            message(r#"{"id":3,"unsupported":"COPY"}"#),
            Ok(Message::Answer(Some(3), DriverAnswer::Unsupported(_)))
        ));
        for json in [
            "{}",
            r#"{"result":[],"err":"x"}"#,
            r#"{"result":[["a",[]]]}"#,
            r#"{"result":"x"}"#,
            "[]",
            "1",
            r#"{"result":[[{"blob":"0"}]]}"#,
            r#"{"result":[[{"real":"x"}]]}"#,
            r#"{"hello":3,"name":"x"}"#,
            r#"{"hello":2}"#,
        ] {
            assert!(message(json).is_err(), "{json}");
        }
    }
}

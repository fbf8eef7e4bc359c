//! From a value as the server writes it, with its type, to a value of the runner.

use slt_core::value::{TypeTag, ValueRef};

/// The number of a type in PostgreSQL's catalog; those of the built-in types never change.
pub type TypeOid = u32;

const BOOL: TypeOid = 16;
const BYTEA: TypeOid = 17;
const NAME: TypeOid = 19;
const INT8: TypeOid = 20;
const INT2: TypeOid = 21;
const INT4: TypeOid = 23;
const TEXT: TypeOid = 25;
const OID: TypeOid = 26;
const FLOAT4: TypeOid = 700;
const FLOAT8: TypeOid = 701;
const UNKNOWN: TypeOid = 705;
const BPCHAR: TypeOid = 1042;
const VARCHAR: TypeOid = 1043;
const NUMERIC: TypeOid = 1700;

/// Returns the type of a column.
pub fn type_tag(oid: TypeOid) -> TypeTag {
    match oid {
        BOOL => TypeTag::Boolean,
        BYTEA => TypeTag::Blob,
        INT2 | INT4 | INT8 | OID => TypeTag::Integer,
        FLOAT4 | FLOAT8 | NUMERIC => TypeTag::Real,
        NAME | TEXT | UNKNOWN | BPCHAR | VARCHAR => TypeTag::Text,
        _ => TypeTag::Other,
    }
}

/// Returns a value that the server has written as `bytes`. `blob` is memory for the bytes of a bytea value.
pub fn value<'v>(oid: TypeOid, bytes: Option<&'v [u8]>, blob: &'v mut Vec<u8>) -> ValueRef<'v> {
    let Some(bytes) = bytes else { return ValueRef::Null };
    let Ok(text) = std::str::from_utf8(bytes) else { return ValueRef::Text(bytes) };
    let typed = match oid {
        BOOL => match text {
            "t" => Some(ValueRef::Boolean(true)),
            "f" => Some(ValueRef::Boolean(false)),
            _ => None,
        },
        INT2 | INT4 | INT8 | OID => text.parse().ok().map(ValueRef::Integer),
        FLOAT4 | FLOAT8 => Some(ValueRef::RealText(text)),
        NUMERIC if text.ends_with(|last: char| last.is_ascii_digit()) => Some(ValueRef::Decimal(text)),
        // `NaN`, `Infinity` and `-Infinity`.
        NUMERIC => Some(ValueRef::RealText(text)),
        NAME | TEXT | UNKNOWN | BPCHAR | VARCHAR => Some(ValueRef::Text(bytes)),
        BYTEA => decode_hexadecimal(text, blob).then_some(ValueRef::Blob(blob)),
        _ => None,
    };
    typed.unwrap_or(ValueRef::Other(text))
}

/// Decodes `\x00ff`. Servers with `bytea_output = escape` write another form.
fn decode_hexadecimal(text: &str, blob: &mut Vec<u8>) -> bool {
    blob.clear();
    let Some(digits) = text.strip_prefix("\\x").filter(|digits| digits.len().is_multiple_of(2)) else {
        return false;
    };
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.as_bytes().chunks_exact(2).all(|pair| match (value(pair[0]), value(pair[1])) {
        (Some(high), Some(low)) => {
            blob.push(high << 4 | low);
            true
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_type_of_their_column() {
        let cases: [(TypeOid, &str, ValueRef<'_>); 15] = [
            (BOOL, "t", ValueRef::Boolean(true)),
            (BOOL, "f", ValueRef::Boolean(false)),
            (INT2, "-1", ValueRef::Integer(-1)),
            (INT8, "9223372036854775807", ValueRef::Integer(i64::MAX)),
            (OID, "4294967295", ValueRef::Integer(4_294_967_295)),
            (FLOAT8, "1e+300", ValueRef::RealText("1e+300")),
            (FLOAT4, "-Infinity", ValueRef::RealText("-Infinity")),
            (NUMERIC, "1.10", ValueRef::Decimal("1.10")),
            (NUMERIC, "Infinity", ValueRef::RealText("Infinity")),
            (NUMERIC, "NaN", ValueRef::RealText("NaN")),
            (TEXT, "NULL", ValueRef::Text(b"NULL")),
            (BPCHAR, "a  ", ValueRef::Text(b"a  ")),
            (BYTEA, "\\x00fF", ValueRef::Blob(&[0, 255])),
            (BYTEA, "\\000", ValueRef::Other("\\000")),
            (1082, "2024-02-29", ValueRef::Other("2024-02-29")),
        ];
        for (oid, text, expected) in cases {
            assert_eq!(value(oid, Some(text.as_bytes()), &mut Vec::new()), expected, "{oid} {text}");
        }
        assert_eq!(value(BOOL, None, &mut Vec::new()), ValueRef::Null);
        assert_eq!(value(INT4, Some(b"\xff"), &mut Vec::new()), ValueRef::Text(b"\xff"));
    }
}

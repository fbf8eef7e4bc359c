//! Values as the runner of DuckDB shows them.

use crate::value::ValueRef;

/// Appends a value.
pub(super) fn write(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) => write_real(real, out),
        ValueRef::Boolean(truth) => out.push(if truth { b'1' } else { b'0' }),
        ValueRef::Text(text) => write_text(text, out),
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => {
            write_text(text.as_bytes(), out);
        }
        ValueRef::Blob(b"") => write_text(b"", out),
        ValueRef::Blob(bytes) => bytes.iter().for_each(|&byte| write_byte(byte, out)),
    }
}

/// Appends a value of a file of SQLite: numbers with a fraction are rounded.
pub(super) fn write_rounded(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Real(real) if real.round_ties_even().abs() < 9.2e18 => {
            let integer = real.round_ties_even() as i64;
            out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
        }
        ValueRef::Decimal(text) => out.extend_from_slice(rounded(text).as_bytes()),
        _ => write(value, out),
    }
}

/// Rounds decimal digits to a whole number, ties away from zero.
fn rounded(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let up = fraction.bytes().next().is_some_and(|digit| digit >= b'5');
    match whole.parse::<i128>() {
        Ok(0) if up => if text.starts_with('-') { "-1" } else { "1" }.to_owned(),
        Ok(0) => "0".to_owned(),
        Ok(integer) if up => (integer + integer.signum()).to_string(),
        _ => whole.to_owned(),
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    if text.is_empty() {
        return out.extend_from_slice(b"(empty)");
    }
    for (index, part) in text.split(|&byte| byte == 0).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\\0");
        }
        out.extend_from_slice(part);
    }
}

/// Appends a byte of a BLOB.
fn write_byte(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    match byte {
        b'\\' | b'\'' | b'"' => {}
        b' '..=b'~' => return out.push(byte),
        _ => {}
    }
    out.extend_from_slice(&[b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
}

/// The powers of ten between which a number is written without an exponent.
const POSITIONAL: std::ops::Range<i32> = -4..16;

/// Appends a floating-point number: the fewest digits that stand for it, at least one of them behind the point.
fn write_real(real: f64, out: &mut Vec<u8>) {
    if !real.is_finite() {
        let text: &[u8] = match (real.is_nan(), real > 0.0) {
            (true, _) => b"nan",
            (false, true) => b"inf",
            (false, false) => b"-inf",
        };
        return out.extend_from_slice(text);
    }
    let exact = format!("{real:e}");
    let exponent = exact.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    if POSITIONAL.contains(&exponent) {
        let text = format!("{real:?}");
        return out.extend_from_slice(text.as_bytes());
    }
    let digits = exact.split_once('e').map_or(exact.as_str(), |(digits, _)| digits);
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &ValueRef<'_>) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_have_the_text_of_duckdb() {
        for (value, expected) in [
            (ValueRef::Null, "NULL"),
            (ValueRef::Boolean(true), "1"),
            (ValueRef::Boolean(false), "0"),
            (ValueRef::Text(b""), "(empty)"),
            (ValueRef::Other(""), "(empty)"),
            (ValueRef::Blob(b""), "(empty)"),
            (ValueRef::Text(b"a\0b\0"), "a\\0b\\0"),
            (ValueRef::Blob(b"a'\xff\\\n"), "a\\x27\\xFF\\x5C\\x0A"),
            (ValueRef::Decimal("3.10"), "3.10"),
            (ValueRef::Real(2.25), "2.25"),
            (ValueRef::Real(100.0), "100.0"),
            (ValueRef::Real(-0.0), "-0.0"),
            (ValueRef::Real(1e15), "1000000000000000.0"),
            (ValueRef::Real(1e16), "1e+16"),
            (ValueRef::Real(1.25e-5), "1.25e-05"),
            (ValueRef::Real(0.0001), "0.0001"),
            (ValueRef::Real(1e300), "1e+300"),
            (ValueRef::Real(f64::INFINITY), "inf"),
            (ValueRef::Real(f64::NEG_INFINITY), "-inf"),
            (ValueRef::Real(f64::NAN), "nan"),
        ] {
            assert_eq!(shown(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn files_of_sqlite_have_whole_numbers() {
        for (value, expected) in [
            (ValueRef::Real(2.5), "2"),
            (ValueRef::Real(3.5), "4"),
            (ValueRef::Real(-1.2), "-1"),
            (ValueRef::Decimal("1.6"), "2"),
            (ValueRef::Decimal("-0.5"), "-1"),
            (ValueRef::Decimal("0.49"), "0"),
            (ValueRef::Decimal("-7.50"), "-8"),
            (ValueRef::Text(b"1.6"), "1.6"),
        ] {
            let mut out = Vec::new();
            write_rounded(&value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{value:?}");
        }
    }
}

//! Values as CockroachDB's runner shows them. The type letter does not convert: a value of another type is a mismatch.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::super::cells::CellTable;
use super::CellForm;
use super::number::write_float;
use crate::value::ValueRef;

/// The text of an empty value.
const EMPTY: &str = "\u{b7}";

/// The exponent from which on Go's shortest notation of a number has one.
const LARGEST_EXPONENT: i32 = 21;

pub(super) fn push_row(form: CellForm, types: &[u8], row: &[ValueRef<'_>], cells: &mut CellTable) {
    for (column, value) in row.iter().enumerate() {
        let letter = types.get(column).copied();
        if letter == Some(b'_') {
            cells.push(false, |out| out.push(b'_'));
            continue;
        }
        if let Some(letter) = letter.filter(|letter| !fits(*letter, value, form.exact)) {
            cells.note_type(column, letter, value.kind());
        }
        cells.push(*value == ValueRef::Null, |out| {
            let start = out.len();
            write_value(value, out);
            if let Some(digits) = form.digits {
                let rounded = round_fractions(&String::from_utf8_lossy(&out[start..]), digits);
                out.truncate(start);
                out.extend_from_slice(rounded.as_bytes());
            }
            // A variable takes the text as it is.
            if out.len() == start && !types.is_empty() {
                out.extend_from_slice(EMPTY.as_bytes());
            }
        });
    }
}

/// Returns whether a letter stands for values like this. The driver of its own runner has one type for texts and for
/// everything that it does not know, so `R` accepts that as well.
fn fits(letter: u8, value: &ValueRef<'_>, exact: bool) -> bool {
    match (letter, value) {
        (_, ValueRef::Null)
        | (b'I' | b'O', ValueRef::Integer(_))
        | (b'F' | b'R', ValueRef::Real(_) | ValueRef::Decimal(_))
        | (b'B', ValueRef::Boolean(_))
        | (b'O', ValueRef::Other(_)) => true,
        (b'T', value) => !matches!(value, ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Boolean(_)),
        (b'F' | b'R', ValueRef::Other(_) | ValueRef::Blob(_)) => exact,
        _ => false,
    }
}

fn write_value(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) if real.is_nan() => out.extend_from_slice(b"NaN"),
        ValueRef::Real(real) if real.is_infinite() => {
            out.extend_from_slice(if real > 0.0 { b"+Inf" } else { b"-Inf" });
        }
        ValueRef::Real(real) => write_float(out, real, LARGEST_EXPONENT),
        ValueRef::Boolean(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Blob(bytes) if std::str::from_utf8(bytes).is_err() => {
            let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
            out.extend_from_slice(format!("[{}]", numbers.join(" ")).as_bytes());
        }
        ValueRef::Text(text) | ValueRef::Blob(text) => out.extend_from_slice(text),
        ValueRef::RealText(text) | ValueRef::Decimal(text) => out.extend_from_slice(text.as_bytes()),
        ValueRef::Other(text) => match go_time(text) {
            Some(time) => out.extend_from_slice(time.as_bytes()),
            None => out.extend_from_slice(text.as_bytes()),
        },
    }
}

/// Writes a date or a timestamp of PostgreSQL as Go does; `None` for other text.
fn go_time(text: &str) -> Option<String> {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?)(?:([+-]\d\d)(?::(\d\d))?)?)?$").ok()
    });
    let parts = TIME.as_ref()?.captures(text)?;
    let part = |index: usize| parts.get(index).map(|part| part.as_str());
    let zone = part(3).map(|hours| format!("{hours}{}", part(4).unwrap_or("00")));
    let (offset, name) = match zone.as_deref() {
        None => ("+0000", "+0000"),
        Some("+0000") => ("+0000", "UTC"),
        Some(zone) => (zone, zone),
    };
    Some(format!("{} {} {offset} {name}", part(1)?, part(2).unwrap_or("00:00:00")))
}

/// Rounds each decimal fraction in a text to this number of significant digits.
fn round_fractions(text: &str, digits: u8) -> String {
    static FRACTION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"-?\d+\.\d+(?:[eE][+-]?\d+)?").ok());
    let Some(fraction) = FRACTION.as_ref() else { return text.to_owned() };
    let round = |found: &regex::Captures<'_>| {
        let rounded = found[0].parse::<f64>().ok().and_then(|real| round_float(real, digits));
        rounded.unwrap_or_else(|| found[0].to_owned())
    };
    fraction.replace_all(text, round).into_owned()
}

fn round_float(real: f64, digits: u8) -> Option<String> {
    let digits = usize::from(digits);
    let scientific = format!("{real:.*e}", digits.checked_sub(1)?);
    let rounded: f64 = scientific.parse().ok()?;
    let exponent: i32 = scientific.split_once('e')?.1.parse().ok()?;
    let mut text = String::new();
    let large = i32::try_from(digits).ok()?;
    if exponent < -4 || exponent >= large.max(LARGEST_EXPONENT) {
        let mut out = Vec::new();
        write_float(&mut out, rounded, large);
        return String::from_utf8(out).ok();
    }
    write!(text, "{rounded}").ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: ValueRef<'_>) -> String {
        let mut out = Vec::new();
        write_value(&value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_written_as_go_does() {
        assert_eq!(text(ValueRef::Real(1e6)), "1000000");
        assert_eq!(text(ValueRef::Real(f64::INFINITY)), "+Inf");
        assert_eq!(text(ValueRef::Boolean(false)), "false");
        assert_eq!(text(ValueRef::Blob(b"abc")), "abc");
        assert_eq!(text(ValueRef::Blob(&[255, 0])), "[255 0]");
        assert_eq!(text(ValueRef::Other("2015-08-25")), "2015-08-25 00:00:00 +0000 +0000");
        assert_eq!(text(ValueRef::Other("2015-08-25 04:05:06.5+00")), "2015-08-25 04:05:06.5 +0000 UTC");
        assert_eq!(text(ValueRef::Other("04:05:06")), "04:05:06");
        assert_eq!(round_fractions("POINT(1.23456 -2.5)", 3), "POINT(1.23 -2.5)");
    }

    #[test]
    fn letters_accept_values_of_their_type_only() {
        for (letter, value, strict, exact) in [
            (b'I', ValueRef::Text(b"1"), false, false),
            (b'I', ValueRef::Null, true, true),
            (b'T', ValueRef::Integer(1), false, false),
            (b'T', ValueRef::Decimal("1.5"), true, true),
            (b'R', ValueRef::Integer(1), false, false),
            (b'R', ValueRef::Other("{1}"), false, true),
            (b'B', ValueRef::Integer(1), false, false),
            (b'A', ValueRef::Text(b"x"), false, false),
        ] {
            assert_eq!(fits(letter, &value, false), strict, "{letter} {value:?}");
            assert_eq!(fits(letter, &value, true), exact, "{letter} {value:?}");
        }
    }
}

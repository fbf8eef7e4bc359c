//! Values as Materialize's runner shows them: the type letter converts numbers.

use std::io::Write as _;

use super::super::cells::CellTable;
use super::CellForm;
use super::number::{round_decimal, write_float};
use crate::parser::Layout;
use crate::value::ValueRef;

/// Stands for a line end within a value.
const LINE_END: &str = "\u{23ce}";

/// The exponent from which on PostgreSQL writes numbers with one.
const LARGEST_EXPONENT: i32 = 15;

/// The digits after the point of `R`, unless the file has changed its mode.
const PLACES: usize = 3;

pub(super) fn push_row(form: CellForm, types: &[u8], row: &[ValueRef<'_>], cells: &mut CellTable) {
    for (column, value) in row.iter().enumerate() {
        let letter = types.get(column).copied().unwrap_or(b'T');
        if !fits(letter, value, form.exact) {
            cells.note_type(column, letter, value.kind());
        }
        cells.push(*value == ValueRef::Null, |out| {
            let start = out.len();
            write_value(letter, form, value, out);
            if form.layout != Layout::Text && memchr::memchr(b'\n', &out[start..]).is_some() {
                let lines = out.split_off(start);
                let lines: Vec<_> = lines.split(|&byte| byte == b'\n').collect();
                out.extend_from_slice(&lines.join(LINE_END.as_bytes()));
            }
        });
    }
}

/// Returns whether a letter can convert a value. Its own runner shows any text as 0 in a column of integers.
fn fits(letter: u8, value: &ValueRef<'_>, exact: bool) -> bool {
    match (letter, value) {
        (b'T', _) | (_, ValueRef::Null) | (b'B', ValueRef::Boolean(_)) => true,
        (b'I', ValueRef::Text(_)) => exact,
        (b'I', ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Decimal(_) | ValueRef::Boolean(_)) => {
            true
        }
        (b'R', ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Decimal(_)) => true,
        (b'O', ValueRef::Integer(_) | ValueRef::Other(_)) => true,
        _ => false,
    }
}

fn write_value(letter: u8, form: CellForm, value: &ValueRef<'_>, out: &mut Vec<u8>) {
    let by_rows = form.layout == Layout::Rows;
    match (letter, *value) {
        (b'I', ValueRef::Boolean(truth)) => out.push(if truth { b'1' } else { b'0' }),
        // The cast goes toward zero.
        (b'I', ValueRef::Real(real)) if real.is_finite() => {
            out.extend_from_slice(itoa::Buffer::new().format(real as i64).as_bytes());
        }
        (b'I', ValueRef::Decimal(text)) => push_rounded(text, 0, !by_rows, out),
        (b'I', ValueRef::Text(_)) if form.exact => out.push(b'0'),
        (b'R', ValueRef::Integer(integer)) if !by_rows => {
            push_rounded(itoa::Buffer::new().format(integer), PLACES, false, out);
        }
        (b'R', ValueRef::Decimal(text)) if !by_rows => push_rounded(text, PLACES, false, out),
        (b'R', ValueRef::Real(real)) => {
            // Writing to a vector cannot fail.
            let _ = if by_rows { write!(out, "{real}") } else { write!(out, "{real:.PLACES$}") };
        }
        (_, ValueRef::Boolean(truth)) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        (_, ValueRef::Text(b"") | ValueRef::Other("")) => out.extend_from_slice(b"(empty)"),
        (_, ValueRef::Blob(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => out.extend_from_slice(text.as_bytes()),
            Err(_) => {
                let _ = write!(out, "{bytes:?}");
            }
        },
        (_, value) => write_text(&value, out),
    }
}

fn push_rounded(text: &str, places: usize, truncates: bool, out: &mut Vec<u8>) {
    let rounded = round_decimal(text, places, truncates);
    out.extend_from_slice(rounded.as_deref().unwrap_or(text).as_bytes());
}

/// Writes a value as PostgreSQL sends it in an answer to a simple query.
pub(in super::super) fn write_answer(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Boolean(truth) => out.push(if truth { b't' } else { b'f' }),
        ValueRef::Blob(bytes) => {
            out.extend_from_slice(b"\\x");
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
        }
        _ => write_text(value, out),
    }
}

fn write_text(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) if real.is_nan() => out.extend_from_slice(b"NaN"),
        ValueRef::Real(real) if real.is_infinite() => {
            out.extend_from_slice(if real > 0.0 { b"Infinity" } else { b"-Infinity" });
        }
        ValueRef::Real(real) => write_float(out, real, LARGEST_EXPONENT),
        ValueRef::Boolean(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Text(text) | ValueRef::Blob(text) => out.extend_from_slice(text),
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(letter: u8, layout: Layout, exact: bool, value: ValueRef<'_>) -> String {
        let mut out = Vec::new();
        write_value(letter, CellForm { layout, exact, digits: None }, &value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn letters_convert_by_the_mode() {
        use Layout::{Rows, Values};
        for (letter, layout, value, expected) in [
            (b'I', Values, ValueRef::Real(-1.9), "-1"),
            (b'I', Values, ValueRef::Decimal("1.5"), "1"),
            (b'I', Rows, ValueRef::Decimal("1.5"), "2"),
            (b'I', Rows, ValueRef::Boolean(true), "1"),
            (b'R', Values, ValueRef::Real(1.5), "1.500"),
            (b'R', Rows, ValueRef::Real(1.5), "1.5"),
            (b'R', Values, ValueRef::Decimal("2"), "2.000"),
            (b'R', Rows, ValueRef::Decimal("2.50"), "2.50"),
            (b'B', Rows, ValueRef::Boolean(true), "true"),
            (b'T', Rows, ValueRef::Text(b""), "(empty)"),
            (b'T', Rows, ValueRef::Blob(&[255, 1]), "[255, 1]"),
            (b'T', Rows, ValueRef::Null, "NULL"),
        ] {
            assert_eq!(text(letter, layout, false, value), expected, "{value:?}");
        }
        assert_eq!(text(b'I', Values, true, ValueRef::Text(b"x")), "0");
        assert!(fits(b'I', &ValueRef::Text(b"x"), true) && !fits(b'I', &ValueRef::Text(b"x"), false));
    }
}

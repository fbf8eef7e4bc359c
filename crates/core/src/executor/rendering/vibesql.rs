//! Values as the harness of VibeSQL shows them: numbers are converted to the type letter.
//!
//! Its runner also makes a 0 of a text in a column `I`. This is not done here: the text stays, and is not a number.

use std::io::Write as _;

use crate::executor::cells::CellTable;
use crate::value::ValueRef;

/// Adds a row. Texts in columns for numbers are noted.
pub(super) fn push_row(types: &[u8], row: &[ValueRef<'_>], cells: &mut CellTable) {
    for (index, value) in row.iter().enumerate() {
        let letter = types.get(index).copied().unwrap_or(b'T');
        cells.push(*value == ValueRef::Null, |out| write_value(letter, value, out));
        if matches!(value, ValueRef::Text(_)) && matches!(letter, b'I' | b'R') {
            cells.note_text();
        }
    }
}

fn write_value(letter: u8, value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Integer(integer) => {
            out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
            if letter == b'R' {
                out.extend_from_slice(b".000");
            }
        }
        ValueRef::Real(real) if letter == b'I' => drop(write!(out, "{:.0}", real.trunc())),
        ValueRef::Real(real) => drop(write!(out, "{real:.3}")),
        ValueRef::Boolean(truth) => out.push(if truth { b'1' } else { b'0' }),
        ValueRef::Text(text) | ValueRef::Blob(text) => out.extend_from_slice(text),
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => {
            let whole = text.split('.').next().unwrap_or_default();
            let shown = if letter == b'I' && matches!(value, ValueRef::Decimal(_)) { whole } else { text };
            out.extend_from_slice(shown.as_bytes());
        }
    }
}

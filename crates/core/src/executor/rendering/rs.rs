//! Values as the adapters of sqllogictest-rs show them.

use crate::executor::canonical::write_general;
use crate::executor::cells::CellTable;
use crate::value::ValueRef;

/// Adds a row. Texts in columns for numbers are noted, because an engine may not know the types of columns.
pub(super) fn push_row(types: &[u8], row: &[ValueRef<'_>], cells: &mut CellTable) {
    for (index, value) in row.iter().enumerate() {
        cells.push(*value == ValueRef::Null, |out| write_value(value, out));
        if let ValueRef::Text(text) = *value
            && matches!(types.get(index), Some(b'I' | b'R'))
            && !is_number(text)
        {
            cells.note_text();
        }
    }
}

fn write_value(value: &ValueRef<'_>, out: &mut Vec<u8>) {
    match *value {
        ValueRef::Null => out.extend_from_slice(b"NULL"),
        ValueRef::Text(b"") | ValueRef::Other("") => out.extend_from_slice(b"(empty)"),
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) => write_general(out, real),
        ValueRef::Boolean(truth) => out.push(if truth { b't' } else { b'f' }),
        ValueRef::Text(text) => out.extend_from_slice(text),
        ValueRef::Blob(bytes) => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
            out.extend(bytes.iter().flat_map(digits));
        }
        ValueRef::RealText(text) | ValueRef::Decimal(text) | ValueRef::Other(text) => {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Returns whether a text is a number, as adapters without types send them.
fn is_number(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.trim().parse::<f64>().is_ok())
}

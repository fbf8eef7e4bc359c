//! Values as text: the rendering by type letter, the sort modes, the digest.
//!
//! The rules are those of SQLite's runner with its SQLite adapter: the type letter converts the value, it
//! does not assert a type. A result becomes one text, each value followed by one LF, in its final order;
//! comparing, hashing and showing all work on that text. No rendered value contains an LF or any other byte
//! below a blank, which is why comparing the text of two rows is comparing them column by column.

mod buffer;
mod digits;
mod number;
mod output;
mod power_of_ten;
mod sort;
mod text;

use md5::{Digest as _, Md5};

pub use self::buffer::{KeptValues, ResultBuffer};
pub(super) use self::number::{leading_integer, leading_real, write_fixed, write_general};
pub use self::output::Output;
use crate::outcome::Digest;
use crate::value::ValueRef;

/// Returns the digest of value lines as they stand in a file.
pub fn digest_of_lines<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Digest {
    let mut md5 = Md5::new();
    for line in lines {
        md5.update(line);
        md5.update(b"\n");
    }
    Digest(md5.finalize().into())
}

/// Appends `value` in the format of the type letter. [`text`] has a shorter way for usual values.
fn render(out: &mut Vec<u8>, letter: u8, value: &ValueRef<'_>) {
    if *value == ValueRef::Null {
        return out.extend_from_slice(b"NULL");
    }
    match letter {
        b'I' => render_integer(out, value),
        b'R' => render_real(out, value),
        _ => render_text(out, value),
    }
}

/// Renders a whole number: reals are rounded toward zero, text is parsed up to the first other character, and the low
/// 32 bits count, because the runner's adapter reads a C `int`.
fn render_integer(out: &mut Vec<u8>, value: &ValueRef<'_>) {
    let integer = match *value {
        ValueRef::Null => return,
        ValueRef::Integer(integer) => integer,
        // It has no integer value, and 0 would be a wrong one.
        ValueRef::Real(real) if real.is_nan() => return out.extend_from_slice(b"NaN"),
        ValueRef::Real(real) => real as i64,
        ValueRef::RealText(_) => return render_integer(out, &value.parsed()),
        ValueRef::Boolean(truth) => i64::from(truth),
        ValueRef::Text(text) | ValueRef::Blob(text) => leading_integer(text),
        ValueRef::Decimal(text) | ValueRef::Other(text) => leading_integer(text.as_bytes()),
    };
    out.extend_from_slice(itoa::Buffer::new().format(integer as i32).as_bytes());
}

/// The runner prints numbers into a buffer of 200 bytes.
const LONGEST_REAL: usize = 199;

/// Renders a real number with three decimals, like SQLite's `%.3f`.
fn render_real(out: &mut Vec<u8>, value: &ValueRef<'_>) {
    let real = match *value {
        ValueRef::Null => return,
        ValueRef::Integer(integer) => integer as f64,
        ValueRef::Real(real) => real,
        ValueRef::RealText(_) => return render_real(out, &value.parsed()),
        ValueRef::Boolean(truth) => f64::from(u8::from(truth)),
        ValueRef::Text(text) | ValueRef::Blob(text) => leading_real(text),
        ValueRef::Decimal(text) | ValueRef::Other(text) => leading_real(text.as_bytes()),
    };
    let start = out.len();
    write_fixed(out, real);
    out.truncate(out.len().min(start + LONGEST_REAL));
}

/// Renders text: up to the first NUL, `(empty)` for empty text, `@` for each byte that is not printable ASCII.
fn render_text(out: &mut Vec<u8>, value: &ValueRef<'_>) {
    match *value {
        ValueRef::Null => {}
        ValueRef::Integer(integer) => out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes()),
        ValueRef::Real(real) => write_general(out, real),
        ValueRef::RealText(_) => render_text(out, &value.parsed()),
        ValueRef::Boolean(truth) => out.push(if truth { b'1' } else { b'0' }),
        ValueRef::Text(text) | ValueRef::Blob(text) => write_printable(out, text),
        ValueRef::Decimal(text) | ValueRef::Other(text) => write_printable(out, text.as_bytes()),
    }
}

fn write_printable(out: &mut Vec<u8>, text: &[u8]) {
    let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
    if text.is_empty() {
        return out.extend_from_slice(b"(empty)");
    }
    out.extend(text.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'@' }));
}

#[cfg(test)]
mod tests;

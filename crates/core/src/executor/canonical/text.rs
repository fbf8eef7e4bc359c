//! The text of rendered values, in memory with room behind it: what is short is written with stores of a fixed width.

use super::digits::{ROOM, write_integer};
use crate::value::ValueRef;

/// Memory beyond this is given back before the next result.
const KEPT: usize = 1 << 24;

/// From here on integers are not exact as floating-point numbers.
const EXACT: u64 = 1 << 53;

/// Rendered values, each with an LF.
#[derive(Debug, Default)]
pub(super) struct RenderedText {
    /// Behind `length` there is room, of any contents.
    bytes: Vec<u8>,
    length: usize,
    /// For values that are rendered in the long way.
    scratch: Vec<u8>,
}

impl RenderedText {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.length = 0;
        if self.bytes.len() > KEPT {
            self.bytes = Vec::new();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Drops everything behind the first `length` bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Returns the text with the room behind it.
    pub(super) fn with_room(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends a value in the format of its type letter, with an LF.
    #[inline]
    pub(super) fn push_value(&mut self, letter: u8, value: &ValueRef<'_>) {
        match (letter, *value) {
            (b'I', ValueRef::Integer(integer)) => {
                self.write(|slot| write_integer(slot, i64::from(integer as i32)) + 1);
            }
            (b'R', ValueRef::Integer(integer)) if integer.unsigned_abs() < EXACT => self.push_whole(integer),
            (b'R', ValueRef::Real(real)) if is_whole(real) => self.push_whole(real as i64),
            (_, ValueRef::Null) => self.write(|slot| {
                slot[..5].copy_from_slice(b"NULL\n");
                5
            }),
            (b'I' | b'R', _) => self.push_rendered(letter, value),
            (_, ValueRef::Integer(integer)) => self.write(|slot| write_integer(slot, integer) + 1),
            (_, ValueRef::Text(text)) => {
                if !self.push_printable(text) {
                    self.push_rendered(letter, value);
                }
            }
            _ => self.push_rendered(letter, value),
        }
    }

    /// Appends text as it is.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.reserve(text.len());
        self.bytes[self.length..][..text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    /// Appends what `write` writes into the room: the bytes up to the length that it returns.
    #[inline]
    fn write(&mut self, write: impl FnOnce(&mut [u8; ROOM]) -> usize) {
        if self.bytes.len() < self.length + ROOM {
            self.grow(self.length + ROOM);
        }
        if let Some(slot) =
            self.bytes.get_mut(self.length..self.length + ROOM).and_then(<[u8]>::first_chunk_mut)
        {
            self.length += write(slot);
        }
    }

    /// Appends a whole number with three decimals.
    fn push_whole(&mut self, number: i64) {
        self.write(|slot| {
            let length = write_integer(slot, number);
            slot[length..length + 5].copy_from_slice(b".000\n");
            length + 5
        });
    }

    /// Appends text with `@` for each byte that is not printable ASCII. Returns whether it has done so: not for text with
    /// a NUL or without anything.
    fn push_printable(&mut self, text: &[u8]) -> bool {
        self.reserve(text.len());
        let target = &mut self.bytes[self.length..][..=text.len()];
        let mut has_nul = false;
        for (target, &byte) in target.iter_mut().zip(text) {
            has_nul |= byte == 0;
            *target = if matches!(byte, b' '..=b'~') { byte } else { b'@' };
        }
        if has_nul || text.is_empty() {
            return false;
        }
        target[text.len()] = b'\n';
        self.length += text.len() + 1;
        true
    }

    #[cold]
    fn push_rendered(&mut self, letter: u8, value: &ValueRef<'_>) {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        super::render(&mut text, letter, value);
        text.push(b'\n');
        self.push(&text);
        self.scratch = text;
    }

    /// Makes room for `more` bytes and a slot behind them.
    #[inline]
    fn reserve(&mut self, more: usize) {
        let wanted = self.length + more + ROOM;
        if self.bytes.len() < wanted {
            self.grow(wanted);
        }
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        // By a quarter: the memory of a large result matters more than a few copies.
        let wanted = (wanted + wanted / 4).max(4096);
        self.bytes.reserve_exact(wanted - self.bytes.len());
        self.bytes.resize(wanted, 0);
    }
}

/// Returns whether a number has no decimals, and so few digits that all of them are shown.
fn is_whole(real: f64) -> bool {
    let integer = real as i64;
    integer.unsigned_abs() < EXACT && integer as f64 == real
}

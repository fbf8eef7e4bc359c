//! The line layer: lines of any bytes, with their numbers.
//!
//! Lines end at LF. One CR directly before the LF, or before the end of the file, belongs to the line end;
//! any other CR is text. (The rule of the SQLite runner.)

/// One line, borrowed from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'s> {
    /// The line's number, counted from 1.
    pub number: u32,
    /// The offset of its first byte.
    pub start: usize,
    /// The offset after its line end.
    pub end: usize,
    /// Its text without the line end.
    pub text: &'s [u8],
}

/// Returns whether C's `isspace` accepts the byte in the C locale.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

impl<'s> Line<'s> {
    /// Returns whether the line has nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.text.iter().all(|&byte| is_space(byte))
    }

    /// Returns whether the line's first byte is `#`.
    pub fn is_comment(&self) -> bool {
        self.text.first() == Some(&b'#')
    }

    /// Returns the offset after its text, before its line end.
    pub fn text_end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Walks over the lines of a text.
#[derive(Debug, Clone)]
pub struct LineCursor<'s> {
    bytes: &'s [u8],
    offset: usize,
    number: u32,
    next: Option<Line<'s>>,
}

impl<'s> LineCursor<'s> {
    /// Starts at `offset` of `bytes`, which is the first line.
    pub fn new(bytes: &'s [u8], offset: usize) -> Self {
        let mut cursor = Self { bytes, offset, number: 0, next: None };
        cursor.advance();
        cursor
    }

    /// Returns the line that [`Self::take`] would return.
    pub fn peek(&self) -> Option<Line<'s>> {
        self.next
    }

    /// Returns the next line and moves behind it.
    pub fn take(&mut self) -> Option<Line<'s>> {
        let line = self.next;
        self.advance();
        line
    }

    /// Returns the number of the last line looked at; after the last line, how many there are.
    pub fn number(&self) -> u32 {
        self.number
    }

    fn advance(&mut self) {
        let start = self.offset;
        if start >= self.bytes.len() {
            self.next = None;
            return;
        }
        let rest = &self.bytes[start..];
        let (text, length) = match memchr::memchr(b'\n', rest) {
            Some(length) => (&rest[..length], length + 1),
            None => (rest, rest.len()),
        };
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.offset = start + length;
        self.number += 1;
        self.next = Some(Line { number: self.number, start, end: self.offset, text });
    }
}

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
    byte == b' ' || matches!(byte, b'\t'..=b'\r')
}

/// Returns a text without the white space at its start.
pub fn without_indent(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_space(byte)).unwrap_or(text.len());
    &text[start..]
}

/// Returns the first word of a text, and the text behind it.
#[inline]
pub fn next_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = text.iter().position(|&byte| !is_space(byte))?;
    let text = &text[start..];
    Some(text.split_at(word_length(text)))
}

/// Returns the number of bytes in front of the first white space.
#[inline]
fn word_length(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut length = 0;
    // Eight bytes at once, as most words are shorter.
    while let Some(chunk) = text[length..].first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*chunk);
        // The highest bit of each byte that is at most a blank; those behind the first one may be wrong.
        let marks = bytes.wrapping_sub(ONES * u64::from(b' ' + 1)) & !bytes & (ONES << 7);
        if marks == 0 {
            length += chunk.len();
            continue;
        }
        let place = (marks.trailing_zeros() / 8) as usize;
        if is_space(chunk[place]) {
            return length + place;
        }
        length += place + 1;
    }
    let rest = &text[length..];
    length + rest.iter().position(|&byte| is_space(byte)).unwrap_or(rest.len())
}

/// Splits a text at white space of any length.
pub fn words_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, behind) = next_word(rest)?;
        rest = behind;
        Some(word)
    })
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

/// Returns the lines of a text without their ends. For few lines it is faster than a [`LineCursor`].
pub fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// The number of bytes in which line ends are looked for at once: lines are short, and a search for each costs more than
/// its line.
const BLOCK: usize = 64;

/// Walks over the lines of a text.
#[derive(Debug, Clone)]
pub struct LineCursor<'s> {
    bytes: &'s [u8],
    offset: usize,
    number: u32,
    next: Option<Line<'s>>,
    /// The offset of the block that has been searched last.
    block: usize,
    /// The line ends in the block that are not passed yet, a bit for each byte.
    ends: u64,
}

impl<'s> LineCursor<'s> {
    /// Starts at `offset` of `bytes`, which is the first line.
    pub fn new(bytes: &'s [u8], offset: usize) -> Self {
        Self::at(bytes, offset, 1)
    }

    /// Starts at `offset` of `bytes`, which is the line with this number.
    pub fn at(bytes: &'s [u8], offset: usize, number: u32) -> Self {
        let ends = line_ends(&bytes[offset..]);
        let mut cursor = Self { bytes, offset, number: number - 1, next: None, block: offset, ends };
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
        let text_end = self.next_line_end();
        let text = &self.bytes[start..text_end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.offset = self.bytes.len().min(text_end + 1);
        self.number += 1;
        self.next = Some(Line { number: self.number, start, end: self.offset, text });
    }

    /// Returns the offset of the next LF, or that of the end of the text.
    fn next_line_end(&mut self) -> usize {
        if self.ends == 0 {
            self.block += BLOCK;
            self.ends = line_ends(self.bytes.get(self.block..).unwrap_or_default());
        }
        if self.ends == 0 {
            // A long line: a search for its end alone is faster, and the next block begins behind it.
            let start = self.bytes.len().min(self.block + BLOCK);
            let length = memchr::memchr(b'\n', &self.bytes[start..]);
            let end = length.map_or(self.bytes.len(), |length| start + length);
            self.block = (end + 1).wrapping_sub(BLOCK);
            return end;
        }
        let end = self.block + self.ends.trailing_zeros() as usize;
        self.ends &= self.ends - 1;
        end
    }
}

/// Returns the places of LF among the first bytes of a text, a bit for each.
fn line_ends(text: &[u8]) -> u64 {
    if let Some(block) = text.first_chunk::<BLOCK>() {
        return line_ends_in_block(block);
    }
    let mut block = [0; BLOCK];
    block[..text.len()].copy_from_slice(text);
    line_ends_in_block(&block)
}

fn line_ends_in_block(block: &[u8; BLOCK]) -> u64 {
    let is_end = block.map(|byte| u8::from(byte == b'\n'));
    let (words, _) = is_end.as_chunks::<8>();
    let mut ends = 0;
    for (index, word) in words.iter().enumerate() {
        // The product moves the lowest bits of all bytes side by side.
        let places = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        ends |= places << (8 * index);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_at_white_space_and_nowhere_else() {
        for length in 0..20 {
            for place in 0..=length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'x'; length + 1];
                    text[place] = byte;
                    let plain: Vec<&[u8]> =
                        text.split(|&byte| is_space(byte)).filter(|word| !word.is_empty()).collect();
                    assert_eq!(words_of(&text).collect::<Vec<_>>(), plain, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn every_line_end_is_found_wherever_it_stands() {
        for place in 0..200 {
            for around in [0, b'\n' - 1, b'\n' + 1, 0x7f, 0x80, b'\n' | 0x80, 0xff] {
                let mut text = vec![around; 200];
                text[place] = b'\n';
                let mut cursor = LineCursor::new(&text, 0);
                let ends: Vec<usize> = std::iter::from_fn(|| Some(cursor.take()?.end)).collect();
                let expected = if place == 199 { vec![200] } else { vec![place + 1, 200] };
                assert_eq!(ends, expected, "{around:#x}");
            }
        }
        let mut all = LineCursor::new(&[b'\n'; 130], 1);
        assert_eq!(std::iter::from_fn(|| all.take()).count(), 129);
    }
}

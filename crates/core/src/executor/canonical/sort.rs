//! Sorting pieces of a text, rows or values, by their bytes.
//!
//! Most rows are short: their bytes, as a number of the same order, are all of them. Results of such rows are sorted as
//! numbers, and need no text. Numbers have the width of the longest row so far.

use std::ops::Range;

use super::text::RenderedText;

/// A radix sort pays from here on; a short result is sorted sooner by comparing.
const RADIX_LEAST: usize = 400;

/// A radix sort needs the memory of all keys once more.
const RADIX_MOST: usize = 1 << 20;

/// Memory for more keys than this is given back before the next result.
const KEPT: usize = 1 << 20;

/// The pieces of one text after another, in memory that is kept.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    width: Width,
    narrow: Vec<u64>,
    wide: Vec<u128>,
    pieces: Vec<Piece>,
    narrow_scratch: Vec<u64>,
    wide_scratch: Vec<u128>,
}

/// What stands for a piece.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Width {
    /// A number with all of its up to 8 bytes.
    #[default]
    Narrow,
    /// A number with all of its up to 16 bytes.
    Wide,
    /// Its place in the text.
    Place,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// The first bytes, so that most comparisons need no look at the text.
    key: u64,
    start: usize,
    end: usize,
}

impl Sorter {
    /// Forgets all pieces.
    pub(super) fn clear(&mut self) {
        if self.len() > KEPT {
            *self = Self::default();
        }
        self.width = Width::Narrow;
        self.narrow.clear();
        self.wide.clear();
        self.pieces.clear();
    }

    /// Returns the number of pieces.
    pub(super) fn len(&self) -> usize {
        match self.width {
            Width::Narrow => self.narrow.len(),
            Width::Wide => self.wide.len(),
            Width::Place => self.pieces.len(),
        }
    }

    /// Returns whether the pieces are places in the text, which must stay.
    pub(super) fn needs_text(&self) -> bool {
        self.width == Width::Place
    }

    /// Adds the piece that lies between these places of a text with room behind it. It ends with an LF, and no byte in
    /// front of that is lower, so that a piece that another one begins with comes first. Returns whether there was a way:
    /// a piece that is longer than a number asks for [`Self::place`] first.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        let length = end - start;
        // Most results have no others.
        if self.width == Width::Narrow && length <= 8 {
            self.narrow.push(narrow_key(text, start, length));
            return true;
        }
        self.push_long(text, start, end)
    }

    fn push_long(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        match (self.width, end - start) {
            (Width::Narrow, length @ 0..=8) => self.narrow.push(narrow_key(text, start, length)),
            (Width::Narrow, 9..=16) => {
                self.width = Width::Wide;
                self.wide.extend(self.narrow.drain(..).map(|key| u128::from(key) << 64));
                if self.wide.len() > KEPT {
                    self.narrow = Vec::new();
                }
                self.wide.push(wide_key(text, start, end - start));
            }
            (Width::Wide, length @ 0..=16) => self.wide.push(wide_key(text, start, length)),
            (Width::Narrow | Width::Wide, _) => return false,
            (Width::Place, length) => {
                self.pieces.push(Piece { key: narrow_key(text, start, length.min(8)), start, end });
            }
        }
        true
    }

    /// Turns numbers into places in the text that they make, one after another.
    pub(super) fn place(&mut self) {
        let mut start = 0;
        let mut piece = |key: u64, length: usize| {
            start += length;
            Piece { key, start: start - length, end: start }
        };
        let (narrow, wide) = (self.narrow.drain(..), self.wide.drain(..));
        self.pieces.extend(narrow.map(|key| piece(key, narrow_length(key))));
        self.pieces.extend(wide.map(|key| piece((key >> 64) as u64, wide_length(key))));
        self.width = Width::Place;
    }

    /// Sorts the pieces of `text`; returns whether they were out of order.
    pub(super) fn sort(&mut self, text: &[u8]) -> bool {
        match self.width {
            Width::Narrow => sort_keys(&mut self.narrow, &mut self.narrow_scratch),
            Width::Wide => sort_keys(&mut self.wide, &mut self.wide_scratch),
            Width::Place => {
                if self.pieces.is_sorted_by(|a, b| compare(text, a, b).is_le()) {
                    return false;
                }
                self.pieces.sort_unstable_by(|a, b| compare(text, a, b));
                true
            }
        }
    }

    /// Writes these pieces into `out` instead of its contents. `text` is needed for places only.
    pub(super) fn write(&self, text: &[u8], range: Range<usize>, out: &mut SortedText) {
        out.length = 0;
        match self.width {
            Width::Narrow => {
                out.make_room(range.len() * 8);
                for &key in &self.narrow[range] {
                    out.put(key.to_be_bytes(), narrow_length(key));
                }
            }
            Width::Wide => {
                out.make_room(range.len() * 16);
                for &key in &self.wide[range] {
                    out.put(key.to_be_bytes(), wide_length(key));
                }
            }
            Width::Place => {
                let pieces = &self.pieces[range];
                out.make_room(pieces.iter().map(|piece| piece.end - piece.start).sum());
                for piece in pieces {
                    let piece = &text[piece.start..piece.end];
                    out.bytes[out.length..][..piece.len()].copy_from_slice(piece);
                    out.length += piece.len();
                }
            }
        }
    }

    /// Appends all pieces, which must be numbers, to a text.
    pub(super) fn append_to(&self, text: &mut RenderedText) {
        let mut out = SortedText::default();
        for start in (0..self.len()).step_by(Self::AT_ONCE) {
            self.write(&[], start..self.len().min(start + Self::AT_ONCE), &mut out);
            text.push(out.as_bytes());
        }
    }

    /// The number of pieces to write at once when they are many.
    pub(super) const AT_ONCE: usize = 4096;
}

/// Sorted pieces as text.
#[derive(Debug, Default, Clone)]
pub(super) struct SortedText {
    /// Behind `length` there may be more.
    bytes: Vec<u8>,
    length: usize,
}

impl SortedText {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn make_room(&mut self, wanted: usize) {
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
    }

    /// Appends the first bytes of a key. There must be room for all of them.
    fn put<const N: usize>(&mut self, key: [u8; N], length: usize) {
        if let Some(slot) = self.bytes[self.length..].first_chunk_mut() {
            *slot = key;
            self.length += length;
        }
    }
}

/// A number that stands for a piece.
trait Key: Copy + Ord {
    const BYTES: usize;
    const NO_DIFFERENCE: Self;

    /// Returns the byte with this number, counted from the lowest one.
    fn byte(self, number: usize) -> usize;

    /// Adds the bits in which two keys differ.
    fn add_difference(self, one: Self, other: Self) -> Self;
}

impl Key for u64 {
    const BYTES: usize = 8;
    const NO_DIFFERENCE: Self = 0;

    fn byte(self, number: usize) -> usize {
        (self >> (8 * number)) as usize & 0xff
    }

    fn add_difference(self, one: Self, other: Self) -> Self {
        self | (one ^ other)
    }
}

impl Key for u128 {
    const BYTES: usize = 16;
    const NO_DIFFERENCE: Self = 0;

    fn byte(self, number: usize) -> usize {
        (self >> (8 * number)) as usize & 0xff
    }

    fn add_difference(self, one: Self, other: Self) -> Self {
        self | (one ^ other)
    }
}

/// Sorts keys; returns whether they were out of order.
fn sort_keys<K: Key>(keys: &mut Vec<K>, scratch: &mut Vec<K>) -> bool {
    if keys.is_sorted() {
        return false;
    }
    if (RADIX_LEAST..=RADIX_MOST).contains(&keys.len()) {
        sort_by_bytes(keys, scratch);
    } else {
        keys.sort_unstable();
    }
    true
}

/// Sorts by each byte in which keys differ, from the lowest one on.
fn sort_by_bytes<K: Key>(keys: &mut Vec<K>, scratch: &mut Vec<K>) {
    let Some(&first) = keys.first() else { return };
    let differing = keys.iter().fold(K::NO_DIFFERENCE, |bits, &key| bits.add_difference(key, first));
    scratch.clear();
    scratch.resize(keys.len(), first);
    for byte in (0..K::BYTES).filter(|&byte| differing.byte(byte) != 0) {
        let mut ends = [0_usize; 256];
        keys.iter().for_each(|key| ends[key.byte(byte)] += 1);
        let mut next = 0;
        for end in &mut ends {
            (next, *end) = (next + *end, next);
        }
        let places = &mut ends;
        for &key in keys.iter() {
            let place = &mut places[key.byte(byte)];
            scratch[*place] = key;
            *place += 1;
        }
        std::mem::swap(keys, scratch);
    }
}

fn compare(text: &[u8], a: &Piece, b: &Piece) -> std::cmp::Ordering {
    a.key.cmp(&b.key).then_with(|| text[a.start..a.end].cmp(&text[b.start..b.end]))
}

/// Returns the first bytes of the piece, at most 8, as a number of the same order.
#[inline]
fn narrow_key(text: &[u8], start: usize, length: usize) -> u64 {
    if length == 0 {
        // A row without columns.
        return 0;
    }
    u64::from_be_bytes(chunk(text, start, length)) & u64::MAX << (64 - 8 * length as u32)
}

/// Returns the bytes of the piece, at most 16, as a number of the same order.
#[inline]
fn wide_key(text: &[u8], start: usize, length: usize) -> u128 {
    if length == 0 {
        return 0;
    }
    u128::from_be_bytes(chunk(text, start, length)) & u128::MAX << (128 - 8 * length as u32)
}

/// Returns the bytes of a piece that is not longer than they are, and anything behind them.
#[inline]
fn chunk<const N: usize>(text: &[u8], start: usize, length: usize) -> [u8; N] {
    if let Some(chunk) = text.get(start..start + N).and_then(<[u8]>::first_chunk) {
        return *chunk;
    }
    let mut chunk = [0; N];
    chunk[..length].copy_from_slice(&text[start..][..length]);
    chunk
}

/// Returns the length of the piece. No piece has a zero byte, so zeros at the end are filling.
fn narrow_length(key: u64) -> usize {
    8 - key.trailing_zeros() as usize / 8
}

fn wide_length(key: u128) -> usize {
    16 - key.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces in the order of their bytes, through all that a result goes through.
    fn sorted(pieces: &[Vec<u8>]) -> Vec<u8> {
        let (mut text, mut sorter) = (RenderedText::default(), Sorter::default());
        for piece in pieces {
            let start = text.len();
            text.push(piece);
            if !sorter.push(text.with_room(), start, text.len()) {
                sorter.place();
                assert!(sorter.push(text.with_room(), start, text.len()));
            }
        }
        let mut again = RenderedText::default();
        if !sorter.needs_text() {
            sorter.append_to(&mut again);
            assert_eq!(again.as_bytes(), text.as_bytes());
        }
        let before = text.as_bytes().to_vec();
        let was_unsorted = sorter.sort(text.as_bytes());
        let mut out = SortedText::default();
        sorter.write(text.as_bytes(), 0..sorter.len(), &mut out);
        assert_eq!(was_unsorted, out.as_bytes() != before);
        out.as_bytes().to_vec()
    }

    fn check(mut pieces: Vec<Vec<u8>>) {
        pieces.iter_mut().for_each(|piece| piece.push(b'\n'));
        let found = sorted(&pieces);
        pieces.sort();
        assert_eq!(found, pieces.concat());
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_are_in_the_order_of_their_bytes(
            pieces in prop::collection::vec("[ -c]{0,9}|[0-2\n]{0,20}|[ab]{15,17}", 0..60)
        ) {
            check(pieces.into_iter().map(String::into_bytes).collect());
        }

        #[test]
        fn many_pieces_are_in_the_order_of_their_bytes(
            seed: u32, count in 390..2000_u32, most in 1..4_u32, words in prop::sample::select(vec!["", "a\n", "0123456789\n"])
        ) {
            let number = |at: u32| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) % 10_u32.pow(2 * most);
            check((0..count).map(|at| format!("{words}{}", number(at)).into_bytes()).collect());
        }
    }
}

//! Sorting pieces of a text, rows or values, by their bytes.
//!
//! The text of most rows is short: its first eight bytes, as a number of the same order, are all of it. Such
//! results are sorted as numbers, without a look at the text.

/// Sorts one text after another in memory that is kept.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    /// The pieces in their order, after a sort that was needed.
    pub(super) sorted: Vec<u8>,
    keys: Vec<u64>,
    pieces: Vec<Piece>,
}

/// A piece of the text.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// The first bytes, so that most comparisons need no look at the text.
    key: u64,
    start: usize,
    end: usize,
}

/// The bytes of a key.
const KEY: usize = size_of::<u64>();

impl Sorter {
    /// Sorts the pieces of `text` that end at `ends`. Each ends with an LF, and no byte in front of it is lower,
    /// so that a piece that another one begins with comes first. Returns whether they were out of order: only
    /// then `sorted` has them.
    pub(super) fn sort(&mut self, text: &[u8], ends: impl Iterator<Item = usize> + Clone) -> bool {
        self.keys.clear();
        let mut start = 0;
        let mut longest = 0;
        self.keys.extend(ends.clone().map(|end| {
            longest = longest.max(end - start);
            let key = sort_key(&text[start..end]);
            start = end;
            key
        }));
        if longest <= KEY { self.sort_keys(text.len()) } else { self.sort_pieces(text, ends) }
    }

    fn sort_keys(&mut self, length: usize) -> bool {
        if self.keys.is_sorted() {
            return false;
        }
        self.keys.sort_unstable();
        self.sorted.clear();
        self.sorted.reserve(length);
        for key in &self.keys {
            // No piece has a zero byte, so zeros at the end are filling.
            let bytes = KEY - key.trailing_zeros() as usize / 8;
            self.sorted.extend_from_slice(&key.to_be_bytes()[..bytes]);
        }
        true
    }

    fn sort_pieces(&mut self, text: &[u8], ends: impl Iterator<Item = usize>) -> bool {
        self.pieces.clear();
        let mut start = 0;
        self.pieces.extend(self.keys.iter().zip(ends).map(|(&key, end)| {
            let piece = Piece { key, start, end };
            start = end;
            piece
        }));
        if self.pieces.is_sorted_by(|a, b| compare(text, a, b).is_le()) {
            return false;
        }
        self.pieces.sort_unstable_by(|a, b| compare(text, a, b));
        self.sorted.clear();
        self.sorted.reserve(text.len());
        for piece in &self.pieces {
            self.sorted.extend_from_slice(&text[piece.start..piece.end]);
        }
        true
    }
}

fn compare(text: &[u8], a: &Piece, b: &Piece) -> std::cmp::Ordering {
    a.key.cmp(&b.key).then_with(|| text[a.start..a.end].cmp(&text[b.start..b.end]))
}

/// Returns the first eight bytes as a number of the same order.
fn sort_key(text: &[u8]) -> u64 {
    match text.first_chunk::<KEY>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        // A row without columns.
        None if text.is_empty() => 0,
        None => text.iter().fold(0, |key, &byte| key << 8 | u64::from(byte)) << (8 * (KEY - text.len())),
    }
}

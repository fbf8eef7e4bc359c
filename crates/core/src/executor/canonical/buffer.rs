//! Collects the rows of a result, in the memory that its sort mode needs.
//!
//! | rows | memory |
//! |---|---|
//! | unsorted | their text; of long results whose rest is only hashed, the first values |
//! | sorted, up to 16 bytes long | a number for each; the text only of short results |
//! | sorted, longer | their text, and the place of each |

use md5::{Digest as _, Md5};

use super::Output;
use super::sort::{SortedText, Sorter};
use super::text::RenderedText;
use crate::outcome::Digest;
use crate::parser::SortMode;
use crate::value::ValueRef;

/// The length up to which the text of a result is kept as a whole, in bytes.
const SHORT: usize = 1 << 18;

/// How much of an unsorted result is kept for its verdict, besides its digest and the number of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptValues {
    /// Everything.
    All,
    /// This many values at its beginning.
    First(u64),
}

/// The pieces that are put into order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pieces {
    #[default]
    None,
    Rows,
    Values,
}

/// Collects the rows of one result after another, without an allocation for each value.
#[derive(Debug, Default)]
pub struct ResultBuffer {
    text: RenderedText,
    values: u64,
    order: Pieces,
    sorter: Sorter,
    sorted: SortedText,
    /// Whether the text of earlier rows is gone, because numbers stand for them.
    is_dropped: bool,
    rest: Rest,
}

/// The part of a long unsorted result that is hashed.
#[derive(Debug, Default)]
struct Rest {
    /// The number of values to keep; `None` keeps everything.
    kept: Option<u64>,
    /// Takes everything in front of `hashed`.
    md5: Option<Md5>,
    /// The length of the text that is hashed and kept.
    hashed: usize,
    /// Whether values behind the kept ones are gone.
    is_gone: bool,
    /// The length of the text from which on something must be done.
    limit: usize,
}

impl ResultBuffer {
    /// Forgets the rows, and takes those of a result in this order.
    pub fn start(&mut self, sort: SortMode, kept: KeptValues) {
        self.text.clear();
        self.sorter.clear();
        self.values = 0;
        self.is_dropped = false;
        self.order = match sort {
            SortMode::NoSort => Pieces::None,
            SortMode::RowSort | SortMode::PartialSort(_) => Pieces::Rows,
            SortMode::ValueSort => Pieces::Values,
        };
        let kept = match kept {
            KeptValues::All => None,
            KeptValues::First(values) => Some(values),
        };
        self.rest = Rest { kept, limit: SHORT, ..Rest::default() };
    }

    /// Renders a row, one type letter for each value.
    pub fn push_row(&mut self, types: &[u8], row: &[ValueRef<'_>]) {
        self.values += row.len() as u64;
        let start = self.text.len();
        if let ([letter], [value]) = (types, row) {
            // A row is its value.
            self.text.push_value(*letter, value);
            if self.order != Pieces::None {
                self.push_piece(start);
            }
        } else if self.order == Pieces::Values {
            for (&letter, value) in types.iter().zip(row) {
                let start = self.text.len();
                self.text.push_value(letter, value);
                self.push_piece(start);
            }
        } else {
            types.iter().zip(row).for_each(|(&letter, value)| self.text.push_value(letter, value));
            if self.order == Pieces::Rows {
                self.push_piece(start);
            }
        }
        if self.text.len() > self.rest.limit {
            self.shorten();
        }
    }

    /// Puts the values into their final order.
    pub fn arrange(&mut self) -> Output<'_> {
        if self.order == Pieces::None {
            return self.unsorted();
        }
        let is_sorted = self.sorter.sort(self.text.as_bytes());
        let text = self.text.as_bytes();
        if !is_sorted && !self.is_dropped {
            return Output::new(self.values, text);
        }
        if self.is_dropped || text.len() > SHORT {
            return Output::pieces(self.values, &self.sorter, text);
        }
        self.sorter.write(text, 0..self.sorter.len(), &mut self.sorted);
        Output::new(self.values, self.sorted.as_bytes())
    }

    fn unsorted(&mut self) -> Output<'_> {
        let text = self.text.as_bytes();
        let Some(mut md5) = self.rest.md5.clone() else { return Output::new(self.values, text) };
        md5.update(&text[self.rest.hashed..]);
        let digest = Digest(md5.finalize().into());
        let end = if self.rest.is_gone { self.rest.hashed } else { text.len() };
        Output::beginning(self.values, &text[..end], digest)
    }

    /// Adds the text from `start` on as a piece.
    #[inline]
    fn push_piece(&mut self, start: usize) {
        if !self.sorter.push(self.text.with_room(), start, self.text.len()) {
            self.push_long_piece(start);
        }
    }

    /// Adds a piece that is longer than a number. The text of all of them is needed from here on.
    #[cold]
    fn push_long_piece(&mut self, mut start: usize) {
        if self.is_dropped {
            let piece = self.text.as_bytes()[start..].to_vec();
            self.text.truncate(0);
            self.sorter.append_to(&mut self.text);
            start = self.text.len();
            self.text.push(&piece);
            self.is_dropped = false;
        }
        self.sorter.place();
        self.sorter.push(self.text.with_room(), start, self.text.len());
    }

    /// Gives up what is not needed of a long text.
    #[cold]
    fn shorten(&mut self) {
        match self.order {
            Pieces::None => self.rest.hash(&mut self.text, self.values),
            Pieces::Rows | Pieces::Values if self.sorter.needs_text() => self.rest.limit = usize::MAX,
            Pieces::Rows | Pieces::Values => {
                self.text.truncate(0);
                self.is_dropped = true;
            }
        }
    }
}

impl Rest {
    /// Hashes what is new in the text of `values` values, and drops what is not to be kept.
    fn hash(&mut self, text: &mut RenderedText, values: u64) {
        let Some(kept) = self.kept else {
            self.limit = usize::MAX;
            return;
        };
        self.md5.get_or_insert_default().update(&text.as_bytes()[self.hashed..]);
        if !self.is_gone {
            self.hashed = text.len();
            if values > kept {
                let mut ends = memchr::memchr_iter(b'\n', text.as_bytes());
                let end = usize::try_from(kept).ok().and_then(|kept| ends.nth(kept.checked_sub(1)?));
                self.hashed = end.map_or(0, |end| end + 1);
                self.is_gone = true;
            }
        }
        text.truncate(self.hashed);
        self.limit = self.hashed + SHORT;
    }
}

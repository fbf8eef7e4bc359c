//! A result in its final order.

use std::cell::OnceCell;

use md5::{Digest as _, Md5};

use super::sort::{SortedText, Sorter};
use crate::executor::evidence::excerpt;
use crate::outcome::{Digest, Excerpt};
use crate::parser::HashLine;

/// A result in its final order.
#[derive(Debug)]
pub struct Output<'o> {
    values: u64,
    text: OutputText<'o>,
    /// Costly.
    digest: OnceCell<Digest>,
}

#[derive(Debug)]
enum OutputText<'o> {
    Whole(&'o [u8]),
    /// The first values.
    Beginning(&'o [u8]),
    /// Sorted pieces of a long text, which are written when somebody wants to see them: a digest needs no text.
    Pieces {
        sorter: &'o Sorter,
        text: &'o [u8],
        written: OnceCell<SortedText>,
    },
}

impl<'o> Output<'o> {
    /// Takes `values` values, each followed by one LF.
    pub fn new(values: u64, text: &'o [u8]) -> Self {
        Self { values, text: OutputText::Whole(text), digest: OnceCell::new() }
    }

    /// Takes the beginning of `values` values, and the digest of them all.
    pub(super) fn beginning(values: u64, text: &'o [u8], digest: Digest) -> Self {
        Self { values, text: OutputText::Beginning(text), digest: OnceCell::from(digest) }
    }

    /// Takes `values` values in sorted pieces.
    pub(super) fn pieces(values: u64, sorter: &'o Sorter, text: &'o [u8]) -> Self {
        let text = OutputText::Pieces { sorter, text, written: OnceCell::new() };
        Self { values, text, digest: OnceCell::new() }
    }

    /// Returns the number of values.
    pub fn values(&self) -> u64 {
        self.values
    }

    /// Returns the whole text, if it is there.
    pub fn text(&self) -> Option<&[u8]> {
        match self.text {
            OutputText::Whole(text) => Some(text),
            OutputText::Beginning(_) | OutputText::Pieces { .. } => None,
        }
    }

    /// Returns the values one by one, as far as they are kept.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let text = match &self.text {
            OutputText::Whole(text) | OutputText::Beginning(text) => text,
            OutputText::Pieces { sorter, text, written } => written
                .get_or_init(|| {
                    let mut out = SortedText::default();
                    sorter.write(text, 0..sorter.len(), &mut out);
                    out
                })
                .as_bytes(),
        };
        lines_of(text)
    }

    /// Takes `limit` values from the value at `from` on.
    pub fn excerpt(&self, from: u64, limit: usize) -> Excerpt {
        let mut excerpt = match &self.text {
            // A piece has a value at least, unless there are no columns and no values.
            OutputText::Pieces { sorter, text, .. } => {
                let end = usize::try_from(from).unwrap_or(usize::MAX).saturating_add(limit);
                let mut out = SortedText::default();
                sorter.write(text, 0..sorter.len().min(end), &mut out);
                excerpt(lines_of(out.as_bytes()), from, limit)
            }
            OutputText::Whole(_) | OutputText::Beginning(_) => excerpt(self.lines(), from, limit),
        };
        let known = excerpt.omitted_before + excerpt.values.len() as u64;
        excerpt.omitted_after = self.values.saturating_sub(known);
        excerpt
    }

    /// Returns the MD5 of the text, if it is known.
    pub fn known_digest(&self) -> Option<Digest> {
        self.digest.get().copied()
    }

    /// Returns the MD5 of the text.
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| match self.text {
            OutputText::Whole(text) | OutputText::Beginning(text) => Digest(Md5::digest(text).into()),
            OutputText::Pieces { sorter, text, .. } => digest_of_pieces(sorter, text),
        })
    }

    /// Returns the hash line that stands for the output.
    pub fn hash_line(&self) -> HashLine {
        HashLine { values: self.values, digest: self.digest().0 }
    }
}

/// Returns the values in a text, each of which has an LF.
fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest)?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        Some(line)
    })
}

/// Returns the digest of sorted pieces without writing all of them at once.
fn digest_of_pieces(sorter: &Sorter, text: &[u8]) -> Digest {
    let (mut md5, mut out) = (Md5::new(), SortedText::default());
    for start in (0..sorter.len()).step_by(Sorter::AT_ONCE) {
        sorter.write(text, start..sorter.len().min(start + Sorter::AT_ONCE), &mut out);
        md5.update(out.as_bytes());
    }
    Digest(md5.finalize().into())
}

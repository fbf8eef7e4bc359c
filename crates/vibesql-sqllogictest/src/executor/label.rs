//! Labels: queries of one file that must have the same result.

use std::collections::HashMap;

use crate::outcome::Digest;

/// The first result of each label of a file.
#[derive(Debug, Default)]
pub(crate) struct LabelBook<'s> {
    first: HashMap<&'s [u8], First>,
}

/// Where a label had which result first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) line: u32,
    pub(crate) digest: Digest,
}

impl<'s> LabelBook<'s> {
    /// Enters the result of a label; an earlier one that differs is returned. Of the label, `limit` bytes
    /// count.
    pub(crate) fn enter(
        &mut self,
        label: &'s [u8],
        limit: usize,
        digest: Digest,
        line: u32,
    ) -> Option<First> {
        let key = &label[..label.len().min(limit)];
        let first = self.first.entry(key).or_insert(First { line, digest });
        (first.digest != digest).then_some(*first)
    }
}

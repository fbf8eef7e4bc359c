//! Sets of dialects.

use std::fmt;

/// A set of the dialects in [`NAMES`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct DialectSet(u8);

/// The dialects, in the order in which they are preferred when nothing else decides.
pub(super) const NAMES: [&str; 6] = ["sqlite", "rs", "duckdb", "cockroach", "materialize", "vibesql"];

pub(super) const SQLITE: DialectSet = DialectSet(1);
pub(super) const RS: DialectSet = DialectSet(1 << 1);
pub(super) const DUCKDB: DialectSet = DialectSet(1 << 2);
pub(super) const COCKROACH: DialectSet = DialectSet(1 << 3);
pub(super) const MATERIALIZE: DialectSet = DialectSet(1 << 4);
pub(super) const VIBESQL: DialectSet = DialectSet(1 << 5);
pub(super) const ALL: DialectSet = DialectSet((1 << NAMES.len()) - 1);

impl DialectSet {
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the preferred one of them.
    pub(super) const fn first(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }

    /// Returns the number of dialects.
    pub(super) const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Returns the names, the preferred one first.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, name)| name)
    }
}

impl fmt::Debug for DialectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

//! The coverage map: which SQL constructs occur in passing and in failing records.
//!
//! Passing records are not in the journal, so every test file of the run is read again. The text of one file is in
//! memory at a time. A record counts if its engine had to execute it successfully: an expected error says nothing about
//! the constructs of its SQL.

mod book;
mod clauses;
mod constructs;
mod keyword;
mod lexer;
mod map;
#[cfg(test)]
mod tests;

pub use book::ConstructKind;
pub use map::{ConstructCoverage, ConstructPlace, CoverageMap, coverage};

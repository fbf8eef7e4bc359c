//! What has changed between two runs, in words: the documents of `compare` and those of `report` show the same.
//!
//! What is worth naming is decided once, in `sections`.

mod rows;
mod sections;

pub(crate) use rows::{caveats, points, rows, sums};
#[cfg(feature = "cli")]
pub(crate) use sections::Entry;
pub(crate) use sections::{KINDS, Kind, Section, Tone, sections};

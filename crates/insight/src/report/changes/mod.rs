//! What has changed between two runs, in words: the documents of `compare` and those of `report` show the same.
//!
//! What is worth naming is decided once, in `sections`.

mod rows;
mod sections;

pub use rows::{caveats, points, rows, sums};
pub use sections::ChangeEntry;
pub use sections::{ChangeKind, ChangeSection, KINDS, Tone, sections};

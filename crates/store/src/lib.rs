//! Every result in VibeSQL databases: what the journals say, in a form that can be asked in SQL.
//!
//! ```text
//! RESULTS/store/manifest.json              which files there are, with their digests
//!               segments/NAME.….vbsqlz     a run: a VibeSQL database
//!               segments/NAME.outcomes.…   the outcomes that this run had first
//!               segments/summary.…         all runs, and counters for each file
//!               segments/known.…           which outcomes are kept
//!               damaged/                   files that were not as they had been written
//!               lock                       held while any of this is changed
//! ```
//!
//! Files are written beside the others, brought to the disk, and only then named by a new manifest, which replaces the
//! old one as a whole. The journals stay the truth: all of this can be made again from them.

pub mod ask;
mod cell;
mod disk;
pub mod dump;
mod error;
mod extract;
mod keeper;
mod load;
mod manifest;
mod mend;
mod parts;
mod pick;
mod read;
mod rows;
mod run_id;
pub mod schema;
mod seal;
mod segment;
mod shrink;
mod storage;
mod summary;
mod verify;

pub use cell::Cell;
pub use error::StoreError;
pub use extract::{Extract, Loaded, Wanted, Window};
pub use keeper::{Progress, Removal, Sealed, Store};
pub use load::Pin;
pub use run_id::RunId;
pub use storage::{ResultFilter, ResultStorage, StoredRun, TestResult};
pub use verify::Verified;

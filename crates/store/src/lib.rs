//! Results in VibeSQL databases, derived from the journals for queries in SQL.
//!
//! ```text
//! RESULTS/store/manifest.json              the list of files, with their digests
//!               segments/NAME.….vbsqlz     a run: a VibeSQL database
//!               segments/NAME.outcomes.…   the outcomes that this run had first
//!               segments/summary.…         all runs, and counters for each file
//!               segments/known.…           the stored outcomes
//!               damaged/                   corrupt files
//!               lock                       held while any of this is changed
//! ```
//!
//! New files are written and synced first, and only then named by a new manifest, which replaces the old one
//! atomically. The journals are the source of truth: the store can be rebuilt from them.

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
pub use extract::{Extract, HistoryWindow, LoadedTable, WantedColumns};
pub use keeper::{Progress, RemovalLock, SealResult, Store};
pub use load::StoreSnapshot;
pub use run_id::RunId;
pub use storage::{ResultFilter, ResultStorage, StoredRun, TestResult};
pub use verify::VerifyReport;

//! Results in VibeSQL databases, derived from the journals for queries in SQL.
//!
//! ```text
//! RESULTS/store/manifest.json              the list of files, with their digests
//!               segments/NAME.….vbsqlz     a run: a VibeSQL database
//!               segments/NAME.outcomes.…   the outcomes that this run had first
//!               segments/summary.…         all runs, and counters for each file
//!               segments/known.…           the identities of the stored outcomes
//!               damaged/                   corrupt files
//!               lock                       held while any of this is changed
//! ```
//!
//! New files are written and synced first, and only then named by a new manifest, which replaces the old one
//! atomically. The journals are the source of truth: the store can be rebuilt from them.

pub mod ask;
mod cell;
mod compress;
mod disk;
pub mod dump;
mod error;
mod extract;
mod load;
mod maintenance;
mod manifest;
mod pick;
mod read;
mod repair;
mod rows;
mod run_id;
pub mod schema;
mod seal;
mod segment;
mod segment_reader;
mod segment_tables;
mod storage;
mod store;
mod summary;
mod verify;
mod vibesql_tables;

pub use cell::Cell;
pub use error::StoreError;
pub use extract::{Extract, HistoryWindow, LoadedTable, RowReceiver, WantedColumns};
pub use load::StoreSnapshot;
pub use maintenance::RemovalLock;
pub use run_id::RunId;
pub use storage::{ResultFilter, ResultStorage, StoredRun, TestResult};
pub use store::{Progress, SealResult, Store};
pub use verify::VerifyReport;

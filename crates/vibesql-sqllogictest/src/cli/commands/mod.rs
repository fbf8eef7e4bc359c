//! One file for each command: its arguments are in `args`, what it does is here.

pub(super) mod analyze;
#[cfg(feature = "store")]
pub(super) mod ask;
pub(super) mod backup;
pub(super) mod bisect;
pub(super) mod compare;
pub(super) mod completions;
pub(super) mod config;
#[cfg(feature = "store")]
pub(super) mod dump;
pub(super) mod engines;
pub(super) mod export;
pub(super) mod flaky;
pub(super) mod import;
pub(super) mod ledger;
pub(super) mod list;
pub(super) mod man;
pub(super) mod merge;
pub(super) mod prune;
pub(super) mod punchlist;
#[cfg(feature = "store")]
pub(super) mod query;
pub(super) mod report;
mod rerun;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod show;
pub(super) mod status;
#[cfg(feature = "store")]
pub(super) mod store;
pub(super) mod test;
pub(super) mod work;
pub(super) mod worker;

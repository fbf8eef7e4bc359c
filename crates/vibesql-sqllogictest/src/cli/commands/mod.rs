//! One file per command. The arguments of the commands are in `args`.

pub(super) mod add;
pub(super) mod analyze;
#[cfg(feature = "store")]
pub(super) mod ask;
pub(super) mod bisect;
pub(super) mod check;
pub(super) mod compare;
pub(super) mod completions;
pub(super) mod config;
mod documents;
pub(super) mod engines;
pub(super) mod expectations;
pub(super) mod flaky;
pub(super) mod format;
pub(super) mod list;
pub(super) mod man;
pub(super) mod punchlist;
#[cfg(feature = "store")]
pub(super) mod query;
pub(super) mod report;
mod rerun;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod shell;
pub(super) mod show;
pub(super) mod status;
pub(super) mod store;
pub(super) mod test;
pub(super) mod update;
pub(super) mod watch;
pub(super) mod work;
pub(super) mod worker;

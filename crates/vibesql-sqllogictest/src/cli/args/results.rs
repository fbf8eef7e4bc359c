//! The words of the commands on runs that are kept.

#[cfg(feature = "store")]
use clap::Subcommand;
use clap::{ArgGroup, Args};

use super::Bytes;

#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArgs {
    /// Show the last N runs.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["keep", "older_than", "max_size"]).required(true).multiple(true))]
pub(in crate::cli) struct PruneArgs {
    /// Leave the newest N runs.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) keep: Option<u32>,
    /// Remove runs that are more than DAYS old.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) older_than: Option<u32>,
    /// Leave the newest runs that together take no more than SIZE, for instance 500M.
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_size: Option<Bytes>,
    /// Only say what would be removed.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Be killed at a step of the writing, for tests of what is left then.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
}

/// The word for the last run.
pub(in crate::cli) const LAST_RUN: &str = "last";

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// The run, by its name or folder; last, or nothing, is the last one.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// A file of the run, by its path in the report.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<String>,
}

#[cfg(feature = "store")]
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StoreCommand {
    /// Checks every file of the store, and every run in it against its journal.
    Verify,
    /// Makes the store again from the journals of all runs.
    Rebuild(StoreArgs),
    /// Takes in the runs that are not in the store yet; `run` and `query` do so by themselves.
    Seal(StoreArgs),
}

#[cfg(feature = "store")]
#[derive(Debug, Args)]
pub(in crate::cli) struct StoreArgs {
    /// Be killed at a step of the writing, for tests of what is left then.
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
}

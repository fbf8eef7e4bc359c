//! The arguments about expected failures.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::runs::{LAST_RUN, RUN_NAMES};

/// Which expected failures are used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Expected failures")]
pub(in crate::cli) struct ExpectationArgs {
    /// Read expected failures from FILE
    ///
    /// By default, expectations.toml in the folder of the suite is read, if it exists.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) expectations: Option<PathBuf>,
    /// Treat every failure as unexpected.
    #[arg(long, conflicts_with = "expectations")]
    pub(in crate::cli) no_expectations: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExpectationsCommand {
    /// Add the failures of a run to expectations.toml.
    Update(ExpectationsUpdateArgs),
    /// Check a run against the expected failures.
    Check(ExpectationsCheckArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct ExpectationsUpdateArgs {
    /// Run whose failures are added.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Write to FILE [default: expectations.toml in the folder of the suite].
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) expectations: Option<PathBuf>,
    /// Reason of the new entries.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// Issue of the new entries.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) issue: Option<String>,
    /// Owner of the new entries.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) owner: Option<String>,
    /// Last day on which the new entries are valid, such as 2026-12-31.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) expires: Option<Date>,
    /// Print the new file instead of writing it.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct ExpectationsCheckArgs {
    /// Run to check.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
}

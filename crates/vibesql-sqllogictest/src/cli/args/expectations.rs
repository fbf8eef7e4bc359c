//! The words about what is expected to fail.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{LAST_RUN, RUN_WORDS};

/// Where it is said what is expected to fail.
#[derive(Debug, Args)]
#[command(next_help_heading = "Expected failures")]
pub(in crate::cli) struct ExpectationArgs {
    /// File with expected failures; by default expectations.toml in the folder of the suite, if it exists.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) expectations: Option<PathBuf>,
    /// Treat every failure as unexpected.
    #[arg(long, conflicts_with = "expectations")]
    pub(in crate::cli) no_expectations: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LedgerCommand {
    /// Records the failures of a run as expected in expectations.toml.
    Update(LedgerUpdateArgs),
    /// Checks a run against the expected failures.
    Check(LedgerCheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct LedgerUpdateArgs {
    /// The run.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// The file to write; by default expectations.toml in the folder of the suite.
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
    /// Last day on which the new entries are valid, for example 2026-12-31.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) expires: Option<Date>,
    /// Print the file instead of writing it.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct LedgerCheckArgs {
    /// The run.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
}

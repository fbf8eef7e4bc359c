//! The words about what is expected to fail.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{LAST_RUN, RUN_WORDS};

/// Where it is said what is expected to fail.
#[derive(Debug, Args)]
#[command(next_help_heading = "Expected failures")]
pub(in crate::cli) struct ExpectationArgs {
    /// What is expected to fail; by default expectations.toml in the folder of the suite, if it is there.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) expectations: Option<PathBuf>,
    /// Whatever fails is unexpected.
    #[arg(long, conflicts_with = "expectations")]
    pub(in crate::cli) no_expectations: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LedgerCommand {
    /// Writes what fails in a run into expectations.toml, so that a run like it is a good one.
    Update(LedgerUpdateArgs),
    /// Holds a run against what is expected.
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
    /// Why the new ones fail.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// Where that is discussed.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) issue: Option<String>,
    /// Who looks after the new ones.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) owner: Option<String>,
    /// The last day on which the new ones hold, like 2026-12-31.
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) expires: Option<Date>,
    /// Only say what would be written.
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

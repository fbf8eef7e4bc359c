//! The words of the commands on runs that are kept.

use std::path::PathBuf;

#[cfg(feature = "store")]
use clap::Subcommand;
use clap::{ArgGroup, Args, ValueEnum};

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

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// JSON results and SQL dumps of VibeSQL's earlier scripts, and JUnit reports.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// What the files are; without it they are looked at.
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<ImportFormat>,
    /// The engine that the results are of.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine: Option<String>,
}

/// A kind of file that runs are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ImportFormat {
    // A `///` here would make the whole help long.
    Json,
    Sql,
    Junit,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Export the run RUN, by its name or folder; without RUN the last one.
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = LAST_RUN)]
    pub(in crate::cli) run: Option<String>,
    /// Export the tables of all runs: SQL for SQLite and VibeSQL, JSON, or a folder of CSV files.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "FORMAT", conflicts_with = "run")]
    pub(in crate::cli) format: Option<DumpFormat>,
    /// Write to FILE; - is standard output. By default it is RUN.run.zst in this folder, or results.FORMAT.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace what is there.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

/// A form of all results.
#[cfg(feature = "store")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DumpFormat {
    // A `///` here would make the whole help long.
    Sql,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// Files of `export` and `backup`.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArgs {
    /// The folder of backups; by default `backups` where results are kept.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Leave the N newest backups; older ones are removed when the new one has been read back.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) keep: u32,
}

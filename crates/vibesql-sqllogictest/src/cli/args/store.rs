//! The arguments of `store`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::runs::{LAST_RUN, RUN_NAMES};
use super::size::ByteSize;
use slt_runner::results::import::SourceFormat;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StoreCommand {
    #[cfg(feature = "store")]
    #[command(flatten)]
    Database(super::database::DatabaseCommand),
    /// Remove old runs.
    Prune(PruneArgs),
    /// Write all runs to one file and verify it.
    Backup(BackupArgs),
    /// Restore the runs of a backup; existing runs stay unchanged.
    Restore(RestoreArgs),
    /// Import results of VibeSQL's earlier scripts and other runners as runs.
    Import(ImportArgs),
    #[cfg_attr(feature = "store", doc = "Export a run to a file, or all results as SQL, CSV or JSON.")]
    #[cfg_attr(not(feature = "store"), doc = "Export a run to a file.")]
    Export(ExportArgs),
    /// Import runs from files of `store export`, and combine the shards of a run.
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["keep", "older_than", "max_size"]).required(true).multiple(true))]
pub(in crate::cli) struct PruneArgs {
    /// Keep the newest N runs.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) keep: Option<u32>,
    /// Remove runs that are more than DAYS old.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) older_than: Option<u32>,
    /// Keep the newest runs that use at most SIZE together, such as 500M.
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_size: Option<ByteSize>,
    /// List the runs instead of removing them.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Kill this process at a step of the writing, for tests.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArgs {
    /// Write the backup to the folder DIR [default: `backups` in the results folder].
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Keep the N newest backups
    ///
    /// Older backups are removed after the new one has been verified.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) keep: u32,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// File of `store backup` [default: the newest in `backups` of the results folder].
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// Result files: JSON, punchlists and SQL dumps of VibeSQL's earlier scripts, and JUnit reports.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Format of the files [default: detected from the content].
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<ImportFormat>,
    /// Engine of the results.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine: Option<String>,
}

choice! {
    /// The format of a file that runs are imported from.
    ImportFormat for SourceFormat { Json, Sql, Junit }
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct ExportArgs {
    /// Export the run RUN, or the last run.
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = LAST_RUN)]
    pub(in crate::cli) run: Option<String>,
    /// Export the tables of all runs.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "FORMAT", conflicts_with = "run")]
    pub(in crate::cli) format: Option<super::database::TableFormat>,
    /// Write to FILE; - is standard output
    ///
    /// The default is RUN.run.zst, or results.FORMAT, in this folder.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace existing files.
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// Files of `store export`.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
}

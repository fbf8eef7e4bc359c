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
    /// Keep the newest N runs.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) keep: Option<u32>,
    /// Remove runs that are more than DAYS old.
    #[arg(long, value_name = "DAYS")]
    pub(in crate::cli) older_than: Option<u32>,
    /// Keep the newest runs that together use at most SIZE, for example 500M.
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_size: Option<Bytes>,
    /// Only list what would be removed.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Be killed at a step of the writing, for tests of what is left then.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
}

/// What counts as a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GateWord {
    // A `///` here would make the whole help long.
    None,
    Files,
    Records,
}

/// A form of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CompareFormat {
    // A `///` here would make the whole help long.
    Text,
    Markdown,
    Json,
}

/// How a run is named, for the help of every command that takes one; docs/runs.md has it at length.
pub(in crate::cli) const RUN_WORDS: &str = "\
RUN is last or latest, previous (the run before it on the same engine), a name listed by `runs`, the path of a run's folder, \
a branch or a commit (its last complete run), or a file of `export --run`. If a name is ambiguous, prefix it with run:, \
branch:, commit: or file:.";

/// The word for the last run.
pub(in crate::cli) const LAST_RUN: &str = "last";
/// The word for the run before another one, on the same engine.
pub(in crate::cli) const PREVIOUS_RUN: &str = "previous";

const FILES_OF_OTHERS: &str = "BASELINE and CURRENT may also be result files that `import` accepts.";

#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_WORDS} {FILES_OF_OTHERS}"))]
pub(in crate::cli) struct CompareArgs {
    /// The run to compare with.
    #[arg(value_name = "BASELINE", default_value = PREVIOUS_RUN)]
    pub(in crate::cli) baseline: String,
    /// The run to examine.
    #[arg(value_name = "CURRENT", default_value = LAST_RUN)]
    pub(in crate::cli) current: String,
    /// The form of the result.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: CompareFormat,
    /// Write to FILE, in place of standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Exit with code 4 if a file (files), or a file or record (records), has regressed.
    #[arg(long, value_name = "WHAT", default_value = "records")]
    pub(in crate::cli) gate: GateWord,
    /// List at most N changes of each kind; 0 lists all. JSON always lists all.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FlakyArgs {
    /// Examine the last N runs of the engine.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// The engine; by default that of the last run.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine: Option<String>,
    /// The form of the result; json has all files.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: FlakyFormat,
}

/// A form of what many runs tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FlakyFormat {
    // A `///` here would make the whole help long.
    Text,
    Json,
}

const BISECT: &str = "\
Examples:
  vibesql-sqllogictest bisect                       all failures, by the commits where they began
  vibesql-sqllogictest bisect select1.test:1042     a script for `git bisect run`, for one record
  vibesql-sqllogictest bisect t.test:7 --good v1.0  from a known good commit without a run";

#[derive(Debug, Args)]
#[command(after_help = format!("{BISECT}\n\n{RUN_WORDS}"))]
pub(in crate::cli) struct BisectArgs {
    /// A file, or the record on a line of it; by default all failures of the run.
    #[arg(value_name = "FILE[:LINE]")]
    pub(in crate::cli) target: Option<String>,
    /// The run with the failure; it must be stored here.
    #[arg(long, value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Examine the N runs of the engine up to that one.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// A known good commit, overriding the runs.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) good: Option<String>,
    /// A known bad commit, overriding the runs.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) bad: Option<String>,
    /// The shell command that builds a commit; by default `cargo build`.
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) build: Option<String>,
    /// The program that the build creates, relative to the root of the repository; by default this program, if it is
    /// inside.
    #[arg(long, value_name = "PROGRAM")]
    pub(in crate::cli) program: Option<String>,
    /// Time limit at each commit; 0 means no limit. By default the time limit of the file in the run.
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) timeout: Option<u64>,
    /// Write the script to FILE and its data to FILE.files; - is standard output. By default they are in the .git
    /// folder.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// The form of the result.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: FlakyFormat,
}

/// What a run is compared with when it is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub(in crate::cli) struct BaselineArgs {
    /// Compare the finished run with RUN, named as for `compare`.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<String>,
    /// Exit with code 4, unless a more severe code applies, if a file (files), or a file or record (records), has
    /// regressed.
    #[arg(long, value_name = "WHAT", default_value = "records", requires = "baseline")]
    pub(in crate::cli) gate: GateWord,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct ShowArgs {
    /// The run.
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
    /// Recreates the store from the journals of all runs.
    Rebuild(StoreArgs),
    /// Adds the runs that are not in the store yet; `run` and `query` do this automatically.
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
    /// JSON results, punchlists and SQL dumps of VibeSQL's earlier scripts, and JUnit reports.
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// The format of the files; by default it is detected from the content.
    #[arg(long, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<ImportFormat>,
    /// The engine of the results.
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
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct ExportArgs {
    /// Export the run RUN; without RUN the last one.
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = LAST_RUN)]
    pub(in crate::cli) run: Option<String>,
    /// Export the tables of all runs: SQL for SQLite and VibeSQL, JSON, or a folder of CSV files.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "FORMAT", conflicts_with = "run")]
    pub(in crate::cli) format: Option<DumpFormat>,
    /// Write to FILE; - is standard output. By default it is RUN.run.zst in this folder, or results.FORMAT.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace existing files.
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
    /// Keep the N newest backups; older ones are removed after the new one has been verified.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) keep: u32,
}

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
A RUN is last or latest, previous (the one before, on the same engine), its name in `runs` or the path of its folder, a \
branch or a commit (its last complete run), or a file of `export --run`. Where a word can mean two things, run:, branch:, \
commit: or file: in front of it says which.";

/// The word for the last run.
pub(in crate::cli) const LAST_RUN: &str = "last";
/// The word for the run before another one, on the same engine.
pub(in crate::cli) const PREVIOUS_RUN: &str = "previous";

const FILES_OF_OTHERS: &str = "BASELINE and CURRENT may also be files with results that `import` knows.";

#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_WORDS} {FILES_OF_OTHERS}"))]
pub(in crate::cli) struct CompareArgs {
    /// The RUN that is compared with.
    #[arg(value_name = "BASELINE", default_value = PREVIOUS_RUN)]
    pub(in crate::cli) baseline: String,
    /// The RUN that is compared.
    #[arg(value_name = "CURRENT", default_value = LAST_RUN)]
    pub(in crate::cli) current: String,
    /// The form of the result.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: CompareFormat,
    /// Write to FILE, in place of standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// What ends the command with exit code 4: a file that has regressed, or a record as well.
    #[arg(long, value_name = "WHAT", default_value = "records")]
    pub(in crate::cli) gate: GateWord,
    /// Name at most N changes of each kind, 0 for all; JSON has all.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FlakyArgs {
    /// Look at the last N runs of the engine.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// The engine; without it that of the last run.
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
  vibesql-sqllogictest bisect                       what began to fail between which commits
  vibesql-sqllogictest bisect select1.test:1042     a script for `git bisect run`, for one record
  vibesql-sqllogictest bisect t.test:7 --good v1.0  from a commit that no run knows of";

#[derive(Debug, Args)]
#[command(after_help = format!("{BISECT}\n\n{RUN_WORDS}"))]
pub(in crate::cli) struct BisectArgs {
    /// The file, or the record on a line of it; without it all that fails in the run.
    #[arg(value_name = "FILE[:LINE]")]
    pub(in crate::cli) target: Option<String>,
    /// The run in which it fails, which is kept here.
    #[arg(long, value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Look at the N runs of the engine up to that one.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// A commit at which it was good, whatever the runs tell.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) good: Option<String>,
    /// A commit at which it was bad, whatever the runs tell.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) bad: Option<String>,
    /// The command that builds a commit, for the shell; by default Cargo.
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) build: Option<String>,
    /// The program that the build makes, from the top of the repository; by default this program, if it is in there.
    #[arg(long, value_name = "PROGRAM")]
    pub(in crate::cli) program: Option<String>,
    /// How long the program may take at a commit; 0 lets it run. By default it is as long as the run let the file take.
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) timeout: Option<u64>,
    /// Write the script to FILE, and what it needs to FILE.files; - is standard output. By default it is in Git's own
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
    /// When the run is done, compare it with RUN, as `compare` takes it.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<String>,
    /// What ends the run with exit code 4, if nothing graver does: a file that has regressed, or a record as well.
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
    /// JSON results, punchlists and SQL dumps of VibeSQL's earlier scripts, and JUnit reports.
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
    Csv,
    Markdown,
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

//! The arguments of `run` and `worker`, and of the worker processes that they start.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::compare::BaselineArgs;
use super::expectations::ExpectationArgs;
use super::runs::RUN_NAMES;
use super::selection::SelectionArgs;
use super::size::ByteSize;
use super::test::EngineArgs;
use slt_core::outcome::FlakyResult;

const KEYS_AND_SIGNALS: &str = "\
In a terminal, the key t shows the running files; elsewhere, send SIGUSR1. Ctrl-C stops the run after the running \
files have finished; a second Ctrl-C stops it immediately.";

#[derive(Debug, Args)]
#[command(after_help = KEYS_AND_SIGNALS, after_long_help = format!("{KEYS_AND_SIGNALS}\n\n{RUN_NAMES}"))]
pub(in crate::cli) struct RunArgs {
    /// Write a JSON report to FILE; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Write all reports about the run to DIR
    ///
    /// HTML, Markdown, JSON, JUnit, a summary, a comment and a badge, and the run for `store merge`.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) output_dir: Option<PathBuf>,
    /// Keep SQL and values of at most N failing records per file
    ///
    /// The others are listed by line only.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) max_details: u32,
    /// Count files in which nothing was executed as failed.
    #[arg(long)]
    pub(in crate::cli) fail_on_empty: bool,
    /// Number of worker processes [default: one per core].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) workers: Option<u16>,
    /// Run one file at a time, like --workers 1.
    #[arg(long, conflicts_with = "workers")]
    pub(in crate::cli) serial: bool,
    /// Stop starting files after the first failure.
    #[arg(long, conflicts_with = "max_fail")]
    pub(in crate::cli) fail_fast: bool,
    /// Stop starting files after N files have not passed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) max_fail: Option<u32>,
    /// Combine this shard with the other shards of NAME [default: the CI run]
    ///
    /// `store merge` combines them into one run, and so does `run` after the last one in one results folder.
    #[arg(long, value_name = "NAME", requires = "shard")]
    pub(in crate::cli) group: Option<String>,
    /// Resume the interrupted run RUN, or the last interrupted run.
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        conflicts_with_all = [
            "paths", "max_details", "filter", "exclude", "shard", "engine", "engine_name", "dialect", "exact",
            "allow_shell", "allow_outside",
            "record_timeout", "hash_threshold", "timeout", "max_memory", "slow", "grace", "retries", "repeat",
            "flaky", "failed", "changed", "order", "random", "seed", "balance", "no_split", "files", "suite", "group",
            "watch",
        ],
    )]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(in crate::cli) resume: Option<Option<String>>,
    /// Run again what changes, until Ctrl-C
    ///
    /// A changed test file runs alone, a changed included file with the files that include it. After a change of this
    /// program or of the driver of the engine all files run, those first that have failed. Only the first run is stored.
    #[arg(long)]
    watch: bool,
    /// The folder of `--watch`, whose process starts this one.
    #[arg(long, value_name = "DIR", hide = true)]
    pub(in crate::cli) watched: Option<PathBuf>,
    /// Kill this process at a step of the start, for tests.
    #[arg(long, value_name = "STEP", hide = true)]
    pub(in crate::cli) die_at_step: Option<u64>,
    /// Print no lines for files that passed.
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    /// Print all failing records, notes, speed and memory of each file
    ///
    /// A line is also printed when a file starts.
    #[arg(long, short, conflicts_with = "quiet")]
    pub(in crate::cli) verbose: bool,
    /// List the N slowest files at the end; 0 lists all.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) durations: Option<u32>,
    /// Measure where the time goes, and show it at the end
    ///
    /// By part (engine, rendering, judging and so on), by file and by worker; also in the JSON report and on the page of
    /// `report`.
    #[arg(long)]
    pub(in crate::cli) timings: bool,
    /// Disable the progress bar and keys
    ///
    /// They are always disabled if standard error is not a terminal.
    #[arg(long)]
    pub(in crate::cli) no_progress: bool,
    /// Format of standard output.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) message_format: MessageFormat,
    #[command(flatten)]
    pub(in crate::cli) baseline: BaselineArgs,
    #[command(flatten)]
    pub(in crate::cli) limits: LimitArgs,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) order: OrderArgs,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
    #[command(flatten)]
    compatibility: CompatibilityArgs,
}

impl RunArgs {
    /// Whether this process watches, and starts others that run.
    pub(in crate::cli) fn is_watch(&self) -> bool {
        self.watch && self.watched.is_none()
    }
}

/// Flags of VibeSQL's earlier scripts that select what is the default here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compatibility")]
struct CompatibilityArgs {
    /// Run files in parallel (the default).
    #[arg(long, conflicts_with = "serial")]
    parallel: bool,
    /// Run every file regardless of earlier results (the default).
    #[arg(long, conflicts_with_all = ["failed", "changed"])]
    force: bool,
}

/// The order in which files are run, and whether they are split.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier runs")]
pub(in crate::cli) struct OrderArgs {
    /// Order of the files.
    #[arg(long, value_name = "ORDER", default_value = "history")]
    pub(in crate::cli) order: OrderChoice,
    /// Run files in random order, like --order random.
    #[arg(long, conflicts_with = "order")]
    pub(in crate::cli) random: bool,
    /// Run files in random order with seed N
    ///
    /// The order is the same on every machine.
    #[arg(long, value_name = "N", conflicts_with = "order")]
    pub(in crate::cli) seed: Option<u64>,
    /// Never split a file between workers
    ///
    /// By default, a file that would outlast all others is split, and idle workers help with running files, if that cannot
    /// change any result.
    #[arg(long)]
    pub(in crate::cli) no_split: bool,
}

/// An order of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OrderChoice {
    /// Failed files, then new ones, then passed ones, each longest first.
    History,
    /// By path.
    Path,
    /// Shuffled.
    Random,
}

/// The format of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MessageFormat {
    /// Text.
    Human,
    /// Events of the run as JSON lines.
    Json,
}

/// Limits on files and on the run, and how many times a file is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(in crate::cli) struct LimitArgs {
    /// Stop a file after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    /// Stop starting files after SECONDS; running files get the grace period.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) time: Option<u64>,
    /// Stop a file that uses more than SIZE of memory (Linux only)
    ///
    /// Examples of sizes: 512M, 2G.
    #[arg(long, value_name = "SIZE")]
    pub(in crate::cli) max_memory: Option<ByteSize>,
    /// Print a note when a file runs for SECONDS; 0 disables the note
    ///
    /// The note is also printed at half the time limit of the file, and is repeated each time the duration has doubled.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(in crate::cli) slow: u64,
    /// Kill a process SECONDS after asking it to end.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(in crate::cli) grace: u64,
    /// Retry a file that has not passed up to N times
    ///
    /// A file that passes after a retry is FLAKY.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) retries: u32,
    /// Run each file N times
    ///
    /// A file that does not pass each time is FLAKY or worse.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) repeat: u32,
    /// Result of files that passed only after a retry or a worker crash.
    #[arg(long, value_name = "RESULT", default_value = "pass")]
    pub(in crate::cli) flaky: FlakyChoice,
}

choice! {
    /// Whether a flaky file counts as passed or failed.
    FlakyChoice for FlakyResult { Pass, Fail }
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct WorkerArgs {
    /// Join RUN, or the run in progress.
    #[arg(long, value_name = "RUN", num_args = 0..=1, required = true)]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(in crate::cli) join: Option<Option<String>>,
    /// Number of worker processes [default: one per core].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WorkArgs {
    /// The folder of the run.
    pub(in crate::cli) folder: PathBuf,
    /// The number of the process that starts this one, within the run.
    pub(in crate::cli) process_dir: u64,
    /// The number of the worker.
    pub(in crate::cli) number: usize,
    /// Whether to measure the parts of the time of each file.
    #[arg(long)]
    pub(in crate::cli) timings: bool,
}

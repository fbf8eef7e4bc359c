//! The words of the command line. What they mean is decided in [`super::settings`].

mod analysis;
mod expectations;
mod program;
mod report;
mod results;
mod selection;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

pub(super) use self::analysis::{AnalysisFormat, AnalyzeArgs, PunchlistArgs, PunchlistFormat};
pub(super) use self::expectations::{ExpectationArgs, LedgerCheckArgs, LedgerCommand, LedgerUpdateArgs};
pub(super) use self::program::{CompletionsArgs, ConfigCommand, ConfigShowArgs, ManArgs};
pub(super) use self::report::{ReportArgs, ReportFormat, UntestedWord};
pub(super) use self::results::{
    BackupArgs, BaselineArgs, BisectArgs, CompareArgs, CompareFormat, ExportArgs, FlakyArgs, FlakyFormat,
    GateWord, ImportArgs, ImportFormat, LAST_RUN, MergeArgs, PREVIOUS_RUN, PruneArgs, RUN_WORDS, RunsArgs,
    ShowArgs,
};
#[cfg(feature = "store")]
pub(super) use self::results::{DumpFormat, StoreCommand};
pub(super) use self::selection::{Balance, SelectionArgs, ShardWord, path_word};
use slt_core::outcome::FlakyResult;
use slt_runner::parallel::Pattern;

const AFTER: &str = "\
Exit codes:
  0   all good              4   regressed
  1   tests failed          5   incomplete
  2   usage, configuration  6   engine unavailable
      or unreadable input   70  a bug of this program
  3   nothing selected      71  a limit of the system

Examples:
  vibesql-sqllogictest run                          the shipped suite on VibeSQL
  vibesql-sqllogictest run --engine sqlite DIR      every test file below DIR on SQLite
  vibesql-sqllogictest test select1.test:1042       one record, after its set-up";

/// Runs SQLLogicTest suites against SQL engines and reports the outcome of every record.
#[derive(Debug, Parser)]
#[command(name = "vibesql-sqllogictest", version, after_help = AFTER, max_term_width = 110)]
pub(super) struct Cli {
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
    /// Folder for results of this and earlier runs; by default VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) results: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigSource,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Where settings that are not typed come from. Whoever resolves them has read these before there is a [`Cli`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigSource {
    /// Read settings from FILE instead of the nearest sqllogictest.toml in this folder or above.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Do not read a configuration file.
    #[arg(long, global = true)]
    no_config: bool,
    /// Use the settings of [profile.NAME] instead of [profile.default].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "no_config")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs files or single records and shows each failure with a diff.
    Test(TestArgs),
    /// Runs a suite and prints a line for each file and a summary by category.
    Run(Box<RunArgs>),
    /// Lists the files that `run` would run.
    List(ListArgs),
    /// Lists the engines of this build.
    Engines,
    /// Shows the last run by category and the changes since the previous run.
    Status,
    /// Compares two runs record by record: regressed, fixed and new failures.
    Compare(CompareArgs),
    /// Lists flaky files: results differ between runs of the same code.
    Flaky(FlakyArgs),
    /// Finds the commits between which failures began and writes a script for `git bisect run`.
    Bisect(BisectArgs),
    /// Lists runs with their pass rates.
    Runs(RunsArgs),
    /// Shows a run, or one file of a run with its failures.
    Show(ShowArgs),
    /// Groups the failures of a run by probable cause and suggests what to fix first.
    Analyze(AnalyzeArgs),
    /// Lists failing files in suggested fix order.
    Punchlist(PunchlistArgs),
    /// Writes a report about a run: HTML, JUnit, Markdown and others.
    Report(ReportArgs),
    /// Queries the results with SQL; opens a shell if no statement is given.
    #[cfg(feature = "store")]
    Query(Box<super::query_args::QueryArgs>),
    /// Maintains the list of expected failures.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Removes old runs.
    Prune(PruneArgs),
    /// Checks and repairs the databases with the results of all runs.
    #[cfg(feature = "store")]
    #[command(subcommand)]
    Store(StoreCommand),
    /// Imports results of VibeSQL's earlier scripts and other runners as runs.
    Import(ImportArgs),
    #[cfg_attr(
        feature = "store",
        doc = "Writes a run to a file for `merge` elsewhere, or all results as SQL, CSV or JSON."
    )]
    #[cfg_attr(
        not(feature = "store"),
        doc = "Writes a run to a file that can be carried elsewhere, where `merge` takes it in."
    )]
    Export(ExportArgs),
    /// Imports runs from files of `export` and `backup`; existing runs stay unchanged.
    Merge(MergeArgs),
    /// Writes all runs to one file and verifies it; `merge` restores them.
    Backup(BackupArgs),
    /// Adds workers to a run in progress.
    Worker(WorkerArgs),
    /// Shows the effective settings and where each comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints shell completions.
    Completions(CompletionsArgs),
    /// Prints the man page.
    Man(ManArgs),
    /// Works on the files of a run; started by `run` and `worker`.
    #[command(hide = true)]
    Work(WorkArgs),
    /// Answers questions with one engine; started by `query`.
    #[cfg(feature = "store")]
    #[command(hide = true)]
    Ask(super::query_args::AskArgs),
}

/// Which engine, and how files are read. The same for all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Engine and dialect")]
pub(super) struct EngineArgs {
    /// The engine under test; by default the first one listed by `engines`.
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<String>,
    /// Name of the engine for skipif and onlyif, instead of its own names; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(super) engine_name: Vec<String>,
    /// The dialect of the files, overriding what the files declare: sqlite.
    #[arg(long, value_name = "DIALECT")]
    pub(super) dialect: Option<String>,
    /// Behave exactly like the reference runner, including what it silently ignores.
    #[arg(long)]
    pub(super) exact: bool,
    /// Stop a record after SECONDS. SQLite continues with the next record; if an engine cannot be interrupted, the
    /// file ends there.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) record_timeout: Option<u64>,
    /// Expect results of more than N values to be hashed, overriding the files; 0 means never.
    #[arg(long, value_name = "N")]
    pub(super) hash_threshold: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// A test file, a directory or a glob. FILE:LINE runs the statements before that line, then only the record on it.
    /// Shipped files are named suite:PATH; standard input is - or /dev/stdin:LINE.
    #[arg(required = true, value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(super) targets: Vec<String>,
    /// Print each record to standard error before it runs, to locate a hang or crash.
    #[arg(long)]
    pub(super) trace: bool,
    /// Show at most N failures per file.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) max_failures: usize,
    /// Stop a file after SECONDS; 0 means no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(super) timeout: u64,
    /// Time limits of single files, from the configuration.
    #[arg(skip)]
    pub(super) timeouts: Vec<(Pattern, Option<Duration>)>,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
}

const WHILE_IT_RUNS: &str = "\
In a terminal, the key t shows the running files; elsewhere, send SIGUSR1. Ctrl-C stops the run after the running \
files have finished; a second Ctrl-C stops it immediately.";

#[derive(Debug, Args)]
#[command(after_help = format!("{WHILE_IT_RUNS}\n\n{RUN_WORDS}"))]
pub(super) struct RunArgs {
    /// Write a JSON report to FILE; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Keep SQL and values of at most N failing records per file; the others are listed by line only.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_details: u32,
    /// Count files in which nothing was executed as failed.
    #[arg(long)]
    pub(super) fail_on_empty: bool,
    /// Run files in N worker processes; by default one per core.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
    /// Run one file at a time, like --workers 1.
    #[arg(long, conflicts_with = "workers")]
    pub(super) serial: bool,
    /// Start no more files after the first that has not passed.
    #[arg(long, conflicts_with = "max_fail")]
    pub(super) fail_fast: bool,
    /// Start no more files after N files that have not passed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_fail: Option<u32>,
    /// Resume the interrupted run RUN; without RUN, the last interrupted one.
    #[arg(
        long,
        value_name = "RUN",
        num_args = 0..=1,
        conflicts_with_all = [
            "paths", "max_details", "filter", "exclude", "shard", "engine", "engine_name", "dialect", "exact",
            "record_timeout", "hash_threshold", "timeout", "max_memory", "slow", "grace", "retries", "repeat",
            "flaky", "failed", "changed", "order", "random", "seed", "balance", "no_split", "files", "suite",
        ],
    )]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(super) resume: Option<Option<String>>,
    /// Be killed at a step of the start, for tests of what is left then.
    #[arg(long, value_name = "STEP", hide = true)]
    pub(super) die_at_step: Option<u64>,
    /// Print no lines for files that passed.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Print all failing records, notes, speed and memory of each file, and a line when a file starts.
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// List the N slowest files at the end; 0 lists all.
    #[arg(long, value_name = "N")]
    pub(super) durations: Option<u32>,
    /// Disable the progress bar and keys; they are always off if standard error is not a terminal.
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Print text, or the events of the run as JSON lines, to standard output.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) message_format: MessageFormat,
    #[command(flatten)]
    pub(super) baseline: BaselineArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    /// Time limits of single files, from the configuration.
    #[arg(skip)]
    pub(super) timeouts: Vec<(Pattern, Option<Duration>)>,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) order: OrderArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    #[command(flatten)]
    pub(super) expectations: ExpectationArgs,
    #[command(flatten)]
    pub(super) compatibility: CompatibilityArgs,
}

/// Words of VibeSQL's earlier scripts that say what holds anyway.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compatibility")]
pub(super) struct CompatibilityArgs {
    /// Run files in parallel, which is the default; see --workers.
    #[arg(long, conflicts_with = "serial")]
    parallel: bool,
    /// Run every file regardless of earlier results, which is the default.
    #[arg(long, conflicts_with_all = ["failed", "changed"])]
    force: bool,
}

/// In which order files are run, and in how many pieces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier runs")]
pub(super) struct OrderArgs {
    /// The order of files. history: failed files first, then new ones, then passed ones, each longest first; path: by
    /// path; random: shuffled.
    #[arg(long, value_name = "ORDER", default_value = "history")]
    pub(super) order: OrderWord,
    /// The same as --order random.
    #[arg(long, conflicts_with = "order")]
    pub(super) random: bool,
    /// Shuffle with seed N; the order is the same on every machine.
    #[arg(long, value_name = "N", conflicts_with = "order")]
    pub(super) seed: Option<u64>,
    /// Do not split files. By default, a file that would outlast all others is split between workers if that cannot
    /// change any result.
    #[arg(long)]
    pub(super) no_split: bool,
}

/// An order of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OrderWord {
    // No documentation here: values with a text of their own would switch the whole help to clap's long form.
    History,
    Path,
    Random,
}

/// Whom standard output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MessageFormat {
    // A `///` here would make the whole help long.
    Human,
    Json,
}

/// What files and the run may use, and how many times a file is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Stop a file after SECONDS; 0 means no limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(super) timeout: u64,
    /// Stop starting files after SECONDS; running files get the grace period.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) time: Option<u64>,
    /// Stop a file whose process uses more than SIZE of memory, for example 512M or 2G. Linux only.
    #[arg(long, value_name = "SIZE")]
    pub(super) max_memory: Option<Bytes>,
    /// Print a note when a file has been running for SECONDS or half its time limit, and at each doubling; 0 disables
    /// the note.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) slow: u64,
    /// Time between asking a process to end and killing it.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(super) grace: u64,
    /// Rerun a file that has not passed, up to N times; if it then passes it is FLAKY.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// Run each file N times; a file that does not always pass is FLAKY or worse.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: u32,
    /// Whether a file counts as passed or failed if it passed only after a retry or a worker crash.
    #[arg(long, value_name = "RESULT", default_value = "pass")]
    pub(super) flaky: FlakyWord,
}

/// What a flaky file counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FlakyWord {
    // No documentation here: values with a text of their own would switch the whole help to clap's long form.
    Pass,
    Fail,
}

impl From<FlakyWord> for FlakyResult {
    fn from(word: FlakyWord) -> Self {
        match word {
            FlakyWord::Pass => Self::Pass,
            FlakyWord::Fail => Self::Fail,
        }
    }
}

/// A number of bytes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let shift =
            match word[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
                "" => 0,
                "k" => 10,
                "m" => 20,
                "g" => 30,
                "t" => 40,
                _ => 64,
            };
        let bytes = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(1_u64.checked_shl(shift)?));
        let bytes = bytes.filter(|&bytes| bytes > 0);
        bytes.map(Self).ok_or_else(|| "expected a size like 512M or 2G".to_owned())
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Print the number of records of each file, too.
    #[arg(long, short)]
    pub(super) long: bool,
    /// The engine whose earlier runs and expected failures are used; by default the first one listed by `engines`.
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<String>,
    /// The dialect of the files, for counting records.
    #[arg(long, value_name = "DIALECT")]
    pub(super) dialect: Option<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) expectations: ExpectationArgs,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(super) struct WorkerArgs {
    /// The run to join; without RUN, the run in progress.
    #[arg(long, value_name = "RUN", num_args = 0..=1, required = true)]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(super) join: Option<Option<String>>,
    /// Run files in N worker processes; by default one per core.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct WorkArgs {
    /// The folder of the run.
    pub(super) folder: PathBuf,
    /// The number of the process directory of the parent process.
    pub(super) process_dir: u64,
    /// The number of the worker.
    pub(super) number: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (word, bytes) in
            [("1", 1), ("512M", 512 << 20), ("2g", 2 << 30), ("3KiB", 3072), ("1TB", 1 << 40)]
        {
            assert_eq!(word.parse(), Ok(Bytes(bytes)), "{word}");
        }
        for wrong in ["", "M", "0", "1.5G", "2X", "99999999T", "-1"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }
}

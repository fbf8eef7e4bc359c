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
use crate::executor::parallel::Pattern;
use crate::outcome::FlakyResult;

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

/// Runs SQLLogicTest suites against SQL engines and judges every record.
#[derive(Debug, Parser)]
#[command(name = "vibesql-sqllogictest", version, after_help = AFTER, max_term_width = 110)]
pub(super) struct Cli {
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
    /// Where results are kept, and those of earlier runs are; by default VIBESQL_RESULTS_DIR, or
    /// ~/.vibesql/test_results.
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
    /// Take settings from FILE, in place of the sqllogictest.toml of this folder or of one above it.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Take no settings from a file.
    #[arg(long, global = true)]
    no_config: bool,
    /// Take the settings of [profile.NAME]; without it those of [profile.default].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "no_config")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs files or single records, and shows each failure with a diff.
    Test(TestArgs),
    /// Runs a suite: a line for each file, a summary by category.
    Run(Box<RunArgs>),
    /// Lists the files that `run` would run.
    List(ListArgs),
    /// Lists the engines of this build.
    Engines,
    /// Shows the last run by category, and what has changed since the one before it.
    Status,
    /// Compares two runs record by record: what has regressed, what is fixed, what is new.
    Compare(CompareArgs),
    /// Lists files that end one time so and another time otherwise, though nothing has changed.
    Flaky(FlakyArgs),
    /// Says between which commits something began to fail, and writes a script for `git bisect run`.
    Bisect(BisectArgs),
    /// Lists runs with their pass rates.
    Runs(RunsArgs),
    /// Shows a run, or all that is known of one file in it.
    Show(ShowArgs),
    /// Says what the failures of a run come from, and what to fix first.
    Analyze(AnalyzeArgs),
    /// Lists the files of a run, those first that fixes turn green first.
    Punchlist(PunchlistArgs),
    /// Writes a document about a run: a page for browsers, JUnit, Markdown and others.
    Report(ReportArgs),
    /// Asks a question in SQL about the results; without one it is a shell.
    #[cfg(feature = "store")]
    Query(Box<super::query_args::QueryArgs>),
    /// Keeps the list of what is expected to fail.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Removes old runs.
    Prune(PruneArgs),
    /// Looks after the databases that the results of all runs are in.
    #[cfg(feature = "store")]
    #[command(subcommand)]
    Store(StoreCommand),
    /// Takes in results of VibeSQL's earlier scripts and of other runners, as runs.
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
    /// Takes in runs from files of `export` and `backup`; what is there already stays as it is.
    Merge(MergeArgs),
    /// Writes all runs to one file, and reads it back; `merge` restores them.
    Backup(BackupArgs),
    /// Helps with a run that is going on: takes up files of it, in processes of its own.
    Worker(WorkerArgs),
    /// Shows the settings that hold, and where each comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the completions of a shell.
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
    /// The engine under test; without it the first of those that `engines` lists.
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Option<String>,
    /// A name that the engine answers to in skipif and onlyif, in place of its own; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(super) engine_name: Vec<String>,
    /// The dialect of the files, in place of what they say of themselves: sqlite.
    #[arg(long, value_name = "DIALECT")]
    pub(super) dialect: Option<String>,
    /// Reproduce the reference runner with its holes, in place of the strict rules.
    #[arg(long)]
    pub(super) exact: bool,
    /// Stop a record that takes longer than SECONDS: SQLite goes on with the next; of an engine that cannot be
    /// interrupted, `run` ends the file, and `test` waits.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) record_timeout: Option<u64>,
    /// The hash threshold, whatever the files say: results of more than N values are to be hashed, with 0 none.
    #[arg(long, value_name = "N")]
    pub(super) hash_threshold: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// A test file, a directory or a glob; with :LINE only the record on that line of the file, after the statements
    /// before it. Shipped files are called suite:PATH, and standard input is - or /dev/stdin:LINE.
    #[arg(required = true, value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(super) targets: Vec<String>,
    /// Name each record on standard error before it runs: where an engine hangs or dies, the last is it.
    #[arg(long)]
    pub(super) trace: bool,
    /// Show at most N failures of a file.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) max_failures: usize,
    /// Stop a file that takes longer than SECONDS; 0 lets it run.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(super) timeout: u64,
    /// Time limits of single files, from the configuration.
    #[arg(skip)]
    pub(super) timeouts: Vec<(Pattern, Option<Duration>)>,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
}

const WHILE_IT_RUNS: &str = "\
While it runs in a terminal, the key t says what runs now, as SIGUSR1 does anywhere. Ctrl-C ends the run when the \
files that are running are done, and a second one ends it at once.";

#[derive(Debug, Args)]
#[command(after_help = format!("{WHILE_IT_RUNS}\n\n{RUN_WORDS}"))]
pub(super) struct RunArgs {
    /// Write a report as JSON to FILE; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Keep SQL, expected and actual values of at most N failing records of a file; all are listed by line.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_details: u32,
    /// Files in which nothing is executed count as failed.
    #[arg(long)]
    pub(super) fail_on_empty: bool,
    /// Run files in N worker processes at once; by default one for each core.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
    /// One file after the other: the same as --workers 1.
    #[arg(long, conflicts_with = "workers")]
    pub(super) serial: bool,
    /// Take up no further file after the first that has not passed.
    #[arg(long, conflicts_with = "max_fail")]
    pub(super) fail_fast: bool,
    /// Take up no further file after N files that have not passed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_fail: Option<u32>,
    /// Go on with RUN, which was interrupted; without RUN the last one that was.
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
    /// No lines for files that passed.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// All failing records of a file, its notes, speed and memory, and a line when a file is taken up.
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// List the N slowest files at the end; 0 lists all.
    #[arg(long, value_name = "N")]
    pub(super) durations: Option<u32>,
    /// No progress bar and no keys; there are none where standard error is no terminal.
    #[arg(long)]
    pub(super) no_progress: bool,
    /// What standard output has: text, or the events of the run as JSON, one in each line.
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
    /// Run files at once, which is what `run` does; see --workers.
    #[arg(long, conflicts_with = "serial")]
    parallel: bool,
    /// Run every file, whatever came of it earlier, which is what `run` does.
    #[arg(long, conflicts_with_all = ["failed", "changed"])]
    force: bool,
}

/// In which order files are run, and in how many pieces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Earlier runs")]
pub(super) struct OrderArgs {
    /// In which order files are taken up: those that failed last, new ones, those that passed, each the longest first;
    /// by their paths; or at random.
    #[arg(long, value_name = "ORDER", default_value = "history")]
    pub(super) order: OrderWord,
    /// The same as --order random.
    #[arg(long, conflicts_with = "order")]
    pub(super) random: bool,
    /// The random order that N stands for, the same on every machine.
    #[arg(long, value_name = "N", conflicts_with = "order")]
    pub(super) seed: Option<u64>,
    /// Run each file whole. Else a file that would outlast all others is spread over workers, where that is sure to
    /// change no result.
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
    /// Stop a file that takes longer than SECONDS; 0 lets it run.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(super) timeout: u64,
    /// Take up no further file when the run has taken SECONDS; what is running then has the grace.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) time: Option<u64>,
    /// Stop a file whose process has more than SIZE of memory in use, for instance 512M or 2G. Linux only.
    #[arg(long, value_name = "SIZE")]
    pub(super) max_memory: Option<Bytes>,
    /// Say when a file has taken SECONDS, or half of its time, and again at twice that; 0 never says it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) slow: u64,
    /// How long a process that is asked to end may take until it is killed.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(super) grace: u64,
    /// Run a file that has not passed again, up to N times; one that passes then is FLAKY.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// Run each file N times; one that does not end well each time is FLAKY or worse.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: u32,
    /// What a FLAKY file counts as that passed in the end, after a retry or after a crash of its first worker.
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
    /// Print the number of records of each file as well.
    #[arg(long, short)]
    pub(super) long: bool,
    /// The engine whose earlier runs and expected failures count; without it the first of those that `engines` lists.
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
    /// The run to help with; without RUN the one that is going on.
    #[arg(long, value_name = "RUN", num_args = 0..=1, required = true)]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(super) join: Option<Option<String>>,
    /// Take up N files at once; by default one for each core.
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct WorkArgs {
    /// The folder of the run.
    pub(super) folder: PathBuf,
    /// The place there of the process that starts this one.
    pub(super) berth: u64,
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

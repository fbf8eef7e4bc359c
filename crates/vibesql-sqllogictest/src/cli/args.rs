//! The words of the command line. What they mean is decided in [`super::settings`].

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;

use crate::executor::parallel::{Filters, Pattern, Shard};

const AFTER: &str = "\
Exit codes:
  0   all good              4   regressed
  1   tests failed          5   incomplete
  2   usage, configuration  6   engine unavailable
      or unreadable input   70  a bug of this program
  3   nothing selected

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
    Run(RunArgs),
    /// Lists the files that `run` would run.
    List(ListArgs),
    /// Lists the engines of this build.
    Engines,
    /// Shows the settings that hold, and where each comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the completions of a shell.
    Completions(CompletionsArgs),
    /// Prints the man page.
    Man(ManArgs),
    /// Works on the files of a run; started by `run`.
    #[command(hide = true)]
    Worker(WorkerArgs),
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
    /// A test file; with :LINE only the record on that line, after the statements before it.
    /// Shipped files are called suite:PATH.
    #[arg(required = true, value_name = "FILE[:LINE]")]
    pub(super) targets: Vec<String>,
    /// Name each record on standard error before it runs: where an engine hangs or dies, the last is it.
    #[arg(long)]
    pub(super) trace: bool,
    /// Show at most N failures of a file.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) max_failures: usize,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Files, directories (walked for *.test and *.slt) or globs; the shipped suite when there is none.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
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
    /// Stop a file that takes longer than SECONDS; 0 lets it run.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(super) timeout: u64,
    /// No lines for files that passed.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// No progress bar; there is none where standard error is no terminal.
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Time limits of single files, from the configuration.
    #[arg(skip)]
    pub(super) timeouts: Vec<(Pattern, Option<Duration>)>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
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
    #[arg(long)]
    force: bool,
}

/// Which of the files that were found are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct FilterArgs {
    /// Only files that match: a part of the path, a glob over it, or category:NAME; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    filter: Vec<Pattern>,
    /// No files that match; may be repeated.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<Pattern>,
    /// Only the Kth of N parts of the files, which are the same on every machine.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Only these files, by their path below the root; may be repeated. All of them must be there.
    #[arg(long, value_name = "PATH")]
    files: Vec<String>,
    /// The paths and settings of [suite.NAME] in the configuration; paths that are typed replace its paths.
    #[arg(long, value_name = "NAME", conflicts_with = "no_config")]
    suite: Option<String>,
}

impl FilterArgs {
    /// What the words mean.
    pub(super) fn filters(&self) -> Filters {
        Filters {
            files: self.files.clone(),
            only: self.filter.clone(),
            exclude: self.exclude.clone(),
            shard: self.shard,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Files, directories or globs, as for run; the shipped suite when there is none.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Print the number of records of each file as well.
    #[arg(long, short)]
    pub(super) long: bool,
    /// The dialect of the files, for counting records.
    #[arg(long, value_name = "DIALECT")]
    pub(super) dialect: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Shows each setting of a command, and where it comes from.
    Show(ConfigShowArgs),
    /// Prints the path of the configuration file.
    Path,
}

#[derive(Debug, Args)]
pub(super) struct ConfigShowArgs {
    /// The command whose settings are meant: run, if there is none.
    #[arg(value_name = "COMMAND")]
    pub(super) command: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Arguments of the command, as if they were typed.
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(super) arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    pub(super) shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write a page for each command into the folder DIR, in place of printing the first.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    /// The folder of the run.
    pub(super) folder: PathBuf,
    /// The number of the worker.
    pub(super) number: usize,
}

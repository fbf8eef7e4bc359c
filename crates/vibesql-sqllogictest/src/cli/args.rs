//! The definition of the command line. [`super::settings`] and the commands interpret the arguments.

/// Defines an enum for clap, and its conversion to an enum of a library with the same variants.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident for $target:ty { $($(#[$help:meta])* $variant:ident),+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub(in crate::cli) enum $name {
            $($(#[$help])* $variant),+
        }

        impl From<$name> for $target {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    };
}

mod add;
mod analysis;
mod check;
mod compare;
#[cfg(feature = "store")]
mod database;
mod expectations;
mod format;
mod program;
mod report;
mod run;
mod runs;
mod selection;
mod shell;
mod size;
mod store;
mod test;
mod update;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};

pub(super) use self::add::AddArgs;
pub(super) use self::analysis::{
    AnalysisFormat, AnalyzeArgs, PunchlistArgs, PunchlistFormat, ResultFilterArgs,
};
pub(super) use self::check::{CheckArgs, CheckFormat};
pub(super) use self::compare::{BisectArgs, CompareArgs, CompareFormat, FlakyArgs, TextOrJson};
#[cfg(feature = "store")]
pub(super) use self::database::{AskArgs, DatabaseCommand, QueryArgs, QueryFormat, SealArgs, TableFormat};
pub(super) use self::expectations::{
    ExpectationArgs, ExpectationsCheckArgs, ExpectationsCommand, ExpectationsUpdateArgs,
};
pub(super) use self::format::FormatArgs;
pub(super) use self::program::{CompletionsArgs, ConfigCommand, ConfigShowArgs, ManArgs};
pub(super) use self::report::{ReportArgs, ReportFormat};
pub(super) use self::run::{MessageFormat, OrderChoice, RunArgs, WorkArgs, WorkerArgs};
pub(super) use self::runs::{LAST_RUN, RunsArgs, ShowArgs};
pub(super) use self::selection::{ListArgs, SelectionArgs, ShardBalance, ShardChoice};
pub(super) use self::shell::ShellArgs;
pub(super) use self::store::{
    BackupArgs, ExportArgs, ImportArgs, MergeArgs, PruneArgs, RestoreArgs, StoreCommand,
};
pub(super) use self::test::{EngineArgs, EnginesArgs, TestArgs};
pub(super) use self::update::UpdateArgs;

const GLOBAL: &str = "Global options";

const AFTER_HELP: &str = "\
Exit codes:
  0   all good              4   regressed
  1   tests failed          5   incomplete
  2   usage, configuration  6   engine unavailable
      or unreadable input   70  a bug of this program
  3   nothing selected      71  a limit of the system

Examples:
  vibesql-sqllogictest run                          run the shipped suite on VibeSQL
  vibesql-sqllogictest run --engine sqlite DIR      run every test file below DIR on SQLite
  vibesql-sqllogictest test select1.test:1042       run one record, after its set-up";

/// Run SQLLogicTest suites against SQL engines and report the outcome of every record.
#[derive(Debug, Parser)]
#[command(name = "vibesql-sqllogictest", version, after_help = AFTER_HELP, max_term_width = 110)]
pub(super) struct Cli {
    /// Control when colors are used.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = GLOBAL)]
    pub(super) color: ColorChoice,
    /// Use DIR for results of this and earlier runs
    ///
    /// The default is the value of VIBESQL_RESULTS_DIR, or ~/.vibesql/test_results.
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(super) results: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigSource,
    #[command(subcommand)]
    pub(super) command: CliCommand,
}

/// The sources of settings. They are resolved before the arguments are parsed into a [`Cli`].
#[derive(Debug, Args)]
#[command(next_help_heading = GLOBAL)]
pub(super) struct ConfigSource {
    /// Read settings from FILE
    ///
    /// By default, the nearest sqllogictest.toml in this folder or its parents is read.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Ignore configuration files.
    #[arg(long, global = true)]
    no_config: bool,
    /// Use the settings of [profile.NAME] instead of [profile.default].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "no_config")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CliCommand {
    /// Run files or single records and show each failure with a diff.
    Test(TestArgs),
    /// Open a SQL session in the state before a record.
    Shell(ShellArgs),
    /// Run a suite and print a line per file and a summary.
    Run(Box<RunArgs>),
    /// List the files that `run` would run.
    List(ListArgs),
    /// Parse files without running them and report dialects and mistakes.
    Check(CheckArgs),
    /// Append a record with its result to a test file.
    Add(Box<AddArgs>),
    /// Write test files with canonical white space.
    Format(FormatArgs),
    /// Rewrite expectations with the results of an engine.
    Update(Box<UpdateArgs>),
    /// List the available engines, or show an engine and what it can do.
    Engines(EnginesArgs),
    /// Show the last run and the changes since the previous run.
    Status,
    /// Compare two runs record by record.
    Compare(CompareArgs),
    /// List flaky files: results differ between runs of the same code.
    Flaky(FlakyArgs),
    /// Find the commits where failures began and write a `git bisect run` script.
    Bisect(BisectArgs),
    /// List stored runs with their pass rates.
    Runs(RunsArgs),
    /// Show a run, or one file of a run with its failures.
    Show(ShowArgs),
    /// Group failures by probable cause and suggest what to fix first.
    Analyze(AnalyzeArgs),
    /// List failing files in suggested fix order.
    Punchlist(PunchlistArgs),
    /// Write a report about a run: HTML, JUnit, Markdown and others.
    Report(ReportArgs),
    /// Query results with SQL, or open a shell.
    #[cfg(feature = "store")]
    Query(Box<QueryArgs>),
    /// Manage expected failures.
    #[command(subcommand)]
    Expectations(ExpectationsCommand),
    /// Manage stored runs: verify, prune, back up, import, export.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Add workers to a run in progress.
    Worker(WorkerArgs),
    /// Show the effective settings and where each comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Print the man page.
    Man(ManArgs),
    /// Run files of a run; started by `run` and `worker`.
    #[command(hide = true)]
    Work(WorkArgs),
    /// Answer queries with one engine; started by `query`.
    #[cfg(feature = "store")]
    #[command(hide = true)]
    Ask(AskArgs),
}

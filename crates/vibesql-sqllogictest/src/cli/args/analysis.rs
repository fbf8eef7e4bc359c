//! The arguments of `analyze` and `punchlist`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::runs::{LAST_RUN, RUN_NAMES};
use slt_runner::parallel::Pattern;

const ANALYZE_EXAMPLES: &str = "\
Examples:
  vibesql-sqllogictest analyze                      show what to fix first
  vibesql-sqllogictest analyze --top-fixes          show all clusters in suggested fix order
  vibesql-sqllogictest analyze --coverage           show SQL constructs by pass rate
  vibesql-sqllogictest analyze --filter joins       analyze only these files
  vibesql-sqllogictest analyze --fix 1              show every record of the first suggested fix
  vibesql-sqllogictest analyze --report             write everything to a file";

#[derive(Debug, Args)]
#[command(after_help = ANALYZE_EXAMPLES, after_long_help = format!("{ANALYZE_EXAMPLES}\n\n{RUN_NAMES}"))]
pub(in crate::cli) struct AnalyzeArgs {
    /// Run to analyze.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Show all clusters in suggested fix order.
    #[arg(long)]
    pub(in crate::cli) top_fixes: bool,
    /// Show all clusters by number of records.
    #[arg(long)]
    pub(in crate::cli) patterns: bool,
    /// Show the smallest example of each cluster, with the command that runs it.
    #[arg(long)]
    pub(in crate::cli) examples: bool,
    /// Show the pass rate of recent runs, of all files and by category.
    #[arg(long)]
    pub(in crate::cli) trend: bool,
    /// Show SQL constructs, functions and types by pass rate, what to implement next first
    ///
    /// Reads all test files of the run, because the journal has failing records only.
    #[arg(long)]
    pub(in crate::cli) coverage: bool,
    /// Show all records of cluster N in fix order
    ///
    /// --format toml prints them as entries for expectations.toml.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with_all = ["top_fixes", "patterns", "examples", "trend", "coverage", "report"]
    )]
    pub(in crate::cli) fix: Option<u32>,
    /// Write everything as Markdown to target/sqllogictest_analysis.md, or to --output.
    #[arg(long, conflicts_with_all = ["top_fixes", "patterns", "examples", "trend", "coverage"])]
    pub(in crate::cli) report: bool,
    #[command(flatten)]
    pub(in crate::cli) selection: ResultFilterArgs,
    /// Output format.
    #[arg(long, value_name = "FORMAT", conflicts_with = "report", default_value = "text")]
    pub(in crate::cli) format: AnalysisFormat,
    /// Write to FILE; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// Selects from the files of a finished run.
#[derive(Debug, Args)]
pub(in crate::cli) struct ResultFilterArgs {
    /// Analyze only files that match PATTERN (repeatable)
    ///
    /// PATTERN is a part of the path, a glob, or category:NAME, as for `run --filter`.
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) filter: Vec<Pattern>,
    /// Exclude files that match PATTERN (repeatable).
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) exclude: Vec<Pattern>,
}

/// The format of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AnalysisFormat {
    Text,
    Markdown,
    Json,
    Toml,
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct PunchlistArgs {
    /// Run whose failing files are listed.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub(in crate::cli) format: PunchlistFormat,
    /// Write to FILE; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// The format of a punchlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PunchlistFormat {
    Markdown,
    Csv,
    Json,
}

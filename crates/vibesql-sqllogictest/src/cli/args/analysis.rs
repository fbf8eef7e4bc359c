//! The words of the commands that think about a run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::results::{LAST_RUN, RUN_WORDS};

const EXAMPLES: &str = "\
Examples:
  vibesql-sqllogictest analyze                      the last run: what to fix first, with examples
  vibesql-sqllogictest analyze --top-fixes          all clusters, in suggested fix order
  vibesql-sqllogictest analyze --fix 1              every record of the first suggested fix
  vibesql-sqllogictest analyze --report             everything, to target/sqllogictest_analysis.md";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{RUN_WORDS}"))]
pub(in crate::cli) struct AnalyzeArgs {
    /// The run.
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
    /// Show the pass rate of recent runs.
    #[arg(long)]
    pub(in crate::cli) trend: bool,
    /// Show all records of cluster N in fix order; --format toml prints them as entries for expectations.toml.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with_all = ["top_fixes", "patterns", "examples", "trend", "report"]
    )]
    pub(in crate::cli) fix: Option<u32>,
    /// Write everything as Markdown to target/sqllogictest_analysis.md, or to --output.
    #[arg(long, conflicts_with_all = ["top_fixes", "patterns", "examples", "trend"])]
    pub(in crate::cli) report: bool,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", conflicts_with = "report", default_value = "text")]
    pub(in crate::cli) format: AnalysisFormat,
    /// Write to FILE, whole or not at all; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// How an analysis is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AnalysisFormat {
    // A `///` here would make the whole help long.
    Text,
    Markdown,
    Json,
    Toml,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct PunchlistArgs {
    /// The run.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// How it is written.
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub(in crate::cli) format: PunchlistFormat,
    /// Write to FILE, whole or not at all; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// How a punchlist is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PunchlistFormat {
    // A `///` here would make the whole help long.
    Markdown,
    Csv,
    Json,
}

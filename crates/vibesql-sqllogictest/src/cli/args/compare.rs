//! The arguments of the commands that compare runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::runs::{LAST_RUN, PREVIOUS_RUN, RUN_NAMES};
use slt_insight::regression::Gate;

choice! {
    /// What counts as a regression.
    GateChoice for Gate {
        /// Nothing.
        #[value(name = "none")]
        Never,
        /// A file that has regressed.
        Files,
        /// A file or a record that has regressed.
        Records
    }
}

/// The format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CompareFormat {
    Text,
    Markdown,
    Json,
}

/// A format for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TextOrJson {
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct CompareArgs {
    /// Run to compare with.
    #[arg(value_name = "BASELINE", default_value = PREVIOUS_RUN)]
    pub(in crate::cli) baseline: String,
    /// Run to examine.
    #[arg(value_name = "CURRENT", default_value = LAST_RUN)]
    pub(in crate::cli) current: String,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: CompareFormat,
    /// Write to FILE instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Exit with code 4 if WHAT has regressed.
    #[arg(long, value_name = "WHAT", default_value = "records")]
    pub(in crate::cli) gate: GateChoice,
    /// List at most N changes of each kind; 0 lists all
    ///
    /// JSON always lists all changes.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit: usize,
}

/// The run that a new run is compared with at its end.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub(in crate::cli) struct BaselineArgs {
    /// Compare the finished run with RUN, named as for `compare`.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<String>,
    /// Exit with code 4 if WHAT has regressed and no more severe code applies.
    #[arg(long, value_name = "WHAT", default_value = "records", requires = "baseline")]
    pub(in crate::cli) gate: GateChoice,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FlakyArgs {
    /// Examine the last N runs of the engine.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// Examine runs of this engine [default: the engine of the last run].
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine: Option<String>,
    /// Output format; json lists all files.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: TextOrJson,
}

const BISECT_EXAMPLES: &str = "\
Examples:
  vibesql-sqllogictest bisect                       list failures by the commits where they began
  vibesql-sqllogictest bisect select1.test:1042     write a script for `git bisect run`
  vibesql-sqllogictest bisect t.test:7 --good v1.0  start from a known good commit without a run";

#[derive(Debug, Args)]
#[command(after_help = BISECT_EXAMPLES, after_long_help = format!("{BISECT_EXAMPLES}\n\n{RUN_NAMES}"))]
pub(in crate::cli) struct BisectArgs {
    /// File, or record on a line of it [default: all failures of the run].
    #[arg(value_name = "FILE[:LINE]")]
    pub(in crate::cli) target: Option<String>,
    /// Run with the failure; it must be stored here.
    #[arg(long, value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Examine the N runs of the engine up to that one.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
    /// Use this known good commit instead of the runs.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) good: Option<String>,
    /// Use this known bad commit instead of the runs.
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) bad: Option<String>,
    /// Build a commit with this shell command [default: cargo build].
    #[arg(long, value_name = "COMMAND")]
    pub(in crate::cli) build: Option<String>,
    /// Test with PROGRAM, which the build creates
    ///
    /// PROGRAM is relative to the root of the repository. The default is this program, if it is inside the repository.
    #[arg(long, value_name = "PROGRAM")]
    pub(in crate::cli) program: Option<String>,
    /// Limit the test of each commit to SECONDS; 0 disables the limit
    ///
    /// The default is the time limit of the file in the run.
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::cli) timeout: Option<u64>,
    /// Write the script to FILE and its data to FILE.files; - is standard output
    ///
    /// By default, both are written to the .git folder.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: TextOrJson,
}

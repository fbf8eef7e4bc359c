//! The arguments of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::expectations::ExpectationArgs;
use super::runs::{LAST_RUN, RUN_NAMES};
use slt_insight::report::junit::UntestedResult;

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct ReportArgs {
    /// Run to report on.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Format of the report.
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub(in crate::cli) format: ReportFormat,
    /// Write to FILE; - is standard output
    ///
    /// The default is standard output, and for html sqllogictest-report.html in this folder.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Show the history of up to N runs of the same files.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(in crate::cli) history: u32,
    /// Compare with RUN, named as for `compare`
    ///
    /// The default is the previous complete run of the same files.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<String>,
    /// In JUnit XML, report up to N failing records per file as test cases.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) junit_records: u32,
    /// In JUnit XML, result of files that an incomplete run did not test.
    #[arg(long, value_name = "RESULT", default_value = "error")]
    pub(in crate::cli) junit_untested: UntestedChoice,
    /// Print up to N annotations; GitHub shows ten per step.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) annotations: u32,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// A page for browsers.
    Html,
    /// JUnit XML.
    Junit,
    /// Annotations for GitHub Actions, and the summary of the step.
    Github,
    /// The summary of a step of GitHub Actions.
    Summary,
    /// A comment on a pull request.
    Comment,
    /// Everything that has not passed.
    Markdown,
    /// A badge for shields.io.
    Badge,
    /// The JSON of `run --json`.
    Json,
}

choice! {
    /// The result of untested files in JUnit XML.
    UntestedChoice for UntestedResult { Error, Skipped }
}

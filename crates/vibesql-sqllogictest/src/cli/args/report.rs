//! The words of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ExpectationArgs, LAST_RUN, RUN_WORDS};

#[derive(Debug, Args)]
#[command(after_help = RUN_WORDS)]
pub(in crate::cli) struct ReportArgs {
    /// The run.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// The document: a page for browsers, JUnit's XML, annotations of GitHub Actions with the summary of the step, that
    /// summary alone, the comment on a pull request, all that has not passed in Markdown, a badge of shields.io, or the
    /// JSON of `run --json`.
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub(in crate::cli) format: ReportFormat,
    /// Write to FILE; - is standard output, where all but the page is written by default. The page is
    /// sqllogictest-report.html in this folder.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Show the history of up to N runs of the same files.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(in crate::cli) history: u32,
    /// The run to compare with, named as for `compare`; by default the previous complete run of the same files.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) baseline: Option<String>,
    /// In JUnit XML, report up to N failing records per file as separate test cases.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) junit_records: u32,
    /// In JUnit XML, the result of files that an incomplete run did not test.
    #[arg(long, value_name = "RESULT", default_value = "error")]
    pub(in crate::cli) junit_untested: UntestedWord,
    /// Print up to N annotations; GitHub shows ten per step.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) annotations: u32,
    #[command(flatten)]
    pub(in crate::cli) expectations: ExpectationArgs,
}

/// A document about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    // A `///` here would make the whole help long.
    Html,
    Junit,
    Github,
    Summary,
    Comment,
    Markdown,
    Badge,
    Json,
}

/// What untested files are in JUnit's XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum UntestedWord {
    // A `///` here would make the whole help long.
    Error,
    Skipped,
}

//! The arguments of `check`.

use clap::{Args, ValueEnum};

use super::selection::SelectionArgs;
use slt_core::parser::LintRule;

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// Explain the code of a finding, and exit.
    #[arg(long, value_name = "CODE", conflicts_with = "paths")]
    pub(in crate::cli) explain: Option<String>,
    /// Suppress findings of the lint CODE (repeatable)
    ///
    /// In a file, a comment `# slt-allow: CODE` directly above a record does so for the record, and one in the first block
    /// of comments, followed by a blank line, for the file.
    #[arg(long, value_name = "CODE", value_parser = lint)]
    pub(in crate::cli) allow: Vec<LintRule>,
    /// Exit with 1 if there are lints.
    #[arg(long, short = 'D')]
    pub(in crate::cli) deny_lints: bool,
    /// Print findings in this format.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) message_format: CheckFormat,
    /// Use earlier runs of this engine for --failed [default: first of `engines`].
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) engine: Option<String>,
    /// Read files in this dialect, overriding what they declare.
    #[arg(long, value_name = "DIALECT")]
    pub(in crate::cli) dialect: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
}

/// The format of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckFormat {
    /// A line for each file, and findings with help.
    Human,
    /// A line for each finding.
    Short,
    /// JSON lines.
    Json,
    /// One SARIF document, as code scanning reads it.
    Sarif,
}

fn lint(code: &str) -> Result<LintRule, String> {
    LintRule::from_code(code).ok_or_else(|| {
        let codes: Vec<_> = LintRule::ALL.iter().map(|rule| rule.code()).collect();
        format!("the lints are {}", codes.join(", "))
    })
}

//! The arguments of `test`.

use clap::Args;

use super::engine::EngineArgs;
use super::selection::path_word;

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// Test files, directories, globs, or single records (FILE:LINE)
    ///
    /// FILE:LINE runs the statements before that line, then only the record on it. Shipped files are named suite:PATH;
    /// standard input is - or /dev/stdin:LINE.
    #[arg(required = true, value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(in crate::cli) targets: Vec<String>,
    /// Print each record to standard error before it runs
    ///
    /// This locates a hang or a crash.
    #[arg(long)]
    pub(in crate::cli) trace: bool,
    /// Show at most N failures per file.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) max_failures: usize,
    /// Stop a file after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
}

//! The arguments of `shell`.

use clap::Args;

use super::selection::path_word;
use super::test::EngineArgs;

const SHELL_EXAMPLES: &str = "\
Statements end with ; and commands start with a dot; .help lists them. Ctrl-C stops the running statement.

Examples:
  vibesql-sqllogictest shell select1.test:1042      the state before the record on line 1042
  vibesql-sqllogictest shell select1.test           the state after the whole file
  vibesql-sqllogictest shell --engine sqlite        an empty database
  echo .next | vibesql-sqllogictest shell select1.test:1042   commands from standard input";

#[derive(Debug, Args)]
#[command(after_help = SHELL_EXAMPLES)]
pub(in crate::cli) struct ShellArgs {
    /// Test file or record (FILE:LINE) [default: an empty database]
    ///
    /// FILE:LINE runs the statements before that line; FILE runs all statements. Shipped files are named suite:PATH.
    #[arg(value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(in crate::cli) target: Option<String>,
    /// Show at most N rows of a result.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(in crate::cli) max_rows: usize,
    /// Stop a statement or the set-up after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
}

//! The arguments of `format`.

use clap::Args;

use super::selection::path_word;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vibesql-sqllogictest format tests/           format all test files below tests
  vibesql-sqllogictest format --check tests/   list the files that are not formatted, for CI
  vibesql-sqllogictest format - < joins.test   print the formatted text")]
pub(in crate::cli) struct FormatArgs {
    /// Test files, directories or globs; - formats standard input to standard output.
    #[arg(required = true, value_name = "PATH", value_parser = path_word())]
    pub(in crate::cli) paths: Vec<String>,
    /// List the files that would change, and exit with 1 if there are any.
    #[arg(long)]
    pub(in crate::cli) check: bool,
    /// Read files in this dialect, overriding what they declare.
    #[arg(long, value_name = "DIALECT")]
    pub(in crate::cli) dialect: Option<String>,
}

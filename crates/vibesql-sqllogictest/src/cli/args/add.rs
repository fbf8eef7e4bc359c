//! The arguments of `add`.

use clap::Args;

use super::selection::path_word;
use super::test::EngineArgs;

const AFTER_HELP: &str = "\
Examples:
  vibesql-sqllogictest add --from sqlite joins.test 'SELECT a FROM t ORDER BY a'
  vibesql-sqllogictest add joins.test 'CREATE INDEX i ON t(a)'
  vibesql-sqllogictest add joins.test - < query.sql";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct AddArgs {
    /// Test file; a missing one is created.
    #[arg(value_name = "FILE", value_parser = path_word())]
    pub(in crate::cli) file: String,
    /// SQL of the new record; - reads it from standard input
    ///
    /// It is executed after the statements of the file. A result is sorted unless the SQL has ORDER BY.
    #[arg(value_name = "SQL")]
    pub(in crate::cli) sql: String,
    /// Take the result of this engine in place of --engine.
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) from: Option<String>,
    /// Print the record, and write nothing.
    #[arg(long, short = 'n')]
    pub(in crate::cli) dry_run: bool,
    /// Stop the file after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
}

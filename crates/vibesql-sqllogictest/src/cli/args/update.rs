//! The arguments of `update`.

use clap::Args;

use super::selection::path_word;
use super::test::EngineArgs;
use slt_core::executor::update::UpdatePart;

const AFTER_HELP: &str = "\
Examples:
  vibesql-sqllogictest update --dry-run joins.test       show what would change
  vibesql-sqllogictest update --from sqlite joins.test   take the results of SQLite
  vibesql-sqllogictest update joins.test:40              rewrite the record on line 40 only
  vibesql-sqllogictest update --only hashes tests/       rewrite nothing but hash lines";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct UpdateArgs {
    /// Test files, directories, globs, or single records (FILE:LINE)
    ///
    /// Each file is executed, changed, and executed again: a change stays only if its record passes then.
    #[arg(required = true, value_name = "FILE[:LINE]", value_parser = path_word())]
    pub(in crate::cli) targets: Vec<String>,
    /// Take the results of this engine in place of --engine.
    #[arg(long, value_name = "ENGINE")]
    pub(in crate::cli) from: Option<String>,
    /// Print the changes as diffs, and write nothing.
    #[arg(long, short = 'n')]
    pub(in crate::cli) dry_run: bool,
    /// Change only these parts of expectations (repeatable).
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<UpdatePartChoice>,
    /// Also turn success into expected errors, and the reverse
    ///
    /// Without it, a record that fails with an error where a result or success is expected stays as it is, and so does
    /// one that succeeds where an error is expected.
    #[arg(long)]
    pub(in crate::cli) change_kind: bool,
    /// Stop a file after SECONDS; 0 disables the limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 500)]
    pub(in crate::cli) timeout: u64,
    #[command(flatten)]
    pub(in crate::cli) engine: EngineArgs,
}

choice! {
    /// A part of expectations.
    UpdatePartChoice for UpdatePart {
        /// Values and counts.
        Results,
        /// Error messages and codes.
        Errors,
        /// Results that are or become a hash.
        Hashes,
        /// The order of lines that stay the same.
        Order
    }
}

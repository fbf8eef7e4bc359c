//! The names of runs, and the arguments of `runs` and `show`.

use clap::Args;

/// The names of runs, for the help of all commands with such an argument; docs/runs.md has the details.
pub(super) const RUN_NAMES: &str = "\
RUN is last or latest, previous (the run before it on the same engine), a name listed by `runs`, the path of a run's folder, \
a branch or a commit (its last complete run), or a file: of `store export --run`, or results of another program that \
`store import` accepts. If a name is ambiguous, prefix it with run:, branch:, commit: or file:.";

/// The name of the last run.
pub(in crate::cli) const LAST_RUN: &str = "last";
/// The name of the run before another one, on the same engine.
pub(super) const PREVIOUS_RUN: &str = "previous";

#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArgs {
    /// Show the last N runs.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) last: u32,
}

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct ShowArgs {
    /// Show this run.
    #[arg(value_name = "RUN", default_value = LAST_RUN)]
    pub(in crate::cli) run: String,
    /// Show this file of the run, named by its path in the report.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<String>,
}

//! The arguments of `worker`.

use clap::Args;

use super::runs::RUN_NAMES;

#[derive(Debug, Args)]
#[command(after_long_help = RUN_NAMES)]
pub(in crate::cli) struct WorkerArgs {
    /// Join RUN, or the run in progress.
    #[arg(long, value_name = "RUN", num_args = 0..=1, required = true)]
    #[expect(clippy::option_option, reason = "the flag may have a value")]
    pub(in crate::cli) join: Option<Option<String>>,
    /// Number of worker processes [default: one per core].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) workers: Option<u16>,
}

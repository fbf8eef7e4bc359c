//! `worker`: the other end of `run`.

use crate::cli::args::WorkerArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::suite;
use crate::engine::EngineRegistry;
use crate::executor::parallel::work;

/// The name by which `run` starts it.
pub(in crate::cli) const NAME: &str = "worker";

pub(in crate::cli) fn run(args: &WorkerArgs, registry: &EngineRegistry) -> Result<ExitReason, CliError> {
    // Not through the Ui: what goes out here is read by the orchestrator, byte for byte.
    work(&args.folder, args.number, registry, &suite::text, &mut std::io::stdout())?;
    Ok(ExitReason::Success)
}

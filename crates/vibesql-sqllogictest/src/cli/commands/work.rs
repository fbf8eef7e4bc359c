//! `work`: a worker process, started by `run` and `worker`.

use crate::cli::args::WorkArgs;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::suite;
use slt_core::engine::EngineRegistry;
use slt_runner::parallel::work;

/// The name of the command.
pub(in crate::cli) const NAME: &str = "work";
/// Its flag for measuring the parts of the time of each file.
pub(in crate::cli) const TIMINGS: &str = "--timings";

pub(in crate::cli) fn run(args: &WorkArgs, registry: &EngineRegistry) -> CommandResult {
    work(&args.folder, args.process_dir, args.number, registry, &suite::text, args.timings)?;
    Ok(ExitReason::Success)
}

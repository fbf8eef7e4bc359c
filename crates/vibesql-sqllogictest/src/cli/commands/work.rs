//! `work`: a worker process, started by `run` and `worker`.

use crate::cli::args::WorkArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::suite;
use slt_core::engine::EngineRegistry;
use slt_runner::parallel::work;

/// The name by which it is started.
pub(in crate::cli) const NAME: &str = "work";

pub(in crate::cli) fn run(args: &WorkArgs, registry: &EngineRegistry) -> Result<ExitReason, CliError> {
    work(&args.folder, args.process_dir, args.number, registry, &suite::text)?;
    Ok(ExitReason::Success)
}

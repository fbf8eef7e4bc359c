//! How worker processes are started, and how many.

use std::num::NonZero;

use super::commands::work;
use super::error::CliError;
use slt_runner::parallel::family::own_orphans;
use slt_runner::parallel::{WorkerCommand, WorkerStderr};

/// Returns the command that starts a worker which measures the parts of the time of each file, if `timings` is set.
pub(super) fn timed_worker_command(timings: bool) -> Result<WorkerCommand, CliError> {
    let mut command = worker_command()?;
    command.arguments.extend(timings.then(|| work::TIMINGS.into()));
    Ok(command)
}

/// Returns the command that starts a worker: this program once more, so that it has the same engines.
pub(super) fn worker_command() -> Result<WorkerCommand, CliError> {
    // Processes that workers leave behind become children of this one, so that they can be found.
    own_orphans();
    let program = std::env::current_exe()
        .map_err(|error| CliError::internal(format!("cannot find this program: {error}")))?;
    // The workers are the threads of a run; an engine that starts more only slows them down. A fixed locale keeps the
    // messages of an engine the same everywhere.
    let environment = [("RAYON_NUM_THREADS", "1"), ("LC_ALL", "C")];
    Ok(WorkerCommand {
        program,
        arguments: vec![work::NAME.into()],
        environment: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        stderr: WorkerStderr::Kept,
    })
}

/// Returns the number of cores, which is the default number of workers.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

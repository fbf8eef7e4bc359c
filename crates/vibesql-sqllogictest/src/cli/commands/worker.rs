//! `worker`: help for a run from another shell or another machine.

use super::run::worker_command;
use crate::cli::args::WorkerArgs;
use crate::cli::baseline::find_kept;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::monitor::{Lines, Progress, Verbosity};
use slt_core::engine::EngineRegistry;
use slt_runner::parallel::join;
use slt_runner::text::count::plural;
use std::num::NonZero;

pub(in crate::cli) fn run(
    args: &WorkerArgs,
    keeping: &Keeping,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    let folder = match args.join.as_ref().and_then(Option::as_deref) {
        Some(word) => results.path_of(&find_kept(word, keeping, ui)?)?,
        None => results.running()?,
    };
    let workers = args.workers.map_or_else(cores, usize::from);
    let done = {
        let look = ui.progress(true);
        let lines = Lines::new(&mut ui.out, Verbosity::Normal, 0);
        let mut sink = Progress::new(lines, look);
        join(&folder, registry, &suite::text, &worker_command()?, workers, &mut sink)?
    };
    let (files, run) = (plural(done.len() as u64, "file"), folder.display());
    ui.print(&format!("ran {files} of `{run}`; the results are part of that run\n"))?;
    Ok(ExitReason::Success)
}

/// How many files are run at once where nobody says.
pub(in crate::cli) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

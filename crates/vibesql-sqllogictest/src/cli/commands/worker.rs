//! `worker`: adds workers to a run, from another shell or another machine.

use crate::cli::args::WorkerArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_stored;
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::cli::workers::{cores, worker_command};
use crate::monitor::{ProgressDisplay, ResultLines, Verbosity};
use slt_runner::parallel::join;
use slt_runner::text::count::plural;

pub(in crate::cli) fn run(
    args: &WorkerArgs,
    CommandContext { location, registry, .. }: CommandContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    let results = location.results()?;
    let folder = match args.join.as_ref().and_then(Option::as_deref) {
        Some(word) => results.path_of(&find_stored(word, location, ui)?)?,
        None => results.running()?,
    };
    let workers = args.workers.map_or_else(cores, usize::from);
    let done = {
        let look = ui.progress(true);
        let lines = ResultLines::new(&mut ui.out, Verbosity::Normal, 0);
        let mut sink = ProgressDisplay::new(lines, look);
        join(&folder, registry, &suite::text, &worker_command()?, workers, &mut sink)?
    };
    let (files, run) = (plural(done.len() as u64, "file"), folder.display());
    ui.print(&format!("ran {files} of `{run}`; the results are part of that run\n"))?;
    Ok(ExitReason::Success)
}

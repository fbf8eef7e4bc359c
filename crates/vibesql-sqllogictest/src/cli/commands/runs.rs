//! `runs`: lists the stored runs.

use crate::cli::args::RunsArgs;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_insight::report;
use slt_runner::results::{FolderError, RunSummary};
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(args: &RunsArgs, location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let results = location.results()?;
    let names = results.runs()?;
    let first = names.len().saturating_sub(args.last as usize);
    let mut runs = Vec::with_capacity(names.len() - first);
    for name in &names[first..] {
        match RunSummary::read(results, name) {
            Ok(run) => runs.push(run),
            // Its process was killed before the run began.
            Err(FolderError::NoJournal(_)) => {}
            // Another process has removed it since it was listed.
            Err(_) if results.path_of(name).is_err() => {}
            Err(error) => ui.warn(&format!("run {name} is omitted: {error}")),
        }
    }
    if runs.is_empty() {
        return Err(CliError::no_run(results.path()));
    }
    ui.print(&written(|out| report::runs::write(out, &runs)))?;
    if first > 0 {
        let (runs, all) = (plural(first as u64, "earlier run"), names.len());
        ui.note(format_args!("{runs} not shown; `--last {all}` shows all"));
    }
    Ok(ExitReason::Success)
}

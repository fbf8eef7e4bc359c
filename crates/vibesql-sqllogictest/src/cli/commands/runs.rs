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
            Err(error) => ui.warn(&format!("run {name} is left out: {error}")),
        }
    }
    if runs.is_empty() {
        let message = format!("no run in `{}`", results.path().display());
        return Err(CliError::nothing_selected(message, vec!["`run` makes one".to_owned()]));
    }
    ui.print(&written(|out| report::runs::write(out, &runs)))?;
    if first > 0 {
        ui.note(format_args!(
            "{} before these; `--last {}` shows all",
            plural(first as u64, "run"),
            names.len()
        ));
    }
    Ok(ExitReason::Success)
}

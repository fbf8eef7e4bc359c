//! `flaky`: lists flaky files: results differ between runs of the same code.

use std::collections::BTreeSet;

use crate::cli::args::{FlakyArgs, LAST_RUN, TextOrJson};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::find_run::find_journal;
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_core::engine::EngineRegistry;
use slt_insight::regression::past::{health, state_of};
use slt_insight::report::flaky::{json, write};
use slt_runner::results::{ResultsFolder, RunSummary};
use slt_runner::text::written;

pub(in crate::cli) fn run(
    args: &FlakyArgs,
    location: &ResultsLocation,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> CommandResult {
    let results = location.results()?;
    let engine = match &args.engine {
        Some(engine) => identity(engine, registry),
        None => find_journal(LAST_RUN, location, ui)?.report.header.engine.qualified_name(),
    };
    let runs = results
        .past_runs(None, args.last as usize, |past| past.run.header.engine.qualified_name() == engine)?;
    if runs.is_empty() {
        return Err(no_runs(&engine, results)?);
    }
    let states: Vec<_> = runs.iter().map(state_of).collect();
    let files = health(&runs, &states);
    match args.format {
        TextOrJson::Text => ui.print(&written(|out| write(out, &engine, &runs, &files)))?,
        TextOrJson::Json => Ui::put_raw(&json(&engine, &runs, &files).pretty())?,
    }
    Ok(ExitReason::Success)
}

/// Returns the name of an engine in results, of which the user may name the default variant. Engines of imported runs need
/// not be known here.
fn identity(name: &str, registry: &EngineRegistry) -> String {
    let described = registry.make(name).ok().and_then(|engine| engine.describe().ok());
    described.map_or_else(|| name.to_owned(), |engine| engine.qualified_name())
}

/// Why no run is on the engine: its name is unknown, or its runs are too old.
fn no_runs(engine: &str, results: &ResultsFolder) -> Result<CliError, CliError> {
    let names = results.runs()?;
    let runs = names.iter().filter_map(|name| RunSummary::read(results, name).ok());
    let known: BTreeSet<_> = runs.map(|run| run.header.engine.qualified_name()).collect();
    if known.contains(engine) {
        let hint = "use --last N to examine more runs";
        return Ok(CliError::nothing_selected(format!("no recent run on engine `{engine}`"), hint));
    }
    Ok(CliError::no_run_on_engine(engine, &known, results.path()))
}

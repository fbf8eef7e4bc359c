//! `flaky`: what ends one time so and another time otherwise, though nothing has changed.

use std::collections::BTreeSet;

use crate::cli::args::{FlakyArgs, FlakyFormat, LAST_RUN};
use crate::cli::baseline::find_journal;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_insight::regression::past::{health, state_of};
use slt_insight::report::flaky::{write, write_json};
use slt_runner::results::{ResultsFolder, RunSummary};
use slt_runner::text::written;

pub(in crate::cli) fn run(args: &FlakyArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    let engine = match &args.engine {
        Some(engine) => engine.clone(),
        None => find_journal(LAST_RUN, keeping, ui)?.report.header.engine.name,
    };
    let runs = results.past_runs(None, args.last as usize, |past| past.run.header.engine.name == engine)?;
    if runs.is_empty() {
        return Err(no_runs(&engine, results)?);
    }
    let states: Vec<_> = runs.iter().map(state_of).collect();
    let files = health(&runs, &states);
    match args.format {
        FlakyFormat::Text => ui.print(&written(|out| write(out, &engine, &runs, &files)))?,
        FlakyFormat::Json => {
            let text = write_json(&engine, &runs, &files)
                .map_err(|error| CliError::internal(format!("cannot write the list: {error}")))?;
            Ui::put_raw(&text)?;
        }
    }
    Ok(ExitReason::Success)
}

/// Why no run is on the engine: its name is unknown, or its runs are too old.
fn no_runs(engine: &str, results: &ResultsFolder) -> Result<CliError, CliError> {
    let names = results.runs()?;
    let runs = names.iter().filter_map(|name| RunSummary::read(results, name).ok());
    let known: BTreeSet<_> = runs.map(|run| run.header.engine.name).collect();
    if known.contains(engine) {
        let hint = "--last N looks at more runs".to_owned();
        return Ok(CliError::nothing_selected(format!("no recent run on engine `{engine}`"), vec![hint]));
    }
    Ok(CliError::no_run_on_engine(engine, &known, results.path()))
}

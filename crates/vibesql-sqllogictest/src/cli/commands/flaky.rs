//! `flaky`: what ends one time so and another time otherwise, though nothing has changed.

use std::io::Write as _;

use crate::cli::args::{FlakyArgs, FlakyFormat};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::regression::past::{health, state_of};
use crate::report::flaky::{write, write_json};
use crate::text::written;

pub(in crate::cli) fn run(args: &FlakyArgs, keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let results = &keeping.results;
    let engine = match &args.engine {
        Some(engine) => engine.clone(),
        None => results.journal(None)?.report.header.engine.name,
    };
    let runs = results.past_runs(None, args.last as usize, |run| run.header.engine.name == engine)?;
    if runs.is_empty() {
        let message = format!("no run on engine `{engine}` in `{}`", results.path().display());
        return Err(CliError::nothing_selected(message, vec!["`runs` lists runs".to_owned()]));
    }
    let states: Vec<_> = runs.iter().map(state_of).collect();
    let files = health(&runs, &states);
    match args.format {
        FlakyFormat::Text => ui.print(&written(|out| write(out, &engine, &runs, &files)))?,
        FlakyFormat::Json => {
            let text = write_json(&engine, &runs, &files)
                .map_err(|error| CliError::internal(format!("cannot write the list: {error}")))?;
            Ui::print_raw(&text)?;
        }
    }
    Ok(ExitReason::Success)
}

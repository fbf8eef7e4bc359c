//! `status`: shows the last run, and the changes since the previous one.

use std::fmt::Write as _;

use crate::cli::args::LAST_RUN;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::find_run::{find_previous, find_stored};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_insight::regression::compare;
use slt_insight::report;
use slt_runner::results::RunState;
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let results = location.results()?;
    let name = find_stored(LAST_RUN, location, ui)?;
    let (run, overview) = results.overview_of(&name)?;
    let mut text = written(|out| {
        writeln!(out, "run {name}: {}", report::runs::state(&run))?;
        if run.state == RunState::Going {
            let (done, all) = (run.totals.files, run.header.files as u64);
            writeln!(out, "{done} of {} done", plural(all, "file"))?;
        }
        Ok(())
    });
    text += &written(|out| report::summary::write(out, &overview, run.circumstances.as_ref(), false));
    match find_previous(&name, &run.header.engine, results, ui) {
        Ok(before) => match results.changed_files(&before, &name) {
            Ok(changed) => {
                let diff = compare(&changed.before, &changed.now);
                text += &written(|out| report::compare::write_brief(out, &before, &diff, changed.equal));
            }
            Err(error) => ui.warn(&format!("not compared with the previous run: {error}")),
        },
        // The first run of an engine has none before it.
        Err(error) if error.reason == ExitReason::NothingSelected => {}
        Err(error) => ui.warn(&format!("not compared with the previous run: {}", error.message)),
    }
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

//! `status`: shows the last run, and the changes since the previous one.

use std::fmt::Write as _;

use crate::cli::args::{LAST_RUN, PREVIOUS_RUN};
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::find_run::{RunConstraints, find_run};
use crate::cli::results_location::ResultsLocation;
use crate::cli::ui::Ui;
use slt_insight::regression::compare;
use slt_insight::report;
use slt_runner::results::{RunState, RunSummary};
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(location: &ResultsLocation, ui: &mut Ui) -> CommandResult {
    let found = find_run(LAST_RUN, location, RunConstraints::default(), ui)?;
    let (name, run) = (&found.name, &found.journal.report);
    let overview = RunSummary::read(location.results()?, name)?;
    let mut text = written(|out| {
        writeln!(out, "run {name}: {}", report::runs::state(&overview))?;
        if overview.state == RunState::Going {
            let (done, all) = (run.files.len(), run.header.files as u64);
            writeln!(out, "{done} of {} done", plural(all, "file"))?;
        }
        Ok(())
    });
    text += &written(|out| report::summary::write(out, run, overview.circumstances.as_ref(), false));
    let constraints = RunConstraints { before: Some(name), engine: Some(&run.header.engine) };
    // The first run of an engine has none before it.
    if let Ok(before) = find_run(PREVIOUS_RUN, location, constraints, ui) {
        let diff = compare(&before.journal.report, run);
        text += &written(|out| report::compare::write_brief(out, &before.name, &diff));
    }
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

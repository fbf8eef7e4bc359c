//! `status`: the last run, and what has changed since the one before it.

use std::fmt::Write as _;

use crate::cli::args::{LAST_RUN, PREVIOUS_RUN};
use crate::cli::baseline::{Besides, find, find_alone};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use slt_insight::regression::compare;
use slt_insight::report;
use slt_runner::results::{RunState, RunSummary};
use slt_runner::text::count::plural;
use slt_runner::text::written;

pub(in crate::cli) fn run(keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let found = find_alone(LAST_RUN, keeping, ui)?;
    let (name, run) = (&found.name, &found.report);
    let overview = RunSummary::read(keeping.results()?, name)?;
    let mut text = written(|out| {
        writeln!(out, "run {name}: {}", report::runs::state(&overview))?;
        if overview.state == RunState::Going {
            let (done, all) = (run.files.len(), run.header.files as u64);
            writeln!(out, "{done} of {} done", plural(all, "file"))?;
        }
        Ok(())
    });
    text += &written(|out| report::summary::write(out, run, false));
    let besides = Besides { before: Some(name), engine: Some(&run.header.engine.name) };
    // The first run of an engine has none before it.
    if let Ok(before) = find(PREVIOUS_RUN, keeping, besides, ui) {
        let diff = compare(&before.report, run);
        text += &written(|out| report::compare::write_brief(out, &before.name, &diff));
    }
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

//! `status`: shows the last run, and the changes since the previous one.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::cli::args::{LAST_RUN, PREVIOUS_RUN};
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::find_run::{RunConstraints, find_report, find_run};
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
    let overview = match RunSummary::of_ended(&found.journal) {
        Some(overview) => overview,
        // Whether it is going on has to be found out before its journal is read.
        None => RunSummary::read(location.results()?, name)?,
    };
    let mut text = written(|out| {
        writeln!(out, "run {name}: {}", report::runs::state(&overview))?;
        if overview.state == RunState::Going {
            let (done, all) = (run.files.len(), run.header.files as u64);
            writeln!(out, "{done} of {} done", plural(all, "file"))?;
        }
        Ok(())
    });
    text += &written(|out| report::summary::write(out, &run.overview(), overview.circumstances.as_ref(), false));
    let constraints = RunConstraints { before: Some(name), engine: Some(&run.header.engine) };
    // A run of a part of the suite says nothing about the rest. Files without a suite can be copies of others.
    let files: HashSet<_> =
        found.journal.opened.wanted_files().chain(run.files.iter().map(|file| &file.file)).collect();
    let is_part = found.journal.opened.is_part() && files.iter().all(|file| file.is_known());
    let files = Some(files).filter(|_| is_part);
    match find_report(PREVIOUS_RUN, files.as_ref(), location, constraints, ui) {
        Ok((before, report_before)) => {
            let diff = compare(&report_before, run);
            text += &written(|out| report::compare::write_brief(out, &before, &diff));
        }
        // The first run of an engine has none before it.
        Err(error) if error.reason == ExitReason::NothingSelected => {}
        Err(error) => ui.warn(&format!("not compared with the previous run: {}", error.message)),
    }
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

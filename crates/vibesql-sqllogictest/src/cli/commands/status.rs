//! `status`: the last run, and what has changed since the one before it.

use std::fmt::Write as _;

use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::report;
use crate::report::change::Change;
use crate::results::{Journal, ResultsFolder, RunOverview, RunState};
use crate::text::count::plural;
use crate::text::written;

pub(in crate::cli) fn run(keeping: &Keeping, ui: &mut Ui) -> Result<ExitReason, CliError> {
    let results = &keeping.results;
    let journal = results.journal(None)?;
    let name = &journal.opened.run;
    let overview = RunOverview::read(results, name)?;
    let mut text = written(|out| {
        writeln!(out, "run {name}: {}", overview.as_ref().map_or("unknown", report::runs::state))?;
        if overview.is_some_and(|run| run.state == RunState::Going) {
            let (done, all) = (journal.report.files.len(), journal.report.header.files as u64);
            writeln!(out, "{done} of {} done", plural(all, "file"))?;
        }
        Ok(())
    });
    text += &written(|out| report::summary::write(out, &journal.report));
    if let Some(before) = before(results, &journal)? {
        let change = Change::of(&before.report, &journal.report);
        text += &written(|out| report::change::write(out, &before.opened.run, &change));
    }
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

/// The last run before this one on the same engine.
fn before(results: &ResultsFolder, journal: &Journal) -> Result<Option<Journal>, CliError> {
    let earlier = results.runs()?.into_iter().rev().skip_while(|name| *name != journal.opened.run).skip(1);
    for name in earlier {
        // What cannot be read is passed over.
        if let Ok(found) = results.journal(Some(&name))
            && found.report.header.engine.name == journal.report.header.engine.name
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

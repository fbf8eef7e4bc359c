//! `store verify`, `store rebuild` and `store seal`: check, recreate and update the results database.

use crate::cli::args::SealArgs;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::store::with_bar;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::plural;
use slt_store::{SealResult, Store, VerifyReport};

pub(super) fn verify(results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::new(results);
    let VerifyReport { runs, files, bytes: length, unsealed, problems, notes } =
        with_bar(ui, "runs", &mut |progress| store.verify(progress))?;
    notes.iter().for_each(|note| ui.note(note));
    if !unsealed.is_empty() {
        ui.note(format_args!(
            "{} not in the store yet; run `store seal` to add them",
            plural(unsealed.len() as u64, "run")
        ));
    }
    let (runs, files) = (plural(runs as u64, "run"), plural(files as u64, "file"));
    if problems.is_empty() {
        ui.print(&format!("{runs} in {files}, {}: no problems found\n", bytes(length)))?;
        return Ok(ExitReason::Success);
    }
    for problem in &problems {
        ui.warn(problem);
    }
    let found = plural(problems.len() as u64, "problem");
    ui.print(&format!("{runs} in {files}, {}: {found}\n", bytes(length)))?;
    ui.note("run `store rebuild` to recreate the store from the journals");
    Ok(ExitReason::TestsFailed)
}

pub(super) fn rebuild(args: &SealArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::dying_at(results, args.die_at_step);
    let done = with_bar(ui, "runs", &mut |progress| store.rebuild(progress))?;
    print_sealed(&done, ui)
}

pub(super) fn seal(args: &SealArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::dying_at(results, args.die_at_step);
    let done = with_bar(ui, "runs", &mut |progress| store.catch_up(progress))?;
    print_sealed(&done, ui)
}

fn print_sealed(done: &SealResult, ui: &mut Ui) -> CommandResult {
    done.notes.iter().for_each(|note| ui.warn(note));
    ui.print(&format!("{} sealed\n", plural(done.runs.len() as u64, "run")))?;
    Ok(ExitReason::Success)
}

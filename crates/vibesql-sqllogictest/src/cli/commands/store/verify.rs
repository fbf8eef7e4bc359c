//! `store verify`, `store rebuild` and `store seal`: check, recreate and update the results database.

use crate::cli::args::{DatabaseCommand, SealArgs};
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::store::with_bar;
use crate::cli::ui::Ui;
use slt_core::outcome::bytes;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::plural;
use slt_store::{SealResult, Store, VerifyReport};

pub(super) fn run(command: &DatabaseCommand, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    match command {
        DatabaseCommand::Verify => verify(results, ui),
        DatabaseCommand::Rebuild(args) => rebuild(args, results, ui),
        DatabaseCommand::Seal(args) => seal(args, results, ui),
    }
}

fn verify(results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::new(results);
    let VerifyReport { runs, files, bytes: length, unsealed, problems, journal_problems, notes } =
        with_bar(ui, "runs", &mut |progress| store.verify(progress))?;
    notes.iter().for_each(|note| ui.note(note));
    if !unsealed.is_empty() {
        let runs = plural(unsealed.len() as u64, "run");
        ui.note(format_args!("{runs} not in the store yet; run `store seal` to add them"));
    }
    let (runs, files) = (plural(runs as u64, "run"), plural(files as u64, "file"));
    problems.iter().chain(&journal_problems).for_each(|problem| ui.warn(problem));
    let found = match problems.len() + journal_problems.len() {
        0 => "no problems found".to_owned(),
        count => plural(count as u64, "problem"),
    };
    ui.print(&format!("{runs} in {files}, {}: {found}\n", bytes(length)))?;
    if problems.is_empty() && journal_problems.is_empty() {
        return Ok(ExitReason::Success);
    }
    if !problems.is_empty() {
        ui.note("run `store rebuild` to recreate the store from the journals");
    }
    if !journal_problems.is_empty() {
        ui.note(
            "the store may still have what these journals lost: restore them from a backup, or run the lost files again \
             with `run --resume RUN`",
        );
    }
    Ok(ExitReason::TestsFailed)
}

fn rebuild(args: &SealArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::dying_at(results, args.die_at_step);
    print_sealed(&with_bar(ui, "runs", &mut |progress| store.rebuild(progress))?, ui)
}

fn seal(args: &SealArgs, results: &ResultsFolder, ui: &mut Ui) -> CommandResult {
    let store = Store::dying_at(results, args.die_at_step);
    print_sealed(&with_bar(ui, "runs", &mut |progress| store.catch_up(progress))?, ui)
}

fn print_sealed(done: &SealResult, ui: &mut Ui) -> CommandResult {
    done.notes.iter().for_each(|note| ui.warn(note));
    ui.print(&format!("{} sealed\n", plural(done.runs.len() as u64, "run")))?;
    Ok(ExitReason::Success)
}

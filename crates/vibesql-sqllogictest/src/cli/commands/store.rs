//! `store`: looks after the databases that results are in.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::args::StoreCommand;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::ui::Ui;
use crate::monitor::Look;
use slt_core::outcome::bytes;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::plural;
use slt_store::{Progress, SealResult, Store, StoreError, VerifyReport};

pub(in crate::cli) fn run(
    command: &StoreCommand,
    keeping: &Keeping,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let results = keeping.results()?;
    match command {
        StoreCommand::Verify => verify(&Store::new(results), ui),
        StoreCommand::Rebuild(args) => {
            let store = Store::dying_at(results, args.die_at_step);
            let done = with_bar(ui, "runs", &mut |progress| store.rebuild(progress))?;
            tell(&done, "sealed", ui)
        }
        StoreCommand::Seal(args) => {
            let store = Store::dying_at(results, args.die_at_step);
            let done = with_bar(ui, "runs", &mut |progress| store.catch_up(progress))?;
            tell(&done, "sealed", ui)
        }
    }
}

fn verify(store: &Store, ui: &mut Ui) -> Result<ExitReason, CliError> {
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

fn tell(done: &SealResult, verb: &str, ui: &mut Ui) -> Result<ExitReason, CliError> {
    done.notes.iter().for_each(|note| ui.warn(note));
    ui.print(&format!("{} {verb}\n", plural(done.runs.len() as u64, "run")))?;
    Ok(ExitReason::Success)
}

/// Does something that may take long, with a bar if there is a terminal for it.
pub(in crate::cli) fn with_bar<T>(
    ui: &Ui,
    what: &'static str,
    work: &mut dyn FnMut(Progress<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    // There may be nothing to do: then nothing is to be seen.
    let mut seen = ui.progress(true) == Look::Hidden;
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    let done = work(&mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        if !std::mem::replace(&mut seen, true) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    });
    bar.finish_and_clear();
    done
}

/// Sets aside what is damaged, and makes the store again. Nothing waits for that, so what hinders it is told and no error.
pub(in crate::cli) fn mend(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    match with_bar(ui, "runs repaired", &mut |progress| store.rebuild(progress)) {
        Ok(done) => done.notes.iter().for_each(|note| ui.note(note)),
        Err(error) => ui.warn(&format!("cannot repair the store: {}", error.with_cause())),
    }
}

/// Takes ended runs into the store. Where that cannot be done nothing is lost, so it is told and no error.
pub(in crate::cli) fn catch_up(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    told(&mut |progress| store.catch_up(progress), ui);
}

/// Takes ended runs into the store if there are enough of them for that.
pub(in crate::cli) fn catch_up_after_run(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    told(&mut |progress| store.catch_up_after_run(progress), ui);
}

fn told(work: &mut dyn FnMut(Progress<'_>) -> Result<SealResult, StoreError>, ui: &mut Ui) {
    match with_bar(ui, "runs added to the store", work) {
        Ok(done) => done.notes.iter().for_each(|note| ui.warn(note)),
        Err(error) => {
            let error = error.with_cause();
            ui.warn(&format!(
                "the store is not up to date: {error}; no results are lost, the journals are complete"
            ));
        }
    }
}

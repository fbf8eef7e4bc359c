//! Keeps the results database up to date, with a progress bar.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::error::CliError;
use super::ui::Ui;
use crate::monitor::ProgressLook;
use slt_runner::results::ResultsFolder;
use slt_store::{Progress, RemovalLock, SealResult, Store, StoreError};

/// Does something that may take long, with a progress bar if there is a terminal.
pub(super) fn with_bar<T>(
    ui: &Ui,
    what: &'static str,
    work: &mut dyn FnMut(Progress<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    // The bar appears with the first step: there may be nothing to do.
    let mut seen = ui.progress(true) == ProgressLook::Hidden;
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

/// Recreates the results database after damage. A failure is a warning, since no command depends on it.
pub(super) fn repair(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    match with_bar(ui, "runs repaired", &mut |progress| store.rebuild(progress)) {
        Ok(done) => done.notes.iter().for_each(|note| ui.note(note)),
        Err(error) => ui.warn(&format!("cannot repair the store: {}", error.with_cause())),
    }
}

/// Removes runs from the results database before their journals are removed. Until the returned value is dropped, no other
/// process adds them again.
pub(super) fn forget(results: &ResultsFolder, names: &[String]) -> Result<RemovalLock, CliError> {
    Ok(Store::new(results).remove(names)?)
}

/// Adds ended runs to the results database. A failure is a warning, since no results are lost.
pub(super) fn catch_up(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    update(&mut |progress| store.catch_up(progress), ui);
}

/// Adds ended runs to the results database if there are enough of them.
pub(super) fn catch_up_after_run(results: &ResultsFolder, ui: &mut Ui) {
    let store = Store::new(results);
    update(&mut |progress| store.catch_up_after_run(progress), ui);
}

fn update(work: &mut dyn FnMut(Progress<'_>) -> Result<SealResult, StoreError>, ui: &mut Ui) {
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

//! In a build without the results database, there is nothing to keep up to date.

use super::error::CliError;
use super::ui::Ui;
use slt_runner::results::ResultsFolder;

/// Does nothing.
pub(super) fn catch_up(_: &ResultsFolder, _: &mut Ui) {}

/// Does nothing.
pub(super) fn catch_up_after_run(_: &ResultsFolder, _: &mut Ui) {}

/// Stands for a lock.
pub(super) struct NothingHeld;

/// Does nothing.
pub(super) fn forget(_: &ResultsFolder, _: &[String]) -> Result<NothingHeld, CliError> {
    Ok(NothingHeld)
}

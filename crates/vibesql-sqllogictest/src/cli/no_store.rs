//! In a build without the results database, there is nothing to keep up to date.

use super::ui::Ui;
use slt_runner::results::ResultsFolder;

/// Does nothing.
pub(super) fn catch_up(_: &ResultsFolder, _: &mut Ui) {}

/// Does nothing.
pub(super) fn catch_up_after_run(_: &ResultsFolder, _: &mut Ui) {}

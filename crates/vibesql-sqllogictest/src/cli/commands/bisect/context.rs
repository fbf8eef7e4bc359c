//! What all steps of a bisection share.

use std::path::PathBuf;

use super::past::RunsByCommit;
use super::repository::Repository;
use slt_core::executor::Settings;
use slt_runner::results::Journal;

/// The run that is bisected, with its history and its repository.
pub(super) struct BisectContext<'k> {
    pub(super) journal: &'k Journal,
    pub(super) settings: Settings,
    pub(super) past: RunsByCommit<'k>,
    /// The folder of the run.
    pub(super) folder: Option<PathBuf>,
    pub(super) repository: Option<Repository>,
}

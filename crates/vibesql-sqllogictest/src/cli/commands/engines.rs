//! `engines`: what can be put under test.

use crate::cli::error::{CliError, ExitReason};
use crate::cli::ui::Ui;
use slt_core::engine::EngineRegistry;

pub(in crate::cli) fn run(registry: &EngineRegistry, ui: &mut Ui) -> Result<ExitReason, CliError> {
    for (name, about) in registry.list() {
        ui.print(&format!("{name:<12}  {about}\n"))?;
    }
    Ok(ExitReason::Success)
}

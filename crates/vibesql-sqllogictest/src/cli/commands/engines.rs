//! `engines`: lists the available engines.

use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::engine::EngineRegistry;

pub(in crate::cli) fn run(registry: &EngineRegistry, ui: &mut Ui) -> CommandResult {
    for (name, about) in registry.list() {
        ui.print(&format!("{name:<12}  {about}\n"))?;
    }
    Ok(ExitReason::Success)
}

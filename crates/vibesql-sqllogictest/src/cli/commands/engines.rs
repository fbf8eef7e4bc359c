//! `engines`: lists the available engines, and shows what they can do.

use crate::cli::args::EnginesArgs;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::engine::{Capability, EngineRegistry, RegistryError};

pub(in crate::cli) fn run(args: &EnginesArgs, registry: &EngineRegistry, ui: &mut Ui) -> CommandResult {
    match &args.engine {
        Some(spec) => show(spec, registry, ui)?,
        None => list(args.verbose, registry, ui)?,
    }
    Ok(ExitReason::Success)
}

fn list(verbose: bool, registry: &EngineRegistry, ui: &mut Ui) -> CommandResult<()> {
    for (name, about) in registry.list() {
        ui.print(&format!("{name:<18}  {about}\n"))?;
        if verbose {
            match registry.make(name) {
                Ok(engine) => ui.print(&abilities(&engine.capabilities()?, "    "))?,
                Err(RegistryError::Argument { .. }) => {
                    ui.print(&format!("    depends on its argument: `engines '{name}:…'`\n"))?;
                }
                Err(error) => ui.print(&format!("    unknown: {error}\n"))?,
            }
        }
    }
    Ok(())
}

fn show(spec: &str, registry: &EngineRegistry, ui: &mut Ui) -> CommandResult<()> {
    let engine = registry.make(spec)?;
    let identity = engine.describe()?;
    let capabilities = engine.capabilities()?;
    ui.print(&format!("engine   {}\n", identity.qualified_name()))?;
    if !identity.version.is_empty() {
        ui.print(&format!("version  {}\n", identity.version))?;
    }
    if let Some(build) = &identity.build {
        ui.print(&format!("build    {build}\n"))?;
    }
    ui.print(&format!("labels   {}\n\n", identity.labels.join(", ")))?;
    ui.print(&abilities(&capabilities, ""))
}

/// Lists what an engine can do and what it cannot.
fn abilities(capabilities: &[Capability], indent: &str) -> String {
    let line = |capability: &Capability| {
        let answer = if capabilities.contains(capability) { "yes" } else { "no" };
        format!("{indent}{:<20}{answer:<5}{}\n", capability.name(), capability.about())
    };
    Capability::ALL.iter().map(line).collect()
}

//! `engines`: lists the available engines, and shows what they can do.

use crate::cli::args::EnginesArgs;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;
use slt_core::engine::{Capability, EngineRegistry};

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
            // An engine that needs an argument has none of its own abilities.
            match registry.make(name).map(|engine| engine.capabilities()) {
                Ok(Ok(capabilities)) => ui.print(&abilities(&capabilities, "    "))?,
                Ok(Err(_)) | Err(_) => {
                    ui.print(&format!("    depends on its argument: `engines '{name}:…'`\n"))?;
                }
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

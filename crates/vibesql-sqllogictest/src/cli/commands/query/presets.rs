//! Finds and lists the predefined queries.

use super::error::QueryPrompt;
use super::names::nearest;
use crate::cli::error::CliError;
use slt_store::ask::presets::{PRESETS, Preset, PresetReach, preset};

/// Returns the list of presets, with the part of the history that each reads.
pub(super) fn list_presets() -> String {
    let width = PRESETS.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    PRESETS
        .iter()
        .map(|preset| {
            let reach = match preset.reach {
                PresetReach::Everything => "all runs",
                PresetReach::Loaded => "loaded runs",
                PresetReach::LastRun => "last run",
            };
            format!("{:<width$}  {:<11}  {}\n", preset.name, reach, preset.about)
        })
        .collect()
}

/// Returns the preset with this name.
pub(super) fn find_preset(name: &str, prompt: QueryPrompt) -> Result<&'static Preset, CliError> {
    preset(name).ok_or_else(|| {
        let hint = match nearest(name, PRESETS.iter().map(|preset| preset.name)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if prompt == QueryPrompt::Shell => "`.presets` lists them".to_owned(),
            None => "`query --list-presets` lists them".to_owned(),
        };
        CliError::usage(format!("no preset `{name}`"), vec![hint])
    })
}

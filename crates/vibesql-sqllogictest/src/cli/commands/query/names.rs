//! Names that can be typed in queries and in the shell: commands, tables, columns and presets.

use crate::cli::error::CliError;
use crate::cli::prompt::{DotCommand, nearest};
use slt_store::ask::columns_of;
use slt_store::ask::presets::{PRESETS, Preset, PresetReach, preset};
use slt_store::ask::views::VIEWS;
use slt_store::schema::TABLES;

/// The place where the user types queries; hints depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryPrompt {
    /// On the command line of the program, or in a script.
    CommandLine,
    /// In the shell of `query`.
    Shell,
}

impl QueryPrompt {
    /// Returns how to run a command of the shell.
    pub(super) fn command(self, command: &str) -> String {
        match self {
            Self::CommandLine => format!("`{command}` in the shell (`query` without SQL)"),
            Self::Shell => format!("`{command}`"),
        }
    }
}

/// The commands of the shell.
pub(super) const COMMANDS: &[DotCommand] = &[
    (".tables", "", "tables and views"),
    (".schema", "[TABLE]", "the columns of a table, or of all"),
    (".presets", "", "predefined queries"),
    (".preset", "NAME", "run one of them"),
    (".format", "FORMAT", "output format: table, csv, json, jsonl, markdown"),
    (".last", "N", "load the results of the last N runs"),
    (".all", "", "load all results"),
    (".help", "", "this list"),
    (".quit", "", "leave the shell (also Ctrl-D)"),
];

/// Returns the names of all tables and views.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().map(|table| table.name).chain(VIEWS.iter().map(|view| view.name))
}

/// Returns the names of all columns, some of them more than once.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    tables().filter_map(columns_of).flatten()
}

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
        CliError::usage(format!("no preset `{name}`"), hint)
    })
}

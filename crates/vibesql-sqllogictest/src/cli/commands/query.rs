//! `query`: questions in SQL about the results.

use std::io::{IsTerminal as _, Read as _, stdin};

use crate::cli::config::Environment;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::query::{self, Session, TypedIn};
use crate::cli::query_args::QueryArgs;
use crate::cli::ui::Ui;
use slt_runner::clock::SystemClock;
use slt_runner::text::written;
use slt_store::ask::presets::{PRESETS, PresetReach, preset};

pub(in crate::cli) fn run(
    args: &QueryArgs,
    keeping: &Keeping,
    environment: &Environment,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    if args.list_presets {
        ui.print(&list())?;
        return Ok(ExitReason::Success);
    }
    let named = args
        .preset
        .as_deref()
        .map(|name| preset(name).ok_or_else(|| unknown_preset(name, TypedIn::CommandLine)))
        .transpose()?;
    super::store::catch_up(keeping.results()?, ui);
    let mut session = Session::new(args, keeping, environment, &SystemClock)?;
    match (named, args.sql.as_deref()) {
        (Some(preset), _) => session.answer_preset(preset, ui)?,
        (None, None) if stdin().is_terminal() => return query::shell(&mut session, ui),
        (None, None | Some("-")) => session.answer(&typed_in()?, ui)?,
        (None, Some(sql)) => session.answer(sql, ui)?,
    }
    Ok(ExitReason::Success)
}

fn typed_in() -> Result<String, CliError> {
    let mut sql = String::new();
    let read = stdin().read_to_string(&mut sql);
    read.map_err(|error| CliError::io("read", "standard input", &error))?;
    Ok(sql)
}

/// The presets, with how much of the history each reads.
pub(in crate::cli) fn list() -> String {
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

pub(in crate::cli) fn unknown_preset(name: &str, typed_in: TypedIn) -> CliError {
    let nearest = query::nearest(name, PRESETS.iter().map(|preset| preset.name));
    let hint = written(|out| match nearest {
        Some(nearest) => std::fmt::Write::write_fmt(out, format_args!("did you mean `{nearest}`?")),
        None if typed_in == TypedIn::Shell => std::fmt::Write::write_str(out, "`.presets` lists them"),
        None => std::fmt::Write::write_str(out, "`query --list-presets` lists them"),
    });
    CliError::usage(format!("no preset `{name}`"), vec![hint])
}

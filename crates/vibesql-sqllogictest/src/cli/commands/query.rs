//! `query`: queries the results with SQL, one statement or many in a shell.

mod complete;
mod error;
mod names;
mod output;
mod session;
mod shell;

use std::io::{IsTerminal as _, Read as _, stdin};

use self::names::{QueryPrompt, find_preset, list_presets};
use self::output::Pager;
use self::session::{QuerySession, QuerySettings, limits};
use self::shell::shell;
use crate::cli::args::QueryArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult, old_dump_hint};
use crate::cli::exit::ExitReason;
use crate::cli::store;
use crate::cli::ui::Ui;
use slt_runner::clock::milliseconds_since_1970;
use slt_store::ask::HistorySelection;

pub(in crate::cli) fn run(
    args: QueryArgs,
    CommandContext { location, environment, .. }: CommandContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    if args.list_presets {
        ui.print(&list_presets())?;
        return Ok(ExitReason::Success);
    }
    let preset =
        args.preset.as_deref().map(|name| find_preset(name, QueryPrompt::CommandLine)).transpose()?;
    let results = location.results()?;
    store::catch_up(results, ui);
    if let (Some(hint), true) = (old_dump_hint(results.path()), results.runs()?.is_empty()) {
        ui.note(format_args!("no run is stored here; {hint}"));
    }
    let window = args.history.window(milliseconds_since_1970());
    let reading = HistorySelection { window, engine: args.history.engine };
    let settings = QuerySettings {
        reading,
        format: args.format.into(),
        output: args.output,
        pager: match environment.non_empty("PAGER") {
            _ if args.no_pager => Pager::Off,
            Some(command) => Pager::Command(command),
            None => Pager::Less,
        },
        check: !args.no_check,
        limits: limits(args.timeout, args.max_memory.0),
    };
    let mut session = QuerySession::new(settings, results)?;
    match (preset, args.sql.as_deref()) {
        (Some(preset), _) => session.answer_preset(preset, ui)?,
        (None, None) if stdin().is_terminal() => return shell(&mut session, ui),
        (None, None | Some("-")) => session.answer(&read_stdin()?, ui)?,
        (None, Some(sql)) => session.answer(sql, ui)?,
    }
    Ok(ExitReason::Success)
}

fn read_stdin() -> Result<String, CliError> {
    let mut sql = String::new();
    let read = stdin().read_to_string(&mut sql);
    read.map_err(|error| CliError::io("read", "standard input", &error))?;
    Ok(sql)
}

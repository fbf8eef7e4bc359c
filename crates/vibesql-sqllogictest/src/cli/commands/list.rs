//! `list`: what `run` would run.

use crate::cli::args::ListArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::keeping::Keeping;
use crate::cli::selection;
use crate::cli::settings::engine_of;
use crate::cli::ui::Ui;
use slt_core::engine::EngineRegistry;
use slt_core::location::Source;
use slt_core::parser::{self, UnknownDialect};
use slt_runner::parallel::WorkItem;
use slt_runner::text::count::plural;
use slt_runner::text::visible::one_line;

pub(in crate::cli) fn run(
    args: &ListArgs,
    keeping: &Keeping,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    if let Some(dialect) = &args.dialect {
        parser::profile(dialect, false)?;
    }
    let engine = || Ok(engine_of(args.engine.as_deref(), registry)?.1.describe()?.name);
    let mut reason = ExitReason::Success;
    for item in selection::list(args, keeping, engine, ui)? {
        let rest = match args.long.then(|| in_brief(&item, args.dialect.as_deref())) {
            None => String::new(),
            Some(Ok(rest)) => format!("  {rest}"),
            Some(Err(problem)) => {
                ui.warn(&format!("{}: {problem}", one_line(&item.shown)));
                reason = ExitReason::Usage;
                String::new()
            }
        };
        ui.print(&format!("{}{rest}\n", one_line(&item.shown)))?;
        if ui.reader_gone() {
            break;
        }
    }
    Ok(reason)
}

/// How many records a file has, in which dialect; or why that cannot be said. `run` would say the same of the file, and go
/// on with the others.
fn in_brief(item: &WorkItem, dialect: Option<&str>) -> Result<String, String> {
    let bytes = item.read().map_err(|error| format!("cannot read it: {error}"))?;
    let source = Source::new(item.shown.as_str(), bytes);
    let (profile, _) =
        parser::choose(&source, dialect, false).map_err(|error: UnknownDialect| error.to_string())?;
    Ok(format!("{} ({})", plural(parser::parse(&source, profile).total(), "record"), profile.name))
}

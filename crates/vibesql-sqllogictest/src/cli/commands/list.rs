//! `list`: lists the files that `run` would run.

use crate::cli::args::ListArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::selection;
use crate::cli::settings::{SelectionSettings, make_engine};
use crate::cli::ui::Ui;
use slt_core::location::Source;
use slt_core::parser::{self, DialectRequest, RequestOrigin};
use slt_runner::parallel::WorkItem;
use slt_runner::text::count::plural;
use slt_runner::text::visible::one_line;

pub(in crate::cli) fn run(args: ListArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    if let Some(dialect) = &args.dialect {
        parser::profile(dialect, false)?;
    }
    let selection = SelectionSettings::new(args.selection, context)?;
    let engine = || Ok(make_engine(args.engine.as_deref(), context.registry)?.1.describe()?.qualified_name());
    let mut reason = ExitReason::Success;
    for item in selection::list(&selection, &args.expectations.into(), context.location, engine, ui)? {
        let rest = match args.long.then(|| summary(&item, args.dialect.as_deref())) {
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

/// Returns the number of records of a file and its dialect. An error concerns this file only, as in `run`.
fn summary(item: &WorkItem, dialect: Option<&str>) -> Result<String, String> {
    let bytes = item.read().map_err(|error| format!("cannot read it: {error}"))?;
    let source = Source::new(item.shown.as_str(), bytes);
    let own = item.dialect.as_deref().map(|name| DialectRequest { name, by: RequestOrigin::Override });
    let request = own.or(dialect.map(|name| DialectRequest { name, by: RequestOrigin::Setting }));
    let chosen = parser::choose(&source, request, false).map_err(|error| error.to_string())?;
    let records = plural(parser::parse(&source, chosen.profile).total(), "record");
    Ok(format!("{records} ({})", chosen.profile.name))
}

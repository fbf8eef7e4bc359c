//! `list`: what `run` would run.

use crate::cli::args::ListArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::suite;
use crate::cli::ui::Ui;
use crate::location::Source;
use crate::parser;
use crate::text::count::plural;
use crate::text::visible;

pub(in crate::cli) fn run(args: &ListArgs, ui: &mut Ui) -> Result<ExitReason, CliError> {
    for item in suite::select_filtered(&args.paths, &args.filter.filters())? {
        let name = visible::line(&item.shown);
        let line = if args.long {
            let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
            let source = Source::new(item.shown.as_str(), bytes);
            let (profile, _) = parser::choose(&source, args.dialect.as_deref(), false)?;
            let total = parser::parse(&source, profile).total();
            format!("{name}  {} ({})\n", plural(total, "record"), profile.name)
        } else {
            format!("{name}\n")
        };
        ui.print(&line)?;
    }
    Ok(ExitReason::Success)
}

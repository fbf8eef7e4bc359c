//! `format`: writes files with canonical white space.

use std::io::Write as _;

use crate::cli::args::FormatArgs;
use crate::cli::commands::update::{disk_path, replace_file};
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::selection::set_dialects;
use crate::cli::suite;
use crate::cli::ui::Ui;
use slt_core::location::Source;
use slt_core::parser::{self, DialectRequest, RequestOrigin, format_script};
use slt_runner::parallel::{FileSource, WorkItem};
use slt_runner::text::count::plural;
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

pub(in crate::cli) fn run(args: FormatArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    if let Some(dialect) = &args.dialect {
        parser::profile(dialect, false)?;
    }
    let mut items = suite::select(&args.paths, None, ui)?;
    set_dialects(&mut items, &context.resolved.dialects());
    let mut changed = 0;
    for item in &items {
        let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
        let source = Source::new(item.shown.as_str(), bytes);
        let formatted = formatted(item, &source, args.dialect.as_deref())?;
        if let FileSource::Stream(_) = item.source {
            let mut out = Ui::raw_out();
            let written = out.write_all(&formatted).and_then(|()| out.flush());
            written.map_err(|error| CliError::io("write to", "standard output", &error))?;
            continue;
        }
        let path = disk_path(item)?;
        if formatted == source.bytes() {
            continue;
        }
        changed += 1;
        let verb = if args.check { "would format" } else { "formatted" };
        if !args.check {
            replace_file(&path, item, source.bytes(), &formatted)?;
        }
        ui.print(&format!("{} {}\n", Role::Warn.paint(verb), Role::Strong.paint(one_line(&item.shown))))?;
    }
    let verb = if args.check { "would format" } else { "formatted" };
    let all = plural(items.len() as u64, "file");
    if !items.iter().all(|item| matches!(item.source, FileSource::Stream(_))) {
        ui.print(&format!("{verb} {changed} of {all}\n"))?;
    }
    Ok(if args.check && changed > 0 { ExitReason::TestsFailed } else { ExitReason::Success })
}

fn formatted(item: &WorkItem, source: &Source, dialect: Option<&str>) -> Result<Vec<u8>, CliError> {
    let own = item.dialect.as_deref().map(|name| DialectRequest { name, by: RequestOrigin::Override });
    let request = own.or_else(|| dialect.map(|name| DialectRequest { name, by: RequestOrigin::Setting }));
    let chosen = parser::choose(source, request, false);
    let chosen = chosen.map_err(|error| CliError::dialect(&item.shown, &error))?;
    Ok(format_script(&parser::parse(source, chosen.profile)))
}

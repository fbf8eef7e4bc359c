//! `format`: writes files with canonical white space.

use std::io::Write as _;

use crate::cli::args::FormatArgs;
use crate::cli::commands::update::{disk_path, read, replace_file};
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
    for item in items.iter().filter(|item| matches!(item.source, FileSource::Embedded(_))) {
        disk_path(item, "format")?;
    }
    let verb = if args.check { "would format" } else { "formatted" };
    let (mut changed, mut unusable, mut worst) = (0, 0, ExitReason::Success);
    for item in &items {
        match format_file(item, &args) {
            Ok(false) => {}
            Ok(true) => {
                changed += 1;
                let name = Role::Strong.paint(one_line(&item.shown));
                ui.print(&format!("{} {name}\n", Role::Warn.paint(verb)))?;
            }
            // With its hints.
            Err(error) if items.len() == 1 => return Err(error),
            Err(error) => {
                unusable += 1;
                worst = worst.max(error.reason);
                ui.print(&format!(
                    "{} {}\n",
                    Role::Fail.paint("not formatted:"),
                    one_line(&error.in_one_line())
                ))?;
            }
        }
    }
    let all = plural(items.len() as u64, "file");
    if args.check || !items.iter().all(|item| matches!(item.source, FileSource::Stream(_))) {
        let rest = if unusable > 0 { format!("; not formatted: {unusable}") } else { String::new() };
        ui.print(&format!("{verb} {changed} of {all}{rest}\n"))?;
    }
    Ok(worst.max(if args.check && changed > 0 { ExitReason::TestsFailed } else { ExitReason::Success }))
}

/// Formats a file, or only compares. Standard input is written to standard output. Returns whether there is a change to
/// report.
fn format_file(item: &WorkItem, args: &FormatArgs) -> Result<bool, CliError> {
    let source = read(item)?;
    let formatted = formatted(item, &source, args.dialect.as_deref())?;
    let is_changed = formatted != source.bytes();
    if args.check {
        return Ok(is_changed);
    }
    if let FileSource::Stream(_) = item.source {
        let mut out = Ui::raw_out();
        let written = out.write_all(&formatted).and_then(|()| out.flush());
        written.map_err(|error| CliError::io("write to", "standard output", &error))?;
        return Ok(false);
    }
    if is_changed {
        replace_file(&disk_path(item, "format")?, item, source.bytes(), &formatted)?;
    }
    Ok(is_changed)
}

fn formatted(item: &WorkItem, source: &Source, dialect: Option<&str>) -> Result<Vec<u8>, CliError> {
    let own = item.dialect.as_deref().map(|name| DialectRequest { name, by: RequestOrigin::Override });
    let request = own.or_else(|| dialect.map(|name| DialectRequest { name, by: RequestOrigin::Setting }));
    let chosen = parser::choose(source, request, false);
    let chosen = chosen.map_err(|error| CliError::dialect(&item.shown, &error))?;
    Ok(format_script(&parser::parse(source, chosen.profile)))
}

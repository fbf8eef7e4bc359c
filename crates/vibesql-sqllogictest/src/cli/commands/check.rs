//! `check`: parses files without running them, and reports dialects, malformed records and lints.

mod finding;
mod sarif;
mod writer;

use crate::cli::args::{CheckArgs, CheckFormat};
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::loaded_expectations::ExpectationsSource;
use crate::cli::selection;
use crate::cli::settings::{SelectionSettings, make_engine};
use crate::cli::ui::Ui;
use finding::{CheckSums, CheckedFile, Severity};
use slt_core::parser::{self, LintRule, defect_codes, explain_defect};
use slt_runner::text::written;

pub(in crate::cli) fn run(args: CheckArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    if let Some(code) = &args.explain {
        return explain(code, ui);
    }
    if let Some(dialect) = &args.dialect {
        parser::profile(dialect, false)?;
    }
    let selection = SelectionSettings::new(args.selection, context)?;
    let engine = || Ok(make_engine(args.engine.as_deref(), context.registry)?.1.describe()?.qualified_name());
    let mut sums = CheckSums::default();
    let mut files = Vec::new();
    for item in selection::list(&selection, &ExpectationsSource::Off, context.location, engine, ui)? {
        let file = CheckedFile::read(&item, args.dialect.as_deref(), &args.allow);
        sums.add(&file);
        match args.message_format {
            CheckFormat::Human => ui.print(&written(|out| writer::human(out, &file)))?,
            CheckFormat::Short => ui.print(&written(|out| writer::short(out, &file)))?,
            CheckFormat::Json => Ui::put_raw(&writer::json(&file))?,
            CheckFormat::Sarif => files.push(file),
        }
        if ui.reader_gone() {
            break;
        }
    }
    match args.message_format {
        CheckFormat::Human | CheckFormat::Short => ui.print(&written(|out| writer::summary(out, &sums)))?,
        CheckFormat::Json => Ui::put_raw(&writer::json_summary(&sums))?,
        CheckFormat::Sarif => Ui::put_raw(&sarif::document(&files))?,
    }
    Ok(exit_reason(&sums, args.deny_lints))
}

/// | findings | reason |
/// |---|---|
/// | a refused file | usage |
/// | malformed records | tests failed |
/// | lints | success, or tests failed with `--deny-lints` |
fn exit_reason(sums: &CheckSums, deny_lints: bool) -> ExitReason {
    let has = |severity| sums.findings(severity) > 0;
    if sums.refused > 0 {
        ExitReason::Usage
    } else if has(Severity::Error) || deny_lints && (has(Severity::Warning) || has(Severity::Note)) {
        ExitReason::TestsFailed
    } else {
        ExitReason::Success
    }
}

fn explain(code: &str, ui: &mut Ui) -> CommandResult {
    let text = if let Some(rule) = LintRule::from_code(code) {
        let (level, summary) = (rule.level().word(), rule.summary());
        format!("{code} ({level}): {summary}\n\n{}\n\nhelp: {}\n", rule.explanation(), rule.help())
    } else if let Some(explanation) = explain_defect(code) {
        format!("{code} (error): a malformed record\n\n{explanation}\n")
    } else if let Some(explanation) = finding::explain_refusal(code) {
        format!("{code} (error): a refused file\n\n{explanation}\n")
    } else {
        let codes =
            LintRule::ALL.iter().map(|rule| rule.code()).chain(defect_codes()).chain(finding::refusals());
        let hint = format!("codes: {}", codes.collect::<Vec<_>>().join(", "));
        return Err(CliError::usage(format!("unknown code `{code}`"), hint));
    };
    ui.print(&text)?;
    Ok(ExitReason::Success)
}

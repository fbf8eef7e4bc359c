//! `test`: files or single records, each failure with its evidence.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::cli::args::TestArgs;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::settings::{Setup, reason, repeat_command};
use crate::cli::target::{self, Target};
use crate::cli::ui::Ui;
use crate::clock::{Clock as _, SystemClock};
use crate::engine::{Engine, EngineRegistry};
use crate::executor::{DetailLimits, Observer, Selection, Unobserved, run_observed, unhash};
use crate::location::Source;
use crate::monitor::{account, status_word};
use crate::outcome::{Counts, FailureDetail, FileReport};
use crate::parser::{self, Script};
use crate::text::count::{duration, plural};
use crate::text::detail::write_failure;
use crate::text::style::Role;
use crate::text::visible;
use crate::text::written;

/// Values of a result that are kept to find the first difference in.
const VALUES: usize = 100_000;
/// Lints and failures of the set-up on the screen.
const MOST_NOTES: usize = 10;

pub(in crate::cli) fn run(
    args: &TestArgs,
    registry: &EngineRegistry,
    ui: &mut Ui,
) -> Result<ExitReason, CliError> {
    let details = DetailLimits { records: args.max_failures, values: VALUES };
    let setup = Setup::new(&args.engine, registry, details)?;
    let targets: Vec<Target> =
        args.targets.iter().map(|word| target::parse(word)).collect::<Result<_, _>>()?;
    let reference = registry.make("sqlite").ok();
    let mut reports = Vec::with_capacity(targets.len());
    for target in &targets {
        let mut observer: Box<dyn Observer> =
            if args.trace { Box::new(Trace { file: &target.item.shown, ui }) } else { Box::new(Unobserved) };
        let report = test(target, &setup, reference.as_deref(), observer.as_mut())?;
        drop(observer);
        ui.print(&written(|out| write_report(out, &ui.program, &report, &setup)))?;
        reports.push(FileReport { details: Vec::new(), ..report });
    }
    Ok(reason(&reports, true))
}

/// Names each record before it runs.
struct Trace<'t> {
    file: &'t str,
    ui: &'t mut Ui,
}

impl Observer for Trace<'_> {
    fn record_started(&mut self, line: u32) {
        // Where standard error is closed there is nobody to tell.
        writeln!(self.ui.err, "{}:{line}", visible::line(self.file)).ok();
    }

    fn record_not_passed(&mut self, _: u32, _: Option<&FailureDetail>) {}

    fn record_settled(&mut self, _: &Counts) {}
}

fn test(
    target: &Target,
    setup: &Setup,
    reference: Option<&dyn Engine>,
    observer: &mut dyn Observer,
) -> Result<FileReport, CliError> {
    let item = &target.item;
    let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
    let source = Source::new(item.shown.as_str(), bytes);
    let settings = &setup.settings;
    let (profile, _) = parser::choose(&source, settings.dialect.as_deref(), settings.exact)?;
    let script = parser::parse(&source, profile);
    let selection = match target.line {
        Some(line) => Selection::Only(header_line(&script, line)?),
        None => Selection::All,
    };
    let start = SystemClock.now();
    let mut report = run_observed(&script, setup.engine.as_ref(), &settings.options, selection, observer);
    report.elapsed = SystemClock.now().saturating_sub(start);
    if let Some(reference) = reference {
        unhash(&mut report, &script, reference, &settings.options);
    }
    Ok(report)
}

/// The header of the record that `line` belongs to.
fn header_line(script: &Script<'_>, line: u32) -> Result<u32, CliError> {
    match script.record_at(line) {
        Some(record) if record.is_counted() => Ok(record.line),
        Some(record) => {
            let message = format!("line {line} of `{}` is a control record", script.source.name());
            let hint = format!("give the line of a statement or query; line {} has none", record.line);
            Err(CliError::nothing_selected(message, vec![hint]))
        }
        None => {
            let next = script.records().filter(|record| record.is_counted() && record.line > line);
            let hint = match next.map(|record| record.line).min() {
                Some(next) => format!("the next record is on line {next}"),
                None => format!("the file has {}, all before it", plural(script.total(), "record")),
            };
            let message = format!("no record on line {line} of `{}`", script.source.name());
            Err(CliError::nothing_selected(message, vec![hint]))
        }
    }
}

fn write_report(out: &mut String, program: &str, report: &FileReport, setup: &Setup) -> std::fmt::Result {
    let labels = setup.engine.identity().labels;
    let name = visible::line(&report.shown);
    for detail in &report.details {
        let again = repeat_command(program, &setup.settings, &labels, &report.shown, detail.line);
        write_failure(out, report, detail, &again)?;
        writeln!(out)?;
    }
    if report.details_omitted() > 0 {
        let omitted = plural(report.details_omitted(), "more failing record");
        writeln!(out, "… {omitted}; show them with --max-failures {}\n", report.failing.len())?;
    }
    for lint in report.lints.iter().take(MOST_NOTES) {
        writeln!(out, "{} {name}:{}: {}", Role::Warn.paint("note:"), lint.line, lint.kind)?;
    }
    if report.lints.len() > MOST_NOTES {
        let more = plural((report.lints.len() - MOST_NOTES) as u64, "more note");
        writeln!(out, "{} {more}", Role::Warn.paint("note:"))?;
    }
    for failure in report.setup_failures.iter().take(MOST_NOTES) {
        let place = format!("{name}:{}", failure.line);
        let what = crate::text::failure::headline(&failure.what);
        let what = visible::line(&what);
        writeln!(out, "{} in the set-up: {place}: {what}", Role::Warn.paint("note:"))?;
    }
    let (role, word) = status_word(report.status());
    let time = Role::Faint.paint(duration(report.elapsed));
    writeln!(out, "{}  {name}  {}  {time}", role.paint(word), visible::line(&account(report)))
}

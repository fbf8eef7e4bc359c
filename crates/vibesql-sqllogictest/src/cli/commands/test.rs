//! `test`: runs files or single records, and shows each failure with its evidence.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::cli::args::TestArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::{ExitReason, VerdictRules, exit_reason};
use crate::cli::one_file::OneFile;
use crate::cli::repeat::repeat_command;
use crate::cli::selection::set_dialects;
use crate::cli::settings::{EngineSetup, seconds};
use crate::cli::target::{self, TestTarget};
use crate::cli::ui::Ui;
use crate::cli::workers::worker_command;
use slt_core::engine::{EngineId, EngineRegistry};
use slt_core::executor::{DetailLimits, Settings};
use slt_core::location::Source;
use slt_core::outcome::{
    DetailedFailure, FailingRecord, FileEnd, FileReport, FlakyResult, Mismatch, Problem, RecordId,
};
use slt_core::parser::{self, Script};
use slt_runner::parallel::{Timeouts, WorkItem, WorkKind, WorkerCommand, WorkerStderr};
use slt_runner::text::count::{duration, plural};
use slt_runner::text::detail::write_failure;
use slt_runner::text::failure::{headline, place, place_of};
use slt_runner::text::file::{account, status_word};
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;
use slt_runner::text::written;

/// The number of values of a result that are kept to find the first difference.
const VALUES: usize = 100_000;
/// The maximum number of notes about a file.
const MOST_NOTES: usize = 10;

pub(in crate::cli) fn run(
    args: TestArgs,
    CommandContext { resolved, registry, .. }: CommandContext<'_>,
    ui: &mut Ui,
) -> CommandResult {
    let details = DetailLimits { records: args.max_failures, values: VALUES };
    let setup = EngineSetup::new(args.engine, registry, details)?;
    let mut targets = Vec::new();
    for word in &args.targets {
        targets.extend(target::parse(word, ui)?);
    }
    let dialects = resolved.dialects();
    targets.iter_mut().for_each(|target| set_dialects(std::slice::from_mut(&mut target.item), &dialects));
    let tester = FileTester {
        setup: &setup,
        reference: reference(registry),
        timeouts: Timeouts { usual: seconds(args.timeout), own: resolved.timeouts() },
        trace: args.trace,
        command: WorkerCommand { stderr: WorkerStderr::Shown, ..worker_command()? },
    };
    let rules = VerdictRules { fail_on_empty: true, flaky: FlakyResult::Pass };
    let files = targets.len();
    let mut reports = Vec::with_capacity(targets.len());
    for target in targets {
        let Some(mut report) = tester.test(target, ui)? else {
            let untested = plural((files - reports.len()) as u64, "file");
            ui.note(format_args!("INCOMPLETE: interrupted, no verdict on {untested}"));
            return Ok(exit_reason(&reports, &BTreeSet::new(), rules).max(ExitReason::Incomplete));
        };
        ui.print(&written(|out| write_report(out, &ui.program, &report, &setup)))?;
        report.failures.iter_mut().for_each(|record| record.detail = None);
        reports.push(report);
    }
    Ok(exit_reason(&reports, &BTreeSet::new(), rules))
}

/// Returns the engine that provides the rows of a hash, if this build has it.
pub(super) fn reference(registry: &EngineRegistry) -> Option<EngineId> {
    registry.make("sqlite").ok().and_then(|engine| engine.describe().ok())
}

/// Tests each file in a worker process, as `run` does, so that no engine can prevent a verdict.
pub(super) struct FileTester<'t> {
    pub(super) setup: &'t EngineSetup,
    /// The engine that provides the rows of a hash.
    pub(super) reference: Option<EngineId>,
    pub(super) timeouts: Timeouts,
    pub(super) trace: bool,
    pub(super) command: WorkerCommand,
}

impl FileTester<'_> {
    /// Returns the report of a file or a record; `None` if the user has interrupted it.
    fn test(&self, target: TestTarget, ui: &mut Ui) -> Result<Option<FileReport>, CliError> {
        let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
        let TestTarget { item, line } = target;
        let bytes = item.read().map_err(|error| CliError::io("read", &item.shown, &error))?;
        let only = self.header_line(&item, bytes, line)?;
        let settings = &self.setup.settings;
        let (engine, kind) = (self.setup.engine.clone(), WorkKind::Test { only, trace: self.trace });
        let report = self.work(folder.path(), &item, engine, settings.clone(), kind, ui)?;
        report.map(|report| self.unhash(report, &item, ui)).transpose()
    }

    /// Returns the first line of the record that contains `line`.
    fn header_line(
        &self,
        item: &WorkItem,
        bytes: Cow<'_, [u8]>,
        line: Option<u32>,
    ) -> Result<Option<u32>, CliError> {
        let source = Source::new(item.shown.as_str(), bytes);
        let settings = &self.setup.settings;
        let request = settings.dialect_of(item.dialect.as_deref());
        let chosen = parser::choose(&source, request, settings.exact)
            .map_err(|error| CliError::dialect(&item.shown, &error))?;
        line.map(|line| header_line(&parser::parse(&source, chosen.profile), line)).transpose()
    }

    /// Looks up the rows of differing hashes, in another process, so that the reference engine cannot change the verdict.
    pub(super) fn unhash(
        &self,
        report: FileReport,
        item: &WorkItem,
        ui: &mut Ui,
    ) -> Result<FileReport, CliError> {
        let is_hash =
            |detail: DetailedFailure<'_>| matches!(detail.problem, Problem::Mismatch(Mismatch::Hash { .. }));
        let Some(reference) = self.reference.clone().filter(|_| report.details().any(is_hash)) else {
            return Ok(report);
        };
        let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
        let settings = Settings { engine: reference.name.clone(), ..self.setup.settings.clone() };
        let kind = WorkKind::Unhash(report.failures.clone());
        let found = self.work(folder.path(), item, reference, settings, kind, ui)?;
        let found = found.filter(|found| found.end == FileEnd::Completed);
        Ok(match found {
            Some(found) => FileReport { failures: found.failures, ..report },
            None => report,
        })
    }

    fn work(
        &self,
        folder: &Path,
        item: &WorkItem,
        engine: EngineId,
        settings: Settings,
        kind: WorkKind,
        ui: &mut Ui,
    ) -> Result<Option<FileReport>, CliError> {
        let (timeouts, command) = (&self.timeouts, &self.command);
        OneFile { engine, settings, timeouts, command, kind }.run(folder, item, ui)
    }
}

/// Returns the first line of the record that contains `line`.
pub(in crate::cli) fn header_line(script: &Script<'_>, line: u32) -> Result<u32, CliError> {
    match script.record_at(line) {
        Some(record) if record.is_counted() => Ok(record.line),
        Some(record) => {
            let message = format!("line {line} of `{}` is a control record", script.source.name());
            let hint = format!("name the line of a statement or query; line {} has none", record.line);
            Err(CliError::nothing_selected(message, hint))
        }
        None => {
            let next = script.records().filter(|record| record.is_counted() && record.line > line);
            let hint = match next.map(|record| record.line).min() {
                Some(next) => format!("the next record is on line {next}"),
                None => format!("the file has {}, all before it", plural(script.total(), "record")),
            };
            let message = format!("no record on line {line} of `{}`", script.source.name());
            Err(CliError::nothing_selected(message, hint))
        }
    }
}

fn write_report(
    out: &mut String,
    program: &str,
    report: &FileReport,
    setup: &EngineSetup,
) -> std::fmt::Result {
    for detail in report.details() {
        let again = repeat_command(program, &setup.settings, &setup.engine.labels, &report.shown, detail.id);
        write_failure(out, report, detail, &again.unwrap_or_default())?;
        writeln!(out)?;
    }
    if report.details_omitted() > 0 {
        let omitted = plural(report.details_omitted(), "more failing record");
        writeln!(out, "… {omitted}; show them with --max-failures {}\n", report.failures.len())?;
    }
    for lint in report.lints.iter().take(MOST_NOTES) {
        let place = place(&report.shown, Some(&RecordId::at(lint.line)));
        writeln!(out, "{} {place}: {}", Role::Warn.paint("note:"), lint.kind)?;
    }
    if report.lints.len() > MOST_NOTES {
        let more = plural((report.lints.len() - MOST_NOTES) as u64, "more note");
        writeln!(out, "{} {more}", Role::Warn.paint("note:"))?;
    }
    let set_up = report.setup_failures.iter().filter_map(FailingRecord::detailed);
    for failure in set_up.take(MOST_NOTES) {
        let what = headline(failure.problem);
        let place = place_of(report, failure.id);
        writeln!(out, "{} in the set-up: {place}: {what}", Role::Warn.paint("note:"))?;
    }
    let (role, word) = status_word(report.status());
    let time = Role::Faint.paint(duration(report.elapsed));
    writeln!(out, "{}  {}  {}  {time}", role.paint(word), one_line(&report.shown), account(report))
}

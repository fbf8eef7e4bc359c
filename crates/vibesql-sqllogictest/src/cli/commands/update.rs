//! `update`: rewrites expectations with the results of an engine.

mod edit;
pub(super) mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use crate::cli::args::{EngineArgs, UpdateArgs};
use crate::cli::commands::test::header_line;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::{ExitReason, VerdictRules, exit_reason};
use crate::cli::one_file::OneFile;
use crate::cli::selection::set_dialects;
use crate::cli::settings::{EngineSetup, seconds};
use crate::cli::target;
use crate::cli::ui::Ui;
use crate::cli::workers::worker_command;
pub(super) use edit::{disk_path, read, replace_file};
use slt_core::executor::DetailLimits;
use slt_core::executor::update::{FileUpdate, UpdateScope};
use slt_core::location::Source;
use slt_core::outcome::{Correction, FileReport, FlakyResult, RecordId};
use slt_core::parser::{self, Profile};
use slt_runner::parallel::{
    Pattern, Timeouts, WorkItem, WorkKind, WorkerCommand, read_corrections, write_updated_text,
};
use slt_runner::text::count::plural;
use slt_runner::text::written;
use writer::UpdateSums;

/// Details are for the messages only; the new results come from the corrections.
const DETAILS: DetailLimits = DetailLimits { records: usize::MAX, values: 8 };

pub(in crate::cli) fn run(mut args: UpdateArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    args.engine.engine = args.from.or(args.engine.engine);
    let runner = UpdateRunner::new(args.engine, args.timeout, context)?;
    let targets = targets(&args.targets, &context.resolved.dialects(), ui)?;
    let parts = args.only.into_iter().map(Into::into).collect();
    let scope = UpdateScope { parts, changes_kind: args.change_kind };
    let updater = FileUpdater { runner, scope, dry_run: args.dry_run };
    let rules = VerdictRules { fail_on_empty: true, flaky: FlakyResult::Pass };
    let mut sums = UpdateSums::default();
    let (mut reports, mut worst) = (Vec::new(), ExitReason::Success);
    let files = targets.len();
    for target in targets {
        // From the last record to the first, so that no change moves a line that was named.
        let lines: Vec<Option<u32>> = match target.lines {
            None => vec![None],
            Some(lines) => lines.into_iter().rev().map(Some).collect(),
        };
        for line in lines {
            match updater.update(&target.item, line, &mut sums, ui)? {
                FileOutcome::Executed(report) => reports.push(*report),
                FileOutcome::Interrupted => {
                    let rest = (files - sums.files as usize) as u64;
                    let verb = if rest == 1 { "was" } else { "were" };
                    let rest = plural(rest, "file");
                    ui.note(format_args!("INCOMPLETE: interrupted; {rest} {verb} not updated"));
                    return Ok(exit_reason(&reports, &BTreeSet::new(), rules).max(ExitReason::Incomplete));
                }
                // With its hints.
                FileOutcome::Unusable(error) if files == 1 => return Err(error),
                FileOutcome::Unusable(error) => {
                    worst = worst.max(error.reason);
                    sums.unusable += 1;
                    ui.print(&written(|out| writer::write_unusable(out, &target.item.shown, &error)))?;
                    break;
                }
            }
        }
        sums.files += 1;
    }
    ui.print(&written(|out| writer::write_sums(out, &sums, args.dry_run)))?;
    Ok(exit_reason(&reports, &BTreeSet::new(), rules).max(worst))
}

/// A file to update.
struct UpdateFileTarget {
    item: WorkItem,
    /// The named lines; `None` for all records.
    lines: Option<BTreeSet<u32>>,
}

/// Returns the named files, each once.
fn targets(
    words: &[String],
    dialects: &[(Pattern, String)],
    ui: &mut Ui,
) -> Result<Vec<UpdateFileTarget>, CliError> {
    let mut found: Vec<UpdateFileTarget> = Vec::new();
    let mut places: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for word in words {
        for target in target::parse(word, ui)? {
            let path = disk_path(&target.item, "update")?;
            let place = *places.entry(path).or_insert(found.len());
            match (found.get_mut(place), target.line) {
                (None, line) => {
                    let lines = line.map(|line| BTreeSet::from([line]));
                    let mut item = target.item;
                    set_dialects(std::slice::from_mut(&mut item), dialects);
                    found.push(UpdateFileTarget { item, lines });
                }
                (Some(UpdateFileTarget { lines: Some(lines), .. }), Some(line)) => drop(lines.insert(line)),
                (Some(known), _) => known.lines = None,
            }
        }
    }
    Ok(found)
}

/// Executes texts in place of a file.
pub(super) struct UpdateRunner {
    pub(super) setup: EngineSetup,
    pub(super) timeouts: Timeouts,
    pub(super) command: WorkerCommand,
}

/// The result of one execution.
pub(super) struct ExecutedText {
    pub(super) report: FileReport,
    pub(super) corrections: Vec<(RecordId, Correction)>,
}

impl UpdateRunner {
    pub(super) fn new(
        engine: EngineArgs,
        timeout: u64,
        context: CommandContext<'_>,
    ) -> Result<Self, CliError> {
        Ok(Self {
            setup: EngineSetup::new(engine, context.registry, DETAILS)?,
            timeouts: Timeouts { usual: seconds(timeout), own: context.resolved.timeouts() },
            command: worker_command()?,
        })
    }

    /// Returns the rules for a file.
    pub(super) fn profile(&self, item: &WorkItem, source: &Source) -> Result<&'static Profile, CliError> {
        let settings = &self.setup.settings;
        let request = settings.dialect_of(item.dialect.as_deref());
        let chosen = parser::choose(source, request, settings.exact);
        Ok(chosen.map_err(|error| CliError::dialect(&item.shown, &error))?.profile)
    }

    /// Executes a text, or only the record on a line of it; `None` if the user has interrupted it.
    pub(super) fn execute(
        &self,
        item: &WorkItem,
        text: &[u8],
        only: Option<u32>,
        profile: &Profile,
        ui: &mut Ui,
    ) -> Result<Option<ExecutedText>, CliError> {
        let temporary = |error: io::Error| CliError::temporary_folder(&error);
        let folder = tempfile::tempdir().map_err(temporary)?;
        write_updated_text(folder.path(), text).map_err(temporary)?;
        // The text keeps its dialect, whatever changes in it.
        let item = WorkItem { dialect: Some(profile.name.to_owned()), ..item.clone() };
        let file = OneFile {
            engine: self.setup.engine.clone(),
            settings: self.setup.settings.clone(),
            timeouts: &self.timeouts,
            command: &self.command,
            kind: WorkKind::Update { only },
        };
        let Some(report) = file.run(folder.path(), &item, ui)? else { return Ok(None) };
        let corrections = read_corrections(folder.path()).map_err(temporary)?;
        Ok(Some(ExecutedText { report, corrections }))
    }

    /// Executes a file until each change is confirmed. Returns the report of the last execution; `None` if the user has
    /// interrupted it.
    pub(super) fn settle(
        &self,
        item: &WorkItem,
        update: &mut FileUpdate<'_, '_>,
        line: Option<u32>,
        profile: &Profile,
        ui: &mut Ui,
    ) -> Result<Option<FileReport>, CliError> {
        loop {
            let only = line.map(|line| update.new_line(line));
            let done = self.execute(item, &update.text(), only, profile, ui)?;
            let Some(ExecutedText { report, corrections }) = done else { return Ok(None) };
            if !update.take(&report, &corrections) {
                return Ok(Some(report));
            }
        }
    }
}

struct FileUpdater {
    runner: UpdateRunner,
    scope: UpdateScope,
    dry_run: bool,
}

/// What has become of a file.
enum FileOutcome {
    /// It was executed: the report of its last execution.
    Executed(Box<FileReport>),
    /// The user has interrupted it.
    Interrupted,
    /// It cannot be read or written; other files can.
    Unusable(CliError),
}

impl FileUpdater {
    /// Updates a file, or the record that contains `line`.
    fn update(
        &self,
        item: &WorkItem,
        line: Option<u32>,
        sums: &mut UpdateSums,
        ui: &mut Ui,
    ) -> Result<FileOutcome, CliError> {
        let read = read(item).and_then(|source| Ok((self.runner.profile(item, &source)?, source)));
        let (profile, source) = match read {
            Ok(read) => read,
            Err(error) => return Ok(FileOutcome::Unusable(error)),
        };
        let script = parser::parse(&source, profile);
        let line = match line.map(|line| header_line(&script, line)).transpose() {
            Ok(line) => line,
            Err(error) => return Ok(FileOutcome::Unusable(error)),
        };
        let mut update = FileUpdate::new(&script, &self.scope);
        let Some(report) = self.runner.settle(item, &mut update, line, profile, ui)? else {
            return Ok(FileOutcome::Interrupted);
        };
        if update.changed().next().is_some() && !self.dry_run {
            let replaced = disk_path(item, "update")
                .and_then(|path| replace_file(&path, item, source.bytes(), &update.text()));
            if let Err(error) = replaced {
                return Ok(FileOutcome::Unusable(error));
            }
        }
        sums.add(&update, &report);
        ui.print(&written(|out| writer::write_file(out, &script, &update, &report, self.dry_run)))?;
        if let Some(line) = line.filter(|_| report.counts.skipped > 0) {
            ui.print(&written(|out| writer::write_skipped(out, &item.shown, line)))?;
        }
        Ok(FileOutcome::Executed(Box::new(report)))
    }
}

//! Runs files that look slower than usual once more, before they are reported as slower.

use crate::cli::error::CliError;
use crate::cli::settings::RunSettings;
use crate::cli::ui::Ui;
use crate::cli::workers::worker_command;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, FileStatus, RunReport};
use slt_insight::regression::timing::Slowdown;
use slt_insight::report::compare::ConfirmedSlowdown;
use slt_runner::event::{EventSink, RunEvent, SinkError};
use slt_runner::parallel::{self, Attempts, PreparedRun, RunPlan, WorkKind};
use slt_runner::text::count::plural;

/// Runs suspects once more, and returns those that were slow again. The results are not kept.
pub(super) fn confirm_slow<'s>(
    suspects: Vec<Slowdown<'s>>,
    settings: &RunSettings,
    run: &RunReport,
    prepared: &PreparedRun,
    ui: &mut Ui,
) -> Result<Vec<ConfirmedSlowdown<'s>>, CliError> {
    let files = plural(suspects.len() as u64, "file");
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    if settings.policy.budget.is_some() {
        ui.note(format_args!("{files} slower than usual; not run again to confirm because of --time"));
        return Ok(Vec::new());
    }
    ui.note(format_args!("{files} slower than usual; running again to confirm"));
    let reports = run_again(settings, run, prepared, &suspects)?;
    let confirmed = |slowdown: Slowdown<'s>| {
        let report = reports.iter().find(|report| report.file == *slowdown.file)?;
        let is_slow = report.last_status() == FileStatus::Passed && report.elapsed > slowdown.threshold;
        is_slow.then_some(ConfirmedSlowdown { slowdown, again: Some(report.elapsed) })
    };
    Ok(suspects.into_iter().filter_map(confirmed).collect())
}

fn run_again(
    settings: &RunSettings,
    run: &RunReport,
    prepared: &PreparedRun,
    suspects: &[Slowdown<'_>],
) -> Result<Vec<FileReport>, CliError> {
    let wanted = |file: &FileId| suspects.iter().any(|suspect| suspect.file == file);
    let items: Vec<_> = prepared.items().iter().filter(|item| wanted(&item.file)).cloned().collect();
    let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
    let slices = vec![1; items.len()];
    let plan = RunPlan {
        items,
        engine: run.header.engine.clone(),
        settings: prepared.settings().clone(),
        limits: settings.limits,
        timeouts: &settings.timeouts,
        attempts: Attempts { retries: 0, repeat: 1, flaky: run.header.flaky, after_crash: true },
        kind: WorkKind::Run,
        slices,
        shares: false,
    };
    let again = PreparedRun::new(folder.path(), plan)?;
    let mut reports = ReportCollector(Vec::new());
    parallel::run(&again, &worker_command()?, settings.policy, &mut reports)?;
    Ok(reports.0)
}

/// Collects the reports of files, and shows nothing.
struct ReportCollector(Vec<FileReport>);

impl EventSink for ReportCollector {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        if let RunEvent::FileFinished(report) = event {
            self.0.push(report.as_ref().clone());
        }
        Ok(())
    }
}

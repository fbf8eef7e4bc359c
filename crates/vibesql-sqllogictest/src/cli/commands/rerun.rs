//! Runs files that look slower than usual once more, before they are reported as slower.

use std::time::Duration;

use super::compare::past_of;
use crate::cli::error::CliError;
use crate::cli::settings::RunSettings;
use crate::cli::ui::Ui;
use crate::cli::workers::worker_command;
use slt_core::location::FileId;
use slt_core::outcome::{FileReport, FileStatus, RunReport};
use slt_insight::regression::past::timed;
use slt_insight::regression::timing::{Slowdown, Slower, slower};
use slt_runner::event::{EventSink, RunEvent, SinkError};
use slt_runner::parallel::{self, Attempts, PreparedRun, RunPlan, WorkKind};
use slt_runner::results::{PastRun, RunFolder};
use slt_runner::text::count::plural;

/// A file that looked slower than usual, and was slow when it was run once more.
pub(super) struct ConfirmedSlow {
    pub(super) file: FileId,
    /// The duration of the second time.
    pub(super) elapsed: Duration,
}

/// Returns the history by which the durations of the run are judged, and the files that were slow again. The results of
/// the second time are not kept.
pub(super) fn judge_times(
    settings: &RunSettings,
    folder: &RunFolder,
    run: &RunReport,
    prepared: &PreparedRun,
    ui: &mut Ui,
) -> Result<(Vec<PastRun>, Vec<ConfirmedSlow>), CliError> {
    let past = past_of(&folder.results(), &folder.name, run)?;
    let again = {
        let Slower { suspects, .. } = slower(&timed(&past));
        match suspects.as_slice() {
            [] => Vec::new(),
            suspects if settings.policy.budget.is_some() => {
                let files = plural(suspects.len() as u64, "file");
                ui.note(format_args!(
                    "{files} slower than usual; not run again to confirm because of --time"
                ));
                Vec::new()
            }
            suspects => {
                let files = plural(suspects.len() as u64, "file");
                ui.note(format_args!("{files} slower than usual; running again to confirm"));
                let reports = run_again(settings, run, prepared, suspects)?;
                suspects.iter().filter_map(|suspect| confirmed_slow(suspect, &reports)).collect()
            }
        }
    };
    Ok((past, again))
}

/// Returns the file of a suspect if it was slow again.
fn confirmed_slow(suspect: &Slowdown<'_>, reports: &[FileReport]) -> Option<ConfirmedSlow> {
    let report = reports.iter().find(|report| report.file == *suspect.file)?;
    let slow = report.last_status() == FileStatus::Passed && report.elapsed > suspect.threshold;
    slow.then(|| ConfirmedSlow { file: report.file.clone(), elapsed: report.elapsed })
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

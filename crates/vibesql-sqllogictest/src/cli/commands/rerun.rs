//! Files of a run that look slower than usual are run once more, before anybody is told.

use std::time::Duration;

use super::compare::past_of;
use super::run::{limits, policy, timeouts, worker_command};
use crate::cli::args::RunArgs;
use crate::cli::error::CliError;
use crate::cli::ui::Ui;
use slt_core::outcome::{FileReport, FileStatus, RunReport};
use slt_insight::regression::past::timed;
use slt_insight::regression::timing::{Slowdown, Slower, slower};
use slt_runner::event::{EventSink, RunEvent, SinkError};
use slt_runner::parallel::{self, Attempts, PreparedRun, RunPlan, WorkKind};
use slt_runner::results::{PastRun, RunFolder};
use slt_runner::text::count::plural;

/// A file that looked slower than usual, and was slow when it was run once more.
pub(super) struct SlowAgain {
    pub(super) file: String,
    pub(super) again: Duration,
}

/// The history that the times of the run are judged by, and the files that were slow once more. Nothing is kept of the
/// second time.
pub(super) fn judge_times(
    args: &RunArgs,
    folder: &RunFolder,
    run: &RunReport,
    prepared: &PreparedRun,
    ui: &mut Ui,
) -> Result<(Vec<PastRun>, Vec<SlowAgain>), CliError> {
    let past = past_of(&folder.results(), &folder.name, run)?;
    let again = {
        let Slower { suspects, .. } = slower(&timed(&past));
        match suspects.as_slice() {
            [] => Vec::new(),
            suspects if args.limits.time.is_some() => {
                let files = plural(suspects.len() as u64, "file");
                ui.note(format_args!(
                    "{files} slower than usual; not run again to confirm because of --time"
                ));
                Vec::new()
            }
            suspects => {
                let files = plural(suspects.len() as u64, "file");
                ui.note(format_args!("{files} slower than usual; running again to confirm"));
                let reports = run_again(args, run, prepared, suspects)?;
                suspects.iter().filter_map(|suspect| slow_again(suspect, &reports)).collect()
            }
        }
    };
    Ok((past, again))
}

/// Whether a file that was suspected was slow again.
fn slow_again(suspect: &Slowdown<'_>, reports: &[FileReport]) -> Option<SlowAgain> {
    let report = reports.iter().find(|report| report.file == suspect.file)?;
    let slow = report.last_status() == FileStatus::Passed && report.elapsed > suspect.threshold;
    slow.then(|| SlowAgain { file: report.file.clone(), again: report.elapsed })
}

fn run_again(
    args: &RunArgs,
    run: &RunReport,
    prepared: &PreparedRun,
    suspects: &[Slowdown<'_>],
) -> Result<Vec<FileReport>, CliError> {
    let wanted = |file: &str| suspects.iter().any(|suspect| suspect.file == file);
    let items: Vec<_> = prepared.items().iter().filter(|item| wanted(&item.file)).cloned().collect();
    let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
    let slices = vec![1; items.len()];
    let plan = RunPlan {
        items,
        engine: run.header.engine.clone(),
        settings: prepared.settings().clone(),
        limits: limits(&args.limits)?,
        timeouts: &timeouts(args),
        attempts: Attempts { retries: 0, repeat: 1, flaky: run.header.flaky, after_crash: true },
        kind: WorkKind::Run,
        slices,
    };
    let again = PreparedRun::new(folder.path(), plan)?;
    let mut reports = Reports(Vec::new());
    parallel::run(&again, &worker_command()?, policy(args), &mut reports)?;
    Ok(reports.0)
}

/// Keeps what becomes of files, and shows nothing.
struct Reports(Vec<FileReport>);

impl EventSink for Reports {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        if let RunEvent::FileFinished(report) = event {
            self.0.push(report.as_ref().clone());
        }
        Ok(())
    }
}

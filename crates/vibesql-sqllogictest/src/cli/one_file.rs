//! Executes one file in a worker process, as `run` does, so that no engine can prevent a verdict.

use std::path::Path;
use std::time::Duration;

use super::error::CliError;
use super::ui::Ui;
use slt_core::engine::EngineId;
use slt_core::executor::Settings;
use slt_core::outcome::{FileReport, FlakyResult};
use slt_runner::event::{EventSink, RunEvent, SinkError};
use slt_runner::parallel::{
    self, Attempts, PreparedRun, RunPlan, RunPolicy, Timeouts, WorkItem, WorkKind, WorkerCommand,
    WorkerLimits,
};
use slt_runner::text::count::duration;

/// The time between the request to end a process and its kill.
const GRACE: Duration = Duration::from_secs(2);

/// The execution of one file.
pub(super) struct OneFile<'o> {
    pub(super) engine: EngineId,
    pub(super) settings: Settings,
    pub(super) timeouts: &'o Timeouts,
    pub(super) command: &'o WorkerCommand,
    pub(super) kind: WorkKind,
}

impl OneFile<'_> {
    /// Returns the report of the file; `None` if the user has interrupted it. `folder` is that of the run.
    pub(super) fn run(
        self,
        folder: &Path,
        item: &WorkItem,
        ui: &mut Ui,
    ) -> Result<Option<FileReport>, CliError> {
        let plan = RunPlan {
            items: vec![item.clone()],
            engine: self.engine,
            settings: self.settings,
            limits: WorkerLimits { memory: None, slow: None, grace: GRACE },
            timeouts: self.timeouts,
            attempts: Attempts { retries: 0, repeat: 1, flaky: FlakyResult::Pass, after_crash: false },
            kind: self.kind,
            slices: vec![1],
            shares: false,
        };
        let prepared = PreparedRun::new(folder, plan)?;
        let policy =
            RunPolicy { workers: 1, budget: None, most_failing: None, ends_at_once: true, timings: false };
        let run = parallel::run(&prepared, self.command, policy, &mut PositionNotes(ui))?;
        Ok(run.files.into_iter().next())
    }
}

/// Prints the position in the running file on request, and when it is interrupted.
struct PositionNotes<'u>(&'u mut Ui);

impl EventSink for PositionNotes<'_> {
    fn on_event(&mut self, event: &RunEvent) -> Result<(), SinkError> {
        if let RunEvent::Asked { running, .. } = event {
            for file in running {
                let at = file.record.as_ref().map_or_else(String::new, |(id, _)| format!(":{id}"));
                let time = duration(file.elapsed);
                self.0.note(format_args!("now at {}{at}, after {time}", file.shown));
            }
        }
        Ok(())
    }
}

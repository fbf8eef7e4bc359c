//! A file that is executed step by step, and rebuilt when its state is lost.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::outline::FileOutline;
use super::screen;
use crate::cli::args::ShellArgs;
use crate::cli::commands::test::{FileTester, reference};
use crate::cli::context::CommandContext;
use crate::cli::error::CliError;
use crate::cli::exit::ExitReason;
use crate::cli::repeat::repeat_command;
use crate::cli::selection::set_dialects;
use crate::cli::settings::{EngineSetup, seconds};
use crate::cli::target::{self, TestTarget};
use crate::cli::ui::Ui;
use crate::cli::workers::worker_command;
use crate::cli::{stream, target::split_line};
use slt_core::engine::EngineId;
use slt_core::executor::DetailLimits;
use slt_core::outcome::{FailingRecord, Fault, FileEnd, FileProblem, FileReport, FlakyResult, RecordId};
use slt_runner::parallel::{
    Attempts, PreparedRun, RunPlan, StepControl, StepEnd, StepOrder, StepReply, StepVerdict, SteppedFile,
    Timeouts, WorkItem, WorkKind, WorkerCommand, WorkerLimits, WorkerStderr, file_of_path,
};
use slt_runner::text::count::{duration, plural};
use slt_runner::text::failure::place;
use slt_runner::text::style::Role;
use slt_runner::text::visible::one_line;

/// The number of values of a result that are kept to find the first difference.
const VALUES: usize = 100_000;
/// The maximum number of failures of the set-up that are shown.
const MOST_NOTES: usize = 10;
/// The records before and behind the next one in a list.
const LISTED: usize = 5;
/// The time that a statement over its limit gets, so that an engine which can be interrupted reports it.
const GRACE: Duration = Duration::from_secs(2);

pub(super) struct ShellSession {
    pub(super) control: StepControl,
    setup: EngineSetup,
    command: WorkerCommand,
    timeouts: Timeouts,
    item: WorkItem,
    outline: FileOutline,
    /// Whether the user has named no file.
    is_unnamed: bool,
    /// The record before which the file pauses, or would if it had a state; `None` for its end.
    target: Option<RecordId>,
    file: Option<SteppedFile>,
    most_rows: usize,
    /// The engine that provides the rows of a hash.
    reference: Option<EngineId>,
    /// The folder of the worker, and of the file if the user has named none.
    folder: TempDir,
    /// The number of times that the state was built.
    builds: u32,
}

impl ShellSession {
    /// Finds the file and the record of the arguments.
    pub(super) fn open(args: ShellArgs, context: CommandContext<'_>, ui: &mut Ui) -> Result<Self, CliError> {
        let details = DetailLimits { records: usize::MAX, values: VALUES };
        let setup = EngineSetup::new(args.engine, context.registry, details)?;
        let folder = tempfile::tempdir().map_err(|error| CliError::temporary_folder(&error))?;
        let TestTarget { mut item, line } = match &args.target {
            Some(word) => one_target(word, ui)?,
            None => TestTarget { item: empty_file(folder.path())?, line: None },
        };
        set_dialects(std::slice::from_mut(&mut item), &context.resolved.dialects());
        let outline = FileOutline::read(&item, &setup.settings)?;
        let command = WorkerCommand { stderr: WorkerStderr::Shown, ..worker_command()? };
        let mut session = Self {
            control: StepControl::new()?,
            setup,
            command,
            timeouts: Timeouts { usual: seconds(args.timeout), own: context.resolved.timeouts() },
            item,
            outline,
            is_unnamed: args.target.is_none(),
            target: None,
            file: None,
            most_rows: args.max_rows,
            reference: reference(context.registry),
            folder,
            builds: 0,
        };
        session.target = line.and_then(|line| session.record_at(line, ui)).map(RecordId::at);
        Ok(session)
    }

    pub(super) fn greeting(&self) -> String {
        let (engine, dialect) = (&self.setup.engine, self.outline.dialect());
        format!("{engine}, dialect {dialect}. Statements end with `;`, and `.help` lists commands.\n")
    }

    /// Returns the words of the file that complete names.
    pub(super) fn words(&self) -> BTreeSet<String> {
        self.outline.words()
    }

    pub(super) fn prompt(&self) -> String {
        let name = Path::new(&self.item.shown).file_name().unwrap_or_default().to_string_lossy();
        match (&self.target, &self.file) {
            _ if self.is_unnamed => "shell> ".to_owned(),
            (_, None) => format!("{} (no state)> ", one_line(&name)),
            (None, Some(_)) => format!("{}> ", one_line(&name)),
            (Some(record), Some(_)) => format!("{}:{record}> ", one_line(&name)),
        }
    }

    /// Returns the header line of the record on `line`, or of the next one; `None` for the end of the file.
    fn record_at(&self, line: u32, ui: &mut Ui) -> Option<u32> {
        let found = self.outline.record_at(line);
        if found.is_none() {
            ui.note(format_args!("no record on or after line {line} of `{}`", self.item.shown));
        }
        found
    }

    /// Builds the state anew, up to the record before which the file is to pause.
    pub(super) fn build(&mut self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        if let Some(file) = self.file.take() {
            self.control.leave(file);
        }
        self.builds += 1;
        let folder = self.folder.path().join(format!("state-{}", self.builds));
        std::fs::create_dir(&folder).map_err(|error| CliError::temporary_folder(&error))?;
        let target = self.target.clone();
        let plan = RunPlan {
            items: vec![self.item.clone()],
            engine: self.setup.engine.clone(),
            settings: self.setup.settings.clone(),
            limits: WorkerLimits { memory: None, slow: None, grace: GRACE },
            timeouts: &self.timeouts,
            attempts: Attempts { retries: 0, repeat: 1, flaky: FlakyResult::Pass, after_crash: false },
            kind: WorkKind::Step { target: target.clone() },
            slices: vec![1],
            shares: false,
        };
        let prepared = PreparedRun::new(&folder, plan)?;
        let limit = self.timeouts.of(&self.item);
        let file = match self.control.start(&prepared, &self.command, limit)? {
            Ok(file) => file,
            Err(end) => return self.lost(end, ui),
        };
        for failure in file.setup_failures.iter().take(MOST_NOTES) {
            ui.note(screen::setup_failure(&self.item.shown, failure));
        }
        if file.setup_failures.len() > MOST_NOTES {
            let more = plural((file.setup_failures.len() - MOST_NOTES) as u64, "more failure");
            ui.note(format_args!("{more} in the set-up"));
        }
        if let (Some(target), None) = (&target, &file.at.place) {
            ui.note(format_args!("{} was not reached", place(&self.item.shown, Some(target))));
        }
        self.target.clone_from(&file.at.place);
        self.file = Some(file);
        self.show_pause(ui)?;
        Ok(ExitReason::Success)
    }

    fn show_pause(&self, ui: &mut Ui) -> Result<(), CliError> {
        match &self.file {
            Some(file) if !self.is_unnamed => ui.print(&screen::pause(&self.item.shown, &file.at)),
            _ => Ok(()),
        }
    }

    /// Carries out an order. Without an answer, the state is lost, and `Err` is the reason for the exit code.
    fn order(&mut self, order: &StepOrder, ui: &mut Ui) -> Result<Result<StepReply, ExitReason>, CliError> {
        let file = self.file.take().ok_or_else(no_state)?;
        let record_limit = self.setup.settings.options.record_timeout.map(|limit| limit + GRACE);
        let limit = [record_limit, self.timeouts.of(&self.item)].into_iter().flatten().min();
        match self.control.order(file, order, limit) {
            Ok((file, reply)) => {
                self.target.clone_from(&file.at.place);
                self.file = Some(file);
                Ok(Ok(reply))
            }
            Err(end) => {
                let is_rebuilt = matches!(end, StepEnd::Interrupted { .. } | StepEnd::TimedOut { .. });
                let reason = self.lost(end, ui)?;
                if is_rebuilt {
                    ui.note("the state is built again; what was changed in this session is lost");
                    self.build(ui)?;
                }
                Ok(Err(reason))
            }
        }
    }

    /// Reports that there is no state.
    fn lost(&mut self, end: StepEnd, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let at = |record: Option<RecordId>| match record {
            Some(record) => format!(" at {}", place(&self.item.shown, Some(&record))),
            None => String::new(),
        };
        let (role, text, reason) = match end {
            StepEnd::NotStarted(end) => {
                let reason = match &end {
                    FileEnd::NotStarted(FileProblem::Engine(_)) => ExitReason::EngineUnavailable,
                    _ => ExitReason::Usage,
                };
                let problem = match end {
                    FileEnd::NotStarted(problem) => problem.to_string(),
                    _ => "it has ended".to_owned(),
                };
                (Role::Fail, format!("ERROR  {problem}"), reason)
            }
            StepEnd::Left => (Role::Fail, "ERROR  the worker has ended".to_owned(), ExitReason::Incomplete),
            StepEnd::Died { record, how } => {
                let fault = Fault::Died { how, message: None, after: None };
                (Role::Fail, format!("CRASH  {fault}{}", at(record)), ExitReason::Incomplete)
            }
            StepEnd::TimedOut { record, after } => {
                let text = format!("TIMEOUT  stopped after {}{}", duration(after), at(record));
                (Role::Fail, text, ExitReason::TestsFailed)
            }
            StepEnd::Interrupted { record } => {
                (Role::Warn, format!("interrupted{}", at(record)), ExitReason::Incomplete)
            }
        };
        ui.print(&format!("{}\n", role.paint(text)))?;
        Ok(reason)
    }

    /// Executes SQL and shows the results.
    pub(super) fn execute(&mut self, sql: &str, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let order = StepOrder::Execute { sql: sql.to_owned(), most_rows: self.most_rows };
        let reply = match self.order(&order, ui)? {
            Ok(reply) => reply,
            Err(reason) => return Ok(reason),
        };
        let Some(answer) = reply.answer else { return Ok(ExitReason::Success) };
        ui.print(&screen::answer(&answer))?;
        let failed = answer.error.is_some() || answer.problem.is_some();
        Ok(if failed { ExitReason::TestsFailed } else { ExitReason::Success })
    }

    /// Runs the next records, and shows their outcomes.
    pub(super) fn next(&mut self, count: u32, ui: &mut Ui) -> Result<ExitReason, CliError> {
        self.step(&StepOrder::Next, count, ShownOutcomes::All, ui)
    }

    /// Runs records up to the first one that does not pass.
    pub(super) fn go_on(&mut self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        self.step(&StepOrder::Next, u32::MAX, ShownOutcomes::FirstFailure, ui)
    }

    /// Runs the query of the next record, and stays before it.
    pub(super) fn diff(&mut self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let file = self.file.as_ref().ok_or_else(no_state)?;
        if file.at.place.is_some() && !file.at.is_query {
            let message = "the next record is not a query, so there are no rows to compare";
            return Err(CliError::usage(message, "`.next` runs it and shows the outcome"));
        }
        self.step(&StepOrder::Try, 1, ShownOutcomes::All, ui)
    }

    fn step(
        &mut self,
        order: &StepOrder,
        count: u32,
        shows: ShownOutcomes,
        ui: &mut Ui,
    ) -> Result<ExitReason, CliError> {
        let (mut worst, mut passed) = (ExitReason::Success, 0);
        for _ in 0..count {
            let before = self.file.as_ref().ok_or_else(no_state)?.at.clone();
            let Some(record) = &before.place else { break };
            let mut reply = match self.order(order, ui)? {
                Ok(reply) => reply,
                Err(reason) => return Ok(worst.max(reason)),
            };
            reply.failure = reply.failure.map(|failure| self.unhash(failure, ui)).transpose()?;
            let failed = reply.settled.is_some_and(|(verdict, _)| verdict == StepVerdict::Failed);
            if failed || shows == ShownOutcomes::All {
                let (settings, labels) = (&self.setup.settings, &self.setup.engine.labels);
                let again = repeat_command(&ui.program, settings, labels, &self.item.shown, record);
                ui.print(&screen::outcome(&self.item.shown, &before, &reply, &again.unwrap_or_default()))?;
            }
            passed += u64::from(!failed);
            worst = if failed { ExitReason::TestsFailed } else { worst };
            if failed && shows == ShownOutcomes::FirstFailure {
                break;
            }
        }
        if shows == ShownOutcomes::FirstFailure {
            ui.print(&format!("{} without a failure\n", plural(passed, "record")))?;
        }
        if matches!(order, StepOrder::Next) {
            self.show_pause(ui)?;
        }
        Ok(worst)
    }

    /// Finds the rows of a hash that differs.
    fn unhash(&self, failure: FailingRecord, ui: &mut Ui) -> Result<FailingRecord, CliError> {
        let tester = FileTester {
            setup: &self.setup,
            reference: self.reference.clone(),
            timeouts: self.timeouts.clone(),
            trace: false,
            command: self.command.clone(),
        };
        let mut report = FileReport::new(self.item.shown.as_str(), FileEnd::Completed);
        report.failures.push(failure.clone());
        let report = tester.unhash(report, &self.item, ui)?;
        Ok(report.failures.into_iter().next().unwrap_or(failure))
    }

    /// Shows the next record in full.
    pub(super) fn expect(&self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let file = self.file.as_ref().ok_or_else(no_state)?;
        ui.print(&screen::expectation(&self.item.shown, &file.at))?;
        Ok(ExitReason::Success)
    }

    /// Lists records around the next one.
    pub(super) fn list(&self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        // Of an included file, only the place is known here.
        let own = self.target.as_ref().filter(|record| record.source.is_none());
        let line = own.map_or(u32::MAX, |record| record.line);
        let mut text = String::new();
        for record in self.outline.list(line, LISTED) {
            let mark = if record.line == line { ">" } else { " " };
            let _ = writeln!(text, "{mark} {:>5}  {}", record.line, one_line(&record.text));
        }
        ui.print(&text)?;
        Ok(ExitReason::Success)
    }

    /// Builds the state before the record on a line.
    pub(super) fn go_to(&mut self, line: u32, ui: &mut Ui) -> Result<ExitReason, CliError> {
        self.outline = FileOutline::read(&self.item, &self.setup.settings)?;
        self.target = self.record_at(line, ui).map(RecordId::at);
        self.build(ui)
    }

    /// Reads the file again, and builds the state before the same record, wherever it is now.
    pub(super) fn rerun(&mut self, ui: &mut Ui) -> Result<ExitReason, CliError> {
        let outline = FileOutline::read(&self.item, &self.setup.settings)?;
        if let Some(target) = self.target.as_mut().filter(|target| target.source.is_none()) {
            let line = self.outline.moved(target.line, &outline);
            match outline.record_at(line) {
                Some(line) => target.line = line,
                None => self.target = None,
            }
        }
        self.outline = outline;
        self.build(ui)
    }

    /// Ends the worker, so that the engine closes its database.
    pub(super) fn close(&mut self) {
        if let Some(file) = self.file.take() {
            self.control.leave(file);
        }
    }
}

/// Which outcomes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShownOutcomes {
    All,
    FirstFailure,
}

fn no_state() -> CliError {
    let hint = "`.rerun` builds it again, `.goto LINE` the one before another record";
    CliError::usage("the state is lost", hint)
}

/// Returns the only file that a word names.
fn one_target(word: &str, ui: &mut Ui) -> Result<TestTarget, CliError> {
    let mut targets = target::parse(word, ui)?;
    let (path, _) = split_line(word);
    if targets.len() > 1 {
        let message = format!("`{path}` is not one file");
        return Err(CliError::usage(message, "name one test file: `vibesql-sqllogictest shell FILE:LINE`"));
    }
    let target = targets.pop().ok_or_else(|| CliError::usage(format!("no file `{path}`"), ""))?;
    if stream::is_stdin(&target.item) {
        let message = "cannot read a test file from standard input, which has the entries of the shell";
        return Err(CliError::usage(message, "write it to a file"));
    }
    Ok(target)
}

/// Creates a file without records, for an empty database.
fn empty_file(folder: &Path) -> Result<WorkItem, CliError> {
    let path = folder.join("empty.test");
    std::fs::write(&path, "").map_err(|error| CliError::temporary_folder(&error))?;
    Ok(file_of_path(&path))
}

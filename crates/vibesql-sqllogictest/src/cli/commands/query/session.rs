//! Queries one after the other, with the same engine processes and the same settings.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{rejected, unanswered};
use super::names::QueryPrompt;
use super::output::{Pager, to_screen};
use crate::cli::commands::ask;
use crate::cli::error::CliError;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::store;
use crate::cli::ui::Ui;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::style::{Role, rendered};
use slt_runner::text::written;
use slt_store::ask::format::{self, AnswerFormat};
use slt_store::ask::presets::{Preset, PresetReach};
use slt_store::ask::{
    AskCommand, AskLimits, AskResult, Asker, Dependency, DisagreementEffort, HistorySelection, Interrupter,
    QueryPlan, QueryTarget, ResultsSource, SavedExample, Unconfirmed, VIBESQL_VERSION, plan,
};
use slt_store::schema::TEST_FILES;
use slt_store::{HistoryWindow, Store};

/// The time limit for reducing a disagreement.
const REDUCTION_TIME: Duration = Duration::from_secs(5);
/// A timeout that is not reached.
const NO_TIMEOUT: Duration = Duration::from_secs(u32::MAX as u64);
/// The tables that have only the loaded part of the history.
const PARTIAL_TABLES: [&str; 4] = ["test_results", "record_failures", "failure_groups", "slow_records"];

/// The settings of a session.
pub(super) struct QuerySettings {
    /// The results to load.
    pub(super) reading: HistorySelection,
    pub(super) format: AnswerFormat,
    /// The file that results are written to.
    pub(super) output: Option<PathBuf>,
    pub(super) pager: Pager,
    /// Whether results are checked with SQLite.
    pub(super) check: bool,
    /// The limits of each engine.
    pub(super) limits: AskLimits,
}

/// Queries that share engines and settings.
pub(super) struct QuerySession {
    asker: Asker,
    results: ResultsSource,
    /// Where its queries are typed.
    pub(super) prompt: QueryPrompt,
    pub(super) settings: QuerySettings,
    pub(super) folder: PathBuf,
    /// The text in the output file; the next result is appended.
    written: String,
}

/// Returns the limits of an engine; a timeout of 0 seconds is no limit.
pub(super) fn limits(timeout: u64, memory: u64) -> AskLimits {
    let timeout = if timeout == 0 { NO_TIMEOUT } else { Duration::from_secs(timeout) };
    AskLimits { timeout, memory }
}

impl QuerySession {
    pub(super) fn new(settings: QuerySettings, results: &ResultsFolder) -> Result<Self, CliError> {
        let program =
            std::env::current_exe().map_err(|error| CliError::io("find", "this program", &error))?;
        if let Some(engine) = &settings.reading.engine {
            let store = Store::new(results);
            let known = store.engines(&store.pin()?)?;
            if !known.contains(engine) {
                return Err(CliError::no_run_on_engine(engine, &known, results.path()));
            }
        }
        let arguments = vec!["--results".into(), results.path().into(), ask::NAME.into()];
        let command = AskCommand { program, arguments };
        Ok(Self {
            asker: Asker::new([command.clone(), command], settings.limits),
            prompt: QueryPrompt::CommandLine,
            settings,
            folder: results.path().join("store"),
            results: ResultsSource(results.clone()),
            written: String::new(),
        })
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        self.asker.interrupter()
    }

    /// Runs a statement, and shows the result with notes.
    pub(super) fn answer(&mut self, sql: &str, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(sql, PresetReach::Loaded, ui)
    }

    /// Runs a preset.
    pub(super) fn answer_preset(&mut self, preset: &Preset, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(preset.sql, preset.reach, ui)
    }

    fn ask(&mut self, sql: &str, reach: PresetReach, ui: &mut Ui) -> Result<(), CliError> {
        let plan = plan(sql).map_err(|error| rejected(&error, self.prompt))?;
        let window =
            if reach == PresetReach::LastRun { HistoryWindow::Last(1) } else { self.settings.reading.window };
        let reading = HistorySelection { window, ..self.settings.reading.clone() };
        let folder = self.folder.join("disagreements");
        let effort = DisagreementEffort {
            check: self.settings.check,
            folder: &folder,
            reducing: REDUCTION_TIME,
            now: milliseconds_since_1970(),
        };
        let asked = self
            .asker
            .ask(&plan, QueryTarget::Results(&reading, &self.results), effort)
            .map_err(|error| unanswered(&error, self.prompt, self.settings.check))?;
        asked.notes.iter().for_each(|note| ui.note(note));
        if asked.damaged {
            store::repair(&self.results.0, ui);
        }
        if self.prompt == QueryPrompt::CommandLine
            && let Some(engine) = &self.settings.reading.engine
            && !plan.wanted.iter().any(|wanted| wanted.table.name == TEST_FILES.name)
        {
            ui.note(format_args!(
                "--engine {engine} has no effect: it selects the files in `test_files`, which this query does not read"
            ));
        }
        if let Some(unconfirmed) = &asked.unconfirmed {
            ui.note(unconfirmed_text(unconfirmed));
        }
        let mut text = format::to_text(&asked.answer, self.settings.format);
        let is_partial = reach == PresetReach::Loaded && self.is_partial(&plan, &asked);
        let foot = self.foot(&asked, is_partial);
        if let Some(path) = &self.settings.output {
            let place = OutputFile::open(path, ExistingFile::ReplaceReport)?;
            if !place.is_file() {
                self.written.clear();
            }
            self.written.push_str(&text);
            if place.put(&self.written)?.is_some() {
                ui.note(format_args!("{foot}; written to `{}`", path.display()));
            }
        } else if self.settings.format == AnswerFormat::Table {
            let faint = std::io::stdout().is_terminal();
            let foot = if faint { Role::Faint.paint(&foot).to_string() } else { foot };
            text = written(|out| std::fmt::Write::write_fmt(out, format_args!("{text}\n{foot}\n")));
            to_screen(&rendered(text.as_bytes()), &self.settings.pager)?;
        } else {
            to_screen(&text, &self.settings.pager)?;
            if is_partial {
                ui.note(foot);
            }
        }
        Ok(())
    }

    /// Whether loading more of the history could change the result.
    fn is_partial(&self, plan: &QueryPlan, asked: &AskResult) -> bool {
        let reads = |name: &str| plan.wanted.iter().any(|wanted| wanted.table.name == name);
        asked.loaded < asked.runs
            && self.settings.reading.window != HistoryWindow::All
            && PARTIAL_TABLES.into_iter().any(reads)
    }

    /// Returns the line below a result.
    fn foot(&self, asked: &AskResult, is_partial: bool) -> String {
        let rows = plural(asked.answer.rows.len() as u64, "row");
        let part = if is_partial {
            let (loaded, all) = (thousands(asked.loaded as u64), plural(asked.runs as u64, "run"));
            let which = match self.settings.reading.window {
                HistoryWindow::Last(_) => "the last ",
                HistoryWindow::Since(_) | HistoryWindow::All => "",
            };
            let flag = if self.prompt == QueryPrompt::Shell { ".all" } else { "--all" };
            format!("; results of {which}{loaded} of {all}, {flag} loads all")
        } else {
            String::new()
        };
        let is_shown =
            asked.agreed && self.settings.format == AnswerFormat::Table && std::io::stdout().is_terminal();
        let agreed =
            if is_shown { format!("; VibeSQL {VIBESQL_VERSION} and SQLite agree") } else { String::new() };
        format!("{rows}{part}{agreed}")
    }
}

/// Describes why a result is unconfirmed.
fn unconfirmed_text(unconfirmed: &Unconfirmed) -> String {
    match unconfirmed {
        Unconfirmed::OnlySqlite(on) => {
            let on = match on {
                Dependency::Chance => "random values",
                Dependency::Time => "the current time",
                Dependency::Connection => "the state of the connection",
                Dependency::Engine => "the engine",
            };
            format!("not checked: the answer depends on {on}; shown is SQLite's answer")
        }
        Unconfirmed::OnlyVibeSql(message) => {
            format!("not checked: SQLite cannot run this query ({message}); shown is VibeSQL's answer")
        }
        Unconfirmed::SqliteFails(message) => {
            format!("not checked: SQLite {message}; shown is VibeSQL's answer")
        }
        Unconfirmed::VibeSql { kind, kept } => {
            let kept = match kept {
                SavedExample::In(path) => format!("kept as `{}`", path.display()),
                SavedExample::Not(why) => format!("not kept ({why})"),
            };
            format!("VibeSQL {VIBESQL_VERSION} {kind}; shown is SQLite's answer; {kept}")
        }
    }
}

//! Queries one after the other, with the same engine processes and the same settings.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{QueryPrompt, rejected, unanswered};
use super::output::{Pager, to_screen};
use crate::cli::error::CliError;
use crate::cli::internal::ASK;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::store;
use crate::cli::ui::Ui;
use slt_runner::clock::milliseconds_since_1970;
use slt_runner::results::ResultsFolder;
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::style::{Role, rendered};
use slt_runner::text::written;
use slt_store::ask::format::{self, Format};
use slt_store::ask::presets::{Preset, Reach};
use slt_store::ask::{
    About, AskCommand, Asked, Asker, DependsOn, Effort, Interrupter, Keeping as Kept, Limits, Plan, Reading,
    Results, Unconfirmed, VIBESQL_VERSION, plan,
};
use slt_store::schema::TEST_FILES;
use slt_store::{Store, Window};

/// The time limit for reducing a disagreement.
const REDUCTION_TIME: Duration = Duration::from_secs(5);
/// A timeout that is not reached.
const NO_TIMEOUT: Duration = Duration::from_secs(u32::MAX as u64);
/// The tables that have only the loaded part of the history.
const PARTIAL_TABLES: [&str; 4] = ["test_results", "record_failures", "failure_groups", "slow_records"];

/// The settings of a session.
pub(super) struct QuerySettings {
    /// The results to load.
    pub(super) reading: Reading,
    pub(super) format: Format,
    /// The file that results are written to.
    pub(super) output: Option<PathBuf>,
    pub(super) pager: Pager,
    /// Whether results are checked with SQLite.
    pub(super) check: bool,
    /// The limits of each engine.
    pub(super) limits: Limits,
}

/// Queries that share engines and settings.
pub(super) struct QuerySession {
    asker: Asker,
    results: Results,
    pub(super) settings: QuerySettings,
    /// Where its queries are typed.
    pub(super) prompt: QueryPrompt,
    pub(super) folder: PathBuf,
    /// The text in the output file; the next result is appended.
    written: String,
}

/// Returns the limits of an engine; a timeout of 0 seconds is no limit.
pub(super) fn limits(timeout: u64, memory: u64) -> Limits {
    let timeout = if timeout == 0 { NO_TIMEOUT } else { Duration::from_secs(timeout) };
    Limits { timeout, memory }
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
        let command = AskCommand { program, arguments: vec![ASK.into(), results.path().into()] };
        Ok(Self {
            asker: Asker::new([command.clone(), command], settings.limits),
            results: Results(results.clone()),
            settings,
            prompt: QueryPrompt::CommandLine,
            folder: results.path().join("store"),
            written: String::new(),
        })
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        self.asker.interrupter()
    }

    /// Runs a statement, and shows the result with notes.
    pub(super) fn answer(&mut self, sql: &str, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(sql, Reach::Loaded, ui)
    }

    /// Runs a preset.
    pub(super) fn answer_preset(&mut self, preset: &Preset, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(preset.sql, preset.reach, ui)
    }

    fn ask(&mut self, sql: &str, reach: Reach, ui: &mut Ui) -> Result<(), CliError> {
        let plan = plan(sql).map_err(|error| rejected(&error, self.prompt))?;
        let window = if reach == Reach::LastRun { Window::Last(1) } else { self.settings.reading.window };
        let reading = Reading { window, ..self.settings.reading.clone() };
        let folder = self.folder.join("disagreements");
        let effort = Effort {
            check: self.settings.check,
            folder: &folder,
            reducing: REDUCTION_TIME,
            now: milliseconds_since_1970(),
        };
        let asked = self
            .asker
            .ask(&plan, About::Results(&reading, &self.results), effort)
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
                "--engine {engine} changes nothing: it says whose files `test_files` has, and this query does not read it"
            ));
        }
        if let Some(unconfirmed) = &asked.unconfirmed {
            ui.note(unconfirmed_text(unconfirmed));
        }
        let mut text = written(|out| format::write(out, &asked.answer, self.settings.format));
        // All that is asked for is loaded then.
        let is_partial = reach == Reach::Loaded && self.is_partial(&plan, &asked);
        let foot = self.foot(&asked, is_partial);
        if let Some(path) = &self.settings.output {
            let place = OutputFile::open(path, ExistingFile::ReplaceReport)?;
            let is_standard = place.is_standard();
            if !place.is_file() {
                self.written.clear();
            }
            self.written.push_str(&text);
            place.put(&self.written)?;
            if !is_standard {
                ui.note(format_args!("{foot}; written to `{}`", path.display()));
            }
        } else if self.settings.format == Format::Table {
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
    fn is_partial(&self, plan: &Plan, asked: &Asked) -> bool {
        let reads = |name: &str| plan.wanted.iter().any(|wanted| wanted.table.name == name);
        asked.loaded < asked.runs
            && self.settings.reading.window != Window::All
            && PARTIAL_TABLES.into_iter().any(reads)
    }

    /// Returns the line below a result.
    fn foot(&self, asked: &Asked, is_partial: bool) -> String {
        let rows = plural(asked.answer.rows.len() as u64, "row");
        let part = if is_partial {
            let (loaded, all) = (thousands(asked.loaded as u64), plural(asked.runs as u64, "run"));
            let which = match self.settings.reading.window {
                Window::Last(_) => "the last ",
                Window::Since(_) | Window::All => "",
            };
            let flag = if self.prompt == QueryPrompt::Shell { ".all" } else { "--all" };
            format!("; results of {which}{loaded} of {all}, {flag} loads all")
        } else {
            String::new()
        };
        let is_told =
            asked.agreed && self.settings.format == Format::Table && std::io::stdout().is_terminal();
        let agreed =
            if is_told { format!("; VibeSQL {VIBESQL_VERSION} and SQLite agree") } else { String::new() };
        format!("{rows}{part}{agreed}")
    }
}

/// Describes why a result is unconfirmed.
fn unconfirmed_text(unconfirmed: &Unconfirmed) -> String {
    match unconfirmed {
        Unconfirmed::OnlySqlite(on) => {
            let on = match on {
                DependsOn::Chance => "random values",
                DependsOn::Time => "the current time",
                DependsOn::Connection => "the state of the connection",
                DependsOn::Engine => "the engine",
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
                Kept::In(path) => format!("kept as `{}`", path.display()),
                Kept::Not(why) => format!("not kept ({why})"),
            };
            format!("VibeSQL {VIBESQL_VERSION} {kind}; shown is SQLite's answer; {kept}")
        }
    }
}

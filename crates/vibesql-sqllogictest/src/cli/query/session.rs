//! Questions one after the other, with the same children and the same settings.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{TypedIn, unanswered, wrong};
use super::output::{Pager, to_screen};
use crate::cli::commands::{ask, store};
use crate::cli::config::Environment;
use crate::cli::error::CliError;
use crate::cli::keeping::Keeping;
use crate::cli::output::{Existing, Output};
use crate::cli::query_args::QueryArgs;
use crate::cli::ui::Ui;
use slt_runner::clock::{Clock, milliseconds_since_1970};
use slt_runner::text::count::{plural, thousands};
use slt_runner::text::style::{Role, rendered};
use slt_runner::text::written;
use slt_store::ask::format::{self, AnswerFormat};
use slt_store::ask::presets::{Preset, PresetReach};
use slt_store::ask::{
    AskCommand, AskLimits, AskResult, Asker, Dependency, DisagreementEffort, Doubt, HistorySelection,
    Interrupter, QueryPlan, QueryTarget, ResultsSource, SavedExample, VIBESQL_VERSION, plan,
};
use slt_store::schema::TEST_FILES;
use slt_store::{HistoryWindow, Store};

/// How long rows are taken away from a disagreement.
const REDUCING: Duration = Duration::from_secs(5);
/// No limit in words.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
/// The tables of which only a part of the history is loaded.
const PARTIAL: [&str; 4] = ["test_results", "record_failures", "failure_groups", "slow_records"];

/// What holds for all questions, until the user changes it.
pub(in crate::cli) struct Session<'a> {
    asker: Asker<'a>,
    results: ResultsSource,
    /// Where its questions are typed.
    pub(super) typed_in: TypedIn,
    pub(super) reading: HistorySelection,
    pub(super) format: AnswerFormat,
    pub(super) folder: PathBuf,
    output: Option<PathBuf>,
    /// What has been written to the output file: the next answer is added to it.
    written: String,
    pager: Pager,
    check: bool,
}

impl<'a> Session<'a> {
    pub(in crate::cli) fn new(
        args: &QueryArgs,
        keeping: &Keeping,
        environment: &Environment,
        clock: &'a dyn Clock,
    ) -> Result<Self, CliError> {
        let program =
            std::env::current_exe().map_err(|error| CliError::io("find", "this program", &error))?;
        let results = keeping.results()?.clone();
        if let Some(engine) = &args.history.engine {
            let store = Store::new(&results);
            let known = store.engines(&store.pin()?)?;
            if !known.contains(engine) {
                return Err(CliError::no_run_on_engine(engine, &known, results.path()));
            }
        }
        let arguments = vec!["--results".into(), results.path().into(), ask::NAME.into()];
        let command = AskCommand { program, arguments };
        let timeout = if args.timeout == 0 { FOR_EVER } else { Duration::from_secs(args.timeout) };
        let limits = AskLimits { timeout, memory: args.max_memory.0 };
        let pager = match environment.pager() {
            _ if args.no_pager => Pager::No,
            Some(command) => Pager::Named(command.to_owned()),
            None => Pager::Less,
        };
        Ok(Self {
            asker: Asker::new([command.clone(), command], limits, clock),
            typed_in: TypedIn::CommandLine,
            reading: HistorySelection {
                window: args.history.window(milliseconds_since_1970()),
                engine: args.history.engine.clone(),
            },
            format: args.format.format(),
            folder: results.path().join("store"),
            results: ResultsSource(results),
            output: args.output.clone(),
            written: String::new(),
            pager,
            check: !args.no_check,
        })
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        self.asker.interrupter()
    }

    /// Asks, and shows the answer with what is to be said of it.
    pub(in crate::cli) fn answer(&mut self, sql: &str, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(sql, PresetReach::Loaded, ui)
    }

    /// Asks what has a name.
    pub(in crate::cli) fn answer_preset(&mut self, preset: &Preset, ui: &mut Ui) -> Result<(), CliError> {
        self.ask(preset.sql, preset.reach, ui)
    }

    fn ask(&mut self, sql: &str, reach: PresetReach, ui: &mut Ui) -> Result<(), CliError> {
        let plan = plan(sql).map_err(|error| wrong(&error, self.typed_in))?;
        let window = if reach == PresetReach::LastRun { HistoryWindow::Last(1) } else { self.reading.window };
        let reading = HistorySelection { window, ..self.reading.clone() };
        let folder = self.folder.join("disagreements");
        let effort = DisagreementEffort {
            check: self.check,
            folder: &folder,
            reducing: REDUCING,
            now: milliseconds_since_1970(),
        };
        let asked = self
            .asker
            .ask(&plan, QueryTarget::Results(&reading, &self.results), effort)
            .map_err(|error| unanswered(&error, self.typed_in, self.check))?;
        asked.notes.iter().for_each(|note| ui.note(note));
        if asked.damaged {
            store::mend(&self.results.0, ui);
        }
        if self.typed_in == TypedIn::CommandLine
            && let Some(engine) = &self.reading.engine
            && !plan.wanted.iter().any(|wanted| wanted.table.name == TEST_FILES.name)
        {
            ui.note(format_args!(
                "--engine {engine} changes nothing: it says whose files `test_files` has, and this query does not read it"
            ));
        }
        if let Some(doubt) = &asked.doubt {
            ui.note(doubted(doubt));
        }
        let mut text = written(|out| format::write(out, &asked.answer, self.format));
        // All that is asked for is loaded then.
        let is_partial = reach == PresetReach::Loaded && self.is_partial(&plan, &asked);
        let foot = self.foot(&asked, is_partial);
        if let Some(path) = &self.output {
            let place = Output::open(path, Existing::ReplaceReport)?;
            let is_standard = place.is_standard();
            if !place.is_file() {
                self.written.clear();
            }
            self.written.push_str(&text);
            place.put(&self.written)?;
            if !is_standard {
                ui.note(format_args!("{foot}; written to `{}`", path.display()));
            }
        } else if self.format == AnswerFormat::Table {
            let faint = std::io::stdout().is_terminal();
            let foot = if faint { Role::Faint.paint(&foot).to_string() } else { foot };
            text = written(|out| std::fmt::Write::write_fmt(out, format_args!("{text}\n{foot}\n")));
            to_screen(&rendered(text.as_bytes()), &self.pager)?;
        } else {
            to_screen(&text, &self.pager)?;
            if is_partial {
                ui.note(foot);
            }
        }
        Ok(())
    }

    /// Whether more of the history would perhaps be another answer.
    fn is_partial(&self, plan: &QueryPlan, asked: &AskResult) -> bool {
        let reads = |name: &str| plan.wanted.iter().any(|wanted| wanted.table.name == name);
        asked.loaded < asked.runs
            && self.reading.window != HistoryWindow::All
            && PARTIAL.into_iter().any(reads)
    }

    /// What stands below an answer.
    fn foot(&self, asked: &AskResult, is_partial: bool) -> String {
        let rows = plural(asked.answer.rows.len() as u64, "row");
        let part = if is_partial {
            let (loaded, all) = (thousands(asked.loaded as u64), plural(asked.runs as u64, "run"));
            let which = match self.reading.window {
                HistoryWindow::Last(_) => "the last ",
                HistoryWindow::Since(_) | HistoryWindow::All => "",
            };
            let flag = if self.typed_in == TypedIn::Shell { ".all" } else { "--all" };
            format!("; results of {which}{loaded} of {all}, {flag} loads all")
        } else {
            String::new()
        };
        let is_told = asked.agreed && self.format == AnswerFormat::Table && std::io::stdout().is_terminal();
        let agreed =
            if is_told { format!("; VibeSQL {VIBESQL_VERSION} and SQLite agree") } else { String::new() };
        format!("{rows}{part}{agreed}")
    }
}

/// Why an answer is not sure, in words.
fn doubted(doubt: &Doubt) -> String {
    match doubt {
        Doubt::OnlySqlite(on) => {
            let on = match on {
                Dependency::Chance => "random values",
                Dependency::Time => "the current time",
                Dependency::Connection => "the state of the connection",
                Dependency::Engine => "the engine",
            };
            format!("not checked: the answer depends on {on}; shown is SQLite's answer")
        }
        Doubt::OnlyVibeSql(message) => {
            format!("not checked: SQLite cannot run this query ({message}); shown is VibeSQL's answer")
        }
        Doubt::SqliteFails(message) => {
            format!("not checked: SQLite {message}; shown is VibeSQL's answer")
        }
        Doubt::VibeSql { kind, kept } => {
            let kept = match kept {
                SavedExample::In(path) => format!("kept as `{}`", path.display()),
                SavedExample::Not(why) => format!("not kept ({why})"),
            };
            format!("VibeSQL {VIBESQL_VERSION} {kind}; shown is SQLite's answer; {kept}")
        }
    }
}

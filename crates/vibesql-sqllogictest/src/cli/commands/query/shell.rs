//! The shell: reads statements, which end with `;`, and commands, which start with a dot.

use clap::ValueEnum as _;
use tokio::signal::unix::{self, SignalKind};

use super::complete::QueryLanguage;
use super::names::{COMMANDS, QueryPrompt, find_preset, list_presets, tables};
use super::session::QuerySession;
use crate::cli::args::QueryFormat;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::prompt::{EnteredText, LineEditor, list_commands, nearest, unknown_command};
use crate::cli::ui::Ui;
use slt_runner::text::count::plural;
use slt_store::HistoryWindow;
use slt_store::ask::views::VIEWS;
use slt_store::ask::{Interrupter, VIBESQL_VERSION, statements};
use slt_store::schema::{self, TABLES};

/// Whether the shell continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShellFlow {
    GoOn,
    Quit,
}

/// Reads lines until the user leaves. Errors do not end it.
pub(super) fn shell(session: &mut QuerySession, ui: &mut Ui) -> CommandResult {
    let mut editor = LineEditor::open(Some(session.folder.join("history")), QueryLanguage)?;
    session.prompt = QueryPrompt::Shell;
    listen(session.interrupter()).map_err(|error| CliError::io("listen for", "Ctrl-C", &error))?;
    ui.print(&format!(
        "Results in VibeSQL {VIBESQL_VERSION}. Statements end with `;`, and `.help` lists commands.\n"
    ))?;
    loop {
        match editor.read("results> ")? {
            EnteredText::Text(text) => match entered(text.trim(), session, ui) {
                Ok(ShellFlow::GoOn) => {}
                Ok(ShellFlow::Quit) => break,
                Err(error) => {
                    ui.error(&error);
                }
            },
            EnteredText::Discarded => {}
            EnteredText::End => break,
        }
    }
    editor.save(ui);
    Ok(ExitReason::Success)
}

/// Makes Ctrl-C stop the running query instead of this program. This must happen before the first line is read, since the
/// editor restores the handler that it finds.
fn listen(interrupter: Interrupter) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut interrupts = {
        let _within = runtime.enter();
        unix::signal(SignalKind::interrupt())?
    };
    let wait = move || {
        runtime.block_on(async move {
            while interrupts.recv().await.is_some() {
                interrupter.interrupt();
            }
        });
    };
    std::thread::Builder::new().name("interrupts".to_owned()).spawn(wait).map(drop)
}

fn entered(text: &str, session: &mut QuerySession, ui: &mut Ui) -> Result<ShellFlow, CliError> {
    if !text.starts_with('.') {
        answer_each(&statements(text), session, ui);
        return Ok(ShellFlow::GoOn);
    }
    let (line, rest) = text.split_once([';', '\n']).unwrap_or((text, ""));
    let rest = rest.trim_matches(|character: char| character == ';' || character.is_whitespace());
    if !rest.is_empty() {
        return Err(not_alone(format!("cannot run `{}` together with `{rest}`", line.trim())));
    }
    let (command, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (command, argument.trim()) {
        (".quit" | ".exit", _) => return Ok(ShellFlow::Quit),
        (".help", _) => ui.print(&list_commands(COMMANDS))?,
        (".tables", _) => ui.print(&named_tables())?,
        (".schema", "") => ui.print(&tables().filter_map(shape).collect::<Vec<_>>().join("\n"))?,
        (".schema", name) => match shape(name) {
            Some(text) => ui.print(&text)?,
            None => return Err(unknown_table(name)),
        },
        (".presets", _) => ui.print(&list_presets())?,
        (".preset", name) => {
            session.answer_preset(find_preset(name, QueryPrompt::Shell)?, ui)?;
        }
        (".format", word) => {
            let format = QueryFormat::from_str(word, true);
            let hint = "formats: table, csv, json, jsonl, markdown";
            let format = format.map_err(|_| CliError::usage(format!("no format `{word}`"), hint))?;
            session.settings.format = format.into();
        }
        (".last", count) => match count.parse() {
            Ok(count) if count > 0 => session.settings.reading.window = HistoryWindow::Last(count),
            _ => return Err(CliError::usage(format!("expected a number of runs, found `{count}`"), "")),
        },
        (".all", _) => session.settings.reading.window = HistoryWindow::All,
        (command, _) => return Err(unknown_command(command, COMMANDS)),
    }
    Ok(ShellFlow::GoOn)
}

/// Answers statements in order, up to the first error or Ctrl-C.
fn answer_each(statements: &[String], session: &mut QuerySession, ui: &mut Ui) {
    for (place, sql) in statements.iter().enumerate() {
        let answered = if sql.starts_with('.') {
            Err(not_alone(format!("cannot run `{sql}` after SQL")))
        } else {
            session.answer(sql, ui)
        };
        if let Err(error) = answered {
            ui.error(&error);
            let left = (statements.len() - place - 1) as u64;
            if left > 0 {
                ui.note(format_args!("{} not run", plural(left, "further statement")));
            }
            return;
        }
    }
}

fn not_alone(message: String) -> CliError {
    CliError::usage(message, "enter a dot command by itself")
}

fn unknown_table(name: &str) -> CliError {
    let hint = match nearest(name, tables()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`.tables` lists them".to_owned(),
    };
    CliError::usage(format!("no table `{name}`"), hint)
}

fn named_tables() -> String {
    let tables = TABLES.into_iter().map(|table| (table.name, table.about));
    let views = VIEWS.iter().map(|view| (view.name, view.about));
    tables.chain(views).map(|(name, about)| format!("{name:<20}  {about}\n")).collect()
}

/// Returns the columns of a table with descriptions, or the statement of a view.
fn shape(name: &str) -> Option<String> {
    if let Some(table) = schema::table(name) {
        let columns = table
            .columns
            .iter()
            .map(|column| format!("  {:<22} {:<8} {}\n", column.name, column.kind.sql(), column.about));
        return Some(format!("{}: {}\n{}", table.name, table.about, columns.collect::<String>()));
    }
    let view = VIEWS.iter().find(|view| view.name.eq_ignore_ascii_case(name))?;
    Some(format!("{}: {}\n  {};\n", view.name, view.about, view.create()))
}

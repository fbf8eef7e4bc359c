//! `shell`: a SQL session on the engine under test, in the state before a record.

mod entry;
mod input;
mod outline;
mod screen;
mod session;

use std::io::{IsTerminal as _, stdin};

use self::entry::{COMMANDS, ShellEntry};
use self::input::{ShellInput, ShellText};
use self::session::ShellSession;
use crate::cli::args::ShellArgs;
use crate::cli::context::CommandContext;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::prompt::list_commands;
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(args: ShellArgs, context: CommandContext<'_>, ui: &mut Ui) -> CommandResult {
    let is_terminal = stdin().is_terminal();
    let mut session = ShellSession::open(args, context, ui)?;
    let mut input = if is_terminal {
        // Without a folder for results there is no history.
        let history = context.location.results().ok().map(|results| results.path().join("shell-history"));
        ui.print(&session.greeting())?;
        ShellInput::terminal(history, session.words())?
    } else {
        ShellInput::lines()?
    };
    let mut worst = session.build(ui)?;
    loop {
        let text = match input.next(&session.prompt(), &mut session.control)? {
            ShellText::Text(text) => text,
            ShellText::Discarded => continue,
            ShellText::Interrupted => {
                worst = ExitReason::Incomplete;
                break;
            }
            ShellText::End => break,
        };
        let entry = entry::parse(text.trim());
        if matches!(entry, Ok(ShellEntry::Quit)) {
            break;
        }
        let reason = entry.and_then(|entry| enter(&entry, &mut session, ui));
        worst = worst.max(reason.unwrap_or_else(|error| ui.error(&error)));
    }
    session.close();
    input.save(ui);
    // A person has seen what happened; a script needs the exit code.
    Ok(if is_terminal { ExitReason::Success } else { worst })
}

fn enter(entry: &ShellEntry<'_>, session: &mut ShellSession, ui: &mut Ui) -> Result<ExitReason, CliError> {
    match entry {
        ShellEntry::Nothing | ShellEntry::Quit => Ok(ExitReason::Success),
        ShellEntry::Sql(sql) => session.execute(sql, ui),
        ShellEntry::Next(count) => session.next(*count, ui),
        ShellEntry::Continue => session.go_on(ui),
        ShellEntry::Diff => session.diff(ui),
        ShellEntry::Expect => session.expect(ui),
        ShellEntry::List => session.list(ui),
        ShellEntry::Goto(line) => session.go_to(*line, ui),
        ShellEntry::Rerun => session.rerun(ui),
        ShellEntry::Help => {
            ui.print(&list_commands(COMMANDS))?;
            Ok(ExitReason::Success)
        }
    }
}

//! `completions`: prints a completion script for a shell.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::error::CommandResult;
use crate::cli::exit::ExitReason;
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(args: &CompletionsArgs, ui: &mut Ui) -> CommandResult {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // Into memory first, since the generator panics when standard output is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    ui.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitReason::Success)
}

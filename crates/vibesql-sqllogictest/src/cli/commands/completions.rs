//! `completions`: what a shell needs to complete the words of this program.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::commands::man::visible;
use crate::cli::error::{CliError, ExitReason};
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(args: &CompletionsArgs) -> Result<ExitReason, CliError> {
    let mut command = visible(&Cli::command());
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics where a reader has gone.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    Ui::print_raw(&String::from_utf8_lossy(&script))?;
    Ok(ExitReason::Success)
}

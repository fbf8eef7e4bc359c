//! `man`: the manual, from the definitions of the command line.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::args::{Cli, ManArgs};
use crate::cli::error::{CliError, ExitReason};
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(args: &ManArgs) -> Result<ExitReason, CliError> {
    let mut command = visible(&Cli::command()).disable_help_subcommand(true);
    command.build();
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|error| cannot_write(dir, &error))?;
            write_pages(command, dir)?;
        }
        None => Ui::print_raw(&String::from_utf8_lossy(&page(command)?))?,
    }
    Ok(ExitReason::Success)
}

/// The definitions without the commands that are hidden.
pub(super) fn visible(command: &Command) -> Command {
    let shown: Vec<_> =
        command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible).collect();
    // There is no way to take a command out, so the others are put into a copy that has none.
    let mut copy = Command::new(kept(command.get_name()))
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .subcommands(shown);
    copy = copy.subcommand_required(command.is_subcommand_required_set());
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        copy = copy.long_about(about.clone());
    }
    if let Some(after) = command.get_after_help() {
        copy = copy.after_help(after.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(kept(version));
    }
    copy
}

/// Clap's names live as long as the program, which prints this and ends.
fn kept(name: &str) -> &'static str {
    name.to_owned().leak()
}

/// A page for each command: `vibesql-sqllogictest-config-show.1`.
fn write_pages(command: Command, dir: &Path) -> Result<(), CliError> {
    for next in command.get_subcommands() {
        write_pages(next.clone(), dir)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = dir.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?).map_err(|error| cannot_write(&path, &error))
}

fn page(command: Command) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let rendered = Man::new(command).render(&mut text);
    rendered.map_err(|error| CliError::internal(format!("cannot write the manual: {error}")))?;
    Ok(text)
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::io("write", &path.display().to_string(), error)
}

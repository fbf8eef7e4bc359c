//! `man`: generates the man pages from the definition of the command line.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::args::{Cli, ManArgs};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::exit::ExitReason;
use crate::cli::output::{ExistingFile, OutputFile};
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(args: &ManArgs, ui: &mut Ui) -> CommandResult {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.dir {
        Some(dir) => {
            let failed = |error| CliError::io("write", &dir.display().to_string(), &error);
            std::fs::create_dir_all(dir).map_err(failed)?;
            write_pages(command, dir)?;
        }
        None => ui.print(&String::from_utf8_lossy(&page(command)?))?,
    }
    Ok(ExitReason::Success)
}

/// Writes a page per command, such as `vibesql-sqllogictest-config-show.1`.
fn write_pages(command: Command, dir: &Path) -> Result<(), CliError> {
    for next in command.get_subcommands() {
        write_pages(next.clone(), dir)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = dir.join(format!("{name}.1"));
    OutputFile::open(&path, ExistingFile::Replace)?.put(page(command)?).map(drop)
}

fn page(command: Command) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    let rendered = Man::new(command).render(&mut text);
    rendered.map_err(|error| CliError::internal(format!("cannot write the manual: {error}")))?;
    Ok(text)
}

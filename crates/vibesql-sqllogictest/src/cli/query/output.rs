//! Where an answer goes: to a file, to a pager, to standard output.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cli::error::CliError;
use crate::cli::ui::Ui;

/// What shows text that is longer than the screen.
#[derive(Debug, Clone)]
pub(super) enum Pager {
    /// None.
    No,
    /// `less`, if there is one.
    Less,
    /// What the user wants, as a command of the shell.
    Named(String),
}

/// Writes to a file, whole or not at all.
pub(super) fn to_file(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".query-").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error: std::io::Error| CliError::io("write", &path.display().to_string(), &error))
}

/// Shows text, in a pager if it is longer than the terminal.
pub(super) fn to_screen(text: &str, pager: &Pager) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() && is_long(text) && paged(text, pager) {
        return Ok(());
    }
    Ui::print_raw(text)
}

fn is_long(text: &str) -> bool {
    let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) else { return false };
    size.ws_row > 0 && text.lines().count() >= usize::from(size.ws_row)
}

/// Whether the pager has shown it.
fn paged(text: &str, pager: &Pager) -> bool {
    let mut command = match pager {
        Pager::No => return false,
        Pager::Less => {
            let mut less = Command::new("less");
            less.arg("-FRX");
            less
        }
        Pager::Named(command) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell
        }
    };
    let Ok(mut pager) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut stdin) = pager.stdin.take() {
        // Who leaves the pager early has seen enough.
        drop(stdin.write_all(text.as_bytes()));
    }
    drop(pager.wait());
    true
}

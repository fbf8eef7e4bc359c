//! Where an answer goes that is shown: to a pager, or to standard output.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use crate::cli::error::CliError;
use crate::cli::ui::Ui;

/// The pager for text that is longer than the screen.
#[derive(Debug, Clone)]
pub(super) enum Pager {
    /// No pager.
    Off,
    /// `less`, if it is installed.
    Less,
    /// The command of the user, run by a shell.
    Command(String),
}

/// Shows text, in a pager if it is longer than the terminal.
pub(super) fn to_screen(text: &str, pager: &Pager) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() && is_long(text) && paged(text, pager) {
        return Ok(());
    }
    Ui::put_raw(text)
}

fn is_long(text: &str) -> bool {
    let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout()) else { return false };
    size.ws_row > 0 && text.lines().count() >= usize::from(size.ws_row)
}

/// Whether the pager has shown it.
fn paged(text: &str, pager: &Pager) -> bool {
    let mut command = match pager {
        Pager::Off => return false,
        Pager::Less => {
            let mut less = Command::new("less");
            less.arg("-FRX");
            less
        }
        Pager::Command(command) => {
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

//! Shows a result in a pager or on standard output.

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

/// Shows text in the pager, and returns whether that has worked.
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
        // The user may leave the pager before the end of the text.
        drop(stdin.write_all(text.as_bytes()));
    }
    drop(pager.wait());
    true
}

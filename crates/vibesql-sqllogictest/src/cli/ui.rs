//! What the user sees goes through here.

use std::io::Write as _;

use anstream::AutoStream;
use clap::ColorChoice;

use super::error::{CliError, ExitReason};
use crate::text::style::Role;

/// Standard output and error, with colours where they are wanted.
pub(super) struct Ui {
    pub(super) out: AutoStream<std::io::Stdout>,
    pub(super) err: AutoStream<std::io::Stderr>,
}

impl Ui {
    pub(super) fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let out = AutoStream::new(std::io::stdout(), choice);
        let err = AutoStream::new(std::io::stderr(), choice);
        Self { out, err }
    }

    /// Prints a result.
    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|error| CliError::io("write to", "standard output", &error))
    }

    /// Prints an error with its causes and hints, and returns the reason to end with.
    pub(super) fn error(&mut self, error: &CliError) -> ExitReason {
        let mut text = format!("{} {}\n", Role::Fail.paint("error:"), error.message);
        for cause in &error.causes {
            text += &format!("  caused by: {cause}\n");
        }
        for hint in &error.hints {
            text += &format!("  {} {hint}\n", Role::Hint.paint("hint:"));
        }
        // Where not even standard error can be written to, the exit code is all that is left.
        drop(self.err.write_all(text.as_bytes()));
        error.reason
    }
}

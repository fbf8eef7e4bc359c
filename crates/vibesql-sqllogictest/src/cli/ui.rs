//! What the user sees goes through here.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use clap::ColorChoice;

use super::error::{CliError, ExitReason};
use crate::monitor::Look;
use crate::text::style::Role;
use crate::text::written;

/// Standard output and error, with colours where they are wanted.
pub(super) struct Ui {
    /// What the user typed to start this program, without the folder.
    pub(super) program: String,
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
        let typed = std::env::args_os().next().map(PathBuf::from);
        let program = typed.as_deref().and_then(Path::file_name);
        let program = program.map_or_else(|| "vibesql-sqllogictest".into(), OsStr::to_string_lossy);
        Self { program: program.into_owned(), out, err }
    }

    /// How progress is drawn, if it is wanted: a terminal that cannot move its cursor shows none.
    #[expect(clippy::disallowed_methods, reason = "the command line knows the terminal")]
    pub(super) fn progress(&self, wanted: bool) -> Look {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        match self.err.current_choice() {
            _ if !wanted || dumb => Look::Hidden,
            anstream::ColorChoice::Never => Look::Plain,
            _ => Look::Coloured,
        }
    }

    /// Standard output for other programs: byte for byte. What is for people has control characters taken out.
    pub(super) fn raw_out() -> std::io::Stdout {
        std::io::stdout()
    }

    /// Prints a result.
    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|error| CliError::io("write to", "standard output", &error))
    }

    /// Says what the user should know, and that stops nothing.
    pub(super) fn warn(&mut self, text: &str) {
        drop(writeln!(self.err, "{} {text}", Role::Warn.paint("warning:")));
    }

    /// Prints something that the user should know besides.
    pub(super) fn note(&mut self, note: impl std::fmt::Display) {
        let text = format!("{} {note}\n", Role::Warn.paint("note:"));
        // Where standard error is closed there is nobody to tell.
        drop(self.err.write_all(text.as_bytes()));
    }

    /// Prints an error with its causes and hints, and returns the reason to end with.
    pub(super) fn error(&mut self, error: &CliError) -> ExitReason {
        let text = written(|text| {
            writeln!(text, "{} {}", Role::Fail.paint("error:"), error.message)?;
            error.causes.iter().try_for_each(|cause| writeln!(text, "  caused by: {cause}"))?;
            error.hints.iter().try_for_each(|hint| writeln!(text, "  {} {hint}", Role::Hint.paint("hint:")))
        });
        if error.reader_gone {
            return error.reason;
        }
        // Where not even standard error can be written to, the exit code is all that is left.
        drop(self.err.write_all(text.as_bytes()));
        error.reason
    }
}

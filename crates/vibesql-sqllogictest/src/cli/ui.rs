//! What the user sees goes through here.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Stderr, Stdout, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use clap::ColorChoice;

use super::error::{CliError, ExitReason};
use crate::monitor::Look;
use crate::text::style::{Role, Screen};
use crate::text::written;

/// Standard output and error, with colours where they are wanted.
pub(super) struct Ui {
    /// What the user typed to start this program, without the folder.
    pub(super) program: String,
    pub(super) out: Screen<UntilClosed<AutoStream<Stdout>>>,
    pub(super) err: Screen<UntilClosed<AutoStream<Stderr>>>,
}

/// A stream whose reader may leave before its end, as `head` does. The rest is dropped: a command that judges goes on to
/// its verdict, and one that only prints has nothing else to do.
pub(super) struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

impl Ui {
    pub(super) fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let out = Screen(UntilClosed(AutoStream::new(io::stdout(), choice)));
        let err = Screen(UntilClosed(AutoStream::new(io::stderr(), choice)));
        let typed = std::env::args_os().next().map(PathBuf::from);
        let program = typed.as_deref().and_then(Path::file_name);
        let program = program.map_or_else(|| "vibesql-sqllogictest".into(), OsStr::to_string_lossy);
        Self { program: program.into_owned(), out, err }
    }

    /// How progress is drawn, if it is wanted: a terminal that cannot move its cursor shows none.
    #[expect(clippy::disallowed_methods, reason = "the command line knows the terminal")]
    pub(super) fn progress(&self, wanted: bool) -> Look {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        match self.err.0.0.current_choice() {
            _ if !wanted || dumb => Look::Hidden,
            anstream::ColorChoice::Never => Look::Plain,
            _ => Look::Coloured,
        }
    }

    /// Standard output for other programs: byte for byte. What is for people has control characters escaped.
    pub(super) fn raw_out() -> UntilClosed<Stdout> {
        UntilClosed(io::stdout())
    }

    /// Prints a document for other programs.
    pub(super) fn print_raw(document: &str) -> Result<(), CliError> {
        let mut out = Self::raw_out();
        let written = out.write_all(document.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| CliError::output(&error))
    }

    /// Prints a result.
    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|error| CliError::output(&error))
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

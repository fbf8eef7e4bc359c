//! Writes to standard output and standard error.
//!
//! If the reader of a stream has exited, as `head` does, further output is discarded, and the program continues, so that its
//! exit code stays the same.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use clap::ColorChoice;

use super::error::CliError;
use super::exit::ExitReason;
use crate::monitor::ProgressLook;
use slt_runner::text::style::{Role, rendered};
use slt_runner::text::written;

/// A stream that discards output when its reader has exited.
pub(super) struct PipeWriter<W> {
    to: W,
    gone: bool,
}

impl<W: Write> PipeWriter<W> {
    fn new(to: W) -> Self {
        Self { to, gone: false }
    }

    fn unless_gone<T>(&mut self, done: io::Result<T>, else_: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(else_)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for PipeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let written = self.to.write(bytes);
        self.unless_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = if self.gone { Ok(()) } else { self.to.flush() };
        self.unless_gone(flushed, ())
    }
}

/// A stream for users, with colors if they are enabled. It escapes text of files and engines with [`rendered`].
pub(super) struct ScreenWriter<W>(PipeWriter<W>);

impl<W: Write> Write for ScreenWriter<W> {
    /// Accepts complete characters only, which is what formatted text consists of.
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write_all(rendered(text).as_bytes())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Standard output and error.
pub(super) struct Ui {
    /// The name by which the user started this program, without the folder.
    pub(super) program: String,
    pub(super) out: ScreenWriter<AutoStream<io::Stdout>>,
    pub(super) err: ScreenWriter<AutoStream<io::Stderr>>,
}

impl Ui {
    pub(super) fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let out = ScreenWriter(PipeWriter::new(AutoStream::new(io::stdout(), choice)));
        let err = ScreenWriter(PipeWriter::new(AutoStream::new(io::stderr(), choice)));
        let typed = std::env::args_os().next().map(PathBuf::from);
        let program = typed.as_deref().and_then(Path::file_name);
        let program = program.map_or_else(|| "vibesql-sqllogictest".into(), OsStr::to_string_lossy);
        Self { program: program.into_owned(), out, err }
    }

    /// Returns the look of progress, if it is wanted: a dumb terminal shows none.
    #[expect(clippy::disallowed_methods, reason = "the command line knows the terminal")]
    pub(super) fn progress(&self, wanted: bool) -> ProgressLook {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        match self.err.0.to.current_choice() {
            _ if !wanted || dumb => ProgressLook::Hidden,
            anstream::ColorChoice::Never => ProgressLook::Plain,
            _ => ProgressLook::Colored,
        }
    }

    /// Returns standard output for other programs, without escapes or colors.
    pub(super) fn raw_out() -> PipeWriter<io::Stdout> {
        PipeWriter::new(io::stdout())
    }

    /// Writes a document for other programs.
    pub(super) fn put_raw(document: &str) -> Result<(), CliError> {
        let mut out = Self::raw_out();
        let written = out.write_all(document.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| CliError::io("write to", "standard output", &error))
    }

    /// Whether the reader of standard output has exited.
    pub(super) fn reader_gone(&self) -> bool {
        self.out.0.gone
    }

    /// Prints a result.
    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        written.map_err(|error| CliError::io("write to", "standard output", &error))
    }

    /// Prints a warning.
    pub(super) fn warn(&mut self, text: &str) {
        drop(writeln!(self.err, "{} {text}", Role::Warn.paint("warning:")));
    }

    /// Prints a note.
    pub(super) fn note(&mut self, note: impl std::fmt::Display) {
        let text = format!("{} {note}\n", Role::Warn.paint("note:"));
        // A closed standard error is ignored.
        drop(self.err.write_all(text.as_bytes()));
    }

    /// Prints an error with its causes and hints, and returns the reason to end with.
    pub(super) fn error(&mut self, error: &CliError) -> ExitReason {
        let text = written(|text| {
            writeln!(text, "{} {}", Role::Fail.paint("error:"), error.message)?;
            error.causes.iter().try_for_each(|cause| writeln!(text, "  caused by: {cause}"))?;
            error.hints.iter().try_for_each(|hint| writeln!(text, "  {} {hint}", Role::Hint.paint("hint:")))
        });
        // If standard error is closed, the exit code must suffice.
        drop(self.err.write_all(text.as_bytes()));
        error.reason
    }
}

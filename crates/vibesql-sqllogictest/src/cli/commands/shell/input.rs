//! Where entries come from: a terminal, or the lines of standard input.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _};
use std::path::PathBuf;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::entry::{EngineLanguage, is_entered};
use crate::cli::error::CliError;
use crate::cli::prompt::{EnteredText, LineEditor};
use crate::cli::ui::Ui;
use slt_runner::parallel::StepControl;

/// The source of entries.
pub(super) enum ShellInput {
    Terminal(Box<LineEditor<EngineLanguage>>),
    /// Lines that another thread reads, so that Ctrl-C can end the wait for them.
    Lines(UnboundedReceiver<io::Result<Vec<u8>>>),
}

/// The next entry.
pub(super) enum ShellText {
    Text(String),
    /// The user has discarded a line.
    Discarded,
    /// Ctrl-C outside of a terminal.
    Interrupted,
    End,
}

impl ShellInput {
    /// Reads from the terminal; `words` complete the names in SQL.
    pub(super) fn terminal(history: Option<PathBuf>, words: BTreeSet<String>) -> Result<Self, CliError> {
        Ok(Self::Terminal(Box::new(LineEditor::open(history, EngineLanguage { words })?)))
    }

    /// Reads the lines of standard input.
    pub(super) fn lines() -> Result<Self, CliError> {
        let (sender, lines) = unbounded_channel();
        let read = move || {
            for line in io::stdin().lock().split(b'\n') {
                if sender.send(line).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("input".to_owned()).spawn(read);
        thread.map_err(|error| CliError::no_thread(error.to_string()))?;
        Ok(Self::Lines(lines))
    }

    /// Returns the next entry. What is left at the end of the input needs no semicolon.
    pub(super) fn next(&mut self, prompt: &str, control: &mut StepControl) -> Result<ShellText, CliError> {
        let lines = match self {
            Self::Terminal(editor) => {
                return Ok(match editor.read(prompt)? {
                    EnteredText::Text(text) => ShellText::Text(text),
                    EnteredText::Discarded => ShellText::Discarded,
                    EnteredText::End => ShellText::End,
                });
            }
            Self::Lines(lines) => lines,
        };
        let mut text = String::new();
        loop {
            match control.unless_interrupted(lines.recv()) {
                None => return Ok(ShellText::Interrupted),
                Some(None) if text.trim().is_empty() => return Ok(ShellText::End),
                Some(None) => return Ok(ShellText::Text(text)),
                Some(Some(line)) => {
                    let line = line.map_err(|error| CliError::io("read", "standard input", &error))?;
                    text += String::from_utf8_lossy(&line).trim_end_matches('\r');
                    if is_entered(&text) {
                        return Ok(ShellText::Text(text));
                    }
                    text.push('\n');
                }
            }
        }
    }

    /// Saves the history.
    pub(super) fn save(&mut self, ui: &mut Ui) {
        if let Self::Terminal(editor) = self {
            editor.save(ui);
        }
    }
}

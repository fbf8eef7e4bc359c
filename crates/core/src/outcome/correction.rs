//! What would make the expectation of a failing record right.

/// The lines of an expected result that would make a failing record pass on this engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// These lines.
    Lines {
        /// The lines.
        lines: Vec<NewLine>,
        /// For each column the type letter that its values look like; empty if that is not known.
        letters: String,
    },
    /// Not known, because a line with a pattern, like `<REGEX>:` or `<slt:ignore>`, does not match any more.
    Pattern,
    /// Not in this file, but in the one that the record names.
    OtherFile,
    /// The result is not UTF-8.
    NotText,
}

/// A line of a corrected result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewLine {
    /// The line at this place of the expected lines, counted from 0, which is right.
    Kept(usize),
    /// Another text.
    Text(String),
}

impl Correction {
    /// Makes a correction of lines; `None` for a kept line without its text.
    pub(crate) fn of_lines(lines: Vec<Result<usize, Vec<u8>>>) -> Self {
        let lines = lines.into_iter().map(|line| match line {
            Ok(kept) => Some(NewLine::Kept(kept)),
            Err(text) => String::from_utf8(text).ok().map(NewLine::Text),
        });
        let letters = String::new();
        lines.collect::<Option<_>>().map_or(Self::NotText, |lines| Self::Lines { lines, letters })
    }

    /// Adds type letters.
    pub(crate) fn with_letters(mut self, found: String) -> Self {
        if let Self::Lines { letters, .. } = &mut self {
            *letters = found;
        }
        self
    }
}

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
        /// Whether the only line is the hash of the result.
        is_hash: bool,
    },
    /// Not known, because a line with a pattern, like `<REGEX>:` or `<slt:ignore>`, does not match any more.
    Pattern,
    /// Not in this file, but in the one that the record names.
    OtherFile,
    /// The result is not UTF-8.
    NotText,
    /// The dialect would read a value as a pattern, which stands for other values, too.
    ReadsAsPattern,
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
        let (letters, is_hash) = (String::new(), false);
        lines.collect::<Option<_>>().map_or(Self::NotText, |lines| Self::Lines { lines, letters, is_hash })
    }

    /// Makes the correction of a hash line.
    pub(crate) fn of_hash(line: String) -> Self {
        Self::Lines { lines: vec![NewLine::Text(line)], letters: String::new(), is_hash: true }
    }

    /// Adds type letters.
    pub(crate) fn with_letters(mut self, found: String) -> Self {
        if let Self::Lines { letters, .. } = &mut self {
            *letters = found;
        }
        self
    }
}

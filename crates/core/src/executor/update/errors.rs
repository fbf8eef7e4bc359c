//! Expected errors: patterns in headers, and messages behind the separator.

use std::ops::Range;

use regex::Regex;

use super::{TextEdit, UpdateRefusal, UpdateTarget};
use crate::engine::SqlError;
use crate::outcome::NewLine;
use crate::parser::{ErrorPattern, Matcher, QueryExpectation, RecordKind, StatementExpectation};

impl UpdateTarget<'_, '_> {
    /// Changes the expected error.
    pub(super) fn error(&self, error: &SqlError) -> Result<Vec<TextEdit>, UpdateRefusal> {
        let pattern = match &self.record.kind {
            RecordKind::Statement(statement) => match &statement.expected {
                StatementExpectation::Error(pattern) | StatementExpectation::OkOrError(pattern) => pattern,
                _ => return Err(UpdateRefusal::Problem),
            },
            RecordKind::Query(query) => match &query.expected {
                QueryExpectation::Error(pattern) => pattern,
                _ => return Err(UpdateRefusal::Problem),
            },
            _ => return Err(UpdateRefusal::Problem),
        };
        match pattern {
            // It accepts every error.
            ErrorPattern::Any => Err(UpdateRefusal::Problem),
            ErrorPattern::FullRegex { .. } => Err(UpdateRefusal::Pattern),
            ErrorPattern::Search(_) => {
                let (words, error_at) = self.words_of_error()?;
                let first = words.get(error_at + 1).ok_or(UpdateRefusal::NotWritable)?;
                self.header_pattern(first.start, error).map(|edit| vec![edit])
            }
            ErrorPattern::SqlState { code, message } => self.code_and_pattern(code, message, error),
            ErrorPattern::Exact(_) => self.message_lines(error.message.trim().lines().collect()),
            ErrorPattern::Contains(text) => {
                let lines: Vec<_> = error.message.trim_end().lines().collect();
                let wanted = memchr::memchr_iter(b'\n', text).count() + 1;
                let blank = lines.iter().take_while(|line| line.trim().is_empty()).count();
                self.message_lines(lines.into_iter().skip(blank).take(wanted).collect())
            }
        }
    }

    /// Puts lines behind the separator.
    pub(super) fn message_lines(&self, lines: Vec<&str>) -> Result<Vec<TextEdit>, UpdateRefusal> {
        if lines.is_empty() {
            return Err(UpdateRefusal::NotWritable);
        }
        let lines: Vec<_> = lines.into_iter().map(|line| NewLine::Text(line.to_owned())).collect();
        self.replace_lines(&lines).map(|edit| vec![edit])
    }

    /// Returns the words of the header, and the index of `error`.
    fn words_of_error(&self) -> Result<(Vec<Range<usize>>, usize), UpdateRefusal> {
        let words = self.header_words();
        let at = words.iter().position(|word| &self.bytes()[word.clone()] == b"error");
        at.map(|at| (words, at)).ok_or(UpdateRefusal::NotWritable)
    }

    /// Changes the pattern that begins at `start` and ends with the header, apart from a comment.
    fn header_pattern(&self, start: usize, error: &SqlError) -> Result<TextEdit, UpdateRefusal> {
        let span = start..self.header_end().max(start);
        let old = String::from_utf8_lossy(&self.bytes()[span.clone()]);
        // The prefix of a driver stays only where the file has it.
        let message = match self.prefix() {
            Some(prefix) if !old.starts_with(prefix) => {
                error.message.strip_prefix(prefix).unwrap_or(&error.message)
            }
            _ => &error.message,
        };
        Ok(TextEdit { span, text: pattern_of(message).ok_or(UpdateRefusal::NotWritable)?.into_bytes() })
    }

    /// Returns what the driver of the dialect's own runner puts before messages.
    pub(super) fn prefix(&self) -> Option<&'static str> {
        match self.script.profile.matcher {
            Matcher::Cockroach => Some("pq: "),
            Matcher::Materialize => Some("db error: ERROR: "),
            _ => None,
        }
    }

    /// Changes `(CODE)`, or `pgcode CODE PATTERN`.
    fn code_and_pattern(
        &self,
        code: &str,
        message: &str,
        error: &SqlError,
    ) -> Result<Vec<TextEdit>, UpdateRefusal> {
        let (words, error_at) = self.words_of_error()?;
        let actual = error.code.as_deref().ok_or(UpdateRefusal::NoCode)?;
        let mut edits = Vec::new();
        let place = words.iter().skip(error_at + 1).find(|word| {
            let text = &self.bytes()[(*word).clone()];
            text == code.as_bytes() || text == format!("({code})").as_bytes()
        });
        let place = place.ok_or(UpdateRefusal::NotWritable)?;
        let has_parentheses = self.bytes()[place.start] == b'(';
        if actual != code {
            let text = if has_parentheses { format!("({actual})") } else { actual.to_owned() };
            edits.push(TextEdit { span: place.clone(), text: text.into_bytes() });
        }
        let matches = Regex::new(message).is_ok_and(|regex| regex.is_match(&error.message));
        if !message.is_empty() && !matches {
            let start =
                words.iter().find(|word| word.start > place.start).ok_or(UpdateRefusal::NotWritable)?;
            edits.push(self.header_pattern(start.start, error)?);
        }
        Ok(edits)
    }

    /// Returns the end of the header, without a comment and white space.
    pub(super) fn header_end(&self) -> usize {
        let header = &self.bytes()[self.places.header.clone()];
        let is_space = |at: usize| header.get(at).is_none_or(u8::is_ascii_whitespace);
        let comment = match self.script.profile.matcher {
            Matcher::Vibesql => memchr::memchr_iter(b'#', header).find(|&at| at > 0 && is_space(at - 1)),
            Matcher::Materialize => memchr::memchr_iter(b'#', header)
                .find(|&at| (at == 0 || is_space(at - 1)) && is_space(at + 1)),
            _ => None,
        };
        let text = &header[..comment.unwrap_or(header.len())];
        self.places.header.start + text.trim_ascii_end().len()
    }
}

/// Returns a regular expression for the first line of a message; `None` for a message without text.
pub(super) fn pattern_of(message: &str) -> Option<String> {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut pattern = String::with_capacity(line.len());
    for (index, word) in line.split_whitespace().enumerate() {
        if index > 0 {
            // Headers are split into words, and joined by single blanks.
            let gap = &line[..word.as_ptr().addr() - line.as_ptr().addr()];
            let is_single = gap.ends_with(' ') && !gap[..gap.len() - 1].ends_with(char::is_whitespace);
            pattern.push_str(if is_single { " " } else { "\\s+" });
        }
        // A `#` in front of a word may begin a comment.
        let is_mark = word.starts_with('#');
        for (at, sign) in word.char_indices() {
            if "\\.*+?()[]{}|^$".contains(sign) || is_mark && at == 0 {
                pattern.push('\\');
            }
            pattern.push(sign);
        }
    }
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_patterns_that_match_them() {
        for (message, pattern) in [
            ("no such table: t1", "no such table: t1"),
            ("near \"(\": syntax error", "near \"\\(\": syntax error"),
            ("\n a  b\tc # d #e\nmore", "a\\s+b\\s+c \\# d \\#e"),
            ("a.b[1]", "a\\.b\\[1\\]"),
        ] {
            assert_eq!(pattern_of(message).as_deref(), Some(pattern));
            assert!(Regex::new(pattern).unwrap().is_match(message), "{pattern}");
        }
        assert_eq!(pattern_of(" \n"), None);
    }
}

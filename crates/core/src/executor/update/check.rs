//! Checks of new expectations: nothing gets lost, and what is written is read as it is meant.
//!
//! The text of an engine may look like syntax of the dialect: a pattern, a hash line, the name of a file. A record with it
//! would pass, with other results as well.

use super::{TextEdit, UpdateTarget};
use crate::parser::{
    ErrorPattern, Matcher, Profile, QueryExpectation, Record, RecordKind, Script, StatementExpectation,
    begins_record,
};

/// What a record is meant to expect after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NewExpectation {
    /// These lines, and no others.
    Lines(Vec<String>),
    /// The hash of a result.
    Hash(String),
    /// An error, a count, or success.
    Other,
}

impl NewExpectation {
    /// Returns whether these are the lines of the expectation.
    pub(super) fn has_lines(&self, found: Vec<String>) -> bool {
        match self {
            Self::Lines(lines) => *lines == found,
            Self::Hash(line) => found == [line.as_str()],
            Self::Other => found.is_empty(),
        }
    }

    /// Returns whether a changed record is read as it is meant, given the record before the change.
    pub(super) fn is_read(&self, script: &Script<'_>, record: &Record<'_>, before: &Record<'_>) -> bool {
        match (self, &record.kind) {
            (Self::Hash(line), RecordKind::Query(query)) => match &query.expected {
                QueryExpectation::Hash(hash) => hash.to_string() == *line,
                _ => false,
            },
            (Self::Lines(lines), RecordKind::Query(query)) => match &query.expected {
                QueryExpectation::Rows(block) => {
                    // Above the threshold, the first line of a list may be read as a hash.
                    let by_value = matches!(script.profile.matcher, Matcher::ValuePerLine(_));
                    let is_hash = by_value && block.leading_hash().is_some();
                    !is_hash && block.lines().eq(lines.iter().map(String::as_bytes))
                }
                _ => false,
            },
            (Self::Lines(lines), RecordKind::System(system)) => {
                let found = system.stdout.as_ref().map(|block| block.lines());
                found.is_some_and(|found| {
                    let found: Vec<_> = found.collect();
                    // White space around the output does not count.
                    let lines: Vec<_> = lines.iter().map(String::as_bytes).collect();
                    found.join(&b'\n').trim_ascii() == lines.join(&b'\n').trim_ascii()
                })
            }
            (Self::Hash(_) | Self::Lines(_), _) => false,
            (Self::Other, _) => {
                let is_retried = record.retry().is_some();
                is_retried == before.retry().is_some()
                    && pattern_of(record)
                        .is_none_or(|pattern| is_plain(pattern, pattern_of(before), script.profile))
            }
        }
    }
}

/// Returns the expected error of a record.
fn pattern_of<'r, 's>(record: &'r Record<'s>) -> Option<&'r ErrorPattern<'s>> {
    match &record.kind {
        RecordKind::Statement(statement) => match &statement.expected {
            StatementExpectation::Error(pattern) | StatementExpectation::OkOrError(pattern) => Some(pattern),
            _ => None,
        },
        RecordKind::Query(query) => match &query.expected {
            QueryExpectation::Error(pattern) => Some(pattern),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether a new expected error stands for its own text only. A pattern beside a code may be the one before.
fn is_plain(pattern: &ErrorPattern<'_>, before: Option<&ErrorPattern<'_>>, profile: &Profile) -> bool {
    match pattern {
        // This dialect has no messages.
        ErrorPattern::Any => matches!(profile.matcher, Matcher::ValuePerLine(_)),
        ErrorPattern::FullRegex { .. } => false,
        ErrorPattern::Contains(text) | ErrorPattern::Exact(text) => !text.trim_ascii().is_empty(),
        ErrorPattern::Search(regex) => is_literal(regex),
        ErrorPattern::SqlState { message, .. } => {
            let is_old =
                matches!(before, Some(ErrorPattern::SqlState { message: old, .. }) if old == message);
            is_old || is_literal(message)
        }
    }
}

/// Returns whether a regular expression stands for one text, apart from the width of white space.
fn is_literal(regex: &str) -> bool {
    let mut rest = regex.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '\\' => match rest.next() {
                Some('s') if rest.as_str().starts_with('+') => {
                    rest.next();
                }
                Some(escaped) if !escaped.is_alphanumeric() => {}
                _ => return false,
            },
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return false,
            _ => {}
        }
    }
    !regex.trim().is_empty()
}

impl UpdateTarget<'_, '_> {
    /// Returns the first line of the expectation that looks like the header of a record and would not stay.
    pub(super) fn lost_header(&self, edits: &[TextEdit]) -> Option<u32> {
        let lines = self.places.result.iter().flat_map(|result| &result.lines);
        let mut headers = lines
            .map(|(text, _)| text)
            .filter(|text| begins_record(&self.bytes()[(*text).clone()], self.script.profile));
        let lost = headers.find(|text| {
            let line = &self.bytes()[(*text).clone()];
            let edit = edits.iter().find(|edit| edit.span.start <= text.start && text.end <= edit.span.end);
            edit.is_some_and(|edit| {
                let mut new = edit.text.split(|&byte| byte == b'\n');
                !new.any(|new| new.trim_ascii_end() == line.trim_ascii_end())
            })
        })?;
        let before = &self.bytes()[self.record.span.start..lost.start];
        Some(self.record.lines.start + memchr::memchr_iter(b'\n', before).count() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_patterns_have_no_signs_of_regular_expressions() {
        for (regex, expected) in [
            ("no such table: t1", true),
            (r"near \(: x\s+y", true),
            ("a.b", false),
            (r"a\d", false),
            (r"a\", false),
            (r"a\s", false),
            ("a|b", false),
            (" ", false),
        ] {
            assert_eq!(is_literal(regex), expected, "{regex}");
        }
    }
}

//! Pieces of records that the dialects of CockroachDB and Materialize have in common.

use std::borrow::Cow;

use regex::Regex;

use super::super::blocks::is_surely_regex;
use super::super::condition::{Condition, ConditionKind};
use super::super::error::{Lint, LintKind, ParseErrorKind};
use super::super::grammar::{Body, Reader};
use super::super::header::condition_kind;
use super::super::lines::{Line, words_of};
use super::super::record::{Defect, DefectEffect, ErrorPattern, Record, RecordKind, RecordOptions};
use super::super::text::{Block, Comments, Sql};
use crate::location::text_of;

/// The words of a header line.
pub(super) struct HeaderWords<'s> {
    pub(super) line: Line<'s>,
    /// The text that has been split.
    text: &'s [u8],
    words: Vec<&'s [u8]>,
}

impl<'s> HeaderWords<'s> {
    /// Splits a line at white space of any length.
    pub(super) fn new(reader: &mut Reader<'s>, line: Line<'s>) -> Self {
        let mut words = reader.take_word_list();
        words.extend(words_of(line.text));
        Self { line, text: line.text, words }
    }

    /// Splits the `text` of a line at each blank: two in a row have an empty word between them.
    pub(super) fn at_blanks(reader: &mut Reader<'s>, line: Line<'s>, text: &'s [u8]) -> Self {
        let mut words = reader.take_word_list();
        words.extend(text.split(|&byte| byte == b' '));
        Self { line, text, words }
    }

    /// Leaves its memory to the words of the next header.
    pub(super) fn release(self, reader: &mut Reader<'s>) {
        reader.keep_word_list(self.words);
    }

    /// Returns the word at this place, or an empty one behind the last.
    pub(super) fn get(&self, index: usize) -> &'s [u8] {
        self.words.get(index).copied().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns the text from a word to the end.
    pub(super) fn rest(&self, index: usize) -> &'s [u8] {
        let Some(word) = self.words.get(index) else { return &[] };
        &self.text[word.as_ptr().addr() - self.text.as_ptr().addr()..]
    }

    /// Returns the text of words, with single blanks.
    fn joined(&self, words: usize) -> String {
        let words: Vec<_> = self.words.iter().take(words).map(|word| text_of(word)).collect();
        words.join(" ")
    }

    /// Returns the defect of words after those that the header uses, unless they are a comment.
    pub(super) fn unused(&self, used: usize) -> Option<ParseErrorKind> {
        if self.words.len() <= used || self.get(used).starts_with(b"#") {
            return None;
        }
        let found = text_of(self.rest(used).trim_ascii_end());
        Some(ParseErrorKind::UnusedWords { after: self.joined(used), found })
    }
}

/// The lines in front of a header.
#[derive(Default)]
pub(super) struct RecordPrefix<'s> {
    pub(super) conditions: Vec<Condition<'s>>,
    pub(super) options: RecordOptions<'s>,
    pub(super) defect: Option<Box<Defect>>,
}

impl<'s> RecordPrefix<'s> {
    /// Adds the condition on a line; returns `false` if the line is not a condition.
    pub(super) fn add_condition(&mut self, reader: &Reader<'s>, words: &HeaderWords<'s>) -> bool {
        let Some(kind) = condition_kind(Some(words.get(0))) else { return false };
        // `config NAME [ISSUE]` is one name, and a comment may follow.
        let is_config = words.get(1) == b"config" && words.len() > 2;
        let name = if is_config { first_words(words.rest(1), 2) } else { words.get(1) };
        self.conditions.push(Condition { kind, name, comparison: None, line: words.line.number });
        if name.is_empty() {
            let word = if kind == ConditionKind::SkipIf { "skipif" } else { "onlyif" };
            self.refuse(reader, words, ParseErrorKind::MissingConditionName { found: word.to_owned() });
        } else if let Some(defect) = words.unused(if is_config { words.len() } else { 2 }) {
            self.refuse(reader, words, defect);
        }
        true
    }

    /// Makes the record malformed.
    pub(super) fn refuse(&mut self, reader: &Reader<'s>, words: &HeaderWords<'s>, kind: ParseErrorKind) {
        let effect = dropped(reader);
        self.defect.get_or_insert_with(|| reader.defect(words.line, kind, effect));
    }

    /// Returns whether there are conditions or repetitions.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.options == RecordOptions::default() && self.defect.is_none()
    }

    /// Makes the record that ends where the reader is.
    pub(super) fn into_record(
        self,
        reader: &Reader<'s>,
        first: Line<'s>,
        header: Line<'s>,
        body: Body<'s>,
    ) -> Record<'s> {
        let (kind, defect) = body;
        let end = reader.lines.peek().map_or_else(|| reader.line_count(), |line| line.number);
        Record {
            span: first.start..reader.offset(),
            lines: first.number..end,
            line: header.number,
            conditions: self.conditions,
            options: (self.options != RecordOptions::default()).then(|| Box::new(self.options)),
            kind,
            defect: self.defect.or(defect),
        }
    }
}

/// Returns the first `count` words of a text, up to the end of the last.
fn first_words(text: &[u8], count: usize) -> &[u8] {
    let last = words_of(text).nth(count - 1).unwrap_or(text);
    &text[..last.as_ptr().addr() - text.as_ptr().addr() + last.len()]
}

/// Returns the consequence of a defect after which the SQL must not be executed.
pub(super) fn dropped(reader: &Reader<'_>) -> DefectEffect {
    if reader.profile.exact { DefectEffect::EndsFile } else { DefectEffect::Dropped }
}

/// Returns the consequence of a defect that concerns the expectation only.
pub(super) fn runs_sql(reader: &Reader<'_>) -> DefectEffect {
    if reader.profile.exact { DefectEffect::EndsFile } else { DefectEffect::SqlRuns }
}

/// Returns a defect in words.
pub(super) fn in_words(text: impl Into<String>) -> ParseErrorKind {
    ParseErrorKind::Other { text: text.into() }
}

/// Adds a lint, which the exact dialects do not have.
pub(super) fn lint(reader: &mut Reader<'_>, line: Line<'_>, kind: LintKind) {
    if !reader.profile.exact {
        reader.lints.push(Lint { line: line.number, kind });
    }
}

/// Makes a malformed record of text that is not one.
pub(super) fn unknown<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>, expected: &str) -> Body<'s> {
    reader.span_while(|line| !line.is_blank());
    let kind = ParseErrorKind::UnknownRecord { found: text_of(words.get(0)), expected: expected.to_owned() };
    (RecordKind::Unknown, Some(reader.defect(words.line, kind, DefectEffect::EndsFile)))
}

/// Takes lines as SQL, up to one that `ends` it. A line with `#` in column 1 is SQL as well.
pub(super) fn take_sql<'s>(reader: &mut Reader<'s>, ends: impl Fn(&Line<'s>) -> bool) -> Sql<'s> {
    let bytes = reader.source.bytes();
    let start = reader.offset();
    let (mut last, mut plain) = (None::<Line<'s>>, true);
    while let Some(line) = reader.lines.peek().filter(|line| !ends(line)) {
        // In one piece only if nothing but a single LF lies between two lines.
        plain &= last.is_none_or(|before| before.text_end() + 1 == line.start);
        last = Some(line);
        reader.lines.take();
    }
    let Some(last) = last else { return Sql { raw: &[], plain: true, comments: Comments::Kept } };
    plain &= !last.text.ends_with(b"\r");
    let end = if plain { last.text_end() } else { last.end };
    Sql { raw: &bytes[start..end], plain, comments: Comments::Kept }
}

/// Takes lines as values, up to one that `ends` them.
pub(super) fn take_block<'s>(reader: &mut Reader<'s>, ends: impl Fn(&Line<'s>) -> bool) -> Block<'s> {
    let span = reader.span_while(|line| !ends(line));
    Block { raw: &reader.source.bytes()[span], comments: Comments::Kept }
}

/// Takes the next line if it is the separator.
pub(super) fn take_separator<'s>(reader: &mut Reader<'s>) -> Option<Line<'s>> {
    let line = reader.lines.peek().filter(|line| line.text == super::super::grammar::SEPARATOR)?;
    reader.lines.take();
    Some(line)
}

/// Returns the defect of SQL that is missing.
pub(super) fn missing_sql(reader: &Reader<'_>) -> ParseErrorKind {
    let found = if reader.lines.peek().is_some() { "no line of it" } else { "the end of the file" };
    ParseErrorKind::MissingSql { found: found.into() }
}

/// Reads `[pgcode CODE] PATTERN`, where `regex` is the pattern behind the code in the syntax of this program.
///
/// # Errors
///
/// The defect of a pattern that is not a regular expression.
pub(super) fn error_pattern<'s>(
    code: Option<&'s [u8]>,
    regex: Cow<'s, str>,
) -> Result<ErrorPattern<'s>, ParseErrorKind> {
    if !is_surely_regex(&regex)
        && let Err(error) = Regex::new(&regex)
    {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        return Err(in_words(format!("expected a regular expression, found `{regex}`: {reason}")));
    }
    match code {
        None if regex.is_empty() => Ok(ErrorPattern::Any),
        None => Ok(ErrorPattern::Search(regex)),
        Some(code) => match std::str::from_utf8(code) {
            Ok(code) => Ok(ErrorPattern::SqlState { code, message: Box::new(regex) }),
            Err(_) => {
                let found = text_of(code);
                Err(in_words(format!("expected letters and digits after `pgcode`, found `{found}`")))
            }
        },
    }
}

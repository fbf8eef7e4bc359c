//! The words of a header line.

use super::condition::ConditionKind;
use super::dialect::{Directive, Profile};
use super::error::ParseErrorKind;
use super::lines::{Line, is_space, next_word, without_indent, words_of};
use crate::location::text_of;

/// The letters that stand for a column.
pub(super) const TYPE_LETTERS: &[u8] = b"TIR";

/// The letters that stand for a column in any dialect.
const COLUMN_LETTERS: &[u8] = b"TIRFBODX?!";

/// The maximum number of words read of any header.
const MOST_WORDS: usize = 5;

/// The words of a header line.
pub(super) struct Header<'s> {
    pub(super) line: Line<'s>,
    words: [Option<&'s [u8]>; MOST_WORDS],
}

impl<'s> Header<'s> {
    pub(super) fn read(line: Line<'s>, profile: &Profile) -> Self {
        let mut words = [None; MOST_WORDS];
        let mut rest = line.text;
        for slot in words.iter_mut().take(profile.header_words) {
            let Some((word, behind)) = next_word(rest) else { break };
            *slot = Some(&word[..word.len().min(profile.word_limit)]);
            rest = behind;
        }
        Self { line, words }
    }

    pub(super) fn word(&self, index: usize) -> Option<&'s [u8]> {
        self.words[index]
    }

    /// Returns whether at most a comment follows the first `used` words.
    fn ends_after(&self, used: usize) -> bool {
        self.word(used).is_none_or(|word| word.starts_with(b"#"))
    }

    /// Returns the defect of words after those that the header uses.
    pub(super) fn unused_words(&self, used: usize, profile: &Profile) -> Option<ParseErrorKind> {
        if !profile.refuses_unused_text || self.ends_after(used) {
            return None;
        }
        let line = self.line.text;
        let start = self.word(used)?.as_ptr().addr() - line.as_ptr().addr();
        let words: Vec<_> = self.words[..used].iter().flatten().map(|word| text_of(word)).collect();
        Some(ParseErrorKind::UnusedWords {
            after: words.join(" "),
            found: text_of(line[start..].trim_ascii_end()),
        })
    }
}

/// Returns whether a text begins with the first letter of a header or condition.
pub(super) fn may_begin_header(text: &[u8]) -> bool {
    matches!(text.first(), Some(b's' | b'q' | b'h' | b'o'))
}

/// Returns whether the first byte of a line allows that it is a header, a condition or a separator, with blanks in front of
/// it or without. The others need no closer look.
pub(super) fn may_be_structure(line: &[u8]) -> bool {
    line.first().is_none_or(|&byte| byte == b'-' || is_space(byte)) || may_begin_header(line)
}

/// Returns whether a line is a header or condition, also with words of other dialects. Lines of SQL, and of strings in
/// it, rarely begin in this way.
pub(super) fn is_header(line: Line<'_>, profile: &Profile) -> bool {
    let text = without_indent(line.text);
    // Each of these decides for most of the remaining lines.
    if !may_begin_header(text) {
        return false;
    }
    let first = words_of(text).next();
    if condition_kind(first).is_none() && first.is_none_or(|word| profile.directive(word).is_none()) {
        return false;
    }
    let header = Header::read(line, profile);
    let name = header.word(0).unwrap_or_default();
    let word = header.word(1).unwrap_or_default();
    match profile.directive(name) {
        None => condition_kind(Some(name)).is_some(),
        Some(Directive::Halt) => header.ends_after(1),
        Some(Directive::Statement) => matches!(word, b"ok" | b"error" | b"count" | b"maybe"),
        Some(Directive::HashThreshold) => true,
        Some(Directive::Query) => {
            let is_sorted = header.word(2).is_some_and(|word| word.ends_with(b"sort"));
            word == b"error"
                || !word.is_empty()
                    && word.iter().all(|letter| COLUMN_LETTERS.contains(letter))
                    && (header.ends_after(2) || is_sorted)
        }
    }
}

pub(super) fn condition_kind(word: Option<&[u8]>) -> Option<ConditionKind> {
    match word? {
        b"skipif" => Some(ConditionKind::SkipIf),
        b"onlyif" => Some(ConditionKind::OnlyIf),
        _ => None,
    }
}

//! The words of a header line.

use super::condition::ConditionKind;
use super::dialect::{Directive, Profile};
use super::error::ParseErrorKind;
use super::lines::{Line, is_space};
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
        let found = line.text.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
        for (slot, word) in words.iter_mut().zip(found).take(profile.header_words) {
            *slot = Some(&word[..word.len().min(profile.word_limit)]);
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

/// Returns whether a line is a header or condition, also with words of other dialects. Lines of SQL, and of strings in
/// it, rarely begin in this way.
pub(super) fn is_header(line: Line<'_>, profile: &Profile) -> bool {
    let first = line.text.iter().find(|&&byte| !is_space(byte));
    // This decides for most lines.
    if !first.is_some_and(|first| b"sqho".contains(first)) {
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

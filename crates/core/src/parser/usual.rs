//! A faster way through the records that nearly all files of SQLite consist of.
//!
//! Such a record has nothing that could be a defect, and nothing that only a comment or another line end makes readable.
//! Everything else is left to the common grammar, which reads these records in the same way: a test compares both.

use super::condition::Condition;
use super::grammar::{Reader, SEPARATOR, query_expectation};
use super::header::{condition_kind, is_header, may_be_structure};
use super::lines::{Line, LineCursor, is_space, next_word};
use super::record::{
    ErrorPattern, Item, Layout, Query, Record, RecordKind, SortMode, Statement, StatementExpectation,
};
use super::text::{Block, Comments, Sql};

/// A place in the text, at the beginning of a line.
#[derive(Clone, Copy)]
struct TextPlace<'s> {
    bytes: &'s [u8],
    offset: usize,
    /// The number of the line.
    number: u32,
}

impl<'s> TextPlace<'s> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.offset).copied()
    }

    /// Takes a line that ends with an LF or with CR and LF, and has no other CR in front of them.
    fn take(&mut self) -> Option<Line<'s>> {
        let rest = self.bytes.get(self.offset..)?;
        let length = memchr::memchr(b'\n', rest)?;
        let text = &rest[..length];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.last() == Some(&b'\r') {
            return None;
        }
        let start = self.offset;
        self.offset += length + 1;
        self.number += 1;
        Some(Line { number: self.number - 1, start, end: self.offset, text })
    }

    /// Takes a line that may be the last one.
    fn take_any(&mut self) -> Option<&'s [u8]> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.offset = self.bytes.len().min(self.offset + end + 1);
        self.number += 1;
        Some(&rest[..end])
    }

    /// Returns whether a record without further lines ends here.
    fn ends_record(&self) -> bool {
        self.offset >= self.bytes.len() || self.empty_line().is_some()
    }

    /// Returns the length of an empty line with its end.
    fn empty_line(&self) -> Option<usize> {
        match self.bytes[self.offset..] {
            [b'\n', ..] => Some(1),
            [b'\r', b'\n', ..] => Some(2),
            _ => None,
        }
    }
}

impl<'s> Reader<'s> {
    /// Takes items from the beginning of a line, as long as they are usual ones.
    pub(super) fn usual_items(&mut self) {
        let Some(line) = self.lines.peek().filter(|_| !self.has_nul) else { return };
        let bytes = self.source.bytes();
        let mut place = TextPlace { bytes, offset: line.start, number: line.number };
        while let Some(byte) = place.byte() {
            let mut end = place;
            let item = match byte {
                b'\n' | b'\r' => blank_lines(&mut end),
                b'#' => comment(&mut end),
                _ => self.usual_record(&mut end).map(Item::Record),
            };
            let Some(item) = item else { break };
            self.items.push(item);
            place = end;
        }
        if place.offset != line.start {
            self.lines = LineCursor::at(bytes, place.offset, place.number);
        }
    }

    fn usual_record(&mut self, place: &mut TextPlace<'s>) -> Option<Record<'s>> {
        let (start, first) = (place.offset, place.number);
        let mut conditions = Vec::new();
        let mut header = place.take()?;
        let (mut word, mut rest) = next_word(header.text)?;
        while let Some(kind) = condition_kind(Some(word)) {
            let (name, behind) = self.word(rest)?;
            if next_word(behind).is_some_and(|(more, _)| more[0] != b'#') {
                return None;
            }
            // Most have one, and memory for more would cost more than the condition.
            conditions.reserve_exact(1);
            conditions.push(Condition { kind, name, comparison: None, line: header.number });
            header = place.take()?;
            (word, rest) = next_word(header.text)?;
        }
        let kind = match word {
            b"statement" => RecordKind::Statement(self.usual_statement(header, place)?),
            b"query" => RecordKind::Query(self.usual_query(rest, !conditions.is_empty(), place)?),
            _ => return None,
        };
        let (span, lines) = (start..place.offset, first..place.number);
        Some(Record { span, lines, line: header.number, conditions, options: None, kind, defect: None })
    }

    fn usual_statement(&self, header: Line<'s>, place: &mut TextPlace<'s>) -> Option<Statement<'s>> {
        let expected = match header.text {
            b"statement ok" => StatementExpectation::Ok,
            b"statement error" => StatementExpectation::Error(ErrorPattern::Any),
            _ => return None,
        };
        let mut sql = self.usual_sql(place, None)?;
        while !place.ends_record() {
            sql = self.usual_sql(place, Some(sql))?;
        }
        Some(Statement { sql, expected })
    }

    fn usual_query(
        &mut self,
        words: &'s [u8],
        is_conditional: bool,
        place: &mut TextPlace<'s>,
    ) -> Option<Query<'s>> {
        let (types, words) = self.word(words)?;
        if !types.iter().all(|letter| matches!(letter, b'T' | b'I' | b'R')) {
            return None;
        }
        let (mut sort, mut label) = (None, None);
        if let Some((word, words)) = next_word(words) {
            sort = Some(SortMode::from_word(word)?);
            if let Some((word, words)) = next_word(words) {
                label = Some(word).filter(|word| word.len() <= self.profile.word_limit);
                if label.is_none() || next_word(words).is_some_and(|(more, _)| more[0] != b'#') {
                    return None;
                }
            }
        }
        let mut sql = self.usual_sql(place, None)?;
        let separator = loop {
            if place.byte() == Some(b'-') {
                let mut behind = *place;
                let line = behind.take()?;
                if line.text == SEPARATOR {
                    *place = behind;
                    break line;
                }
            }
            if place.ends_record() {
                return None;
            }
            sql = self.usual_sql(place, Some(sql))?;
        };
        let values = place.offset;
        let mut may_have_header = false;
        while let Some(byte) = place.byte().filter(|byte| *byte != b'\n') {
            let before = *place;
            let line = place.take_any()?;
            if is_space(byte) && line.iter().all(|byte| is_space(*byte)) {
                *place = before;
                break;
            }
            may_have_header |= may_be_structure(line);
        }
        let block = Block { raw: &place.bytes[values..place.offset], comments: Comments::Removed };
        let (expected, None) = query_expectation(block) else { return None };
        if may_have_header && is_conditional {
            self.look_for_headers(separator, &block);
        }
        Some(Query { sql, types, sort, label, expected, layout: Layout::Default, shows_names: false })
    }

    /// Takes a line of SQL, which follows the lines of `before`.
    fn usual_sql(&self, place: &mut TextPlace<'s>, before: Option<Sql<'s>>) -> Option<Sql<'s>> {
        let line = place.take()?;
        let is_unusual = || {
            line.is_blank()
                || line.text.trim_ascii() == SEPARATOR
                || self.looks_like_header(line.text)
                || is_header(line, self.profile)
        };
        if line.is_comment() || may_be_structure(line.text) && is_unusual() {
            return None;
        }
        let bytes = place.bytes;
        let comments = Comments::Removed;
        let Some(before) = before else {
            return Some(Sql { raw: line.text, plain: true, comments });
        };
        let start = before.raw.as_ptr().addr() - bytes.as_ptr().addr();
        // In one piece only if nothing but a single LF lies between two lines.
        let plain = before.plain && start + before.raw.len() + 1 == line.start;
        let end = if plain { line.text_end() } else { line.end };
        Some(Sql { raw: &bytes[start..end], plain, comments })
    }

    /// Returns the next word, if it is not too long for the dialect, and the text behind it.
    fn word(&self, text: &'s [u8]) -> Option<(&'s [u8], &'s [u8])> {
        next_word(text).filter(|(word, _)| word.len() <= self.profile.word_limit)
    }
}

/// Takes empty lines, if no other blank line follows.
fn blank_lines<'s>(place: &mut TextPlace<'s>) -> Option<Item<'s>> {
    let start = place.offset;
    while let Some(length) = place.empty_line() {
        place.offset += length;
        place.number += 1;
    }
    (!place.byte().is_some_and(is_space)).then_some(Item::Blank(start..place.offset))
}

fn comment<'s>(place: &mut TextPlace<'s>) -> Option<Item<'s>> {
    let start = place.offset;
    while place.byte() == Some(b'#') {
        place.take_any()?;
    }
    Some(Item::Comment(start..place.offset))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Profile, SQLITE, SQLITE_EXACT, parse};
    use crate::location::Source;

    /// The same dialects without the faster way.
    static PLAIN: Profile = Profile { has_usual_records: false, ..SQLITE };
    static PLAIN_EXACT: Profile = Profile { has_usual_records: false, ..SQLITE_EXACT };

    /// Returns everything that is known of a file.
    fn contents(text: &str, profile: &'static Profile) -> String {
        let source = Source::new("usual.test", text);
        let script = parse(&source, profile);
        format!("{:#?}\n{:#?}", script.items, script.lints)
    }

    fn is_read_equally(text: &str) {
        assert_eq!(contents(text, &SQLITE), contents(text, &PLAIN), "{text:?}");
        assert_eq!(contents(text, &SQLITE_EXACT), contents(text, &PLAIN_EXACT), "{text:?}");
    }

    #[test]
    fn usual_records_are_read_as_by_the_common_grammar() {
        let text = "# head\n\nstatement ok\nCREATE TABLE t1\n  (a)\n\n\nskipif mysql # why\nonlyif a\n\
            query ITR rowsort label-1 # x\nselect 1,\n 2\n----\n1\n 2\n\nstatement error\nx\n\n\
            query I\nSELECT 1\n----\n9 values hashing to 0123456789abcdef0123456789abcdef\n \t\n\
            skipif x\nquery I nosort\nSELECT 1\n----\nstatement ok";
        is_read_equally(text);
        (0..text.len()).for_each(|end| is_read_equally(&text[..end]));
        is_read_equally(&text.replace('\n', "\r\n"));
    }

    /// Lines that are usual, and lines that begin like them.
    fn line() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "",
            "",
            "",
            "statement ok",
            "statement error",
            "query I rowsort",
            "query IT nosort label-1",
            "query I",
            "SELECT 1",
            "  FROM t1",
            "----",
            "----",
            "1",
            "NULL",
            "# comment",
            "skipif mysql",
            "onlyif x # why",
            " ",
            "\t",
            "\r",
            "halt",
            "hash-threshold 8",
            "query",
            "query IX",
            "query I sideways",
            "query I rowsort a b",
            "query I rowsort a # b",
            "statement ok # x",
            "statement maybe",
            "skipif",
            "skipif a b",
            " ----",
            "---- ",
            " query I nosort",
            "select 1",
            "order by 1",
            "a\0b",
            "9 values hashing to 0123456789abcdef0123456789abcdef",
        ])
    }

    proptest! {
        #[test]
        fn any_lines_are_read_as_by_the_common_grammar(
            lines in prop::collection::vec((line(), proptest::sample::select(vec!["\n", "\n", "\n", "\n", "\r\n"])), 0..24),
            is_open in any::<bool>(),
        ) {
            let mut text: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
            if is_open {
                text.pop();
            }
            is_read_equally(&text);
        }
    }
}

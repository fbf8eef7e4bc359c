//! The common grammar: one function for each kind of record, in the order in which a file is read.

use std::ops::Range;

use super::condition::Condition;
use super::control::Control;
use super::dialect::{Directive, MissingSeparator, Profile, rules_for};
use super::error::{Lint, LintKind, ParseErrorKind};
use super::header::{Header, TYPE_LETTERS, condition_kind, is_header, may_be_structure, may_begin_header};
use super::lines::{Line, LineCursor, lines_of};
use super::record::{
    ConnectionName, Defect, DefectEffect, ErrorPattern, Item, Layout, Query, QueryExpectation, Record,
    RecordKind, Script, SortMode, Statement, StatementExpectation,
};
use super::text::{Block, Comments, Sql};
use crate::location::{Source, text_of};

/// Reads a test file by the rules of `profile`.
pub fn parse<'s>(source: &'s Source, profile: &'static Profile) -> Script<'s> {
    let profile = rules_for(profile, source);
    let mut reader = Reader::new(source, profile);
    while let Some(line) = reader.peek_unusual() {
        // Each has its own `push`, which copies no more than the small items have.
        if profile.is_blank(&line) {
            let span = reader.span_while(|line| profile.is_blank(line));
            reader.items.push(Item::Blank(span));
        } else if profile.is_comment(&line) {
            let span = reader.span_while(|line| profile.is_comment(line));
            reader.items.push(Item::Comment(span));
        } else {
            let record = (profile.read_record)(&mut reader, line);
            reader.items.push(Item::Record(record));
        }
    }
    let (items, lints) = (reader.items, reader.lints);
    let mut script = Script { source, profile, items, lints, included: Vec::new() };
    if let Some(finish) = profile.finish {
        finish(&mut script);
    }
    script
}

/// The smallest usual number of bytes for each item in large files. Memory that is not used costs nothing, and moving all
/// items costs much.
const BYTES_OF_ITEM: usize = 64;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
pub(super) const SEPARATOR: &[u8] = b"----";

/// Reads a file line by line; the dialects build their records with it.
pub(super) struct Reader<'s> {
    pub(super) source: &'s Source,
    pub(super) profile: &'static Profile,
    pub(super) lines: LineCursor<'s>,
    pub(super) items: Vec<Item<'s>>,
    pub(super) lints: Vec<Lint>,
    /// What records in front of the next one have left for it, in the dialect of sqllogictest-rs.
    pub(super) pending: PendingParts<'s>,
    /// Whether there is a NUL byte anywhere.
    pub(super) has_nul: bool,
    /// Memory for the words of the next header.
    words: Vec<&'s [u8]>,
}

/// Conditions and a connection that wait for a record that uses them.
#[derive(Default)]
pub(super) struct PendingParts<'s> {
    pub(super) conditions: Vec<Condition<'s>>,
    pub(super) connection: Option<ConnectionName<'s>>,
}

/// The parsed words and lines of a record, without its conditions.
pub(super) type Body<'s> = (RecordKind<'s>, Option<Box<Defect>>);

/// The SQL of a record and the text after it.
struct SqlPart<'s> {
    sql: Sql<'s>,
    last_line: Option<Line<'s>>,
    separator: Option<Line<'s>>,
    defect: Option<Box<Defect>>,
}

impl<'s> Reader<'s> {
    fn new(source: &'s Source, profile: &'static Profile) -> Self {
        let bytes = source.bytes();
        let mut items = Vec::with_capacity(bytes.len() / BYTES_OF_ITEM);
        let mut start = 0;
        if profile.strips_byte_order_mark && bytes.starts_with(BYTE_ORDER_MARK) {
            start = BYTE_ORDER_MARK.len();
            items.push(Item::ByteOrderMark(0..start));
        }
        Self {
            source,
            profile,
            lines: LineCursor::new(bytes, start),
            items,
            lints: Vec::new(),
            pending: PendingParts::default(),
            has_nul: memchr::memchr(0, bytes).is_some(),
            words: Vec::new(),
        }
    }

    /// Returns an empty list for the words of a header.
    pub(super) fn take_word_list(&mut self) -> Vec<&'s [u8]> {
        std::mem::take(&mut self.words)
    }

    /// Keeps the memory of a list for the next header.
    pub(super) fn keep_word_list(&mut self, mut words: Vec<&'s [u8]>) {
        words.clear();
        self.words = words;
    }

    pub(super) fn span_while(&mut self, mut wanted: impl FnMut(&Line<'s>) -> bool) -> Range<usize> {
        let start = self.offset();
        while self.lines.peek().is_some_and(|line| wanted(&line)) {
            self.lines.take();
        }
        start..self.offset()
    }

    pub(super) fn offset(&self) -> usize {
        self.lines.peek().map_or(self.source.bytes().len(), |line| line.start)
    }

    /// Returns the next line, behind the items that need no closer look.
    fn peek_unusual(&mut self) -> Option<Line<'s>> {
        if self.profile.has_usual_records {
            self.usual_items();
        }
        self.lines.peek()
    }

    /// Takes the next line that is neither blank nor a comment between records; `None` at the end of the file.
    pub(super) fn take_between_records(&mut self) -> Option<Line<'s>> {
        loop {
            let line = self.lines.take()?;
            if !self.profile.is_blank(&line) && !self.profile.is_comment(&line) {
                return Some(line);
            }
        }
    }

    /// Returns whether the record that is read is the first one.
    pub(super) fn is_first_record(&self) -> bool {
        !self.items.iter().any(|item| matches!(item, Item::Record(_)))
    }

    /// Takes the next line of the record that is not a comment; `None` at its end.
    fn take_text(&mut self) -> Option<Line<'s>> {
        loop {
            let line = self.lines.peek().filter(|line| !line.is_blank())?;
            self.lines.take();
            if !line.is_comment() {
                return Some(line);
            }
        }
    }

    pub(super) fn record(&mut self, first: Line<'s>) -> Record<'s> {
        let mut conditions = Vec::new();
        let mut defect = None;
        let mut last_seen = first;
        let (kind, body_defect) = loop {
            let Some(line) = self.take_text() else {
                break self.condition_without_record(last_seen);
            };
            last_seen = line;
            let header = Header::read(line, self.profile);
            match condition_kind(header.word(0)) {
                Some(kind) => {
                    let name = header.word(1).unwrap_or_default();
                    if name.is_empty() && self.profile.refuses_unused_text {
                        let found = text_of(header.word(0).unwrap_or_default());
                        let kind = ParseErrorKind::MissingConditionName { found };
                        defect = Some(self.defect(line, kind, DefectEffect::Dropped));
                    }
                    if let Some(kind) = header.unused_words(2, self.profile) {
                        defect = Some(self.defect(line, kind, DefectEffect::Dropped));
                    }
                    conditions.push(Condition { kind, name, comparison: None, line: line.number });
                }
                None => break self.body(&header, conditions.is_empty()),
            }
        };
        let end = self.offset();
        let end_line = self.lines.peek().map_or_else(|| self.line_count(), |line| line.number);
        Record {
            span: first.start..end,
            lines: first.number..end_line,
            line: last_seen.number,
            conditions,
            options: None,
            kind,
            defect: defect.or(body_defect),
        }
    }

    /// Returns the number of the last line plus one.
    pub(super) fn line_count(&self) -> u32 {
        self.lines.number() + 1
    }

    fn body(&mut self, header: &Header<'s>, first_of_record: bool) -> Body<'s> {
        let word = header.word(0).unwrap_or_default();
        match self.profile.directive(word) {
            Some(Directive::Statement) => self.statement(header),
            Some(Directive::Query) => self.query(header, first_of_record),
            Some(Directive::HashThreshold) => {
                let body = self.hash_threshold(header);
                self.control_record(header, 2, first_of_record, body)
            }
            Some(Directive::Halt) => {
                let halt = RecordKind::Control(Control::Halt);
                self.control_record(header, 1, first_of_record, (halt, None))
            }
            None => self.unknown(header),
        }
    }

    fn statement(&mut self, header: &Header<'s>) -> Body<'s> {
        let (expected, mut defect) = match header.word(1) {
            Some(b"ok") => (StatementExpectation::Ok, None),
            Some(b"error") => (StatementExpectation::Error(ErrorPattern::Any), None),
            other => {
                let kind = ParseErrorKind::StatementExpectation { found: found(other) };
                (StatementExpectation::Ok, Some(self.defect(header.line, kind, DefectEffect::SqlRuns)))
            }
        };
        if defect.is_none()
            && let Some(kind) = header.unused_words(2, self.profile)
        {
            defect = Some(self.defect(header.line, kind, DefectEffect::SqlRuns));
        }
        let mut part = self.sql(Directive::Statement);
        defect = part.defect.take().or(defect);
        if part.last_line.is_none() && defect.is_none() && self.profile.refuses_unused_text {
            defect = Some(self.missing_sql(header, &part));
        }
        (RecordKind::Statement(Statement { sql: part.sql, expected }), defect)
    }

    fn query(&mut self, header: &Header<'s>, unconditional: bool) -> Body<'s> {
        let Some(types) = header.word(1) else {
            self.take_rest();
            let defect = self.defect(header.line, ParseErrorKind::MissingTypes, DefectEffect::EndsFile);
            return (RecordKind::Unknown, Some(defect));
        };
        if let Some(&letter) = types.iter().find(|letter| !TYPE_LETTERS.contains(letter)) {
            // The SQLite runner would read the rest as a separate record, see `is_first_line`.
            if self.profile.refuses_unused_text || !self.is_first_line(header) {
                self.take_rest();
            }
            let kind = ParseErrorKind::TypeLetter { letter: char::from(letter), found: text_of(types) };
            let defect = self.defect(header.line, kind, DefectEffect::Dropped);
            return (RecordKind::Unknown, Some(defect));
        }
        let mut defect = None;
        let sort = match header.word(2) {
            None => None,
            Some(word) => SortMode::from_word(word).or_else(|| {
                let kind = ParseErrorKind::SortMode { found: text_of(word) };
                defect = Some(self.defect(header.line, kind, DefectEffect::SqlRuns));
                None
            }),
        };
        if defect.is_none()
            && let Some(kind) = header.unused_words(4, self.profile)
        {
            defect = Some(self.defect(header.line, kind, DefectEffect::SqlRuns));
        }
        let mut part = self.sql(Directive::Query);
        let broken_off = part.defect.is_some();
        defect = part.defect.take().or(defect);
        if part.last_line.is_none() && !broken_off && self.profile.refuses_unused_text {
            defect = Some(self.missing_sql(header, &part));
        }
        let expected = match part.separator {
            Some(_) => self.values(),
            None if broken_off => Block { raw: &[], comments: Comments::Removed },
            None => self.values_without_separator(header, part.last_line),
        };
        if let Some(separator) = part.separator.filter(|_| !unconditional) {
            self.look_for_headers(separator, &expected);
        }
        let (expected, behind_hash) = query_expectation(expected);
        if self.profile.refuses_unused_text
            && let Some(line) = behind_hash
        {
            let error = ParseErrorKind::TextAfterHash { found: text_of(line) };
            defect = Some(self.defect(header.line, error, DefectEffect::Dropped));
        }
        let label = header.word(3);
        let (layout, shows_names) = (Layout::Default, false);
        let query = Query { sql: part.sql, types, sort, label, expected, layout, shows_names };
        (RecordKind::Query(query), defect)
    }

    fn hash_threshold(&mut self, header: &Header<'s>) -> Body<'s> {
        let word = header.word(1);
        let number = word.and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
        let (threshold, defect) = match number {
            Some(number) => (number, None),
            None if self.profile.refuses_unused_text => {
                let kind = ParseErrorKind::Threshold { found: found(word) };
                (0, Some(self.defect(header.line, kind, DefectEffect::Dropped)))
            }
            None => (leading_number(word.unwrap_or_default()), None),
        };
        (RecordKind::Control(Control::HashThreshold(threshold)), defect)
    }

    fn unknown(&mut self, header: &Header<'s>) -> Body<'s> {
        self.take_rest();
        let words: Vec<_> = self.profile.directives.iter().map(|(name, _)| *name).collect();
        let kind = ParseErrorKind::UnknownRecord {
            found: text_of(header.word(0).unwrap_or_default()),
            expected: words.join(", "),
        };
        (RecordKind::Unknown, Some(self.defect(header.line, kind, DefectEffect::EndsFile)))
    }

    fn condition_without_record(&mut self, condition: Line<'s>) -> Body<'s> {
        let found = if self.lines.peek().is_some() { "a blank line" } else { "the end of the file" };
        let effect =
            if self.profile.refuses_unused_text { DefectEffect::Dropped } else { DefectEffect::EndsFile };
        let kind = ParseErrorKind::ConditionWithoutRecord { found: found.into() };
        (RecordKind::Unknown, Some(self.defect(condition, kind, effect)))
    }

    /// Reads SQL up to the separator of a query, a blank line or the end of the file.
    fn sql(&mut self, directive: Directive) -> SqlPart<'s> {
        let bytes = self.source.bytes();
        let start = self.offset();
        let sql = Sql { raw: &bytes[start..start], plain: true, comments: Comments::Removed };
        let mut part = SqlPart { sql, last_line: None, separator: None, defect: None };
        let mut first_start = start;
        while let Some(line) = self.take_text() {
            if line.text == SEPARATOR && directive == Directive::Query {
                part.separator = Some(line);
                break;
            }
            let is_special = may_be_structure(line.text);
            if is_special && let Some(kind) = self.no_sql(line, directive) {
                // The following text was not meant to be SQL of this record.
                let effect =
                    if part.last_line.is_some() { DefectEffect::SqlRuns } else { DefectEffect::Dropped };
                part.defect = Some(self.defect(line, kind, effect));
                self.take_rest();
                break;
            }
            if self.has_nul && memchr::memchr(0, line.text).is_some() && self.profile.refuses_unused_text {
                part.defect = Some(self.defect(line, ParseErrorKind::NulInSql, DefectEffect::Dropped));
            }
            if is_special && self.looks_like_header(line.text) {
                self.lints.push(Lint { line: line.number, kind: LintKind::HeaderInSql });
            }
            match part.last_line {
                None => first_start = line.start,
                // In one piece only if nothing but a single LF lies between two lines.
                Some(before) => part.sql.plain &= before.text_end() + 1 == line.start,
            }
            part.last_line = Some(line);
        }
        if let Some(last) = part.last_line {
            // A CR that is text would be taken for a line end if the real one were cut off behind it.
            part.sql.plain &= !last.text.ends_with(b"\r");
            part.sql.raw = &bytes[first_start..if part.sql.plain { last.text_end() } else { last.end }];
        }
        part
    }

    /// Returns whether a line begins with the keyword and second word of a record, as after a missing blank line.
    pub(super) fn looks_like_header(&self, line: &[u8]) -> bool {
        let begins = |word: &[u8]| line.strip_prefix(word).is_some_and(|rest| rest.first() == Some(&b' '));
        may_begin_header(line) && self.profile.directives.iter().any(|(word, _)| begins(word.as_bytes()))
    }

    /// Returns the defect of a line in place of SQL.
    fn no_sql(&self, line: Line<'s>, directive: Directive) -> Option<ParseErrorKind> {
        if !self.profile.refuses_unused_text {
            None
        } else if line.text.trim_ascii() == SEPARATOR {
            Some(match directive {
                Directive::Query => ParseErrorKind::BlanksAroundSeparator { found: text_of(line.text) },
                _ => ParseErrorKind::SeparatorInStatement,
            })
        } else if is_header(line, self.profile) {
            Some(ParseErrorKind::HeaderInSql { found: text_of(line.text.trim_ascii()) })
        } else {
            None
        }
    }

    /// Warns about records glued to a skipped query, which compares no values.
    pub(super) fn look_for_headers(&mut self, separator: Line<'s>, expected: &Block<'s>) {
        if !lines_of(expected.raw).any(may_be_structure) {
            return;
        }
        let mut cursor = LineCursor::new(expected.raw, 0);
        while let Some(line) = cursor.take() {
            if !line.is_comment() && is_header(line, self.profile) {
                let line = separator.number + line.number;
                self.lints.push(Lint { line, kind: LintKind::HeaderInValues });
            }
        }
    }

    fn values(&mut self) -> Block<'s> {
        let start = self.offset();
        let end = self.span_while(|line| !line.is_blank()).end;
        Block { raw: &self.source.bytes()[start..end], comments: Comments::Removed }
    }

    fn values_without_separator(&mut self, header: &Header<'s>, last_sql: Option<Line<'s>>) -> Block<'s> {
        let raw: &[u8] = match (self.profile.missing_separator, last_sql) {
            (MissingSeparator::LastSqlLine, Some(line)) => &self.source.bytes()[line.start..line.end],
            (MissingSeparator::NoRows, Some(_)) => {
                self.lints.push(Lint { line: header.line.number, kind: LintKind::NoSeparator });
                &[]
            }
            (_, None) => &[],
        };
        Block { raw, comments: Comments::Removed }
    }

    /// Handles the text after a record that takes no further lines: skips it, or makes the record malformed.
    fn control_record(
        &mut self,
        header: &Header<'s>,
        used: usize,
        first_of_record: bool,
        mut body: Body<'s>,
    ) -> Body<'s> {
        if body.1.is_none()
            && let Some(kind) = header.unused_words(used, self.profile)
        {
            body.1 = Some(self.defect(header.line, kind, DefectEffect::Dropped));
        }
        if first_of_record && self.is_first_line(header) {
            return body;
        }
        let glued = self.take_text();
        self.take_rest();
        match glued {
            Some(line) if self.profile.refuses_unused_text => {
                let after = text_of(header.word(0).unwrap_or_default());
                let kind = ParseErrorKind::GluedText { after, found: text_of(line.text) };
                (body.0, Some(self.defect(line, kind, DefectEffect::Dropped)))
            }
            _ => body,
        }
    }

    fn take_rest(&mut self) {
        self.span_while(|line| !line.is_blank());
    }

    /// Returns whether the header is at the start of the file.
    ///
    /// The SQLite runner requires a blank line after a record only if the record's last line is not at offset 0. So
    /// text glued to a one-line record at the very start of a file is a separate record.
    fn is_first_line(&self, header: &Header<'s>) -> bool {
        header.line.number == 1
    }

    fn missing_sql(&self, header: &Header<'s>, part: &SqlPart<'s>) -> Box<Defect> {
        let found = match (part.separator, self.lines.peek()) {
            (Some(_), _) => "`----`",
            (None, Some(_)) => "a blank line",
            (None, None) => "the end of the file",
        };
        self.defect(header.line, ParseErrorKind::MissingSql { found: found.into() }, DefectEffect::Dropped)
    }

    pub(super) fn defect(&self, line: Line<'s>, kind: ParseErrorKind, effect: DefectEffect) -> Box<Defect> {
        Defect::new(self.source.at(line.number), kind, effect)
    }
}

/// Parses value lines, and returns the line after a hash line, if there is one.
pub(super) fn query_expectation<'s>(lines: Block<'s>) -> (QueryExpectation<'s>, Option<&'s [u8]>) {
    let Some(hash) = lines.leading_hash() else { return (QueryExpectation::Rows(lines), None) };
    match lines.lines().nth(1) {
        Some(behind) => (QueryExpectation::Rows(lines), Some(behind)),
        None => (QueryExpectation::Hash(hash), None),
    }
}

/// Parses the number at the start of a word as C's `atoi` does; negative numbers count as 0.
fn leading_number(word: &[u8]) -> u64 {
    let digits = word.strip_prefix(b"+").unwrap_or(word);
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn found(word: Option<&[u8]>) -> String {
    word.map_or_else(|| "nothing".to_owned(), |word| format!("`{}`", text_of(word)))
}

//! Records: their conditions, their SQL and what it must return.

use std::borrow::Cow;

use super::header_words::{
    comparisons, condition_kind, header_words, is_header, resembles_sort_mode, sort_mode,
};
use crate::location::text_of;
use crate::parser::condition::{Condition, ConditionKind};
use crate::parser::error::{Lint, LintKind, ParseErrorKind};
use crate::parser::grammar::{Reader, SEPARATOR};
use crate::parser::header::TYPE_LETTERS;
use crate::parser::lines::Line;
use crate::parser::record::{
    ConnectionName, Defect, DefectEffect, ErrorPattern, Layout, Query, QueryExpectation, Record, RecordKind,
    RecordOptions, Statement, StatementExpectation,
};
use crate::parser::text::{Block, Comments, HashLine, Sql};
use crate::parser::{Control, Renderer};

/// Reads one record.
pub(super) struct RecordParser<'r, 's> {
    pub(super) reader: &'r mut Reader<'s>,
    /// The line of the record, then of its last condition, then of its header.
    pub(super) header: Line<'s>,
    pub(super) words: Vec<&'s [u8]>,
    pub(super) conditions: Vec<Condition<'s>>,
    connection: Option<&'s [u8]>,
    defect: Option<Box<Defect>>,
}

impl<'r, 's> RecordParser<'r, 's> {
    /// Returns a parser for the record that begins with this line.
    pub(super) fn new(reader: &'r mut Reader<'s>, first: Line<'s>) -> Self {
        let (words, conditions) = (reader.take_word_list(), Vec::new());
        Self { reader, header: first, words, conditions, connection: None, defect: None }
    }

    /// Reads the record.
    pub(super) fn record(mut self) -> Record<'s> {
        let first = self.header;
        let kind = self.lines();
        let (start, end) = (first.start, self.reader.offset());
        let end_line = self.position();
        self.refuse_carriage_returns(start..end);
        self.reader.keep_word_list(self.words);
        let connection = self.connection.map(|name| ConnectionName { name, user: None });
        Record {
            span: start..end,
            lines: first.number..end_line,
            line: self.header.number,
            conditions: self.conditions,
            options: connection
                .map(|name| Box::new(RecordOptions { connection: Some(name), ..RecordOptions::default() })),
            kind,
            defect: self.defect,
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.reader.profile.exact
    }

    /// Returns whether the file is one of SQLite's in the tree of DuckDB.
    fn is_original(&self) -> bool {
        self.reader.profile.renderer == Renderer::DuckdbOriginal
    }

    /// Returns the number of the line that is read next, which DuckDB's runner names in its messages.
    fn position(&self) -> u32 {
        self.reader.lines.peek().map_or_else(|| self.reader.line_count(), |line| line.number)
    }

    /// Returns whether the record ends before the line that is read next.
    fn is_at_end(&self) -> bool {
        self.reader.lines.peek().is_none_or(|line| line.text.is_empty() || line.is_comment())
    }

    /// Notes a defect of the record in a line; the first one counts.
    pub(super) fn refuse_line(&mut self, line: u32, kind: ParseErrorKind, effect: DefectEffect) {
        let effect = if self.is_exact() { DefectEffect::EndsFile } else { effect };
        let location = self.reader.source.at(line);
        self.defect.get_or_insert_with(|| Defect::new(location, kind, effect));
    }

    /// Notes that something else was expected in the header.
    pub(super) fn refuse(&mut self, text: impl Into<String>) {
        let kind = ParseErrorKind::Other { text: text.into() };
        self.refuse_line(self.header.number, kind, DefectEffect::Dropped);
    }

    /// Notes a defect that also counts where the record is skipped.
    fn refuse_hidden(&mut self, text: String) {
        self.refuse_line(self.header.number, ParseErrorKind::HiddenText { text }, DefectEffect::Dropped);
    }

    pub(super) fn lint(&mut self, kind: LintKind) {
        self.reader.lints.push(Lint { line: self.header.number, kind });
    }

    /// Takes the lines of the record.
    fn lines(&mut self) -> RecordKind<'s> {
        loop {
            let Some(line) = self.reader.lines.take() else { return RecordKind::Unknown };
            self.header = line;
            self.words.clear();
            self.words.extend(header_words(line, self.reader.profile.exact));
            let Some(&word) = self.words.first() else {
                self.refuse_hidden("expected a record or an empty line, found blanks".to_owned());
                return RecordKind::Unknown;
            };
            let Some(kind) = condition_kind(word) else { break };
            self.condition(word, kind);
            if self.is_at_end() {
                return self.condition_without_record();
            }
        }
        match self.words[0] {
            b"statement" => self.statement(),
            b"query" => self.query(),
            _ => self.single_line(),
        }
    }

    fn condition(&mut self, word: &'s [u8], kind: ConditionKind) {
        let line = self.header.number;
        let Some(&name) = self.words.get(1) else {
            let found = text_of(word);
            let error = ParseErrorKind::MissingConditionName { found };
            return self.refuse_line(line, error, DefectEffect::Dropped);
        };
        self.refuse_words(2);
        let compared = if self.is_original() { None } else { comparisons(name, kind, line) };
        match compared {
            None => self.conditions.push(Condition { kind, name, comparison: None, line }),
            Some(Ok(conditions)) => self.conditions.extend(conditions),
            Some(Err(part)) => self.refuse(format!(
                "expected a comparison like `i=2` or `i<>2&&j>0`, found `{}`",
                text_of(part)
            )),
        }
    }

    fn condition_without_record(&mut self) -> RecordKind<'s> {
        let next = self.reader.lines.peek();
        let found = match next {
            Some(line) if line.is_comment() => "a comment",
            Some(_) => "an empty line",
            None => "the end of the file",
        };
        if self.is_exact() {
            // DuckDB's runner ignores a condition at the end of the file.
            if next.is_some() {
                let text = format!("expected a record right after the condition, found {found}");
                self.refuse_line(self.position(), ParseErrorKind::Other { text }, DefectEffect::EndsFile);
            }
        } else {
            let kind = ParseErrorKind::ConditionWithoutRecord { found: found.into() };
            self.refuse_line(self.header.number, kind, DefectEffect::Dropped);
        }
        RecordKind::Unknown
    }

    /// Refuses words behind those that the header uses, which DuckDB's runner ignores.
    pub(super) fn refuse_words(&mut self, used: usize) {
        if self.is_exact() || self.words.len() <= used {
            return;
        }
        let [used, unused] = [&self.words[..used], &self.words[used..]]
            .map(|words| words.iter().map(|word| text_of(word)).collect::<Vec<_>>().join(" "));
        let text = format!(
            "expected nothing after `{used}`, found `{unused}`; put `#` in front of a comment (DuckDB's runner ignores these words)"
        );
        self.refuse_line(self.header.number, ParseErrorKind::Other { text }, DefectEffect::SqlRuns);
    }

    /// Refuses CRs that are no part of a line end, which DuckDB's runner takes out.
    fn refuse_carriage_returns(&mut self, span: std::ops::Range<usize>) {
        let text = &self.reader.source.bytes()[span];
        let inside = memchr::memchr_iter(b'\r', text)
            .any(|place| text.get(place + 1).is_some_and(|&behind| behind != b'\n'));
        if inside && !self.is_exact() {
            self.refuse("expected line ends of LF or CRLF, found a CR within a line");
        }
    }

    fn statement(&mut self) -> RecordKind<'s> {
        use StatementExpectation::{Error, Ok, OkOrError, Unchecked, UncheckedBeforeSkip};
        let word = self.words.get(1).copied();
        let any = ErrorPattern::Any;
        let mut expected = match word {
            Some(b"ok") => Ok,
            Some(b"error") => Error(any),
            Some(b"maybe") => OkOrError(any),
            Some(b"debug") => Unchecked,
            Some(b"debug_skip") => UncheckedBeforeSkip,
            other => {
                let found = other.map_or_else(|| "nothing".to_owned(), |word| format!("`{}`", text_of(word)));
                let kind = ParseErrorKind::Other {
                    text: format!("expected `ok`, `error` or `maybe` after `statement`, found {found}"),
                };
                self.refuse_line(self.header.number, kind, DefectEffect::SqlRuns);
                Ok
            }
        };
        if matches!(expected, Unchecked | UncheckedBeforeSkip) {
            self.lint(LintKind::Unchecked);
        }
        self.connection = self.words.get(2).copied();
        self.refuse_words(3);
        let sql = self.sql();
        if sql.is_empty() {
            let text = format!("expected SQL after the header, found {}", self.next_text());
            self.refuse_line(self.line_of_defect(), ParseErrorKind::Other { text }, DefectEffect::Dropped);
        }
        let has_block = self.reader.lines.peek().is_some_and(|line| line.text == SEPARATOR);
        let takes_block = matches!(expected, Error(_) | OkOrError(_));
        if has_block && !takes_block {
            let text = "expected SQL or an empty line, found `----`: only `statement error` and `statement maybe` have it";
            let kind = ParseErrorKind::Other { text: text.to_owned() };
            self.refuse_line(self.line_of_defect(), kind, DefectEffect::SqlRuns);
        }
        if has_block {
            self.reader.lines.take();
            match &mut expected {
                Error(any) | OkOrError(any) => *any = self.error_pattern(),
                _ => drop(self.block()),
            }
        } else if takes_block && !self.is_original() {
            let text = format!(
                "expected `----` and a part of the error message after the SQL, found {}; nothing after `----` stands for any message",
                self.next_text()
            );
            self.refuse_line(self.line_of_defect(), ParseErrorKind::Other { text }, DefectEffect::SqlRuns);
        }
        self.take_rest();
        RecordKind::Statement(Statement { sql, expected })
    }

    /// Returns the line that a message about the next line names.
    fn line_of_defect(&self) -> u32 {
        if self.is_exact() { self.position() } else { self.header.number }
    }

    fn next_text(&self) -> &'static str {
        match self.reader.lines.peek() {
            None => "the end of the file",
            Some(line) if line.text.is_empty() => "an empty line",
            Some(line) if line.text == SEPARATOR => "`----`",
            Some(_) => "a comment",
        }
    }

    /// Takes lines that belong to the record and have no meaning.
    fn take_rest(&mut self) {
        while !self.is_at_end() {
            self.reader.lines.take();
        }
    }

    /// Reads SQL up to `----`, an empty line, a comment, or the end of the file.
    fn sql(&mut self) -> Sql<'s> {
        let bytes = self.reader.source.bytes();
        let start = self.reader.offset();
        let mut plain = true;
        let mut last: Option<Line<'s>> = None;
        while !self.is_at_end() {
            let Some(line) = self.reader.lines.peek().filter(|line| line.text != SEPARATOR) else { break };
            if !self.is_exact() && is_header(line) {
                let kind = ParseErrorKind::HiddenText {
                    text: format!(
                        "expected SQL or an empty line, found the header `{}`; put an empty line in front of it",
                        text_of(line.text)
                    ),
                };
                let effect = if last.is_some() { DefectEffect::SqlRuns } else { DefectEffect::Dropped };
                self.refuse_line(line.number, kind, effect);
                self.take_rest();
                break;
            }
            self.reader.lines.take();
            plain &= last.is_none_or(|before| before.text_end() + 1 == line.start);
            last = Some(line);
        }
        let end = last.map_or(start, |last| {
            // A CR that is text would be taken for a line end if the real one were cut off behind it.
            plain &= !last.text.ends_with(b"\r");
            if plain { last.text_end() } else { last.end }
        });
        Sql { raw: &bytes[start..end], plain, comments: Comments::Kept }
    }

    /// Reads lines up to an empty one.
    fn block(&mut self) -> Block<'s> {
        let span = self.reader.span_while(|line| !line.text.is_empty());
        Block { raw: &self.reader.source.bytes()[span], comments: Comments::Kept }
    }

    fn error_pattern(&mut self) -> ErrorPattern<'s> {
        let block = self.block();
        let mut lines = block.lines();
        let text: Cow<'s, [u8]> = match (lines.next(), lines.next()) {
            (None, _) => {
                self.lint(LintKind::AnyError);
                return ErrorPattern::Any;
            }
            (Some(line), None) => Cow::Borrowed(line),
            _ => Cow::Owned(block.lines().collect::<Vec<_>>().join(&b'\n')),
        };
        let negated = text.starts_with(b"<!REGEX>:");
        if !negated && !text.starts_with(b"<REGEX>:") {
            return ErrorPattern::Contains(text);
        }
        let start = text.iter().position(|&byte| byte == b':').map_or(0, |colon| colon + 1);
        match std::str::from_utf8(&text[start..]) {
            Ok(regex) => ErrorPattern::FullRegex { regex: Cow::Owned(regex.to_owned()), negated },
            Err(_) => {
                self.refuse("expected a regular expression of UTF-8, found other bytes");
                ErrorPattern::Contains(text)
            }
        }
    }

    fn query(&mut self) -> RecordKind<'s> {
        let types = self.words.get(1).copied().unwrap_or_default();
        let wrong = types.iter().find(|letter| !TYPE_LETTERS.contains(letter));
        if types.is_empty() || wrong.is_some() {
            let found = if types.is_empty() { "nothing".to_owned() } else { format!("`{}`", text_of(types)) };
            self.refuse(format!("expected a letter T, I or R for each column after `query`, found {found}"));
            self.block();
            return RecordKind::Unknown;
        }
        let mut sort = None;
        if let Some(&word) = self.words.get(2) {
            sort = sort_mode(word);
            if sort.is_none() {
                self.connection = Some(word);
                if resembles_sort_mode(word) {
                    self.lint(LintKind::ConnectionLikeSortMode);
                }
            }
        }
        let label = self.words.get(3).copied();
        self.refuse_words(4);
        let sql = self.sql();
        if sql.is_empty() && !self.is_exact() {
            let text = format!("expected SQL after the header, found {}", self.next_text());
            self.refuse(text);
        }
        let expected = self.query_expectation(label.is_some(), types.len());
        let layout = Layout::Default;
        RecordKind::Query(Query { sql, types, sort, label, expected, layout, shows_names: false })
    }

    fn query_expectation(&mut self, has_label: bool, columns: usize) -> QueryExpectation<'s> {
        let next = self.reader.lines.peek();
        match next {
            Some(line) if line.text == SEPARATOR => drop(self.reader.lines.take()),
            // The values of DuckDB's runner begin here.
            Some(line) if line.is_comment() && !self.is_exact() => {
                let text =
                    "expected `----` or an empty line after the SQL, found a comment, which ends the SQL";
                let kind = ParseErrorKind::HiddenText { text: text.to_owned() };
                self.refuse_line(line.number, kind, DefectEffect::SqlRuns);
            }
            _ if !has_label => self.lint(LintKind::NoSeparator),
            _ => {}
        }
        let block = self.block();
        let mut lines = block.lines();
        let (first, second) = (lines.next(), lines.next());
        match (first, second) {
            (None, _) if has_label => QueryExpectation::Label,
            (Some(line), None) => match (HashLine::parse(line), line.strip_prefix(b"<FILE>:")) {
                (Some(hash), _) => QueryExpectation::Hash(hash),
                (None, Some(path)) => QueryExpectation::File(path),
                (None, None) => self.rows(block, columns),
            },
            _ => self.rows(block, columns),
        }
    }

    fn rows(&mut self, block: Block<'s>, columns: usize) -> QueryExpectation<'s> {
        let tabs = |line: &[u8]| line.iter().filter(|&&byte| byte == b'\t').count();
        let mut is_uneven = false;
        // Most results have a value on each line, and end this at the first one.
        let has_rows = block.lines().map(tabs).all(|tabs| {
            is_uneven |= tabs + 1 != columns;
            tabs > 0
        });
        if has_rows && is_uneven {
            self.lint(LintKind::EmptyCells);
        }
        QueryExpectation::Rows(block)
    }

    /// Handles a record of one line.
    fn single_line(&mut self) -> RecordKind<'s> {
        let Some(kind) = self.control() else {
            let found = text_of(self.words[0]);
            self.refuse_hidden(format!(
                "expected a record (statement, query, loop, foreach, endloop, require, load, mode, …), found `{found}`"
            ));
            self.take_rest();
            return RecordKind::Unknown;
        };
        // DuckDB's runner looks for it behind the first line of a record only.
        let may_be_glued = self.is_exact() && !self.conditions.is_empty();
        if !self.is_at_end() && !may_be_glued {
            let text = format!(
                "expected an empty line after `{}`, found `{}`",
                text_of(self.words[0]),
                self.reader.lines.peek().map(|line| text_of(line.text)).unwrap_or_default()
            );
            self.refuse_hidden(text);
        }
        self.take_rest();
        self.drop_comparisons(&kind);
        kind
    }

    /// Takes out conditions on loop variables where DuckDB's runner ignores them.
    fn drop_comparisons(&mut self, kind: &RecordKind<'s>) {
        let takes_them = matches!(kind, RecordKind::Control(Control::Continue));
        if takes_them || self.conditions.iter().all(|condition| condition.comparison.is_none()) {
            return;
        }
        if self.is_exact() {
            self.conditions.retain(|condition| condition.comparison.is_none());
        } else {
            self.refuse(
                "expected an engine's name in the condition, found a loop variable: only `statement`, `query` and `continue` have such conditions",
            );
        }
    }
}

//! Reads records with their conditions and their connection.

use super::RsFlavor;
use super::control::control;
use super::header::{RsRules, query, retry, statement, take_async};
use crate::location::text_of;
use crate::parser::blocks::{TextEnd, TextPart, block_text, joined, rows_or_hash};
use crate::parser::condition::{Condition, ConditionKind};
use crate::parser::control::Control;
use crate::parser::error::{Lint, LintKind, ParseErrorKind};
use crate::parser::grammar::{Body, Reader, SEPARATOR};
use crate::parser::header::{condition_kind, is_header};
use crate::parser::lines::{Line, is_space, words_of};
use crate::parser::record::{
    ConnectionName, Defect, DefectEffect, ErrorPattern, Layout, Let, MissingAbility, Query, QueryExpectation,
    Record, RecordKind, RecordOptions, RetryRule, Statement, StatementExpectation, System,
};
use crate::parser::text::{Block, Comments};

/// A header with its words.
type HeaderLine<'s> = (Line<'s>, Vec<&'s [u8]>);

/// What stands in front of a record.
#[derive(Default)]
struct RsPrefix<'s> {
    conditions: Vec<Condition<'s>>,
    connection: Option<ConnectionName<'s>>,
    /// Whether the connection has a password.
    has_password: bool,
    defect: Option<Box<Defect>>,
}

/// Returns whether words are nothing, or the password of a connection.
fn is_password(words: &[&[u8]]) -> bool {
    matches!(words, []) || matches!(words, [word] if word.starts_with(b"password="))
}

/// A record without what stands in front of it.
struct RsContents<'s> {
    kind: RecordKind<'s>,
    retry: Option<RetryRule<'s>>,
    defect: Option<Box<Defect>>,
}

impl<'s> From<Body<'s>> for RsContents<'s> {
    fn from((kind, defect): Body<'s>) -> Self {
        Self { kind, retry: None, defect }
    }
}

/// Reads the record that begins at the line `first`.
pub(in crate::parser::dialect) fn read<'s>(
    reader: &mut Reader<'s>,
    first: Line<'s>,
    flavor: &'static RsFlavor,
) -> Record<'s> {
    let exact = reader.profile.exact;
    let mut reader = RsRecordReader { rules: RsRules { flavor, exact }, reader };
    let (prefix, header) = reader.prefix();
    let (line, mut contents) = match header {
        Some((line, words)) => {
            let contents = reader.contents(line, &words);
            reader.reader.keep_word_list(words);
            (line, contents)
        }
        None => reader.without_record(first, &prefix),
    };
    if exact && reader.reader.is_first_record() && std::str::from_utf8(reader.reader.source.bytes()).is_err()
    {
        contents.defect =
            Some(reader.defect(line, "expected UTF-8, found other bytes", DefectEffect::Dropped));
    }
    reader.finish(first, line, prefix, contents)
}

/// Reads one record.
struct RsRecordReader<'r, 's> {
    reader: &'r mut Reader<'s>,
    rules: RsRules,
}

impl<'s> RsRecordReader<'_, 's> {
    /// Returns the words of a header line.
    fn words(&mut self, line: Line<'s>) -> Vec<&'s [u8]> {
        let cuts = self.rules.flavor.cuts_comments;
        let mut words = self.reader.take_word_list();
        words.extend(words_of(if cuts { without_comment(line.text) } else { line.text }));
        words
    }

    /// Reads what stands in front of a record, and the line of its header with its words; `None` at the end of the file.
    fn prefix(&mut self) -> (RsPrefix<'s>, Option<HeaderLine<'s>>) {
        let mut prefix = RsPrefix::default();
        while let Some(line) = self.reader.take_between_records() {
            let words = self.words(line);
            let defect = match (condition_kind(words.first().copied()), words.as_slice()) {
                (Some(kind), words) => self.condition(kind, line, words, &mut prefix),
                (None, [b"connection", name]) => {
                    prefix.connection = Some(ConnectionName { name, user: None });
                    None
                }
                // SereneDB names a user, and a password.
                (None, [b"connection", name, user, behind @ ..])
                    if !self.rules.exact && user.starts_with(b"user=") && is_password(behind) =>
                {
                    prefix.connection = Some(ConnectionName { name, user: Some(&user[b"user=".len()..]) });
                    prefix.has_password = !behind.is_empty();
                    None
                }
                (None, [b"connection", ..]) => {
                    let found = text_of(line.text.trim_ascii());
                    let text = format!("expected one name after `connection`, found `{found}`");
                    Some(self.defect(line, text, DefectEffect::Dropped))
                }
                _ => return (prefix, Some((line, words))),
            };
            prefix.defect = prefix.defect.or(defect);
            self.reader.keep_word_list(words);
        }
        (prefix, None)
    }

    fn condition(
        &self,
        kind: ConditionKind,
        line: Line<'s>,
        words: &[&'s [u8]],
        prefix: &mut RsPrefix<'s>,
    ) -> Option<Box<Defect>> {
        let word = text_of(words.first().copied().unwrap_or_default());
        let Some(name) = words.get(1) else {
            let kind = ParseErrorKind::MissingConditionName { found: word };
            return Some(self.reader.defect(line, kind, DefectEffect::Dropped));
        };
        prefix.conditions.push(Condition { kind, name, comparison: None, line: line.number });
        let behind = words.get(2).filter(|behind| self.rules.exact || !behind.starts_with(b"#"))?;
        let start = behind.as_ptr().addr() - line.text.as_ptr().addr();
        let found = text_of(line.text[start..].trim_ascii_end());
        let kind = ParseErrorKind::UnusedWords { after: format!("{word} {}", text_of(name)), found };
        Some(self.reader.defect(line, kind, DefectEffect::Dropped))
    }

    /// Handles conditions at the end of the file.
    fn without_record(&mut self, first: Line<'s>, prefix: &RsPrefix<'s>) -> (Line<'s>, RsContents<'s>) {
        let kind = ParseErrorKind::ConditionWithoutRecord { found: "the end of the file".into() };
        let hides = !self.rules.exact && prefix.defect.is_none();
        let defect = hides.then(|| self.reader.defect(first, kind, DefectEffect::Dropped));
        (first, RsContents { kind: RecordKind::Unknown, retry: None, defect })
    }

    /// Puts a record together. In the reference, conditions and connections wait for a record that uses them.
    fn finish(
        &mut self,
        first: Line<'s>,
        line: Line<'s>,
        prefix: RsPrefix<'s>,
        contents: RsContents<'s>,
    ) -> Record<'s> {
        let RsContents { kind, retry, defect } = contents;
        let pending = &mut self.reader.pending;
        if pending.conditions.is_empty() {
            pending.conditions = prefix.conditions;
        } else {
            pending.conditions.extend(prefix.conditions);
        }
        pending.connection = prefix.connection.or(pending.connection.take());
        let uses_connection =
            matches!(kind, RecordKind::Statement(_) | RecordKind::Query(_) | RecordKind::Let(_));
        let uses_conditions = uses_connection || matches!(kind, RecordKind::System(_)) || !self.rules.exact;
        let conditions = if uses_conditions { std::mem::take(&mut pending.conditions) } else { Vec::new() };
        let mut connection = None;
        let mut leak = None;
        if uses_connection {
            connection = pending
                .connection
                .take()
                .filter(|connection| connection.name != b"default" || connection.user.is_some());
        } else if !self.rules.exact {
            match kind {
                RecordKind::Control(Control::Include(_)) => leak = pending.connection.take(),
                RecordKind::Unknown => pending.connection = None,
                _ => {}
            }
        }
        let leak = leak.map(|connection| {
            let text = format!(
                "expected a statement, query or let after `connection {}`, found `include`",
                text_of(connection.name)
            );
            self.defect(line, text, DefectEffect::Dropped)
        });
        let defect = prefix.defect.or(defect).or(leak);
        let missing = (uses_connection && prefix.has_password).then_some(MissingAbility::PASSWORD);
        let has_options = connection.is_some() || retry.is_some();
        // A defect in front of the header is shown in its place.
        let shown = defect.as_ref().map_or(line.number, |defect| defect.error.location.line.min(line.number));
        let lines = &self.reader.lines;
        let end_line = lines.peek().map_or_else(|| self.reader.line_count(), |line| line.number);
        Record {
            span: first.start..self.reader.offset(),
            lines: first.number..end_line,
            line: shown,
            conditions,
            options: has_options
                .then(|| Box::new(RecordOptions { connection, retry, missing, ..RecordOptions::default() })),
            kind,
            defect,
        }
    }

    /// Reads a record from its header on, which has been taken.
    fn contents(&mut self, line: Line<'s>, words: &[&'s [u8]]) -> RsContents<'s> {
        match words {
            [b"statement", behind @ ..] => self.statement(line, behind),
            [b"query", behind @ ..] => self.query(line, behind),
            [b"let", behind @ ..] if self.rules.flavor.has_let => self.assignment(line, behind),
            [b"system", behind @ ..] => self.system(line, behind),
            words => match control(words, self.rules.flavor, self.rules.exact) {
                Some(Ok(control)) => (RecordKind::Control(control), None).into(),
                Some(Err(text)) => self.unknown(line, text),
                None => {
                    let found = text_of(words.first().copied().unwrap_or_default());
                    self.unknown(line, format!("expected a record ({KEYWORDS}), found `{found}`"))
                }
            },
        }
    }

    fn unknown(&mut self, line: Line<'s>, text: String) -> RsContents<'s> {
        self.reader.skip_to_blank();
        (RecordKind::Unknown, Some(self.defect(line, text, DefectEffect::Dropped))).into()
    }

    fn statement(&mut self, line: Line<'s>, words: &[&'s [u8]]) -> RsContents<'s> {
        let header = statement(words, self.rules);
        let mut part = self.text(line, true);
        let (mut expected, retry, wrong) = match header {
            Ok(header) => {
                self.note(line, &header.lints);
                (header.expected, header.retry, None)
            }
            Err(text) => (StatementExpectation::Ok, None, Some(text)),
        };
        let mut wrong = wrong;
        if let Some(separator) = part.1.separator {
            let text = self.error_text(separator);
            match &mut expected {
                StatementExpectation::Error(pattern) => wrong = wrong.or(add_text(pattern, &text)),
                _ => wrong = wrong.or(Some(SEPARATOR_IN_STATEMENT.to_owned())),
            }
        }
        let wrong = wrong.map(|text| self.defect(line, text, DefectEffect::SqlRuns));
        let defect = part.0.take().or(wrong);
        let kind = RecordKind::Statement(Statement { sql: part.1.text, expected });
        RsContents { kind, retry, defect }
    }

    fn query(&mut self, line: Line<'s>, words: &[&'s [u8]]) -> RsContents<'s> {
        let (header, mut wrong) = match query(words, self.rules) {
            Ok(header) => (header, None),
            Err(text) => (Default::default(), Some(text)),
        };
        self.note(line, &header.lints);
        let (broken, part) = self.text(line, true);
        let expected = match (header.error, part.separator) {
            (Some(mut pattern), Some(separator)) => {
                let text = self.error_text(separator);
                wrong = wrong.or(add_text(&mut pattern, &text));
                QueryExpectation::Error(pattern)
            }
            (Some(pattern), None) => QueryExpectation::Error(pattern),
            (None, Some(_)) => rows_or_hash(self.values()),
            (None, None) => {
                self.note(line, &[LintKind::NoSeparator]);
                QueryExpectation::Rows(Block { raw: &[], comments: Comments::Kept })
            }
        };
        let wrong = wrong.map(|text| self.defect(line, text, DefectEffect::SqlRuns));
        let defect = broken.or(wrong);
        let kind = RecordKind::Query(Query {
            sql: part.text,
            types: header.types,
            sort: header.sort,
            label: header.label,
            expected,
            layout: Layout::Default,
            shows_names: false,
        });
        RsContents { kind, retry: header.retry, defect }
    }

    fn assignment(&mut self, line: Line<'s>, words: &[&'s [u8]]) -> RsContents<'s> {
        // The names are separated by commas, which may have blanks around them.
        let end = |word: &&'s [u8]| word.as_ptr().addr() - line.text.as_ptr().addr() + word.len();
        let start = words.first().map_or(0, |word| end(word) - word.len());
        let list = &line.text[start..words.last().map_or(start, end)];
        let names: Vec<&[u8]> = list
            .split(|&byte| byte == b',')
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty())
            .collect();
        let wrong = match names.iter().find(|name| !is_name(name)) {
            Some(name) => Some(format!("expected names of variables after `let`, found `{}`", text_of(name))),
            None if names.is_empty() => {
                Some("expected names of variables after `let`, found nothing".to_owned())
            }
            None => None,
        };
        let (broken, part) = self.text(line, false);
        let wrong = wrong.map(|text| self.defect(line, text, DefectEffect::Dropped));
        let kind = RecordKind::Let(Let { names, sql: part.text });
        RsContents { kind, retry: None, defect: broken.or(wrong) }
    }

    fn system(&mut self, line: Line<'s>, words: &[&'s [u8]]) -> RsContents<'s> {
        let mut words = words;
        let lints = take_async(&mut words, self.rules);
        self.note(line, &lints);
        let (retry, wrong) = match words {
            [b"ok", behind @ ..] => {
                retry(behind, self.rules).map_or_else(|text| (None, Some(text)), |retry| (retry, None))
            }
            _ => {
                let found = text_of(&joined(words));
                (None, Some(format!("expected `ok` after `system`, found `{found}`")))
            }
        };
        let (broken, part) = self.text(line, true);
        let stdout = part.separator.map(|_| self.reader.lines_to_two_empty());
        let wrong = wrong.map(|text| self.defect(line, text, DefectEffect::Dropped));
        let kind = RecordKind::System(System { command: part.text, stdout });
        RsContents { kind, retry, defect: broken.or(wrong) }
    }

    /// Takes the SQL or the command of a record, with its defect.
    fn text(&mut self, header: Line<'s>, separator: bool) -> (Option<Box<Defect>>, TextPart<'s>) {
        let ends = self.rules.flavor.headers_end_sql;
        let part = self
            .reader
            .text_block(TextEnd { separator, header: |line: &Line<'s>| ends && ends_sql(line.text) });
        let Some(first) = part.first else {
            let found = "the end of the file".into();
            let kind = ParseErrorKind::MissingSql { found };
            return (Some(self.reader.defect(header, kind, DefectEffect::Dropped)), part);
        };
        if self.rules.exact {
            return (None, part);
        }
        if first.text == SEPARATOR {
            self.note(first, &[LintKind::SeparatorInSql]);
        }
        let defect = part.header.map(|line| {
            // The text behind it was not meant to be SQL of this record.
            let kind = ParseErrorKind::HeaderInSql { found: text_of(line.text.trim_ascii()) };
            self.reader.defect(line, kind, DefectEffect::Dropped)
        });
        (defect, part)
    }

    /// Takes the lines of a result.
    fn values(&mut self) -> Block<'s> {
        let (profile, mut headers) = (self.reader.profile, Vec::new());
        let span = self.reader.span_while(|line| {
            if is_header(*line, profile) {
                headers.push(*line);
            }
            !line.text.is_empty()
        });
        headers.iter().for_each(|&line| self.note(line, &[LintKind::HeaderInValues]));
        Block { raw: &self.reader.source.bytes()[span], comments: Comments::Kept }
    }

    /// Takes the text of an expected error.
    fn error_text(&mut self, separator: Line<'s>) -> Block<'s> {
        let text = self.reader.lines_to_two_empty();
        self.look_for_headers(separator, &text);
        text
    }

    /// Warns about records glued to an expectation.
    fn look_for_headers(&mut self, separator: Line<'s>, block: &Block<'s>) {
        if self.rules.exact {
            return;
        }
        for (number, text) in (separator.number + 1..).zip(block.lines()) {
            let line = Line { number, text, ..separator };
            if is_header(line, self.reader.profile) {
                self.note(line, &[LintKind::HeaderInValues]);
            }
        }
    }

    fn note(&mut self, line: Line<'s>, kinds: &[LintKind]) {
        if !self.rules.exact {
            self.reader.lints.extend(kinds.iter().map(|&kind| Lint { line: line.number, kind }));
        }
    }

    fn defect(&self, line: Line<'s>, text: impl Into<String>, effect: DefectEffect) -> Box<Defect> {
        self.reader.defect(line, ParseErrorKind::Other { text: text.into() }, effect)
    }
}

const KEYWORDS: &str = "statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt";

const SEPARATOR_IN_STATEMENT: &str =
    "expected SQL or an empty line, found `----`, which stands only below queries and expected errors";

/// Adds the text below `----` to the expected error of the header; returns what is wrong.
fn add_text<'s>(pattern: &mut ErrorPattern<'s>, text: &Block<'s>) -> Option<String> {
    if *pattern == ErrorPattern::Any {
        *pattern = ErrorPattern::Exact(block_text(text));
        return None;
    }
    Some("expected an error behind `error` or below `----`, found both".to_owned())
}

/// Returns whether a variable can have this name.
fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Cuts off a comment that has white space in front of it, as the fork of VibeSQL does.
fn without_comment(line: &[u8]) -> &[u8] {
    let at = memchr::memchr(b'#', line).filter(|&at| at > 0 && is_space(line[at - 1]));
    at.map_or(line, |at| &line[..at])
}

/// The beginnings of lines that end SQL in the fork of VibeSQL; of `halt` also as a part of a word.
const ENDS_OF_SQL: [&[u8]; 13] = [
    b"statement ",
    b"query ",
    b"system ",
    b"include ",
    b"halt",
    b"subtest ",
    b"sleep ",
    b"skipif ",
    b"onlyif ",
    b"connection ",
    b"hash-threshold ",
    b"control ",
    b"#",
];

fn ends_sql(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    matches!(line.first(), Some(b's' | b'q' | b'i' | b'h' | b'o' | b'c' | b'#'))
        && ENDS_OF_SQL.iter().any(|beginning| line.starts_with(beginning))
}

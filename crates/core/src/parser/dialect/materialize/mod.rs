//! The dialect of Materialize.
//!
//! It has the records of SQLite's and CockroachDB's files, and a `mode` that tells how results are written: a value on
//! each line, or a row on each line with `␠` for a blank in a value.

mod command;
mod query;

use std::borrow::Cow;

pub(super) use self::command::begins_record;
use super::super::error::{LintKind, ParseErrorKind};
use super::super::grammar::{Body, Reader, SEPARATOR};
use super::super::header::is_header;
use super::super::lines::{Line, is_space};
use super::super::record::{DefectEffect, ErrorPattern, Record, RecordKind, Statement, StatementExpectation};
use super::super::text::Sql;
use super::reading::{
    HeaderWords, RecordPrefix, dropped, error_pattern, in_words, lint, missing_sql, runs_sql, take_sql,
};
use super::{BlankLines, ColumnRule, Matcher, Profile, Renderer, SQLITE, VariableSyntax};
use crate::location::text_of;

/// The dialect of Materialize, strict.
pub static MATERIALIZE: Profile = Profile {
    name: "materialize",
    read_record,
    has_usual_records: false,
    blank_lines: BlankLines::WhiteSpace,
    indented_comments: true,
    renderer: Renderer::Materialize,
    matcher: Matcher::Materialize,
    columns: ColumnRule::Count,
    variables: VariableSyntax::None,
    default_threshold: 0,
    ..SQLITE
};

/// The dialect of Materialize, exactly as its own runner reads it.
pub static MATERIALIZE_EXACT: Profile =
    Profile { refuses_unused_text: false, exact: true, labels_compare: false, ..MATERIALIZE };

const KNOWN: &str = "statement, query, simple, mode, skipif, onlyif, copy, reset-server, halt, subtest, user";

fn read_record<'s>(reader: &mut Reader<'s>, first: Line<'s>) -> Record<'s> {
    let mut prefix = RecordPrefix::default();
    let mut last = first;
    loop {
        let Some(line) = take_line(reader, !prefix.is_empty()) else {
            let found = if reader.lines.peek().is_some() { "a blank line" } else { "the end of the file" };
            let kind = ParseErrorKind::ConditionWithoutRecord { found: found.into() };
            let defect = reader.defect(last, kind, DefectEffect::Dropped);
            return prefix.into_record(reader, first, last, (RecordKind::Unknown, Some(defect)));
        };
        last = line;
        let text = without_comment(line.text, reader.profile.exact);
        let words = HeaderWords::at_blanks(reader, line, text);
        if prefix.add_condition(reader, &words) {
            words.release(reader);
            continue;
        }
        if words.len() > 1 && words.get(1).is_empty() {
            let text = "expected single blanks between the words of a header, found more";
            prefix.refuse(reader, &words, in_words(text));
        }
        let body = body(reader, &words, &mut prefix);
        words.release(reader);
        return prefix.into_record(reader, first, line, body);
    }
}

/// Takes the next line of a record that is not a comment. Its own runner lets conditions wait across blank lines.
fn take_line<'s>(reader: &mut Reader<'s>, waits: bool) -> Option<Line<'s>> {
    loop {
        let line = reader.lines.peek()?;
        let is_blank = line.is_blank();
        if is_blank && !(waits && reader.profile.exact) {
            return None;
        }
        reader.lines.take();
        if !is_blank && !reader.profile.is_comment(&line) {
            return Some(line);
        }
    }
}

/// Returns a header without its comment. Its own runner cuts at every `#`, which shortens patterns that contain one.
fn without_comment(text: &[u8], exact: bool) -> &[u8] {
    let begins_comment = |at: usize| {
        let before = text[..at].last();
        let behind = text.get(at + 1);
        exact || before.is_none_or(|&byte| is_space(byte)) && behind.is_none_or(|&byte| is_space(byte))
    };
    let end = memchr::memchr_iter(b'#', text).find(|&at| begins_comment(at));
    text[..end.unwrap_or(text.len())].trim_ascii()
}

fn body<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>, prefix: &mut RecordPrefix<'s>) -> Body<'s> {
    match words.get(0) {
        b"statement" => statement(reader, words),
        b"query" => query::read(reader, words),
        b"simple" => query::read_simple(reader, words, prefix),
        _ => command::read(reader, words),
    }
}

/// Takes SQL up to an empty line. A `----` at its end has no effect, but a result behind it would never be compared.
fn sql<'s>(reader: &mut Reader<'s>) -> (Sql<'s>, Option<ParseErrorKind>) {
    let profile = reader.profile;
    let is_strange = |line: &Line<'s>| profile.refuses_unused_text && is_header(*line, profile);
    // In front of SQL the separator is a comment of it.
    let start = reader.offset();
    let separates = |line: &Line<'s>| line.text == SEPARATOR && line.start > start;
    let sql = take_sql(reader, |line| {
        line.text.is_empty() || is_strange(line) || profile.refuses_unused_text && separates(line)
    });
    let mut defect = None;
    if let Some(line) = reader.lines.peek().filter(|line| !line.text.is_empty()) {
        if is_strange(&line) {
            defect = Some(ParseErrorKind::HeaderInSql { found: text_of(line.text.trim_ascii()) });
        } else {
            lint(reader, line, LintKind::SeparatorWithoutResult);
            reader.lines.take();
            let behind = reader.span_while(|line| !line.text.is_empty());
            defect = (!behind.is_empty()).then_some(ParseErrorKind::SeparatorInStatement);
            if defect.is_some() {
                reader.lints.pop();
            }
        }
    }
    if sql.is_empty() {
        defect = defect.or_else(|| Some(missing_sql(reader)));
    }
    (sql, defect)
}

fn statement<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let strict = !reader.profile.exact;
    let (expected, kind) = match words.get(1) {
        b"ok" | b"OK" => (StatementExpectation::Ok, words.unused(2).filter(|_| strict)),
        b"error" => match pattern(words, reader.profile.exact) {
            Ok(pattern) => (StatementExpectation::Error(pattern), None),
            Err(kind) => (StatementExpectation::Error(ErrorPattern::Any), Some(kind)),
        },
        b"count" => match std::str::from_utf8(words.get(2)).ok().and_then(|word| word.parse().ok()) {
            Some(count) => (StatementExpectation::Count(count), words.unused(3).filter(|_| strict)),
            None => {
                let found = text_of(words.get(2));
                let text = format!("expected a number after `statement count`, found `{found}`");
                (StatementExpectation::Ok, Some(in_words(text)))
            }
        },
        word => {
            let found = if word.is_empty() { "nothing".to_owned() } else { format!("`{}`", text_of(word)) };
            (StatementExpectation::Ok, Some(ParseErrorKind::StatementExpectation { found }))
        }
    };
    if expected == StatementExpectation::Error(ErrorPattern::Any) && kind.is_none() {
        lint(reader, words.line, LintKind::AnyError);
    }
    let effect = runs_sql(reader);
    let mut defect = kind.map(|kind| reader.defect(words.line, kind, effect));
    let (sql, kind) = sql(reader);
    if let Some(kind) = kind {
        let effect = if sql.is_empty() { dropped(reader) } else { effect };
        defect.get_or_insert_with(|| reader.defect(words.line, kind, effect));
    }
    (RecordKind::Statement(Statement { sql, expected }), defect)
}

/// Reads the pattern after `statement error` or `query error`. Its own runner does not compare the code before it.
fn pattern<'s>(words: &HeaderWords<'s>, exact: bool) -> Result<ErrorPattern<'s>, ParseErrorKind> {
    let has_code = words.get(2) == b"pgcode" && words.len() > 3;
    let text = words.rest(if has_code { 4 } else { 2 }).trim_ascii_start();
    let code = Some(words.get(3)).filter(|_| has_code && !exact);
    let text: Cow<'s, str> = String::from_utf8_lossy(text);
    error_pattern(code, text)
}

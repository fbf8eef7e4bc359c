//! The dialect of CockroachDB.
//!
//! Its runner reads a file line by line: conditions, `repeat` and `retry` wait for the next statement or query, and a
//! command of one line needs no blank line behind it.

mod command;
mod pattern;
mod query;

pub(super) use query::{partial_sort, sort_defect, split_options};

use super::super::error::ParseErrorKind;
use super::super::grammar::{Body, Reader, SEPARATOR};
use super::super::header::is_header;
use super::super::lines::{Line, is_space, without_indent};
use super::super::record::{
    DefectEffect, ErrorPattern, MissingAbility, Record, RecordKind, Statement, StatementExpectation,
};
use super::super::text::Sql;
use super::reading::{
    HeaderWords, RecordPrefix, dropped, in_words, missing_sql, runs_sql, take_separator, take_sql,
};
use super::{BlankLines, ColumnRule, LabelLimits, Matcher, Profile, Renderer, SQLITE, VariableSyntax};
use crate::location::text_of;

/// The dialect of CockroachDB, strict.
pub static COCKROACH: Profile = Profile {
    name: "cockroach",
    read_record,
    has_usual_records: false,
    blank_lines: BlankLines::WhiteSpace,
    indented_comments: true,
    renderer: Renderer::Cockroach,
    matcher: Matcher::Cockroach,
    columns: ColumnRule::Type,
    variables: VariableSyntax::Dollar,
    default_threshold: 0,
    label_limits: LabelLimits { executed: usize::MAX, skipped: 0 },
    ..SQLITE
};

/// The dialect of CockroachDB, exactly as its own runner reads it.
pub static COCKROACH_EXACT: Profile = Profile { refuses_unused_text: false, exact: true, ..COCKROACH };

const KNOWN: &str = "statement, query, let, user, subtest, sleep, skipif, onlyif, repeat, retry, skip";

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
        let words = HeaderWords::new(reader, line);
        if prefix.add_condition(reader, &words) || command::add_repetition(&mut prefix, reader, &words) {
            words.release(reader);
            continue;
        }
        if !prefix.is_empty() && !matches!(words.get(0), b"statement" | b"query") {
            let found = text_of(words.get(0));
            let text = format!("expected a statement or query after the condition, found `{found}`");
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

fn body<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>, prefix: &mut RecordPrefix<'s>) -> Body<'s> {
    if words.len() == 2 && words.get(1) == b"error" {
        let sql = sql(reader, words, true);
        take_separator(reader);
        reader.span_while(|line| !line.is_blank());
        let kind =
            in_words(format!("expected a pattern after `{} error`, found nothing", text_of(words.get(0))));
        let defect = reader.defect(words.line, kind, runs_sql(reader));
        let expected = StatementExpectation::Error(ErrorPattern::Any);
        return (RecordKind::Statement(Statement { sql: sql.sql, expected }), Some(defect));
    }
    match words.get(0) {
        b"statement" => statement(reader, words, prefix),
        b"query" => query::read(reader, words, prefix),
        _ => command::read(reader, words, prefix),
    }
}

/// Returns whether a line ends SQL and values: the runner cuts the file there before it reads anything else.
fn begins_subtest(line: &Line<'_>) -> bool {
    let behind = without_indent(line.text).strip_prefix(b"subtest");
    behind.is_some_and(|behind| behind.first().is_none_or(|&byte| is_space(byte)))
}

/// SQL with its defect.
struct SqlText<'s> {
    sql: Sql<'s>,
    defect: Option<ParseErrorKind>,
}

/// Takes SQL up to an empty line, or to the separator of a result.
fn sql<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>, separates: bool) -> SqlText<'s> {
    let profile = reader.profile;
    let is_strange = |line: &Line<'s>| profile.refuses_unused_text && is_header(*line, profile);
    let sql = take_sql(reader, |line| match without_indent(line.text).first() {
        None => line.text.is_empty(),
        Some(b'-') => line.text.trim_ascii() == SEPARATOR,
        Some(_) => begins_subtest(line) || is_strange(line),
    });
    let mut defect = None;
    if let Some(line) = reader.lines.peek().filter(|line| !line.text.is_empty() && !begins_subtest(line)) {
        if is_strange(&line) {
            defect = Some(ParseErrorKind::HeaderInSql { found: text_of(line.text.trim_ascii()) });
        } else if !separates {
            defect = Some(ParseErrorKind::SeparatorInStatement);
        } else if line.text != SEPARATOR {
            defect = Some(ParseErrorKind::BlanksAroundSeparator { found: text_of(line.text) });
        }
        if defect.is_some() && !is_strange(&line) {
            reader.span_while(|line| !line.is_blank());
        }
    }
    if defect.is_none() && sql.is_empty() && words.get(0) != b"copy" {
        defect = Some(missing_sql(reader));
    }
    SqlText { sql, defect }
}

fn statement<'s>(
    reader: &mut Reader<'s>,
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
) -> Body<'s> {
    let (expected, kind) = expectation(reader, words, prefix);
    let mut defect = kind.map(|kind| reader.defect(words.line, kind, runs_sql(reader)));
    let text = sql(reader, words, false);
    if let Some(kind) = text.defect {
        let effect = if text.sql.is_empty() { dropped(reader) } else { runs_sql(reader) };
        defect.get_or_insert_with(|| reader.defect(words.line, kind, effect));
    }
    (RecordKind::Statement(Statement { sql: text.sql, expected }), defect)
}

/// Reads what follows `statement` in the header.
fn expectation<'s>(
    reader: &Reader<'s>,
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
) -> (StatementExpectation<'s>, Option<ParseErrorKind>) {
    let ok = StatementExpectation::Ok;
    let strict = !reader.profile.exact;
    match words.get(1) {
        b"error" => match pattern::read(words, reader.profile.exact) {
            Ok(pattern) => (StatementExpectation::Error(pattern), None),
            Err(kind) => (StatementExpectation::Error(ErrorPattern::Any), Some(kind)),
        },
        b"count" => match std::str::from_utf8(words.get(2)).ok().and_then(|word| word.parse().ok()) {
            Some(count) => (StatementExpectation::Count(count), words.unused(3).filter(|_| strict)),
            None => {
                let found = text_of(words.get(2));
                (ok, Some(in_words(format!("expected a number after `statement count`, found `{found}`"))))
            }
        },
        b"notice" => {
            prefix.options.missing = Some(MissingAbility { name: "the text of notices", runs_sql: true });
            (ok, None)
        }
        b"async" if words.len() > 2 => {
            prefix.options.missing = Some(ASYNC);
            (ok, None)
        }
        word if word.is_empty() || word.eq_ignore_ascii_case(b"ok") => {
            (ok, words.unused(2).filter(|_| strict))
        }
        word => {
            let found = format!("`{}`", text_of(word));
            (ok, strict.then_some(ParseErrorKind::StatementExpectation { found }))
        }
    }
}

/// A record that goes on while later ones are executed. In its place it could wait for one of them for ever.
const ASYNC: MissingAbility = MissingAbility { name: "executing a record beside others", runs_sql: false };

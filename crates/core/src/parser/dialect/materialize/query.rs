//! `query` and `simple`, with their options and results.

use super::super::super::error::{LintKind, ParseErrorKind};
use super::super::super::grammar::{Body, Reader, SEPARATOR};
use super::super::super::lines::{Line, LineCursor};
use super::super::super::record::{
    ConnectionName, ErrorPattern, Layout, MissingAbility, Query, QueryExpectation, RecordKind, SortMode,
};
use super::super::super::text::{Block, Comments, HashLine, Sql};
use super::super::cockroach::{partial_sort, sort_defect, split_options};
use super::super::reading::{
    HeaderWords, RecordPrefix, dropped, in_words, lint, runs_sql, take_block, take_separator, take_sql,
};
use super::{command, pattern, sql};
use crate::location::text_of;

const TYPE_LETTERS: &[u8] = b"TIRBO";

/// What the options of a query say.
#[derive(Default)]
struct MaterializeOptions {
    sort: Option<SortMode>,
    shows_names: bool,
    is_multiline: bool,
}

pub(super) fn read<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    if words.get(1) == b"error" {
        return failing(reader, words);
    }
    let types = words.get(1);
    let mut kind = type_defect(types);
    let options = match query_options(words.get(2)) {
        Ok(options) => options,
        Err(found) => {
            kind = kind.or(Some(found));
            MaterializeOptions::default()
        }
    };
    let alone = options.sort.is_none() && !options.shows_names && types == b"T";
    if options.is_multiline && !alone {
        let text = "expected `query T multiline` without another option";
        kind = kind.or_else(|| Some(in_words(text)));
    }
    kind = kind.or_else(|| sort_defect(options.sort, types));
    kind = kind.or(words.unused(4).filter(|_| !reader.profile.exact));
    let label = Some(words.get(3)).filter(|label| !label.is_empty());
    if label.is_some_and(|label| query_options(label).is_ok()) {
        lint(reader, words.line, LintKind::OptionAsLabel);
    }
    let (sql, missing) = separated_sql(reader, words);
    // Without a separator the SQL is not known.
    let effect = if missing.is_some() || kind.is_some() { dropped(reader) } else { runs_sql(reader) };
    let has_result = missing.is_none();
    kind = missing.or(kind);
    let (sort, shows_names) = (options.sort, options.shows_names);
    let mut expected = QueryExpectation::Rows(Block { raw: &[], comments: Comments::Kept });
    if has_result && options.is_multiline {
        let (text, missing) = text_block(reader);
        kind = kind.or(missing);
        expected = QueryExpectation::Rows(text);
    } else if has_result {
        let values = take_block(reader, |line| line.text.is_empty());
        let hash = if reader.profile.exact { any_hash(values) } else { single_hash(values) };
        expected = hash.map_or(QueryExpectation::Rows(values), QueryExpectation::Hash);
    }
    let layout = if options.is_multiline { Layout::Text } else { Layout::Default };
    let query = Query { sql, types, sort, label, expected, layout, shows_names };
    (RecordKind::Query(query), kind.map(|kind| reader.defect(words.line, kind, effect)))
}

fn type_defect(types: &[u8]) -> Option<ParseErrorKind> {
    // Without letters the result has no columns.
    let letter = types.iter().find(|letter| !TYPE_LETTERS.contains(letter))?;
    let (letter, found) = (char::from(*letter), text_of(types));
    Some(in_words(format!("expected the type letters T, I, R, B or O, found `{letter}` in `{found}`")))
}

/// Reads a query that fails; `----` has no meaning in it.
fn failing<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let (pattern, wrong) = match pattern(words, reader.profile.exact) {
        Ok(pattern) => (pattern, None),
        Err(kind) => (ErrorPattern::Any, Some(kind)),
    };
    if pattern == ErrorPattern::Any && wrong.is_none() {
        lint(reader, words.line, LintKind::AnyError);
    }
    let (sql, kind) = sql(reader);
    let effect = if sql.is_empty() { dropped(reader) } else { runs_sql(reader) };
    let defect = wrong.or(kind).map(|kind| reader.defect(words.line, kind, effect));
    let query = Query {
        sql,
        types: b"",
        sort: None,
        label: None,
        expected: QueryExpectation::Error(pattern),
        layout: Layout::Default,
        shows_names: false,
    };
    (RecordKind::Query(query), defect)
}

/// Takes SQL up to the next separator, across empty lines. A record behind an empty line is not SQL: its own runner
/// would take it, and the separator in it.
fn separated_sql<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> (Sql<'s>, Option<ParseErrorKind>) {
    let end = end_of_sql(reader);
    let sql = take_sql(reader, |line| line.start >= end);
    if take_separator(reader).is_none() {
        let kind =
            format!("expected `----` after the SQL of a `{}` record, found none", text_of(words.get(0)));
        return (sql, Some(in_words(kind)));
    }
    let kind = sql.is_empty().then(|| {
        reader.span_while(|line| !line.text.is_empty());
        ParseErrorKind::MissingSql { found: "`----`".into() }
    });
    (sql, kind)
}

/// Returns the offset of the separator, or of the empty line before the next record.
fn end_of_sql(reader: &Reader<'_>) -> usize {
    let mut cursor: LineCursor<'_> = reader.lines.clone();
    let mut last_empty = None;
    while let Some(line) = cursor.take() {
        if line.text == SEPARATOR {
            return line.start;
        } else if line.text.is_empty() {
            last_empty = last_empty.or(Some(line.start));
        } else if let Some(empty) = last_empty {
            if !reader.profile.exact && (line.is_comment() || command::begins_record(line.text)) {
                return empty;
            }
            last_empty = None;
        }
    }
    last_empty.unwrap_or(reader.source.bytes().len())
}

/// The line that ends a text of several lines.
const END_OF_TEXT: &[u8] = b"EOF";

/// Takes the lines of one value, up to `EOF`.
fn text_block<'s>(reader: &mut Reader<'s>) -> (Block<'s>, Option<ParseErrorKind>) {
    let text = take_block(reader, |line| line.text == END_OF_TEXT);
    let end = reader.lines.take();
    (text, end.is_none().then(|| in_words("expected `EOF` after the text, found the end of the file")))
}

/// Returns the hash on the only line of a result.
fn single_hash(values: Block<'_>) -> Option<HashLine> {
    values.leading_hash().filter(|_| values.lines().nth(1).is_none())
}

/// Returns the first hash anywhere in a result, which is not compared otherwise.
fn any_hash(values: Block<'_>) -> Option<HashLine> {
    const MIDDLE: &[u8] = b" values hashing to ";
    values.lines().find_map(|line| {
        let at = memchr::memmem::find(line, MIDDLE)?;
        let count = line[..at].rsplit(|&byte| byte == b' ').next()?;
        let digest = line[at + MIDDLE.len()..].split(|&byte| byte == b' ').next()?;
        HashLine::parse(&[count, MIDDLE, digest].concat())
    })
}

fn query_options(text: &[u8]) -> Result<MaterializeOptions, ParseErrorKind> {
    let mut options = MaterializeOptions::default();
    for option in split_options(text).filter(|option| !option.is_empty()) {
        match option {
            b"colnames" => options.shows_names = true,
            b"multiline" => options.is_multiline = true,
            _ => match SortMode::from_word(option).or_else(|| partial_sort(option)) {
                Some(sort) => options.sort = Some(sort),
                None => return Err(ParseErrorKind::SortMode { found: text_of(option) }),
            },
        }
    }
    Ok(options)
}

/// Reads `simple [OPTIONS]`: everything that statements answer, as text.
pub(super) fn read_simple<'s>(
    reader: &mut Reader<'s>,
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
) -> Body<'s> {
    let mut options = MaterializeOptions::default();
    let (mut name, mut user, mut kind) = (None, None, words.unused(2).filter(|_| !reader.profile.exact));
    for option in words.get(1).split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
        if let Some(found) = option.strip_prefix(b"conn=") {
            name = Some(found);
        } else if let Some(found) = option.strip_prefix(b"user=") {
            user = Some(found);
        } else if option.starts_with(b"password=") {
            prefix.options.missing = Some(MissingAbility::PASSWORD);
        } else if option == b"multiline" {
            options.is_multiline = true;
        } else if let Some(sort) = SortMode::from_word(option) {
            options.sort = Some(sort);
        } else {
            let found = text_of(option);
            let text = format!("expected an option as `conn=NAME` or `user=NAME`, found `{found}`");
            kind = kind.or_else(|| Some(in_words(text)));
        }
    }
    if name.is_some() || user.is_some() {
        let name = name.unwrap_or_default();
        prefix.options.connection = Some(ConnectionName { name, user });
    }
    let (sql, missing) = separated_sql(reader, words);
    let has_result = missing.is_none();
    kind = missing.or(kind);
    let mut lines = Block { raw: &[], comments: Comments::Kept };
    if has_result {
        let start = reader.offset();
        if options.is_multiline {
            let (_, missing) = text_block(reader);
            kind = kind.or(missing);
        }
        let end = reader.span_while(|line: &Line<'_>| !line.text.is_empty()).end;
        lines = Block { raw: &reader.source.bytes()[start..end], comments: Comments::Kept };
    }
    let effect = dropped(reader);
    let query = Query {
        sql,
        types: b"",
        sort: options.sort,
        label: None,
        expected: QueryExpectation::Rows(lines),
        layout: Layout::Transcript { multiline: options.is_multiline },
        shows_names: false,
    };
    (RecordKind::Query(query), kind.map(|kind| reader.defect(words.line, kind, effect)))
}

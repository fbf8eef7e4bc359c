//! Queries, with their options and results.

use super::super::super::error::{LintKind, ParseErrorKind};
use super::super::super::grammar::{Body, Reader};
use super::super::super::lines::{Line, is_space, words_of};
use super::super::super::record::{
    ErrorPattern, Layout, MissingAbility, Query, QueryExpectation, RecordKind, RetryRule, SortMode,
};
use super::super::super::text::{Block, Comments, HashLine};
use super::super::reading::{
    HeaderWords, RecordPrefix, dropped, in_words, lint, runs_sql, take_block, take_separator,
};
use super::{ASYNC, SqlText, begins_subtest, command, pattern, sql};
use crate::location::text_of;

/// The type letters; `_` stands for a column that is not compared.
const TYPE_LETTERS: &[u8] = b"TIFRBO_";

/// What the options of a query say.
#[derive(Default)]
struct CockroachOptions {
    sort: Option<SortMode>,
    shows_names: bool,
    retry: Option<RetryRule<'static>>,
    digits: Option<u8>,
    missing: Option<MissingAbility>,
}

pub(super) fn read<'s>(
    reader: &mut Reader<'s>,
    words: &HeaderWords<'s>,
    prefix: &mut RecordPrefix<'s>,
) -> Body<'s> {
    if words.get(1) == b"error" {
        return failing(reader, words);
    }
    let types = words.get(1);
    let mut problems = Problems::default();
    problems.set(type_defect(types).filter(|_| types.is_empty() || !reader.profile.exact));
    let options = match options(words.get(2)) {
        Ok(options) => options,
        Err(kind) => {
            problems.set(Some(kind));
            CockroachOptions::default()
        }
    };
    problems.set(sort_defect(options.sort, types));
    problems.set(words.unused(4).filter(|_| !reader.profile.exact));
    let label = Some(words.get(3)).filter(|label| !label.is_empty());
    if label.is_some_and(is_option) {
        lint(reader, words.line, LintKind::OptionAsLabel);
    }
    if options.missing == Some(ASYNC) && label.is_none() {
        problems.set(Some(in_words("expected a name for the asynchronous query after its options")));
    }
    let (sort, shows_names) = (options.sort, options.shows_names);
    let own = &mut prefix.options;
    (own.retry, own.digits) = (own.retry.or(options.retry), options.digits);
    own.missing = own.missing.or(options.missing);
    let SqlText { sql, defect } = sql(reader, words, true);
    let is_dropped = sql.is_empty() || !problems.is_empty();
    problems.set(defect);
    let expected = match take_separator(reader) {
        Some(_) => result(reader, types.len(), sort, &mut problems),
        None if label.is_some() => QueryExpectation::Label,
        None => {
            if problems.is_empty() {
                lint(reader, words.line, LintKind::NoSeparator);
            }
            QueryExpectation::Rows(Block { raw: &[], comments: Comments::Kept })
        }
    };
    let effect = if is_dropped { dropped(reader) } else { runs_sql(reader) };
    let defect = problems.first.map(|kind| reader.defect(words.line, kind, effect));
    let layout = Layout::Default;
    (RecordKind::Query(Query { sql, types, sort, label, expected, layout, shows_names }), defect)
}

/// The first defect of a query.
#[derive(Default)]
struct Problems {
    first: Option<ParseErrorKind>,
}

impl Problems {
    fn set(&mut self, kind: Option<ParseErrorKind>) {
        self.first = self.first.take().or(kind);
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

fn type_defect(types: &[u8]) -> Option<ParseErrorKind> {
    if types.is_empty() {
        return Some(in_words("expected a type letter for each column after `query`, found nothing"));
    }
    let letter = types.iter().find(|letter| !TYPE_LETTERS.contains(letter))?;
    let (letter, found) = (char::from(*letter), text_of(types));
    Some(in_words(format!("expected the type letters T, I, F, R, B, O or _, found `{letter}` in `{found}`")))
}

/// Reads a query that fails. A result of it would never be compared.
fn failing<'s>(reader: &mut Reader<'s>, words: &HeaderWords<'s>) -> Body<'s> {
    let mut problems = Problems::default();
    let pattern = pattern::read(words, reader.profile.exact).unwrap_or_else(|kind| {
        problems.set(Some(kind));
        ErrorPattern::Any
    });
    let SqlText { sql, defect } = sql(reader, words, true);
    let effect = if sql.is_empty() { dropped(reader) } else { runs_sql(reader) };
    problems.set(defect);
    if take_separator(reader).is_some() {
        let values = take_block(reader, ends_result);
        if let Some(line) = values.lines().next().filter(|_| !reader.profile.exact) {
            let found = text_of(line);
            problems.set(Some(in_words(format!(
                "expected nothing after the `----` of a query that fails, found `{found}`"
            ))));
        }
    }
    let defect = problems.first.map(|kind| reader.defect(words.line, kind, effect));
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

fn ends_result(line: &Line<'_>) -> bool {
    line.is_blank() || begins_subtest(line)
}

/// Reads the lines of a result. With a sort mode the words of a line must be the values of a row.
fn result<'s>(
    reader: &mut Reader<'s>,
    columns: usize,
    sort: Option<SortMode>,
    problems: &mut Problems,
) -> QueryExpectation<'s> {
    if let Some(hash) = reader.lines.peek().and_then(|line| hash_line(line.text)) {
        reader.lines.take();
        // Its own runner takes lines after the hash for commands.
        if !reader.profile.exact {
            let behind = take_block(reader, ends_result);
            let found = behind.lines().next().map(text_of);
            problems.set(found.map(|found| ParseErrorKind::TextAfterHash { found }));
        }
        return QueryExpectation::Hash(hash);
    }
    let values = take_block(reader, ends_result);
    let is_sorted = sort.is_some_and(|sort| sort != SortMode::NoSort);
    if is_sorted && columns > 1 {
        let line = values.lines().find(|line| word_count(line) != columns);
        problems.set(line.map(|line| {
            let (found, line) = (word_count(line), text_of(line));
            in_words(format!(
                "expected {columns} words on a line of a sorted result, found {found} in `{line}`"
            ))
        }));
    }
    QueryExpectation::Rows(values)
}

/// Reads `N values hashing to H`, with hexadecimal digits of either case, or `1 value hashing to H`.
fn hash_line(line: &[u8]) -> Option<HashLine> {
    let mut words = words_of(line);
    let mut next = || words.next();
    let (Some(count), Some(b"value" | b"values"), Some(b"hashing"), Some(b"to"), Some(digest), None) =
        (next(), next(), next(), next(), next(), next())
    else {
        return None;
    };
    let line = [count, b"values hashing to", &digest.to_ascii_lowercase()].join(&b' ');
    HashLine::parse(&line)
}

/// Counts the words of a line by their first letters, which is faster than splitting it.
fn word_count(line: &[u8]) -> usize {
    let first = line.first().is_some_and(|&byte| !is_space(byte));
    let others = line.windows(2).filter(|pair| is_space(pair[0]) && !is_space(pair[1]));
    usize::from(first) + others.count()
}

fn is_option(word: &[u8]) -> bool {
    word.split(|&byte| byte == b',').all(|option| {
        SortMode::from_word(option).is_some() || matches!(option, b"colnames" | b"retry" | b"kvtrace")
    })
}

/// Reads the options of a query: words with commas between them.
fn options(text: &[u8]) -> Result<CockroachOptions, ParseErrorKind> {
    let mut options = CockroachOptions::default();
    for option in split_options(text).filter(|option| !option.is_empty()) {
        match option {
            b"colnames" => options.shows_names = true,
            b"retry" => options.retry = Some(command::RETRY),
            b"async" => options.missing = Some(ASYNC),
            b"noticetrace" => {
                options.missing = Some(MissingAbility { name: "the text of notices", runs_sql: true });
            }
            _ if option == b"kvtrace" || option.starts_with(b"kvtrace(") => {
                options.missing =
                    Some(MissingAbility { name: "the trace of a key-value store", runs_sql: true });
            }
            _ => {
                if let Some(sort) = SortMode::from_word(option).or_else(|| partial_sort(option)) {
                    options.sort = Some(sort);
                } else if let Some(digits) = rounding(option) {
                    options.digits = Some(digits);
                } else if let Some(node) = option.strip_prefix(b"nodeidx=") {
                    options.missing = options.missing.or(command::other_node(node)?);
                } else {
                    return Err(ParseErrorKind::SortMode { found: text_of(option) });
                }
            }
        }
    }
    Ok(options)
}

/// Splits at commas outside of parentheses.
pub(in super::super) fn split_options(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut depth = 0_u32;
    text.split(move |&byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b',' && depth == 0
    })
}

/// Returns the defect of a `partialsort` by a column that the result does not have.
pub(in super::super) fn sort_defect(sort: Option<SortMode>, types: &[u8]) -> Option<ParseErrorKind> {
    let Some(SortMode::PartialSort(mask)) = sort else { return None };
    let last = 64 - mask.leading_zeros() as usize;
    let columns = types.len();
    (last > columns)
        .then(|| in_words(format!("expected `partialsort` by columns up to {columns}, found {last}")))
}

/// Reads `partialsort(1,2)`, with columns counted from 1.
pub(in super::super) fn partial_sort(option: &[u8]) -> Option<SortMode> {
    let columns = option.strip_prefix(b"partialsort(")?.strip_suffix(b")")?;
    let mut mask = 0;
    for column in columns.split(|&byte| byte == b',') {
        let column: u32 = std::str::from_utf8(column).ok()?.parse().ok()?;
        mask |= 1_u64.checked_shl(column.checked_sub(1)?)?;
    }
    Some(SortMode::PartialSort(mask))
}

/// The number of digits that `round-in-strings` alone leaves.
const DEFAULT_DIGITS: u8 = 15;

fn rounding(option: &[u8]) -> Option<u8> {
    match option.strip_prefix(b"round-in-strings")? {
        b"" => Some(DEFAULT_DIGITS),
        digits => {
            let digits = std::str::from_utf8(digits.strip_prefix(b"=")?).ok()?.parse().ok()?;
            (1..=17).contains(&digits).then_some(digits)
        }
    }
}

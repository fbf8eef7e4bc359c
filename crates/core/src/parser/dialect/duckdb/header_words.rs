//! The words of a line: headers of this dialect have any number of them.

use crate::parser::SortMode;
use crate::parser::condition::{Comparison, ComparisonOperator, Condition, ConditionKind};
use crate::parser::header::TYPE_LETTERS;
use crate::parser::lines::{Line, words_of};

/// Returns the words of a line. A word that begins with `#` and everything behind it is left out on request: DuckDB's
/// runner reads it as words.
pub(super) fn header_words(line: Line<'_>, with_comment: bool) -> impl Iterator<Item = &[u8]> {
    words_of(line.text).take_while(move |word| with_comment || !word.starts_with(b"#"))
}

/// Returns the kind of the condition that a word begins.
pub(super) fn condition_kind(word: &[u8]) -> Option<ConditionKind> {
    match word {
        b"skipif" => Some(ConditionKind::SkipIf),
        b"onlyif" => Some(ConditionKind::OnlyIf),
        _ => None,
    }
}

/// Returns whether a line of SQL is the header of a record, as after a missing empty line.
pub(in crate::parser::dialect) fn is_header(line: Line<'_>) -> bool {
    // This decides for most lines.
    if !line.text.first().is_some_and(|first| b"sqoefclrh".contains(first)) {
        return false;
    }
    let mut words = header_words(line, false);
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let others = || words.count();
    match (first, second) {
        (b"statement", Some(kind)) => matches!(kind, b"ok" | b"error" | b"maybe" | b"debug"),
        (b"query", Some(types)) => types.iter().all(|letter| TYPE_LETTERS.contains(letter)) && others() <= 2,
        (b"skipif" | b"onlyif" | b"require" | b"require-env" | b"hash-threshold", Some(_)) => others() == 0,
        (b"endloop" | b"halt", None) => true,
        (b"loop" | b"concurrentloop", Some(_)) => others() == 2,
        (b"foreach" | b"concurrentforeach", Some(_)) => others() >= 1,
        _ => false,
    }
}

/// Parses the name of a sort mode.
pub(super) fn sort_mode(word: &[u8]) -> Option<SortMode> {
    match word {
        b"nosort" | b"none" => Some(SortMode::NoSort),
        b"rowsort" | b"sort" => Some(SortMode::RowSort),
        b"valuesort" => Some(SortMode::ValueSort),
        _ => None,
    }
}

/// Returns whether a connection is rather a misspelt sort mode.
pub(super) fn resembles_sort_mode(word: &[u8]) -> bool {
    [&b"nosort"[..], b"rowsort", b"valuesort"].iter().any(|mode| {
        let edges = |kept: usize| word.get(..kept) == mode.get(..kept) && word.last() == mode.last();
        word.len().abs_diff(mode.len()) <= 2 && edges(3)
    })
}

/// The operators of comparisons, in the order in which they are looked for.
const OPERATORS: [(&[u8], ComparisonOperator); 6] = [
    (b"<>", ComparisonOperator::NotEqual),
    (b">=", ComparisonOperator::GreaterOrEqual),
    (b">", ComparisonOperator::Greater),
    (b"<=", ComparisonOperator::LessOrEqual),
    (b"<", ComparisonOperator::Less),
    (b"=", ComparisonOperator::Equal),
];

/// Parses comparisons of loop variables, joined by `&&`: each is a condition of its own. `None` for an engine's name.
///
/// # Errors
///
/// The part of a condition that is not a comparison.
pub(super) fn comparisons<'s>(
    word: &'s [u8],
    kind: ConditionKind,
    line: u32,
) -> Option<Result<Vec<Condition<'s>>, &'s [u8]>> {
    memchr::memchr3(b'=', b'<', b'>', word)?;
    let comparison = |part: &'s [u8]| {
        let (operator, place) = OPERATORS.iter().find_map(|(text, operator)| {
            memchr::memmem::find(part, text).map(|place| ((*text, *operator), place))
        })?;
        let (name, value) = (&part[..place], &part[place + operator.0.len()..]);
        let is_whole =
            !name.is_empty() && !value.is_empty() && memchr::memmem::find(value, operator.0).is_none();
        let comparison = Some(Comparison { operator: operator.1, value });
        is_whole.then_some(Condition { kind, name, comparison, line })
    };
    Some(split(word, b"&&").map(|part| comparison(part).ok_or(part)).collect())
}

/// Splits text at a separator; empty parts are left out.
pub(super) fn split<'s>(text: &'s [u8], separator: &'static [u8]) -> impl Iterator<Item = &'s [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let place = memchr::memmem::find(text, separator);
        rest = place.map(|place| &text[place + separator.len()..]);
        Some(&text[..place.unwrap_or(text.len())])
    })
    .filter(|part| !part.is_empty())
}

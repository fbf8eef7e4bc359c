//! The words of the headers of statements and queries.

use super::RsFlavor;
use crate::location::text_of;
use crate::parser::blocks::{joined, number, retry_of, searched_error, sqlstate};
use crate::parser::error::LintKind;
use crate::parser::record::{ErrorPattern, RetryRule, SortMode, StatementExpectation};

/// What the header of a statement says.
pub(super) struct StatementHeader<'s> {
    pub(super) expected: StatementExpectation<'s>,
    pub(super) retry: Option<RetryRule<'s>>,
    pub(super) lints: Vec<LintKind>,
}

/// What the header of a query says.
#[derive(Default)]
pub(super) struct QueryHeader<'s> {
    pub(super) types: &'s [u8],
    pub(super) sort: Option<SortMode>,
    pub(super) label: Option<&'s [u8]>,
    pub(super) error: Option<ErrorPattern<'s>>,
    pub(super) retry: Option<RetryRule<'s>>,
    pub(super) lints: Vec<LintKind>,
}

/// How headers are read: the fork, and whether the gaps of its runner are reproduced.
#[derive(Clone, Copy)]
pub(super) struct RsRules {
    pub(super) flavor: &'static RsFlavor,
    pub(super) exact: bool,
}

/// Reads the words behind `statement`.
///
/// # Errors
///
/// What is wrong.
pub(super) fn statement<'s>(mut words: &[&'s [u8]], rules: RsRules) -> Result<StatementHeader<'s>, String> {
    let lints = take_async(&mut words, rules);
    let (expected, behind) = match words {
        [b"ok", behind @ ..] => (StatementExpectation::Ok, behind),
        [b"error", behind @ ..] => {
            let (pattern, behind) = expected_error(behind, rules)?;
            (StatementExpectation::Error(pattern), behind)
        }
        [b"count", count, behind @ ..] => {
            let number = number(count).ok_or_else(|| {
                format!("expected a number of rows after `count`, found `{}`", text_of(count))
            })?;
            (StatementExpectation::Count(number), behind)
        }
        other => {
            let found = found(other.first());
            return Err(format!("expected `ok`, `error` or `count N` after `statement`, found {found}"));
        }
    };
    Ok(StatementHeader { expected, retry: retry(behind, rules)?, lints })
}

/// Reads the words behind `query`.
///
/// # Errors
///
/// What is wrong.
pub(super) fn query<'s>(mut words: &[&'s [u8]], rules: RsRules) -> Result<QueryHeader<'s>, String> {
    let mut header = QueryHeader { lints: take_async(&mut words, rules), ..QueryHeader::default() };
    if let [b"error", behind @ ..] = words {
        let (pattern, behind) = expected_error(behind, rules)?;
        header.error = Some(pattern);
        header.retry = retry(behind, rules)?;
        return Ok(header);
    }
    // BusTub writes options with `+` behind the sort mode, and no types.
    let has_types = match words {
        [] => false,
        [first, ..] if rules.exact || !is_option(first) => {
            rules.exact
                || SortMode::from_word(first).is_none()
                || !words.get(1).is_some_and(|word| is_option(word))
        }
        _ => false,
    };
    if has_types && let [types, behind @ ..] = words {
        header.types = types;
        words = behind;
        if looks_like_sort_mode(types) {
            header.lints.push(LintKind::MisplacedSortMode);
        }
    }
    header.sort = words.first().and_then(|word| SortMode::from_word(word));
    words = &words[usize::from(header.sort.is_some())..];
    take_options(&mut words, &mut header, rules);
    if let [label, behind @ ..] = words
        && *label != b"retry"
    {
        header.label = Some(label);
        words = behind;
        if header.sort.is_none() && looks_like_sort_mode(label) {
            header.lints.push(LintKind::MisplacedSortMode);
        }
    }
    take_options(&mut words, &mut header, rules);
    header.retry = retry(words, rules)?;
    header.lints.dedup();
    Ok(header)
}

/// Takes the options of BusTub, which this runner does not check.
fn take_options(words: &mut &[&[u8]], header: &mut QueryHeader<'_>, rules: RsRules) {
    while let [option, behind @ ..] = *words
        && !rules.exact
        && is_option(option)
    {
        header.lints.push(LintKind::UncheckedOption);
        *words = behind;
    }
}

/// Takes the `async` of SereneDB, which this runner executes like other records.
pub(super) fn take_async(words: &mut &[&[u8]], rules: RsRules) -> Vec<LintKind> {
    match words {
        [b"async", behind @ ..] if !rules.exact => {
            *words = behind;
            vec![LintKind::ExecutedInOrder]
        }
        _ => Vec::new(),
    }
}

/// Reads the words behind `error`; returns those that are not a part of the pattern.
fn expected_error<'w, 's>(
    words: &'w [&'s [u8]],
    rules: RsRules,
) -> Result<(ErrorPattern<'s>, &'w [&'s [u8]]), String> {
    match words {
        // The message is below `----` then, or is not of interest.
        [b"retry", _, b"backoff", _] => Ok((ErrorPattern::Any, words)),
        [word] if rules.flavor.has_let && sqlstate(word).is_some() => {
            let code = sqlstate(word).unwrap_or_default();
            Ok((ErrorPattern::SqlState { code, message: Box::default() }, &[]))
        }
        _ => Ok((searched_error(words)?, &[])),
    }
}

/// Reads `retry N backoff DURATION`. SereneDB's fork replaces variables there.
///
/// # Errors
///
/// What is wrong.
pub(super) fn retry<'s>(words: &[&'s [u8]], rules: RsRules) -> Result<Option<RetryRule<'s>>, String> {
    let (attempts, backoff) = match words {
        [] => return Ok(None),
        [b"retry", attempts, b"backoff", backoff] => (attempts, backoff),
        [b"retry", ..] => {
            let found = text_of(&joined(words));
            return Err(format!("expected `retry N backoff DURATION`, found `{found}`"));
        }
        _ => return Err(format!("expected `retry` or nothing, found `{}`", text_of(&joined(words)))),
    };
    if !rules.exact && [*attempts, *backoff].iter().any(|word| word.starts_with(b"$")) {
        return Ok(Some(RetryRule::Variables { attempts, backoff }));
    }
    retry_of(attempts, backoff).map(|retry| Some(RetryRule::Fixed(retry)))
}

fn is_option(word: &[u8]) -> bool {
    word.starts_with(b"+")
}

/// Returns whether a word ends like a sort mode, or differs from one by at most one letter, apart from their order.
fn looks_like_sort_mode(word: &[u8]) -> bool {
    const MODES: [&[u8]; 3] = [b"nosort", b"rowsort", b"valuesort"];
    let has = |letter: &&u8| word.iter().any(|byte| byte.eq_ignore_ascii_case(letter));
    // This decides for nearly all words: at most one of these letters can be missing.
    if !(4..=10).contains(&word.len()) || b"sort".iter().filter(has).count() < 3 {
        return false;
    }
    let is_letter = |byte: &&u8| byte.is_ascii_alphabetic();
    if word.len() - word.iter().filter(is_letter).count() > 1 {
        return false;
    }
    let word = word.to_ascii_lowercase();
    let count = |text: &[u8], letter: u8| text.iter().filter(|byte| **byte == letter).count();
    let distance = |mode: &[u8]| -> usize {
        let letters = (b'a'..=b'z').map(|letter| count(&word, letter).abs_diff(count(mode, letter)));
        letters.sum::<usize>() + word.len() - word.iter().filter(is_letter).count()
    };
    word.ends_with(b"sort") || MODES.iter().any(|mode| distance(mode) <= 1)
}

/// Returns a word in backticks, or `nothing`.
pub(super) fn found(word: Option<&&[u8]>) -> String {
    word.map_or_else(|| "nothing".to_owned(), |word| format!("`{}`", text_of(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_sort_modes_are_recognised() {
        for word in ["rowsrot", "rowsort", "RowSort", "no_sort", "valuesor", "sort"] {
            assert!(looks_like_sort_mode(word.as_bytes()), "{word}");
        }
        for word in ["label-1", "I", "rows", "worst", "TT", "same", ""] {
            assert!(!looks_like_sort_mode(word.as_bytes()), "{word}");
        }
    }
}

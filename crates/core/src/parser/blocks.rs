//! Pieces of records that several dialects read in the same way.

use std::borrow::Cow;
use std::time::Duration;

use super::grammar::{Reader, SEPARATOR};
use super::header::is_header;
use super::lines::Line;
use super::record::{ErrorPattern, QueryExpectation, Retry};
use super::text::{Block, Comments, HashLine, Sql};
use crate::location::text_of;

/// The SQL or the command of a record, in which lines with `#` are text.
pub(super) struct TextPart<'s> {
    pub(super) text: Sql<'s>,
    /// The first line; `None` at the end of the file.
    pub(super) first: Option<Line<'s>>,
    /// The first of its lines that looks like a header.
    pub(super) header: Option<Line<'s>>,
    /// The separator that has ended it.
    pub(super) separator: Option<Line<'s>>,
}

/// The end of the text of a record, besides an empty line and the end of the file.
#[derive(Clone, Copy)]
pub(super) struct TextEnd<F> {
    /// Whether `----` ends it, and is not a part of it.
    pub(super) separator: bool,
    /// Whether a line behind the first one begins the next record.
    pub(super) header: F,
}

impl<'s> Reader<'s> {
    /// Takes the lines up to an empty line, which stays, or to a separator, which is taken. The first line is text in
    /// any case, even if it is empty.
    pub(super) fn text_block(&mut self, end: TextEnd<impl Fn(&Line<'s>) -> bool>) -> TextPart<'s> {
        let (bytes, profile) = (self.source.bytes(), self.profile);
        let first = self.lines.take();
        let mut header = first.filter(|line| is_header(*line, profile));
        let (mut last, mut separator, mut plain) = (first, None, true);
        while let Some(line) = self.lines.peek().filter(|line| first.is_some() && !line.text.is_empty()) {
            if (end.header)(&line) {
                break;
            }
            self.lines.take();
            if end.separator && line.text == SEPARATOR {
                separator = Some(line);
                break;
            }
            // In one piece only if nothing but a single LF lies between two lines.
            plain &= last.is_some_and(|last| last.text_end() + 1 == line.start);
            last = Some(line);
            if header.is_none() && is_header(line, profile) {
                header = last;
            }
        }
        let raw: &[u8] = match (first, last) {
            (Some(first), Some(last)) => {
                // A CR that is text would be taken for a line end if the real one were cut off behind it.
                plain &= !last.text.ends_with(b"\r");
                &bytes[first.start..if plain { last.text_end() } else { last.end }]
            }
            _ => &[],
        };
        TextPart { text: Sql { raw, plain, comments: Comments::Kept }, first, header, separator }
    }

    /// Takes the lines up to two empty lines, which stay. An empty line at the end of the file counts as two.
    pub(super) fn lines_to_two_empty(&mut self) -> Block<'s> {
        let start = self.offset();
        while let Some(line) = self.lines.peek() {
            let mut behind = self.lines.clone();
            behind.take();
            if line.text.is_empty() && behind.peek().is_none_or(|next| next.text.is_empty()) {
                break;
            }
            self.lines.take();
        }
        Block { raw: &self.source.bytes()[start..self.offset()], comments: Comments::Kept }
    }

    /// Takes all lines up to a blank one, which stays.
    pub(super) fn skip_to_blank(&mut self) {
        self.span_while(|line| !line.is_blank());
    }
}

/// Joins words with one blank.
pub(super) fn joined<'s>(words: &[&'s [u8]]) -> Cow<'s, [u8]> {
    match words {
        [] => Cow::Borrowed(b""),
        [word] => Cow::Borrowed(word),
        words => Cow::Owned(words.join(&b' ')),
    }
}

/// Returns the whole text of a block: its lines joined by LF, without white space around them.
pub(super) fn block_text<'s>(block: &Block<'s>) -> Cow<'s, [u8]> {
    let raw = block.raw.trim_ascii();
    if memchr::memchr(b'\r', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let lines: Vec<&[u8]> = block.lines().collect();
    Cow::Owned(lines.join(&b'\n').trim_ascii().to_vec())
}

/// Returns the expectation of these lines, which is a hash if the only one has its shape.
pub(super) fn rows_or_hash(block: Block<'_>) -> QueryExpectation<'_> {
    let mut lines = block.lines();
    match (lines.next().and_then(|line| HashLine::parse(line.trim_ascii())), lines.next()) {
        (Some(hash), None) => QueryExpectation::Hash(hash),
        _ => QueryExpectation::Rows(block),
    }
}

/// Parses the expected error that the header names as a regular expression; any error without words.
///
/// # Errors
///
/// What is wrong with the expression.
pub(super) fn searched_error<'s>(words: &[&'s [u8]]) -> Result<ErrorPattern<'s>, String> {
    if words.is_empty() {
        return Ok(ErrorPattern::Any);
    }
    let pattern = utf8(joined(words))?;
    if is_surely_regex(&pattern) {
        return Ok(ErrorPattern::Search(pattern));
    }
    match regex::Regex::new(&pattern) {
        Ok(_) => Ok(ErrorPattern::Search(pattern)),
        // The last line of the message has the reason, the others show the place.
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(format!("expected a regular expression, found `{pattern}`: {reason}"))
        }
    }
}

/// Returns whether a text is certainly a valid regular expression, so that it need not be compiled, which is slow.
pub(super) fn is_surely_regex(text: &str) -> bool {
    // The size of a compiled expression is limited, and so is the depth of its groups.
    const LONGEST: usize = 1000;
    const DEEPEST: usize = 100;
    let (mut rest, mut depth, mut is_repeatable) = (text.as_bytes(), 0, false);
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'\\', [sign, behind @ ..]) if is_escapable(*sign) => (rest, is_repeatable) = (behind, true),
            (b'(', [b'?', ..]) | (b'\\' | b'{', _) => return false,
            (b'(', _) => (depth, is_repeatable) = (depth + 1, false),
            (b')', _) if depth > 0 => (depth, is_repeatable) = (depth - 1, true),
            (b'[', _) => match behind_class(behind) {
                Some(behind) => (rest, is_repeatable) = (behind, true),
                None => return false,
            },
            (b'*' | b'+' | b'?', _) if is_repeatable => is_repeatable = false,
            (b'*' | b'+' | b'?' | b')', _) => return false,
            (b'|' | b'^' | b'$', _) => is_repeatable = false,
            _ => is_repeatable = true,
        }
        if depth > DEEPEST {
            return false;
        }
    }
    depth == 0 && text.len() <= LONGEST
}

/// Returns whether a backslash may stand in front of the sign in a regular expression.
fn is_escapable(sign: u8) -> bool {
    sign.is_ascii_punctuation() && !matches!(sign, b'<' | b'>') || matches!(sign, b'n' | b't')
}

/// Returns the text behind a class of characters as `[^a-z0-9_]`, whose first bracket has been read.
fn behind_class(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"^").unwrap_or(text);
    let end = memchr::memchr(b']', text).filter(|end| *end > 0)?;
    let mut class = &text[..end];
    while let [first, rest @ ..] = class {
        class = match rest {
            [b'-', last, rest @ ..] if last.is_ascii_alphanumeric() && first <= last => rest,
            _ => rest,
        };
        if !first.is_ascii_alphanumeric() && !matches!(first, b'_' | b' ') {
            return None;
        }
    }
    Some(&text[end + 1..])
}

/// Returns the SQLSTATE of a word like `(42P01)`.
pub(super) fn sqlstate(word: &[u8]) -> Option<&str> {
    let code = word.strip_prefix(b"(")?.strip_suffix(b")")?;
    let is_code =
        code.len() == 5 && code.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    std::str::from_utf8(code).ok().filter(|_| is_code)
}

/// Converts bytes to text.
///
/// # Errors
///
/// The bytes are not UTF-8.
pub(super) fn utf8(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, String> {
    let wrong = |bytes: &[u8]| format!("expected UTF-8, found `{}`", text_of(bytes));
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| wrong(bytes)),
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|error| wrong(error.as_bytes()))
        }
    }
}

/// Parses a number without a sign.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The units of a duration, in nanoseconds, and their names.
const UNITS: [(u64, &[&str]); 10] = [
    (1, &["ns", "nsec", "nanos"]),
    (1_000, &["us", "usec"]),
    (1_000_000, &["ms", "msec", "millis"]),
    (1_000_000_000, &["s", "sec", "secs", "second", "seconds"]),
    (60_000_000_000, &["m", "min", "mins", "minute", "minutes"]),
    (3_600_000_000_000, &["h", "hr", "hrs", "hour", "hours"]),
    (86_400_000_000_000, &["d", "day", "days"]),
    (604_800_000_000_000, &["w", "wk", "wks", "week", "weeks"]),
    (2_630_016_000_000_000, &["M", "month", "months"]),
    (31_557_600_000_000_000, &["y", "yr", "yrs", "year", "years"]),
];

/// Parses the words of `retry ATTEMPTS backoff PAUSE`.
///
/// # Errors
///
/// The message about the word that is wrong.
pub(crate) fn retry_of(attempts: &[u8], backoff: &[u8]) -> Result<Retry, String> {
    let count = number(attempts).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    let expected = "expected a number of attempts after `retry`";
    let attempts = count.ok_or_else(|| format!("{expected}, found `{}`", text_of(attempts)))?;
    Ok(Retry { attempts, backoff: wanted_duration(backoff)? })
}

/// Parses a duration.
///
/// # Errors
///
/// The message about a word that is not a duration.
pub(super) fn wanted_duration(word: &[u8]) -> Result<Duration, String> {
    duration(word).ok_or_else(|| format!("expected a duration such as `100ms`, found `{}`", text_of(word)))
}

/// Parses a duration of numbers with units, as `5s` or `1ms2us`.
pub(super) fn duration(word: &[u8]) -> Option<Duration> {
    let mut rest = std::str::from_utf8(word).ok().filter(|word| !word.is_empty())?;
    let mut nanoseconds = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit())?;
        let unit_end = rest[digits..].find(|sign: char| sign.is_ascii_digit());
        let (amount, behind) = rest.split_at(digits);
        let (unit, behind) = behind.split_at(unit_end.unwrap_or(behind.len()));
        let (size, _) = UNITS.iter().find(|(_, names)| names.contains(&unit))?;
        nanoseconds = nanoseconds.checked_add(amount.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = behind;
    }
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (word, expected) in [
            ("1s", Some(1_000_000_000)),
            ("1ms2us", Some(1_002_000)),
            ("1ms1ns", Some(1_000_001)),
            ("2min", Some(120_000_000_000)),
            ("1M", Some(2_630_016_000_000_000)),
            ("0s", Some(0)),
            ("1", None),
            ("s", None),
            ("", None),
            ("1x", None),
            ("-1s", None),
            ("1.5s", None),
            ("9999999999999999999y", None),
        ] {
            assert_eq!(duration(word.as_bytes()), expected.map(Duration::from_nanos), "{word}");
        }
    }

    #[test]
    fn five_digits_or_capitals_in_brackets_are_a_sqlstate() {
        let found = ["(42P01)", "(42p01)", "(42P011)", "42P01", "()"].map(|word| sqlstate(word.as_bytes()));
        assert_eq!(found, [Some("42P01"), None, None, None, None]);
    }

    #[test]
    fn only_regular_expressions_are_surely_some() {
        for text in [
            "",
            "a.*b|^c$",
            "\\.\\(x\\)",
            "a: \"b\"",
            ".+ä",
            "é|",
            "a.b",
            "a+b?",
            "[0-9]+ (b|)*",
            "[^a-z_ Q]]}",
            "now()",
        ] {
            assert!(is_surely_regex(text) && regex::Regex::new(text).is_ok(), "{text}");
        }
        for text in [
            "(",
            "a)",
            "[",
            "*",
            "a++",
            "x{2",
            "\\",
            "\\q",
            "\\d",
            "[z-a]",
            "[]",
            "[a-]",
            "(?i)",
            &"a".repeat(1001),
        ] {
            assert!(!is_surely_regex(text), "{text}");
        }
        for sign in (0..0x80_u8).filter(|sign| is_escapable(*sign)).map(char::from) {
            assert!(regex::Regex::new(&format!("\\{sign}")).is_ok(), "{sign}");
        }
    }

    proptest! {
        #[test]
        fn what_is_surely_a_regular_expression_is_one(text in "[a-z()\\[\\]{}*+?.|^$\\\\ <n\\-]{0,12}") {
            prop_assert!(!is_surely_regex(&text) || regex::Regex::new(&text).is_ok());
        }
    }

    #[test]
    fn expected_errors_are_regular_expressions() {
        let check = |words: &[&'static [u8]]| searched_error(words);
        assert_eq!(check(&[]), Ok(ErrorPattern::Any));
        assert_eq!(check(&[b"no", b"such"]), Ok(ErrorPattern::Search("no such".into())));
        assert_eq!(
            check(&[b"("]),
            Err("expected a regular expression, found `(`: unclosed group".to_owned())
        );
        assert_eq!(check(&[b"\xff"]), Err("expected UTF-8, found `\\xff`".to_owned()));
    }
}

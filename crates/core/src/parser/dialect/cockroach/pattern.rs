//! Expected errors.

use std::borrow::Cow;

use super::super::super::error::ParseErrorKind;
use super::super::super::record::ErrorPattern;
use super::super::reading::{HeaderWords, error_pattern};

/// Reads the pattern after `statement error` or `query error`, with the code in front of it.
///
/// Its own runner takes `pgcode CODE` without a pattern for a pattern.
///
/// # Errors
///
/// The defect of the pattern.
pub(super) fn read<'s>(words: &HeaderWords<'s>, exact: bool) -> Result<ErrorPattern<'s>, ParseErrorKind> {
    let is_code = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
    let has_code = words.get(2) == b"pgcode" && is_code(words.get(3)) && (words.len() > 4 || !exact);
    let (code, text) = if has_code { (Some(words.get(3)), words.rest(4)) } else { (None, words.rest(2)) };
    error_pattern(code, to_regex(String::from_utf8_lossy(text)))
}

/// Writes a regular expression of Go in the syntax of this program: escapes braces that are no repetition, and brackets
/// and operators within a class of characters, which Go takes as text.
fn to_regex(pattern: Cow<'_, str>) -> Cow<'_, str> {
    if !pattern.contains(['{', '[']) {
        return pattern;
    }
    let mut out = String::with_capacity(pattern.len() + 8);
    let (mut rest, mut class) = (&*pattern, None);
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match (first, class) {
            ('\\', _) => length = escape_length(rest),
            ('[', None) => class = Some(if rest.starts_with("[^") { "[^" } else { "[" }),
            ('[', Some(_)) if rest.starts_with("[:") => {
                length = rest.find(":]").map_or(length, |end| end + 2);
            }
            // The first character of a class is text.
            (']', Some(begin)) if !out.ends_with(begin) => class = None,
            ('[' | '&' | '~', Some(_)) => out.push('\\'),
            ('{', None) if out.is_empty() || !is_repetition(rest) => out.push('\\'),
            _ => {}
        }
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// Returns the length of an escape, with the name of a class or the number of a character.
fn escape_length(text: &str) -> usize {
    let named = ["\\p{", "\\P{", "\\x{"].iter().any(|begin| text.starts_with(begin));
    if named {
        text.find('}').map_or(2, |end| end + 1)
    } else {
        1 + text.chars().nth(1).map_or(0, char::len_utf8)
    }
}

/// Returns whether a text begins with `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let Some((inside, _)) = text[1..].split_once('}') else { return false };
    let (from, to) = inside.split_once(',').unwrap_or((inside, ""));
    !from.is_empty() && [from, to].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_go_become_expressions_of_rust() {
        for (go, rust) in [
            ("a{2}b", "a{2}b"),
            ("a{2,}", "a{2,}"),
            ("{}", "\\{}"),
            ("\\{\\}", "\\{\\}"),
            ("key {id}", "key \\{id}"),
            ("\\p{Greek}{3}", "\\p{Greek}{3}"),
            ("no braces", "no braces"),
            ("int[] -> UUID[]", "int[] -> UUID\\[]"),
            ("[^]a]{2}", "[^]a]{2}"),
            ("[[:alpha:]{&]", "[[:alpha:]{\\&]"),
        ] {
            assert_eq!(to_regex(go.into()), rust);
            assert!(regex::Regex::new(rust).is_ok(), "{rust}");
        }
    }
}

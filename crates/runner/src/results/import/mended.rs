//! Converts JSON of Python to JSON of RFC 8259.

use std::borrow::Cow;

/// Replaces halves of surrogate pairs by U+FFFD, and numbers that are not finite by `null`.
pub(super) fn mended(text: &str) -> Cow<'_, str> {
    if !["\\ud", "\\uD", "NaN", "Infinity"].iter().any(|part| text.contains(part)) {
        return Cow::Borrowed(text);
    }
    let (mut mended, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        let (between, string) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
        let between = ["-Infinity", "Infinity", "NaN"]
            .into_iter()
            .fold(Cow::Borrowed(between), |text, word| Cow::Owned(text.replace(word, "null")));
        mended.push_str(&between);
        if string.is_empty() {
            return Cow::Owned(mended);
        }
        mended.push('"');
        rest = push_string(&mut mended, &string[1..]);
    }
}

/// Appends a string up to its closing quote, and returns the rest.
fn push_string<'t>(mended: &mut String, text: &'t str) -> &'t str {
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\']) {
        let (before, special) = rest.split_at(at);
        mended.push_str(before);
        let length = match unit_of(special) {
            _ if special.starts_with('"') => {
                mended.push('"');
                return &special[1..];
            }
            Some(0xd800..0xdc00) if matches!(unit_of(&special[6..]), Some(0xdc00..0xe000)) => 12,
            Some(0xd800..0xe000) => {
                mended.push_str("\\ufffd");
                rest = &special[6..];
                continue;
            }
            _ => special.chars().take(2).map(char::len_utf8).sum(),
        };
        mended.push_str(&special[..length]);
        rest = &special[length..];
    }
    mended.push_str(rest);
    ""
}

/// Returns the code unit that an escape at the beginning of this text stands for.
fn unit_of(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_is_replaced() {
        let check = |text, expected| assert_eq!(mended(text), expected);
        check(r#"{"a\ud800": NaN, "b": [-Infinity,Infinity]}"#, r#"{"a\ufffd": null, "b": [null,null]}"#);
        check(r#"["\ud83d\ude00\uDCff\"NaN", NaN]"#, r#"["\ud83d\ude00\ufffd\"NaN", null]"#);
        check(r#"["\\ud800", "\ud800\ud83d\ude00"]"#, r#"["\\ud800", "\ufffd\ud83d\ude00"]"#);
        check("\"\\ud800\\", "\"\\ufffd\\");
        check("\"NaN\\é", "\"NaN\\é");
        check("{}", "{}");
    }
}

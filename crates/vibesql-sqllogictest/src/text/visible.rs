//! Escapes text that comes from files, engines, Git or the environment, so that a reader sees every character of it
//! and a terminal obeys none.
//!
//! The command line escapes all that it prints a second time (`style::Screen`), except for line breaks. So a caller of
//! [`line`] keeps a line whole, and one that forgets it still sends no control character to a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes text that must stay in one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, |character| is_invisible(character).then_some(Escape::Code))
}

/// Escapes text that may have several lines.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| (character != '\n' && is_invisible(character)).then_some(Escape::Code))
}

/// Escapes a line of SQL; its indentation stays indentation.
pub(crate) fn sql(text: &str) -> Cow<'_, str> {
    let code = text.trim_start_matches(['\t', ' ']);
    let indentation = &text[..text.len() - code.len()];
    match indentation.contains('\t') {
        true => Cow::Owned(indentation.replace('\t', "    ") + &line(code)),
        false => line(text),
    }
}

/// Escapes a value such that different values look different: a backslash that could begin an escape is doubled.
pub(crate) fn value(text: &str) -> Cow<'_, str> {
    let mut rest = text.chars();
    escape(text, |character| {
        rest.next();
        let next = rest.clone().next();
        let is_ambiguous =
            |next: char| matches!(next, '\\' | 'x' | 'u' | 'n' | 'r' | 't') || is_invisible(next);
        match character {
            '\\' => next.is_some_and(is_ambiguous).then_some(Escape::Double),
            character => is_invisible(character).then_some(Escape::Code),
        }
    })
}

enum Escape {
    Code,
    Double,
}

fn escape(text: &str, mut how: impl FnMut(char) -> Option<Escape>) -> Cow<'_, str> {
    // Most text has nothing to escape, and reports have much of it.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match how(character) {
            None => escaped.push(character),
            Some(Escape::Double) => escaped.push_str("\\\\"),
            Some(Escape::Code) => push_escape(&mut escaped, character),
        }
    }
    Cow::Owned(escaped)
}

/// Appends the escape of one character.
pub(crate) fn push_escape(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // `\xff` stands for a byte that is not UTF-8, so only ASCII has this form.
        '\0'..='\x7f' => drop(write!(out, "\\x{:02x}", u32::from(character))),
        _ => drop(write!(out, "\\u{{{:x}}}", u32::from(character))),
    }
}

/// Whether a terminal shows nothing for a character, obeys it, or shows it like an ordinary blank.
pub(crate) fn is_invisible(character: char) -> bool {
    match character {
        ' '..='~' => false,
        // As wide as two blanks, and common in East Asian text.
        '\u{3000}' => false,
        // What Unicode calls ignorable, and Rust prints as it is.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => true,
        // Rust escapes controls, format characters, and code points without a character. Behind another character
        // it does not escape accents.
        _ => {
            let mut bytes = [b'a'; 5];
            let length = 1 + character.encode_utf8(&mut bytes[1..]).len();
            std::str::from_utf8(&bytes[..length]).is_ok_and(|text| text.escape_debug().nth(2).is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_seen() {
        assert_eq!(line("a\x1b[31m\x07\0\x7f"), "a\\x1b[31m\\x07\\x00\\x7f");
        assert_eq!(line("a\nb\tc\rd"), "a\\nb\\tc\\rd");
        assert_eq!(lines("a\nb\tc\rd"), "a\nb\\tc\\rd");
        assert_eq!(
            line("\u{9b}31m\u{202e}\u{200b}\u{feff}\u{2028}"),
            "\\u{9b}31m\\u{202e}\\u{200b}\\u{feff}\\u{2028}"
        );
        assert_eq!(line("\u{e0041}\u{fdd0}\u{fe0f}\u{a0}"), "\\u{e0041}\\u{fdd0}\\u{fe0f}\\u{a0}");
        assert_eq!(sql("\t SELECT\t1"), "     SELECT\\t1");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["", "a\\b 'c'", "Zażółć gęślą", "e\u{301}", "日本語\u{3000}", "हिन्दी", "😀", "\\x1b"]
        {
            assert_eq!(line(text), text);
        }
        assert_eq!(value("C:\\dir \\d"), "C:\\dir \\d");
    }

    /// The inverse of [`value`].
    fn decoded(text: &str) -> String {
        let mut characters = text.chars().peekable();
        let mut decoded = String::new();
        while let Some(character) = characters.next() {
            let code = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
            decoded.push(match (character, characters.peek().copied()) {
                ('\\', Some(next @ ('\\' | 'x' | 'u' | 'n' | 'r' | 't'))) => {
                    characters.next();
                    match next {
                        '\\' => '\\',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'x' => code(&characters.by_ref().take(2).collect::<String>()),
                        _ => code(&characters.by_ref().skip(1).take_while(|&c| c != '}').collect::<String>()),
                    }
                }
                _ => character,
            });
        }
        decoded
    }

    proptest! {
        #[test]
        fn different_values_look_different(text in "([\\\\xu{}nrt1b]|\\PC|\\p{C}|\u{202e})*") {
            let shown = value(&text);
            prop_assert!(!shown.chars().any(is_invisible), "{shown:?}");
            prop_assert_eq!(decoded(&shown), text);
        }
    }
}

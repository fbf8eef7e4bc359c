//! Escapes text of files and engines for display: control characters, invisible characters, and characters that change
//! the text direction. All such text is escaped here and nowhere else.

use std::borrow::Cow;
use std::fmt::Write as _;

pub use slt_core::location::path_text::is_unseen;

/// Escapes text of any number of lines: ends of lines and tabs stay.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |character| matches!(character, '\n' | '\t'))
}

/// Escapes text that must stay in one line, like a file name or a value.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// Escapes text as [`one_line`] does, and its backslashes as well: two texts never look the same.
pub fn distinct(text: &str) -> String {
    one_line(&text.replace('\\', "\\\\")).into_owned()
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |character: char| is_unseen(character) && !stays(character);
    if !text.contains(is_escaped) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_escaped(character) {
            push_escape(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    shown.into()
}

/// Writes `\n`, `\x1b` or `\u{202e}`.
pub fn push_escape(out: &mut String, character: char) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string cannot fail.
        '\0'..='\x7f' => drop(write!(out, "\\x{:02x}", u32::from(character))),
        _ => drop(write!(out, "\\u{{{:x}}}", u32::from(character))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped() {
        for (text, shown) in [
            ("plain 🎉 ä", "plain 🎉 ä"),
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\0b\x7fc", "a\\x00b\\x7fc"),
            ("\u{202e}rtl\u{200b}", "\\u{202e}rtl\\u{200b}"),
            ("\u{85}\u{9b}31m", "\\u{85}\\u{9b}31m"),
            ("\u{fdd0}\u{feff}", "\\u{fdd0}\\u{feff}"),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(one_line(text), shown);
        }
        assert_eq!(escaped("a\n\tb\r"), "a\n\tb\\r");
        assert_eq!(one_line("a\n\tb\r"), "a\\n\\tb\\r");
    }
    #[test]
    fn an_escape_and_the_text_of_an_escape_can_be_told_apart() {
        assert_eq!(one_line("\x1b"), one_line("\\x1b"));
        assert_ne!(distinct("\x1b"), distinct("\\x1b"));
    }
}

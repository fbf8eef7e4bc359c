//! Escapes text for Markdown.

use std::fmt::{self, Write as _};

use super::visible::escaped;

/// Writes a fenced block and an empty line.
pub fn fenced(out: &mut String, language: &str, text: &str) -> fmt::Result {
    writeln!(out, "{}\n", block(language, text))
}

/// Returns a fenced block, with a fence longer than any in the text.
pub fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", escaped(text.trim_end_matches('\n')))
}

/// Returns text as inline code.
pub fn code(text: &str) -> String {
    let text = escaped(text).replace(['\n', '\t'], " ");
    let ticks = "`".repeat(longest_run(&text) + 1);
    // Markdown removes a blank on both sides, which separates ticks of the text from those around it.
    let blank =
        if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty() { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}

/// Returns text as inline code in a table cell.
pub fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// Escapes text inside of an HTML tag, on one line.
pub fn html(text: &str) -> String {
    let text = escaped(text);
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '\n' => escaped.push(' '),
            // Markup of HTML or Markdown, and the beginning of mentions and addresses.
            '&' | '<' | '>' | '"' | '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '~' | '@' | '#'
            | ':' | '!' => {
                escaped.extend(["&#", &u32::from(character).to_string(), ";"]);
            }
            _ => escaped.push(character),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(code("a|b"), "`a|b`");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(code("`a``b"), "``` `a``b ```");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code("a `b` ``c``"), "``` a `b` ``c`` ```");
        assert_eq!(code("a<b>*.test"), "`a<b>*.test`");
        assert_eq!(html("<b>@you\n"), "&#60;b&#62;&#64;you ");
        let mut text = String::new();
        fenced(&mut text, "sql", "a\n````\nb\n").ok();
        assert_eq!(text, "`````sql\na\n````\nb\n`````\n\n");
    }
}

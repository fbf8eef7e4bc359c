//! The tokens of a dump, with their lines.

use super::super::ImportError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpToken {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in quotes.
    Name(String),
    /// An unescaped string.
    Text(String),
    Number(String),
    Sign(char),
}

impl std::fmt::Display for DumpToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Number(text) => write!(f, "`{text}`"),
            Self::Text(_) => f.write_str("a string"),
            Self::Sign(sign) => write!(f, "`{sign}`"),
        }
    }
}

/// Splits a dump into tokens.
pub(super) struct DumpTokens<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

/// The writers truncate an escaped text to this length.
const CUT: usize = 2000;

impl<'t> DumpTokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// Returns the current line.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip(&mut self, bytes: usize) -> &'t str {
        let skipped = &self.rest()[..bytes];
        self.line += memchr::memchr_iter(b'\n', skipped.as_bytes()).count();
        self.at += bytes;
        skipped
    }

    fn skip_blank(&mut self) -> Result<(), ImportError> {
        loop {
            let rest = self.rest();
            let bytes = if rest.starts_with("--") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").ok_or_else(|| self.open("a comment"))? + 2
            } else {
                rest.len() - rest.trim_start().len()
            };
            if bytes == 0 {
                return Ok(());
            }
            self.skip(bytes);
        }
    }

    fn open(&self, what: &str) -> ImportError {
        let found = format!("{what} without an end");
        ImportError::Sql { line: self.line, expected: "whole statements", found }
    }

    /// Returns the next token with its line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(DumpToken, usize)>, ImportError> {
        self.skip_blank()?;
        let line = self.line;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let mut while_it_is = |belongs: fn(char) -> bool| {
            self.skip(rest.find(|c| !belongs(c)).unwrap_or(rest.len())).to_owned()
        };
        let token = match first {
            '\'' => DumpToken::Text(self.string()?),
            '"' | '`' => {
                let end = rest[1..].find(first).ok_or_else(|| self.open("a name"))?;
                DumpToken::Name(self.skip(end + 2)[1..=end].to_owned())
            }
            '0'..='9' => DumpToken::Number(while_it_is(|c| c.is_ascii_alphanumeric() || c == '.')),
            _ if first.is_alphabetic() || first == '_' => {
                DumpToken::Word(while_it_is(|c| c.is_alphanumeric() || c == '_'))
            }
            _ => {
                self.skip(first.len_utf8());
                DumpToken::Sign(first)
            }
        };
        Ok(Some((token, line)))
    }

    /// Returns a string. The writers doubled quotes and backslashes.
    fn string(&mut self) -> Result<String, ImportError> {
        let rest = &self.rest()[1..];
        let mut at = 0;
        let cut = loop {
            at += memchr::memchr(b'\'', &rest.as_bytes()[at..]).ok_or_else(|| self.open("a string"))?;
            if !rest[at + 1..].starts_with('\'') {
                break false;
            }
            if is_cut(rest, at) {
                break true;
            }
            at += 2;
        };
        let mut text = undoubled(&rest[..at]).replace("''", "'");
        // The truncation has split the last doubled quote.
        text.extend(cut.then_some('\''));
        self.skip(1 + at + 1 + usize::from(cut));
        Ok(text)
    }
}

/// Returns whether the two quotes at `at` end the string. The writers truncate texts after escaping them, possibly
/// within a doubled quote.
fn is_cut(rest: &str, at: usize) -> bool {
    rest[at..].starts_with("'');") && at + 1 >= CUT && rest[..at].chars().count() + 1 == CUT
}

/// Halves the backslashes. An odd number was not doubled, except at the end of a truncated text.
fn undoubled(escaped: &str) -> String {
    let cut = escaped.len() >= CUT && escaped.chars().count() == CUT;
    let body = if cut { escaped.trim_end_matches('\\') } else { escaped };
    let odd = body.split(|c| c != '\\').any(|run| run.len() % 2 == 1);
    if odd {
        return escaped.to_owned();
    }
    let tail = escaped.len() - body.len();
    body.replace(r"\\", r"\") + &r"\".repeat(tail.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> DumpToken {
        let mut tokens = DumpTokens::new(text);
        let token = tokens.next().unwrap().unwrap().0;
        assert_eq!(tokens.next().unwrap(), None);
        token
    }

    #[test]
    fn strings() {
        for (literal, text) in [
            ("''", ""),
            ("'it''s'", "it's"),
            (r"'\\'''", r"\'"),
            (r"'a\\\\b'", r"a\\b"),
            (r"'a\b'", r"a\b"),
            ("'a\nb'", "a\nb"),
        ] {
            assert_eq!(only(literal), DumpToken::Text(text.to_owned()), "{literal}");
        }
        assert!(DumpTokens::new("'open").next().is_err());
    }

    #[test]
    fn a_text_that_was_cut_amid_a_quote_or_a_backslash() {
        let before = "x".repeat(CUT - 1);
        let dump = format!("'{before}'');\nINSERT INTO t VALUES ('next");
        let mut tokens = DumpTokens::new(&dump);
        assert_eq!(tokens.next().unwrap().unwrap().0, DumpToken::Text(format!("{before}'")));
        assert_eq!(tokens.next().unwrap().unwrap().0, DumpToken::Sign(')'));
        assert_eq!(only(&format!("'{before}\\'")), DumpToken::Text(format!("{before}\\")));
    }

    #[test]
    fn tokens_have_lines() {
        let mut tokens = DumpTokens::new("-- a\nA 'b\n' /* c\n */ 1.5 \"d e\"");
        let mut found = Vec::new();
        while let Some((token, line)) = tokens.next().unwrap() {
            found.push(format!("{line} {token}"));
        }
        assert_eq!(found, ["2 `A`", "2 a string", "4 `1.5`", "4 `d e`"]);
    }
}

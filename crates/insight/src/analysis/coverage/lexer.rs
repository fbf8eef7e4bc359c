//! Splits SQL of any dialect into tokens, in one pass and without allocation.

/// A token with the bytes that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SqlToken<'s> {
    pub(super) kind: TokenKind,
    pub(super) text: &'s [u8],
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// An unquoted word: a keyword or a name.
    Word,
    /// A quoted name.
    Name,
    Text,
    Blob,
    Number,
    /// A parameter or variable.
    Parameter,
    Open,
    Close,
    Comma,
    Dot,
    Semicolon,
    /// An operator, or any other character.
    Operator,
}

/// Operators of several characters; a longer one comes before its beginning.
const OPERATORS: [&[u8]; 20] = [
    b"->>", b"<=>", b"!~*", b"#>>", b"||", b"->", b"<<", b">>", b"::", b"<=", b">=", b"<>", b"!=", b"==",
    b"!~", b"~*", b"@>", b"<@", b"&&", b"**",
];

/// The tokens of SQL, without white space and comments.
pub(super) struct SqlLexer<'s> {
    rest: &'s [u8],
    /// Whether a `[` would be an index, and not a quote: directly behind a value.
    follows_value: bool,
}

impl<'s> SqlLexer<'s> {
    pub(super) fn new(sql: &'s [u8]) -> Self {
        Self { rest: sql, follows_value: false }
    }

    /// Removes white space and comments.
    fn skip(&mut self) {
        loop {
            let length = match self.rest {
                [byte, ..] if byte.is_ascii_whitespace() => 1,
                [b'-', b'-', ..] => end_of(self.rest, 2, b"\n"),
                [b'/', b'*', ..] => end_of(self.rest, 2, b"*/"),
                _ => return,
            };
            self.rest = &self.rest[length..];
            self.follows_value = false;
        }
    }

    /// Returns the kind and the length of the first token.
    fn first(&self) -> Option<(TokenKind, usize)> {
        let rest = self.rest;
        let found = match *rest.first()? {
            b'\'' => (TokenKind::Text, quoted(rest, 0)),
            b'"' | b'`' => (TokenKind::Name, quoted(rest, 0)),
            b'[' if !self.follows_value && rest.get(1).is_some_and(|&byte| is_start(byte)) => bracketed(rest),
            b'(' => (TokenKind::Open, 1),
            b')' => (TokenKind::Close, 1),
            b',' => (TokenKind::Comma, 1),
            b';' => (TokenKind::Semicolon, 1),
            b'x' | b'X' if rest.get(1) == Some(&b'\'') => (TokenKind::Blob, quoted(rest, 1)),
            b'$' => dollar(rest),
            b'?' => (TokenKind::Parameter, 1 + word_length(&rest[1..])),
            b'@' | b':' | b'#' if rest.get(1).is_some_and(|&byte| is_start(byte)) => {
                (TokenKind::Parameter, 1 + word_length(&rest[1..]))
            }
            byte if is_start(byte) => (TokenKind::Word, word_length(rest)),
            byte if byte.is_ascii_digit() => (TokenKind::Number, number_length(rest)),
            b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => (TokenKind::Number, number_length(rest)),
            b'.' => (TokenKind::Dot, 1),
            _ => {
                let known = OPERATORS.iter().find(|operator| rest.starts_with(operator));
                (TokenKind::Operator, known.map_or(1, |operator| operator.len()))
            }
        };
        Some(found)
    }
}

impl<'s> Iterator for SqlLexer<'s> {
    type Item = SqlToken<'s>;

    fn next(&mut self) -> Option<SqlToken<'s>> {
        self.skip();
        let (kind, length) = self.first()?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.follows_value =
            matches!(kind, TokenKind::Word | TokenKind::Name | TokenKind::Close) || text == b"]";
        Some(SqlToken { kind, text })
    }
}

fn is_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn word_length(text: &[u8]) -> usize {
    let is_part = |byte: &&u8| is_start(**byte) || byte.is_ascii_digit() || **byte == b'$';
    text.iter().take_while(is_part).count()
}

/// Returns the length of a number, with its exponent.
fn number_length(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = text.get(length) {
        let is_sign = matches!(byte, b'+' | b'-')
            && length > 0
            && matches!(text[length - 1], b'e' | b'E')
            && !text.starts_with(b"0x");
        if !is_sign && !byte.is_ascii_alphanumeric() && byte != b'.' && byte != b'_' {
            break;
        }
        length += 1;
    }
    length
}

/// Returns the place behind the first `end` at or after `from`, or that of the end of the text.
fn end_of(text: &[u8], from: usize, end: &[u8]) -> usize {
    let place = text[from..].windows(end.len()).position(|part| part == end);
    place.map_or(text.len(), |place| from + place + end.len())
}

/// Returns the length of a quoted text whose first quote is at `start`. A doubled quote stands for one.
fn quoted(text: &[u8], start: usize) -> usize {
    let quote = text[start];
    let mut at = start + 1;
    loop {
        at = end_of(text, at, &[quote]);
        if text.get(at) != Some(&quote) {
            return at;
        }
        at += 1;
    }
}

/// A name in brackets, or the operator `[` if there is something else behind it.
fn bracketed(text: &[u8]) -> (TokenKind, usize) {
    let inside =
        text[1..].iter().take_while(|byte| is_start(**byte) || byte.is_ascii_digit() || **byte == b' ');
    let length = inside.count() + 1;
    if text.get(length) == Some(&b']') { (TokenKind::Name, length + 1) } else { (TokenKind::Operator, 1) }
}

/// A text between `$tag$` and `$tag$`, or a parameter.
fn dollar(text: &[u8]) -> (TokenKind, usize) {
    let length = 1 + word_length(&text[1..]).min(text.len() - 1);
    // The word includes the `$` that ends the tag.
    let tag = text[1..length].iter().position(|&byte| byte == b'$').map(|place| &text[..place + 2]);
    match tag {
        Some(tag) => (TokenKind::Text, end_of(text, tag.len(), tag)),
        None => (TokenKind::Parameter, length),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(sql: &str, expected: &str) {
        let tokens = SqlLexer::new(sql.as_bytes());
        let shown: Vec<_> = tokens.map(|token| String::from_utf8_lossy(token.text).into_owned()).collect();
        assert_eq!(shown.join(" "), expected, "{sql}");
    }

    #[test]
    fn tokens() {
        check(
            "SELECT a.b,-1.5e-3 /* c */ FROM t -- d\nWHERE x>='it''s'",
            "SELECT a . b , - 1.5e-3 FROM t WHERE x >= 'it''s'",
        );
        check("x'00' X\"a\"\"b\" [a b] a[b] 'open", "x'00' X \"a\"\"b\" [a b] a [ b ] 'open");
        check("$1 $$a'b$$ $t$ c $t$ :n @v ?1 a::int || b", "$1 $$a'b$$ $t$ c $t$ :n @v ?1 a :: int || b");
        check("/* open", "");
        check("0x1F+1 .5 1e+5", "0x1F + 1 .5 1e+5");
    }

    proptest! {
        #[test]
        fn tokens_are_parts_of_the_text_in_order(sql in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut length = 0;
            for token in SqlLexer::new(&sql) {
                prop_assert!(!token.text.is_empty());
                length += token.text.len();
            }
            prop_assert!(length <= sql.len());
        }
    }
}

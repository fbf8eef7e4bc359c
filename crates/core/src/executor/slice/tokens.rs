//! Splits SQL text into tokens that all engines read in the same way.
//!
//! Text in a string or a comment for one engine may be code for another: backslashes, `#`, nested comments, dollar
//! quotes. Such text is [`Ambiguous`], without guessing. The text may have any bytes.

use memchr::{memchr, memmem};

/// A piece of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A keyword or a plain name.
    Word(&'t [u8]),
    /// The text between the quotes of a name: `"a"`, `` `a` ``, `[a]`. Some engines read the first as a string.
    Name(&'t [u8]),
    /// The text between the quotes of a string.
    Text(&'t [u8]),
    /// A number.
    Number,
    /// Any other byte.
    Symbol(u8),
}

/// Text that engines read in different ways, or that is not SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ambiguous;

/// Takes a text apart.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token<'_>>, Ambiguous> {
    // An escape in a string for some engines, and a letter for others. Some end the text at the zero byte.
    if text.contains(&b'\\') || text.contains(&0) {
        return Err(Ambiguous);
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let (token, length) = match first {
            b' ' | b'\t' | b'\n' | b'\r' => (None, 1),
            b'-' if rest.starts_with(b"--") => (None, line_comment(rest)?),
            b'/' if rest.starts_with(b"/*") => (None, block_comment(rest)?),
            b'\'' => quoted(rest).map(|(text, length)| (Some(Token::Text(text)), length))?,
            b'"' | b'`' => quoted(rest).map(|(text, length)| (Some(Token::Name(text)), length))?,
            b'[' => bracketed(rest).map(|(name, length)| (Some(Token::Name(name)), length))?,
            b'0'..=b'9' => (Some(Token::Number), number(rest)?),
            byte if is_letter(byte) => {
                let length = span(rest, |byte| is_letter(byte) || byte.is_ascii_digit());
                (Some(word(rest, length)?), length)
            }
            byte if b"+-*/%<>=!(),.;|&~".contains(&byte) => (Some(Token::Symbol(byte)), 1),
            // Parameters, variables, casts with `::`, comments with `#`, letters and blanks that are not ASCII.
            _ => return Err(Ambiguous),
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn span(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !belongs(byte)).unwrap_or(text.len())
}

/// Returns a word; it is ambiguous directly before a quote, where it changes the meaning of the string. Only `x'00'` is
/// the same everywhere.
fn word(text: &[u8], length: usize) -> Result<Token<'_>, Ambiguous> {
    let (word, behind) = text.split_at(length);
    let prefix = matches!(behind.first(), Some(b'\'' | b'"' | b'`' | b'['));
    if prefix && !(word.eq_ignore_ascii_case(b"x") && behind[0] == b'\'') {
        return Err(Ambiguous);
    }
    Ok(Token::Word(word))
}

/// Returns the length of a line comment. Some engines require a blank after the dashes, and subtract twice without one.
fn line_comment(text: &[u8]) -> Result<usize, Ambiguous> {
    match text.get(2) {
        None | Some(b' ' | b'\t' | b'\n' | b'\r') => Ok(memchr(b'\n', text).unwrap_or(text.len())),
        Some(_) => Err(Ambiguous),
    }
}

/// Returns the length of a comment. Some engines nest comments, execute `/*!` or read hints after `/*+`.
fn block_comment(text: &[u8]) -> Result<usize, Ambiguous> {
    let inside = memmem::find(&text[2..], b"*/").ok_or(Ambiguous)?;
    let body = &text[2..2 + inside];
    if matches!(body.first(), Some(b'!' | b'+')) || memmem::find(body, b"/*").is_some() {
        return Err(Ambiguous);
    }
    Ok(inside + 4)
}

/// Returns the text between a quote and its partner, and the total length; a doubled quote is not a partner.
fn quoted(text: &[u8]) -> Result<(&[u8], usize), Ambiguous> {
    let quote = text[0];
    let mut at = 1;
    loop {
        at += memchr(quote, &text[at..]).ok_or(Ambiguous)?;
        if text.get(at + 1) != Some(&quote) {
            return Ok((&text[1..at], at + 1));
        }
        at += 2;
    }
}

/// Accepts only unambiguous names in brackets, because some engines read an index or a list.
fn bracketed(text: &[u8]) -> Result<(&[u8], usize), Ambiguous> {
    let end = memchr(b']', text).ok_or(Ambiguous)?;
    let name = &text[1..end];
    if name.first().copied().is_some_and(is_letter)
        && name.iter().all(|&byte| is_letter(byte) || byte.is_ascii_digit())
    {
        Ok((name, end + 1))
    } else {
        Err(Ambiguous)
    }
}

/// Returns the length of a number. A letter directly after it belongs to the number for some engines only.
fn number(text: &[u8]) -> Result<usize, Ambiguous> {
    let digits = |from: usize| from + span(&text[from..], |byte| byte.is_ascii_digit());
    let mut end = digits(0);
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(text.len()));
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    if text.get(end).copied().is_some_and(is_letter) { Err(Ambiguous) } else { Ok(end) }
}

//! The statements of a text.
//!
//! A server executes all statements of a text at once, and nothing can keep it from the second after the result of the
//! first. So each statement is sent alone. Only the server knows where a statement with other statements inside ends,
//! such as the definition of a procedure; then the rest of the text is sent as one.

use memchr::memchr;
use memchr::memmem;

/// Takes the first statement from `rest`, without its semicolon, with the comments around it. `escapes` is whether
/// backslashes escape characters in quotes.
pub fn next_statement<'s>(rest: &mut &'s str, escapes: bool) -> Option<&'s str> {
    loop {
        let text = *rest;
        let (statement, is_empty) = match first_end(text, escapes) {
            Some(first) => {
                *rest = &text[(first.end + 1).min(text.len())..];
                (&text[..first.end], first.is_empty)
            }
            None => {
                *rest = "";
                (text, false)
            }
        };
        if !is_empty {
            if rest.is_empty() || !has_body(statement) {
                return Some(statement);
            }
            *rest = "";
            return Some(text);
        }
        if rest.is_empty() {
            return None;
        }
    }
}

/// The part of a text in front of the first semicolon, or all of it.
struct FirstPart {
    end: usize,
    /// Whether it has nothing but blanks and comments.
    is_empty: bool,
}

/// Finds the end of the first statement; `None` if the text is one statement without a semicolon.
fn first_end(text: &str, escapes: bool) -> Option<FirstPart> {
    let sql = text.as_bytes();
    let begins_with_word = sql.first().is_some_and(u8::is_ascii_alphabetic);
    if begins_with_word && memchr(b';', sql).is_none() {
        return None;
    }
    let (mut at, mut is_empty) = (0, true);
    while at < sql.len() {
        let (end, kind) = token(sql, at, escapes);
        match kind {
            TokenKind::Semicolon => break,
            TokenKind::Blank => {}
            TokenKind::Content => is_empty = false,
        }
        at = end;
    }
    Some(FirstPart { end: at, is_empty })
}

enum TokenKind {
    Semicolon,
    Blank,
    Content,
}

/// Returns the end of the token that starts at `at`: a quoted text, a comment, or one byte.
fn token(sql: &[u8], at: usize, escapes: bool) -> (usize, TokenKind) {
    let rest = &sql[at..];
    let until = |end: Option<usize>, length: usize| end.map_or(sql.len(), |end| at + end + length);
    let line = || (until(memchr(b'\n', rest), 1), TokenKind::Blank);
    match rest[0] {
        b';' => (at + 1, TokenKind::Semicolon),
        b'#' => line(),
        b'-' if rest.starts_with(b"--")
            && rest.get(2).is_none_or(|c| c.is_ascii_whitespace() || c.is_ascii_control()) =>
        {
            line()
        }
        b'/' if rest.starts_with(b"/*") => {
            let end = memmem::find(&rest[2..], b"*/").map(|end| end + 2);
            // The server executes these.
            let is_code = rest.starts_with(b"/*!") || rest.starts_with(b"/*M!");
            (until(end, 2), if is_code { TokenKind::Content } else { TokenKind::Blank })
        }
        // A doubled quote is the end of one text and the start of the next, which has the same effect.
        quote @ (b'\'' | b'"' | b'`') => {
            let mut end = 1;
            while end < rest.len() && rest[end] != quote {
                end += if rest[end] == b'\\' && escapes && quote != b'`' { 2 } else { 1 };
            }
            ((at + end + 1).min(sql.len()), TokenKind::Content)
        }
        byte if byte.is_ascii_whitespace() => (at + 1, TokenKind::Blank),
        _ => (at + 1, TokenKind::Content),
    }
}

/// Returns whether a text may be the start of a statement with statements inside. A wrong yes has no effect but that
/// the server executes all of the text.
fn has_body(statement: &str) -> bool {
    let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let mut words = words.map(str::to_ascii_uppercase);
    let is_any = |word: &str, known: &[&str]| known.contains(&word);
    let Some(first) = words.find(|word| !word.bytes().all(|byte| byte.is_ascii_digit())) else {
        return false;
    };
    match first.as_str() {
        "CREATE" | "ALTER" => {
            words.any(|word| is_any(&word, &["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]))
        }
        "BEGIN" => words.next().is_some_and(|word| word != "WORK"),
        // Of MariaDB, also outside of procedures.
        first => {
            is_any(first, &["IF", "CASE", "LOOP", "REPEAT", "WHILE", "FOR", "DECLARE"])
                || statement.split([' ', '\n', '\t']).next().is_some_and(|word| word.ends_with(':'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str, escapes: bool) -> Vec<&str> {
        let mut rest = text;
        std::iter::from_fn(|| next_statement(&mut rest, escapes)).collect()
    }

    #[test]
    fn a_text_is_split_at_semicolons_outside_of_quotes_and_comments() {
        let cases: [(&str, &[&str]); 20] = [
            ("SELECT 1", &["SELECT 1"]),
            ("SELECT 1;", &["SELECT 1"]),
            ("SELECT 1; SELECT 2 ;\n", &["SELECT 1", " SELECT 2 "]),
            ("", &[]),
            (" \n", &[]),
            (";;", &[]),
            (" -- only a comment", &[]),
            ("/* a; b */ # c\n;--", &[]),
            ("SELECT 1; -- the end", &["SELECT 1"]),
            ("-- first\nSELECT 1", &["-- first\nSELECT 1"]),
            ("SELECT ';', \";\", `;`, 'it''s;'", &["SELECT ';', \";\", `;`, 'it''s;'"]),
            (r"SELECT '\';'; SELECT 2", &[r"SELECT '\';'", " SELECT 2"]),
            (r"SELECT `\`; SELECT 2", &[r"SELECT `\`", " SELECT 2"]),
            ("SELECT 5--1; SELECT 2", &["SELECT 5--1", " SELECT 2"]),
            ("SELECT 5-- 1; x\n; SELECT 2", &["SELECT 5-- 1; x\n", " SELECT 2"]),
            ("/*! SET @a = 1 */;", &["/*! SET @a = 1 */"]),
            ("SELECT 'open; SELECT 2", &["SELECT 'open; SELECT 2"]),
            ("SELECT /* open; SELECT 2", &["SELECT /* open; SELECT 2"]),
            ("BEGIN; COMMIT", &["BEGIN", " COMMIT"]),
            ("begin work; COMMIT", &["begin work", " COMMIT"]),
        ];
        for (text, expected) in cases {
            assert_eq!(statements(text, true), expected, "{text}");
        }
        assert_eq!(statements(r"SELECT '\'; SELECT 2", false), [r"SELECT '\'", " SELECT 2"]);
        assert_eq!(statements("SELECT 'ä;'; SELECT 'ö'", true), ["SELECT 'ä;'", " SELECT 'ö'"]);
    }

    #[test]
    fn a_statement_with_statements_inside_is_sent_with_the_rest() {
        for text in [
            "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END; CALL p()",
            "create or replace definer = me@h function f() returns int begin return 1; end",
            "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW BEGIN SET @a = 1; END",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "IF 1 THEN SELECT 1; END IF",
            "l: LOOP LEAVE l; END LOOP",
        ] {
            assert_eq!(statements(text, true), [text]);
            let later = format!("SELECT 1;{text}");
            assert_eq!(statements(&later, true), ["SELECT 1", text]);
        }
        assert_eq!(statements("CREATE TABLE t(a INT); SELECT 1", true).len(), 2);
    }
}

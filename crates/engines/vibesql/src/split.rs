//! Splits SQL text into statements.
//!
//! VibeSQL's parser takes the first statement of a text and silently ignores the rest, so the rest has to be found
//! here. Its lexer is public but cannot be used: it fails for the whole text, so that a bad character in the second
//! statement would prevent the first from being executed, and it mistakes a quote in a `/* */` comment for the start of
//! a string. Strings, quoted names and keywords are recognised as in that lexer.

use memchr::{memchr, memmem};

/// Returns the statements of `sql`, each as written, with its semicolon and the comments before it.
///
/// Comments and white space alone are not a statement, and neither is a semicolon. Text that ends within a string or a
/// comment ends the last statement; the parser reports the error.
pub(super) fn statements(sql: &str) -> Statements<'_> {
    Statements { rest: sql }
}

/// Iterates over the statements of a text.
pub(super) struct Statements<'s> {
    rest: &'s str,
}

impl<'s> Iterator for Statements<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        loop {
            let bytes = self.rest.as_bytes();
            let start = after_blanks(bytes, 0);
            if start == bytes.len() {
                return None;
            }
            let end = end_of_statement(bytes, start);
            // Both cuts are next to an ASCII byte or at the end of the text.
            let (statement, rest) = self.rest.split_at(end);
            self.rest = rest;
            if bytes[start] != b';' {
                return Some(statement.trim_ascii());
            }
        }
    }
}

/// Finds the end of the statement that begins at `start`, after its semicolon.
fn end_of_statement(bytes: &[u8], start: usize) -> usize {
    // Most texts are one statement, with at most a semicolon at the end: no need to scan them.
    match memchr(b';', &bytes[start..]) {
        None => return bytes.len(),
        Some(first) if start + first + 1 == bytes.len() => return bytes.len(),
        Some(_) => {}
    }
    let mut body = has_body(bytes, start).then(BodyDepth::default);
    let mut at = start;
    loop {
        at = after_blanks(bytes, at);
        let Some(&byte) = bytes.get(at) else { return bytes.len() };
        let from = at;
        at = match byte {
            b';' if body.as_ref().is_none_or(|body| body.depth == 0) => return at + 1,
            b'\'' | b'"' | b'`' => after_quoted(bytes, at + 1, byte),
            b'[' => after_quoted(bytes, at + 1, b']'),
            // A parameter or variable may be called `@end` or `:begin`.
            b'@' | b':' | b'$' => after(bytes, at + 1, is_word),
            // VibeSQL reads `1END` as a number and a keyword.
            b'0'..=b'9' => after(bytes, at + 1, |byte| byte.is_ascii_digit()),
            byte if is_word(byte) => after(bytes, at, is_word),
            _ => at + 1,
        };
        if let Some(body) = &mut body {
            body.token(&bytes[from..at]);
        }
    }
}

/// Returns whether a statement creates a trigger, procedure or function: its body may contain semicolons.
fn has_body(bytes: &[u8], start: usize) -> bool {
    let mut at = start;
    let mut next = || {
        let from = after_blanks(bytes, at);
        at = after(bytes, from, is_word);
        &bytes[from..at]
    };
    let is_create = is_one_of(next(), &["CREATE"]);
    let mut word = next();
    while is_one_of(word, &["OR", "REPLACE", "TEMP", "TEMPORARY"]) {
        word = next();
    }
    is_create && is_one_of(word, &["TRIGGER", "PROCEDURE", "FUNCTION"])
}

fn is_one_of(word: &[u8], keywords: &[&str]) -> bool {
    keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword.as_bytes()))
}

/// Skips white space and comments.
fn after_blanks(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = after(bytes, at, |byte| byte.is_ascii_whitespace());
        let rest = &bytes[at..];
        let length = if rest.starts_with(b"--") {
            memchr(b'\n', rest).map(|found| found + 1)
        } else if rest.starts_with(b"/*") {
            memmem::find(&rest[2..], b"*/").map(|found| found + 4)
        } else {
            return at;
        };
        at = length.map_or(bytes.len(), |length| at + length);
    }
}

/// Skips the rest of a string or a quoted name; a doubled closing quote belongs to it.
fn after_quoted(bytes: &[u8], mut at: usize, close: u8) -> usize {
    while let Some(found) = memchr(close, &bytes[at..]) {
        at += found + 1;
        if bytes.get(at) != Some(&close) {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

fn after(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|&byte| !belongs(byte)).map_or(bytes.len(), |length| at + length)
}

/// Returns whether a byte belongs to a name or keyword; all non-ASCII bytes do.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Tracks the nesting depth in the body of a trigger, procedure or function.
///
/// `BEGIN` and `CASE` open a block that the next `END` closes. The `END` of `END IF` and of the loops closes a block
/// that was not counted, so it is undone.
#[derive(Debug, Default)]
struct BodyDepth {
    depth: usize,
    after_end: bool,
}

impl BodyDepth {
    fn token(&mut self, token: &[u8]) {
        let opens: &[&str] =
            if self.after_end { &["BEGIN", "IF", "WHILE", "LOOP", "REPEAT"] } else { &["BEGIN", "CASE"] };
        self.after_end = is_one_of(token, &["END"]);
        if self.after_end {
            self.depth = self.depth.saturating_sub(1);
        } else if is_one_of(token, opens) {
            self.depth += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::statements;

    fn check(sql: &str, expected: &[&str]) {
        assert_eq!(statements(sql).collect::<Vec<_>>(), expected, "in {sql}");
    }

    #[test]
    fn text_without_a_statement_has_none() {
        for sql in
            ["", " \n\t", ";", " ; ;\n;", "-- SELECT 1", "-- a;\n;--", "/* SELECT 1; */", "/* a", "/*/;"]
        {
            check(sql, &[]);
        }
    }

    #[test]
    fn a_statement_is_passed_as_written() {
        check("SELECT 1", &["SELECT 1"]);
        check(" SELECT 1 ; \n", &["SELECT 1 ;"]);
        check("-- one\nSELECT 1; -- done", &["-- one\nSELECT 1;"]);
        check("SELECT 1;SELECT 2", &["SELECT 1;", "SELECT 2"]);
        check(";; /* a */ SELECT 1;;\nSELECT 2;", &["/* a */ SELECT 1;", "SELECT 2;"]);
        check("SELECT 1 - - 2; SELECT 3 / 4;", &["SELECT 1 - - 2;", "SELECT 3 / 4;"]);
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        for quoted in ["'a;b'", "'a'';b'", "'\\'", "\"a;\"\"b\"", "`;``;`", "[a;]];b]", "x';'"] {
            let first = format!("SELECT {quoted};");
            check(&format!("{first} SELECT 2"), &[&first, "SELECT 2"]);
        }
        check("SELECT 1 -- it's;\n+ 1; SELECT 2", &["SELECT 1 -- it's;\n+ 1;", "SELECT 2"]);
        check("SELECT /* it's; */ 1; SELECT 2", &["SELECT /* it's; */ 1;", "SELECT 2"]);
        check("SELECT '; SELECT 2; ", &["SELECT '; SELECT 2;"]);
        check("SELECT é; SELECT 'é;é'; x", &["SELECT é;", "SELECT 'é;é';", "x"]);
    }

    #[test]
    fn bodies_keep_their_semicolons() {
        for first in [
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;",
            "create temp /* ; */ trigger a AFTER INSERT ON t begin SELECT ';'; end;",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2END; SELECT 2; END;",
            "CREATE TRIGGER a AFTER INSERT ON t WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT @end; SELECT 2; END;",
            "CREATE PROCEDURE p() BEGIN IF 1 THEN SET a = 1; END IF; WHILE b DO SET a = 2; END WHILE; END;",
            "CREATE FUNCTION f() RETURNS INT BEGIN CASE WHEN 1 THEN SET a = 1; END CASE; RETURN 1; END;",
        ] {
            check(&format!("{first} SELECT 3;"), &[first, "SELECT 3;"]);
        }
        check("CREATE TRIGGER; SELECT 1;", &["CREATE TRIGGER;", "SELECT 1;"]);
    }

    #[test]
    fn only_routines_have_bodies() {
        check("BEGIN; SELECT 1; END; SELECT 2", &["BEGIN;", "SELECT 1;", "END;", "SELECT 2"]);
        check("CREATE TABLE trigger_begin(a); SELECT 1", &["CREATE TABLE trigger_begin(a);", "SELECT 1"]);
        check("SELECT CASE WHEN 1 THEN 2; SELECT 1", &["SELECT CASE WHEN 1 THEN 2;", "SELECT 1"]);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_and_semicolons_is_lost(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "'", "\"", "`", "[", "]", ";", " ", "\n", "--", "/*", "*/", "a", "é", "1", "@", "BEGIN ", "END ",
                    "CREATE TRIGGER ", "CASE ", "IF ",
                ]),
                0..24,
            ),
        ) {
            let sql = parts.concat();
            let mut from = 0;
            for statement in statements(&sql) {
                let at = sql[from..].find(statement);
                prop_assert!(at.is_some(), "{statement:?} is not a part of {sql:?}");
                from += at.unwrap_or_default() + statement.len();
            }
        }

        #[test]
        fn joined_statements_come_apart_again(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "SELECT ';'", "SELECT \"a;\"\"\"", "BEGIN", "END", "SELECT CASE WHEN 1 THEN 2 END", "SELECT /*;*/ 1",
                    "CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM t; DELETE FROM u; END", "SELECT 1 -- ;\n",
                ]),
                0..6,
            ),
        ) {
            let parts: Vec<String> = parts.iter().map(|part| format!("{part};")).collect();
            let sql = parts.join(" ; ");
            prop_assert_eq!(statements(&sql).collect::<Vec<_>>(), parts);
        }
    }
}

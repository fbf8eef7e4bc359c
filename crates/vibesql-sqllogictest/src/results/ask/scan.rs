//! The text of a statement: where its quotes and comments are, as SQLite reads them.

/// A piece of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'s> {
    /// Blanks, line ends and comments.
    Space,
    /// A name or a keyword without quotes.
    Word(&'s str),
    /// A string with its quotes.
    Text(&'s str),
    /// A name with its quotes.
    Name(&'s str),
    /// The end of a statement.
    Semicolon,
    /// Anything else, a character at a time.
    Other(&'s str),
}

/// Takes a statement apart. Quotes and comments that do not end go to the end of the text.
pub(super) fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let space = |length: usize| (length, Piece::Space);
        let (length, piece) = match first {
            '\'' => with(rest, quoted(rest, '\''), Piece::Text),
            '"' | '`' => with(rest, quoted(rest, first), Piece::Name),
            '[' => with(rest, rest.find(']').map_or(rest.len(), |end| end + 1), Piece::Name),
            '-' if rest.starts_with("--") => space(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => space(rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            ';' => (1, Piece::Semicolon),
            first if first.is_ascii_whitespace() => space(length_of(rest, |c| c.is_ascii_whitespace())),
            first if is_letter(first) => with(rest, length_of(rest, is_letter), Piece::Word),
            _ => with(rest, first.len_utf8(), Piece::Other),
        };
        found.push(piece);
        rest = &rest[length..];
    }
    found
}

/// A piece of this length at the beginning of the text.
fn with<'s>(text: &'s str, length: usize, piece: impl Fn(&'s str) -> Piece<'s>) -> (usize, Piece<'s>) {
    (length, piece(&text[..length]))
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character)).unwrap_or(text.len())
}

/// The length of what begins with a quote; the quote twice stands for itself.
fn quoted(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(found) = text[from..].find(quote) {
        from += found + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

/// The statement without comments, without the semicolons at its end and without what they would stand for: VibeSQL does
/// not know all kinds of comments.
pub(super) fn bare(sql: &str) -> String {
    let text = join(sql, |piece| match piece {
        Piece::Space => " ".to_owned(),
        Piece::Semicolon => ";".to_owned(),
        Piece::Word(text) | Piece::Text(text) | Piece::Name(text) | Piece::Other(text) => text.to_owned(),
    });
    text.trim_matches(|character: char| character.is_ascii_whitespace() || character == ';').to_owned()
}

/// Whether there is something behind the end of the first statement.
pub(super) fn has_more(sql: &str) -> bool {
    pieces(&bare(sql)).contains(&Piece::Semicolon)
}

/// Whether a text ends with the end of a statement.
pub fn is_whole(text: &str) -> bool {
    pieces(text).into_iter().rfind(|piece| *piece != Piece::Space) == Some(Piece::Semicolon)
}

/// The same statement on one line: a test file takes an empty line for the end of a record. A line end in a string
/// becomes a call of `char`.
pub(super) fn one_line(sql: &str) -> String {
    join(&bare(sql), |piece| match piece {
        Piece::Space => " ".to_owned(),
        Piece::Semicolon => ";".to_owned(),
        Piece::Text(text) => literal(&inside(text).replace("''", "'")),
        Piece::Name(text) => text.replace(['\n', '\r'], " "),
        Piece::Word(text) | Piece::Other(text) => text.to_owned(),
    })
}

/// What stands between the quotes.
fn inside(text: &str) -> &str {
    let open = text.get(1..).unwrap_or_default();
    open.strip_suffix('\'').unwrap_or(open)
}

/// Text as a literal on one line.
pub(super) fn literal(text: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    if !text.contains(|character: char| character.is_control()) {
        return quoted(text);
    }
    let mut parts = Vec::new();
    let mut plain = String::new();
    for character in text.chars() {
        if character.is_control() {
            if !plain.is_empty() {
                parts.push(quoted(&std::mem::take(&mut plain)));
            }
            parts.push(format!("char({})", u32::from(character)));
        } else {
            plain.push(character);
        }
    }
    if !plain.is_empty() {
        parts.push(quoted(&plain));
    }
    format!("({})", parts.join("||"))
}

fn join(sql: &str, text: impl Fn(Piece<'_>) -> String) -> String {
    pieces(sql).into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments() {
        for (sql, expected) in [
            ("SELECT 1;", "SELECT 1"),
            ("  SELECT '--;''' -- no\n; ; ", "SELECT '--;'''"),
            ("SELECT /* ; */ \"a;b\", [c;d]", "SELECT   \"a;b\", [c;d]"),
            ("SELECT 'open", "SELECT 'open"),
            ("SELECT /* open", "SELECT"),
            ("é -- x", "é"),
        ] {
            assert_eq!(bare(sql), expected, "{sql}");
        }
        assert!(has_more("SELECT 1; SELECT 2") && has_more("SELECT 1; x"));
        assert!(!has_more("SELECT ';' ; -- ; \n") && !has_more("SELECT 1 /* ; */"));
    }

    #[test]
    fn a_statement_fits_a_line() {
        assert_eq!(
            one_line("SELECT\n\n 'a\n\nb',\n 'it''s', ''''"),
            "SELECT ('a'||char(10)||char(10)||'b'), 'it''s', ''''"
        );
    }

    #[test]
    fn nothing_is_lost() {
        for sql in ["a'b\"c`d[e--f/*g", "'\\'';\u{a0}x", "--\n/**/;;", "[", "''''''"] {
            let length: usize = pieces(sql)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Word(text) | Piece::Text(text) | Piece::Name(text) | Piece::Other(text) => {
                        text.len()
                    }
                    Piece::Semicolon => 1,
                    Piece::Space => 0,
                })
                .sum();
            assert!(length <= sql.len());
        }
    }
}

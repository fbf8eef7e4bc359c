//! Scans the text of a statement: its quotes and comments, as SQLite reads them.

use std::collections::HashSet;

/// A piece of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SqlPiece<'s> {
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
    /// Any other character.
    Other(&'s str),
}

impl<'s> SqlPiece<'s> {
    /// Returns a possible name, without quotes. SQLite accepts strings as names.
    pub(super) fn name(self) -> Option<&'s str> {
        match self {
            Self::Word(text) => Some(text),
            Self::Name(text) | Self::Text(text) => {
                let open = text.get(1..).unwrap_or_default();
                Some(open.strip_suffix(['"', '`', ']', '\'']).unwrap_or(open))
            }
            Self::Space | Self::Semicolon | Self::Other(_) => None,
        }
    }
}

/// Splits a statement into pieces. Unterminated quotes and comments extend to the end of the text.
pub(super) fn pieces(sql: &str) -> Vec<SqlPiece<'_>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let space = |length: usize| (length, SqlPiece::Space);
        let (length, piece) = match first {
            '\'' => with(rest, quoted(rest, '\''), SqlPiece::Text),
            '"' | '`' => with(rest, quoted(rest, first), SqlPiece::Name),
            '[' => with(rest, rest.find(']').map_or(rest.len(), |end| end + 1), SqlPiece::Name),
            '-' if rest.starts_with("--") => space(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => space(rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            ';' => (1, SqlPiece::Semicolon),
            first if first.is_ascii_whitespace() => space(length_of(rest, |c| c.is_ascii_whitespace())),
            first if is_letter(first) => with(rest, length_of(rest, is_letter), SqlPiece::Word),
            _ => with(rest, first.len_utf8(), SqlPiece::Other),
        };
        found.push(piece);
        rest = &rest[length..];
    }
    found
}

/// Returns a piece of this length at the beginning of the text.
fn with<'s>(text: &'s str, length: usize, piece: impl Fn(&'s str) -> SqlPiece<'s>) -> (usize, SqlPiece<'s>) {
    (length, piece(&text[..length]))
}

fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character)).unwrap_or(text.len())
}

/// Returns the length of a quoted text; a doubled quote is an escaped quote.
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

/// Splits a text into statements, without semicolons, and without comments, because VibeSQL lacks some kinds of them.
/// Empty statements are skipped.
pub fn statements(text: &str) -> Vec<String> {
    let pieces = pieces(text);
    let statements = pieces.split(|piece| *piece == SqlPiece::Semicolon).map(|pieces| {
        let texts = pieces.iter().map(|piece| match *piece {
            SqlPiece::Space | SqlPiece::Semicolon => " ",
            SqlPiece::Word(text) | SqlPiece::Text(text) | SqlPiece::Name(text) | SqlPiece::Other(text) => {
                text
            }
        });
        texts.collect::<String>().trim_matches(' ').to_owned()
    });
    statements.filter(|statement| !statement.is_empty()).collect()
}

/// Returns whether a text ends with the end of a statement.
pub fn is_whole(text: &str) -> bool {
    pieces(text).into_iter().rfind(|piece| *piece != SqlPiece::Space) == Some(SqlPiece::Semicolon)
}

/// Returns all possible names in a statement, without quotes and in lower case.
pub(super) fn names(sql: &str) -> HashSet<String> {
    pieces(sql).into_iter().filter_map(SqlPiece::name).map(str::to_ascii_lowercase).collect()
}

/// Returns the names directly after IN, without quotes and in lower case: `IN t` reads all columns of `t`.
pub(super) fn names_behind_in(sql: &str) -> HashSet<String> {
    let pieces: Vec<_> = pieces(sql).into_iter().filter(|piece| *piece != SqlPiece::Space).collect();
    let mut found = HashSet::new();
    for (place, piece) in pieces.iter().enumerate() {
        if !matches!(piece, SqlPiece::Word(word) if word.eq_ignore_ascii_case("in")) {
            continue;
        }
        let name = match &pieces[place + 1..] {
            [_, SqlPiece::Other("."), name, ..] | [name, ..] => name.name(),
            [] => None,
        };
        found.extend(name.map(str::to_ascii_lowercase));
    }
    found
}

/// Returns whether a statement has a `*` for columns: after the start of a result list, a comma or a dot.
///
/// The `*` of `COUNT(*)` follows a parenthesis, and that of a product an operand.
pub(super) fn has_wildcard(sql: &str) -> bool {
    let pieces: Vec<_> = pieces(sql).into_iter().filter(|piece| *piece != SqlPiece::Space).collect();
    let begins = |piece: SqlPiece<'_>| match piece {
        SqlPiece::Other(text) => matches!(text, "," | "."),
        SqlPiece::Word(word) => {
            ["select", "distinct", "all"].iter().any(|known| word.eq_ignore_ascii_case(known))
        }
        _ => false,
    };
    pieces.windows(2).any(|pair| pair[1] == SqlPiece::Other("*") && begins(pair[0]))
}

/// Formats a statement on one line, because an empty line ends a record of a test file. A line end in a string becomes
/// a call of `char`.
pub(super) fn one_line(sql: &str) -> String {
    let text = |piece| match piece {
        SqlPiece::Space => " ".to_owned(),
        SqlPiece::Semicolon => ";".to_owned(),
        SqlPiece::Text(text) => literal(&inside(text).replace("''", "'")),
        SqlPiece::Name(text) => text.replace(['\n', '\r'], " "),
        SqlPiece::Word(text) | SqlPiece::Other(text) => text.to_owned(),
    };
    pieces(sql).into_iter().map(text).collect()
}

/// Returns the text between the quotes.
fn inside(text: &str) -> &str {
    let open = text.get(1..).unwrap_or_default();
    open.strip_suffix('\'').unwrap_or(open)
}

/// Formats text as a literal on one line.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments() {
        for (sql, expected) in [
            ("SELECT 1;", &["SELECT 1"][..]),
            ("  SELECT '--;''' -- no\n; ; ", &["SELECT '--;'''"]),
            ("SELECT /* ; */ \"a;b\", [c;d]", &["SELECT   \"a;b\", [c;d]"]),
            ("SELECT 'open", &["SELECT 'open"]),
            ("SELECT /* open", &["SELECT"]),
            ("é -- x", &["é"]),
            (" -- nothing\n ; /* ; */ ", &[]),
            ("SELECT 1; SELECT ';'\n;x", &["SELECT 1", "SELECT ';'", "x"]),
        ] {
            assert_eq!(statements(sql), expected, "{sql}");
        }
    }

    #[test]
    fn names_are_found_in_all_quotes() {
        let found = names("SELECT \"A\", [b c], `d`, 'e', f.g, 1 -- h\n FROM \"");
        let expected = ["select", "a", "b c", "d", "e", "f", "g", "1", "from", ""];
        assert_eq!(found, expected.map(str::to_owned).into());
    }

    #[test]
    fn tables_behind_in_are_found() {
        let found = names_behind_in(
            "SELECT 1 IN A, 2 in \"B\", 3 NOT IN main.[c d], 4 IN /**/ main . 'e', 5 IN (f), 'in' g, \"in\" h, x IN",
        );
        assert_eq!(found, ["a", "b", "c d", "e"].map(str::to_owned).into());
    }

    #[test]
    fn wildcards_are_told_from_products() {
        for sql in [
            "SELECT * FROM t",
            "select\n*",
            "SELECT DISTINCT * FROM t",
            "SELECT ALL/**/* FROM t",
            "SELECT 1, * FROM t",
            "SELECT t . * FROM t",
            "SELECT (SELECT [t].* FROM t)",
        ] {
            assert!(has_wildcard(sql), "{sql}");
        }
        for sql in [
            "SELECT COUNT(*), count ( * ) FROM t",
            "SELECT 2 * a, a*2, 'b' * \"c\", (1) * 2 FROM t",
            "SELECT CASE WHEN 1 THEN 2 END * 2, '* , *' -- , *",
        ] {
            assert!(!has_wildcard(sql), "{sql}");
        }
    }

    #[test]
    fn a_statement_fits_a_line() {
        assert_eq!(
            one_line("SELECT\n\n 'a\n\nb',\n 'it''s', ''''"),
            "SELECT ('a'||char(10)||char(10)||'b'), 'it''s', ''''"
        );
    }
}

//! The kind of a statement, by its first words.

/// The longest word that is looked at.
const LONGEST: usize = 16;

macro_rules! kinds {
    ($($name:ident $text:literal,)*) => {
        /// The kind of a statement.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StatementKind {
            $(#[doc = $text] $name,)*
        }

        impl StatementKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns its name in documents.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    Select "SELECT",
    With "WITH",
    Values "VALUES",
    Insert "INSERT",
    Replace "REPLACE",
    Update "UPDATE",
    Delete "DELETE",
    Merge "MERGE",
    Truncate "TRUNCATE",
    Copy "COPY",
    CreateTable "CREATE TABLE",
    CreateIndex "CREATE INDEX",
    CreateView "CREATE VIEW",
    CreateTrigger "CREATE TRIGGER",
    Create "CREATE",
    DropTable "DROP TABLE",
    DropIndex "DROP INDEX",
    DropView "DROP VIEW",
    DropTrigger "DROP TRIGGER",
    Drop "DROP",
    AlterTable "ALTER TABLE",
    Alter "ALTER",
    Begin "BEGIN",
    Commit "COMMIT",
    Rollback "ROLLBACK",
    Savepoint "SAVEPOINT",
    Release "RELEASE",
    Set "SET",
    Show "SHOW",
    Pragma "PRAGMA",
    Explain "EXPLAIN",
    Analyze "ANALYZE",
    Reindex "REINDEX",
    Vacuum "VACUUM",
    Other "other",
}

impl StatementKind {
    /// Returns the kind with this name in documents. An unknown one, of a later version, counts as other.
    pub fn from_text(text: &str) -> Self {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).unwrap_or(Self::Other)
    }

    /// Returns the kind of the first statement of a text.
    pub fn from_sql(sql: &[u8]) -> Self {
        // Most records of a run need nothing else: six letters of any case, and a space.
        const SMALL: u64 = 0x2020_2020_2020;
        const SEVEN: u64 = 0xff_ffff_ffff_ffff;
        const SELECT: Option<u64> = Some(u64::from_le_bytes(*b"select \0"));
        const INSERT: Option<u64> = Some(u64::from_le_bytes(*b"insert \0"));
        let first = sql.first_chunk().map(|first| (u64::from_le_bytes(*first) | SMALL) & SEVEN);
        if first == SELECT {
            return Self::Select;
        }
        if first == INSERT {
            return Self::Insert;
        }
        let mut words = Words(sql);
        let mut buffer = [0; LONGEST];
        match words.next(&mut buffer) {
            b"SELECT" | b"FROM" => Self::Select,
            b"WITH" => Self::With,
            b"VALUES" => Self::Values,
            b"INSERT" => Self::Insert,
            b"REPLACE" => Self::Replace,
            b"UPDATE" => Self::Update,
            b"DELETE" => Self::Delete,
            b"MERGE" => Self::Merge,
            b"TRUNCATE" => Self::Truncate,
            b"COPY" => Self::Copy,
            b"CREATE" => Self::of_object(
                words,
                [Self::CreateTable, Self::CreateIndex, Self::CreateView, Self::CreateTrigger, Self::Create],
            ),
            b"DROP" => Self::of_object(
                words,
                [Self::DropTable, Self::DropIndex, Self::DropView, Self::DropTrigger, Self::Drop],
            ),
            b"ALTER" => {
                Self::of_object(words, [Self::AlterTable, Self::Alter, Self::Alter, Self::Alter, Self::Alter])
            }
            b"BEGIN" | b"START" => Self::Begin,
            b"COMMIT" | b"END" => Self::Commit,
            b"ROLLBACK" | b"ABORT" => Self::Rollback,
            b"SAVEPOINT" => Self::Savepoint,
            b"RELEASE" => Self::Release,
            b"SET" | b"RESET" => Self::Set,
            b"SHOW" | b"DESCRIBE" => Self::Show,
            b"PRAGMA" => Self::Pragma,
            b"EXPLAIN" => Self::Explain,
            b"ANALYZE" => Self::Analyze,
            b"REINDEX" => Self::Reindex,
            b"VACUUM" => Self::Vacuum,
            _ => Self::Other,
        }
    }

    /// Returns one of the kinds: of a table, an index, a view, a trigger, or another object.
    fn of_object(mut words: Words<'_>, kinds: [Self; 5]) -> Self {
        let [table, index, view, trigger, other] = kinds;
        let mut buffer = [0; LONGEST];
        // Words such as OR REPLACE TEMPORARY stand before the kind of the object.
        for _ in 0..5 {
            match words.next(&mut buffer) {
                b"TABLE" => return table,
                b"INDEX" => return index,
                b"VIEW" => return view,
                b"TRIGGER" => return trigger,
                b"OR" | b"REPLACE" | b"TEMP" | b"TEMPORARY" | b"UNIQUE" | b"VIRTUAL" | b"MATERIALIZED"
                | b"RECURSIVE" | b"GLOBAL" | b"LOCAL" | b"UNLOGGED" | b"EXTERNAL" => {}
                _ => break,
            }
        }
        other
    }
}

/// The words of a text, without comments.
struct Words<'s>(&'s [u8]);

impl Words<'_> {
    /// Returns the next word in upper case; empty at the end of the text, and for a word longer than the buffer.
    fn next<'b>(&mut self, buffer: &'b mut [u8; LONGEST]) -> &'b [u8] {
        self.skip_to_word();
        let length = self.0.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        match buffer.get_mut(..length) {
            Some(upper) => {
                upper.copy_from_slice(word);
                upper.make_ascii_uppercase();
                upper
            }
            None => &[],
        }
    }

    fn skip_to_word(&mut self) {
        loop {
            self.0 = match self.0 {
                [byte, rest @ ..] if byte.is_ascii_whitespace() || matches!(byte, b'(' | b';') => rest,
                [b'-', b'-', rest @ ..] => behind(rest, b"\n"),
                [b'/', b'*', rest @ ..] => behind(rest, b"*/"),
                _ => return,
            };
        }
    }
}

/// Returns the text behind the first occurrence of `end`.
fn behind<'s>(text: &'s [u8], end: &[u8]) -> &'s [u8] {
    let place = text.windows(end.len()).position(|part| part == end);
    place.map_or(&[], |place| &text[place + end.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (sql, kind) in [
            ("SELECT 1", "SELECT"),
            ("SeLeCt 1", "SELECT"),
            ("insert into t values(1)", "INSERT"),
            ("\n (( select 1) union select 2)", "SELECT"),
            ("-- a\n/* b\n*/ Insert INTO t VALUES(1)", "INSERT"),
            ("create table t(a)", "CREATE TABLE"),
            ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE VIEW"),
            ("CREATE UNIQUE INDEX i ON t(a)", "CREATE INDEX"),
            ("CREATE FUNCTION f() RETURNS INT", "CREATE"),
            ("DROP TABLE IF EXISTS t", "DROP TABLE"),
            ("ALTER TABLE t ADD COLUMN b", "ALTER TABLE"),
            ("ALTER VIEW v RENAME TO w", "ALTER"),
            ("START TRANSACTION", "BEGIN"),
            ("END", "COMMIT"),
            ("", "other"),
            ("/* open", "other"),
            ("selection", "other"),
            ("AVeryLongWordThatIsNoKeyword 1", "other"),
            ("é", "other"),
        ] {
            assert_eq!(StatementKind::from_sql(sql.as_bytes()).as_str(), kind, "{sql}");
        }
        for &kind in StatementKind::ALL {
            assert_eq!(StatementKind::from_text(kind.as_str()), kind);
            if kind != StatementKind::Other {
                assert_eq!(StatementKind::from_sql(kind.as_str().as_bytes()), kind);
            }
        }
        assert_eq!(StatementKind::from_text("FROM THE FUTURE"), StatementKind::Other);
    }
}

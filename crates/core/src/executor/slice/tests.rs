use proptest::prelude::*;

use super::tokens::{Ambiguous, Token, tokens};
use super::{Slice, may_split};
use crate::executor::step::StepRole;
use crate::executor::{DetailLimits, Options};
use crate::location::Source;
use crate::parser::{RecordKind, SQLITE, SQLITE_EXACT, Script, parse};

fn options() -> Options {
    Options {
        labels: vec!["sqlite".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    }
}

/// What `may_split` says to a script of this text in front of enough plain queries.
fn answer(text: &str) -> String {
    let plain: String = (0..8).map(|n| format!("query I nosort\nSELECT {n}\n----\n{n}\n\n")).collect();
    let source = Source::new("t.test", format!("{text}\n\n{plain}"));
    may_split(&parse(&source, &SQLITE), &options()).map_or_else(|why| why.to_string(), |()| "yes".to_owned())
}

fn statement(sql: &str) -> String {
    answer(&format!("statement ok\n{sql}"))
}

fn query(sql: &str) -> String {
    answer(&format!("query I nosort\n{sql}\n----"))
}

#[test]
fn what_is_known_to_be_harmless_may_be_split() {
    for sql in [
        "CREATE TABLE t1(a INTEGER PRIMARY KEY, b VARCHAR(40) DEFAULT 'x', CHECK (b <> ''))",
        "CREATE TABLE IF NOT EXISTS t(a DECIMAL(10, 2) REFERENCES u(a), UNIQUE (a))",
        "CREATE UNIQUE INDEX i ON t(a DESC) WHERE abs(a) > 1",
        "CREATE TEMP VIEW v(a, b) AS SELECT count(*), max(b) FROM t GROUP BY a",
        "INSERT INTO t(a, b) VALUES (1, 'random()'), (-2.5e3, x'00')",
        "INSERT INTO t SELECT * FROM u; -- now()\nUPDATE t SET a = (a + 1); DELETE FROM t WHERE a IN (1, 2);",
        "REPLACE INTO [t] VALUES (1) /* random() */",
        "DROP TABLE IF EXISTS t",
        "ALTER TABLE t ADD COLUMN c",
    ] {
        assert_eq!(statement(sql), "yes", "{sql}");
    }
    for sql in [
        "SELECT 1;",
        "VALUES (1)",
        "-- SELECT\nselect DISTINCT count(*), coalesce(\"a\", CAST(b AS VARCHAR(3))) FROM t AS x WHERE (a) NOT IN (SELECT b FROM u)",
        "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT sum(n) FROM c",
        "SELECT rank() OVER (ORDER BY a) FROM t WHERE b = 'DELETE; random()'",
        "SELECT replace('a', 'b', 'it''s') FROM sqlite_master",
        "SELECT `a``b` FROM t WHERE a|b = ~1 OR a <> .5",
    ] {
        assert_eq!(query(sql), "yes", "{sql}");
    }
    // What is not executed cannot do harm.
    for text in ["skipif sqlite\nstatement ok\nPRAGMA x", "onlyif mysql\nquery I\nSELECT random()\n----\n1"] {
        assert_eq!(answer(text), "yes", "{text}");
    }
    let halted =
        "query I nosort a\nSELECT 1\n\n".repeat(8).replace(" a\n", "\n") + "halt\n\nstatement ok\nBEGIN\n";
    let source = Source::new("t.test", halted);
    assert_eq!(may_split(&parse(&source, &SQLITE), &options()), Ok(()));
}

#[test]
fn each_doubt_has_its_reason() {
    let statements = [
        "BEGIN",
        "SAVEPOINT s",
        "PRAGMA foreign_keys = 1",
        "ANALYZE",
        "VACUUM",
        "SELECT 1",
        "CREATE VIRTUAL TABLE t USING x",
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END",
        "INSERT INTO t VALUES (1); COMMIT",
        "INSERT INTO t VALUES (random())",
        "INSERT INTO t SELECT RandomBlob ( 3 ) FROM u",
        "INSERT INTO t VALUES (date())",
        "CREATE TABLE t(a DEFAULT CURRENT_TIMESTAMP)",
        "CREATE VIEW v AS SELECT datetime('now')",
        "INSERT INTO t VALUES (CAST('NOW' AS TEXT))",
        "UPDATE t SET a = last_insert_rowid()",
        "UPDATE t SET a = main.abs(1)",
        "INSERT INTO t SELECT a FROM u LIMIT 1",
        "INSERT INTO t SELECT row_number() OVER () FROM u",
        "CREATE INDEX i ON t(my_function(a))",
        "INSERT INTO t VALUES ('it\\'s')",
        "INSERT INTO t VALUES (?)",
        "INSERT INTO t VALUES ('open",
        "INSERT INTO t VALUES (1) # b",
        "WITH c AS (SELECT 1) INSERT INTO t SELECT * FROM c",
    ];
    let queries = [
        "INSERT INTO t VALUES (1) RETURNING a",
        "WITH c AS (SELECT 1) DELETE FROM t",
        "SELECT a INTO u FROM t",
        "SELECT a FROM t FOR UPDATE",
        "PRAGMA table_info(t)",
        "SELECT 1; SELECT 2",
        ";",
        "-- nothing",
        "(SELECT 1)",
        "SELECT changes()",
        "SELECT \"random\"()",
        "SELECT now ()",
        "SELECT x, f(1) FROM t",
        "SELECT current_date",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT * FROM \"sqlite_stat1\"",
        "SELECT seq.nextval FROM t",
        "SELECT @x",
        "SELECT a::int FROM t",
        "SELECT E'a'",
        "SELECT 1--1",
        "SELECT /* a /* b */ 1",
        "SELECT /*! 1 */ 2",
        "SELECT a[random()]",
        "SELECT 1random()",
        "SELECT random\u{a0}()",
        "EXPLAIN SELECT 1",
    ];
    let mut shown: Vec<String> = Vec::new();
    shown.extend(statements.iter().map(|sql| format!("{sql}\n    {}", statement(sql))));
    shown.extend(queries.iter().map(|sql| format!("{sql}\n    {}", query(sql))));
    let texts = [
        "query I nosort\nSELECT 1\n----\n1\n\nstatement ok\nINSERT INTO t VALUES (1)",
        "query I sideways\nSELECT 1\n----\n1",
        "halt",
    ];
    shown.extend(texts.iter().map(|text| format!("{}\n    {}", text.replace('\n', " | "), answer(text))));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn text_is_taken_apart_as_every_engine_does() {
    use Token::{Name, Number, Symbol, Text, Word};
    let cases: &[(&str, Result<&[Token<'_>], Ambiguous>)] = &[
        ("", Ok(&[])),
        ("SELECT a.b", Ok(&[Word(b"SELECT"), Word(b"a"), Symbol(b'.'), Word(b"b")])),
        ("'a''b'", Ok(&[Text(b"a''b")])),
        ("'' \"a b\" `c` [d]", Ok(&[Text(b""), Name(b"a b"), Name(b"c"), Name(b"d")])),
        ("x'00'", Ok(&[Word(b"x"), Text(b"00")])),
        ("1.5e-3 .5 1e5", Ok(&[Number, Symbol(b'.'), Number, Number])),
        ("a -- b\nc --", Ok(&[Word(b"a"), Word(b"c")])),
        ("a/* ' */b", Ok(&[Word(b"a"), Word(b"b")])),
        ("1e", Err(Ambiguous)),
        ("0x1F", Err(Ambiguous)),
        ("/* a", Err(Ambiguous)),
        ("/*/", Err(Ambiguous)),
        ("'a", Err(Ambiguous)),
        ("[a b", Err(Ambiguous)),
        ("é", Err(Ambiguous)),
        ("a\0", Err(Ambiguous)),
    ];
    for (sql, expected) in cases {
        assert_eq!(tokens(sql.as_bytes()), expected.map(<[_]>::to_vec), "{sql}");
    }
    assert_eq!(tokens(b"'\xff'"), Ok(vec![Text(b"\xff")]));
}

fn deal(text: &str, exact: bool, count: u32) -> Vec<Vec<u32>> {
    let source = Source::new("t.test", text);
    let script = parse(&source, if exact { &SQLITE_EXACT } else { &SQLITE });
    (0..count).map(|index| judged(&script, Slice::new(index, count).unwrap())).collect()
}

/// Returns the lines of the queries that a slice judges.
fn judged(script: &Script<'_>, slice: Slice) -> Vec<u32> {
    let labels = options().labels;
    let steps = slice.steps(script, &labels).into_iter();
    let judged = steps
        .filter(|step| step.role == StepRole::Judged && matches!(step.record.kind, RecordKind::Query(_)));
    judged.map(|step| step.record.line).collect()
}

#[test]
fn queries_are_dealt_in_turn_and_labels_stay_together() {
    let plain = "query I\nSELECT 1\n\n".repeat(5);
    assert_eq!(deal(&plain, false, 2), [vec![1, 7, 13], vec![4, 10]]);
    assert_eq!(deal(&plain, false, 7).concat(), [1, 4, 7, 10, 13]);
    let labelled = "query I nosort a\nSELECT 1\n\n".repeat(3) + &plain;
    assert_eq!(deal(&labelled, false, 2), [vec![1, 4, 7, 19], vec![10, 13, 16, 22]]);
    // Every other query is for another engine: what is left is dealt evenly all the same.
    let mixed = "query I\nSELECT 1\n\nonlyif mysql\nquery I\nSELECT 1\n\n".repeat(4);
    let executed = |lines: &Vec<u32>| lines.iter().filter(|line| *line % 7 == 1).count();
    assert_eq!(deal(&mixed, false, 2).iter().map(executed).collect::<Vec<_>>(), [2, 2]);
    // Alike within the first 20 bytes, which is what counts of an executed query with `--exact`.
    let long = "query I nosort label-with-20-bytes--a\nSELECT 1\n\nquery I nosort label-with-20-bytes--b\nSELECT 1\n\n";
    assert_eq!(deal(long, true, 2), [vec![1, 4], vec![]]);
    assert_eq!(deal(long, false, 2), [vec![1], vec![4]]);
}

#[test]
fn there_is_no_slice_out_of_the_range() {
    assert_eq!(Slice::new(0, 0), None);
    assert_eq!(Slice::new(2, 2), None);
    assert_eq!(Slice::new(1, 2).map(|slice| (slice.index(), slice.count())), Some((1, 2)));
}

proptest! {
    #[test]
    fn any_bytes_are_taken_apart_or_refused(text in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(found) = tokens(&text) {
            prop_assert!(found.len() <= text.len());
        }
    }

    #[test]
    fn text_of_sql_pieces_is_taken_apart_or_refused(
        parts in prop::collection::vec(
            prop::sample::select(vec!["'", "\"", "`", "[", "]", "--", "/*", "*/", " ", "\n", "a", "1", "e", ".", "-", ";"]),
            0..20,
        ),
    ) {
        let text = parts.concat();
        if let Ok(found) = tokens(text.as_bytes()) {
            // Nothing but blanks, quotes and comments goes: each byte of a token is in the text.
            let kept: usize = found.iter().map(|token| match token {
                Token::Word(text) | Token::Name(text) | Token::Text(text) => text.len(),
                Token::Number | Token::Symbol(_) => 1,
            }).sum();
            prop_assert!(kept <= text.len());
        }
    }
}

use insta::assert_snapshot;
use proptest::prelude::*;

use crate::location::{Source, text_of};
use crate::parser::{
    Block, ConditionKind, Control, ErrorPattern, Item, Profile, QueryExpectation, RS, RS_EXACT, Record,
    RecordKind, RetryRule, Script, SortMode, Sql, StatementExpectation, VIBESQL, VIBESQL_EXACT, parse,
};

/// One line for each record, and one for each lint.
fn describe(text: &[u8], profile: &'static Profile) -> String {
    let source = Source::new("t", text);
    let script = parse(&source, profile);
    assert_eq!(script.unparse(), text, "every byte belongs to one item");
    lines_of(&script).join("\n")
}

fn lines_of(script: &Script<'_>) -> Vec<String> {
    let records = script.items.iter().filter_map(|item| match item {
        Item::Record(one) => Some(record(one)),
        Item::ByteOrderMark(_) => Some("bom".to_owned()),
        Item::Blank(_) | Item::Comment(_) => None,
    });
    records.chain(script.lints.iter().map(|lint| format!("lint {}: {}", lint.line, lint.kind))).collect()
}

fn record(record: &Record<'_>) -> String {
    let conditions = record.conditions.iter().map(|condition| {
        let word = if condition.kind == ConditionKind::SkipIf { "skipif" } else { "onlyif" };
        format!(" {word} {}", text_of(condition.name))
    });
    let connection = record.connection().map(|connection| format!(" @{}", text_of(connection.name)));
    let retry = record.retry().map(|retry| match retry {
        RetryRule::Fixed(retry) => format!(" retry {} {:?}", retry.attempts, retry.backoff),
        RetryRule::Variables { attempts, backoff } => {
            format!(" retry {} {}", text_of(attempts), text_of(backoff))
        }
    });
    let defect = record.defect.as_ref().map(|defect| format!(" !! {:?} {}", defect.effect, defect.error));
    let lines = format!("{}..{} line {}:", record.lines.start, record.lines.end, record.line);
    let front = conditions.chain(connection).chain(retry).collect::<String>();
    format!("{lines}{front}{}{}", kind(&record.kind), defect.unwrap_or_default())
}

fn kind(kind: &RecordKind<'_>) -> String {
    match kind {
        RecordKind::Statement(one) => {
            let expected = match &one.expected {
                StatementExpectation::Error(pattern) => error(pattern),
                other => format!("{other:?}"),
            };
            format!(" statement {expected} {}", sql(&one.sql))
        }
        RecordKind::Query(one) => {
            let expected = match &one.expected {
                QueryExpectation::Rows(rows) => lines(rows),
                QueryExpectation::Hash(hash) => hash.to_string(),
                QueryExpectation::Error(pattern) => error(pattern),
                other => format!("{other:?}"),
            };
            let sort = one.sort.map_or("-", SortMode::word);
            let label = one.label.map_or("-".to_owned(), text_of);
            format!(" query [{}] {sort} {label} {} -> {expected}", text_of(one.types), sql(&one.sql))
        }
        RecordKind::Let(one) => {
            let names: Vec<_> = one.names.iter().map(|name| text_of(name)).collect();
            format!(" let {names:?} {}", sql(&one.sql))
        }
        RecordKind::System(one) => {
            format!(" system {} -> {:?}", sql(&one.command), one.stdout.as_ref().map(lines))
        }
        RecordKind::Control(Control::Include(text)) => format!(" include {}", text_of(text)),
        RecordKind::Control(Control::Subtest(text)) => format!(" subtest {}", text_of(text)),
        RecordKind::Control(Control::EngineMode(text)) => format!(" dialect {}", text_of(text)),
        RecordKind::Control(one) => format!(" {one:?}"),
        other => format!(" {other:?}"),
    }
}

fn error(pattern: &ErrorPattern<'_>) -> String {
    match pattern {
        ErrorPattern::Exact(text) => format!("Exact({:?})", text_of(text)),
        other => format!("{other:?}"),
    }
}

fn sql(sql: &Sql<'_>) -> String {
    format!("{:?}", text_of(&sql.joined()))
}

fn lines(block: &Block<'_>) -> String {
    format!("{:?}", block.lines().map(text_of).collect::<Vec<_>>())
}

fn strict(text: &str) -> String {
    describe(text.as_bytes(), &RS)
}

fn exact(text: &str) -> String {
    describe(text.as_bytes(), &RS_EXACT)
}

#[test]
fn all_kinds_of_records() {
    let text = "# head\nstatement ok\nCREATE TABLE t(\n  \n# text\na INT)\n\nstatement count 2 retry 3 backoff 1ms2us\n\
        INSERT\n\nstatement error no  such\ttable\nx\n\nstatement error (42P01)\nx\n\nstatement error\nx\n----\n\
        one\n\ntwo\n\n\nquery\nSELECT 1\n----\n1\n\nquery IT rowsort label-1 retry 2 backoff 1s\nSELECT\n----\n1 #\n# 2\n\n\
        query error\nx\n\nsystem ok\necho 1\n----\n1\n\n\nlet a,, b,\nSELECT 1, 2\n\nsleep 1s\nsubtest one\ninclude *.slt\n\
        hash-threshold 3\ncontrol sortmode rowsort\ncontrol resultmode valuewise\ncontrol substitution on\nhalt\n";
    assert_snapshot!(strict(text), @r##"
    2..7 line 2: statement Ok "CREATE TABLE t(\n  \n# text\na INT)"
    8..10 line 8: retry 3 1.002ms statement Count(2) "INSERT"
    11..13 line 11: statement Search("no such table") "x"
    14..16 line 14: statement SqlState { code: "42P01", message: "" } "x"
    17..23 line 17: statement Exact("one\n\ntwo") "x"
    25..29 line 25: query [] - - "SELECT 1" -> ["1"]
    30..35 line 30: retry 2 1s query [IT] rowsort label-1 "SELECT" -> ["1 #", "# 2"]
    36..38 line 36: query [] - - "x" -> Any
    39..43 line 39: system "echo 1" -> Some("[\"1\"]")
    45..47 line 45: let ["a", "b"] "SELECT 1, 2"
    48..49 line 48: Sleep(1s)
    49..50 line 49: subtest one
    50..51 line 50: include *.slt
    51..52 line 51: HashThreshold(3)
    52..53 line 52: SortMode(RowSort)
    53..54 line 53: ResultLayout(Values)
    54..55 line 54: Substitution(true)
    55..56 line 55: Halt
    "##);
    assert_eq!(strict(text), exact(text));
}

#[test]
fn conditions_and_connections_apply_to_the_next_record_of_any_kind() {
    let text = "onlyif a\n\n# why\nskipif b\nhalt\n\nconnection c\nonlyif a\nsleep 1s\n\nquery I\nSELECT 1\n----\n\n\
        connection default\nstatement ok\nx\n\nconnection d\nsystem ok\ntrue\n\nstatement ok\nx\n\n\
        connection e\ninclude f\n\nstatement ok\nx\n\nskipif x # why\nstatement ok\nx\n\nskipif x y\nhalt\n\n\
        connection\nhalt\n\nonlyif\nhalt\n\nconnection g\nstatment ok\nx\n\nstatement ok\nx\n\nskipif z\n";
    assert_snapshot!(strict(text), @r##"
    1..6 line 5: onlyif a skipif b Halt
    7..10 line 9: onlyif a Sleep(1s)
    11..14 line 11: @c query [I] - - "SELECT 1" -> []
    15..18 line 16: statement Ok "x"
    19..22 line 20: system "true" -> None
    23..25 line 23: @d statement Ok "x"
    26..28 line 27: include f !! Dropped t:27: expected a statement, query or let after `connection e`, found `include`
    29..31 line 29: statement Ok "x"
    32..35 line 33: skipif x statement Ok "x"
    36..38 line 36: skipif x Halt !! Dropped t:36: expected nothing after `skipif x`, found `y`
    39..41 line 39: Halt !! Dropped t:39: expected one name after `connection`, found `connection`
    42..44 line 42: Halt !! Dropped t:42: expected an engine name after `onlyif`, found nothing
    45..48 line 46: Unknown !! Dropped t:46: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `statment`
    49..51 line 49: statement Ok "x"
    52..53 line 52: skipif z Unknown !! Dropped t:52: expected a record right after the condition, found the end of the file
    "##);
    assert_snapshot!(exact(text), @r##"
    1..6 line 5: Halt
    7..10 line 9: Sleep(1s)
    11..14 line 11: onlyif a skipif b onlyif a @c query [I] - - "SELECT 1" -> []
    15..18 line 16: statement Ok "x"
    19..22 line 20: system "true" -> None
    23..25 line 23: @d statement Ok "x"
    26..28 line 27: include f
    29..31 line 29: @e statement Ok "x"
    32..35 line 32: skipif x statement Ok "x" !! Dropped t:32: expected nothing after `skipif x`, found `# why`
    36..38 line 36: Halt !! Dropped t:36: expected nothing after `skipif x`, found `y`
    39..41 line 39: Halt !! Dropped t:39: expected one name after `connection`, found `connection`
    42..44 line 42: Halt !! Dropped t:42: expected an engine name after `onlyif`, found nothing
    45..48 line 46: Unknown !! Dropped t:46: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `statment`
    49..51 line 49: skipif x @g statement Ok "x"
    52..53 line 52: Unknown
    "##);
}

#[test]
fn connections_and_retries_of_serenedb() {
    let text = "connection c user=u password=p\nstatement ok retry $N backoff ${PAUSE}\nx\n\n\
        connection c user=u word\nstatement ok\nx\n";
    assert_snapshot!(strict(text), @r#"
    1..4 line 2: @c retry $N ${PAUSE} statement Ok "x"
    5..8 line 5: statement Ok "x" !! Dropped t:5: expected one name after `connection`, found `connection c user=u word`
    "#);
    assert_snapshot!(exact(text), @r#"
    1..4 line 1: statement Ok "x" !! Dropped t:1: expected one name after `connection`, found `connection c user=u password=p`
    5..8 line 5: statement Ok "x" !! Dropped t:5: expected one name after `connection`, found `connection c user=u word`
    "#);
}

#[test]
fn records_that_are_malformed() {
    for text in [
        "statement ok please\nx\n",
        "statement count many\nx\n",
        "statement\nx\n",
        "statement ok\nx\n----\n1\n",
        "statement error (\nx\n",
        "statement error a\nx\n----\na\n\n\nstatement ok\nx\n",
        "statement ok",
        "statement ok retry 3 backoff 1\nx\n",
        "statement ok retry 0 backoff 1s\nx\n",
        "statement ok retry 3\nx\n",
        "query I rowsort l m\nx\n",
        "let a b\nx\n",
        "let\nx\n",
        "system fail\nx\n",
        "control sortmode random\n",
        "control colour on\n",
        "control substitution maybe\n",
        "control\n",
        "subtest a b\n",
        "include\n",
        "halt now\n",
        "sleep 1\n",
        "hash-threshold -1\n",
        "nonsense here\nx\n",
        " # indented\n",
        "statement ok\nx\nquery I\nSELECT 1\n",
        "statement ok\nquery I\nSELECT 1\n",
    ] {
        let found = strict(text);
        let first = found.lines().next().unwrap_or_default();
        assert!(first.contains("!!"), "{text:?}: {found}");
    }
    assert_snapshot!(strict("statement ok please\nx\n\nsubtest a b\n\ncontrol sortmode random\n\nlet a b\nx\n\nnonsense here\nx\n\nstatement ok\nx\nquery I\nSELECT 1\n\nstatement ok"), @r##"
    1..3 line 1: statement Ok "x" !! SqlRuns t:1: expected `retry` or nothing, found `please`
    4..5 line 4: Unknown !! Dropped t:4: expected nothing after `subtest a`, found `b`
    6..7 line 6: Unknown !! Dropped t:6: expected nosort, rowsort or valuesort after `control sortmode`, found `random`
    8..10 line 8: let ["a b"] "x" !! Dropped t:8: expected names of variables after `let`, found `a b`
    11..13 line 11: Unknown !! Dropped t:11: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `nonsense`
    14..18 line 14: statement Ok "x\nquery I\nSELECT 1" !! Dropped t:16: expected SQL or a blank line, found the header `query I`
    19..20 line 19: statement Ok "" !! Dropped t:19: expected SQL after the header, found the end of the file
    "##);
}

#[test]
fn options_of_forks_are_read() {
    let text = "query +ensure:index_scan\nx\n----\n\nquery rowsort +timing l +explain:o\nx\n----\n\n\
        statement async ok\nx\n\nsystem async ok\nx\n\ncontrol max-async-connections 3\n\nwait\n\n\
        show-column-names true\n\nflat-values true\n\nquery rowsort\nx\n----\n\nquery I rowsrot\nx\n----\n";
    assert_snapshot!(strict(text), @r##"
    1..4 line 1: query [] - - "x" -> []
    5..8 line 5: query [] rowsort l "x" -> []
    9..11 line 9: statement Ok "x"
    12..14 line 12: system "x" -> None
    15..16 line 15: Ignored
    17..18 line 17: Ignored
    19..20 line 19: ShowColumnNames(true)
    21..22 line 21: ResultLayout(Values)
    23..26 line 23: query [rowsort] - - "x" -> []
    27..30 line 27: query [I] - rowsrot "x" -> []
    lint 1: an option of the query that is not checked
    lint 5: an option of the query that is not checked
    lint 9: an asynchronous record, executed in its place like any other
    lint 12: an asynchronous record, executed in its place like any other
    lint 23: a word that looks like a sort mode is read as types or as a label; the order is compared as it is
    lint 27: a word that looks like a sort mode is read as types or as a label; the order is compared as it is
    "##);
    assert_snapshot!(exact(text), @r##"
    1..4 line 1: query [+ensure:index_scan] - - "x" -> []
    5..8 line 5: query [] - - "x" -> [] !! SqlRuns t:5: expected `retry` or nothing, found `l +explain:o`
    9..11 line 9: statement Ok "x" !! SqlRuns t:9: expected `ok`, `error` or `count N` after `statement`, found `async`
    12..14 line 12: system "x" -> None !! Dropped t:12: expected `ok` after `system`, found `async ok`
    15..16 line 15: Unknown !! Dropped t:15: expected sortmode, resultmode or substitution after `control`, found `max-async-connections`
    17..18 line 17: Unknown !! Dropped t:17: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `wait`
    19..20 line 19: Unknown !! Dropped t:19: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `show-column-names`
    21..22 line 21: Unknown !! Dropped t:21: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `flat-values`
    23..26 line 23: query [rowsort] - - "x" -> []
    27..30 line 27: query [I] - rowsrot "x" -> []
    "##);
}

#[test]
fn suspicious_text() {
    let text = "statement error\n----\nx\n\n\nquery I\nSELECT 1\n\nquery I\nSELECT 1\n----\n1\nstatement ok\nx\n\n\
        statement error\nx\n----\na\n\nquery I\nSELECT 1\n\n\nquery I\n\nSELECT 1\n----\n9 values hashing to 0123456789abcdef0123456789abcdef \n";
    assert_snapshot!(strict(text), @r##"
    1..4 line 1: statement Any "----\nx"
    6..8 line 6: query [I] - - "SELECT 1" -> []
    9..15 line 9: query [I] - - "SELECT 1" -> ["1", "statement ok", "x"]
    16..23 line 16: statement Exact("a\n\nquery I\nSELECT 1") "x"
    25..30 line 25: query [I] - - "\nSELECT 1" -> 9 values hashing to 0123456789abcdef0123456789abcdef
    lint 2: `----` right after the header is SQL, and no separator
    lint 6: no `----` line: taken as `expects no rows`
    lint 13: an expected value that looks like a header; records are separated by blank lines
    lint 21: an expected value that looks like a header; records are separated by blank lines
    "##);
}

#[test]
fn a_file_that_is_not_utf8() {
    let text = b"statement ok\nSELECT '\xff'\n";
    assert_snapshot!(describe(text, &RS), @r##"1..3 line 1: statement Ok "SELECT '\\xff'""##);
    assert_snapshot!(describe(text, &RS_EXACT), @r##"1..3 line 1: statement Ok "SELECT '\\xff'" !! Dropped t:1: expected UTF-8, found other bytes"##);
    assert_snapshot!(describe("\u{feff}statement ok\nx\n".as_bytes(), &RS), @r##"
    bom
    1..3 line 1: statement Ok "x"
    "##);
    assert_snapshot!(describe("\u{feff}statement ok\nx\n".as_bytes(), &RS_EXACT), @r##"1..3 line 1: Unknown !! Dropped t:1: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `﻿statement`"##);
}

#[test]
fn the_fork_of_vibesql() {
    let text = "skipif mysql # why\nstatement error x #1\nx\nquery I # c\nSELECT\n# cut\n1\n----\n1\n\ndialect mysql\n\n\
        statement error (42P01)\nx\n\nlet a\nx\n";
    let found = describe(text.as_bytes(), &VIBESQL);
    assert_snapshot!(found, @r##"
    1..4 line 2: skipif mysql statement Search("x") "x"
    4..6 line 4: query [I] - - "SELECT" -> []
    7..10 line 7: Unknown !! Dropped t:7: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `1`
    11..12 line 11: dialect mysql
    13..15 line 13: statement Search("(42P01)") "x"
    16..18 line 16: Unknown !! Dropped t:16: expected a record (statement, query, let, system, skipif, onlyif, connection, control, include, sleep, subtest, hash-threshold, halt), found `let`
    lint 4: no `----` line: taken as `expects no rows`
    "##);
    // Only the exact parser has no lints.
    let exact = describe(text.as_bytes(), &VIBESQL_EXACT);
    assert_eq!(found.strip_prefix(&exact), Some("\nlint 4: no `----` line: taken as `expects no rows`"));
}

/// Lines that make every state of the grammar reachable, and bytes that are not text.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        &b""[..],
        b"",
        b" \t",
        b"# c",
        b"----",
        b"---- ",
        b"statement ok",
        b"statement error x",
        b"statement error",
        b"query IT rowsort l",
        b"query",
        b"query error",
        b"query rowsort +x",
        b"skipif a",
        b"onlyif b # c",
        b"connection c",
        b"connection",
        b"let a, b",
        b"system ok",
        b"sleep 1s",
        b"include x",
        b"halt",
        b"control substitution on",
        b"statement ok retry 2 backoff 1s",
        b"hash-threshold 8",
        b"SELECT 1",
        b"\xff",
        b"a\r",
        b"\r",
        b"dialect mysql",
        b"wait",
        b"0 values hashing to d41d8cd98f00b204e9800998ecf8427e",
    ]);
    let end = prop::sample::select(vec![&b"\n"[..], b"\n", b"\r\n", b"\r\r\n"]);
    prop::collection::vec((line, end), 0..40).prop_map(|lines| {
        let mut text: Vec<u8> = lines.iter().flat_map(|(line, end)| [*line, *end].concat()).collect();
        text.truncate(text.len().saturating_sub(text.len() % 3));
        text
    })
}

proptest! {
    #[test]
    fn any_text_is_parsed_and_written_back(text in soup()) {
        let source = Source::new("t", text.clone());
        for profile in [&RS, &RS_EXACT, &VIBESQL, &VIBESQL_EXACT] {
            let script = parse(&source, profile);
            prop_assert_eq!(script.unparse(), text.clone());
            let mut next = 0;
            for item in &script.items {
                prop_assert_eq!(item.span().start, next);
                next = item.span().end;
                prop_assert!(!item.span().is_empty());
            }
            // The texts are what their lines say.
            for record in script.records() {
                prop_assert!(record.lines.contains(&record.line));
                if let Some(sql) = record.sql() {
                    prop_assert_eq!(sql.joined().to_vec(), sql.lines().collect::<Vec<_>>().join(&b'\n'));
                }
            }
        }
    }
}

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::location::Source;

/// One line for each item, with everything that the parser found out.
fn describe(text: &[u8], profile: &'static Profile) -> String {
    let source = Source::new("t", text);
    let script = parse(&source, profile);
    assert_eq!(script.unparse(), text, "every byte belongs to one item");
    let mut lines: Vec<_> = script.items.iter().map(item).collect();
    lines.extend(script.lints.iter().map(|lint| format!("lint {}: {}", lint.line, lint.kind)));
    lines.join("\n")
}

fn strict(text: &str) -> String {
    describe(text.as_bytes(), &SQLITE)
}

fn exact(text: &str) -> String {
    describe(text.as_bytes(), &SQLITE_EXACT)
}

fn item(item: &Item<'_>) -> String {
    match item {
        Item::ByteOrderMark(_) => "bom".to_owned(),
        Item::Blank(_) => "blank".to_owned(),
        Item::Comment(_) => "comment".to_owned(),
        Item::Record(found) => record(found),
    }
}

fn record(record: &Record<'_>) -> String {
    let conditions: String = record
        .conditions
        .iter()
        .map(|condition| format!("{:?} {} ", condition.kind, show(condition.name)))
        .collect();
    let defect = record.defect.as_ref().map(|defect| format!(" !! {:?} {}", defect.effect, defect.error));
    let (lines, kind) = (&record.lines, kind(&record.kind));
    let defect = defect.unwrap_or_default();
    format!("{}..{} line {}: {conditions}{kind}{defect}", lines.start, lines.end, record.line)
}

fn kind(kind: &RecordKind<'_>) -> String {
    match kind {
        RecordKind::Statement(statement) => {
            format!("statement {:?} {}", statement.expected, sql(&statement.sql))
        }
        RecordKind::Query(query) => {
            let label = query.label.map(show).unwrap_or_default();
            let values = match &query.expected {
                QueryExpectation::Rows(listed) => listed.lines().map(show).collect(),
                QueryExpectation::Hash(hash) => vec![hash.to_string()],
                other => vec![format!("{other:?}")],
            };
            let sort = query.sort.map_or("nosort", SortMode::word);
            format!("query {} {sort} {label} {} -> {values:?}", show(query.types), sql(&query.sql))
        }
        RecordKind::Control(Control::HashThreshold(threshold)) => format!("hash-threshold {threshold}"),
        RecordKind::Control(Control::Halt) => "halt".to_owned(),
        RecordKind::Unknown => "unknown".to_owned(),
        other => format!("{other:?}"),
    }
}

fn sql(sql: &Sql<'_>) -> String {
    format!("{:?}", show(sql.text(&mut Vec::new())))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn all_kinds_of_records() {
    let text = "# head\n\nhash-threshold 8\n\nstatement ok\nCREATE TABLE t\n  (a)\n\nstatement error\nboom\n\n\
        skipif mysql # why\nonlyif SQLite\nquery IT rowsort label-1 # ignored\nSELECT 1,\n'a'\n----\n1\na\n\n\
        onlyif mssql\nhalt\n\nquery R\nSELECT 2\n----\n";
    assert_snapshot!(strict(text), @r#"
    comment
    blank
    3..4 line 3: hash-threshold 8
    blank
    5..8 line 5: statement Ok "CREATE TABLE t\n  (a)"
    blank
    9..11 line 9: statement Error(Any) "boom"
    blank
    12..20 line 14: SkipIf mysql OnlyIf SQLite query IT rowsort label-1 "SELECT 1,\n'a'" -> ["1", "a"]
    blank
    21..23 line 22: OnlyIf mssql halt
    blank
    24..27 line 24: query R nosort  "SELECT 2" -> []
    "#);
    assert_eq!(strict(text), exact(text));
}

#[test]
fn line_ends_comments_and_blanks() {
    let text = "statement ok\r\nSELECT\r\n  1 \r\n \t \r\n#c\nquery\tI\x0bnosort\n# in front\nSELECT 1\n# amid\n,2\n----\n# in results\n 1\n #2\n3\r";
    assert_snapshot!(strict(text), @r##"
    1..4 line 1: statement Ok "SELECT\n  1 "
    blank
    comment
    6..16 line 6: query I nosort  "SELECT 1\n,2" -> [" 1", " #2", "3"]
    "##);
    assert_eq!(strict(text), exact(text));
}

/// Found by fuzzing: only the CR next to the LF belongs to the line end, also after the last line of SQL.
#[test]
fn a_carriage_return_before_another_is_text() {
    for end in ["\r\n", "\r"] {
        let text = format!("statement ok\nx\r{end}");
        assert_eq!(strict(&text), r#"1..3 line 1: statement Ok "x\r""#);
        let query = format!("query I nosort\nSELECT\n1\r{end}");
        assert_eq!(exact(&query), r#"1..4 line 1: query I nosort  "SELECT\n1\r" -> ["1\r"]"#);
    }
}

#[test]
fn separators_are_exact_and_belong_to_queries() {
    assert_snapshot!(exact("statement ok\nSELECT 1\n----\n1\n"), @r#"1..5 line 1: statement Ok "SELECT 1\n----\n1""#);
    assert_snapshot!(strict("statement ok\nSELECT 1\n----\n1\n\nquery I nosort\nSELECT 1\n---- \n-----\n"), @r#"
    1..5 line 1: statement Ok "SELECT 1" !! SqlRuns t:3: expected SQL or a blank line, found `----` in a statement
    blank
    6..10 line 6: query I nosort  "SELECT 1" -> [] !! SqlRuns t:8: expected `----` without blanks around it, found `---- `
    "#);
    assert_snapshot!(exact("query I nosort\nSELECT 1\n FROM t\n"), @r#"1..4 line 1: query I nosort  "SELECT 1\n FROM t" -> [" FROM t"]"#);
}

#[test]
fn defects_that_both_profiles_know() {
    let text = "query I sideways\nSELECT 1\n----\n1\n\nquery IX nosort\nSELECT 1\n\nstatement maybe\nSELECT 1\n\n\
        query\nSELECT 1\n\nsleep 1\nx\n";
    assert_snapshot!(strict(text), @r#"
    1..5 line 1: query I nosort  "SELECT 1" -> ["1"] !! SqlRuns t:1: expected a sort mode, found `sideways`
    blank
    6..8 line 6: unknown !! Dropped t:6: expected the type letters T, I or R, found `X` in `IX`
    blank
    9..11 line 9: statement Ok "SELECT 1" !! SqlRuns t:9: expected `ok` or `error` after `statement`, found `maybe`
    blank
    12..14 line 12: unknown !! EndsFile t:12: expected one type letter (T, I or R) for each result column after `query`, found nothing
    blank
    15..17 line 15: unknown !! EndsFile t:15: expected a record (statement, query, hash-threshold, halt), found `sleep`
    "#);
    assert_eq!(strict(text), exact(text));
}

#[test]
fn text_that_nothing_would_use() {
    let text = "statement ok\nx\n\nhash-threshold 5\nquery I\nSELECT 1\n\nhash-threshold never\n\nhash-threshold\n\n\
        query I nosort\nSELECT 1\n----\n9 values hashing to 0123456789abcdef0123456789abcdef\n7\n\n\
        skipif x\n\nonlyif\nhalt\n\nstatement ok\n\nquery I\n----\n\nskipif y";
    assert_snapshot!(strict(text), @r#"
    1..3 line 1: statement Ok "x"
    blank
    4..7 line 4: hash-threshold 5 !! Dropped t:5: expected a blank line after `hash-threshold`, found `query I`
    blank
    8..9 line 8: hash-threshold 0 !! Dropped t:8: expected a number after `hash-threshold`, found `never`
    blank
    10..11 line 10: hash-threshold 0 !! Dropped t:10: expected a number after `hash-threshold`, found nothing
    blank
    12..17 line 12: query I nosort  "SELECT 1" -> ["9 values hashing to 0123456789abcdef0123456789abcdef", "7"] !! Dropped t:12: expected nothing after the hash line, found `7`
    blank
    18..19 line 18: SkipIf x unknown !! Dropped t:18: expected a record right after the condition, found a blank line
    blank
    20..22 line 21: OnlyIf  halt !! Dropped t:20: expected an engine name after `onlyif`, found nothing
    blank
    23..24 line 23: statement Ok "" !! Dropped t:23: expected SQL after the header, found a blank line
    blank
    25..27 line 25: query I nosort  "" -> [] !! Dropped t:25: expected SQL after the header, found `----`
    blank
    28..29 line 28: SkipIf y unknown !! Dropped t:28: expected a record right after the condition, found the end of the file
    "#);
    assert_snapshot!(exact(text), @r#"
    1..3 line 1: statement Ok "x"
    blank
    4..7 line 4: hash-threshold 5
    blank
    8..9 line 8: hash-threshold 0
    blank
    10..11 line 10: hash-threshold 0
    blank
    12..17 line 12: query I nosort  "SELECT 1" -> ["9 values hashing to 0123456789abcdef0123456789abcdef", "7"]
    blank
    18..19 line 18: SkipIf x unknown !! EndsFile t:18: expected a record right after the condition, found a blank line
    blank
    20..22 line 21: OnlyIf  halt
    blank
    23..24 line 23: statement Ok ""
    blank
    25..27 line 25: query I nosort  "" -> []
    blank
    28..29 line 28: SkipIf y unknown !! EndsFile t:28: expected a record right after the condition, found the end of the file
    "#);
}

#[test]
fn a_record_glued_to_the_first_line_is_a_record() {
    let text = "hash-threshold 8\nquery I nosort\nSELECT 1\n----\n1\n";
    assert_snapshot!(strict(text), @r#"
    1..2 line 1: hash-threshold 8
    2..6 line 2: query I nosort  "SELECT 1" -> ["1"]
    "#);
    assert_eq!(strict(text), exact(text));
}

#[test]
fn a_byte_order_mark() {
    let text = "\u{feff}statement ok\nSELECT 1\n";
    assert_snapshot!(strict(text), @r#"
    bom
    1..3 line 1: statement Ok "SELECT 1"
    "#);
    assert_snapshot!(exact(text), @"1..3 line 1: unknown !! EndsFile t:1: expected a record (statement, query, hash-threshold, halt), found `\u{feff}statement`");
}

#[test]
fn thresholds_are_read_like_atoi_reads() {
    for (word, threshold) in [("12x", 12), ("+3", 3), ("-3", 0), ("99999999999999999999", 0)] {
        assert_eq!(
            exact(&format!("hash-threshold {word}\n")),
            format!("1..2 line 1: hash-threshold {threshold}")
        );
    }
}

#[test]
fn hash_lines_have_one_shape() {
    let digest = "0123456789abcdef0123456789abcdef";
    assert!(HashLine::parse(format!("9 values hashing to {digest}").as_bytes()).is_some());
    for wrong in [
        format!("09 values hashing to {digest}"),
        format!("+9 values hashing to {digest}"),
        format!(" 9 values hashing to {digest}"),
        format!("9 values hashing to {digest} "),
        format!("9 values hashing to {}", digest.to_uppercase()),
        format!("9 values hashing to {}", &digest[1..]),
        format!("values hashing to {digest}"),
        "9".to_owned(),
        String::new(),
    ] {
        assert_eq!(HashLine::parse(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn a_file_can_name_its_dialect() {
    let dialect = |text: &str, request: Option<&'static str>| {
        let source = Source::new("t", text);
        let request = request.map(|name| DialectRequest { name, by: RequestOrigin::Setting });
        choose(&source, request, false).map(|chosen| chosen.profile.name)
    };
    assert_eq!(dialect("query I\n", None), Ok("sqlite"));
    assert_eq!(dialect("# hi\n# slt-dialect: sqlite\r\n", None), Ok("sqlite"));
    assert_eq!(dialect("# slt-dialect: klingon\n", Some("sqlite")), Ok("sqlite"));
    let unknown = dialect("# slt-dialect: klingon\n", None).unwrap_err();
    assert_eq!(unknown.to_string(), "unknown dialect `klingon`");
}

/// Lines that make every state of the grammar reachable, and bytes that are not text.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(b"".to_vec()),
        Just(b" \t".to_vec()),
        Just(b"# c".to_vec()),
        Just(b"----".to_vec()),
        Just(b"statement ok".to_vec()),
        Just(b"statement error x y z".to_vec()),
        Just(b"query IT rowsort l".to_vec()),
        Just(b"query Q".to_vec()),
        Just(b"  query I nosort x y".to_vec()),
        Just(b"\tskipif x y".to_vec()),
        Just(b"a\0b".to_vec()),
        Just(b"query".to_vec()),
        Just(b"skipif sqlite # c".to_vec()),
        Just(b"onlyif".to_vec()),
        Just(b"halt".to_vec()),
        Just(b"hash-threshold 3".to_vec()),
        Just(b"9 values hashing to 0123456789abcdef0123456789abcdef".to_vec()),
        "[a-zA-Z #-]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    let end =
        prop_oneof![4 => Just(b"\n".to_vec()), 1 => Just(b"\r\n".to_vec()), 1 => Just(b"\n\n".to_vec())];
    (any::<bool>(), prop::collection::vec((line, end), 0..40)).prop_map(|(mark, lines)| {
        let mut text = if mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        text.extend(lines.into_iter().flat_map(|(line, end)| [line, end].concat()));
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_parse_and_write_back(text in soup()) {
        for profile in [&SQLITE, &SQLITE_EXACT] {
            let source = Source::new("t", text.clone());
            let script = parse(&source, profile);
            prop_assert_eq!(script.unparse(), text.clone());
            let mut end = 0;
            for item in &script.items {
                let span = item.span();
                prop_assert_eq!(span.start, end);
                prop_assert!(span.end > span.start, "no item is empty");
                end = span.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }

    #[test]
    fn lines_of_records_follow_each_other(text in soup()) {
        let source = Source::new("t", text);
        let script = parse(&source, &SQLITE);
        let mut last = 0;
        for record in script.records() {
            prop_assert!(record.lines.start > last);
            prop_assert!(record.lines.contains(&record.line));
            last = record.lines.end - 1;
            prop_assert_eq!(script.record_at(record.line).map(|found| found.line), Some(record.line));
        }
    }
}

//! Files with every record of the dialects of CockroachDB and Materialize.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{COCKROACH, COCKROACH_EXACT, MATERIALIZE, MATERIALIZE_EXACT, Profile};
use crate::location::Source;
use crate::parser::{Item, QueryExpectation, Record, RecordKind, Sql, parse};

/// One line for each item, and for each lint.
fn describe(text: &str, profile: &'static Profile) -> String {
    let source = Source::new("t", text);
    let script = parse(&source, profile);
    assert_eq!(script.unparse(), text.as_bytes(), "every byte belongs to one item");
    let mut lines: Vec<_> = script
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Record(found) => Some(record(found)),
            Item::Comment(_) => Some("comment".to_owned()),
            Item::Blank(_) | Item::ByteOrderMark(_) => None,
        })
        .collect();
    lines.extend(script.lints.iter().map(|lint| format!("lint {}: {}", lint.line, lint.kind)));
    lines.join("\n")
}

fn record(record: &Record<'_>) -> String {
    let conditions: String =
        record.conditions.iter().map(|one| format!("{:?} {} ", one.kind, show(one.name))).collect();
    let options = record.options.as_ref().map(|options| format!(" {options:?}")).unwrap_or_default();
    let defect = record.defect.as_ref().map(|defect| format!(" !! {:?} {}", defect.effect, defect.error));
    let (lines, kind, defect) = (&record.lines, kind(&record.kind), defect.unwrap_or_default());
    format!("{}..{}: {conditions}{kind}{options}{defect}", lines.start, lines.end)
}

fn kind(kind: &RecordKind<'_>) -> String {
    match kind {
        RecordKind::Statement(one) => format!("{:?} {}", one.expected, sql(&one.sql)),
        RecordKind::Query(query) => {
            let expected = match &query.expected {
                QueryExpectation::Rows(rows) => format!("{:?}", rows.lines().map(show).collect::<Vec<_>>()),
                other => format!("{other:?}"),
            };
            let types = show(query.types);
            let names = if query.shows_names { " names" } else { "" };
            let label = query.label.map(|label| format!(" label {}", show(label))).unwrap_or_default();
            let (sort, layout) = (query.sort, query.layout);
            format!("query {types} {sort:?}{names}{label} {layout:?} {} -> {expected}", sql(&query.sql))
        }
        RecordKind::Let(one) => {
            format!("let {:?} {}", one.names.iter().map(|name| show(name)).collect::<Vec<_>>(), sql(&one.sql))
        }
        RecordKind::Control(control) => format!("{control:?}"),
        RecordKind::Database(action) => format!("{action:?}"),
        other => format!("{other:?}"),
    }
}

fn sql(sql: &Sql<'_>) -> String {
    format!("{:?}", show(sql.text(&mut Vec::new())))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const COCKROACH_FILE: &str = "\
# LogicTest: local
  # an indented comment

statement ok
CREATE TABLE t (a INT)
# is SQL

statement OK
x

statement count 2
INSERT

statement error pgcode 42P01 relation {t} does not exist
SELECT

statement notice NOTICE: .*
SELECT

statement async one ok
SELECT

awaitstatement one

query error pq: foo|bar
SELECT

query TIRFBO_ colnames,partialsort(1,3),retry label-1
SELECT
  1
----
a  b  c  d  e  f  _
1  2  3  4  5  6  _

query I nosort,nodeidx=2,round-in-strings=5
SELECT 1
----
30 values hashing to AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

query T kvtrace(Get,prefix=/Table/1)
SELECT 1
----

query I rowsort label-2
SELECT 1

let $x
SELECT 1

repeat 3
retry
skipif config local #123
# in between
onlyif cockroachdb # why
statement ok
SELECT 2

user testuser
user root nodeidx=1
sleep 1m1.5s
subtest a
skip 123
skip
subtest b
halt
hash-threshold 8
kv-batch-size 10
traceon file
traceoff
upgrade 1
copy
COPY t FROM STDIN
----
1

query T
SELECT 1
----
a
subtest c
";

#[test]
fn records_of_cockroach() {
    assert_snapshot!(describe(COCKROACH_FILE, &COCKROACH));
}

#[test]
fn defects_of_cockroach() {
    let text = "statement\nSELECT\n\nstatement error\nSELECT\n\nstatement err x\nSELECT\n\nstatement ok\nSELECT\n----\n1\n\n\
        query\nSELECT\n----\n\nquery IX\nSELECT\n----\n\nquery I sort\nSELECT\n----\n\nquery II rowsort\nSELECT\n----\n1 2 3\n\n\
        query I\nSELECT\n ----\n1\n\nquery I\nSELECT\nstatement ok\nSELECT\n\nquery I\nSELECT\n----\n\
        2 values hashing to 00000000000000000000000000000000\nmore\n\nquery I async\nSELECT\n\n\
        statement error a(b\nSELECT\n\nskipif mysql\n\nskipif\nstatement ok\nSELECT\n\nrepeat 1\nstatement ok\nSELECT\n\n\
        onlyif mysql\nuser a\n\nlet x\nSELECT\n\nsleep 1\n\nsubtest a b\n\nuser\n\nstatement ok\n\nquery I colnames rowsort x\nSELECT\n\nnonsense\n";
    assert_snapshot!(format!(
        "{}\n\nexact:\n{}",
        describe(text, &COCKROACH),
        describe(text, &COCKROACH_EXACT)
    ));
}

const MATERIALIZE_FILE: &str = "\
# Copyright

statement ok # why
CREATE TABLE t
# is SQL

statement OK
----
INSERT

statement count 2
INSERT
----

statement error pgcode 42P01 no #0 # here
SELECT

statement error
SELECT

query TIRBO colnames,rowsort label-1
WITH a AS (

SELECT 1)
----
a b c d e
1 2 3 4 5

query
SELECT
----

query T multiline
EXPLAIN
----
a

b
EOF

query error foo
SELECT

 mode cockroach

query I
SELECT 1
----
30 values hashing to 00000000000000000000000000000000

query T
SELECT 1
----
x 30 values hashing to 00000000000000000000000000000000 y

simple conn=a,user=b
SELECT 1;
SELECT 2
----
1
COMPLETE 1
2
COMPLETE 1

simple multiline,rowsort
SELECT 1
----
a

b
EOF
COMPLETE 1

simple conn=a,user=b,password=c
SELECT 1
----
COMPLETE 0

mode standard
copy t some/file.tsv
reset-server
subtest a
user b
kv-batch-size 1
skipif postgresql # why
query I
SELECT 1
----
1

halt
";

#[test]
fn records_of_materialize() {
    assert_snapshot!(describe(MATERIALIZE_FILE, &MATERIALIZE));
}

#[test]
fn defects_of_materialize() {
    let text = "statement\nSELECT\n\nstatement ok\n\nstatement ok\nSELECT\n----\n1\n\nstatement  ok\nSELECT\n\nquery X\nSELECT\n----\n\n\
        query I sort\nSELECT\n----\n\nquery I multiline\nSELECT\n----\n1\nEOF\n\nquery I\nSELECT 1\n\nquery I\nSELECT 2\n----\n2\n\n\
        query I\n----\n1\n\nsimple what\nSELECT\n----\n\nmode x\n\ncopy t\n\nreset-server now\n\nskipif\n\nstatement error a(b\nSELECT\n\n\
        query I a b\nSELECT\n----\n\nnonsense\n\nquery T multiline\nSELECT\n----\na\n";
    assert_snapshot!(format!(
        "{}\n\nexact:\n{}",
        describe(text, &MATERIALIZE),
        describe(text, &MATERIALIZE_EXACT)
    ));
}

/// Lines of which files of both dialects consist, and which no runner would write.
fn lines() -> impl Strategy<Value = String> {
    let known = COCKROACH_FILE.lines().chain(MATERIALIZE_FILE.lines()).map(str::to_owned).collect::<Vec<_>>();
    let line = prop_oneof![
        6 => prop::sample::select(known),
        2 => Just(String::new()),
        1 => Just("----".to_owned()),
        1 => "[ -~\t\r]{0,12}",
    ];
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
    prop::collection::vec((line, end), 0..40)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    /// A file is written back byte for byte, and its records are in order and apart.
    #[test]
    fn any_file_is_read_and_written_back(text in lines()) {
        for profile in [&COCKROACH, &COCKROACH_EXACT, &MATERIALIZE, &MATERIALIZE_EXACT] {
            let source = Source::new("t", text.clone());
            let script = parse(&source, profile);
            prop_assert_eq!(script.unparse(), text.as_bytes());
            let mut last = 0;
            for record in script.records() {
                prop_assert!(record.lines.start > last && record.lines.contains(&record.line));
                last = record.lines.end - 1;
                // The SQL is a part of its record.
                if let Some(sql) = record.sql().filter(|sql| !sql.is_empty()) {
                    let text = &source.bytes()[record.span.clone()];
                    let first = sql.lines().next().unwrap_or_default();
                    prop_assert!(memchr::memmem::find(text, first).is_some());
                }
            }
        }
    }
}

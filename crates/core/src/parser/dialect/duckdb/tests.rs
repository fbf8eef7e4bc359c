use proptest::prelude::*;

use crate::location::{Source, text_of};
use crate::parser::{
    Control, DUCKDB, DUCKDB_EXACT, Item, Profile, QueryExpectation, Record, RecordKind, Script, parse,
};

/// One line for each record and lint, with what the parser has found out.
fn read(name: &str, text: &str, profile: &'static Profile) -> String {
    let source = Source::new(name, text);
    let script = parse(&source, profile);
    assert_eq!(script.unparse(), text.as_bytes(), "every byte belongs to one item");
    let mut lines: Vec<_> = script.records().map(show).collect();
    lines.extend(script.lints.iter().map(|lint| format!("lint {} {:?}", lint.line, lint.kind)));
    lines.join("\n")
}

fn show(record: &Record<'_>) -> String {
    let conditions: String = record
        .conditions
        .iter()
        .map(|one| {
            let compared = one.comparison.map_or(String::new(), |comparison| {
                format!(" {:?} {}", comparison.operator, text_of(comparison.value))
            });
            format!("{:?} {}{compared} ", one.kind, text_of(one.name))
        })
        .collect();
    let connection = record.connection().map(|name| format!(" @{}", text_of(name.name))).unwrap_or_default();
    let kind = match &record.kind {
        RecordKind::Statement(statement) => {
            format!("statement {:?} {:?}", statement.expected, text_of(&statement.sql.joined()))
        }
        RecordKind::Query(query) => {
            let expected = match &query.expected {
                QueryExpectation::Rows(block) => {
                    format!("{:?}", block.lines().map(text_of).collect::<Vec<_>>())
                }
                QueryExpectation::File(path) => format!("file {}", text_of(path)),
                QueryExpectation::Hash(hash) => hash.to_string(),
                other => format!("{other:?}"),
            };
            let label = query.label.map(|label| format!(" label {}", text_of(label))).unwrap_or_default();
            let sort = query.sort.map(|sort| format!(" {}", sort.word())).unwrap_or_default();
            let sql = text_of(&query.sql.joined());
            format!("query {}{sort}{label} {sql:?} -> {expected}", text_of(query.types))
        }
        RecordKind::Control(Control::Loop(one)) => {
            let names: Vec<_> = one.variables.iter().map(|name| text_of(name)).collect();
            let way = if one.concurrent { "concurrent loop" } else { "loop" };
            format!("{way} {} {:?}", names.join(","), Values(&one.values))
        }
        RecordKind::Control(control) => format!("{:?}", Texts(control)),
        RecordKind::Database(action) => format!("{:?}", Texts(action)),
        other => format!("{other:?}"),
    };
    let defect = record.defect.as_ref().map(|defect| format!(" !! {:?} {}", defect.effect, defect.error));
    format!("{} {conditions}{kind}{connection}{}", record.line, defect.unwrap_or_default())
}

/// Shows bytes as text.
struct Texts<'t, T>(&'t T);

impl<T: std::fmt::Debug> std::fmt::Debug for Texts<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = format!("{:?}", self.0);
        let mut rest = shown.as_str();
        while let Some((before, list)) = rest.split_once('[') {
            let (list, behind) = list.split_once(']').unwrap_or((list, ""));
            let bytes: Option<Vec<u8>> = list.split(", ").map(|byte| byte.parse().ok()).collect();
            match bytes {
                Some(bytes) => write!(f, "{before}{}", text_of(&bytes))?,
                None => write!(f, "{before}[")?,
            }
            rest = if list.split(", ").all(|byte| byte.parse::<u8>().is_ok()) {
                behind
            } else {
                &rest[before.len() + 1..]
            };
        }
        f.write_str(rest)
    }
}

struct Values<'v, 's>(&'v crate::parser::LoopValues<'s>);

impl std::fmt::Debug for Values<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::parser::LoopValues::{EngineVariable, Range, Tuples};
        match self.0 {
            Range { start, end } => write!(f, "{start}..{end}"),
            Tuples(tuples) => {
                let tuples = tuples.iter().map(|tuple| text_of(&tuple.join(&b',')));
                f.write_str(&tuples.collect::<Vec<_>>().join(" "))
            }
            EngineVariable { connection, name } => {
                write!(f, "variable {:?} {}", connection.map(text_of), text_of(name))
            }
        }
    }
}

#[track_caller]
fn strict(text: &str, expected: &str) {
    assert_eq!(read("t", text, &DUCKDB), expected);
}

#[track_caller]
fn exact(text: &str, expected: &str) {
    assert_eq!(read("t", text, &DUCKDB_EXACT), expected);
}

#[track_caller]
fn both(text: &str, expected: &str) {
    strict(text, expected);
    exact(text, expected);
}

#[test]
fn statements_and_what_they_expect() {
    both(
        "statement ok\nCREATE\n \nTABLE\n\nstatement ok con1\nSELECT 1",
        "1 statement Ok \"CREATE\\n \\nTABLE\"\n6 statement Ok \"SELECT 1\" @con1",
    );
    both(
        "statement error\nx\n----\nCatalog Error\n# data\n\nstatement maybe\nx\n----\n",
        "1 statement Error(Contains([67, 97, 116, 97, 108, 111, 103, 32, 69, 114, 114, 111, 114, 10, 35, 32, 100, 97, 116, 97])) \"x\"\n\
         7 statement OkOrError(Any) \"x\"\nlint 7 AnyError",
    );
    both(
        "statement error\nx\n----\n<!REGEX>:a.b\n\nstatement debug\nx\n",
        "1 statement Error(FullRegex { regex: \"a.b\", negated: true }) \"x\"\n6 statement Unchecked \"x\"\nlint 6 Unchecked",
    );
    strict(
        "statement ok\nx\n----\n\nstatement error\nx\n\nstatement ok c d # e\nx\n\nstatement\n\nstatement ok\n",
        "1 statement Ok \"x\" !! SqlRuns t:1: expected SQL or an empty line, found `----`: only `statement error` and `statement maybe` have it\n\
         5 statement Error(Any) \"x\" !! SqlRuns t:5: expected `----` and a part of the error message after the SQL, found an empty line; nothing after `----` stands for any message\n\
         8 statement Ok \"x\" @c !! SqlRuns t:8: expected nothing after `statement ok c`, found `d`; put `#` in front of a comment (DuckDB's runner ignores these words)\n\
         11 statement Ok \"\" !! SqlRuns t:11: expected `ok`, `error` or `maybe` after `statement`, found nothing\n\
         13 statement Ok \"\" !! Dropped t:13: expected SQL after the header, found the end of the file",
    );
    // The line that DuckDB's runner has read up to.
    exact(
        "statement error\nx\n\nstatement ok\n",
        "1 statement Error(Any) \"x\" !! EndsFile t:3: expected `----` and a part of the error message after the SQL, found an empty line; nothing after `----` stands for any message\n\
         4 statement Ok \"\" !! EndsFile t:5: expected SQL after the header, found the end of the file",
    );
}

#[test]
fn queries_and_what_they_expect() {
    both(
        "query TI rowsort lab\nSELECT\n----\n1\t2\n# x\n\nquery I con1\nx\n----\n<FILE>:a.csv\n\nquery I none l\nx\n",
        "1 query TI rowsort label lab \"SELECT\" -> [\"1\\t2\", \"# x\"]\n7 query I \"x\" -> file a.csv @con1\n12 query I nosort label l \"x\" -> Label",
    );
    both(
        "query I\nx\n----\n3 values hashing to 996dc30fa92a088d53929ed16588ec72\n\nquery I rowsrt\nx\n",
        "1 query I \"x\" -> 3 values hashing to 996dc30fa92a088d53929ed16588ec72\n6 query I \"x\" -> [] @rowsrt\n\
         lint 6 ConnectionLikeSortMode\nlint 6 NoSeparator",
    );
    strict(
        "query error\nx\n----\ny\n\nquery\nx\n\nquery I nosort l m\nx\n----\n",
        "1 Unknown !! Dropped t:1: expected a letter T, I or R for each column after `query`, found `error`\n\
         6 Unknown !! Dropped t:6: expected a letter T, I or R for each column after `query`, found nothing\n\
         9 query I nosort label l \"x\" -> Label !! SqlRuns t:9: expected nothing after `query I nosort l`, found `m`; put `#` in front of a comment (DuckDB's runner ignores these words)",
    );
    // A comment ends the SQL, and the values of DuckDB's runner begin.
    let comment = "query I\nSELECT 1\n# c\n----\n1\n";
    exact(comment, "1 query I \"SELECT 1\" -> [\"# c\", \"----\", \"1\"]\nlint 1 NoSeparator");
    strict(
        comment,
        "1 query I \"SELECT 1\" -> [\"# c\", \"----\", \"1\"] !! SqlRuns t:3: expected `----` or an empty line after the SQL, found a comment, which ends the SQL",
    );
    strict("query II\nx\n----\n1\t\t2\n", "1 query II \"x\" -> [\"1\\t\\t2\"]\nlint 1 EmptyCells");
}

#[test]
fn a_comment_ends_a_statement_and_an_empty_line_a_result() {
    both("statement ok\nx\n# c\nstatement ok\ny\n", "1 statement Ok \"x\"\n4 statement Ok \"y\"");
    strict(
        "statement ok\nx\nquery I\ny\n----\n1\n",
        "1 statement Ok \"x\" !! SqlRuns t:3: expected SQL or an empty line, found the header `query I`; put an empty line in front of it",
    );
}

#[test]
fn conditions() {
    both(
        "skipif mysql\nonlyif i<>2&&j>=3\nstatement ok\nx\n",
        "3 SkipIf mysql OnlyIf i NotEqual 2 OnlyIf j GreaterOrEqual 3 statement Ok \"x\"",
    );
    strict(
        "skipif duckdb\n\nonlyif x\n# c\n\nskipif i=\nhalt\n\nskipif i=2\nhalt\n\nskipif a b\nhalt\n",
        "1 SkipIf duckdb Unknown !! Dropped t:1: expected a record right after the condition, found an empty line\n\
         3 OnlyIf x Unknown !! Dropped t:3: expected a record right after the condition, found a comment\n\
         7 Halt !! Dropped t:6: expected a comparison like `i=2` or `i<>2&&j>0`, found `i=`\n\
         10 SkipIf i Equal 2 Halt !! Dropped t:10: expected an engine's name in the condition, found a loop variable: only `statement`, `query` and `continue` have such conditions\n\
         13 SkipIf a Halt !! SqlRuns t:12: expected nothing after `skipif a`, found `b`; put `#` in front of a comment (DuckDB's runner ignores these words)",
    );
    exact(
        "skipif duckdb\n\nskipif i=2\nhalt\nglued\n\nskipif x",
        "1 SkipIf duckdb Unknown !! EndsFile t:2: expected a record right after the condition, found an empty line\n4 Halt\n7 SkipIf x Unknown",
    );
}

#[test]
fn files_of_sqlite_have_no_conditions_on_variables() {
    let text = "onlyif i=2\nstatement error\nx\n";
    for profile in [&DUCKDB, &DUCKDB_EXACT] {
        let found = read("a/test/sqlite/select1.test", text, profile);
        assert_eq!(found, "2 OnlyIf i=2 statement Error(Any) \"x\"");
    }
}

#[test]
fn loops() {
    both(
        "loop i 0 3\n\nloop j 5 5\n\nendloop\n\nendloop\n",
        "1 loop i 0..3\n3 loop j 5..5\n5 EndLoop\n7 EndLoop\nlint 3 LoopWithoutValues",
    );
    both(
        "foreach t <signed> !hugeint !no text\n\nendloop\n\nconcurrentforeach a,b 1,2 3,4\n\nendloop\n",
        "1 loop t tinyint smallint integer bigint !no text\n3 EndLoop\n5 concurrent loop a,b 1,2 3,4\n7 EndLoop",
    );
    both("foreach t a !a\n\nendloop\n", "1 loop t 0..0\n3 EndLoop\nlint 1 LoopWithoutValues");
    strict("foreach t <variable:con:x>\n\nendloop\n", "1 loop t variable Some(\"con\") x\n3 EndLoop");
    exact("foreach t <variable:x>\n\nendloop\n", "1 loop t <variable:x>\n3 EndLoop");
    strict(
        "foreach a,b 1,2 3\n\nendloop\n\nendloop\n\ncontinue\n\nconcurrentloop i 0 2\n\nstatement ok con\nx\n\ncontinue\n\nreconnect\n\nloop j 1 x\n\nendloop\n\nendloop\n\nloop i 0 2\n",
        "1 loop a,b 1,2 3 !! Dropped t:1: expected a value for each variable of `a,b`, found `3`\n\
         3 EndLoop\n\
         5 EndLoop !! Dropped t:5: expected a loop before `endloop`, found none\n\
         7 Continue !! Dropped t:7: expected `continue` in a loop, found it outside\n\
         9 concurrent loop i 0..2\n\
         11 statement Ok \"x\" @con !! Dropped t:11: expected no connection in a concurrent loop: each iteration has its own\n\
         14 Continue !! Dropped t:14: expected no `continue` in a concurrent loop: its iterations run at the same time\n\
         16 Reconnect !! Dropped t:16: expected statements and queries in a concurrent loop, found a change of the database\n\
         18 loop j 1..0 !! Dropped t:18: expected a whole number, found `x`\n\
         20 EndLoop\n22 EndLoop\n\
         24 loop i 0..2 !! Dropped t:24: expected `endloop` after the records of the loop, found the end of the file\n\
         lint 18 LoopWithoutValues",
    );
    exact(
        "loop i 0 2\n\nhalt\n\nendloop\n",
        "1 loop i 0..2 !! EndsFile t:6: expected `endloop` after the records of the loop, found the end of the file\n3 Halt\n5 EndLoop",
    );
}

#[test]
fn skipped_records_have_no_loops() {
    both(
        "mode skip\n\nloop i 0 2\n\nonlyif mysql\nmode unskip\n\nonlyif duckdb\nmode unskip\n\nhalt\n",
        "1 BeginSkip\n3 loop i 0..2\n6 OnlyIf mysql EndSkip\n9 OnlyIf duckdb EndSkip\n11 Halt",
    );
    strict(
        "mode unskip\n",
        "1 EndSkip !! Dropped t:1: expected `mode skip` before `mode unskip`, found none",
    );
    exact("mode unskip\n\nendloop\n", "1 EndSkip\n3 EndLoop");
    strict("mode skip because of this\n", "1 BeginSkip");
    exact(
        "mode skip because\n",
        "1 Ignored !! EndsFile t:1: expected `mode MODE`, found `mode skip because`",
    );
}

#[test]
fn a_comment_ends_a_skipped_query() {
    exact(
        "mode skip\n\nquery I\nSELECT\n# c\n1\n",
        "1 BeginSkip\n3 query I \"SELECT\" -> [\"# c\", \"1\"] !! EndsFile t:3: expected a record behind the comment that ends the skipped SQL, found other text\nlint 3 NoSeparator",
    );
    exact(
        "mode skip\n\nquery I\nSELECT 1\n# c\n",
        "1 BeginSkip\n3 query I \"SELECT 1\" -> [\"# c\"]\nlint 3 NoSeparator",
    );
}

#[test]
fn records_of_one_line() {
    both(
        "require vector_size 2048\n\nrequire-env A b\n\ntest-env A b\n\ntags a b\n\nset seed 0.5\n\nset ignore_error_messages a b, c\n\nreset label x\n\nsleep 2 milliseconds\n",
        "1 Require(Feature { name: vector_size, argument: Some(2048) })\n\
         3 Require(Environment { name: A, value: Some(b) })\n\
         5 TestEnvironment { name: A, default: b }\n\
         7 Tags([a, b])\n9 Seed(0.5)\n11 IgnoreErrors([a b, c])\n13 ResetLabel(x)\n15 Sleep(2ms)",
    );
    both(
        "load a.db readonly v1.2.0\n\nload\n\nrestart\n\nreconnect\n\nunzip a.gz b\n\nhash-threshold 5\n\nmode output_result\n",
        "1 Load { path: Some(a.db), read_only: true, version: Some(v1.2.0) }\n\
         3 Load { path: None, read_only: false, version: None }\n5 Restart\n7 Reconnect\n\
         9 Unzip { archive: a.gz, target: Some(b) }\n11 HashThreshold(5)\n13 Ignored",
    );
    strict(
        "include a/b.test\n\nset variable x y\n",
        "1 Include(a/b.test)\n3 SetVariable { name: x, value: y }",
    );
    exact(
        "include a/b.test\n",
        "1 Unknown !! EndsFile t:1: expected a record (statement, query, loop, foreach, endloop, require, load, mode, …), found `include`",
    );
    strict(
        "loop i 0 2\nstatement ok\nx\n\nendloop\n\nnonsense\n\n \nhash-threshold x\n\n\ntags\n\nsleep 1 year\n\nload x y\n\nunzip a.zip\n",
        "1 loop i 0..2 !! Dropped t:1: expected an empty line after `loop`, found `statement ok`\n5 EndLoop\n\
         7 Unknown !! Dropped t:7: expected a record (statement, query, loop, foreach, endloop, require, load, mode, …), found `nonsense`\n\
         9 Unknown !! Dropped t:9: expected a record or an empty line, found blanks\n\
         10 HashThreshold(0) !! Dropped t:10: expected a whole number, found `x`\n\
         13 Tags([]) !! Dropped t:13: expected `tags TAG…`, found `tags`\n\
         15 Sleep(0ns) !! Dropped t:15: expected `seconds`, `milliseconds`, `microseconds` or `nanoseconds`, found `year`\n\
         17 Load { path: Some(x), read_only: false, version: None } !! Dropped t:17: expected `readonly` or `readwrite` after the path, found `y`\n\
         19 Unzip { archive: a.zip, target: None } !! Dropped t:19: expected an archive with the ending `.gz`, found `a.zip`",
    );
}

#[test]
fn carriage_returns_belong_to_line_ends() {
    both("statement ok\r\nSELECT\r\n1\r\n\r\nhalt\r\n", "1 statement Ok \"SELECT\\n1\"\n5 Halt");
    strict(
        "statement ok\na\rb\n",
        "1 statement Ok \"a\\rb\" !! Dropped t:1: expected line ends of LF or CRLF, found a CR within a line",
    );
}

/// Lines that make every state of the grammar reachable, and bytes that are not text.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    const LINES: &[&str] = &[
        "",
        " ",
        "# c",
        "  # c",
        "----",
        "statement ok",
        "statement error con",
        "statement maybe",
        "statement debug",
        "statement ok a b c",
        "query IT rowsort l",
        "query I con1",
        "query Q",
        "query",
        "SELECT 1",
        "a\tb",
        "skipif i=2",
        "onlyif duckdb # c",
        "skipif",
        "skipif i<>2&&j>",
        "loop i 0 2",
        "loop",
        "foreach t <numeric> !float",
        "foreach a,b 1,2 3",
        "concurrentloop i 0 5",
        "endloop",
        "continue",
        "mode skip",
        "mode unskip why",
        "halt",
        "mode output_hash",
        "require json",
        "require vector_size",
        "require-env A",
        "test-env A b",
        "load a.db",
        "load a b",
        "restart",
        "reconnect",
        "unzip a.gz",
        "set seed 1",
        "set ignore_error_messages a, b",
        "set",
        "reset label x",
        "tags a",
        "include x",
        "sleep 1 second",
        "hash-threshold 3",
        "<REGEX>:a.*",
        "<FILE>:a.csv",
        "nonsense",
        "3 values hashing to 996dc30fa92a088d53929ed16588ec72",
    ];
    let line = prop_oneof![
        12 => prop::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    let end = prop_oneof![
        4 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        2 => Just(b"\n\n".to_vec()),
        1 => Just(Vec::new())
    ];
    prop::collection::vec((line, end), 0..40)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect())
}

fn check_spans(script: &Script<'_>, text: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(script.unparse(), text);
    let (mut end, mut line) = (0, 0);
    for item in &script.items {
        let span = item.span();
        prop_assert_eq!(span.start, end);
        prop_assert!(span.end > span.start, "no item is empty");
        end = span.end;
        if let Item::Record(record) = item {
            prop_assert!(record.lines.start > line && record.lines.contains(&record.line));
            line = record.lines.end - 1;
            let reasons = record.defect.is_some() || !matches!(record.kind, RecordKind::Unknown);
            let at_end = record.span.end == text.len() && !record.conditions.is_empty();
            prop_assert!(reasons || script.profile.exact && at_end, "unknown text has a defect");
        }
    }
    prop_assert_eq!(end, text.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_parse_and_write_back(text in soup()) {
        for profile in [&DUCKDB, &DUCKDB_EXACT] {
            let source = Source::new("t", text.clone());
            check_spans(&parse(&source, profile), &text)?;
        }
    }
}

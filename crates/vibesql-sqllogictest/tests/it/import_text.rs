//! Text of other programs: whatever it is, it comes in exactly, and nothing that is read does harm.

use std::fmt::Write as _;

use proptest::prelude::*;
use vibesql_sqllogictest::outcome::Problem;
use vibesql_sqllogictest::results::import::{ForeignRun, ImportError, ImportResult, SourceFormat, read};

fn reported(reading: &ImportResult) -> (&str, &str) {
    let [run] = reading.runs.as_slice() else { panic!("{reading:?}") };
    let [file] = run.files.as_slice() else { panic!("{reading:?}") };
    let Problem::Reported(text) = file.details().next().unwrap().problem else { panic!("{reading:?}") };
    (file.file.path(), text)
}

/// Text as VibeSQL's scripts wrote it.
fn escaped(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

fn in_sql(text: &str) -> String {
    let text = escaped(text);
    format!(
        "INSERT INTO test_runs (run_id, started_at) VALUES (1, TIMESTAMP '2025-11-22 10:00:00');\n\
         INSERT INTO test_results (run_id, file_path, status, error_message) VALUES (1, {text}, 'FAIL', {text});\n\
         UPDATE test_runs SET passed = 0 WHERE run_id = 1;\n"
    )
}

fn in_json(text: &str) -> String {
    let failure = serde_json::json!({"file_path": text, "failures": [{"error_message": text}]});
    serde_json::json!({"tested_files": {"failed": [text]}, "detailed_failures": [failure]}).to_string()
}

fn in_xml(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '"' | '\'' | '\n' | '\r' | '\t' => {
                write!(escaped, "&#{};", u32::from(character)).unwrap();
            }
            character => escaped.push(character),
        }
    }
    format!("<testsuite><testcase file=\"{escaped}\"><failure>{escaped}</failure></testcase></testsuite>")
}

fn check_list(text: &str) {
    let list = serde_json::json!({"failed_files": [text]}).to_string();
    let reading = read(list.as_bytes(), Some(SourceFormat::Json), 0).unwrap();
    assert_eq!(reported(&reading), (text, ""));
}

const HOSTILE: &[&str] = &[
    "'",
    r"\'",
    r"'); DROP TABLE test_runs; --",
    "a\\\nb\r\n\tc",
    "\u{202e}😀\u{2028}e\u{301}",
    "]]> <!-- &amp; &#0; <x>",
    "\"\\u0000{\"",
    r"\\\\",
    "-- /* ; */",
];

fn check(text: &str) {
    check_list(text);
    let read = |content: String, format| read(content.as_bytes(), Some(format), 0).unwrap();
    assert_eq!(reported(&read(in_sql(text), SourceFormat::Sql)), (text, text));
    assert_eq!(reported(&read(in_json(text), SourceFormat::Json)), (text, text));
    let legal = |c: char| !c.is_control() || "\n\r\t".contains(c);
    if text.chars().all(legal) && !text.contains(['\u{fffe}', '\u{ffff}']) && !text.trim().is_empty() {
        assert_eq!(reported(&read(in_xml(text), SourceFormat::Junit)), (text, text));
    }
}

#[test]
fn hostile_text_comes_in_exactly() {
    HOSTILE.iter().for_each(|text| check(text));
    check("a\0b");
}

/// What dumps are made of.
const WORDS: &[&str] = &[
    "INSERT",
    "OR",
    "REPLACE",
    "INTO",
    "CREATE",
    "TABLE",
    "IF",
    "UPDATE",
    "SET",
    "WHERE",
    "VALUES",
    "TIMESTAMP",
    "NULL",
    "test_runs",
    "test_results",
    "test_files",
    "run_id",
    "status",
    "started_at",
    "=",
    "(",
    ")",
    ",",
    ";",
    "-",
    "'PASS'",
    "'2025-11-22 10:00:00'",
    "9223372036854775807",
    "-9223372036854775",
    "1e300",
    "INSERT INTO test_results (run_id, file_path, status, tested_at) VALUES (",
    "INSERT INTO test_runs (run_id, started_at, total_files, failed) VALUES (",
];

/// What reports are made of.
const TAGS: &[&str] = &[
    "<testsuites time='1e19'>",
    "<testsuite time='1e19' tests='99'>",
    "</testsuite>",
    "</testsuites>",
    "<failure/>",
    "<testcase name='a' time='1e19'>",
    "<testcase name='b' time='9e18'/>",
    "</testcase>",
    "<error message='&#x;'>",
    "<a>",
    "</a>",
    "</error>",
    "&amp;",
    "<![CDATA[",
    "]]>",
    "x",
];

/// What lists are made of.
const LINES: &[&str] = &[
    "{",
    "\"total_files\": 18446744073709551615, \"failed_files\": [\"a\"],",
    "\"summary\": {\"failed\": 18446744073709551615, \"passed\": 18446744073709551615}",
    "}",
];

const FORMATS: [Option<SourceFormat>; 4] =
    [None, Some(SourceFormat::Json), Some(SourceFormat::Sql), Some(SourceFormat::Junit)];

proptest! {
    #[test]
    fn any_text_comes_in_exactly(text in "\\PC{1,40}|[\\\\'\"\n\r;&<>-]{1,12}|.{1,40}") {
        check(&text);
    }

    #[test]
    fn no_bytes_are_too_much(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..30),
        tags in prop::collection::vec(prop::sample::select(TAGS), 0..12),
        lines in prop::collection::vec(prop::sample::select(LINES), 0..9),
        bytes in any::<Vec<u8>>(),
        text in "[<>/a-z'\"=&;(), \n{}\\[\\]:0-9\\\\-]{0,80}") {
        for format in FORMATS {
            for content in [&bytes, text.as_bytes(), words.join(" ").as_bytes(), tags.concat().as_bytes(), lines.concat().as_bytes()] {
                if let Ok(reading) = read(content, format, i64::MAX) {
                    let enough = |run: &ForeignRun| run.files.len() + run.untested.len() <= run.wanted;
                    prop_assert!(reading.runs.iter().all(enough));
                }
            }
        }
        let with = format!("INSERT INTO test_results (status) VALUES ({text});");
        if let Err(error) = read(with.as_bytes(), None, 0) {
            let of_sql = matches!(error, ImportError::Sql { .. } | ImportError::Nothing(_));
            prop_assert!(of_sql, "{error:?}");
        }
    }
}

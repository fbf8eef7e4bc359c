//! A runner must be tested for failing: in files of each dialect one expectation is made wrong, and exactly its record
//! fails.
//!
//! The files say how. A comment `#! FROM => TO` changes the record behind it, and `\n` stands for a line end.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession, SqlError,
    utf8,
};
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::parser::{DIALECTS, parse, profile};
use slt_core::value::{Column, TypeTag, ValueRef};

/// An engine whose SQL is its result: a line with the letters of the columns, and a line for each row with `|` between its
/// values. `fail CODE MESSAGE` is an error, and `change N` changes rows.
struct Echo;

impl Engine for Echo {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("echo", "1.0"))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        Ok(Box::new(SingleSession::new(Self)))
    }
}

impl Session for Echo {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?.trim();
        if let Some(error) = sql.strip_prefix("fail ") {
            let (code, message) = error.split_once(' ').unwrap();
            let error = SqlError { message: message.to_owned(), code: Some(code.to_owned()) };
            return Err(ExecuteError::Sql(error));
        }
        if let Some(count) = sql.strip_prefix("change ") {
            rows.columns(&[]);
            rows.done(count.parse().ok());
            return Ok(());
        }
        let mut lines = sql.lines();
        let letters = lines.next().unwrap_or_default();
        let names: Vec<String> = (0..letters.len()).map(|column| format!("c{column}")).collect();
        let columns: Vec<_> =
            names.iter().zip(letters.chars()).map(|(name, letter)| Column::new(name, tag(letter))).collect();
        if rows.columns(&columns) == Flow::Stop {
            return Ok(());
        }
        for line in lines {
            let values: Vec<_> =
                line.split('|').zip(letters.chars()).map(|(text, letter)| value(text, letter)).collect();
            if rows.row(&values) == Flow::Stop {
                return Ok(());
            }
        }
        rows.done(None);
        Ok(())
    }
}

fn tag(letter: char) -> TypeTag {
    match letter {
        'I' => TypeTag::Integer,
        _ => TypeTag::Text,
    }
}

fn value(text: &str, letter: char) -> ValueRef<'_> {
    match letter {
        'I' => ValueRef::Integer(text.parse().unwrap()),
        _ => ValueRef::Text(text.as_bytes()),
    }
}

/// Returns the lines of the records that have not passed.
fn failing(dialect: &str, exact: bool, text: &str) -> Vec<u32> {
    let source = Source::new("t.test", text);
    let script = parse(&source, profile(dialect, exact).unwrap());
    let options = Options {
        labels: vec!["echo".to_owned()],
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 10, values: 10 },
    };
    let report = run_script(&script, &Echo, &options, Selection::All);
    assert!(report.counts.add_up(), "{dialect}: {:?}", report.counts);
    assert!(report.counts.total > 3, "{dialect}: {:?}", report.counts);
    report.failures.iter().map(|record| record.id.line).collect()
}

/// One expectation that is made wrong.
struct Change<'t> {
    /// The offset behind the comment.
    start: usize,
    from: String,
    to: String,
    shown: &'t str,
}

fn changes(text: &str) -> Vec<Change<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        start += line.len();
        let Some(change) = line.strip_prefix("#! ") else { continue };
        let (from, to) = change.trim_end_matches('\n').split_once(" => ").unwrap();
        found.push(Change {
            start,
            from: from.replace("\\n", "\n"),
            to: to.replace("\\n", "\n"),
            shown: line,
        });
    }
    found
}

fn check(path: &Path) {
    let dialect = path.file_stem().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    for exact in [false, true] {
        assert_eq!(failing(dialect, exact, &text), [], "{dialect} unchanged, exact: {exact}");
    }
    let changes = changes(&text);
    assert!(changes.len() > 9, "{dialect}");
    for Change { start, from, to, shown } in changes {
        let at = start + text[start..].find(&from).unwrap_or_else(|| panic!("{dialect}: {shown}"));
        let changed = format!("{}{to}{}", &text[..at], &text[at + from.len()..]);
        let header = text[start..].lines().position(|line| !line.starts_with('#')).unwrap();
        let line = text[..start].lines().count() + header + 1;
        let failing = failing(dialect, false, &changed);
        assert_eq!(failing, [line as u32], "{dialect}: {shown}");
        let ends = text[start + 1..].find("\n\n").map_or(text.len(), |end| start + 1 + end);
        assert!(at <= ends, "{dialect}: {shown} changes another record");
    }
}

#[test]
fn exactly_the_changed_record_fails() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/honesty");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    assert_eq!(paths.len(), DIALECTS.len(), "a file for each dialect");
    paths.iter().for_each(|path| check(path));
}

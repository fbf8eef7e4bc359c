//! Suites of generated files, and an engine with bugs: it is known which record fails for which of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use slt_core::engine::{
    Database, Engine, EngineError, EngineId, ExecuteError, RowSink, Session, SingleSession, SqlError, utf8,
};
use slt_core::executor::{DetailLimits, Options, Selection, run_script};
use slt_core::location::Source;
use slt_core::outcome::{FileReport, FlakyResult, RunEnd, RunHeader, RunReport};
use slt_core::parser::{SQLITE, parse};
use slt_core::value::{Column, ValueRef};
use slt_insight::analysis::{SourceTexts, TextError};

use super::planted::Random;

/// The effect of a bug on a record.
#[derive(Clone, Copy)]
pub enum BugEffect {
    /// A table is not made, and everything that names it fails.
    NotMade,
    /// A row is not inserted, and queries of its table find other rows.
    NotInserted,
    /// An error with this message.
    Message(fn(&str) -> String),
    /// A number in another form.
    Form,
    /// A row is missing.
    Missing,
    /// Another number.
    Wrong,
}

/// A bug of an engine. Several with one name are one bug that is seen in several ways.
#[derive(Clone)]
pub struct Bug {
    /// Its name.
    pub name: &'static str,
    shows: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    seen: BugEffect,
}

impl Bug {
    /// Makes a bug that shows in SQL for which `shows` holds.
    pub fn new(
        name: &'static str,
        seen: BugEffect,
        shows: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name, shows: Arc::new(shows), seen }
    }
}

/// A table is not made if it is `WITHOUT ROWID`.
pub fn not_made() -> Bug {
    Bug::new("not made", BugEffect::NotMade, |sql| sql.contains("WITHOUT"))
}

/// A function is not there.
pub fn no_function() -> Bug {
    let message = |sql: &str| format!("no such function: {}", &sql[7..10]);
    Bug::new("error", BugEffect::Message(message), |sql| sql.contains("foo"))
}

/// A join makes names of columns ambiguous, and the message has the first.
pub fn ambiguous() -> Bug {
    let message = |sql: &str| {
        let name = sql.find("col").map_or("", |start| &sql[start..start + 4]);
        format!("ambiguous column name: {name}")
    };
    Bug::new("ambiguous", BugEffect::Message(message), |sql| {
        sql.contains("CROSS JOIN") && sql.contains("col")
    })
}

/// A division gives up with a number that is nowhere in the SQL.
pub fn overflow() -> Bug {
    let message = |sql: &str| format!("value {} out of range", sql.bytes().map(u64::from).sum::<u64>());
    Bug::new("overflow", BugEffect::Message(message), |sql| sql.contains(" / "))
}

/// `COALESCE` is wrong in the list of an `IN`.
pub fn both() -> Bug {
    let list = |sql: &str| sql.split_once(" IN (").is_some_and(|(_, list)| list.contains("COALESCE"));
    Bug::new("coalesce in", BugEffect::Wrong, list)
}

/// Some rows are not inserted, and results of their table are wrong.
pub fn not_inserted() -> Bug {
    Bug::new("not inserted", BugEffect::NotInserted, |sql| {
        sql.starts_with("INSERT INTO tab2") && chance(sql, 9)
    })
}

/// `CAST` returns a number in another form, or another number.
pub fn two_ways() -> [Bug; 2] {
    [
        Bug::new("cast", BugEffect::Form, |sql| sql.contains("CAST") && chance(sql, 2)),
        Bug::new("cast", BugEffect::Wrong, |sql| sql.contains("CAST")),
    ]
}

/// A function is wrong one time in ten.
pub fn seldom() -> Bug {
    Bug::new("seldom", BugEffect::Wrong, |sql| sql.contains("COALESCE") && chance(sql, 10))
}

/// One query in thirty is wrong, and nothing in its SQL says which.
pub fn hidden() -> Bug {
    Bug::new("hidden", BugEffect::Wrong, |sql| is_query(sql) && chance(sql, 30))
}

/// A bug that few queries have.
pub fn rare() -> Bug {
    Bug::new("rare", BugEffect::Wrong, |sql| sql.contains(" AND NULL IS NULL"))
}

/// `NOT BETWEEN` finds a row too few or another value.
pub fn between() -> [Bug; 2] {
    let shows = |sql: &str| sql.contains("NOT BETWEEN");
    [
        Bug::new("between", BugEffect::Missing, move |sql| shows(sql) && chance(sql, 2)),
        Bug::new("between", BugEffect::Wrong, shows),
    ]
}

/// `IN` finds another value.
pub fn within() -> Bug {
    Bug::new("in", BugEffect::Wrong, |sql| sql.contains(" IN ("))
}

/// `CAST` returns a number in another form.
pub fn form() -> Bug {
    Bug::new("form", BugEffect::Form, |sql| sql.contains("CAST"))
}

/// An average is wrong one time in three.
pub fn average() -> Bug {
    Bug::new("average", BugEffect::Wrong, |sql| sql.contains("AVG(DISTINCT") && chance(sql, 3))
}

/// One query in `of` fails, for a reason that no other query has.
pub fn noise(of: u64) -> Bug {
    Bug::new(NOISE, BugEffect::Wrong, move |sql| sql.starts_with("SELECT") && chance(sql, of))
}

/// The bugs without those of these names.
pub fn without(bugs: &[Bug], fixed: &[&str]) -> Vec<Bug> {
    bugs.iter().filter(|bug| !fixed.contains(&bug.name)).cloned().collect()
}

/// The name of failures without a bug.
pub const NOISE: &str = "noise";

/// Five bugs and noise.
pub fn five_bugs() -> Vec<Bug> {
    let [few, wrong] = between();
    vec![not_made(), no_function(), few, wrong, form(), average(), noise(700)]
}

/// A cheap digest, so that chance is the same each time.
pub fn chance(sql: &str, of: u64) -> bool {
    let sum = sql.bytes().fold(7 + of, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (sum >> 20).is_multiple_of(of)
}

/// An engine whose queries all have the same correct rows, except for its bugs. The first bug that applies takes
/// effect.
#[derive(Clone)]
pub struct BuggyEngine {
    /// The bugs.
    pub bugs: Vec<Bug>,
    /// How the right rows, which are the numbers from 1, are written.
    pub written: ResultForm,
}

/// Tables that were not made, or lack rows, and for which bug.
type MissingParts = BTreeMap<String, (&'static str, MissingPart)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum MissingPart {
    Table,
    Rows,
}

/// The wrong answer to a record, with its bug.
enum WrongAnswer {
    NoTable(String),
    Bug(BugEffect),
}

impl BuggyEngine {
    fn wrong(&self, sql: &str, lacking: &mut MissingParts) -> Option<(&'static str, WrongAnswer)> {
        let mut named = lacking.iter().filter(|(table, _)| sql.contains(table.as_str()));
        match named.next() {
            Some((table, (bug, MissingPart::Table))) => {
                return Some((bug, WrongAnswer::NoTable(table.clone())));
            }
            Some((_, (bug, MissingPart::Rows))) if is_query(sql) => {
                return Some((bug, WrongAnswer::Bug(BugEffect::Wrong)));
            }
            _ => {}
        }
        let bug = self.bugs.iter().find(|bug| (bug.shows)(sql))?;
        let lack = match bug.seen {
            BugEffect::NotMade => Some(MissingPart::Table),
            BugEffect::NotInserted => Some(MissingPart::Rows),
            _ => None,
        };
        if let Some(lack) = lack {
            let table = sql.split_whitespace().nth(2).unwrap_or_default();
            lacking.insert(table.to_owned(), (bug.name, lack));
        }
        Some((bug.name, WrongAnswer::Bug(bug.seen)))
    }
}

fn identity() -> EngineId {
    EngineId::new("buggy", "1")
}

impl Engine for BuggyEngine {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(identity())
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        let session = BuggySession { engine: self.clone(), lacking: MissingParts::new() };
        Ok(Box::new(SingleSession::new(session)))
    }
}

struct BuggySession {
    engine: BuggyEngine,
    lacking: MissingParts,
}

impl Session for BuggySession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?;
        let error = |text: String| Err(ExecuteError::Sql(SqlError::new(text)));
        let is_query = is_query(sql);
        rows.columns(if is_query { &[Column::UNKNOWN] } else { &[] });
        let first = match self.engine.wrong(sql, &mut self.lacking).map(|(_, wrong)| wrong) {
            Some(WrongAnswer::NoTable(table)) => return error(format!("no such table: {table}")),
            Some(WrongAnswer::Bug(BugEffect::NotMade)) => {
                return error("near \"WITHOUT\": syntax error".to_owned());
            }
            Some(WrongAnswer::Bug(BugEffect::NotInserted)) => return error("constraint failed".to_owned()),
            Some(WrongAnswer::Bug(BugEffect::Message(message))) => return error(message(sql)),
            Some(WrongAnswer::Bug(BugEffect::Form)) => Some(ValueRef::Text(b"1.000")),
            Some(WrongAnswer::Bug(BugEffect::Missing)) => None,
            Some(WrongAnswer::Bug(BugEffect::Wrong)) => Some(ValueRef::Integer(sql.len() as i64 + 1)),
            None => Some(ValueRef::Integer(1)),
        };
        if is_query {
            let others = (2..=self.engine.written.rows()).map(ValueRef::Integer);
            first.into_iter().chain(others).for_each(|value| {
                rows.row(&[value]);
            });
        }
        rows.done(None);
        Ok(())
    }
}

/// How the results of a suite are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultForm {
    /// As one value.
    Value,
    /// As the hash of nine.
    Hash,
}

impl ResultForm {
    fn rows(self) -> i64 {
        match self {
            Self::Value => 1,
            Self::Hash => 9,
        }
    }

    fn expectation(self) -> &'static str {
        match self {
            Self::Value => "1",
            Self::Hash => "9 values hashing to 22e400a2ddbb013acf2a5852d6ab69fc",
        }
    }
}

/// Files of generated SQL that looks like that of SQLite's random files.
#[derive(Debug, Clone)]
pub struct GeneratedSuite {
    /// The files by name, with the SQL of their records.
    pub files: Vec<(String, Vec<String>)>,
    /// The form in which results are written.
    pub written: ResultForm,
}

impl GeneratedSuite {
    /// Makes `files` files with about `queries` queries each.
    pub fn new(random: &mut Random, files: u64, queries: u64, written: ResultForm) -> Self {
        Self { files: (0..files).map(|number| file(random, number, queries)).collect(), written }
    }

    /// The names and texts of the files.
    pub fn texts(&self) -> Vec<(String, String)> {
        self.files.iter().map(|(name, sql)| (name.clone(), text_of(sql, self.written))).collect()
    }

    /// Runs the files on an engine with these bugs.
    pub fn run(&self, bugs: &[Bug]) -> RunReport {
        run(&BuggyEngine { bugs: bugs.to_vec(), written: self.written }, &self.texts())
    }

    /// The bug of each failing record, by the place of the file and its own among those that fail.
    pub fn truth(&self, bugs: &[Bug]) -> HashMap<(u32, u32), &'static str> {
        let engine = BuggyEngine { bugs: bugs.to_vec(), written: self.written };
        let mut truth = HashMap::new();
        for (place, (_, sql)) in (0..).zip(&self.files) {
            let mut lacking = MissingParts::new();
            let bugs = sql.iter().filter_map(|sql| engine.wrong(sql, &mut lacking));
            truth.extend((0..).zip(bugs).map(|(failing, (bug, _))| ((place, failing), bug)));
        }
        truth
    }
}

fn is_query(sql: &str) -> bool {
    sql.starts_with("SELECT")
}

/// Makes the text of a file of SQL, of which all queries expect the same.
pub fn text_of(sql: &[String], written: ResultForm) -> String {
    let expectation = written.expectation();
    sql.iter()
        .map(|sql| match is_query(sql) {
            true => format!("query T nosort\n{sql}\n----\n{expectation}\n\n"),
            false => format!("statement ok\n{sql}\n\n"),
        })
        .collect()
}

/// Runs texts, one after the other.
fn run(engine: &BuggyEngine, files: &[(String, String)]) -> RunReport {
    let identity = identity();
    let options = Options {
        labels: identity.labels.clone(),
        threshold: None,
        record_timeout: None,
        details: DetailLimits { records: 1000, values: 1000 },
    };
    let report = |(name, text): &(String, String)| {
        let source = Source::new(name.as_str(), text.as_str());
        run_script(&parse(&source, &SQLITE), engine, &options, Selection::All)
    };
    let reports: Vec<_> = files.iter().map(report).collect();
    let labels = identity.labels.clone();
    let header =
        RunHeader { labels, engine: identity, exact: false, files: files.len(), flaky: FlakyResult::Pass };
    RunReport { header, files: reports, elapsed: Duration::ZERO, end: RunEnd::Completed }
}

/// Texts in memory.
pub struct TextsInMemory(HashMap<String, String>);

impl TextsInMemory {
    /// Keeps the texts of `files` by their names.
    pub fn new(files: &[(String, String)]) -> Self {
        Self(files.iter().cloned().collect())
    }
}

impl SourceTexts for TextsInMemory {
    fn text(&mut self, file: &FileReport) -> Result<Source, TextError> {
        let text = self.0.get(file.file.path()).ok_or(TextError::Unknown)?;
        Ok(Source::new(file.file.path(), text.as_str()))
    }
}

fn file(random: &mut Random, number: u64, queries: u64) -> (String, Vec<String>) {
    let mut sql = Vec::new();
    for table in 0..4 {
        let odd = if table == 3 && number.is_multiple_of(5) { " WITHOUT ROWID" } else { "" };
        sql.push(format!("CREATE TABLE tab{table} (col0 INTEGER, col1 INTEGER, col2 INTEGER){odd}"));
        sql.extend((0..4).map(|_| {
            format!("INSERT INTO tab{table} VALUES({}, {}, 3)", random.below(90), random.below(90))
        }));
    }
    // Every third file has less in it, so that some bugs are alone in a file.
    let plain = number % 3 == 1;
    sql.extend(
        (0..queries)
            .map(|_| query(random, 4))
            .filter(|sql| !plain || !sql.contains("foo") && !sql.contains("CAST")),
    );
    (format!("random/f{number:03}.test"), sql)
}

fn query(random: &mut Random, tables: u64) -> String {
    let (one, two, three) = (value(random), value(random), value(random));
    let rest = match random.below(5) {
        0 => format!(" WHERE {one} NOT BETWEEN {two} AND {three}"),
        1 => format!(" WHERE {one} IN ({two}, {three})"),
        2 => format!(" WHERE NOT {one} > {two} AND {three} IS NULL"),
        3 => " CROSS JOIN tab0 AS cor0".to_owned(),
        _ => String::new(),
    };
    let table = random.below(tables);
    let sql = format!("SELECT {} + {} FROM tab{table}{rest}", value(random), value(random));
    if random.below(6) == 0 { format!("SELECT foo({}) FROM ({sql}) s", random.below(90)) } else { sql }
}

fn value(random: &mut Random) -> String {
    match random.below(14) {
        0 => format!("CAST(col{} AS INTEGER)", random.below(3)),
        1 => "NULL".to_owned(),
        2 => format!("ABS(col{})", random.below(3)),
        3 => format!("COALESCE({}, col1)", random.below(90)),
        4 => format!("- col{}", random.below(3)),
        5 => format!("AVG(DISTINCT {})", random.below(90)),
        6 => format!("{} / col2", random.below(90)),
        7..10 => random.below(90).to_string(),
        _ => format!("col{}", random.below(3)),
    }
}

//! What the benchmarks share: the files to work on, and the floor.
//!
//! The *floor* is what the engine costs alone: every SQL text that the runner would execute is prepared,
//! stepped and read value by value through the same SQLite build, and nothing else is done.

pub mod fleet;
pub mod history;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rustix::time::{ClockId, clock_gettime};
use vibesql_sqllogictest::executor::parallel::{SuiteResolver, WorkItem, discover};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest::parser::{self, Control, RecordKind, SQLITE};

/// Prints the report of a benchmark, or the error that ended it.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
pub fn print_report(report: Result<String, Box<dyn std::error::Error>>) -> ExitCode {
    match report {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The files below `SLT_CORPUS` (a directory or a glob); by default the shared corpus, else the shipped suite.
///
/// # Errors
///
/// When there are none.
pub fn files() -> Result<Vec<WorkItem>, Box<dyn std::error::Error>> {
    let shared = "../shared/corpus/sqlite";
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no command line of its own")]
    let asked = std::env::var("SLT_CORPUS").ok();
    let root = asked.unwrap_or_else(|| {
        // Benchmarks are run in the folder of their package.
        let up = |path: &str| format!("../../{path}");
        if std::path::Path::new(&up(shared)).exists() { up(shared) } else { up("suites") }
    });
    Ok(discover(&[root], &mut SuiteResolver::without_configuration(), &mut |_| {})?)
}

/// The CPU time that this process has used.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// The SQL of one file, as the runner would execute it on SQLite.
pub struct Work {
    texts: Vec<Text>,
}

enum Text {
    Statement(String),
    Query(String),
}

impl Work {
    /// Takes the SQL out of a test file.
    pub fn of(source: &Source) -> Self {
        let labels = ["sqlite".to_owned()];
        let script = parser::parse(source, &SQLITE);
        let mut buffer = Vec::new();
        let mut texts = Vec::new();
        for record in script.records() {
            if parser::first_refusal(&record.conditions, &labels).is_some() {
                continue;
            }
            let mut text =
                |sql: &parser::Sql<'_>| String::from_utf8_lossy(sql.text(&mut buffer)).into_owned();
            match &record.kind {
                RecordKind::Statement(statement) => texts.push(Text::Statement(text(&statement.sql))),
                RecordKind::Query(query) => texts.push(Text::Query(text(&query.sql))),
                RecordKind::Control(Control::Halt) => break,
                // The SQLite dialect has no others.
                _ => {}
            }
        }
        Self { texts }
    }

    /// Executes it all on a fresh database and reads every value. Returns how many there were.
    ///
    /// # Errors
    ///
    /// Only when no database can be opened: what is wrong with the SQL is not the floor's to say.
    pub fn execute(&self) -> rusqlite::Result<u64> {
        let connection = Connection::open_in_memory()?;
        let mut values = 0;
        for text in &self.texts {
            let done = match text {
                Text::Statement(sql) => connection.execute_batch(sql),
                Text::Query(sql) => read(&connection, sql, &mut values),
            };
            drop(done);
        }
        Ok(values)
    }
}

fn read(connection: &Connection, sql: &str, values: &mut u64) -> rusqlite::Result<()> {
    let mut batch = rusqlite::Batch::new(connection, sql);
    let Some(mut statement) = batch.next()? else { return Ok(()) };
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            black_box(row.get_ref(column)?);
        }
        *values += columns as u64;
    }
    Ok(())
}

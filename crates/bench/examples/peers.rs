//! What `just bench-e2e` compares with: the same files through the same SQLite, without this runner.
//!
//! `peers floor PATH…` prepares and steps the SQL of the files and reads every value, and nothing else.
//! `peers sqllogictest PATH…` executes the files with the runner of the `sqllogictest` crate and a driver on rusqlite.

use std::error::Error;
use std::process::ExitCode;

use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::ValueRef;
use sqllogictest::{Control, DB, DBOutput, DefaultColumnType, Record, ResultMode, Runner};
use vibesql_sqllogictest::executor::parallel::{SuiteResolver, WorkItem, discover};
use vibesql_sqllogictest::location::Source;
use vibesql_sqllogictest_bench::{Work, print_report};

fn main() -> ExitCode {
    print_report(compared())
}

fn compared() -> Result<String, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let peer = arguments.next().unwrap_or_default();
    let paths: Vec<_> = arguments.collect();
    let files = discover(&paths, &mut SuiteResolver::without_configuration(), &mut |_| {})?;
    match peer.as_str() {
        "floor" => floor(&files),
        "sqllogictest" => sqllogictest(&files),
        _ => Err(format!("expected `floor` or `sqllogictest`, found `{peer}`").into()),
    }
}

fn floor(files: &[WorkItem]) -> Result<String, Box<dyn Error>> {
    let mut values = 0;
    for file in files {
        values += Work::of(&Source::new(file.shown.as_str(), file.read()?)).execute()?;
    }
    Ok(format!("{} files, {values} values", files.len()))
}

/// Executes every record, also after failures, as this runner does.
fn sqllogictest(files: &[WorkItem]) -> Result<String, Box<dyn Error>> {
    let (mut records, mut failed, mut unreadable) = (0_u64, 0_u64, 0_u64);
    for file in files {
        let text = String::from_utf8_lossy(&file.read()?).into_owned();
        let Ok(parsed) = sqllogictest::parse::<DefaultColumnType>(&text) else {
            unreadable += 1;
            continue;
        };
        let mut runner = Runner::new(|| async { Connection::open_in_memory().map(Lite) });
        runner.add_label("sqlite");
        // What the reference runner hashes in files that do not say it.
        runner.with_hash_threshold(8);
        // One value a line, as the reference runner writes them.
        drop(runner.run(Record::Control(Control::ResultMode(ResultMode::ValueWise))));
        for record in parsed {
            if matches!(record, Record::Halt { .. }) {
                break;
            }
            let counts = matches!(record, Record::Statement { .. } | Record::Query { .. });
            let done = runner.run(record);
            records += u64::from(counts);
            failed += u64::from(done.is_err());
        }
    }
    Ok(format!("{} files ({unreadable} unreadable), {records} records ({failed} failed)", files.len()))
}

struct Lite(Connection);

impl DB for Lite {
    type Error = rusqlite::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, rusqlite::Error> {
        let mut batch = rusqlite::Batch::new(&self.0, sql);
        let Some(mut statement) = batch.next()? else { return Ok(DBOutput::StatementComplete(0)) };
        let columns = statement.column_count();
        if columns == 0 {
            return Ok(DBOutput::StatementComplete(statement.raw_execute()? as u64));
        }
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            found.push((0..columns).map(|column| row.get_ref(column).map(text)).collect::<Result<_, _>>()?);
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows: found })
    }

    fn engine_name(&self) -> &str {
        "sqlite"
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{real:.3}"),
        ValueRef::Text([]) => "(empty)".to_owned(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

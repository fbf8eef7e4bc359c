//! Your driver, our program: `cargo run -p vibesql-sqllogictest-compat --example own_program -- run`.
//!
//! `MyDb` is a driver as it stands in many projects; here its database is SQLite. `main` is all that is new.

use std::process::ExitCode;

use rusqlite::types::ValueRef;
use sqllogictest::{DB, DBOutput, DefaultColumnType};
use vibesql_sqllogictest::cli;
use vibesql_sqllogictest::engine::EngineRegistry;
use vibesql_sqllogictest_compat::FromDb;

// Workers are this program, too, so nothing may come before `cli::main`.
fn main() -> ExitCode {
    let mut registry = EngineRegistry::new();
    registry.add("mydb", "my database, through its driver", || {
        Box::new(FromDb::new("mydb", || rusqlite::Connection::open_in_memory().map(MyDb)))
    });
    cli::main(registry)
}

struct MyDb(rusqlite::Connection);

impl DB for MyDb {
    type Error = rusqlite::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, rusqlite::Error> {
        let mut statement = self.0.prepare(sql)?;
        let columns = statement.column_count();
        if columns == 0 {
            return Ok(DBOutput::StatementComplete(statement.execute([])? as u64));
        }
        let mut found = statement.query([])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push((0..columns).map(|column| row.get_ref(column).map(text)).collect::<Result<_, _>>()?);
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
    }

    fn engine_name(&self) -> &str {
        "sqlite"
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{real:?}"),
        ValueRef::Text([]) | ValueRef::Blob([]) => "(empty)".to_owned(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

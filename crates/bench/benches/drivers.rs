//! What the adapter for drivers of the `sqllogictest` crate adds to a record: a driver for SQLite alone, and the same driver
//! as an engine, blocking and asynchronous.
//!
//! `cargo bench -p vibesql-sqllogictest-bench --bench drivers`

use std::hint::black_box;

use sqllogictest::{DB, DBOutput, DefaultColumnType};
use vibesql_sqllogictest::engine::{Engine, Flow, RowSink, Session};
use vibesql_sqllogictest::value::{Column, ValueRef};
use vibesql_sqllogictest_compat::{FromAsyncDb, FromDb};

const SQL: &str = "SELECT 1, 'text', 0.5";

fn main() {
    divan::main();
}

struct Lite(rusqlite::Connection);

impl Lite {
    fn open() -> rusqlite::Result<Self> {
        rusqlite::Connection::open_in_memory().map(Self)
    }
}

impl DB for Lite {
    type Error = rusqlite::Error;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, rusqlite::Error> {
        let mut statement = self.0.prepare(sql)?;
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let text = |column| match row.get_ref(column)? {
                rusqlite::types::ValueRef::Integer(integer) => Ok(integer.to_string()),
                rusqlite::types::ValueRef::Real(real) => Ok(real.to_string()),
                other => Ok(other.as_str()?.to_owned()),
            };
            (0..columns).map(text).collect()
        };
        let rows = statement.query_map([], row)?.collect::<Result<_, _>>()?;
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
    }
}

/// Takes everything and keeps nothing.
struct Ignore;

impl RowSink for Ignore {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        black_box(columns);
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        black_box(values);
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        black_box(affected);
        Flow::Continue
    }
}

#[divan::bench]
fn driver_alone(bencher: divan::Bencher<'_, '_>) {
    let mut driver = Lite::open().expect("SQLite opens in memory");
    bencher.bench_local(|| black_box(driver.run(black_box(SQL)).is_ok()));
}

fn as_engine(bencher: divan::Bencher<'_, '_>, engine: &dyn Engine) {
    let mut database = engine.create_database().expect("SQLite opens in memory");
    let mut session: Box<dyn Session> = database.connect(None, None).expect("SQLite opens in memory");
    bencher.bench_local(|| session.execute(black_box(SQL.as_bytes()), &mut Ignore).is_ok());
}

#[divan::bench]
fn from_db(bencher: divan::Bencher<'_, '_>) {
    as_engine(bencher, &FromDb::new("lite", Lite::open));
}

#[divan::bench]
fn from_async_db(bencher: divan::Bencher<'_, '_>) {
    as_engine(bencher, &FromAsyncDb::new("lite", || async { Lite::open() }));
}

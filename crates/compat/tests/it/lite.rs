//! SQLite behind drivers of both versions of the `sqllogictest` crate, blocking and asynchronous.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection};

/// What a driver has found: the letters of the columns with the rows, or the number of changed rows.
pub(crate) enum Found {
    Rows(usize, Vec<Vec<String>>),
    Changed(u64),
}

/// A connection to SQLite.
#[derive(Clone)]
pub(crate) struct Lite {
    database: Arc<Mutex<Connection>>,
    /// The number of connections that have been shut down.
    pub(crate) shut_down: Arc<AtomicUsize>,
}

impl Lite {
    pub(crate) fn open() -> Self {
        let database = Connection::open_in_memory().unwrap();
        database.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
        Self { database: Arc::new(Mutex::new(database)), shut_down: Arc::default() }
    }

    /// Executes all statements, and returns the result of the last one.
    pub(crate) fn run(&self, sql: &str) -> Result<Found, LiteError> {
        assert!(sql != "panic", "the driver panics");
        if sql == "hang up" {
            return Err(LiteError::Io(std::io::ErrorKind::ConnectionReset.into()));
        }
        let database = self.database.lock().unwrap();
        let mut last = Found::Changed(0);
        let mut batch = Batch::new(&database, sql);
        while let Some(mut statement) = batch.next()? {
            let columns = statement.column_count();
            if columns == 0 {
                statement.raw_execute()?;
                last = Found::Changed(database.changes());
                continue;
            }
            let mut result = statement.raw_query();
            let mut rows = Vec::new();
            while let Some(row) = result.next()? {
                rows.push((0..columns).map(|column| text(row.get_ref_unwrap(column))).collect());
            }
            last = Found::Rows(columns, rows);
        }
        Ok(last)
    }

    pub(crate) fn shutdown(&self) {
        self.shut_down.fetch_add(1, Ordering::Relaxed);
    }
}

/// The text of a value, as drivers write it.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        // SQLite's own text of a number.
        ValueRef::Real(real) => {
            let numbers = Connection::open_in_memory().unwrap();
            numbers.query_row("SELECT CAST(? AS TEXT)", [real], |row| row.get(0)).unwrap()
        }
        ValueRef::Text([]) | ValueRef::Blob([]) => "(empty)".to_owned(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[derive(Debug)]
pub(crate) enum LiteError {
    Sql(rusqlite::Error),
    Io(std::io::Error),
}

impl std::fmt::Display for LiteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Io(_) => f.write_str("no answer"),
        }
    }
}

impl std::error::Error for LiteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sql(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<rusqlite::Error> for LiteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Implements the drivers of a version.
macro_rules! drivers {
    ($library:ident, $blocking:ident, $asynchronous:ident, { $($sql_state:item)* }) => {
        pub(crate) struct $blocking(pub(crate) Lite);

        impl $library::DB for $blocking {
            type Error = LiteError;
            type ColumnType = $library::DefaultColumnType;

            fn run(&mut self, sql: &str) -> Result<$library::DBOutput<Self::ColumnType>, LiteError> {
                Ok(match self.0.run(sql)? {
                    Found::Rows(columns, rows) => $library::DBOutput::Rows {
                        types: vec![$library::DefaultColumnType::Any; columns],
                        rows,
                    },
                    Found::Changed(count) => $library::DBOutput::StatementComplete(count),
                })
            }

            fn shutdown(&mut self) {
                self.0.shutdown();
            }

            fn engine_name(&self) -> &str {
                "SQLite"
            }

            $($sql_state)*
        }

        pub(crate) struct $asynchronous(pub(crate) Lite);

        #[async_trait::async_trait]
        impl $library::AsyncDB for $asynchronous {
            type Error = LiteError;
            type ColumnType = $library::DefaultColumnType;

            async fn run(&mut self, sql: &str) -> Result<$library::DBOutput<Self::ColumnType>, LiteError> {
                // Needs a runtime with a clock, and one that executes further tasks.
                tokio::time::sleep(std::time::Duration::ZERO).await;
                let (lite, sql) = (self.0.clone(), sql.to_owned());
                let found = match tokio::spawn(async move { lite.run(&sql) }).await {
                    Ok(found) => found?,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                };
                Ok(match found {
                    Found::Rows(columns, rows) => $library::DBOutput::Rows {
                        types: vec![$library::DefaultColumnType::Any; columns],
                        rows,
                    },
                    Found::Changed(count) => $library::DBOutput::StatementComplete(count),
                })
            }

            async fn shutdown(&mut self) {
                tokio::task::yield_now().await;
                self.0.shutdown();
            }

            fn engine_name(&self) -> &str {
                "SQLite"
            }

            $($sql_state)*
        }
    };
}

drivers!(sqllogictest_0_28, OldDb, OldAsyncDb, {});
drivers!(sqllogictest, NewDb, NewAsyncDb, {
    fn error_sql_state(error: &LiteError) -> Option<String> {
        match error {
            LiteError::Sql(error) => error.sqlite_error().map(|error| error.extended_code.to_string()),
            LiteError::Io(_) => None,
        }
    }
});

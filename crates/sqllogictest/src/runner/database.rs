//! The database under test.

use std::error::Error;
use std::process::{Command, Output};
use std::time::Duration;

use async_trait::async_trait;

use crate::column_type::ColumnType;

/// What SQL has led to.
#[non_exhaustive]
pub enum DBOutput<T: ColumnType> {
    /// The rows of a query.
    Rows {
        /// The types of the columns. Some drivers leave them out.
        types: Vec<T>,
        /// The values as text.
        rows: Vec<Vec<String>>,
    },
    /// A statement without a result, with the number of its rows.
    StatementComplete(u64),
}

/// A connection to the database under test. A [`DB`] is one, too.
#[async_trait]
pub trait AsyncDB {
    /// An error of the database.
    type Error: Error + Send + Sync + 'static;
    /// The types of columns.
    type ColumnType: ColumnType;

    /// Executes SQL.
    async fn run(&mut self, sql: &str) -> Result<DBOutput<Self::ColumnType>, Self::Error>;

    /// Ends the connection.
    async fn shutdown(&mut self);

    /// Returns the name of the engine for conditions.
    fn engine_name(&self) -> &str {
        ""
    }

    /// Waits for the records `sleep` and `retry`. By default, this blocks the thread; databases with an async runtime use
    /// its timer.
    #[expect(clippy::disallowed_methods, reason = "test files sleep, and no runtime is known here")]
    async fn sleep(dur: Duration) {
        std::thread::sleep(dur);
    }

    /// Runs the command of a `system` record. By default, this blocks the thread; databases with an async runtime use its
    /// processes.
    async fn run_command(mut command: Command) -> std::io::Result<Output> {
        command.output()
    }

    /// Returns the SQLSTATE of an error.
    fn error_sql_state(_err: &Self::Error) -> Option<String> {
        None
    }
}

/// A connection to the database under test, without async functions.
pub trait DB {
    /// An error of the database.
    type Error: Error + Send + Sync + 'static;
    /// The types of columns.
    type ColumnType: ColumnType;

    /// Executes SQL.
    ///
    /// # Errors
    ///
    /// Those of the database.
    fn run(&mut self, sql: &str) -> Result<DBOutput<Self::ColumnType>, Self::Error>;

    /// Ends the connection.
    fn shutdown(&mut self) {}

    /// Returns the name of the engine for conditions.
    fn engine_name(&self) -> &str {
        ""
    }

    /// Returns the SQLSTATE of an error.
    fn error_sql_state(_err: &Self::Error) -> Option<String> {
        None
    }
}

#[async_trait]
impl<D: DB + Send> AsyncDB for D {
    type Error = D::Error;
    type ColumnType = D::ColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Self::ColumnType>, Self::Error> {
        D::run(self, sql)
    }

    async fn shutdown(&mut self) {
        D::shutdown(self);
    }

    fn engine_name(&self) -> &str {
        D::engine_name(self)
    }

    fn error_sql_state(err: &Self::Error) -> Option<String> {
        D::error_sql_state(err)
    }
}

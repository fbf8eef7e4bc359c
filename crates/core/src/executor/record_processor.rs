//! Executes one record in one session and collects the results.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::canonical::{Output, ResultBuffer};
use super::watchdog::Watchdog;
use crate::clock::Stopwatch;
use crate::engine::{
    Database, DatabaseError, Engine, EngineError, ExecuteError, Flow, RowSink, Session, SqlError,
};
use crate::outcome::{Fault, Problem};
use crate::parser::{Query, Renderer, Sql};
use crate::value::{Column, ValueRef};

/// Executes records on a database of their file, with buffers that outlive a record.
pub struct RecordProcessor {
    database: Box<dyn Database>,
    connection: Connection,
    rows: ResultBuffer,
    sql: Vec<u8>,
    time: EngineTime,
}

/// A session of the database.
struct Connection {
    session: Box<dyn Session>,
    /// Of an engine that can be interrupted, when records have a time limit.
    watchdog: Option<Watchdog>,
}

/// The time that the engine has taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineTime {
    /// For all records.
    pub total: Duration,
    /// For the last one that was executed.
    pub last: Duration,
}

/// The result of a query. Its rows are in the processor.
pub struct QueryRun {
    /// The number of columns, once it was known; SQL without a result set has none.
    pub columns: Option<usize>,
    /// The error that ended it, before or between the rows.
    pub error: Option<SqlError>,
    /// Whether there is SQL after the first statement, if that was asked for.
    pub has_more_sql: bool,
}

impl RecordProcessor {
    /// Creates a database and opens its default connection. A record is interrupted after `limit`, if the engine can be
    /// interrupted.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], when there is no database or connection.
    pub fn open(
        engine: &dyn Engine,
        renderer: Renderer,
        limit: Option<Duration>,
    ) -> Result<Self, DatabaseError> {
        let mut database = engine.create_database()?;
        let session = database.connect(None, None)?;
        let watchdog = limit.and_then(|limit| Watchdog::new(limit, session.interrupter()?));
        Ok(Self {
            database,
            connection: Connection { session, watchdog },
            rows: ResultBuffer::new(renderer),
            sql: Vec::new(),
            time: EngineTime::default(),
        })
    }

    /// Executes all SQL of a statement. A problem is that it has no result which could be judged.
    pub fn statement(&mut self, sql: &Sql<'_>) -> Result<Result<(), SqlError>, Problem> {
        let start = Stopwatch::start();
        let sql = sql.text(&mut self.sql);
        let done = self.connection.execute(sql, &mut StatementSink);
        self.time.add(start.elapsed());
        done
    }

    /// Executes the first SQL statement of a query and collects its rows, if it has as many columns as there are type
    /// letters. With `looks_further`, checks for further SQL, which is not executed.
    pub fn query(&mut self, query: &Query<'_>, looks_further: bool) -> Result<QueryRun, Problem> {
        self.rows.clear();
        let more = if looks_further { FurtherSql::Wanted } else { FurtherSql::Unwanted };
        let mut sink =
            QuerySink { rows: &mut self.rows, types: query.types, columns: None, broken: None, more };
        let sql = query.sql.text(&mut self.sql);
        let start = Stopwatch::start();
        let done = self.connection.execute(sql, &mut sink);
        self.time.add(start.elapsed());
        // An engine that refuses the text after the first statement has found some.
        let has_more_sql = match (sink.more, &done) {
            (FurtherSql::Found, _) | (FurtherSql::Looking, Ok(Err(_)) | Err(Problem::Unsupported(_))) => true,
            (FurtherSql::Looking, Ok(Ok(())) | Err(_)) | (FurtherSql::Unwanted | FurtherSql::Wanted, _) => {
                false
            }
        };
        let error = if has_more_sql { None } else { done?.err() };
        match sink.broken {
            Some(broken) => Err(Problem::Fault(Fault::Adapter(broken))),
            None => Ok(QueryRun { columns: sink.columns, error, has_more_sql }),
        }
    }

    /// Returns the time that the engine has taken.
    pub fn time(&self) -> EngineTime {
        self.time
    }

    /// Returns the rows of the last query in the order of its sort mode.
    pub fn output(&mut self, query: &Query<'_>) -> Output<'_> {
        self.rows.arrange(query.sort)
    }

    /// Ends the session and drops the database, which changes no outcome any more.
    ///
    /// # Errors
    ///
    /// [`EngineError`], when something of the database is left over.
    pub fn close(self) -> Result<(), EngineError> {
        let Self { database, connection, .. } = self;
        // An engine that panicked may panic once more while it goes.
        let closed = catch_unwind(AssertUnwindSafe(|| {
            drop(connection);
            database.close()
        }));
        closed.unwrap_or_else(|panic| Err(EngineError::new(panic_text(panic.as_ref()))))
    }
}

impl EngineTime {
    fn add(&mut self, more: Duration) {
        self.last = more;
        self.total += more;
    }
}

impl Connection {
    fn execute(&mut self, sql: &[u8], sink: &mut dyn RowSink) -> Result<Result<(), SqlError>, Problem> {
        self.watchdog.as_ref().inspect(|watchdog| watchdog.start());
        // After a panic the session is not used again, so no broken state can be seen.
        let result = catch_unwind(AssertUnwindSafe(|| self.session.execute(sql, sink)));
        if let Some(limit) = self.watchdog.as_ref().and_then(Watchdog::end)
            && matches!(result, Ok(Ok(()) | Err(ExecuteError::Sql(_))))
        {
            return Err(Problem::TimedOut { after: limit });
        }
        match result {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(ExecuteError::Sql(error))) => Ok(Err(error)),
            Ok(Err(ExecuteError::Unsupported(why))) => Err(Problem::Unsupported(why)),
            Ok(Err(ExecuteError::Lost(error))) => Err(Problem::Fault(Fault::Lost(error.message))),
            Err(panic) => Err(Problem::Fault(Fault::Panicked(panic_text(panic.as_ref())))),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

/// Lets everything run and keeps nothing.
struct StatementSink;

impl RowSink for StatementSink {
    fn columns(&mut self, _: &[Column<'_>]) -> Flow {
        Flow::Continue
    }

    fn row(&mut self, _: &[ValueRef<'_>]) -> Flow {
        Flow::Continue
    }

    fn done(&mut self, _: Option<u64>) -> Flow {
        Flow::Continue
    }
}

/// Lets one statement run, if its columns fit, and renders its rows.
struct QuerySink<'q> {
    rows: &'q mut ResultBuffer,
    types: &'q [u8],
    columns: Option<usize>,
    broken: Option<String>,
    more: FurtherSql,
}

/// The presence of SQL after the first statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FurtherSql {
    /// It is not asked for.
    Unwanted,
    /// It is asked for, and the first statement has not ended.
    Wanted,
    /// The first statement has ended.
    Looking,
    /// There is some.
    Found,
}

impl RowSink for QuerySink<'_> {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        if self.more == FurtherSql::Looking {
            self.more = FurtherSql::Found;
            return Flow::Stop;
        }
        self.columns = Some(columns.len());
        // The count is judged before anything runs, so an INSERT under `query` changes nothing.
        if columns.len() == self.types.len() { Flow::Continue } else { Flow::Stop }
    }

    fn unknown_columns(&mut self) -> Flow {
        let expected = [Column::UNKNOWN].repeat(self.types.len());
        self.columns(&expected)
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        if values.len() != self.types.len() || self.columns != Some(values.len()) {
            let columns = self.columns.unwrap_or(0);
            self.broken = Some(format!("a row of {} values in a result of {columns} columns", values.len()));
            return Flow::Stop;
        }
        self.rows.push_row(self.types, values);
        Flow::Continue
    }

    fn done(&mut self, _: Option<u64>) -> Flow {
        if self.more == FurtherSql::Unwanted {
            return Flow::Stop;
        }
        self.more = FurtherSql::Looking;
        Flow::Continue
    }
}

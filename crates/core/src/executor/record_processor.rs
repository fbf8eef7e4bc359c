//! Executes one record in one session and collects the results.

use std::time::Duration;

use super::canonical::{KeptValues, Output, ResultBuffer};
use super::cells::CellTable;
use super::connection::Connections;
use super::rendering::{CellForm, push_text_row, write_answer};
use super::sampling::{RenderSampler, SampledSink};
use crate::clock::Stopwatch;
use crate::engine::{DatabaseError, DatabaseFile, Engine, EngineError, Flow, RowSink, Session, SqlError};
use crate::outcome::{Fault, Problem};
use crate::parser::{ConnectionName, Renderer, SortMode};
use crate::value::{Column, TypeTag, ValueRef};

/// Executes records on a database of their file, with buffers that outlive a record.
pub struct RecordProcessor {
    connections: Connections,
    renderer: Renderer,
    letters: ResultBuffer,
    cells: CellTable,
    time: EngineTime,
    /// Estimates the time of rendering, if that is asked for.
    sampler: Option<RenderSampler>,
}

/// The time that the engine has taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineTime {
    /// For all records.
    pub total: Duration,
    /// For the last one that was executed.
    pub last: Duration,
}

/// The shape of the result that a query expects.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedShape<'q> {
    /// The type letters.
    pub types: &'q [u8],
    /// The number of columns; any without one.
    pub columns: Option<usize>,
    /// Whether the names of the columns are of interest.
    pub names: bool,
    /// Whether SQL after the first statement is looked for.
    pub looks_further: bool,
    /// What the text of values depends on.
    pub form: CellForm,
    /// The order in which values that the type letters convert are judged.
    pub order: SortMode,
    /// How many of these values are judged.
    pub kept: KeptValues,
    /// Whether a statement without a result has one all the same, as in DuckDB: the number of rows that it changes. Of
    /// several statements, the first with a result of its own counts, or else the last one.
    pub counts_changes: bool,
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

/// The effect of a statement that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatementEffect {
    /// The number of columns of its result; 0 without one.
    pub columns: usize,
    /// The number of rows that it returned.
    pub rows: u64,
    /// The number of rows that it changed, if the engine counts them.
    pub affected: Option<u64>,
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
        Ok(Self::new(Connections::open(engine, limit)?, renderer))
    }

    /// Makes the processor of an iteration of a concurrent loop, which has one session.
    pub(super) fn of_iteration(
        session: Box<dyn Session>,
        renderer: Renderer,
        limit: Option<Duration>,
    ) -> Self {
        Self::new(Connections::of_iteration(session, limit), renderer)
    }

    fn new(connections: Connections, renderer: Renderer) -> Self {
        let (letters, cells) = (ResultBuffer::default(), CellTable::default());
        Self { connections, renderer, letters, cells, time: EngineTime::default(), sampler: None }
    }

    /// Opens a session for an iteration of a concurrent loop.
    pub(super) fn connect_concurrent(
        &mut self,
        name: &str,
    ) -> Result<Box<dyn Session + Send>, DatabaseError> {
        self.connections.connect_concurrent(name)
    }

    /// Ends the session with this name, if it is open.
    pub(super) fn end_connection(&mut self, name: &str) {
        self.connections.end(name);
    }

    /// Adds the time that an iteration has taken on its session.
    pub(super) fn add_time(&mut self, more: Duration) {
        self.time.total += more;
    }

    /// Executes all SQL of a statement, on the default connection if it names none. The effect is that of the last
    /// statement in it.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of a record that has no result which could be judged.
    pub fn statement(
        &mut self,
        connection: Option<&ConnectionName<'_>>,
        sql: &[u8],
    ) -> Result<Result<StatementEffect, SqlError>, Problem> {
        let start = Stopwatch::start();
        let mut sink = StatementSink::default();
        let done = self.connections.get(connection)?.execute(sql, &mut sink);
        self.time.add(start.elapsed());
        done.map(|result| result.map(|()| sink.effect))
    }

    /// Executes the first SQL statement of a query and collects its rows, if it has the expected number of columns.
    /// SQL after it is not executed.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of a record that has no result which could be judged.
    pub fn query(
        &mut self,
        connection: Option<&ConnectionName<'_>>,
        sql: &[u8],
        shape: ExpectedShape<'_>,
    ) -> Result<QueryRun, Problem> {
        let more = if shape.looks_further { FurtherSql::Wanted } else { FurtherSql::Unwanted };
        let rows = match self.renderer {
            Renderer::SqliteLetters => {
                self.letters.start(shape.order, shape.kept);
                QueryRows::Letters(&mut self.letters)
            }
            renderer => {
                self.cells.clear();
                QueryRows::Cells(renderer, &mut self.cells)
            }
        };
        let mut sink =
            QuerySink { rows, shape, columns: None, broken: None, more, has_changes: false, is_over: false };
        let start = Stopwatch::start();
        let connection = self.connections.get(connection)?;
        let done = match &mut self.sampler {
            None => connection.execute(sql, &mut sink),
            Some(sampler) => connection.execute(sql, &mut SampledSink { sink: &mut sink, sampler }),
        };
        self.time.add(start.elapsed());
        // An engine that refuses the text after the first statement has found some.
        let has_more_sql = match (sink.more, &done) {
            (FurtherSql::Found, Ok(Err(_)) | Err(_)) | (FurtherSql::Looking, _) if shape.counts_changes => {
                false
            }
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

    /// Executes all SQL of a text and returns everything that it answers: a line for each row, with commas between its
    /// values, and a line for the end of each statement. Of SQL that fails only the error is left.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of a record that has no result which could be judged.
    pub fn transcript(
        &mut self,
        connection: Option<&ConnectionName<'_>>,
        sql: &[u8],
    ) -> Result<Result<Vec<Vec<u8>>, SqlError>, Problem> {
        let start = Stopwatch::start();
        let mut sink = TranscriptSink::default();
        let done = self.connections.get(connection)?.execute(sql, &mut sink);
        self.time.add(start.elapsed());
        done.map(|result| result.map(|()| sink.lines))
    }

    /// Executes all SQL of a text that belongs to no record, and passes its rows on.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of SQL that has no result.
    pub fn execute(
        &mut self,
        connection: Option<&ConnectionName<'_>>,
        sql: &[u8],
        sink: &mut dyn RowSink,
    ) -> Result<Result<(), SqlError>, Problem> {
        self.connections.get(connection)?.execute(sql, sink)
    }

    /// Estimates the time of rendering from now on.
    pub(super) fn sample_rendering(&mut self) {
        self.sampler = Some(RenderSampler::new());
    }

    /// Returns the estimated part of [`Self::time`] in which rows were rendered; zero if that is not asked for.
    pub(super) fn rendering_time(&self) -> Duration {
        self.sampler.as_ref().map_or(Duration::ZERO, RenderSampler::estimate)
    }

    /// Returns the time that the engine has taken.
    pub fn time(&self) -> EngineTime {
        self.time
    }

    /// Returns the rows of the last query, whose values the type letters have converted, in their order.
    pub fn output(&mut self) -> Output<'_> {
        self.letters.arrange()
    }

    /// Returns the rows of the last query in the order of a sort mode, for renderers without type letters.
    pub fn cells(&mut self, sort: SortMode) -> &CellTable {
        self.cells.arrange(sort);
        &self.cells
    }

    /// Closes the default connection, and opens it again.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of the record that asks for it.
    pub fn reconnect(&mut self) -> Result<(), Problem> {
        self.connections.reconnect()
    }

    /// Restarts the database with its durable data, and opens the default connection.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of the record that asks for it.
    pub fn restart(&mut self) -> Result<(), Problem> {
        self.connections.restart()
    }

    /// Closes the database, and opens the one in a file.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of the record that asks for it.
    pub fn load(&mut self, file: &DatabaseFile<'_>) -> Result<(), Problem> {
        self.connections.load(file)
    }

    /// Drops the database, and creates a new one.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of the record that asks for it.
    pub fn replace_database(&mut self, engine: &dyn Engine) -> Result<(), Problem> {
        self.connections.replace(engine)
    }

    /// Ends the session and drops the database, which changes no outcome any more.
    ///
    /// # Errors
    ///
    /// [`EngineError`], when something of the database is left over.
    pub fn close(self) -> Result<(), EngineError> {
        self.connections.close()
    }
}

impl EngineTime {
    fn add(&mut self, more: Duration) {
        self.last = more;
        self.total += more;
    }
}

/// Lets everything run and counts rows.
#[derive(Default)]
struct StatementSink {
    effect: StatementEffect,
}

impl RowSink for StatementSink {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.effect = StatementEffect { columns: columns.len(), ..StatementEffect::default() };
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        self.effect.columns = values.len();
        self.effect.rows += 1;
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.effect.affected = affected;
        Flow::Continue
    }
}

/// Lets everything run and writes down what it answers.
#[derive(Default)]
struct TranscriptSink {
    lines: Vec<Vec<u8>>,
    /// The rows of the current statement, if it has a result.
    rows: Option<u64>,
}

impl RowSink for TranscriptSink {
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.rows = (!columns.is_empty()).then_some(0);
        Flow::Continue
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let mut line = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            write_answer(value, &mut line);
        }
        self.lines.push(line);
        self.rows = Some(self.rows.unwrap_or(0) + 1);
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        let count = self.rows.take().or(affected).unwrap_or(0);
        self.lines.push(format!("COMPLETE {count}").into_bytes());
        Flow::Continue
    }
}

/// Where the rows of a query go.
enum QueryRows<'q> {
    Letters(&'q mut ResultBuffer),
    Cells(Renderer, &'q mut CellTable),
}

/// Lets one statement run, if its columns fit, and renders its rows.
struct QuerySink<'q> {
    rows: QueryRows<'q>,
    shape: ExpectedShape<'q>,
    columns: Option<usize>,
    broken: Option<String>,
    more: FurtherSql,
    /// Whether the statement changes rows, and their number is its result.
    has_changes: bool,
    /// Whether the result is that of an earlier statement.
    is_over: bool,
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

impl QuerySink<'_> {
    /// Returns how to go on after a row that is not part of the result; `None` for one that is.
    #[cold]
    fn refuse(&mut self, values: &[ValueRef<'_>]) -> Option<Flow> {
        if self.is_over {
            return Some(Flow::Continue);
        }
        if self.columns.is_none() && self.shape.columns.is_none() {
            self.columns(&[Column::UNKNOWN].repeat(values.len()));
        }
        if self.columns != Some(values.len()) {
            let columns = self.columns.unwrap_or(0);
            self.broken = Some(format!("a row of {} values in a result of {columns} columns", values.len()));
            return Some(Flow::Stop);
        }
        None
    }
}

impl RowSink for QuerySink<'_> {
    fn wants_names(&self) -> bool {
        self.shape.names
    }

    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        let count = [Column { name: Some("Count"), type_tag: TypeTag::Integer }];
        let (mut columns, mut expects) = (columns, true);
        if self.shape.counts_changes {
            if self.columns.is_some() && !self.has_changes {
                // The result is known; what follows is only executed.
                if self.more == FurtherSql::Looking && !columns.is_empty() {
                    self.more = FurtherSql::Found;
                }
                self.is_over = true;
                return Flow::Continue;
            }
            self.has_changes = columns.is_empty();
            if self.has_changes {
                columns = &count;
            }
            expects = !self.has_changes;
        } else if self.more == FurtherSql::Looking {
            self.more = FurtherSql::Found;
            return Flow::Stop;
        }
        self.columns = Some(columns.len());
        if let QueryRows::Cells(_, cells) = &mut self.rows {
            cells.clear();
            cells.set_columns(columns);
        }
        // The count is judged before anything runs, so an INSERT under `query` changes nothing.
        if !expects || self.shape.columns.is_none_or(|expected| expected == columns.len()) {
            Flow::Continue
        } else {
            Flow::Stop
        }
    }

    fn unknown_columns(&mut self) -> Flow {
        match self.shape.columns {
            Some(expected) => self.columns(&[Column::UNKNOWN].repeat(expected)),
            None if self.more == FurtherSql::Looking => self.columns(&[]),
            // The first row tells.
            None => Flow::Continue,
        }
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        let is_usual = self.columns == Some(values.len()) && !self.is_over;
        if !is_usual && let Some(flow) = self.refuse(values) {
            return flow;
        }
        match &mut self.rows {
            QueryRows::Letters(rows) => rows.push_row(self.shape.types, values),
            QueryRows::Cells(renderer, cells) => {
                push_text_row(*renderer, self.shape.form, self.shape.types, values, cells);
            }
        }
        Flow::Continue
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        if self.has_changes
            && !self.is_over
            && let (Some(count), QueryRows::Cells(renderer, cells)) = (affected, &mut self.rows)
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            push_text_row(*renderer, self.shape.form, self.shape.types, &[ValueRef::Integer(count)], cells);
        }
        match (self.more, self.shape.counts_changes) {
            (FurtherSql::Unwanted, false) => Flow::Stop,
            (FurtherSql::Unwanted | FurtherSql::Found, _) => Flow::Continue,
            _ => {
                self.more = FurtherSql::Looking;
                Flow::Continue
            }
        }
    }
}

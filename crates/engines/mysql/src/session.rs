//! The session of a connection.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mysql::prelude::{Protocol, Queryable as _};
use mysql::{Conn, Error, LocalInfileHandler, QueryResult, Row, Value};
use slt_core::engine::{EngineError, ExecuteError, Flow, Interrupter, RowSink, Session, SqlError, utf8};
use slt_core::value::{Column, ValueRef, recycle};
use slt_server::ConnectError;

use crate::connection::{Canceller, INTERRUPTED, Login, OpenedSession, execute_error};
use crate::statements::next_statement;
use crate::value::ColumnKind;

/// A session on the database of a file.
pub struct MysqlSession {
    connection: Conn,
    canceller: Arc<Canceller>,
    /// The server's limit for the SQL.
    longest_packet: usize,
    /// Whether the server has asked for a file of this machine.
    wanted_file: Arc<AtomicBool>,
    /// The random name of the database, which messages shall not contain.
    database: String,
    /// The columns of the current result.
    kinds: Vec<ColumnKind>,
}

/// The name of the database in messages: the same in each run.
const SHOWN_DATABASE: &str = "slt_database";
/// How often a statement without an effect is tried until no cancellation hits it.
const BARRIERS: usize = 10;

impl MysqlSession {
    /// Opens a session.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose kind tells whether another attempt makes sense.
    pub fn open(login: &Login<'_>, database: &str) -> Result<Self, ConnectError> {
        let wanted_file = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&wanted_file);
        // The server gets an empty file: it waits for one, and has no other way to end the statement.
        let refuse = LocalInfileHandler::new(move |_, _| {
            wanted.store(true, Ordering::SeqCst);
            Ok(())
        });
        let OpenedSession { connection, canceller, longest_packet } = login.open_session(refuse)?;
        let database = database.to_owned();
        Ok(Self { connection, canceller, longest_packet, wanted_file, database, kinds: Vec::new() })
    }

    /// Makes sure that no cancellation of an earlier text hits the next statement. The server has executed all that it
    /// has answered, but some servers keep one for the next statement if no statement was running.
    fn settle(&mut self) -> Result<(), ExecuteError> {
        let fate = self.canceller.fate();
        if fate.unanswered.load(Ordering::SeqCst) {
            let why = "the server has not answered a cancellation, which could hit any later statement";
            return Err(ExecuteError::Lost(EngineError::new(why)));
        }
        if !fate.requested.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        for _ in 0..BARRIERS {
            match self.connection.query_drop("DO 0") {
                Ok(()) => return Ok(()),
                Err(Error::MySqlError(error)) if error.code == INTERRUPTED => {}
                // Any other error, as within an XA transaction, shows that no cancellation is pending.
                Err(error) => match execute_error(error) {
                    lost @ ExecuteError::Lost(_) => return Err(lost),
                    _ => return Ok(()),
                },
            }
        }
        Err(ExecuteError::Lost(EngineError::new("the server cancels every statement")))
    }

    /// Executes one statement, or several if only the server can tell them apart.
    fn statement(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        // The server would end the connection. The first byte is the command.
        if sql.len() >= self.longest_packet {
            let why = "the SQL is longer than the server's max_allowed_packet";
            return Err(ExecuteError::Unsupported(why.to_owned()));
        }
        let answers = self.connection.query_iter(sql);
        let flow = match answers.map_err(execute_error) {
            Ok(mut answers) => take_results(&mut answers, &mut self.kinds, rows),
            Err(error) => Err(error),
        };
        if self.wanted_file.swap(false, Ordering::SeqCst) && !matches!(flow, Err(ExecuteError::Lost(_))) {
            return Err(ExecuteError::Unsupported("LOAD DATA LOCAL with a file of the client".to_owned()));
        }
        flow
    }

    /// Replaces the random name of the database, so that messages of different runs are equal.
    fn without_name(&self, error: ExecuteError) -> ExecuteError {
        match error {
            ExecuteError::Sql(SqlError { message, code }) => {
                ExecuteError::Sql(SqlError { message: message.replace(&self.database, SHOWN_DATABASE), code })
            }
            error => error,
        }
    }
}

impl Session for MysqlSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let mut rest = utf8(sql)?;
        self.settle()?;
        while let Some(sql) = next_statement(&mut rest, !self.connection.no_backslash_escape()) {
            let flow = self.statement(sql, rows).map_err(|error| self.without_name(error))?;
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let canceller = Arc::clone(&self.canceller);
        Some(Box::new(move || canceller.cancel()))
    }
}

/// Passes the results of a text to the sink. After an error or a stop, the rest is read nevertheless, so that the connection
/// is ready for the next statement.
fn take_results<T: Protocol>(
    answers: &mut QueryResult<'_, '_, '_, T>,
    kinds: &mut Vec<ColumnKind>,
    rows: &mut dyn RowSink,
) -> Result<Flow, ExecuteError> {
    let mut flow = Ok(Flow::Continue);
    loop {
        let affected = answers.affected_rows();
        let announced = announce(answers, kinds, rows, &flow);
        // `None` after the last result. The crate skips rows that are not read here.
        let Some(result) = answers.iter() else { return flow };
        if let (Ok(_), Some(announced)) = (&flow, announced) {
            flow = Ok(announced);
        }
        let affected = announced.is_none().then_some(affected);
        flow = take_result(result, affected, kinds, flow, rows);
        if matches!(flow, Err(ExecuteError::Lost(_))) {
            return flow;
        }
    }
}

/// Passes the rows and the end of a result to the sink. `affected` is the number of changed rows of a statement without
/// rows.
fn take_result(
    result: impl Iterator<Item = Result<Row, Error>>,
    affected: Option<u64>,
    kinds: &[ColumnKind],
    mut flow: Result<Flow, ExecuteError>,
    rows: &mut dyn RowSink,
) -> Result<Flow, ExecuteError> {
    let mut spare = Vec::new();
    for row in result {
        match row {
            Ok(row) if matches!(flow, Ok(Flow::Continue)) => {
                let mut values = recycle(std::mem::take(&mut spare));
                flow = push(&row, kinds, &mut values, rows);
                spare = recycle(values);
            }
            Ok(_) => {}
            Err(error) => match (execute_error(error), &flow) {
                (lost @ ExecuteError::Lost(_), _) => return Err(lost),
                (error, Ok(Flow::Continue)) => flow = Err(error),
                // The record has failed already: its result has the wrong columns.
                _ => {}
            },
        }
    }
    if !matches!(flow, Ok(Flow::Continue)) {
        return flow;
    }
    if affected.is_some() && rows.columns(&[]) == Flow::Stop {
        return Ok(Flow::Stop);
    }
    Ok(rows.done(affected))
}

/// Passes the columns of the current result to the sink. Returns nothing for a statement without a result, or with an
/// error, which shows only in the place of the first row.
fn announce<T: Protocol>(
    answers: &QueryResult<'_, '_, '_, T>,
    kinds: &mut Vec<ColumnKind>,
    rows: &mut dyn RowSink,
    flow: &Result<Flow, ExecuteError>,
) -> Option<Flow> {
    let columns = answers.columns();
    let columns = columns.as_ref();
    if columns.is_empty() {
        return None;
    }
    kinds.clear();
    kinds.extend(columns.iter().map(ColumnKind::of));
    if !matches!(flow, Ok(Flow::Continue)) {
        return Some(Flow::Stop);
    }
    let tags = kinds.iter().map(|kind| kind.type_tag());
    Some(if rows.wants_names() {
        let names: Vec<Cow<'_, str>> = columns.iter().map(|column| column.name_str()).collect();
        let named: Vec<_> = names.iter().zip(tags).map(|(name, tag)| Column::new(name, tag)).collect();
        rows.columns(&named)
    } else {
        rows.columns(&tags.map(|type_tag| Column { name: None, type_tag }).collect::<Vec<_>>())
    })
}

/// Passes a row to the sink.
fn push<'r>(
    row: &'r Row,
    kinds: &[ColumnKind],
    values: &mut Vec<ValueRef<'r>>,
    rows: &mut dyn RowSink,
) -> Result<Flow, ExecuteError> {
    for (at, kind) in kinds.iter().enumerate() {
        values.push(match row.as_ref(at) {
            Some(Value::NULL) => ValueRef::Null,
            Some(Value::Bytes(bytes)) => kind.value(bytes),
            // Results of a text have texts only, one for each column.
            Some(_) | None => {
                return Err(ExecuteError::Lost(EngineError::new("the server sent an invalid row")));
            }
        });
    }
    Ok(rows.row(values))
}

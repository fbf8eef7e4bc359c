//! The session of a connection, with the simple or the extended protocol.

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::{DataRowBody, Message, RowDescriptionBody};
use postgres_protocol::message::frontend;
use slt_core::engine::{EngineError, ExecuteError, Flow, Interrupter, RowSink, Session, utf8};
use slt_core::value::{Column, recycle};

use crate::PostgresProtocol;
use crate::connection::{PostgresConnection, ServerError};
use crate::value::{TypeOid, type_tag, value};

pub struct PostgresSession {
    pub connection: PostgresConnection,
    pub protocol: PostgresProtocol,
    /// The types of the columns of the current result.
    types: Vec<TypeOid>,
    /// Memory for the values of type bytea in a row.
    blobs: Vec<Vec<u8>>,
}

/// How far the answers to one text have come.
struct Progress<'p> {
    rows: &'p mut dyn RowSink,
    flow: Flow,
    /// Whether the sink has the columns of the current statement.
    has_columns: bool,
    /// The server's words for what a prepared statement did. It may still fail at its commit.
    completed: Option<String>,
    /// Whether the server has answered, with the end of a statement or with an error.
    is_answered: bool,
    /// The first reason to end early.
    failed: Option<ExecuteError>,
}

impl Session for PostgresSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let sql = utf8(sql)?;
        if sql.contains('\0') {
            return Err(ExecuteError::Unsupported("PostgreSQL takes no SQL with a NUL byte".to_owned()));
        }
        match self.protocol {
            PostgresProtocol::Simple => self.simple(sql, rows),
            PostgresProtocol::Extended => self.extended(sql, rows),
        }
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let key = self.connection.cancel_key();
        Some(Box::new(move || key.cancel()))
    }
}

impl PostgresSession {
    pub fn new(connection: PostgresConnection, protocol: PostgresProtocol) -> Self {
        Self { connection, protocol, types: Vec::new(), blobs: Vec::new() }
    }

    /// Executes all statements of a text. The server sends the columns of a result after it has begun to execute.
    fn simple(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        frontend::query(sql, &mut self.connection.to_send).map_err(unsendable)?;
        self.take_answers(Progress::new(rows, Flow::Continue, false))
    }

    /// Prepares a statement, which tells its columns, and executes it.
    fn extended(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let to_send = &mut self.connection.to_send;
        frontend::parse("", sql, [], to_send).map_err(unsendable)?;
        frontend::describe(b'S', "", to_send).map_err(unsendable)?;
        frontend::sync(to_send);
        self.connection.send().map_err(ExecuteError::Lost)?;
        let (mut parameters, mut failed) = (0, None);
        let mut described = None;
        loop {
            match self.connection.receive().map_err(ExecuteError::Lost)? {
                Message::ParameterDescription(body) => {
                    parameters = body.parameters().count().map_err(invalid)?;
                }
                Message::RowDescription(body) => described = Some(body),
                Message::ErrorResponse(body) => failed = Some(preparation_error(ServerError::of(&body))),
                Message::ReadyForQuery(_) => break,
                _ => {}
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if parameters > 0 {
            let why = "the SQL has parameters such as $1, which nothing gives a value";
            return Err(ExecuteError::Unsupported(why.to_owned()));
        }
        if sql.trim().is_empty() {
            return Ok(());
        }
        let flow = match described {
            Some(body) => self.announce(&body, rows)?,
            None => rows.columns(&[]),
        };
        if flow == Flow::Stop {
            return Ok(());
        }
        let to_send = &mut self.connection.to_send;
        // No list of formats means that every value is text.
        let none: [u8; 0] = [];
        frontend::bind("", "", [], none, |_, _| Ok(IsNull::Yes), [], to_send)
            .map_err(|_| ExecuteError::Unsupported("the statement cannot be bound".to_owned()))?;
        frontend::execute("", 0, to_send).map_err(unsendable)?;
        frontend::sync(to_send);
        self.take_answers(Progress::new(rows, flow, true))
    }

    /// Sends what is ready, and passes the answers to the sink until the server is ready again.
    fn take_answers(&mut self, mut progress: Progress<'_>) -> Result<(), ExecuteError> {
        self.connection.send().map_err(ExecuteError::Lost)?;
        loop {
            match self.connection.receive().map_err(ExecuteError::Lost)? {
                Message::RowDescription(body) if progress.flow == Flow::Continue => {
                    progress.has_columns = true;
                    progress.flow = self.announce(&body, progress.rows).unwrap_or_else(|error| {
                        progress.fail(error);
                        Flow::Stop
                    });
                }
                Message::DataRow(body) if progress.flow == Flow::Continue => {
                    progress.flow = self.push(&body, progress.rows)?;
                }
                Message::CommandComplete(body) => {
                    progress.is_answered = true;
                    match self.protocol {
                        PostgresProtocol::Simple => progress.complete(body.tag().map_err(invalid)?),
                        PostgresProtocol::Extended => {
                            progress.completed = Some(body.tag().map_err(invalid)?.to_owned());
                        }
                    }
                }
                Message::EmptyQueryResponse => progress.is_answered = true,
                // Also after the sink wants no more: an error takes back what the statements before it did.
                Message::ErrorResponse(body) => {
                    progress.is_answered = true;
                    match ExecuteError::from(ServerError::of(&body)) {
                        lost @ ExecuteError::Lost(_) => return Err(lost),
                        error => progress.fail(error),
                    }
                }
                Message::CopyInResponse(_) => {
                    progress.fail(unsupported_copy());
                    frontend::copy_fail("not supported", &mut self.connection.to_send).map_err(unsendable)?;
                    // Of the extended protocol, the server has dropped the first one.
                    if self.protocol == PostgresProtocol::Extended {
                        frontend::sync(&mut self.connection.to_send);
                    }
                    self.connection.send().map_err(ExecuteError::Lost)?;
                }
                Message::CopyOutResponse(_) => progress.fail(unsupported_copy()),
                Message::ReadyForQuery(_) => return progress.end(),
                _ => {}
            }
        }
    }

    /// Passes the columns of a result to the sink.
    fn announce(&mut self, body: &RowDescriptionBody, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        self.types.clear();
        let mut columns = Vec::new();
        let mut fields = body.fields();
        let unreadable =
            |error| ExecuteError::Unsupported(format!("names of columns that are not UTF-8: {error}"));
        while let Some(field) = fields.next().map_err(unreadable)? {
            self.types.push(field.type_oid());
            columns.push(Column::new(field.name(), type_tag(field.type_oid())));
        }
        self.blobs.resize_with(self.types.len().max(self.blobs.len()), Vec::new);
        Ok(rows.columns(&columns))
    }

    /// Passes a row to the sink.
    fn push(&mut self, body: &DataRowBody, rows: &mut dyn RowSink) -> Result<Flow, ExecuteError> {
        let mut values = recycle(Vec::with_capacity(self.types.len()));
        let mut ranges = body.ranges();
        let mut columns = self.types.iter().zip(&mut self.blobs);
        while let Some(range) = ranges.next().map_err(invalid)? {
            let Some((&oid, blob)) = columns.next() else {
                return Err(ExecuteError::Lost(EngineError::new(
                    "the server sent a row with too many values",
                )));
            };
            let bytes = range.and_then(|range| body.buffer().get(range));
            values.push(value(oid, bytes, blob));
        }
        Ok(rows.row(&values))
    }
}

impl<'p> Progress<'p> {
    fn new(rows: &'p mut dyn RowSink, flow: Flow, has_columns: bool) -> Self {
        Self { rows, flow, has_columns, completed: None, is_answered: false, failed: None }
    }

    /// Returns the result of the whole text, when the server is ready again.
    fn end(mut self) -> Result<(), ExecuteError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.is_answered {
            let why = "the server has not told the end of the statement";
            return Err(ExecuteError::Lost(EngineError::new(why)));
        }
        if let Some(tag) = self.completed.take() {
            self.complete(&tag);
        }
        Ok(())
    }

    /// Takes the end of a statement, with the server's words for what it did.
    fn complete(&mut self, tag: &str) {
        if self.flow == Flow::Continue && !self.has_columns {
            self.flow = self.rows.columns(&[]);
        }
        if self.flow == Flow::Continue {
            self.flow = self.rows.done(affected_rows(tag, self.has_columns));
        }
        self.has_columns = false;
    }

    fn fail(&mut self, error: ExecuteError) {
        self.failed.get_or_insert(error);
    }
}

/// Returns the number of rows that a statement changed: the last word of `INSERT 0 3`, `UPDATE 3`, or of `SELECT 3` if it
/// made a table and has no result.
fn affected_rows(tag: &str, has_result: bool) -> Option<u64> {
    let (command, count) = tag.rsplit_once(' ')?;
    match command.split(' ').next()? {
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" => count.parse().ok(),
        "SELECT" if !has_result => count.parse().ok(),
        _ => None,
    }
}

/// The error of a statement that cannot be prepared. The extended protocol has no way to execute several statements, which
/// is not a fact about the SQL.
fn preparation_error(error: ServerError) -> ExecuteError {
    if error.error.code.as_deref() == Some("42601") && error.routine == "exec_parse_message" {
        let why = "the extended protocol executes one statement; use `postgres://` for several in one text";
        return ExecuteError::Unsupported(why.to_owned());
    }
    error.into()
}

fn unsupported_copy() -> ExecuteError {
    ExecuteError::Unsupported("COPY with the data of the client".to_owned())
}

fn unsendable(error: std::io::Error) -> ExecuteError {
    ExecuteError::Unsupported(format!("the SQL cannot be sent: {error}"))
}

fn invalid(error: std::io::Error) -> ExecuteError {
    ExecuteError::Lost(EngineError::new(format_args!("the server sent an invalid message: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_command_tells_the_changed_rows() {
        let cases = [
            ("INSERT 0 3", false, Some(3)),
            ("UPDATE 2", false, Some(2)),
            ("DELETE 0", true, Some(0)),
            ("SELECT 5", false, Some(5)),
            ("SELECT 5", true, None),
            ("CREATE TABLE", false, None),
            ("BEGIN", false, None),
        ];
        for (tag, has_result, expected) in cases {
            assert_eq!(affected_rows(tag, has_result), expected, "{tag}");
        }
    }
}

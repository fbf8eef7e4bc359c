//! Executes one record.

use std::sync::Arc;

use slt_core::executor::canonical::digest_of_lines;
use slt_core::parser::HashLine;

use super::database::{AsyncDB, DBOutput};
use super::output::{AnyError, LetError, NotAQueryError, RecordOutput};
use super::shell;
use super::test_runner::Runner;
use crate::connection::MakeConnection;
use crate::parser::{Condition, Connection, Control, QueryExpect, Record, SortMode};

/// What SQL has led to; nothing if its record is skipped.
type Executed<T> = Result<Option<DBOutput<T>>, AnyError>;

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Executes a record, without judging its output.
    pub async fn apply_record(&mut self, record: Record<D::ColumnType>) -> RecordOutput<D::ColumnType> {
        match record {
            Record::Statement { conditions, connection, sql, .. } => {
                statement_output(self.execute(&conditions, &connection, &sql).await)
            }
            Record::Query { conditions, connection, sql, expected, .. } => {
                let executed = self.execute(&conditions, &connection, &sql).await;
                let own_mode = match expected {
                    QueryExpect::Results { sort_mode, .. } => sort_mode,
                    QueryExpect::Error(_) => None,
                };
                let sort_mode = own_mode.or(self.sort_mode).unwrap_or(SortMode::NoSort);
                query_output(executed, sort_mode, self.rules.hash_threshold)
            }
            Record::System { conditions, command, stdout, .. } => {
                // A command has no connection, and so no engine.
                if is_skipped(&conditions, |label| self.rules.labels.contains(label)) {
                    return RecordOutput::Nothing;
                }
                let command =
                    if self.substitutes { self.variables.in_command(&command) } else { Ok(command) };
                let result = match command {
                    Ok(command) => shell::run::<D>(&command).await,
                    Err(error) => Err(error),
                };
                match result {
                    Ok(output) => RecordOutput::System { stdout: stdout.and(Some(output)), error: None },
                    Err(error) => RecordOutput::System { stdout: None, error: Some(error) },
                }
            }
            Record::Let { conditions, connection, variables, sql, .. } => {
                let executed = self.execute(&conditions, &connection, &sql).await;
                self.assign(executed, variables)
            }
            Record::Sleep { duration, .. } => {
                D::sleep(duration).await;
                RecordOutput::Nothing
            }
            Record::Control(control) => {
                self.set(&control);
                RecordOutput::Nothing
            }
            Record::HashThreshold { threshold, .. } => {
                self.rules.hash_threshold = usize::try_from(threshold).unwrap_or(usize::MAX);
                RecordOutput::Nothing
            }
            Record::Include { .. }
            | Record::Subtest { .. }
            | Record::Halt { .. }
            | Record::Condition(_)
            | Record::Connection(_)
            | Record::Comment(_)
            | Record::Newline
            | Record::Injected(_) => RecordOutput::Nothing,
        }
    }

    /// Executes SQL. As in the original, variables are substituted and the connection is opened also for records that are
    /// then skipped, so both can fail.
    async fn execute(
        &mut self,
        conditions: &[Condition],
        connection: &Connection,
        sql: &str,
    ) -> Executed<D::ColumnType> {
        let substituted;
        let sql = if self.substitutes {
            substituted = self.variables.in_sql(sql)?;
            &substituted
        } else {
            sql
        };
        let connection = self.connections.get(connection).await.map_err(shared)?;
        let engine = connection.engine_name();
        if is_skipped(conditions, |label| label == engine || self.rules.labels.contains(label)) {
            return Ok(None);
        }
        connection.run(sql).await.map(Some).map_err(shared)
    }

    /// Sets variables to the values of a row.
    fn assign(
        &mut self,
        executed: Executed<D::ColumnType>,
        names: Vec<String>,
    ) -> RecordOutput<D::ColumnType> {
        match row_of(executed, names.len()) {
            Ok(None) => RecordOutput::Nothing,
            Ok(Some(values)) => {
                for (name, value) in names.into_iter().zip(&values) {
                    self.variables.set(name, value.clone());
                }
                RecordOutput::Let { values, error: None }
            }
            Err(error) => RecordOutput::Let { values: Vec::new(), error: Some(error) },
        }
    }

    fn set(&mut self, control: &Control) {
        match control {
            Control::SortMode(mode) => self.sort_mode = Some(*mode),
            Control::ResultMode(mode) => self.result_mode = Some(*mode),
            Control::Substitution(on) => self.substitutes = *on,
        }
    }
}

fn shared<E: std::error::Error + Send + Sync + 'static>(error: E) -> AnyError {
    Arc::new(error)
}

/// Returns whether one of the conditions skips the record.
fn is_skipped(conditions: &[Condition], has_label: impl Fn(&str) -> bool) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::OnlyIf { label } => !has_label(label),
        Condition::SkipIf { label } => has_label(label),
    })
}

fn statement_output<T: crate::ColumnType>(executed: Executed<T>) -> RecordOutput<T> {
    match executed {
        Ok(None) => RecordOutput::Nothing,
        Ok(Some(DBOutput::Rows { types, rows })) => RecordOutput::Query { types, rows, error: None },
        Ok(Some(DBOutput::StatementComplete(count))) => RecordOutput::Statement { count, error: None },
        Err(error) => RecordOutput::Statement { count: 0, error: Some(error) },
    }
}

fn query_output<T: crate::ColumnType>(
    executed: Executed<T>,
    sort_mode: SortMode,
    hash_threshold: usize,
) -> RecordOutput<T> {
    let (types, rows) = match executed {
        Ok(None) => return RecordOutput::Nothing,
        Ok(Some(DBOutput::StatementComplete(count))) => {
            return RecordOutput::Statement { count, error: None };
        }
        Ok(Some(DBOutput::Rows { types, rows })) => (types, sorted(rows, sort_mode)),
        Err(error) => {
            return RecordOutput::Query { types: Vec::new(), rows: Vec::new(), error: Some(error) };
        }
    };
    // Sorted values are rows of one value each. Otherwise the types tell the number of columns: without types, nothing is
    // hashed.
    let columns = if sort_mode == SortMode::ValueSort { 1 } else { types.len() };
    let values = rows.len() * columns;
    let rows = if hash_threshold > 0 && values > hash_threshold {
        vec![vec![hash_line(&rows, values)]]
    } else {
        rows
    };
    RecordOutput::Query { types, rows, error: None }
}

fn sorted(mut rows: Vec<Vec<String>>, sort_mode: SortMode) -> Vec<Vec<String>> {
    match sort_mode {
        SortMode::NoSort => rows,
        SortMode::RowSort => {
            rows.sort_unstable();
            rows
        }
        SortMode::ValueSort => {
            let mut values: Vec<_> = rows.into_iter().flatten().collect();
            values.sort_unstable();
            values.into_iter().map(|value| vec![value]).collect()
        }
    }
}

fn hash_line(rows: &[Vec<String>], values: usize) -> String {
    let digest = digest_of_lines(rows.iter().flatten().map(String::as_bytes));
    HashLine { values: values as u64, digest: digest.0 }.to_string()
}

/// Returns the one row of a result; nothing if the record is skipped.
fn row_of<T: crate::ColumnType>(
    executed: Executed<T>,
    columns: usize,
) -> Result<Option<Vec<String>>, LetError> {
    let mut rows = match executed.map_err(LetError::Fail)? {
        None => return Ok(None),
        Some(DBOutput::StatementComplete(_)) => return Err(LetError::Fail(shared(NotAQueryError))),
        Some(DBOutput::Rows { rows, .. }) => rows,
    };
    match rows.pop() {
        Some(row) if rows.is_empty() => {
            let actual = row.len();
            if actual == columns {
                Ok(Some(row))
            } else {
                Err(LetError::ColumnCountMismatch { expected: columns, actual })
            }
        }
        Some(_) => Err(LetError::RowCountMismatch { actual: rows.len() + 1 }),
        None => Err(LetError::RowCountMismatch { actual: 0 }),
    }
}

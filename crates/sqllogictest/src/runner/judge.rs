//! Judges the outputs of records.

use super::database::AsyncDB;
use super::error::{RecordKind, TestError, TestErrorKind};
use super::output::{AnyError, RecordOutput};
use super::test_runner::Runner;
use crate::column_type::ColumnType;
use crate::connection::MakeConnection;
use crate::parser::{ExpectedError, Location, QueryExpect, Record, ResultMode, RetryConfig, StatementExpect};

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Executes a record and judges its output, which it returns. A record with `retry` is executed until it passes, as
    /// often as it says.
    ///
    /// # Errors
    ///
    /// When the record fails.
    pub async fn run_async(
        &mut self,
        record: Record<D::ColumnType>,
    ) -> Result<RecordOutput<D::ColumnType>, TestError> {
        if let Some(retry) = retry_of(&record).cloned() {
            for _ in 1..retry.attempts {
                if let Ok(output) = self.run_once(record.clone()).await {
                    return Ok(output);
                }
                D::sleep(retry.backoff).await;
            }
        }
        self.run_once(record).await
    }

    /// Executes a record and judges its output, which it returns.
    ///
    /// # Errors
    ///
    /// When the record fails.
    pub fn run(&mut self, record: Record<D::ColumnType>) -> Result<RecordOutput<D::ColumnType>, TestError> {
        futures_executor::block_on(self.run_async(record))
    }

    async fn run_once(
        &mut self,
        record: Record<D::ColumnType>,
    ) -> Result<RecordOutput<D::ColumnType>, TestError> {
        let output = self.apply_record(record.clone()).await;
        match self.judge(&record, &output) {
            Some((kind, location)) => Err(TestError::new(kind, location.clone())),
            None => Ok(output),
        }
    }

    /// Returns why a record fails, and where it is; nothing if it passes.
    fn judge<'r>(
        &self,
        record: &'r Record<D::ColumnType>,
        output: &RecordOutput<D::ColumnType>,
    ) -> Option<(TestErrorKind, &'r Location)> {
        let (problem, location) = match record {
            Record::Statement { loc, sql, expected, .. } => {
                (judge_statement::<D>(sql, expected, output), loc)
            }
            Record::Query { loc, sql, expected, .. } => (self.judge_query(sql, expected, output), loc),
            Record::System { loc, command, stdout, .. } => {
                (judge_command(command, stdout.as_deref(), output), loc)
            }
            Record::Let { loc, sql, .. } => {
                let RecordOutput::Let { error, .. } = output else { return None };
                let problem = error.clone().map(|err| TestErrorKind::LetFail { sql: sql.clone(), err });
                (problem, loc)
            }
            _ => return None,
        };
        problem.map(|problem| (problem, location))
    }

    fn judge_query(
        &self,
        sql: &str,
        expected: &QueryExpect<D::ColumnType>,
        output: &RecordOutput<D::ColumnType>,
    ) -> Option<TestErrorKind> {
        if matches!(output, RecordOutput::Nothing) {
            return None;
        }
        let sql = sql.to_owned();
        let (result_mode, types, results) = match (expected, error_of(output)) {
            (QueryExpect::Error(expected), error) => {
                return judge_error::<D>(sql, expected, error, RecordKind::Query, RecordKind::Query);
            }
            (QueryExpect::Results { .. }, Some(err)) => {
                return Some(TestErrorKind::Fail { sql, err: err.clone(), kind: RecordKind::Query });
            }
            (QueryExpect::Results { result_mode, types, results, .. }, None) => (result_mode, types, results),
        };
        let (actual_types, rows) = match output {
            RecordOutput::Query { types, rows, .. } => (types, rows),
            // SQL without a result has no rows.
            RecordOutput::Statement { .. } if results.is_empty() => return None,
            RecordOutput::Statement { .. } => {
                let (expected, actual) = (results.join("\n"), String::new());
                return Some(TestErrorKind::QueryResultMismatch { sql, expected, actual });
            }
            _ => return None,
        };
        if !(self.rules.column_validator)(actual_types, types) {
            let (expected, actual) = (letters(types), letters(actual_types));
            return Some(TestErrorKind::QueryResultColumnsMismatch { sql, expected, actual });
        }
        let values;
        let lines = if result_mode.or(self.result_mode) == Some(ResultMode::ValueWise) {
            values = rows.iter().flatten().map(|value| vec![value.clone()]).collect();
            &values
        } else {
            rows
        };
        if (self.rules.validator)(self.rules.normalizer, lines, results) {
            return None;
        }
        let actual = rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("\n");
        Some(TestErrorKind::QueryResultMismatch { sql, expected: results.join("\n"), actual })
    }
}

fn retry_of<T: ColumnType>(record: &Record<T>) -> Option<&RetryConfig> {
    match record {
        Record::Statement { retry, .. } | Record::Query { retry, .. } | Record::System { retry, .. } => {
            retry.as_ref()
        }
        _ => None,
    }
}

fn error_of<T: ColumnType>(output: &RecordOutput<T>) -> Option<&AnyError> {
    match output {
        RecordOutput::Query { error, .. } | RecordOutput::Statement { error, .. } => error.as_ref(),
        _ => None,
    }
}

fn letters<T: ColumnType>(types: &[T]) -> String {
    types.iter().map(ColumnType::to_char).collect()
}

fn judge_statement<D: AsyncDB>(
    sql: &str,
    expected: &StatementExpect,
    output: &RecordOutput<D::ColumnType>,
) -> Option<TestErrorKind> {
    let sql = sql.to_owned();
    let (rows, done, output_kind) = match output {
        RecordOutput::Statement { count, .. } => (*count, "affected", RecordKind::Statement),
        RecordOutput::Query { rows, .. } => (rows.len() as u64, "returned", RecordKind::Query),
        _ => return None,
    };
    match (expected, error_of(output)) {
        (StatementExpect::Error(expected), error) => {
            judge_error::<D>(sql, expected, error, RecordKind::Statement, output_kind)
        }
        (_, Some(err)) => Some(TestErrorKind::Fail { sql, err: err.clone(), kind: RecordKind::Statement }),
        (StatementExpect::Count(expected), None) if *expected != rows => {
            let actual = format!("{done} {rows} rows");
            Some(TestErrorKind::StatementResultMismatch { sql, expected: *expected, actual })
        }
        (StatementExpect::Ok | StatementExpect::Count(_), None) => None,
    }
}

/// Judges a record that should fail; `success_kind` names it if it did not.
fn judge_error<D: AsyncDB>(
    sql: String,
    expected: &ExpectedError,
    error: Option<&AnyError>,
    kind: RecordKind,
    success_kind: RecordKind,
) -> Option<TestErrorKind> {
    let Some(err) = error else {
        return Some(TestErrorKind::Ok { sql, kind: success_kind });
    };
    // Errors of the runner itself, as of a substitution, have no SQLSTATE.
    let actual_sqlstate = err.downcast_ref::<D::Error>().and_then(D::error_sql_state);
    if expected.is_match(&err.to_string(), actual_sqlstate.as_deref()) {
        return None;
    }
    let expected_err = expected.to_string();
    Some(TestErrorKind::ErrorMismatch { sql, err: err.clone(), expected_err, kind, actual_sqlstate })
}

fn judge_command<T: ColumnType>(
    command: &str,
    expected: Option<&str>,
    output: &RecordOutput<T>,
) -> Option<TestErrorKind> {
    let RecordOutput::System { stdout, error } = output else { return None };
    let command = command.to_owned();
    if let Some(err) = error {
        return Some(TestErrorKind::SystemFail { command, err: err.clone() });
    }
    let expected_stdout = expected?.to_owned();
    let actual_stdout = stdout.clone().unwrap_or_default();
    if expected_stdout.trim() == actual_stdout.trim() {
        return None;
    }
    Some(TestErrorKind::SystemStdoutMismatch { command, expected_stdout, actual_stdout })
}

//! Writes the outputs of records into their files.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::compare::{ColumnTypeValidator, Normalizer, Validator};
use super::database::AsyncDB;
use super::output::RecordOutput;
use super::test_runner::Runner;
use crate::column_type::ColumnType;
use crate::connection::MakeConnection;
use crate::parser::{ExpectedError, Injected, QueryExpect, Record, RetryConfig, StatementExpect, parse_file};

/// How outputs become expectations.
struct Update<'u, T> {
    col_separator: &'u str,
    validator: Validator,
    normalizer: Normalizer,
    column_type_validator: ColumnTypeValidator<T>,
}

/// The new text of a file.
struct NewText {
    path: PathBuf,
    text: String,
    /// Whether its records are no longer executed.
    is_halted: bool,
}

impl<D: AsyncDB, M: MakeConnection<Conn = D>> Runner<D, M> {
    /// Executes a file and those that it includes, and replaces their expectations by the outputs, where the two differ.
    /// After a `halt`, the rest of its file stays.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written, or is not in the format.
    pub async fn update_test_file(
        &mut self,
        filename: impl AsRef<Path>,
        col_separator: &str,
        validator: Validator,
        normalizer: Normalizer,
        column_type_validator: ColumnTypeValidator<D::ColumnType>,
    ) -> Result<(), Box<dyn Error>> {
        let update = Update { col_separator, validator, normalizer, column_type_validator };
        let mut file = NewText::new(filename.as_ref().to_owned(), false);
        let mut outer_files = Vec::new();
        for record in parse_file(filename)? {
            match record {
                Record::Injected(Injected::BeginInclude(path)) => {
                    let included = NewText::new(path.into(), file.is_halted);
                    outer_files.push(std::mem::replace(&mut file, included));
                }
                Record::Injected(Injected::EndInclude(_)) => {
                    file.save()?;
                    let Some(outer) = outer_files.pop() else { break };
                    file = outer;
                }
                record if file.is_halted => file.push(&record)?,
                record => {
                    file.is_halted = matches!(record, Record::Halt { .. });
                    let output = self.apply_record(record.clone()).await;
                    file.push(update.updated(&record, &output).as_ref().unwrap_or(&record))?;
                }
            }
        }
        Ok(file.save()?)
    }
}

impl NewText {
    fn new(path: PathBuf, is_halted: bool) -> Self {
        Self { path, text: String::new(), is_halted }
    }

    fn push<T: ColumnType>(&mut self, record: &Record<T>) -> std::fmt::Result {
        writeln!(self.text, "{record}")
    }

    /// Replaces the file as a whole, unless it has this text.
    fn save(&self) -> io::Result<()> {
        let lines = self.text.trim_end_matches('\n');
        let text = if lines.is_empty() { String::new() } else { format!("{lines}\n") };
        if std::fs::read(&self.path)? == text.as_bytes() {
            return Ok(());
        }
        let mut temporary = self.path.clone().into_os_string();
        temporary.push(".temp");
        std::fs::write(&temporary, text)?;
        std::fs::set_permissions(&temporary, std::fs::metadata(&self.path)?.permissions())?;
        std::fs::rename(&temporary, &self.path)
    }
}

/// Returns a record with its output as its expectation; nothing if that is not possible, or an expected error still
/// occurs.
pub fn update_record_with_output<T: ColumnType>(
    record: &Record<T>,
    record_output: &RecordOutput<T>,
    col_separator: &str,
    validator: Validator,
    normalizer: Normalizer,
    column_type_validator: ColumnTypeValidator<T>,
) -> Option<Record<T>> {
    let update = Update { col_separator, validator, normalizer, column_type_validator };
    update.updated(record, record_output)
}

impl<T: ColumnType> Update<'_, T> {
    fn updated(&self, record: &Record<T>, output: &RecordOutput<T>) -> Option<Record<T>> {
        let mut updated = record.clone();
        match &mut updated {
            Record::Statement { expected, retry, .. } => {
                *expected = statement_expectation(expected, output, retry.as_ref())?;
            }
            Record::Query { loc, conditions, connection, sql, expected, retry } => {
                if let RecordOutput::Statement { count, error: None } = output {
                    return Some(Record::Statement {
                        loc: loc.clone(),
                        conditions: std::mem::take(conditions),
                        connection: connection.clone(),
                        sql: std::mem::take(sql),
                        expected: StatementExpect::Count(*count),
                        retry: retry.clone(),
                    });
                }
                *expected = self.query_expectation(expected, output, retry.as_ref())?;
            }
            Record::System { stdout, .. } => {
                // A command that fails has no output to expect.
                let RecordOutput::System { stdout: actual, error: None } = output else { return None };
                *stdout = actual.as_ref().map(|actual| actual.trim().to_owned());
            }
            _ => return None,
        }
        Some(updated)
    }

    fn query_expectation(
        &self,
        expected: &QueryExpect<T>,
        output: &RecordOutput<T>,
        retry: Option<&RetryConfig>,
    ) -> Option<QueryExpect<T>> {
        match (expected, output) {
            (QueryExpect::Error(expected), RecordOutput::Query { error: Some(error), .. }) => {
                changed_error(Some(expected), &error.to_string(), retry).map(QueryExpect::Error)
            }
            (_, RecordOutput::Query { error: Some(error), .. }) => {
                changed_error(None, &error.to_string(), retry).map(QueryExpect::Error)
            }
            (QueryExpect::Error(_), RecordOutput::Query { types, rows, error: None }) => {
                Some(QueryExpect::Results {
                    types: types.clone(),
                    sort_mode: None,
                    result_mode: None,
                    label: None,
                    results: self.lines(rows),
                })
            }
            (
                QueryExpect::Results { types, sort_mode, result_mode, label, results },
                RecordOutput::Query { types: actual_types, rows, error: None },
            ) => {
                let keeps_types = (self.column_type_validator)(actual_types, types);
                let keeps_results = (self.validator)(self.normalizer, rows, results);
                Some(QueryExpect::Results {
                    types: if keeps_types { types.clone() } else { actual_types.clone() },
                    sort_mode: *sort_mode,
                    result_mode: *result_mode,
                    label: label.clone(),
                    results: if keeps_results { results.clone() } else { self.lines(rows) },
                })
            }
            _ => None,
        }
    }

    fn lines(&self, rows: &[Vec<String>]) -> Vec<String> {
        rows.iter().map(|row| row.join(self.col_separator)).collect()
    }
}

fn statement_expectation<T: ColumnType>(
    expected: &StatementExpect,
    output: &RecordOutput<T>,
    retry: Option<&RetryConfig>,
) -> Option<StatementExpect> {
    let count = match output {
        RecordOutput::Statement { count, error: None } => *count,
        RecordOutput::Query { rows, error: None, .. } => match expected {
            // A statement that should fail and returns rows may have been meant as a query.
            StatementExpect::Error(_) => return None,
            StatementExpect::Ok | StatementExpect::Count(_) => rows.len() as u64,
        },
        RecordOutput::Statement { error: Some(error), .. } => {
            let reference = match expected {
                StatementExpect::Error(expected) => Some(expected),
                StatementExpect::Ok | StatementExpect::Count(_) => None,
            };
            return changed_error(reference, &error.to_string(), retry).map(StatementExpect::Error);
        }
        _ => return None,
    };
    Some(match expected {
        StatementExpect::Count(_) => StatementExpect::Count(count),
        StatementExpect::Ok | StatementExpect::Error(_) => StatementExpect::Ok,
    })
}

/// Returns the expectation of an error, unless it is expected already.
fn changed_error(
    expected: Option<&ExpectedError>,
    error: &str,
    retry: Option<&RetryConfig>,
) -> Option<ExpectedError> {
    if expected.is_some_and(|expected| expected.is_match(error, None)) {
        return None;
    }
    Some(match ExpectedError::from_actual_error(expected, error) {
        // In a header, `retry` behind a pattern would become a part of the pattern.
        ExpectedError::Inline(_) if retry.is_some() => ExpectedError::Multiline(error.trim().to_owned()),
        new => new,
    })
}

//! What only the records of CockroachDB's and Materialize's files have.

use super::FileRunner;
use super::values_to_keep;
use crate::engine::SqlError;
use crate::executor::correction::correct_transcript;
use crate::executor::evidence::excerpt;
use crate::outcome::{Mismatch, Problem, RecordOutcome};
use crate::parser::{
    ErrorPattern, Matcher, MissingAbility, Query, QueryExpectation, Record, RecordKind, SortMode, Sql,
    Statement, StatementExpectation,
};

/// The line after the rows of a transcript whose values may have several lines.
const END_OF_ROWS: &[u8] = b"EOF";

/// What the driver of Materialize's runner puts before a message.
const MATERIALIZE_ERROR: &str = "db error: ERROR: ";

impl<'r> FileRunner<'r> {
    /// Reports a record that needs what no engine has; its SQL is executed if later records may depend on it.
    pub(super) fn unsupported(&mut self, record: &'r Record<'r>, missing: MissingAbility) -> RecordOutcome {
        let done = match &record.kind {
            RecordKind::Control(control) => match self.control(record, control) {
                Some(outcome) => return outcome,
                None => Ok(()),
            },
            RecordKind::Statement(Statement { sql, .. }) | RecordKind::Query(Query { sql, .. })
                if missing.runs_sql =>
            {
                self.run_for_effect(record, *sql)
            }
            _ => Ok(()),
        };
        let missing = format!("records that need {} are not supported", missing.name);
        RecordOutcome::Failed(done.err().unwrap_or(Problem::Unsupported(missing)))
    }

    fn run_for_effect(&mut self, record: &Record<'r>, sql: Sql<'r>) -> Result<(), Problem> {
        self.statement(record, &Statement { sql, expected: StatementExpectation::Ok })
    }

    /// Compares everything that SQL answers, as text.
    pub(super) fn transcript(
        &mut self,
        record: &Record<'r>,
        query: &Query<'r>,
        multiline: bool,
    ) -> Result<(), Problem> {
        let sql = self.replaced_sql(&query.sql)?;
        let (connection, processor) = self.state.session(record.connection());
        let mut actual = match processor.transcript(connection.as_ref(), &sql)? {
            Ok(lines) => lines,
            Err(error) => vec![format!("{MATERIALIZE_ERROR}{}", error.message).into_bytes()],
        };
        let QueryExpectation::Rows(listed) = &query.expected else { return Ok(()) };
        let mut expected: Vec<_> =
            listed.lines().filter(|line| !multiline || *line != END_OF_ROWS).map(<[u8]>::to_vec).collect();
        if multiline {
            let text = actual.join(&b'\n');
            actual = text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        }
        let sorts = query.sort.is_some_and(|sort| sort != SortMode::NoSort);
        if sorts {
            actual.sort();
            expected.sort();
        }
        if expected == actual {
            return Ok(());
        }
        if self.observer.wants_corrections() {
            let is_end = |line: &[u8]| multiline && line == END_OF_ROWS;
            self.correction = Some(correct_transcript(listed, &actual, sorts, &is_end));
        }
        let limit = values_to_keep(self.options.details, &self.report);
        let lines = |lines: &[Vec<u8>]| excerpt(lines.iter().map(Vec::as_slice), 0, limit);
        Err(Problem::Mismatch(Mismatch::Rows {
            expected: lines(&expected),
            actual: lines(&actual),
            columns: 1,
        }))
    }

    /// Returns an expected error with the text that the dialect's own runner compares.
    ///
    /// # Errors
    ///
    /// The [`Problem`] of an internal error, which CockroachDB's runner accepts by its code only.
    pub(super) fn as_compared(
        &self,
        expected: &StatementExpectation<'_>,
        error: SqlError,
    ) -> Result<SqlError, Problem> {
        let StatementExpectation::Error(pattern) = expected else { return Ok(error) };
        let prefix = match self.script.profile.matcher {
            Matcher::Cockroach if is_internal(&error) && !names_code(pattern, &error) => {
                return Err(Problem::UnexpectedError { error, after_rows: false });
            }
            Matcher::Cockroach => "pq: ",
            Matcher::Materialize => MATERIALIZE_ERROR,
            _ => return Ok(error),
        };
        Ok(SqlError { message: [prefix, &error.message].concat(), ..error })
    }
}

/// Returns whether the engine reports a defect of its own: class XX, apart from the code for errors without one.
fn is_internal(error: &SqlError) -> bool {
    error.code.as_deref().is_some_and(|code| code.starts_with("XX") && code != "XXUUU")
}

fn names_code(pattern: &ErrorPattern<'_>, error: &SqlError) -> bool {
    matches!(pattern, ErrorPattern::SqlState { code, .. } if error.code.as_deref() == Some(*code))
}

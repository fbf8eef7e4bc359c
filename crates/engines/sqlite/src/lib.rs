//! SQLite, bundled: the reference for this format, and always the same version.

mod statement;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, ErrorCode};

use slt_core::engine::{
    Capability, Database, Engine, EngineError, EngineId, ExecuteError, Flow, Interrupter, RowSink, Session,
    SingleSession, SqlError, utf8,
};
use slt_core::value::{Column, TypeTag, recycle};

use self::statement::{Prepared, TerminatedSql, lift_heap_limits};

/// SQLite with a private database in memory for each file.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Engine for Sqlite {
    fn describe(&self) -> Result<EngineId, EngineError> {
        Ok(EngineId::new("sqlite", rusqlite::version()))
    }

    fn create_database(&self) -> Result<Box<dyn Database>, EngineError> {
        lift_heap_limits();
        let connection = Connection::open_in_memory().map_err(EngineError::new)?;
        // The folder for temporary files belongs to the process: an earlier session may have set it.
        connection.execute_batch("PRAGMA temp_store_directory=''").map_err(EngineError::new)?;
        // The bundled build turns foreign keys on; SQLite's default is off.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).map_err(EngineError::new)?;
        Ok(Box::new(SingleSession::new(SqliteSession {
            connection,
            sql: TerminatedSql::default(),
            unnamed: Vec::new(),
        })))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(vec![Capability::SeveralStatements, Capability::ColumnsFirst, Capability::Cancel])
    }
}

struct SqliteSession {
    connection: Connection,
    /// The SQL that is executed.
    sql: TerminatedSql,
    /// Columns for sinks that want no names.
    unnamed: Vec<Column<'static>>,
}

impl Session for SqliteSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        self.sql.set(utf8(sql)?);
        let (mut start, mut spare) = (0, Vec::new());
        while start < self.sql.len() {
            let (prepared, behind) = Prepared::new(&self.connection, &self.sql, start).map_err(sql_error)?;
            start = behind;
            let Some(mut statement) = prepared else { continue };
            let columns = statement.column_count();
            // SQLite types values, not columns.
            let flow = if rows.wants_names() {
                let names: Vec<String> = (0..columns).map(|column| statement.column_name(column)).collect();
                let named = names.iter().map(|name| Column::new(name, TypeTag::Unknown));
                rows.columns(&named.collect::<Vec<_>>())
            } else {
                self.unnamed.resize(columns, Column::UNKNOWN);
                rows.columns(&self.unnamed)
            };
            if flow == Flow::Stop {
                return Ok(());
            }
            let changed_before = (!statement.is_readonly()).then(|| self.connection.total_changes());
            while statement.step().map_err(sql_error)? {
                let value = |column| statement.value(column).ok_or_else(no_memory);
                // Most results are narrow, and a vector for every row costs more than rendering it.
                let flow = match columns {
                    1 => rows.row(&[value(0)?]),
                    2 => rows.row(&[value(0)?, value(1)?]),
                    3 => rows.row(&[value(0)?, value(1)?, value(2)?]),
                    _ => {
                        let mut values = recycle(std::mem::take(&mut spare));
                        for column in 0..columns {
                            values.push(value(column)?);
                        }
                        let flow = rows.row(&values);
                        spare = recycle(values);
                        flow
                    }
                };
                if flow == Flow::Stop {
                    return Ok(());
                }
            }
            let affected = changed_before.map(|before| affected_rows(&self.connection, before));
            if rows.done(affected) == Flow::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let handle = self.connection.get_interrupt_handle();
        Some(Box::new(move || handle.interrupt()))
    }
}

/// Returns the number of rows that the last statement changed.
///
/// SQLite keeps the number of an earlier statement if a statement, such as CREATE TABLE, changes none.
fn affected_rows(connection: &Connection, changed_before: u64) -> u64 {
    if connection.total_changes() == changed_before { 0 } else { connection.changes() }
}

#[cold]
fn no_memory() -> ExecuteError {
    ExecuteError::Lost(EngineError::new("SQLite has no memory for a value"))
}

fn sql_error(error: Error) -> ExecuteError {
    let code = error.sqlite_error_code();
    let extended = error.sqlite_error().map(|error| error.extended_code.to_string());
    match code {
        // A failure of the machine or the database, not of the SQL.
        Some(ErrorCode::OutOfMemory | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure) => {
            ExecuteError::Lost(EngineError::new(error))
        }
        _ => ExecuteError::Sql(SqlError { message: words(&error), code: extended }),
    }
}

/// Returns SQLite's message, without the SQL text that rusqlite adds.
fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use slt_core::value::ValueRef;

    use super::*;

    /// Records the calls of a session.
    #[derive(Default)]
    struct Log {
        names: bool,
        calls: Vec<String>,
    }

    impl RowSink for Log {
        fn wants_names(&self) -> bool {
            self.names
        }

        fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
            self.calls.push(columns.iter().map(|column| column.name.unwrap_or("?")).collect());
            Flow::Continue
        }

        fn row(&mut self, _: &[ValueRef<'_>]) -> Flow {
            Flow::Continue
        }

        fn done(&mut self, affected: Option<u64>) -> Flow {
            self.calls.push(format!("{affected:?}"));
            Flow::Continue
        }
    }

    fn calls(names: bool, sql: &[u8]) -> Result<Vec<String>, ExecuteError> {
        let mut session = Sqlite.create_database().unwrap().connect(None, None).unwrap();
        let mut log = Log { names, calls: Vec::new() };
        session.execute(sql, &mut log)?;
        Ok(log.calls)
    }

    #[test]
    fn the_rows_that_a_statement_changes_are_counted() {
        let sql = b"CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); CREATE TABLE u AS SELECT * FROM t;
            UPDATE t SET a = 0 WHERE a > 1; DELETE FROM t WHERE a > 9; SELECT a FROM t;
            INSERT INTO t VALUES (3) RETURNING a";
        let affected = ["Some(0)", "Some(2)", "Some(0)", "Some(1)", "Some(0)", "None", "Some(1)"];
        let columns = ["", "", "", "", "", "?", "?"];
        let expected: Vec<_> = columns.iter().zip(affected).flat_map(|(one, other)| [*one, other]).collect();
        assert_eq!(calls(false, sql).unwrap(), expected);
    }

    #[test]
    fn columns_have_names_for_sinks_that_want_them() {
        assert_eq!(calls(true, b"SELECT 1 AS a, 2 AS b").unwrap(), ["ab", "None"]);
        assert_eq!(calls(false, b"SELECT 1 AS a, 2 AS b").unwrap(), ["??", "None"]);
    }

    #[test]
    fn sql_that_is_not_utf8_is_unsupported() {
        assert!(matches!(calls(false, b"SELECT '\xff'"), Err(ExecuteError::Unsupported(_))));
    }
}

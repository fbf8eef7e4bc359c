//! SQLite, bundled: the reference for this format, and always the same version.

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, Error, ErrorCode};

use slt_core::engine::{
    Engine, EngineError, EngineIdentity, ExecuteError, Flow, Interrupter, RowSink, Session, SqlError,
};
use slt_core::value::{TypeTag, ValueRef, recycle};

/// SQLite with a private database in memory for each session.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Engine for Sqlite {
    fn identity(&self) -> EngineIdentity {
        EngineIdentity {
            name: "sqlite".to_owned(),
            version: rusqlite::version().to_owned(),
            labels: vec!["sqlite".to_owned()],
        }
    }

    fn open(&self) -> Result<Box<dyn Session>, EngineError> {
        lift_heap_limits();
        let connection = Connection::open_in_memory().map_err(EngineError::new)?;
        // The folder for temporary files is the process's too: an earlier session may have set it.
        connection.execute_batch("PRAGMA temp_store_directory=''").map_err(EngineError::new)?;
        // The bundled build turns foreign keys on; SQLite as everybody else has it leaves them off.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).map_err(EngineError::new)?;
        Ok(Box::new(SqliteSession { connection, tags: Vec::new() }))
    }
}

/// Takes back the limits that an earlier session may have set: they hold for the process, and SQL cannot raise the hard
/// one again.
#[expect(unsafe_code, reason = "rusqlite has no safe function for it")]
fn lift_heap_limits() {
    // SAFETY: both functions take a number and no pointer, initialise SQLite if need be, and lock what they change.
    unsafe {
        rusqlite::ffi::sqlite3_hard_heap_limit64(0);
        rusqlite::ffi::sqlite3_soft_heap_limit64(0);
    }
}

struct SqliteSession {
    connection: Connection,
    tags: Vec<TypeTag>,
}

impl Session for SqliteSession {
    fn execute(&mut self, sql: &str, rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        let mut batch = Batch::new(&self.connection, sql);
        let mut spare = Vec::new();
        while let Some(mut statement) = batch.next().map_err(sql_error)? {
            let columns = statement.column_count();
            // SQLite types values, not columns.
            self.tags.resize(columns, TypeTag::Unknown);
            if rows.columns(&self.tags) == Flow::Stop {
                return Ok(());
            }
            let mut found = statement.raw_query();
            while let Some(row) = found.next().map_err(sql_error)? {
                let value = |column| row.get_ref(column).map(value_ref).map_err(sql_error);
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
            if rows.end_of_statement() == Flow::Stop {
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

fn value_ref(value: rusqlite::types::ValueRef<'_>) -> ValueRef<'_> {
    match value {
        rusqlite::types::ValueRef::Null => ValueRef::Null,
        rusqlite::types::ValueRef::Integer(integer) => ValueRef::Integer(integer),
        rusqlite::types::ValueRef::Real(real) => ValueRef::Real(real),
        rusqlite::types::ValueRef::Text(text) => ValueRef::Text(text),
        rusqlite::types::ValueRef::Blob(blob) => ValueRef::Blob(blob),
    }
}

fn sql_error(error: Error) -> ExecuteError {
    let code = error.sqlite_error_code();
    let extended = error.sqlite_error().map(|error| error.extended_code.to_string());
    match code {
        // The machine or the database gave up, not the SQL.
        Some(ErrorCode::OutOfMemory | ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure) => {
            ExecuteError::Lost(EngineError::new(error))
        }
        _ => ExecuteError::Sql(SqlError { message: words(&error), code: extended }),
    }
}

/// SQLite's own words, without the SQL text that rusqlite adds.
fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

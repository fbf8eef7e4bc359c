//! The engine, and the session that holds one database.

use std::fmt;

use vibesql::executor::{CursorStore, clear_in_subquery_cache};
use vibesql::parser::Parser;
use vibesql::storage::Database;
use vibesql::types::SqlMode;

use super::split::statements;
use super::transfer::RowTransfer;
use slt_core::engine::{
    self, Capability, Engine, EngineError, EngineId, ExecuteError, Flow, RowSink, Session, SingleSession,
    SqlError, utf8,
};

/// The version that `Cargo.toml` pins; the library exports none, and a test checks it with SQL.
const VERSION: &str = "0.2.0";

/// The dialect of VibeSQL, for instance for the division of whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// SQLite's rules.
    Sqlite,
    /// MySQL's rules, which are the library's default.
    Mysql,
}

/// VibeSQL with a private database in memory for each file.
#[derive(Debug, Clone)]
pub struct VibeSql {
    mode: Mode,
    labels: Vec<String>,
}

impl VibeSql {
    /// Creates the engine with the labels of the mode.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        let label = match mode {
            Mode::Sqlite => "sqlite",
            Mode::Mysql => "mysql",
        };
        Self { mode, labels: vec![label.to_owned()] }
    }
}

impl Engine for VibeSql {
    fn describe(&self) -> Result<EngineId, EngineError> {
        let variant = match self.mode {
            Mode::Sqlite => None,
            Mode::Mysql => Some("mysql".to_owned()),
        };
        Ok(EngineId { variant, labels: self.labels.clone(), ..EngineId::new("vibesql", VERSION) })
    }

    fn create_database(&self) -> Result<Box<dyn engine::Database>, EngineError> {
        // VibeSQL caches answers of IN subqueries per thread, not per database, so this session would get those of
        // earlier ones. A session is not `Send` and stays on the thread that opened it.
        // VibeSQL filters large tables on the threads of Rayon's pool as well, and each has a cache of its own.
        clear_in_subquery_cache();
        rayon::broadcast(|_| clear_in_subquery_cache());
        let mut db = Database::new();
        db.set_sql_mode(match self.mode {
            Mode::Sqlite => SqlMode::SQLite,
            Mode::Mysql => SqlMode::default(),
        });
        let (cursors, transfer) = (CursorStore::new(), RowTransfer::default());
        Ok(Box::new(SingleSession::new(VibeSqlSession { db, cursors, transfer })))
    }

    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(vec![Capability::SeveralStatements, Capability::ColumnsFirst])
    }
}

/// One database, with the cursors that VibeSQL leaves to its caller.
pub(super) struct VibeSqlSession {
    pub(super) db: Database,
    pub(super) cursors: CursorStore,
    pub(super) transfer: RowTransfer,
}

impl Session for VibeSqlSession {
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError> {
        for text in statements(utf8(sql)?) {
            let statement = Parser::parse_sql(text).map_err(sql_error)?;
            if self.run(text, statement, rows)? == Flow::Stop {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Converts a message of VibeSQL to a SQL error.
pub(super) fn sql_error(error: impl fmt::Display) -> ExecuteError {
    ExecuteError::Sql(SqlError::new(error))
}

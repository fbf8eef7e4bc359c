//! The interface of engines: SQL text in, typed rows out only.
//!
//! An [`Engine`] creates a fresh and empty [`Database`] for each file, and a database opens [`Session`]s. A session
//! executes SQL text and pushes its results into a [`RowSink`], row by row, as values borrowed from the engine. It
//! never sees an expectation, a file name or the progress of a run, so it cannot cheat. An engine with one session for
//! each database wraps it in [`SingleSession`] and implements nothing else about databases.
//!
//! The traits are object safe and synchronous: a script is sequential, except for the iterations of a concurrent loop,
//! and parallel runs use processes.

use std::fmt;

use crate::value::{Column, ValueRef};

mod capability;
mod database;
pub mod registry;

pub use capability::Capability;
pub use database::{Database, DatabaseError, DatabaseFile, SingleSession};
pub use registry::{EngineArgument, EngineRegistry, RegistryError};

/// A SQL engine that can be put under test.
pub trait Engine: Send + Sync {
    /// Returns the identity of the engine, after asking the server if there is one.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the engine is not available.
    fn describe(&self) -> Result<EngineId, EngineError>;

    /// Creates a new, empty database for one file, which shows nothing of any other.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the engine is not available: no connection, not enough memory, wrong version.
    fn create_database(&self) -> Result<Box<dyn Database>, EngineError>;

    /// Returns what the engine can do besides executing one statement. The default declares nothing.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the engine must be asked and is not available.
    fn capabilities(&self) -> Result<Vec<Capability>, EngineError> {
        Ok(Vec::new())
    }

    /// Drops the databases that this program has created and that no process uses any more, because it was killed. The
    /// default does nothing, for databases that end with their process.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the engine is not available or a database remains.
    fn remove_leftovers(&self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// One connection to a database.
pub trait Session {
    /// Executes every statement of `sql` in order, until one fails or the sink asks to stop.
    ///
    /// For each statement the session calls [`RowSink::columns`] once it knows the shape of the result and
    /// *before* it executes anything with an effect, then [`RowSink::row`] for each row, then [`RowSink::done`].
    /// Text without any statement calls none of them. The SQL is any bytes, as they stand in the file; an adapter of an
    /// engine that takes text converts them with [`utf8`].
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Sql`] is a fact about the SQL, [`ExecuteError::Unsupported`] an honest refusal,
    /// [`ExecuteError::Lost`] a fault after which the session is of no further use. Rows pushed before an
    /// error stay pushed.
    fn execute(&mut self, sql: &[u8], rows: &mut dyn RowSink) -> Result<(), ExecuteError>;

    /// Returns a handle to interrupt an execution from another thread, if the engine supports that. The execution then
    /// returns an error, and the session remains usable.
    fn interrupter(&self) -> Option<Interrupter> {
        None
    }
}

/// Interrupts the current execution of a session; does nothing between two executions.
pub type Interrupter = Box<dyn Fn() + Send + Sync>;

/// Takes the rows of a result.
pub trait RowSink {
    /// Returns whether [`Self::columns`] is interested in names; an engine can leave them out where they cost
    /// something.
    fn wants_names(&self) -> bool {
        false
    }

    /// Takes the columns of the statement's result; an empty slice for a statement without a result set.
    fn columns(&mut self, columns: &[Column<'_>]) -> Flow;

    /// Takes the start of a result whose columns the engine does not know, in place of [`Self::columns`]. The
    /// default takes it as a result without columns.
    fn unknown_columns(&mut self) -> Flow {
        self.columns(&[])
    }

    /// Takes one row with as many values as there are columns.
    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow;

    /// Takes the end of the statement and the number of rows that it inserted, updated or deleted; `None` for a statement
    /// that changes no rows, or where the engine does not count them.
    fn done(&mut self, affected: Option<u64>) -> Flow;
}

/// Whether a sink wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Execute nothing more of this text and push no further rows; this is not an error.
    Stop,
}

/// The identity of an engine.
///
/// Results of several runs are grouped by name and variant, see [`Self::is_same`]. Everything else is an attribute: a
/// new version is the same engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineId {
    /// The engine's name, as `--engine` takes it.
    pub name: String,
    /// The mode or configuration that gives other results, as `mysql` in `vibesql:mysql`. The default has none.
    pub variant: Option<String>,
    /// The engine's own version; empty if unknown.
    pub version: String,
    /// The build, if the engine reports one besides its version.
    pub build: Option<String>,
    /// The names it answers to in `skipif` and `onlyif`, compared without regard to case.
    pub labels: Vec<String>,
}

impl EngineId {
    /// Returns the identity of an engine without a variant whose only label is its name.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        let name = name.into();
        Self { labels: vec![name.clone()], name, variant: None, version: version.into(), build: None }
    }

    /// Returns the identity of an engine of which only `NAME` or `NAME:VARIANT` is known.
    pub fn named(word: &str) -> Self {
        let (name, variant) = match word.split_once(':') {
            Some((name, variant)) if !variant.is_empty() => (name, Some(variant.to_owned())),
            _ => (word, None),
        };
        Self { variant, labels: Vec::new(), ..Self::new(name, "") }
    }

    /// Returns the name with the variant: `vibesql`, `vibesql:mysql`.
    pub fn qualified_name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}:{variant}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns whether results of both can be compared as results of one engine: name and variant are equal.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.variant == other.variant
    }
}

/// The name with the variant, and the version and build if known: `vibesql:mysql 0.2.0`.
impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.qualified_name())?;
        if !self.version.is_empty() {
            write!(f, " {}", self.version)?;
        }
        self.build.iter().try_for_each(|build| write!(f, " ({build})"))
    }
}

/// An error that the engine reported for a piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    /// The engine's message.
    pub message: String,
    /// The SQLSTATE or the engine's own code, if there is one.
    pub code: Option<String>,
}

impl SqlError {
    /// Makes an error without a code.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: None }
    }
}

/// An engine that cannot be used, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// The message.
    pub message: String,
}

impl EngineError {
    /// Makes an error of its text.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string() }
    }
}

/// The reason that an execution ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The engine refused the SQL or failed while executing it: a fact about engine and SQL.
    #[error(transparent)]
    Sql(SqlError),
    /// The adapter has no way to execute this kind of statement; nothing was executed.
    #[error("{0}")]
    Unsupported(String),
    /// The session broke; nothing more can be learnt from it.
    #[error(transparent)]
    Lost(EngineError),
}

/// Returns SQL as text, for engines that take nothing else.
///
/// # Errors
///
/// [`ExecuteError::Unsupported`] for SQL that is not UTF-8.
pub fn utf8(sql: &[u8]) -> Result<&str, ExecuteError> {
    std::str::from_utf8(sql).map_err(|error| {
        let place = error.valid_up_to();
        ExecuteError::Unsupported(format!("engines take SQL as UTF-8, and byte {place} of this SQL is not"))
    })
}

//! A connection without the type of its driver.

use std::error::Error;
use std::pin::Pin;

/// A future of a driver. It stays on the thread of its file.
pub type DriverFuture<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

/// A connection of any driver.
pub trait Connection {
    /// Executes SQL.
    fn run<'c>(&'c mut self, sql: &'c str) -> DriverFuture<'c, Result<DriverOutput, DriverError>>;

    /// Ends the connection in an orderly way.
    fn shutdown(&mut self) -> DriverFuture<'_, ()>;

    /// Returns the name of the engine for conditions, which can be empty.
    fn engine_name(&self) -> &str;
}

/// The output of a driver.
pub enum DriverOutput {
    /// The rows of a query.
    Rows {
        /// The letters of the column types. Some drivers leave them out if there are no rows, or always.
        types: Vec<char>,
        /// The values as text.
        rows: Vec<Vec<String>>,
    },
    /// A statement without a result, with the number of its rows.
    Complete(u64),
    /// A kind of output that a later version of the `sqllogictest` crate has added.
    Unknown,
}

/// An error of a driver.
pub struct DriverError {
    /// The driver's own error.
    pub error: Box<dyn Error + Send + Sync>,
    /// The SQLSTATE, if the driver tells it.
    pub code: Option<String>,
}

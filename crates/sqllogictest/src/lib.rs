//! The programming interface of the `sqllogictest` crate, version 0.29, on the parser and the comparisons of
//! vibesql-sqllogictest.
//!
//! Test programs that use the original run unchanged with this in the `Cargo.toml` of their workspace:
//!
//! ```toml
//! [patch.crates-io]
//! sqllogictest = { path = "../vibesql-sqllogictest/crates/sqllogictest" }
//! ```
//!
//! A database implements [`DB`] or [`AsyncDB`], and a [`Runner`] executes files on it:
//!
//! ```
//! use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner};
//!
//! struct Echo;
//!
//! impl DB for Echo {
//!     type Error = std::io::Error;
//!     type ColumnType = DefaultColumnType;
//!
//!     fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
//!         Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text], rows: vec![vec![sql.to_owned()]] })
//!     }
//! }
//!
//! let mut runner = Runner::new(|| async { Ok(Echo) });
//! runner.run_script("query T\nhello\n----\nhello\n")?;
//! assert!(runner.run_script("query T\nhello\n----\nworld\n").is_err());
//! # Ok::<(), sqllogictest::TestError>(())
//! ```
//!
//! # Verdicts
//!
//! They are those of the original, with its gaps. The stricter rules of vibesql-sqllogictest are in its own runner, which
//! takes the same drivers (package `vibesql-sqllogictest-compat`).
//!
//! # What is different
//!
//! Where the original panics or overflows its stack, calls return errors here. Records are written so that they can be read
//! again. `docs/embedding.md` in the repository lists all differences.

pub mod column_type;
pub mod connection;
pub mod harness;
pub mod parser;
pub mod runner;
pub mod substitution;

pub use self::column_type::{ColumnType, DefaultColumnType};
pub use self::connection::MakeConnection;
pub use self::parser::{
    Condition, Connection, Control, ExpectedError, Injected, Location, ParseError, ParseErrorKind,
    QueryExpect, Record, ResultMode, RetryConfig, SortMode, StatementExpect, parse, parse_file,
    parse_with_name,
};
pub use self::runner::{
    AsyncDB, ColumnTypeValidator, DB, DBOutput, LetError, Normalizer, ParallelTestError,
    ParallelTestErrorDisplay, Partitioner, RecordKind, RecordOutput, Runner, TestError, TestErrorDisplay,
    TestErrorKind, TestErrorKindDisplay, Validator, default_column_validator, default_normalizer,
    default_partitioner, default_validator, strict_column_validator, update_record_with_output,
};

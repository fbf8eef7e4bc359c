//! Drivers of the `sqllogictest` crate as engines.
//!
//! A driver implements `AsyncDB` or `DB` of `sqllogictest` 0.28 or 0.29. [`FromAsyncDb`] and [`FromDb`] make an
//! [`Engine`](slt_core::engine::Engine) of it, with the closure that `sqllogictest::Runner::new` takes. The line to
//! switch is marked:
//!
//! ```
//! use sqllogictest::{DB, DBOutput, DefaultColumnType};
//! use vibesql_sqllogictest_compat::FromAsyncDb;
//! # use slt_core::engine::{Engine as _, EngineError};
//! # use slt_core::executor::{DetailLimits, Options, Selection, run_script};
//! # use slt_core::location::Source;
//! # use slt_core::parser::{SQLITE, parse};
//!
//! struct MyDb;
//!
//! impl DB for MyDb {
//!     type Error = std::io::Error;
//!     type ColumnType = DefaultColumnType;
//!
//!     fn run(&mut self, _: &str) -> Result<DBOutput<DefaultColumnType>, std::io::Error> {
//!         Ok(DBOutput::Rows { types: vec![DefaultColumnType::Integer], rows: vec![vec!["1".to_owned()]] })
//!     }
//! }
//!
//! # fn main() -> Result<(), EngineError> {
//! // Before: let mut runner = sqllogictest::Runner::new(|| async { Ok(MyDb) });
//! let engine = FromAsyncDb::new("mydb", || async { Ok(MyDb) });
//!
//! let source = Source::new("one.test", "query I nosort\nSELECT 1\n----\n1\n");
//! # let labels = engine.describe()?.labels;
//! # let details = DetailLimits { records: 10, values: 100 };
//! # let options = Options { labels, threshold: None, record_timeout: None, details };
//! let report = run_script(&parse(&source, &SQLITE), &engine, &options, Selection::All);
//! assert_eq!(report.counts.passed, 1);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/own_program.rs` gives a driver the command line of this project.
//!
//! # Databases and connections
//!
//! The runner of the `sqllogictest` crate gets a new closure for each file, and calls it for each connection of the
//! file. An engine is made once for all files. So `new` calls its closure once for each file, which must lead to an empty
//! database, and a file has one connection. `with_connections` takes a closure that is called once for each file,
//! creates its database, and returns the closure that connects to it.
//!
//! # What a driver decides
//!
//! * Its values are text. `NULL` stands for NULL, and `(empty)` for the empty text. The dialect of a file converts text
//!   where it needs numbers, as SQLite converts text: under the letter `I`, `12` and `12.5` are 12, but `1e3` is 1 and
//!   `t` is 0. For such files, a driver writes numbers without exponents, and truth values as 1 and 0.
//! * It receives the SQL of a record as a whole, so several statements are its own matter. It executes them before their
//!   columns are known: a query with the wrong number of columns fails after it has had its effect.
//! * Its errors are SQL errors, except those caused by a broken connection
//!   ([`lost_if`](DriverEngine::lost_if)).
//! * It cannot be cancelled, because the state of a connection after an abandoned call is unknown: a record that
//!   exceeds `--record-timeout` ends its file, with the process that executes it.
//! * Its functions `sleep` and `run_command` are not called.

mod connection;
mod executor;
mod version;

mod session;

mod engine;

pub use engine::{DriverEngine, FromAsyncDb, FromDb};
pub use executor::{BlockOn, Executor, TokioRuntime};
pub use version::{AsyncDriver, BlockingDriver, V0_28, V0_29};

//! Runs SQLLogicTest suites against SQL engines and judges every record truthfully.
//!
//! A test file is parsed into records ([`parser`]), an engine executes the SQL of each record ([`engine`]), and a pure
//! function judges its output ([`executor`]). The outcomes of records, files and runs are plain data ([`outcome`]).
//! This crate is the program ([`cli`]). It also re-exports the other crates, under stable names for embedders;
//! ARCHITECTURE.md gives an overview.
//!
//! ```
//! # fn main() -> Result<(), vibesql_sqllogictest::engine::EngineError> {
//! use vibesql_sqllogictest::engine::sqlite::Sqlite;
//! use vibesql_sqllogictest::engine::Engine as _;
//! use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
//! use vibesql_sqllogictest::location::Source;
//! use vibesql_sqllogictest::parser::{SQLITE, parse};
//!
//! let source = Source::new("sum.test", "query I nosort\nSELECT 1 + 1\n----\n3\n");
//! let options = Options {
//!     labels: Sqlite.describe()?.labels,
//!     threshold: None,
//!     record_timeout: None,
//!     details: DetailLimits { records: 10, values: 100 },
//! };
//! let report = run_script(&parse(&source, &SQLITE), &Sqlite, &options, Selection::All);
//! assert_eq!(report.counts.failed, 1);
//! # Ok(())
//! # }
//! ```
//!
//! To execute single records, and to select a shard:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use vibesql_sqllogictest::engine::sqlite::Sqlite;
//! use vibesql_sqllogictest::executor::parallel::Shard;
//! use vibesql_sqllogictest::executor::record_processor::RecordProcessor;
//! use vibesql_sqllogictest::location::Source;
//! use vibesql_sqllogictest::parser::{RecordKind, SQLITE, parse};
//!
//! let source = Source::new("table.test", "statement ok\nCREATE TABLE t (a)\n\nstatement ok\nCREATE TABLE t (a)\n");
//! let script = parse(&source, &SQLITE);
//! let mut processor = RecordProcessor::open(&Sqlite, SQLITE.renderer, None)?;
//! let mut errors = Vec::new();
//! for record in script.records() {
//!     if let RecordKind::Statement(statement) = &record.kind
//!         && let Ok(Err(error)) = processor.statement(None, &statement.sql.joined())
//!     {
//!         errors.push(error.message);
//!     }
//! }
//! processor.close()?;
//! assert_eq!(errors, ["table t already exists"]);
//!
//! assert!("1/4".parse::<Shard>().is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! To store and query results, and to find flaky files:
//!
//! ```
//! # #[cfg(feature = "store")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use vibesql_sqllogictest::outcome::FileStatus;
//! use vibesql_sqllogictest::regression::flaky::{Health, StateResult, stability};
//! use vibesql_sqllogictest::results::{ResultFilter, ResultStorage, RunId, TestResult};
//!
//! let folder = tempfile::tempdir()?;
//! let mut storage = ResultStorage::open(folder.path())?;
//! let result = TestResult::new("joins.test", FileStatus::Passed, Duration::from_millis(3));
//! let run: RunId = storage.store_run(vec![result])?;
//! let stored = storage.query(ResultFilter { run: Some(run), ..ResultFilter::default() })?;
//! assert_eq!(stored.len(), 1);
//!
//! let results = [true, false].map(|good| StateResult { state: "commit 1", good });
//! assert_eq!(stability(&results).map(|found| found.health), Some(Health::Flaky));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "store"))]
//! # fn main() {}
//! ```

pub mod cli;
pub mod engines;
mod monitor;

pub use slt_core::{location, outcome, parser, value};
pub use slt_insight::{analysis, expectations, regression, report};
pub use slt_runner::{clock, event};

/// Engines: the traits, the registry, and the engines of this build.
pub mod engine {
    pub use slt_core::engine::*;
    pub use slt_mysql as mysql;
    pub use slt_postgres as postgres;
    pub use slt_scripted as scripted;
    pub use slt_sqlite as sqlite;
    #[cfg(feature = "engine-vibesql")]
    pub use slt_vibesql as vibesql;
}

/// Executing one script (`core`), one record (`record_processor`) or many files in worker processes (`parallel`).
pub mod executor {
    pub use slt_core::executor::*;
    pub use slt_runner::parallel;
}

/// Stored results: folders and journals of runs, and an embedded database of all results.
pub mod results {
    pub use slt_runner::results::*;
    #[cfg(feature = "store")]
    pub use slt_store::{self as store, ResultFilter, ResultStorage, RunId, TestResult, ask};
}

//! Runs SQLLogicTest suites against SQL engines and judges every record truthfully.
//!
//! A test file is parsed into records ([`parser`]), each record's SQL goes to an engine ([`engine`]), and a
//! pure function turns expectation and output into a verdict ([`executor`]); what became of a record, a file
//! and a run is plain data ([`outcome`]). This crate is the program ([`cli`]) and the one door to the crates behind
//! it, under the names that are promised to embedders; ARCHITECTURE.md has the picture.
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

pub mod cli;
pub mod engines;
mod monitor;

pub use slt_core::{location, outcome, parser, value};
pub use slt_insight::{analysis, expectations, regression, report};
pub use slt_runner::{clock, event};

/// Engines: the traits, the registry, and the engines of this build.
pub mod engine {
    pub use slt_core::engine::*;
    pub use slt_scripted as scripted;
    pub use slt_sqlite as sqlite;
    #[cfg(feature = "engine-vibesql")]
    pub use slt_vibesql as vibesql;
}

/// Executing one script ([`core`](executor::core)) or one record, and many files in worker processes.
pub mod executor {
    pub use slt_core::executor::*;
    pub use slt_runner::parallel;

    /// Executing one script.
    pub mod core {
        pub use slt_core::executor::{DetailLimits, Options, Selection, run_observed, run_script, run_slice};
    }
}

/// What is kept of runs: folders and journals, and every result in an embedded database.
pub mod results {
    pub use slt_runner::results::*;
    #[cfg(feature = "store")]
    pub use slt_store::{self as store, ResultFilter, ResultStorage, RunId, TestResult, ask};
}

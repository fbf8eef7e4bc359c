//! Runs SQLLogicTest suites against SQL engines and judges every record truthfully.
//!
//! A test file is parsed into records ([`parser`]), each record's SQL goes to an engine ([`engine`]), and a
//! pure function turns expectation and output into a verdict ([`executor`]); what became of a record, a file
//! and a run is plain data ([`outcome`]). The modules are listed in reading order, and each uses only those
//! above it; ARCHITECTURE.md has the picture.
//!
//! ```
//! # #[cfg(feature = "engine-sqlite")] {
//! use vibesql_sqllogictest::engine::sqlite::Sqlite;
//! use vibesql_sqllogictest::engine::Engine as _;
//! use vibesql_sqllogictest::executor::{DetailLimits, Options, Selection, run_script};
//! use vibesql_sqllogictest::location::Source;
//! use vibesql_sqllogictest::parser::{SQLITE, parse};
//!
//! let source = Source::new("sum.test", "query I nosort\nSELECT 1 + 1\n----\n3\n");
//! let options = Options {
//!     labels: Sqlite.identity().labels,
//!     threshold: None,
//!     record_timeout: None,
//!     details: DetailLimits { records: 10, values: 100 },
//! };
//! let report = run_script(&parse(&source, &SQLITE), &Sqlite, &options, Selection::All);
//! assert_eq!(report.counts.failed, 1);
//! # }
//! ```

pub mod clock;
#[cfg(feature = "suite")]
mod jsonl;
pub mod location;
pub mod value;

pub mod parser;

pub mod engine;

pub mod outcome;

pub mod executor;

#[cfg(feature = "suite")]
pub mod event;
#[cfg(feature = "suite")]
mod text;

#[cfg(feature = "suite")]
pub mod results;

#[cfg(feature = "suite")]
pub mod analysis;
#[cfg(feature = "suite")]
pub mod expectations;

#[cfg(feature = "cli")]
mod monitor;

#[cfg(feature = "suite")]
pub mod regression;

#[cfg(feature = "suite")]
pub mod report;

#[cfg(feature = "cli")]
pub mod cli;

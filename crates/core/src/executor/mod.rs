//! Executing: from a parsed script and an engine to outcomes.
//!
//! [`run_script`] runs one script. Values are rendered, sorted and hashed in reused buffers, and a verdict is a pure
//! function of an expectation and an output. Only failing records have owned text.

pub mod canonical;
pub mod cells;
#[cfg(test)]
mod concurrent_tests;
mod connection;
pub mod core;
mod correction;
#[cfg(test)]
mod dialect_tests;
pub mod diff;
#[cfg(test)]
mod duckdb_tests;
mod environment;
mod evidence;
mod folded;
pub mod host;
pub mod keys;
mod label;
mod matcher;
mod observer;
mod program;
pub mod record_processor;
mod rendering;
mod sampling;
mod settings;
pub mod slice;
mod step;
mod text_hash;
mod unhash;
pub mod update;
mod variables;
pub mod verdict;
mod watchdog;

pub use core::slow::{LEAST as LEAST_SLOW, MOST as MOST_SLOW};
pub use keys::{record_keys, records_digest};

pub use core::pause::{PauseEnd, PausedFile, Stepper, run_stepwise};
pub use core::{Surroundings, run_observed, run_script, run_shared, run_slice};
pub use host::{Host, HostError, NoHost, ShellResult};
pub use observer::{Observer, Unobserved};
pub use program::{Selection, outcomes};
pub use settings::{DetailLimits, Options, Permissions, Settings};
pub use unhash::unhash;
pub use variables::{SubstitutionError, Variables};

//! Executing: from a parsed script and an engine to outcomes.
//!
//! [`run_script`] runs one script; [`parallel`] finds files and runs many. Values are rendered, sorted and
//! hashed in buffers that are used again and again, and a verdict is a pure function of an expectation and
//! an output; owned text exists only where a record has failed.

pub mod canonical;
mod core;
pub mod diff;
mod evidence;
mod folded;
mod keys;
mod label;
mod observer;
#[cfg(feature = "suite")]
pub mod parallel;
mod record_processor;
#[cfg(feature = "suite")]
mod settings;
pub mod slice;
mod unhash;
pub mod verdict;
mod watchdog;

pub use core::slow::{LEAST as LEAST_SLOW, MOST as MOST_SLOW};
#[cfg(feature = "suite")]
pub(crate) use keys::record_keys;

pub use core::{DetailLimits, Options, Selection, run_observed, run_script, run_slice};
pub use observer::{Observer, Unobserved};
#[cfg(feature = "suite")]
pub use settings::Settings;
pub use unhash::unhash;

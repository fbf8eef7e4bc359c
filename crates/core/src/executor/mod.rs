//! Executing: from a parsed script and an engine to outcomes.
//!
//! [`run_script`] runs one script. Values are rendered, sorted and hashed in reused buffers, and a verdict is a pure
//! function of an expectation and an output. Only failing records have owned text.

pub mod canonical;
pub mod core;
pub mod diff;
mod environment;
mod evidence;
mod folded;
pub mod keys;
mod label;
mod observer;
mod program;
pub mod record_processor;
mod settings;
pub mod slice;
mod step;
mod unhash;
pub mod verdict;
mod watchdog;

pub use core::slow::{LEAST as LEAST_SLOW, MOST as MOST_SLOW};
pub use keys::record_keys;

pub use core::{run_observed, run_script, run_slice};
pub use observer::{Observer, Unobserved};
pub use program::Selection;
pub use settings::{DetailLimits, Options, Settings};
pub use unhash::unhash;

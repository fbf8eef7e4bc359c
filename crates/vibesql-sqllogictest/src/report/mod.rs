//! Documents: pure functions of a finished run.

#[cfg(feature = "cli")]
pub(crate) mod change;
pub mod json;
#[cfg(feature = "cli")]
pub(crate) mod runs;
#[cfg(feature = "cli")]
pub(crate) mod summary;

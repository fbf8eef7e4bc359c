//! Documents: pure functions of a finished run.

#[cfg(feature = "cli")]
pub(crate) mod change;
#[cfg(all(feature = "cli", feature = "store"))]
pub mod dump;
#[cfg(feature = "cli")]
pub(crate) mod expectations;
pub mod json;
#[cfg(all(feature = "cli", feature = "store"))]
pub mod rows;
#[cfg(feature = "cli")]
pub(crate) mod runs;
#[cfg(feature = "cli")]
pub(crate) mod summary;

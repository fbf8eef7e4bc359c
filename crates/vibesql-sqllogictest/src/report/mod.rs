//! Documents: pure functions of a finished run.

pub mod json;
#[cfg(feature = "cli")]
pub(crate) mod summary;

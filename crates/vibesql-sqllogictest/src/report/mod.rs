//! Documents: pure functions of a finished run.

pub mod subject;

#[cfg(feature = "cli")]
pub(crate) mod analysis;
pub mod badge;
#[cfg(feature = "cli")]
pub(crate) mod bisect;
pub(crate) mod changes;
pub(crate) mod cluster;
#[cfg(feature = "cli")]
pub(crate) mod compare;
#[cfg(all(feature = "cli", feature = "store"))]
pub mod dump;
#[cfg(feature = "cli")]
pub(crate) mod ending;
#[cfg(feature = "cli")]
pub(crate) mod expectations;
mod expected;
mod failure;
#[cfg(feature = "cli")]
pub(crate) mod flaky;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
#[cfg(all(feature = "cli", feature = "store"))]
pub mod rows;
#[cfg(feature = "cli")]
pub(crate) mod runs;
#[cfg(feature = "cli")]
pub(crate) mod summary;

//! Writes documents: pure functions of a finished run.

pub mod analysis;
pub mod badge;
pub mod bisect;
pub mod changes;
pub mod cluster;
pub mod compare;
pub mod ending;
pub mod expectations;
mod failure;
pub mod flaky;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod runs;
pub mod shards;
pub mod subject;
pub mod summary;
mod times;
pub mod timings;

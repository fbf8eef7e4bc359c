//! Interprets finished runs: pure functions of their reports, and documents.
//!
//! [`expectations`] knows the expected failures; [`regression`] finds changes, slowdowns and flaky files; [`analysis`]
//! finds causes of failures; [`report`] writes documents.

pub mod analysis;
pub mod expectations;
pub mod regression;
pub mod report;

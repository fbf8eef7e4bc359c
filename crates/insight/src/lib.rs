//! What finished runs mean: pure functions of their reports, and the documents made of them.
//!
//! [`expectations`] says what is expected to fail, [`regression`] what changed, became slower or is flaky,
//! [`analysis`] which causes failures have; [`report`] writes documents.

pub mod analysis;
pub mod expectations;
pub mod regression;
pub mod report;

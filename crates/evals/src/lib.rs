//! How often the detectors of regressions, flaky files, slowdowns and clusters are right, on generated histories.

pub mod bugs;
pub mod clusters;
pub mod mixture;
pub mod planted;
pub mod score;

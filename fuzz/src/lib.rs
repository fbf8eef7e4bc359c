//! What must hold for any input, shared by the fuzz targets and the flipping example.
//!
//! Every function here panics when its law is broken, since that is what a fuzzer takes for a finding.

pub mod engine;
pub mod execution;
pub mod protocol;
pub mod rendering;
pub mod text;

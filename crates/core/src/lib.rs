//! Parses SQLLogicTest files, executes them on an engine and judges every record.
//!
//! A test file is parsed into records ([`parser`]). Each record's SQL goes to an engine ([`engine`]), and a pure
//! function turns expectation and output into a verdict ([`executor`]). The results of a record, a file and a run are
//! plain data ([`outcome`]). The modules are listed in reading order, and each uses only those above it.

pub mod clock;
pub mod location;
pub mod value;

pub mod parser;

pub mod engine;

pub mod outcome;

pub mod executor;

//! The interface for observing a running script.

use crate::engine::EngineError;
use crate::outcome::{Counts, FailureDetail};

/// Watches a script run, record by record. Called on the hot path: an implementation must be quick.
pub trait Observer {
    /// Called before the record with its header on `line` is executed.
    fn record_started(&mut self, line: u32);

    /// The record on `line` has not passed. Details are given for the first of a file only.
    fn record_not_passed(&mut self, line: u32, detail: Option<&FailureDetail>);

    /// A record has its outcome; this is the account of the file with it.
    fn record_settled(&mut self, counts: &Counts);

    /// The file is over, and something of its database is left. This changes no outcome.
    fn database_not_closed(&mut self, error: &EngineError);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn record_started(&mut self, _: u32) {}
    fn record_not_passed(&mut self, _: u32, _: Option<&FailureDetail>) {}
    fn record_settled(&mut self, _: &Counts) {}
    fn database_not_closed(&mut self, _: &EngineError) {}
}

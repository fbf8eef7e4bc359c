//! The interface for observing a running script.

use crate::engine::EngineError;
use crate::outcome::{Counts, FailingRecord, RecordId};

/// Watches a script run, record by record. Called on the hot path: an implementation must be quick.
pub trait Observer {
    /// Called before a record is executed.
    fn record_started(&mut self, id: &RecordId);

    /// A record has not passed. Its key is not known yet.
    fn record_not_passed(&mut self, record: &FailingRecord);

    /// A record has its outcome; this is the account of the file with it.
    fn record_settled(&mut self, counts: &Counts);

    /// The file is over, and something of its database is left. This changes no outcome.
    fn database_not_closed(&mut self, error: &EngineError);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn record_started(&mut self, _: &RecordId) {}
    fn record_not_passed(&mut self, _: &FailingRecord) {}
    fn record_settled(&mut self, _: &Counts) {}
    fn database_not_closed(&mut self, _: &EngineError) {}
}

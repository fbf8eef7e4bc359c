//! The interface for observing a running script.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::EngineError;
use crate::outcome::{Correction, Counts, FailingRecord, FileTimes, RecordId};

/// Watches a script run, record by record. Called on the hot path: an implementation must be quick.
///
/// In a concurrent loop several records are executed at the same time, on threads of their own. The calls for them come
/// one after another. They tell the record that has been running for the longest, which is the one that would exceed a
/// time limit first; outcomes come later, in the order of the iterations.
pub trait Observer: Send {
    /// Called before a record is executed, or skipped by its conditions.
    fn record_started(&mut self, id: &RecordId);

    /// Called when the following records belong to an included file, or to an iteration of loops.
    fn scope_entered(&mut self, source: Option<&Arc<str>>, iteration: Option<&Arc<str>>) {
        let _ = (source, iteration);
    }

    /// Called in a concurrent loop before a record is executed while earlier ones are running; `running` of them are,
    /// including this one.
    fn record_joined(&mut self, id: &RecordId, running: usize) {
        let _ = (id, running);
    }

    /// Called in a concurrent loop when this record has been running for the longest of all `running` ones.
    fn record_continues(&mut self, id: &RecordId, elapsed: Duration, running: usize) {
        let _ = (id, elapsed, running);
    }

    /// Called for a failing record. Its key is not known yet.
    fn record_not_passed(&mut self, record: &FailingRecord);

    /// Returns whether [`Self::correction_found`] is called, which costs memory for whole results.
    fn wants_corrections(&self) -> bool {
        false
    }

    /// Called before [`Self::record_not_passed`], if another expected result would be right.
    fn correction_found(&mut self, id: &RecordId, correction: &Correction) {
        let _ = (id, correction);
    }

    /// Returns whether [`Self::file_timed`] is called, which costs a few clock reads for each query.
    fn wants_times(&self) -> bool {
        false
    }

    /// Called at the end of the file with the parts of its time that are measured here.
    fn file_timed(&mut self, times: &FileTimes) {
        let _ = times;
    }

    /// Called with the counts of the file after each outcome.
    fn record_settled(&mut self, counts: &Counts);

    /// Called at the end of the file if its database could not be closed. This changes no outcome.
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

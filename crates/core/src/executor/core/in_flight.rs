//! The records that a concurrent loop is executing, and what an observer sees of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Stopwatch;
use crate::engine::EngineError;
use crate::executor::observer::Observer;
use crate::outcome::{Counts, FailingRecord, RecordId};

/// The running records of all iterations.
pub(super) struct RecordsInFlight<'o>(Mutex<InFlightState<'o>>);

struct InFlightState<'o> {
    observer: &'o mut dyn Observer,
    /// The counts of the file without the iterations that have not ended.
    counts: Counts,
    /// In the order of their starts.
    running: Vec<RunningRecord>,
}

struct RunningRecord {
    iteration: u64,
    id: RecordId,
    since: Stopwatch,
}

impl<'o> RecordsInFlight<'o> {
    pub(super) fn new(observer: &'o mut dyn Observer, counts: Counts) -> Self {
        Self(Mutex::new(InFlightState { observer, counts, running: Vec::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, InFlightState<'o>> {
        // Only an observer can panic while it has the lock, and then the run is over.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self, iteration: u64, id: &RecordId) {
        let mut records = self.lock();
        let was_oldest = records.remove(iteration);
        records.running.push(RunningRecord { iteration, id: id.clone(), since: Stopwatch::start() });
        let running = records.running.len();
        if running == 1 {
            records.observer.scope_entered(id.source.as_ref(), id.iteration.as_ref());
            records.observer.record_started(id);
        } else {
            records.observer.record_joined(id, running);
            if was_oldest {
                records.show_oldest();
            }
        }
    }

    /// Takes out the record that an iteration has executed.
    pub(super) fn ended(&self, iteration: u64) {
        let mut records = self.lock();
        if records.remove(iteration) {
            records.show_oldest();
        }
    }

    /// Tells the outcomes of an iteration.
    pub(super) fn settled(&self, failures: &[FailingRecord], counts: &Counts) {
        let mut records = self.lock();
        failures.iter().for_each(|failure| records.observer.record_not_passed(failure));
        records.counts = *counts;
        records.observer.record_settled(counts);
        if !records.running.is_empty() {
            records.show_oldest();
        }
    }
}

impl InFlightState<'_> {
    /// Takes out the record of an iteration; returns whether it was the oldest one.
    fn remove(&mut self, iteration: u64) -> bool {
        let place = self.running.iter().position(|record| record.iteration == iteration);
        place.inspect(|place| drop(self.running.remove(*place))) == Some(0)
    }

    fn show_oldest(&mut self) {
        match self.running.first() {
            Some(oldest) => {
                let (running, elapsed) = (self.running.len(), oldest.since.elapsed());
                self.observer.record_continues(&oldest.id, elapsed, running);
            }
            None => self.observer.record_settled(&self.counts),
        }
    }
}

/// Observes the records of an iteration. Their outcomes are told with those of the whole iteration.
pub(super) struct IterationObserver<'i, 'o> {
    in_flight: &'i RecordsInFlight<'o>,
    iteration: u64,
}

impl<'i, 'o> IterationObserver<'i, 'o> {
    pub(super) fn new(in_flight: &'i RecordsInFlight<'o>, iteration: u64) -> Self {
        Self { in_flight, iteration }
    }
}

impl Observer for IterationObserver<'_, '_> {
    fn record_started(&mut self, id: &RecordId) {
        self.in_flight.started(self.iteration, id);
    }

    fn record_not_passed(&mut self, _: &FailingRecord) {}

    fn record_settled(&mut self, _: &Counts) {
        self.in_flight.ended(self.iteration);
    }

    fn database_not_closed(&mut self, _: &EngineError) {}
}

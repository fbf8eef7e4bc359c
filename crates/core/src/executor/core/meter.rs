//! Measures the parts of the time of a file, if the observer asks for them. Otherwise it reads no clock.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::executor::record_processor::RecordProcessor;
use crate::outcome::{FilePart, FileTimes};

/// The measured parts of the time of a file.
pub(super) struct Meter {
    times: Option<FileTimes>,
    /// The engine's time in the iterations of concurrent loops, which overlap.
    overlapping: Duration,
}

impl Meter {
    /// Makes a meter that measures, or one that does nothing.
    pub(super) fn new(measures: bool) -> Self {
        Self { times: measures.then(FileTimes::default), overlapping: Duration::ZERO }
    }

    /// Starts to measure a part.
    pub(super) fn watch(&self) -> Option<Stopwatch> {
        self.times.is_some().then(Stopwatch::start)
    }

    /// Adds the time since the start to a part.
    pub(super) fn add(&mut self, part: FilePart, watch: Option<Stopwatch>) {
        if let Some((times, watch)) = self.times.as_mut().zip(watch) {
            times.add(part, watch.elapsed());
        }
    }

    /// Adds the time of opening the database, on which the rendering of rows is measured from now on.
    pub(super) fn opened(&mut self, watch: Option<Stopwatch>, processor: &mut RecordProcessor) {
        self.add(FilePart::Open, watch);
        if self.times.is_some() {
            processor.sample_rendering();
        }
    }

    /// Counts a concurrent loop with the time that has passed, in place of the sum of its iterations.
    pub(super) fn loop_ended(&mut self, watch: Option<Stopwatch>, of_iterations: Duration) {
        self.add(FilePart::Engine, watch);
        self.overlapping += of_iterations;
    }

    /// Adds the time of the engine, which has executed everything.
    pub(super) fn executed(&mut self, processor: &RecordProcessor) {
        let Some(times) = &mut self.times else { return };
        let executing = processor.time().total.saturating_sub(self.overlapping);
        let rendering = processor.rendering_time().min(executing);
        times.add(FilePart::Engine, executing - rendering);
        times.add(FilePart::Render, rendering);
    }

    /// Returns the parts, if they were measured.
    pub(super) fn times(&self) -> Option<&FileTimes> {
        self.times.as_ref()
    }
}

//! Estimates the time of rendering rows, which happens while the engine returns them.
//!
//! Two clock reads take as long as the rendering of a short row, so only one row of many is measured, and the cost of
//! reading the clock is subtracted. Without a sampler, the rows go to their sink directly.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::engine::{Flow, RowSink};
use crate::value::{Column, ValueRef};

/// Every 31st row of a file is measured. This is a prime number, so in results of equal length the measured rows are at
/// different positions.
const STRIDE: u32 = 31;

/// The number of clock reads from which their cost is found.
const CLOCK_READS: u32 = 16;

/// Estimates the time of rendering all rows from that of some.
#[derive(Debug)]
pub(super) struct RenderSampler {
    /// The rows up to the next measured one.
    left: u32,
    measured: u32,
    time: Duration,
    /// The measured time of nothing.
    clock: Duration,
}

impl RenderSampler {
    pub(super) fn new() -> Self {
        let clock = (0..CLOCK_READS).map(|_| Stopwatch::start().elapsed()).min().unwrap_or_default();
        // The first row is measured, so that short files have an estimate.
        Self { left: 1, measured: 0, time: Duration::ZERO, clock }
    }

    /// Counts a row, and returns whether it is to be measured.
    fn is_due(&mut self) -> bool {
        self.left -= 1;
        let is_due = self.left == 0;
        if is_due {
            self.left = STRIDE;
        }
        is_due
    }

    fn add(&mut self, time: Duration) {
        self.measured += 1;
        self.time += time.saturating_sub(self.clock);
    }

    /// Returns the time that rendering has taken.
    pub(super) fn estimate(&self) -> Duration {
        let Some(before) = self.measured.checked_sub(1) else { return Duration::ZERO };
        let rows = u64::from(before) * u64::from(STRIDE) + u64::from(STRIDE - self.left) + 1;
        self.time.mul_f64(rows as f64 / f64::from(self.measured))
    }
}

/// Passes everything on to a sink, and measures some of its rows.
pub(super) struct SampledSink<'s> {
    pub(super) sink: &'s mut dyn RowSink,
    pub(super) sampler: &'s mut RenderSampler,
}

impl RowSink for SampledSink<'_> {
    fn wants_names(&self) -> bool {
        self.sink.wants_names()
    }

    fn columns(&mut self, columns: &[Column<'_>]) -> Flow {
        self.sink.columns(columns)
    }

    fn unknown_columns(&mut self) -> Flow {
        self.sink.unknown_columns()
    }

    fn row(&mut self, values: &[ValueRef<'_>]) -> Flow {
        if !self.sampler.is_due() {
            return self.sink.row(values);
        }
        let start = Stopwatch::start();
        let flow = self.sink.row(values);
        self.sampler.add(start.elapsed());
        flow
    }

    fn done(&mut self, affected: Option<u64>) -> Flow {
        self.sink.done(affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_counted() {
        for rows in [0_u32, 1, 2, 30, 31, 32, 62, 63, 1_000] {
            let mut sampler = RenderSampler { clock: Duration::from_nanos(20), ..RenderSampler::new() };
            for _ in 0..rows {
                if sampler.is_due() {
                    sampler.add(Duration::from_nanos(120));
                }
            }
            let found = sampler.estimate().as_nanos();
            assert!(found.abs_diff(u128::from(rows) * 100) <= 1, "{rows} rows: {found} ns");
        }
    }

    #[test]
    fn a_clock_that_is_slower_than_rendering_gives_no_negative_time() {
        let mut sampler = RenderSampler { clock: Duration::from_secs(1), ..RenderSampler::new() };
        assert!(sampler.is_due());
        sampler.add(Duration::from_nanos(5));
        assert_eq!(sampler.estimate(), Duration::ZERO);
    }
}

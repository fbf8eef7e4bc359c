//! The only reader of the system's clocks, so that tests can replace them.

use std::time::Duration;

/// A source of elapsed time.
pub trait Clock: Send + Sync {
    /// Returns the time since a moment that never changes for this clock.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock, which the processes of one machine share.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// Returns the time of day, in milliseconds since 1970 in UTC.
pub fn milliseconds_since_1970() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

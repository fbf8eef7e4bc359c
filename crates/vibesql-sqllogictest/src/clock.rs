//! The only caller of the system's clock, so that whoever needs time asks for it and tests can fix it.

use std::time::Duration;

/// A source of elapsed time.
pub trait Clock: Send + Sync {
    /// The time since a moment that never changes for this clock.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock, which the processes of one machine share.
#[cfg(feature = "suite")]
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

#[cfg(feature = "suite")]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// The time of day, in milliseconds since 1970 in UTC.
#[cfg(feature = "suite")]
pub fn milliseconds_since_1970() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// The time since it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this module asks the system for the time")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that stands still, for reports that must not depend on the machine.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Duration);

impl Clock for FixedClock {
    fn now(&self) -> Duration {
        self.0
    }
}

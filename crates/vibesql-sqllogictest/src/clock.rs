//! The only caller of the system's clock, so that whoever needs time asks for it and tests can fix it.

use std::time::Duration;

/// A source of elapsed time.
pub trait Clock: Send + Sync {
    /// The time since a moment that never changes for this clock.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// Starts a clock at zero.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    #[expect(clippy::new_without_default, reason = "reading the clock is no default value")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
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

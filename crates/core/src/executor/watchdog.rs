//! The time limit of a record, for engines that can be interrupted.
//!
//! A second thread watches the running record and interrupts it after its time limit. It does so under a lock that the
//! end of a record takes as well, so that no interrupt can hit a later record.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

use crate::engine::Interrupter;

/// Watches the records of one session. The thread ends when this is dropped.
pub struct Watchdog {
    limit: Duration,
    shared: Arc<WatchdogShared>,
}

#[derive(Default)]
struct WatchdogShared {
    state: Mutex<WatchdogState>,
    ended: Condvar,
}

#[derive(Default)]
struct WatchdogState {
    /// The number of started records, which identifies the running one.
    begun: u64,
    running: bool,
    interrupted: bool,
    /// The session is over.
    ended: bool,
}

/// The minimum number of checks within a limit; the interval is at most [`LONGEST_LOOK`].
const LOOKS: u32 = 20;
const LONGEST_LOOK: Duration = Duration::from_millis(50);
/// The most that one check counts: on a busy machine it comes late, and while the process is stopped it does not come.
const LATEST_LOOK: Duration = Duration::from_millis(500);

impl Watchdog {
    /// Starts watching; `None` if no thread can be started.
    pub fn new(limit: Duration, interrupt: Interrupter) -> Option<Self> {
        let shared = Arc::<WatchdogShared>::default();
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("watchdog".to_owned());
        thread.spawn(move || watched.watch(limit, &interrupt)).ok()?;
        Some(Self { limit, shared })
    }

    /// Starts a record. Does not wake the thread, which would take longer than most records.
    pub fn start(&self) {
        let mut state = self.shared.lock();
        state.begun += 1;
        (state.running, state.interrupted) = (true, false);
    }

    /// Ends a record. Returns the limit if it was exceeded.
    pub fn end(&self) -> Option<Duration> {
        let mut state = self.shared.lock();
        state.running = false;
        state.interrupted.then_some(self.limit)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.ended.notify_one();
    }
}

impl WatchdogShared {
    fn lock(&self) -> MutexGuard<'_, WatchdogState> {
        // Nothing panics while it has the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, limit: Duration, interrupt: &Interrupter) {
        let look = (limit / LOOKS).clamp(Duration::from_millis(1), LONGEST_LOOK);
        let mut seen = 0;
        let mut seen_for = Duration::ZERO;
        let mut state = self.lock();
        while !state.ended {
            if !state.running || state.begun != seen {
                (seen, seen_for) = (state.begun, Duration::ZERO);
            } else if seen_for >= limit {
                // Again at every look: the call has no effect between two statements of one text.
                state.interrupted = true;
                interrupt();
            }
            let waiting = Stopwatch::start();
            let waited = self.ended.wait_timeout(state, look);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            seen_for += waiting.elapsed().min(LATEST_LOOK);
        }
    }
}

//! The wait for a server that restarts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slt_core::clock::Stopwatch;
use slt_core::engine::EngineError;

/// A failed attempt to connect.
#[derive(Debug)]
pub enum ConnectError {
    /// Nothing answers, or the server says that it is starting, stopping or full: it may answer soon.
    Unavailable(EngineError),
    /// The server refuses: for example a wrong password.
    Refused(EngineError),
}

impl ConnectError {
    /// Returns the error without its kind.
    pub fn into_error(self) -> EngineError {
        match self {
            Self::Unavailable(error) | Self::Refused(error) => error,
        }
    }
}

/// Waits for a server that has answered before. It waits once: until the server answers again, later attempts fail at
/// once, so that a server that is gone for good does not cost every file the whole wait.
#[derive(Debug, Default)]
pub struct Patience {
    is_used_up: AtomicBool,
}

/// The longest wait for a server that restarts.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

impl Patience {
    /// Tries to connect until it succeeds, the server refuses, or the longest wait has passed.
    ///
    /// # Errors
    ///
    /// The last error.
    pub fn connect<T>(&self, mut attempt: impl FnMut() -> Result<T, ConnectError>) -> Result<T, EngineError> {
        let waiting = Stopwatch::start();
        loop {
            match attempt() {
                Ok(connection) => {
                    self.is_used_up.store(false, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(ConnectError::Refused(error)) => return Err(error),
                Err(ConnectError::Unavailable(error)) => {
                    if self.is_used_up.load(Ordering::Relaxed) {
                        return Err(error);
                    }
                    if waiting.elapsed() >= LONGEST_WAIT {
                        self.is_used_up.store(true, Ordering::Relaxed);
                        let seconds = LONGEST_WAIT.as_secs();
                        return Err(EngineError::new(format_args!("{error} (waited {seconds} s)")));
                    }
                    pause();
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a server sends no message when it is available again")]
fn pause() {
    std::thread::sleep(BETWEEN_ATTEMPTS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_a_server_that_is_unavailable_and_for_no_other() {
        let patience = Patience::default();
        let mut attempts = 0;
        let answered = patience.connect(|| {
            attempts += 1;
            if attempts < 3 { Err(ConnectError::Unavailable(EngineError::new("down"))) } else { Ok(attempts) }
        });
        assert_eq!(answered, Ok(3));
        let refused = patience.connect(|| -> Result<(), _> {
            attempts += 1;
            Err(ConnectError::Refused(EngineError::new("wrong password")))
        });
        assert_eq!((refused, attempts), (Err(EngineError::new("wrong password")), 4));
    }

    #[test]
    fn a_used_up_wait_comes_back_when_the_server_answers() {
        let patience = Patience { is_used_up: true.into() };
        let down = || ConnectError::Unavailable(EngineError::new("down"));
        assert_eq!(patience.connect(|| Err::<(), _>(down())), Err(EngineError::new("down")));
        assert_eq!(patience.connect(|| Ok(())), Ok(()));
        let mut attempts = 0;
        let again = patience.connect(|| {
            attempts += 1;
            if attempts < 2 { Err(down()) } else { Ok(()) }
        });
        assert_eq!((again, attempts), (Ok(()), 2));
    }
}

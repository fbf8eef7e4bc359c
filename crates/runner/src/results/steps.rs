//! Steps at which tests kill the process, to check recovery.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the changes of the disk.
#[derive(Debug, Default)]
pub struct Steps {
    done: AtomicU64,
    die_at: Option<u64>,
}

impl Steps {
    /// Has the process killed at this step, counted from 1.
    pub fn dying_at(step: Option<u64>) -> Self {
        Self { done: AtomicU64::new(0), die_at: step }
    }

    /// Announces a change of the disk.
    pub fn step(&self) {
        let step = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.die_at == Some(step) {
            // As a kill from outside does it: nothing is cleaned up.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}
